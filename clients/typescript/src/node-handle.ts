import { type Moment, now, pause, since } from "./clock.ts";
import {
  Cancelled,
  Fenced,
  HubError,
  LeaseOver,
  NotFound,
  ReefError,
  UnexpectedAnswer,
  Unreachable,
  Waiting,
} from "./errors.ts";
import type { BodyOf, Transport } from "./http.ts";
import { Lease } from "./lease.ts";
import { type Handler, RunningTask } from "./task.ts";
import { Claims } from "./tasks.ts";
import type { Rest } from "./types.ts";

type Registration = BodyOf<"register_node">;

export interface NodeOptions {
  skills: string[];
  /** How many tasks it runs at once, 1–100. */
  capacity?: number;
  tags?: string[];
  /** Left out, the name is the host's, too: a node is known by its host's name. */
  hostname?: string;
  platform?: Registration["platform"];
  arch?: Registration["arch"];
  /** Further fields of the registration. */
  registration?: Rest<Registration, "hostname" | "platform" | "arch" | "available_skills">;
  /** The machine's figures, asked for before each heartbeat. */
  metrics?: () => Pick<BodyOf<"send_heartbeat">, "cpu_usage" | "memory_usage" | "disk_usage">;
  /** What went wrong and harms nobody, such as an outcome that came too late; else `console.warn`. */
  onError?: (error: unknown, task?: RunningTask) => void;
}

export interface TaskOptions {
  /** Only tasks of this name; left out, all that no other handler has the name of. */
  name?: string;
  /** How long a claim holds unless renewed, in seconds. The node renews it by itself. */
  lease?: number;
}

interface Held {
  task: RunningTask;
  lease: Lease;
  /** Its outcome is on the way: what heartbeats say of it no longer counts. */
  isSettling: boolean;
}

const DEFAULT_LEASE_SECONDS = 30;
const LONGEST_WAIT_MS = 30_000;
const BEAT_TIMEOUT_MS = 10_000;
/** Between heartbeats that fail. */
const BEAT_AGAIN_MS = 500;

/** A registered node: heartbeats, leases and the tasks that it runs. */
export class NodeHandle {
  readonly id: string;
  readonly #http: Transport;
  readonly #claims: Claims;
  readonly #options: NodeOptions;
  readonly #capacity: number;
  readonly #handlers = new Map<string | undefined, Handler>();
  readonly #held = new Map<string, Held>();
  readonly #drained: (() => void)[] = [];
  readonly #gone = new AbortController();
  #leaseMs = Number.POSITIVE_INFINITY;
  #running = 0;
  #incarnation: number;
  #beats: Promise<void>;
  #nextBeat: { from: Moment; ms: number } = { from: now(), ms: 0 };
  #wake = () => {};
  #freed = () => {};
  #leader: string | null = null;
  #term = 0;
  #isDraining = false;
  #inbox = 0;

  private constructor(http: Transport, id: string, incarnation: number, options: NodeOptions) {
    this.#http = http;
    this.#claims = new Claims(http);
    this.id = id;
    this.#incarnation = incarnation;
    this.#options = options;
    this.#capacity = options.capacity ?? 5;
    this.#beats = this.#beatOn();
  }

  /** Registers a node and begins its heartbeats. `close` ends them. */
  static async register(http: Transport, name: string, options: NodeOptions): Promise<NodeHandle> {
    const { node_id, node_info } = await register(http, name, options);
    return new NodeHandle(http, node_id, node_info.incarnation, options);
  }

  /** Grows with every registration: the node's fencing token. */
  get incarnation(): number {
    return this.#incarnation;
  }

  /** Who led at the last heartbeat, and in which term. */
  get leader(): string | null {
    return this.#leader;
  }

  get term(): number {
    return this.#term;
  }

  /** How many mails waited at the last heartbeat. */
  get inboxDepth(): number {
    return this.#inbox;
  }

  /** Whether the node shall take no further work. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** How many handlers run. */
  get running(): number {
    return this.#running;
  }

  /** Aborted when the node is closed, or another process has taken its name. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** Called when the node is put into maintenance. */
  onDrain(callback: () => void): void {
    this.#drained.push(callback);
  }

  /** Says what is done for tasks; `run` then takes them. */
  task(handler: Handler): void;
  task(options: TaskOptions, handler: Handler): void;
  task(first: TaskOptions | Handler, second?: Handler): void {
    const [options, handler] = typeof first === "function" ? [{}, first] : [first, second];
    if (handler === undefined) throw new TypeError("a task needs a handler");
    if (this.#handlers.has(options.name)) {
      throw new ReefError(`there is a handler for ${options.name ?? "all tasks"} already`);
    }
    this.#handlers.set(options.name, handler);
    // A claim takes whichever comes: the shortest lease is good for all.
    this.#leaseMs = Math.min(this.#leaseMs, (options.lease ?? DEFAULT_LEASE_SECONDS) * 1000);
  }

