import { now } from "./clock.ts";
import { Busy, Cancelled, Fenced, ReefError, Reject, Retry, Snooze, Waiting } from "./errors.ts";
import type { AnswerOf, BodyOf, Transport } from "./http.ts";
import type { Lease } from "./lease.ts";
import { Messages } from "./messages.ts";
import { type Awaited, type Came, Family, Replay } from "./replay.ts";
import { Claims } from "./tasks.ts";
import type { ClaimedTask, NewTask, Signal, Task } from "./types.ts";
import { type ModelCall, type UsageReport, Used } from "./usage.ts";
import type { MessageWriter, WriterOptions } from "./writer.ts";

/** The header by which a worker writes to its task's message. */
const CLAIM_TOKEN = "X-Claim-Token";

/** What a handler does: what it returns is the result, and what it throws the failure. */
export type Handler = (task: RunningTask) => unknown;

type BudgetLeft = NonNullable<AnswerOf<"report_progress">["budget"]>;
type WaitBody = Partial<BodyOf<"wait_for">>;

/** What is asked, besides the question. Left out, `options` are `approve` and `reject`. */
export type ApprovalOptions = Pick<
  WaitBody,
  "details" | "options" | "assignees" | "approvals" | "by_other" | "expires_in_ms" | "on_expire"
>;

/** What was decided. */
export interface Decision {
  /** One of the options. */
  decision: string;
  /** Whether that is `approve`. */
  approved: boolean;
  /** What the task is told besides, such as what was approved after all. */
  value: unknown;
  by: string | null;
  comment: string | null;
  /** Nobody has answered in time: it is what was said to be done then. */
  expired: boolean;
}

/** A signal that was waited for. */
export interface Signalled {
  value: unknown;
  /** It has not come in time. */
  expired: boolean;
}

/** How what was waited for has ended. */
export interface Ends {
  /** The status of each task and group by its id; null for one that has not ended. */
  statuses: Record<string, string | null>;
  /** They have not ended in time. */
  expired: boolean;
}

