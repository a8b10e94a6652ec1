import type { AnswerOf, BodyOf, QueryOf, RequestOptions, Transport } from "./http.ts";
import { pages } from "./pages.ts";

type Limit = AnswerOf<"set_limit">;
type Standing = AnswerOf<"show_limit">;
type Queue = AnswerOf<"show_queue">;

/** How many tasks run at once, or begin within a time, for what they share; and pauses. */
export class Limits {
  readonly #http: Transport;

  constructor(http: Transport) {
    this.#http = http;
  }

  /** All, newest first, page by page. */
  async *list(query: QueryOf<"list_limits"> = {}): AsyncGenerator<Limit, void, undefined> {
    for await (const page of pages(this.#http, "list_limits", { query })) yield* page;
  }

  /** One, and how it stands for a key: how many run, what keeps it shut, until when. */
  get(name: string, query: QueryOf<"show_limit"> = {}): Promise<Standing> {
    return this.#http.call("show_limit", { path: { name }, query });
  }

  /** Makes it, or replaces it whole; what runs goes on. The admin's. */
  set(name: string, body: BodyOf<"set_limit">, options: RequestOptions = {}): Promise<Limit> {
    return this.#http.call("set_limit", { ...options, path: { name }, body });
  }

  /** What was under it is under none. The admin's. */
  async remove(name: string): Promise<void> {
    await this.#http.call("remove_limit", { path: { name } });
  }

  /**
   * Lets nothing begin under a key for a time: the admin names the key, whoever runs a task that was refused
   * names that and its token. A handler throws `Busy` instead.
   */
  shut(name: string, body: BodyOf<"shut_limit">): Promise<AnswerOf<"shut_limit">> {
    return this.#http.call("shut_limit", { path: { name }, body });
  }

  /** Weights of keys of fairness, in place of those that tasks bring. */
  async weights(): Promise<Record<string, number>> {
    return (await this.#http.call("show_fairness", {})).weights;
  }

  /** Sets all of them. The admin's. */
  async setWeights(weights: Record<string, number>): Promise<void> {
    await this.#http.call("set_fairness", { body: { weights } });
  }

  /** What of the queue is kept back. */
  queue(): Promise<Queue> {
    return this.#http.call("show_queue", {});
  }

  /** Lets no task begin; with `skills` none that requires one of them, with `types` none of these. The admin's. */
  pause({
    skills = [],
    types = [],
  }: {
    skills?: string[];
    types?: NonNullable<BodyOf<"pause_queue">["paused_types"]>;
  } = {}): Promise<Queue> {
    const all = skills.length === 0 && types.length === 0;
    return this.#http.call("pause_queue", { body: { paused: all, paused_skills: skills, paused_types: types } });
  }

  /** Lets all tasks begin. The admin's. */
  resume(): Promise<Queue> {
    return this.#http.call("pause_queue", { body: {} });
  }
}
