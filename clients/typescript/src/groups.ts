import type { QueryOf, Transport } from "./http.ts";
import { pages } from "./pages.ts";
import type { Group, Task } from "./types.ts";

/** Tasks that were submitted together. `tasks.batch` makes groups. */
export class Groups {
  readonly #http: Transport;

  constructor(http: Transport) {
    this.#http = http;
  }

  /** How many tasks it has, how they stand, and which failed first. */
  get(id: string): Promise<Group> {
    return this.#http.call("show_group", { path: { id } });
  }

  /** Waits until all its tasks have ended, in whichever way. */
  async wait(id: string, signal?: AbortSignal): Promise<Group> {
    for (;;) {
      const query = { wait_ms: 30_000 };
      const options = signal ? { signal } : {};
      const group = await this.#http.call("show_group", { ...options, path: { id }, query, timeout: 60_000 });
      if (group.status !== "open") return group;
    }
  }

  /** In the order in which they were submitted, page by page. */
  async *tasks(id: string, query: QueryOf<"list_group_tasks"> = {}): AsyncGenerator<Task, void, undefined> {
    for await (const page of pages(this.#http, "list_group_tasks", { path: { id }, query })) yield* page;
  }

  /** Cancels what has not ended of it, and says how many tasks that were. It takes no further ones. */
  async cancel(id: string): Promise<number> {
    return (await this.#http.call("cancel_group", { path: { id } })).changed;
  }

  /** Queues anew what did not complete of it, and says how many tasks that were. */
  async retry(id: string): Promise<number> {
    return (await this.#http.call("retry_group", { path: { id } })).changed;
  }
}
