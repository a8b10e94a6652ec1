// The cluster's events: one stream for the whole page, whoever listens.

import { getJson } from "./access.js";
import { at, hubNow, say, setHubTime } from "./dom.js";
import { follow } from "./stream.js";

const BACK_MS = 10 * 60 * 1000;
const WORDS = { connecting: "connecting…", live: "live", reconnecting: "reconnecting…", over: "over" };
const listeners = new Map();
let stop = null;

/** Calls `act(event)` for each event of these types, from ten minutes back. */
export function onEvents(types, act) {
  for (const type of types) listeners.set(type, [...(listeners.get(type) ?? []), act]);
}

/** Asks for the time on the hub's own clock, which is that of the events' ids. */
export async function readHubTime() {
  setHubTime((await getJson("/api/v1/cluster/health"))?.checked_at);
}

/** Follows the events; all that listen must be known before. */
export function followCluster() {
  stop?.();
  const acts = {};
  for (const [type, all] of listeners) acts[type] = (event) => all.forEach((act) => act(event));
  const cursor = Math.floor(hubNow() - BACK_MS) + "-0";
  stop = follow("/api/v1/events/stream", cursor, acts, (state, detail) => {
    say(at("live"), detail ?? WORDS[state]);
    at("live").className = state === "live" ? "good" : "dim";
  });
}
