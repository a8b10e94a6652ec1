// Panel: what has happened in the cluster, newest first.

import { at, clock, make } from "./dom.js";
import { eventTypes } from "./event-types.js";

const SHOWN = 100;

// That a task waits is not news.
export const events = eventTypes.filter((type) => type !== "task_pending");

export function onEvent({ event_id, event_type, timestamp, payload }) {
  // After signing in again the stream begins ten minutes back once more.
  if (at("events").querySelector(`[data-key="${CSS.escape(event_id)}"]`)) return;
  const line = make("li");
  line.dataset.key = event_id;
  const time = make("time", clock(timestamp), "mono dim");
  time.dateTime = timestamp;
  line.append(time, make("span", event_type.replaceAll("_", " ")));
  const about = payload.hostname ?? payload.task_id ?? payload.node_id ?? payload.leader;
  if (about) line.append(make("span", about, "dim"));
  at("events").prepend(line);
  at("events-none").hidden = true;
  while (at("events").children.length > SHOWN) at("events").lastElementChild.remove();
}
