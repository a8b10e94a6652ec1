// An event stream of the hub, followed for as long as the page wants it.

import { ask } from "./access.js";

const RETRY_MS = 1000;

/**
 * Follows the stream at `path` behind `cursor`.
 *
 * `acts` maps a type of event to what is done with its data. `tell(state, detail)` is called with
 * `connecting`, `live`, `reconnecting`, `over`, or `refused` and the hub's reason. The result
 * ends it.
 *
 * The browser reconnects by itself, with the last id that it saw. What it gives up at is taken up
 * here: a hub that answers 503 because its Redis is away is asked again.
 */
export function follow(path, cursor, acts, tell) {
  let source = null, timer = 0, isOver = false;

  function letGo() {
    clearTimeout(timer);
    source?.close();
    source = null;
  }

  function end(state, detail) {
    isOver = true;
    letGo();
    document.removeEventListener("visibilitychange", turn);
    if (state) tell(state, detail);
  }

  function open() {
    letGo();
    const opened = source = new EventSource(path + "?last_id=" + encodeURIComponent(cursor));
    opened.addEventListener("open", () => tell("live"));
    for (const [type, act] of Object.entries(acts)) {
      opened.addEventListener(type, (event) => {
        // The hub has events of the name `error`, and so has the browser, without data.
        if (event.data === undefined) return;
        act(JSON.parse(event.data), event.lastEventId);
        cursor = event.lastEventId || cursor;
      });
    }
    opened.addEventListener("error", (event) => {
      if (event.data !== undefined || opened !== source) return;
      tell("reconnecting");
      if (opened.readyState === EventSource.CLOSED) askWhy(opened);
    });
  }

  async function askWhy(closed) {
    const asking = new AbortController();
    const answer = await ask(path + "?last_id=" + encodeURIComponent(cursor), { signal: asking.signal });
    const isOurs = !isOver && source === closed;
    if (isOurs && answer?.status === 204) {
      end("over");
    } else if (isOurs && answer && answer.status >= 400 && answer.status < 500 && answer.status !== 429) {
      const problem = await answer.json().catch(() => null);
      end("refused", problem?.detail ?? String(answer.status));
    } else if (isOurs) {
      timer = setTimeout(open, RETRY_MS);
    }
    // It may be a stream after all.
    asking.abort();
  }

  // Browsers keep six connections to one host and share them among all tabs, so that a page that
  // nobody sees lets go of its own. The cursor brings what it misses.
  function turn() {
    if (document.hidden) letGo(); else open();
  }

  document.addEventListener("visibilitychange", turn);
  tell("connecting");
  if (!document.hidden) open();
  return () => end();
}
