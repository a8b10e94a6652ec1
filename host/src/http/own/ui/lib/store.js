// A value that several parts of the page look at.

import { useEffect, useState } from "./view.js";

/** Keeps a value; whoever listens hears of each other one. */
export function store(value) {
  const listeners = new Set();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener(value);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The value of a store, in a view that is drawn again when it changes. */
export function useStore(it) {
  const [value, set] = useState(it.get);
  useEffect(() => {
    // A value may be a function, which a setter would call.
    const take = () => set(() => it.get());
    take();
    return it.listen(take);
  }, [it]);
  return value;
}
