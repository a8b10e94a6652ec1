import { type Busy, Conflict, NotFound } from "./errors.ts";
import type { AnswerOf, BodyOf, QueryOf, RequestOptions, Transport } from "./http.ts";
import { pages } from "./pages.ts";
import type { Rest, Task } from "./types.ts";

/** Longest penalty that the hub takes. */
const PENALTY_MS_MAX = 3_600_000;

/** The queue. */
export class Tasks {
  readonly #http: Transport;

  constructor(http: Transport) {
    this.#http = http;
  }

  submit(
    name: string,
    body: Rest<BodyOf<"submit_task">, "name"> = {},
    options: RequestOptions = {},
  ): Promise<AnswerOf<"submit_task">> {
    return this.#http.call("submit_task", { ...options, body: { ...body, name } });
  }

  /**
   * Queues at most 100 tasks at once, all or none; a task may follow earlier ones (`after`) by their
   * places: `{ task: "#0" }`. With `group` they form one. With `atomic: false` they may be 1000, and
   * are taken a hundred at a time.
   */
  batch(
    tasks: BodyOf<"submit_batch">["tasks"],
    body: Rest<BodyOf<"submit_batch">, "tasks" | "parent"> = {},
    options: RequestOptions = {},
  ): Promise<AnswerOf<"submit_batch">> {
    return this.#http.call("submit_batch", { ...options, body: { ...body, tasks } });
  }

  /**
   * Sends a signal, and says how many the task has got that it has neither awaited nor taken. It is
   * kept until the task waits for it, also where it does that later.
   */
  async signal(id: string, name: string, payload?: unknown): Promise<number> {
    const body = payload === undefined ? { name } : { name, payload };
    return (await this.#http.call("signal_task", { path: { id }, body })).queued;
  }

  get(id: string): Promise<Task> {
    return this.#http.call("show_task", { path: { id } });
  }

  /** Waits until it has ended, in whichever way. */
  async wait(id: string, signal?: AbortSignal): Promise<Task> {
    for (;;) {
      const query = { wait_ms: 30_000 };
      const options = signal ? { signal } : {};
      const task = await this.#http.call("show_task", { ...options, path: { id }, query, timeout: 60_000 });
      if (["completed", "failed", "cancelled", "timeout"].includes(task.status)) return task;
    }
  }

  /** Changes one that waits; what is left out stays as it is. */
  edit(id: string, body: BodyOf<"edit_task">, options: RequestOptions = {}): Promise<AnswerOf<"edit_task">> {
    return this.#http.call("edit_task", { ...options, path: { id }, body });
  }

  /** Why it is not running. */
  why(id: string): Promise<AnswerOf<"explain_task">> {
    return this.#http.call("explain_task", { path: { id } });
  }

  cancel(id: string): Promise<Task> {
    return this.#http.call("cancel_task", { path: { id } });
  }

  retry(id: string): Promise<Task> {
    return this.#http.call("retry_task", { path: { id } });
  }

  remove(id: string): Promise<AnswerOf<"remove_task">> {
    return this.#http.call("remove_task", { path: { id } });
  }

  /** Newest first, page by page. */
  async *list(query: QueryOf<"list_tasks"> = {}): AsyncGenerator<Task, void, undefined> {
    for await (const page of pages(this.#http, "list_tasks", { query })) yield* page;
  }

  /** Those that wait, in the order of claiming. */
  async *waiting(query: QueryOf<"list_waiting_tasks"> = {}): AsyncGenerator<Task, void, undefined> {
    for await (const page of pages(this.#http, "list_waiting_tasks", { query })) yield* page;
  }

  stats(): Promise<AnswerOf<"count_tasks">> {
    return this.#http.call("count_tasks");
  }

  /** Those that failed for good. */
  async *dead(query: Omit<QueryOf<"list_dead_tasks">, "group"> = {}): AsyncGenerator<Task, void, undefined> {
    for await (const page of pages(this.#http, "list_dead_tasks", { query })) {
      // By what went wrong they come otherwise.
      if (Array.isArray(page)) yield* page;
    }
  }

  redrive(body: BodyOf<"redrive_tasks">): Promise<AnswerOf<"redrive_tasks">> {
    return this.#http.call("redrive_tasks", { body });
  }

  /** Removes tasks that ended more than some days ago. */
  cleanUp(body: BodyOf<"clean_up_tasks"> = {}): Promise<AnswerOf<"clean_up_tasks">> {
    return this.#http.call("clean_up_tasks", { body });
  }
}

/** One try of a task, under the token of its claim. */
export class Claims {
  readonly #http: Transport;

  constructor(http: Transport) {
    this.#http = http;
  }

  claim(body: BodyOf<"claim_tasks">, options: RequestOptions = {}): Promise<AnswerOf<"claim_tasks">> {
    return this.#http.call("claim_tasks", { ...options, body });
  }

  progress(id: string, body: BodyOf<"report_progress">, options: RequestOptions = {}) {
    return this.#http.call("report_progress", { ...options, path: { id }, body });
  }

  complete(id: string, body: BodyOf<"complete_task">, options: RequestOptions = {}): Promise<Task> {
    return this.#http.call("complete_task", { ...options, path: { id }, body });
  }

  fail(id: string, body: BodyOf<"fail_task">, options: RequestOptions = {}): Promise<Task> {
    return this.#http.call("fail_task", { ...options, path: { id }, body });
  }

  /** Shuts a limit; that it cannot be shut keeps nobody from telling the end of the task. */
  async shut({ limit, after }: Busy, claim: { task_id: string; token: string }): Promise<void> {
    const retry_after_ms = Math.min(Math.max(Math.round(after ?? 0), 1), PENALTY_MS_MAX);
    try {
      await this.#http.call("shut_limit", { path: { name: limit }, body: { ...claim, retry_after_ms } });
    } catch (error) {
      if (!(error instanceof Conflict || error instanceof NotFound)) throw error;
    }
  }

  wait(id: string, body: BodyOf<"wait_for">, options: RequestOptions = {}): Promise<AnswerOf<"wait_for">> {
    return this.#http.call("wait_for", { ...options, path: { id }, body });
  }

  takeSignals(id: string, body: BodyOf<"take_signals">, options: RequestOptions = {}) {
    return this.#http.call("take_signals", { ...options, path: { id }, body });
  }
}
