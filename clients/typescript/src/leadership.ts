import { now, pause } from "./clock.ts";
import { Fenced, HubError, LeaseOver, ReefError, Unreachable } from "./errors.ts";
import type { Transport } from "./http.ts";
import { Lease } from "./lease.ts";
import type { NodeHandle } from "./node-handle.ts";

export interface LeadershipOptions {
  /** How long the lead holds unless renewed, in seconds. It is renewed by itself. */
  ttl?: number;
  /** Ends the wait for it. */
  signal?: AbortSignal;
}

/** The lead of the cluster, for as long as it is this node's. */
export class Leadership {
  /** The fencing token: grows with every change of leader. */
  readonly term: number;
  readonly #http: Transport;
  readonly #node: NodeHandle;
  readonly #lease: Lease;
  readonly #done = new AbortController();

  private constructor(http: Transport, node: NodeHandle, term: number, lease: Lease) {
    this.#http = http;
    this.#node = node;
    this.term = term;
    this.#lease = lease;
    node.signal.addEventListener("abort", () => lease.end(node.signal.reason), { once: true });
    void this.#renew();
  }

  /** Campaigns until this node leads, and those before it know that they lead no longer. */
  static async win(http: Transport, node: NodeHandle, options: LeadershipOptions = {}): Promise<Leadership> {
    const ttl = (options.ttl ?? 30) * 1000;
    for (;;) {
      options.signal?.throwIfAborted();
      node.signal.throwIfAborted();
      const asked = now();
      const answer = await campaign(http, node, ttl).catch((error: unknown) => {
        if (!mayPass(error)) throw error;
        return undefined;
      });
      if (answer?.is_leader) {
        const lead = new Leadership(http, node, answer.term, new Lease("the lead", asked, answer.ttl_ms));
        await pause(answer.former_ttl_ms ?? 0, options.signal);
        if (options.signal?.aborted) await lead.resign();
        options.signal?.throwIfAborted();
        return lead;
      }
      // Whoever leads renews it each third of its time; soon after the rest of it we know more.
      await pause(Math.min(answer?.ttl_ms ?? 1000, ttl / 3, 5000) + 10, options.signal);
    }
  }

  /** Aborted when it is lost: what is done in its name must stop. */
  get signal(): AbortSignal {
    return this.#lease.signal;
  }

  /** Whether it still holds, by the clocks. Ask before what must not be done by two. */
  holds(): boolean {
    return this.#lease.holds();
  }

  /** Does something as the leader, and resigns afterwards. */
  async run<T>(work: (lead: this) => T | Promise<T>): Promise<T> {
    try {
      return await work(this);
    } finally {
      await this.resign();
    }
  }

  /** Lets another lead at once. */
  async resign(): Promise<void> {
    if (this.#done.signal.aborted) return;
    this.#done.abort();
    const heldIt = this.#lease.holds();
    this.#lease.end(new ReefError("resigned"));
    if (!heldIt) return;
    const body = { node_id: this.#node.id, term: this.term };
    await this.#http.call("resign", { body, retryFor: 5000 }).catch((error: unknown) => {
      // Lost meanwhile, or lost by itself soon.
      if (!(error instanceof Fenced || mayPass(error))) throw error;
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.resign();
  }

  async #renew(): Promise<void> {
    while (!this.#done.signal.aborted && this.#lease.holds()) {
      await pause(Math.max(this.#lease.renewIn, this.#lease.ms / 20), this.#done.signal);
      if (this.#done.signal.aborted || !this.#lease.holds()) return;
      const asked = now();
      try {
        const answer = await campaign(this.#http, this.#node, this.#lease.ms);
        if (this.#done.signal.aborted) return;
        if (answer.is_leader && answer.term === this.term) this.#lease.renew(asked);
        else this.#lease.end(new LeaseOver(`the lead of term ${this.term} was lost`));
      } catch (error) {
        if (!mayPass(error)) this.#lease.end(error as Error);
      }
    }
  }
}

function campaign(http: Transport, node: NodeHandle, ttl_ms: number) {
  const body = { node_id: node.id, ttl_ms, incarnation: node.incarnation };
  return http.call("campaign", { body, retryFor: 0, idempotencyKey: null, timeout: Math.min(ttl_ms / 3, 10_000) });
}

function mayPass(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof HubError && (error.status >= 500 || error.status === 429));
}
