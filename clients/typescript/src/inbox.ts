import { now, pause } from "./clock.ts";
import { LeaseOver } from "./errors.ts";
import type { AnswerOf, BodyOf, QueryOf, Transport } from "./http.ts";
import { Lease } from "./lease.ts";
import type { Mail, Rest } from "./types.ts";

export interface ListenOptions {
  /** How long a mail is ours before it comes back, in seconds. */
  lease?: number;
  /** Most mails that are taken at once. */
  limit?: number;
  /** How long to wait before an empty inbox is looked at again, in milliseconds. */
  pollMs?: number;
  signal?: AbortSignal;
}

/** An agent's inbox. */
export class Inbox {
  readonly agent: string;
  readonly #http: Transport;

  constructor(http: Transport, agent: string) {
    this.#http = http;
    this.agent = agent;
  }

  send(
    from: string,
    content: BodyOf<"send_mail">["content"],
    body: Rest<BodyOf<"send_mail">, "from" | "content"> = {},
  ): Promise<AnswerOf<"send_mail">> {
    return this.#http.call("send_mail", { path: { agent: this.agent }, body: { ...body, from, content } });
  }

  /** What waits, without taking it. */
  look(query: QueryOf<"look_at_mail"> = {}): Promise<AnswerOf<"look_at_mail">> {
    return this.#http.call("look_at_mail", { path: { agent: this.agent }, query });
  }

  /** Takes mail, once. What is not acknowledged in time comes back. */
  async receive(body: BodyOf<"receive_mail"> = {}, signal?: AbortSignal): Promise<ReceivedMail[]> {
    const asked = now();
    const path = { agent: this.agent };
    const answer = await this.#http.call("receive_mail", signal ? { path, body, signal } : { path, body });
    return answer.messages.map(
      (mail) => new ReceivedMail(this.#http, this.agent, mail, new Lease("the mail", asked, body.lease_ms ?? 30_000)),
    );
  }

  /**
   * Mail as it comes, until the signal ends it. Each must be acknowledged; `handle` does that.
   */
  async *listen(options: ListenOptions = {}): AsyncGenerator<ReceivedMail, void, undefined> {
    const { lease = 30, limit = 1, pollMs = 1000, signal } = options;
    while (!signal?.aborted) {
      let mails: ReceivedMail[];
      try {
        mails = await this.receive({ lease_ms: lease * 1000, limit }, signal);
      } catch (error) {
        if (signal?.aborted) return;
        throw error;
      }
      for (const mail of mails) {
        // One that waited behind a slow one comes back by itself.
        if (mail.isOurs()) yield mail;
      }
      if (mails.length === 0) await pause(pollMs, signal);
    }
  }

  /**
   * Runs a handler for each mail, one after the other: acknowledged when it returns; when it
   * throws, left for another try, and `onError` is told.
   */
  async handle(
    handler: (mail: ReceivedMail) => unknown,
    options: ListenOptions & { onError?: (error: unknown, mail: ReceivedMail) => void } = {},
  ): Promise<void> {
    for await (const mail of this.listen(options)) {
      try {
        await handler(mail);
        await mail.ack();
      } catch (error) {
        options.onError?.(error, mail);
      }
    }
  }

  /** Accepts a proposal: acknowledges it, answers the proposer and queues its sub-tasks, once. */
  accept(msg_id: string, body: BodyOf<"accept_proposal"> = {}): Promise<AnswerOf<"accept_proposal">> {
    return this.#http.call("accept_proposal", { path: { agent: this.agent, msg_id }, body });
  }

  /** What was tried too often. */
  async dead(query: QueryOf<"list_dead_mail"> = {}): Promise<AnswerOf<"list_dead_mail">> {
    return this.#http.call("list_dead_mail", { path: { agent: this.agent }, query });
  }

  redrive(body: BodyOf<"redrive_mail"> = {}): Promise<AnswerOf<"redrive_mail">> {
    return this.#http.call("redrive_mail", { path: { agent: this.agent }, body });
  }
}

/** A mail that is ours for a while. */
export class ReceivedMail {
  readonly id: string;
  readonly from: string;
  readonly topic: string;
  readonly content: unknown;
  /** Everything that the hub says of it. */
  readonly mail: Mail;
  readonly #http: Transport;
  readonly #agent: string;
  readonly #receipt: string | undefined;
  readonly #lease: Lease;

  constructor(http: Transport, agent: string, mail: Mail & { receipt?: string }, lease: Lease) {
    this.#http = http;
    this.#agent = agent;
    this.#receipt = mail.receipt;
    this.#lease = lease;
    // It is looked at, not waited for.
    lease.settle();
    this.id = mail.msg_id;
    this.from = mail.from;
    this.topic = mail.topic;
    this.content = mail.content;
    this.mail = mail;
  }

  /** Whether its lease still holds, by the clocks. */
  isOurs(): boolean {
    return this.#lease.holds();
  }

  /** Done with it: it does not come again. Throws `LeaseOver` where it will, or did. */
  async ack(): Promise<void> {
    if (this.#receipt === undefined) return;
    const body = { receipts: [this.#receipt] };
    const { acknowledged } = await this.#http.call("acknowledge_mail", { path: { agent: this.#agent }, body });
    if (acknowledged === 0) throw new LeaseOver(`mail ${this.id} was acknowledged too late: it comes again`);
  }
}
