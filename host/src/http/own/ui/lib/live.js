// What changes by itself: the cluster's events, by one stream for the whole page, and readings that
// are repeated while somebody looks.

import { at, door, get } from "./access.js";
import { eventTypes } from "../event-types.js";
import { store } from "./store.js";
import { follow } from "./stream.js";
import { hubNow, setHubTime } from "./time.js";
import { useEffect, useRef, useState } from "./view.js";

const BACK_MS = 10 * 60 * 1000;
const KEPT = 1000;
const SOON_MS = 300;
/** The least time between two readings that events ask for: there may be many a second. */
const REST_MS = 1500;

/** How the stream is: `connecting`, `live`, `reconnecting`, `over`, `refused`. */
export const stream = store({ state: "connecting", detail: "" });
/** The latest events, the newest first, from ten minutes back. */
export const latest = store([]);
/** Whether the reader looks. */
export const isWatched = () => !document.hidden && door.get() === "open";

const listeners = new Set();
let stop = null, pending = [], timer = 0, followed = 0;

// Events come in heaps; they are shown together.
function gather(event) {
  pending.push(event);
  timer ||= setTimeout(() => {
    timer = 0;
    const known = new Set(latest.get().slice(0, KEPT).map((it) => it.event_id));
    const fresh = pending.filter((it) => !known.has(it.event_id) && known.add(it.event_id)).reverse();
    pending = [];
    if (fresh.length > 0) latest.set([...fresh, ...latest.get()].slice(0, KEPT));
  }, SOON_MS);
  for (const listener of [...listeners]) listener(event);
}

/** Reads the hub's clock, which is that of the events' ids; this shows whether a key is needed. */
export async function readHubTime() {
  const health = await get("/cluster/health").catch((problem) => {
    // `reef monitor` has the events and no routes.
    if (problem.isNoRoute) door.set("open");
    return null;
  });
  if (!health) return door.get() === "open";
  setHubTime(health.checked_at);
  door.set("open");
  return true;
}

/** Follows the events from ten minutes back, or from the last so many where there are more. */
export async function followCluster() {
  stop?.();
  stop = null;
  const turn = followed += 1;
  const since = hubNow() - BACK_MS;
  // A stream from there would bring all that the log has. A hub of before `latest` answers its oldest.
  const tail = await get(at(["cluster", "events"], { latest: true, limit: KEPT })).catch(() => null);
  if (turn !== followed) return;
  for (const event of tail?.events ?? []) if (Date.parse(event.timestamp) >= since) gather(event);
  const acts = Object.fromEntries(eventTypes.map((type) => [type, gather]));
  const next = tail?.next ?? "0-0";
  const cursor = parseInt(next, 10) >= since ? next : Math.floor(since) + "-0";
  stop = follow("/api/v1/events/stream", cursor, acts, (state, detail) => stream.set({ state, detail }));
}

/** Calls `act(event)` for each event of these types (or whose type begins so, with `*`). */
export function onEvents(types, act) {
  const fits = (type) => types.some((it) => (it.endsWith("*") ? type.startsWith(it.slice(0, -1)) : it === type));
  const listener = (event) => fits(event.event_type) && act(event);
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * What `load(signal)` comes to: `{data, problem, isLoading, again}`. It is read anew when one of
 * `inputs` changes, `pace` milliseconds after the last time, soon after each of the `events`, and
 * when the reader comes back. Nothing is asked while nobody looks. While it is read anew, and
 * where that fails, `data` stays what it was.
 */
export function useLive(load, inputs, { events = [], pace = 5000, isOff = false } = {}) {
  const [state, set] = useState({ data: null, problem: null, isLoading: true });
  const current = useRef(null);
  const latestLoad = useRef(load);
  latestLoad.current = load;
  useEffect(() => {
    if (isOff) return undefined;
    let isOver = false, isAsking = false, isWanted = false, last = 0, waiting = 0;
    const aborting = new AbortController();

    async function run() {
      clearTimeout(waiting);
      waiting = 0;
      if (isOver || !isWatched()) return;
      if (isAsking) { isWanted = true; return; }
      isAsking = true;
      last = Date.now();
      try {
        const data = await latestLoad.current(aborting.signal);
        if (!isOver) set({ data, problem: null, isLoading: false });
      } catch (problem) {
        if (!isOver && problem.name !== "AbortError") set((it) => ({ data: it.data, problem, isLoading: false }));
      }
      isAsking = false;
      if (isWanted) { isWanted = false; soon(); }
    }
    function soon() {
      waiting ||= setTimeout(run, Math.max(SOON_MS, last + REST_MS - Date.now()));
    }

    set((it) => ({ ...it, isLoading: true }));
    current.current = run;
    run();
    const paced = pace ? setInterval(run, pace) : 0;
    const forget = onEvents(events, soon);
    const unlocked = door.listen(run);
    const turn = () => document.hidden || run();
    document.addEventListener("visibilitychange", turn);
    return () => {
      isOver = true;
      aborting.abort();
      clearInterval(paced);
      clearTimeout(waiting);
      forget();
      unlocked();
      document.removeEventListener("visibilitychange", turn);
    };
    // What is looked at is compared by what it says: it may be built anew with each drawing.
  }, [JSON.stringify(inputs), isOff]);
  return { ...state, again: () => current.current?.() };
}
