// Reads a message's stream with the package eventsource to its end, over connections that break.
//
// The package reconnects by itself, with the last id, as browsers do, and ends when it is answered
// 204. What it has read is told as JSON on standard output: the ids, the events, how often the
// connection broke, and what ended it.

import { createRequire } from "node:module";

const [url, key, modules] = process.argv.slice(2);
const { EventSource } = createRequire(modules + "/")("eventsource");

const TYPES = ["snapshot", "message_start", "text_delta", "content_added", "content_updated",
  "task_started", "task_progress", "task_completed", "task_failed", "message_end"];
const told = { ids: [], events: [], cuts: 0, status_at_end: null };

const source = new EventSource(url, {
  fetch: (input, init) =>
    fetch(input, { ...init, headers: { ...init.headers, Authorization: `Bearer ${key}` } }),
});
for (const type of TYPES) {
  source.addEventListener(type, (event) => {
    told.ids.push(event.lastEventId);
    told.events.push({ type: event.type, data: JSON.parse(event.data) });
  });
}
source.addEventListener("error", (event) => {
  if (source.readyState !== EventSource.CLOSED) {
    told.cuts += 1;
    return;
  }
  told.status_at_end = event.code ?? null;
  console.log(JSON.stringify(told));
});
