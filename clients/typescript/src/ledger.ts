import type { AnswerOf, BodyOf, QueryOf, Transport } from "./http.ts";
import { pages } from "./pages.ts";
import type { Balance, Entry, Hold, Intent, Rest } from "./types.ts";

/** A decimal string with at most 6 places. A number is none: it rounds. */
export type Amount = string;

/**
 * Money. Amounts go in and come out as decimal strings; anything else is a `TypeError`. Each
 * movement is sent under an `Idempotency-Key`, so that its repeats move nothing twice; give one of
 * your own where a restart of your program may repeat it.
 */
export class Ledger {
  readonly #http: Transport;

  constructor(http: Transport) {
    this.#http = http;
  }

  balance(agent: string): Promise<Balance> {
    return this.#http.call("show_balance", { path: { agent } });
  }

  deposit(agent_id: string, amount: Amount, options: Keyed = {}): Promise<AnswerOf<"deposit">> {
    return this.#http.call("deposit", { ...options, body: { agent_id, amount: exact(amount) } });
  }

  withdraw(agent_id: string, amount: Amount, options: Keyed = {}): Promise<AnswerOf<"withdraw">> {
    return this.#http.call("withdraw", { ...options, body: { agent_id, amount: exact(amount) } });
  }

  transfer(
    from_agent: string,
    to_agent: string,
    amount: Amount,
    options: Keyed & { memo?: string } = {},
  ): Promise<AnswerOf<"transfer">> {
    const { memo = null, ...keyed } = options;
    return this.#http.call("transfer", { ...keyed, body: { from_agent, to_agent, amount: exact(amount), memo } });
  }

  /** Reserves money, to be paid or released later. */
  async hold(agent_id: string, amount: Amount, options: Keyed & { expiresInMs?: number } = {}): Promise<Hold> {
    const { expiresInMs: expires_in_ms = null, ...keyed } = options;
    const body = { agent_id, amount: exact(amount), expires_in_ms };
    return (await this.#http.call("place_hold", { ...keyed, body })).hold;
  }

  /** Pays a hold, all or a part of it; the rest is released. */
  async post(id: string, to_agent: string, amount?: Amount, options: Keyed = {}): Promise<Hold> {
    const body = amount === undefined ? { to_agent } : { to_agent, amount: exact(amount) };
    return (await this.#http.call("post_hold", { ...options, path: { id }, body })).hold;
  }

  async void(id: string, options: Keyed = {}): Promise<Hold> {
    return (await this.#http.call("void_hold", { ...options, path: { id } })).hold;
  }

  getHold(id: string): Promise<Hold> {
    return this.#http.call("show_hold", { path: { id } });
  }

  async *holds(query: QueryOf<"list_holds">): AsyncGenerator<Hold, void, undefined> {
    for await (const page of pages(this.#http, "list_holds", { query })) yield* page.holds;
  }

  /** The journal, newest first. */
  async *entries(query: QueryOf<"list_entries"> = {}): AsyncGenerator<Entry, void, undefined> {
    for await (const page of pages(this.#http, "list_entries", { query })) yield* page.entries;
  }

  /** Says that an agent wants to trade; the margin is reserved. */
  submitIntent(
    body: Rest<BodyOf<"submit_intent">, "size" | "max_slippage"> & { size: Amount; max_slippage?: Amount },
    options: Keyed = {},
  ): Promise<AnswerOf<"submit_intent">> {
    const { size, max_slippage, ...rest } = body;
    const slippage = max_slippage === undefined ? {} : { max_slippage: exact(max_slippage) };
    return this.#http.call("submit_intent", { ...options, body: { ...rest, ...slippage, size: exact(size) } });
  }

  getIntent(id: string): Promise<Intent> {
    return this.#http.call("show_intent", { path: { id } });
  }

  async *intents(query: QueryOf<"list_intents"> = {}): AsyncGenerator<Intent, void, undefined> {
    for await (const page of pages(this.#http, "list_intents", { query })) yield* page.intents;
  }

  cancelIntent(id: string): Promise<AnswerOf<"cancel_intent">> {
    return this.#http.call("cancel_intent", { path: { id } });
  }

  matchIntents(id: string, other: string, price: Amount, options: Keyed = {}): Promise<AnswerOf<"match_intents">> {
    return this.#http.call("match_intents", {
      ...options,
      path: { id },
      body: { with: other, price: exact(price) },
    });
  }

  positions(agent: string, query: QueryOf<"list_positions"> = {}): Promise<AnswerOf<"list_positions">> {
    return this.#http.call("list_positions", { path: { id: agent }, query });
  }

  closePosition(id: string, price?: Amount, options: Keyed = {}): Promise<AnswerOf<"close_position">> {
    const body = price === undefined ? {} : { price: exact(price) };
    return this.#http.call("close_position", { ...options, path: { id }, body });
  }

  markPosition(id: string, price: Amount, options: Keyed = {}): Promise<AnswerOf<"mark_position">> {
    return this.#http.call("mark_position", { ...options, path: { id }, body: { price: exact(price) } });
  }
}

export interface Keyed {
  idempotencyKey?: string;
}

function exact(amount: Amount): Amount {
  if (typeof amount !== "string") {
    throw new TypeError(`an amount is a decimal string such as "12.5", and no ${typeof amount}`);
  }
  return amount;
}