  /**
   * Takes tasks and runs them until the signal ends it or the node is closed; what runs by then has
   * `drain` seconds (30) to finish, and `close` gives the rest back. Throws `Fenced` when another
   * process has registered under its name.
   */
  async run(options: { signal?: AbortSignal; drain?: number } = {}): Promise<void> {
    if (this.#handlers.size === 0) throw new ReefError("nothing to run: say with node.task what is done");
    const stop = new AbortController();
    const end = () => stop.abort();
    for (const signal of [options.signal, this.signal]) {
      if (signal?.aborted) end();
      signal?.addEventListener("abort", end, { once: true });
    }
    try {
      while (!stop.signal.aborted) await this.#take(stop.signal);
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), (options.drain ?? 30) * 1000);
      while (this.#running > 0 && !late.signal.aborted) await this.#slot(late.signal);
      clearTimeout(timer);
    } finally {
      options.signal?.removeEventListener("abort", end);
      this.signal.removeEventListener("abort", end);
    }
    if (this.signal.reason instanceof HubError) throw this.signal.reason;
  }

  /** Signs off. Handlers that still run are told by their signals; their tasks go back at once. */
  async close(): Promise<void> {
    if (!this.signal.aborted) {
      this.#gone.abort(new ReefError(`node ${this.id} was closed`));
      this.#wake();
      await this.#beats;
      this.#letGo(this.signal.reason);
      await this.#http
        .call("shut_down_node", { path: { id: this.id }, retryFor: 5000 })
        .catch((error) => this.#tell(error));
    }
    await this.#beats;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #take(stop: AbortSignal): Promise<void> {
    const free = this.#capacity - this.#running;
    if (free <= 0) return this.#slot(stop);
    if (this.#isDraining) return pause(1000, stop);
    const asked = now();
    const lease_ms = this.#leaseMs;
    // The lease counts from before the request, so a long wait would use it up.
    const wait_ms = Math.floor(Math.min(LONGEST_WAIT_MS, lease_ms / 3));
    const body = { node_id: this.id, limit: free, lease_ms, wait_ms };
    // Repeated under its key, a claim whose answer was lost is answered again.
    const options = { signal: stop, retryFor: lease_ms / 3, timeout: wait_ms + 15_000 };
    try {
      const { tasks } = await this.#claims.claim(body, options);
      for (const task of tasks) void this.#handle(new Lease(`task ${task.task_id}`, asked, lease_ms), task);
      // An answer without one that comes early, as of a hub that does not wait.
      if (tasks.length === 0 && since(asked) < wait_ms / 2) await pause(Math.min(1000, wait_ms), stop);
    } catch (error) {
      if (stop.aborted) return;
      // Forgotten: the next heartbeat registers it anew.
      if (error instanceof NotFound) this.#beatNow();
      else if (!passes(error)) throw error;
      await pause(500, stop);
    }
  }

  async #handle(lease: Lease, claimed: ConstructorParameters<typeof RunningTask>[1]): Promise<void> {
    const task = new RunningTask(this.#http, claimed, lease);
    const held: Held = { task, lease, isSettling: false };
    this.#running++;
    this.#held.set(task.id, held);
    lease.signal.addEventListener("abort", () => this.#held.get(task.id) === held && this.#held.delete(task.id));
    // A claim that came late wants to be renewed soon.
    this.#wake();
    let outcome: { result: unknown } | { error: unknown };
    try {
      const handler = this.#handlers.get(task.name) ?? this.#handlers.get(undefined);
      if (!handler) throw new ReefError(`node ${this.id} has no handler for ${JSON.stringify(task.name)}`);
      const result = await handler(task);
      await task.flush();
      outcome = { result };
    } catch (error) {
      outcome = { error };
    }
    try {
      // The clocks decide: a process that was stopped comes here before its timers do.
      if (!lease.holds()) throw lease.signal.reason;
      held.isSettling = true;
      await task.settle(outcome);
    } catch (error) {
      if (!(error instanceof Cancelled || error instanceof Waiting)) this.#tell(error, task);
    } finally {
      lease.settle();
      if (this.#held.get(task.id) === held) this.#held.delete(task.id);
      this.#running--;
      this.#freed();
    }
  }

  /** Waits until a handler has ended. */
  #slot(stop?: AbortSignal): Promise<void> {
    return new Promise((done) => {
      const end = () => {
        stop?.removeEventListener("abort", end);
        done();
      };
      this.#freed = end;
      stop?.addEventListener("abort", end);
    });
  }

  #letGo(reason: Error): void {
    for (const { lease, isSettling } of [...this.#held.values()]) if (!isSettling) lease.end(reason);
  }

  async #beatOn(): Promise<void> {
    while (!this.signal.aborted) {
      await this.#beat();
      await this.#untilBeat();
    }
  }

  async #untilBeat(): Promise<void> {
    const floor = now();
    while (!this.signal.aborted) {
      const { from, ms } = this.#nextBeat;
      let left = ms - since(from);
      for (const { lease } of this.#held.values()) left = Math.min(left, lease.renewIn);
      // Leases that cannot be renewed must not make it spin.
      left = Math.max(left, ms > 0 ? BEAT_AGAIN_MS / 10 - since(floor) : 0);
      if (left <= 0) return;
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      await pause(left, woken.signal);
    }
  }

  #beatNow(): void {
    this.#nextBeat = { from: now(), ms: 0 };
    this.#wake();
  }

  async #beat(): Promise<void> {
    const asked = now();
    const held = [...this.#held.values()];
    try {
      const answer = await this.#http.call("send_heartbeat", {
        path: { id: this.id },
        // What it runs the hub knows from its claims; a count would be too high until the next one.
        body: {
          ...this.#options.metrics?.(),
          incarnation: this.#incarnation,
          claims: held.map(({ task }) => ({ task_id: task.id, token: task.claimed.token })),
        },
        timeout: BEAT_TIMEOUT_MS,
        signal: this.signal,
        retryFor: 0,
        idempotencyKey: null,
      });
      this.#nextBeat = { from: now(), ms: answer.next_heartbeat_ms };
      this.#leader = answer.leader;
      this.#term = answer.term;
      this.#inbox = answer.inbox;
      this.#heed(held, answer, asked);
      if (answer.drain && !this.#isDraining) for (const callback of this.#drained) callback();
      this.#isDraining = answer.drain;
    } catch (error) {
      this.#nextBeat = { from: now(), ms: BEAT_AGAIN_MS };
      if (this.signal.aborted) return;
      if (error instanceof NotFound) await this.#registerAgain();
      else if (!passes(error)) this.#giveUp(error as Error);
    }
  }

  #heed(held: Held[], answer: { renewed: string[]; revoked: string[]; cancelled: string[] }, asked: Moment) {
    for (const { task, lease, isSettling } of held) {
      if (isSettling) continue;
      if (answer.cancelled.includes(task.id)) lease.end(new Cancelled(`task ${task.id} was cancelled`));
      // One that begins to wait is revoked, and its own answer says so better.
      else if (task.isWaiting) continue;
      else if (answer.revoked.includes(task.id)) lease.end(new LeaseOver(`task ${task.id} was given to another`));
      else if (answer.renewed.includes(task.id)) lease.renew(asked);
    }
  }

