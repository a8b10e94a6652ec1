import type { AnswerOf, BodyOf, RequestOptions, Transport } from "./http.ts";
import type { Rest } from "./types.ts";

type Body = BodyOf<"start_bulk">;
type Job = AnswerOf<"show_bulk">;

/** Between two looks at a change that is under way, in milliseconds. */
const LOOKS_EVERY = 500;

/** Changes of many tasks: `cancel`, `retry`, `remove` and `set_priority`. */
export class Bulk {
  readonly #http: Transport;

  constructor(http: Transport) {
    this.#http = http;
  }

  /** Changes nothing: `matched` says how many tasks would be changed, and `sample` names some. */
  count(
    action: Body["action"],
    filter: Body["filter"],
    body: Rest<Body, "action" | "filter" | "dry_run"> = {},
  ): Promise<Job> {
    return this.#http.call("start_bulk", { body: { ...body, action, filter, dry_run: true } });
  }

  /**
   * Changes the tasks that are there now, and none if there are more than `most`: that is a `Conflict`.
   * What takes longer than some seconds goes on after the answer, and `wait` waits for its end.
   */
  start(
    action: Body["action"],
    filter: Body["filter"],
    body: Rest<Body, "action" | "filter" | "dry_run"> & { most: number; reason: string },
    options: RequestOptions = {},
  ): Promise<Job> {
    return this.#http.call("start_bulk", { ...options, body: { ...body, action, filter } });
  }

  /** How far it is. */
  get(id: string): Promise<Job> {
    return this.#http.call("show_bulk", { path: { id } });
  }

  /** Waits until it has ended, in whichever way. */
  async wait(id: string, signal?: AbortSignal): Promise<Job> {
    for (;;) {
      signal?.throwIfAborted();
      const job = await this.get(id);
      if (job.status !== "counting" && job.status !== "running") return job;
      await new Promise((resolve) => setTimeout(resolve, LOOKS_EVERY));
    }
  }

  /** It does nothing more; what it has done stays. */
  stop(id: string): Promise<Job> {
    return this.#http.call("stop_bulk", { path: { id } });
  }
}
