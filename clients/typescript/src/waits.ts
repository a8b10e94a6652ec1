import type { AnswerOf, BodyOf, QueryOf, Transport } from "./http.ts";
import { pages } from "./pages.ts";
import type { Rest, Wait } from "./types.ts";

/** What tasks wait for: questions, signals, times, the end of other tasks. */
export class Waits {
  readonly #http: Transport;

  constructor(http: Transport) {
    this.#http = http;
  }

  /**
   * Those of the caller's tasks and those that it may answer, newest first, page by page; with
   * `task_id` the last ones of that task, also those that are over.
   */
  async *list(query: QueryOf<"list_waits"> = {}): AsyncGenerator<Wait, void, undefined> {
    for await (const page of pages(this.#http, "list_waits", { query })) yield* page;
  }

  get(wid: string): Promise<Wait> {
    return this.#http.call("show_wait", { path: { wid } });
  }

  /** Waits until it is over. */
  async wait(wid: string, signal?: AbortSignal): Promise<Wait> {
    for (;;) {
      const query = { wait_ms: 30_000 };
      const options = signal ? { signal } : {};
      const wait = await this.#http.call("show_wait", { ...options, path: { wid }, query, timeout: 60_000 });
      if (wait.state !== "open") return wait;
    }
  }

  /**
   * Decides, by a key with the scope `approve`: `approve`, `reject`, or another of its options. The
   * first decision stands; a later one that is another is a `Conflict`.
   */
  answer(
    wid: string,
    decision: string,
    body: Rest<BodyOf<"answer_wait">, "decision"> = {},
  ): Promise<AnswerOf<"answer_wait">> {
    return this.#http.call("answer_wait", { path: { wid }, body: { ...body, decision } });
  }
}