  async #registerAgain(): Promise<void> {
    try {
      const { node_info } = await register(this.#http, this.id, this.#options);
      this.#incarnation = node_info.incarnation;
      this.#beatNow();
    } catch (error) {
      if (!passes(error)) this.#giveUp(error as Error);
    }
  }

  /** Another process has the name, or the key is no longer good: nothing here is ours any more. */
  #giveUp(error: Error): void {
    this.#gone.abort(error);
    this.#letGo(error);
    if (!(error instanceof Fenced)) this.#tell(error);
  }

  #tell(error: unknown, task?: RunningTask): void {
    if (this.#options.onError) this.#options.onError(error, task);
    else console.warn(`reef: node ${this.id}${task ? `, task ${task.id}` : ""}: ${error}`);
  }
}

/** Whether it may be better in a while. */
function passes(error: unknown): boolean {
  if (error instanceof Unreachable) return true;
  return (
    (error instanceof HubError || error instanceof UnexpectedAnswer) && (error.status >= 500 || error.status === 429)
  );
}

async function register(http: Transport, name: string, options: NodeOptions) {
  const body: Registration = {
    tags: options.tags ?? null,
    max_concurrent_tasks: options.capacity ?? 5,
    node_id: name,
    ...options.registration,
    hostname: options.hostname ?? name,
    platform: options.platform ?? here().platform,
    arch: options.arch ?? here().arch,
    available_skills: options.skills,
  };
  return http.call("register_node", { body });
}

/** What this machine is, as far as its runtime says. */
function here(): Pick<Registration, "platform" | "arch"> {
  const { process } = globalThis as { process?: { platform?: string; arch?: string } };
  const platforms: Record<string, Registration["platform"]> = { darwin: "macos", win32: "windows" };
  const archs: Record<string, Registration["arch"]> = { arm64: "arm64", ia32: "x86", arm: "arm" };
  return {
    platform: platforms[process?.platform ?? ""] ?? "linux",
    arch: archs[process?.arch ?? ""] ?? "x64",
  };
}