/**
 * One try of a task, for as long as its lease holds.
 *
 * Its handler may wait: `approval`, `waitForSignal`, `sleep`, `children`, `waitFor`. The claim is
 * given up meanwhile, and the handler left by `Waiting`; once what it waits for has come, the task
 * is claimed again, by whichever node, and the handler runs again from its start. Its waits so far
 * then return at once what they returned before, so it must come to them in the same order, and
 * what it does before a wait it does again: that has to be harmless, or to be kept by `save`.
 */
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
  readonly #replay: Replay;
  readonly #used = new Used();
  #amount: string | undefined;
  #budget: BudgetLeft | null = null;
  #isWaiting = false;

  constructor(http: Transport, claimed: ClaimedTask, lease: Lease) {
    this.#http = http;
    this.#lease = lease;
    this.#claims = new Claims(http);
    this.claimed = claimed;
    this.id = claimed.task_id;
    this.name = claimed.name;
    this.description = claimed.description;
    this.parameters = claimed.parameters;
    this.#replay = new Replay(claimed);
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
    await this.#report({ progress });
  }

  /**
   * Adds what a call of a model has used, and reports it. Where a budget is used up, `signal` ends: the task
   * was cancelled, or it waits until somebody lets it go on, and begins again then, with what `save` has kept.
   * Like `progress` it never throws; what was not heard is told with the next report, or the end.
   */
  async used(call: ModelCall): Promise<void> {
    this.#used.add(call);
    await this.#report({});
  }

  /** Says what its completion costs whoever pays for it, if less than its `charge`: such as `"1.50"`. */
  costs(amount: string): void {
    this.#amount = amount;
  }

  /** What is left of its budgets, as the hub has said it last; null before that, or without any. */
  get budget(): BudgetLeft | null {
    return this.#budget;
  }

  #usage(): { usage?: UsageReport[] } {
    const usage = this.#used.reports;
    return usage.length === 0 ? {} : { usage };
  }

  async #report(told: { progress?: number }): Promise<void> {
    if (!this.#lease.holds()) return;
    const asked = now();
    try {
      const kept = this.#replay.kept;
      const checkpoint = kept === undefined ? {} : { checkpoint: kept };
      const body = { token: this.claimed.token, ...told, ...this.#usage(), ...checkpoint };
      const answer = await this.#claims.progress(this.id, body, {
        signal: this.signal,
        retryFor: 0,
        idempotencyKey: null,
      });
      this.#budget = answer.budget ?? this.#budget;
      if (answer.wait_id) this.#lease.end(new Waiting(`task ${this.id} waits, since a budget is used up`));
      else if (answer.cancelled) this.#lease.end(new Cancelled(`task ${this.id} was cancelled`));
      else this.#lease.renew(asked);
    } catch (error) {
      if (error instanceof Fenced && !this.#isWaiting) this.#lease.end(error);
    }
  }

  /** Whether the hub is being asked to let it wait. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** What `save` was given last, also by an earlier claim; null before that. */
  get checkpoint(): unknown {
    return this.#replay.state;
  }

  /**
   * Keeps a value for the claims after this one: any JSON, 256 KiB with what has come. It is sent
   * with the next report (`progress`, `used`) or wait, and is lost where the process dies before that.
   */
  save(state: unknown): void {
    this.#replay.state = state;
  }

  /** What has come last that it waited for, as the hub says it. */
  get resume(): Came | null {
    return (this.claimed.resume as Came | undefined) ?? null;
  }

  /**
   * What it follows, and how that ended: `task_id` or `group_id`, `status`, and `result`; or `ref`,
   * where to get it, if the results are large together.
   */
  get inputs(): { task_id?: string; group_id?: string; status: string; result?: unknown; ref?: string }[] {
    return (this.claimed.inputs as RunningTask["inputs"] | undefined) ?? [];
  }

  /** What was decided before it was given out, if its submission asked for that. */
  get decision(): Decision | null {
    const { first } = this.#replay;
    return first?.kind === "approval" ? decisionOf(first) : null;
  }

  /**
   * Waits until somebody has decided: the task's owner, or one of the `assignees`. After
   * `expires_in_ms` nobody is asked any more, and it is as `on_expire` says.
   */
  async approval(question: string, options: ApprovalOptions = {}): Promise<Decision> {
    return decisionOf(await this.#wait({ kind: "approval" }, { ...options, question }));
  }

  /** Waits for a signal of this name; one that was sent before is not lost. */
  async waitForSignal(name: string, options: Pick<WaitBody, "expires_in_ms"> = {}): Promise<Signalled> {
    const came = await this.#wait({ kind: "signal", name }, { ...options, name });
    return { value: came.value ?? null, expired: came.expired ?? false };
  }

  /** Waits for a time, at most 30 days, without holding a place on this node. */
  async sleep(seconds: number): Promise<void> {
    await this.#wait({ kind: "sleep" }, { for_ms: Math.max(Math.round(seconds * 1000), 1) });
  }

  /**
   * Waits for other tasks of the same owner (`task_ids`, at most 100), or for a group. `until` is
   * `ended` (left out: all of them have), `completed` (all have, or one has ended otherwise), or `any`.
   */
  async waitFor(what: Pick<WaitBody, "task_ids" | "group_id" | "until" | "expires_in_ms">): Promise<Ends> {
    const came = await this.#wait({ kind: "tasks", name: "" }, what);
    const statuses = (came.tasks ?? []).map(({ task_id, group_id, status }) => [task_id ?? group_id, status]);
    return { statuses: Object.fromEntries(statuses), expired: came.expired ?? false };
  }

  /**
   * Submits tasks and waits for them: how they have ended, in their order. They belong to this task,
   * so the key must be that of its owner, and are submitted once, whatever happens to this process.
   * With `until` or `expires_in_ms` some may not have ended. What has ended must be kept
   * (`keep_completed_ms`) for as long as this task needs it.
   */
  async children(tasks: NewTask[], options: Pick<WaitBody, "until" | "expires_in_ms"> = {}): Promise<Task[]> {
    if (tasks.length === 0) return [];
    const family = new Family(this.#http, { task_id: this.id, token: this.claimed.token });
    const wait: Awaited = { kind: "tasks", name: "children" };
    let came = this.#came(wait);
    if (came === undefined) {
      const group_id = await family.submit(tasks, this.#replay.place, this.signal);
      came = await this.#begin({ ...wait, group_id }, { ...options, group_id });
    }
    return family.tasks(came.group_id ?? "");
  }

  /**
   * Takes the signals that it has got so far, or those of a name, without waiting. What is taken is
   * gone: a handler that runs again does not get it again.
   */
  async signals(name?: string): Promise<Signal[]> {
    const { token } = this.claimed;
    const body = name === undefined ? { token } : { token, name };
    return (await this.#claims.takeSignals(this.id, body, { signal: this.signal })).signals;
  }

  async #wait(wait: Awaited, body: WaitBody): Promise<Came> {
    return this.#came(wait) ?? this.#begin(wait, body);
  }

  #came(wait: Awaited): Came | undefined {
    if (this.#isWaiting) throw new ReefError(`task ${this.id} waits for one thing at a time`);
    this.raiseIfCancelled();
    return this.#replay.next(wait);
  }

  /** What has come already; else the claim is given up, and the handler left. */
  async #begin(wait: Awaited, rest: WaitBody): Promise<Came> {
    this.#isWaiting = true;
    try {
      await this.flush();
      const { token } = this.claimed;
      const checkpoint = this.#replay.checkpoint(wait);
      const body = { ...rest, token, kind: wait.kind, checkpoint, ...this.#usage() };
      const options = { signal: this.signal, retryFor: this.#lease.left };
      const { ready, resume } = await this.#claims.wait(this.id, body, options);
      if (ready) return this.#replay.came(wait, resume as Came);
      this.#lease.end(new Waiting(`task ${this.id} waits`));
    } finally {
      this.#isWaiting = false;
    }
    throw this.signal.reason;
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
      const amount = this.#amount === undefined ? {} : { amount: this.#amount };
      const body = result === undefined ? { token } : { token, result };
      await this.#claims.complete(this.id, { ...body, ...amount, ...this.#usage() }, options);
    } else {
      const { error } = outcome;
      const text = error instanceof ReefError ? error.message : String(error);
      const retryable = !(error instanceof Reject);
      const again =
        error instanceof Retry && error.after !== undefined
          ? { retry_in_ms: Math.max(Math.round(error.after), 0) }
          : {};
      if (error instanceof Busy) await this.#claims.shut(error, { task_id: this.id, token });
      const snooze = error instanceof Snooze ? { snooze: true } : {};
      const body = { token, error: text, retryable, ...again, ...snooze, ...this.#usage() };
      await this.#claims.fail(this.id, body, options);
    }
  }
}

function decisionOf({ decision = "reject", value, by, comment, expired }: Came): Decision {
  const approved = decision === "approve";
  return {
    decision,
    approved,
    value: value ?? null,
    by: by ?? null,
    comment: comment ?? null,
    expired: expired ?? false,
  };
}
