import { type Moment, now, pause, since } from "./clock.ts";
import { errorOf, HubError, type Problem, StreamCut, UnexpectedAnswer, Unreachable } from "./errors.ts";
import type { Query, Transport } from "./http.ts";
import { type Frame, frames } from "./sse.ts";

export interface StreamOptions {
  /** The id of the last event that was read: what follows it comes. */
  after?: string | undefined;
  /** Ends the stream without an error. */
  signal?: AbortSignal | undefined;
  /** How long it tries to get its connection back before `StreamCut`, in milliseconds. */
  giveUpAfter?: number | undefined;
}

/** A comment comes every 15 s: a connection that says nothing for this long is dead. */
const QUIET_MS = 45_000;
const LONGEST_PAUSE_MS = 5000;

/**
 * The frames of a stream of the hub, over as many connections as it takes, each once. It returns
 * when the hub says that there is no more or after the frame for which `isLast` is true; a stream
 * that was cut and does not come back throws `StreamCut`.
 */
export async function* follow(
  http: Transport,
  path: string,
  isLast: (frame: Frame) => boolean,
  options: StreamOptions,
): AsyncGenerator<Frame, void, undefined> {
  const { signal, giveUpAfter = 60_000 } = options;
  let cursor = options.after;
  let cut: Moment | undefined;
  let tries = 0;
  let retryMs = 1000;
  while (!signal?.aborted) {
    const end = new AbortController();
    const stop = () => end.abort();
    signal?.addEventListener("abort", stop, { once: true });
    // Sleep counts: a laptop that wakes up does not wait on a connection of yesterday.
    let last = now();
    const watch = setInterval(() => since(last) > QUIET_MS && end.abort(), 1000);
    let cause: unknown;
    try {
      const headers: Record<string, string> = { Accept: "text/event-stream" };
      if (cursor !== undefined) headers["Last-Event-ID"] = cursor;
      const response = await http.open(path, {} satisfies Query, headers, end.signal);
      if (response.status === 204) return;
      if (!response.headers.get("content-type")?.startsWith("text/event-stream") || !response.body) {
        throw new UnexpectedAnswer(response.status, "the answer is no stream: is that address a hub's?");
      }
      const onBytes = () => {
        last = now();
        cut = undefined;
        tries = 0;
      };
      for await (const frame of frames(response.body, onBytes, (ms) => (retryMs = ms))) {
        if (frame.event === "gone") throw errorOf(goneAs(frame));
        if (frame.id !== undefined) cursor = frame.id;
        yield frame;
        if (isLast(frame)) return;
      }
    } catch (error) {
      if (signal?.aborted) return;
      if (!end.signal.aborted && !mayComeBack(error)) throw error;
      cause = error;
    } finally {
      clearInterval(watch);
      signal?.removeEventListener("abort", stop);
      end.abort();
    }
    cut ??= now();
    if (since(cut) >= giveUpAfter) {
      throw new StreamCut(`the stream was cut after ${cursor ?? "nothing"} and did not come back`, { cause });
    }
    // At first soon, as most cuts are a restart's; no slower than the hub asks for.
    await pause(Math.min(retryMs, 50 * 2 ** tries++, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2), signal);
  }
}

function mayComeBack(error: unknown): boolean {
  if (error instanceof HubError || error instanceof UnexpectedAnswer) {
    return [429, 502, 503, 504].includes(error.status);
  }
  // What fetch's reader throws when a connection breaks differs by platform.
  return error instanceof Unreachable || error instanceof TypeError || error instanceof DOMException;
}

/** The last frame of a stream that was taken away: a problem without its status. */
function goneAs(frame: Frame): Problem {
  const said = JSON.parse(frame.data) as Pick<Problem, "code" | "detail">;
  const status = said.code === "unauthenticated" ? 401 : 404;
  return { ...said, status, title: "The stream is gone", type: `/problems/${said.code}`, request_id: "" };
}
