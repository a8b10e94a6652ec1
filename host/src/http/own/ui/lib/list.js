// A list of the hub, page by page, as far as somebody has scrolled.

import { read } from "./access.js";
import { useLive } from "./live.js";
import { useRef, useState } from "./view.js";

/** What was read anew, where an item that is as it was stays the same object: its row need not be drawn. */
export function settled(fresh, known, keyOf) {
  const before = new Map(known.map((item) => [keyOf(item), item]));
  return fresh.map((item) => {
    const was = before.get(keyOf(item));
    return was && JSON.stringify(was) === JSON.stringify(item) ? was : item;
  });
}

/**
 * Puts a first page that was read anew before what was known. The list only grows at its front, so
 * that what is known behind the new page's last item stands as it was; null where the page does not
 * reach back to anything known.
 */
export function joined(fresh, known, keyOf) {
  if (fresh.length === 0 || known.length === 0) return fresh;
  const last = keyOf(fresh[fresh.length - 1]);
  const place = known.findIndex((item) => keyOf(item) === last);
  return place < 0 ? null : [...fresh, ...known.slice(place + 1)];
}

/**
 * A list by cursor: `{items, more, isWhole, problem, isLoading, again, extra}`. `pathOf(cursor)` is
 * the path of a page, `pick(body)` its items, `keyOf(item)` what names one. `more()` reads on. The
 * first page is read anew as `useLive` says; `extra` is its body.
 */
export function useList(pathOf, pick, keyOf, inputs, options) {
  const rest = useRef({ id: "", items: [], next: null, isAsking: false });
  const [, draw] = useState(0);
  const id = JSON.stringify(inputs);
  const first = useLive(async (signal) => {
    const { body, next } = await read(pathOf(null), { signal });
    const it = rest.current;
    const page = settled(pick(body), it.items, keyOf);
    const whole = it.id === id && it.isLong ? joined(page, it.items, keyOf) : null;
    if (whole) it.items = whole; else rest.current = { id, items: page, next, isLong: false, isAsking: false };
    return { id, body };
  }, inputs, options);

  async function more() {
    const it = rest.current;
    if (it.isAsking || it.next === null || it.id !== id) return;
    it.isAsking = true;
    try {
      const { body, next } = await read(pathOf(it.next));
      if (rest.current === it) {
        const known = new Set(it.items.map(keyOf));
        it.items = [...it.items, ...pick(body).filter((item) => !known.has(keyOf(item)))];
        it.next = next;
        it.isLong = true;
      }
    } catch {
      // The next scroll asks again.
    }
    it.isAsking = false;
    draw((count) => count + 1);
  }

  const isOfThis = rest.current.id === id;
  return {
    items: isOfThis || first.isLoading ? rest.current.items : [], more,
    isWhole: isOfThis && rest.current.next === null,
    problem: first.problem, isLoading: first.isLoading, again: first.again,
    extra: first.data?.id === id ? first.data.body : null,
  };
}
