import type { AnswerOf, BodyOf, QueryOf, RequestOptions, Transport } from "./http.ts";
import { pages } from "./pages.ts";

type Budget = AnswerOf<"set_budget">;
type Price = AnswerOf<"set_price">;

/** Whose tasks a budget is for. */
export type BudgetScope = "owner" | "user" | "group";

/** What was used of a model, in the words of the contract. */
export type UsageReport = NonNullable<NonNullable<BodyOf<"report_progress">["usage"]>>[number];

/** What one call of a model has used: `cost` is an amount, such as `"0.02"`. */
export type ModelCall = Omit<UsageReport, "cost"> & { cost?: string };

/** What the try of a task has used so far, model by model. */
export class Used {
  readonly #models = new Map<string, UsageReport>();

  /** Adds what one call has used. */
  add(call: ModelCall): void {
    const key = `${call.provider ?? ""}/${call.model}`;
    const so = this.#models.get(key) ?? { provider: call.provider ?? null, model: call.model };
    for (const name of ["input", "output", "cached", "reasoning"] as const) {
      so[name] = (so[name] ?? 0) + (call[name] ?? 0);
    }
    so.requests = (so.requests ?? 0) + (call.requests ?? 1);
    if (call.cost !== undefined) so.cost = written(micros(so.cost ?? "0") + micros(call.cost));
    this.#models.set(key, so);
  }

  /** As it is reported: sums. */
  get reports(): UsageReport[] {
    return [...this.#models.values()];
  }
}

/** An amount in millionths, to the letter. */
function micros(amount: string): bigint {
  const parts = /^(\d+)(?:\.(\d{1,6}))?$/.exec(amount);
  if (parts === null) throw new TypeError(`${amount} is no amount such as "0.25"`);
  return BigInt(parts[1] ?? "0") * 1_000_000n + BigInt((parts[2] ?? "").padEnd(6, "0"));
}

function written(amount: bigint): string {
  const places = (amount % 1_000_000n).toString().padStart(6, "0").replace(/0+$/, "");
  return `${amount / 1_000_000n}${places && `.${places}`}`;
}

/** What tasks have used and cost. */
export class Usage {
  readonly #http: Transport;

  constructor(http: Transport) {
    this.#http = http;
  }

  /** Day by day in UTC, at most 31, `by` model (left out), owner, user, node or group. */
  show(query: QueryOf<"show_usage"> = {}): Promise<AnswerOf<"show_usage">> {
    return this.#http.call("show_usage", { query });
  }
}

/** What the tasks of an agent, for a user, or of a group may use together. */
export class Budgets {
  readonly #http: Transport;

  constructor(http: Transport) {
    this.#http = http;
  }

  /** All, newest first, page by page. */
  async *list(query: QueryOf<"list_budgets"> = {}): AsyncGenerator<Budget, void, undefined> {
    for await (const page of pages(this.#http, "list_budgets", { query })) yield* page;
  }

  /** One, and how much of it is used. */
  get(scope: BudgetScope, id: string, query: QueryOf<"show_budget"> = {}): Promise<Budget> {
    return this.#http.call("show_budget", { path: { scope, id }, query });
  }

  /** Makes it, or replaces it whole; what is used of it stays used. An owner's is the admin's. */
  set(scope: BudgetScope, id: string, body: BodyOf<"set_budget">, options: RequestOptions = {}): Promise<Budget> {
    return this.#http.call("set_budget", { ...options, path: { scope, id }, body });
  }

  /** What it was for may use as much as it likes. */
  async remove(scope: BudgetScope, id: string, query: QueryOf<"remove_budget"> = {}): Promise<void> {
    await this.#http.call("remove_budget", { path: { scope, id }, query });
  }
}

/** What a million tokens of a model cost, for tasks that report no cost. */
export class Prices {
  readonly #http: Transport;

  constructor(http: Transport) {
    this.#http = http;
  }

  /** All, by name. */
  list(): Promise<Price[]> {
    return this.#http.call("list_prices", {});
  }

  /** The price of a model, or of `provider/model`, which comes first. The admin's. */
  set(model: string, body: BodyOf<"set_price">, options: RequestOptions = {}): Promise<Price> {
    return this.#http.call("set_price", { ...options, path: { model }, body });
  }

  /** It costs nothing, unless whoever uses it says what. The admin's. */
  async remove(model: string): Promise<void> {
    await this.#http.call("remove_price", { path: { model } });
  }
}
