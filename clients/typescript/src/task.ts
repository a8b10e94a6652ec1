import { now } from "./clock.ts";
import { Cancelled, Fenced, ReefError, Reject } from "./errors.ts";
import type { Transport } from "./http.ts";
import type { Lease } from "./lease.ts";
import { Messages } from "./messages.ts";
import { Claims } from "./tasks.ts";
import type { ClaimedTask } from "./types.ts";
import type { MessageWriter, WriterOptions } from "./writer.ts";

/** The header by which a worker writes to its task's message. */
const CLAIM_TOKEN = "X-Claim-Token";

/** What a handler does: what it returns is the result, and what it throws the failure. */
export type Handler = (task: RunningTask) => unknown;

/** One try of a task, for as long as its lease holds. */
export class RunningTask {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly parameters: Record<string, unknown>;
  /** Everything that the hub says of it. */
  readonly claimed: ClaimedTask;
  readonly #http: Transport;
  readonly #lease: Lease;
  readonly #claims: Claims;
  readonly #writers: MessageWriter[] = [];

  constructor(http: Transport, claimed: ClaimedTask, lease: Lease) {
    this.#http = http;
    this.#lease = lease;
    this.#claims = new Claims(http);
    this.claimed = claimed;
    this.id = claimed.task_id;
    this.name = claimed.name;
    this.description = claimed.description;
    this.parameters = claimed.parameters;
  }

  /**
   * Aborted when the task is no longer ours: cancelled, taken away, or its lease over. Hand it to
   * whatever the handler waits for; the outcome is not sent any more.
   */
  get signal(): AbortSignal {
    return this.#lease.signal;
  }

  /** Throws why the task is no longer ours, if it is not. */
  raiseIfCancelled(): void {
    this.#lease.holds();
    this.signal.throwIfAborted();
  }

  /**
   * Says how much is done, 0–1, which renews the lease, too. It never throws: what it learns of the
   * task ends `signal`, and a progress that was not heard does no harm.
   */
  async progress(progress: number): Promise<void> {
    if (!this.#lease.holds()) return;
    const asked = now();
    try {
      const body = { token: this.claimed.token, progress };
      const answer = await this.#claims.progress(this.id, body, {
        signal: this.signal,
        retryFor: 0,
        idempotencyKey: null,
      });
      if (answer.cancelled) this.#lease.end(new Cancelled(`task ${this.id} was cancelled`));
      else this.#lease.renew(asked);
    } catch (error) {
      if (error instanceof Fenced) this.#lease.end(error);
    }
  }

  /** Writes the answer, where the task is a session's. It is sent before the task ends. */
  async message(options: WriterOptions = {}): Promise<MessageWriter> {
    const id = this.claimed.message_id;
    if (id === null) throw new ReefError(`task ${this.id} is no session's: it has no message`);
    const headers = { [CLAIM_TOKEN]: this.claimed.token };
    const writer = await new Messages(this.#http).writer(id, { signal: this.signal, ...options }, headers);
    this.#writers.push(writer);
    return writer;
  }

  /** Waits until what the handler wrote is at the hub, or throws why it is not. */
  async flush(): Promise<void> {
    for (const writer of this.#writers) await writer.flush();
  }

  /**
   * Sends the outcome once: its key and token go with every repeat, and none is sent once the lease
   * is over.
   */
  async settle(outcome: { result: unknown } | { error: unknown }): Promise<void> {
    const options = { retryFor: this.#lease.left };
    const { token } = this.claimed;
    if ("result" in outcome) {
      const { result } = outcome;
      await this.#claims.complete(this.id, result === undefined ? { token } : { token, result }, options);
    } else {
      const { error } = outcome;
      const text = error instanceof ReefError ? error.message : String(error);
      const retryable = !(error instanceof Reject);
      await this.#claims.fail(this.id, { token, error: text, retryable }, options);
    }
  }
}
