import { Agents } from "./agents.ts";
import { Bulk } from "./bulk.ts";
import { Cluster } from "./cluster.ts";
import { Groups } from "./groups.ts";
import { type RawOptions, Transport, type TransportOptions } from "./http.ts";
import { Inbox } from "./inbox.ts";
import { Leadership, type LeadershipOptions } from "./leadership.ts";
import { Ledger } from "./ledger.ts";
import { Limits } from "./limits.ts";
import { Messages } from "./messages.ts";
import { NodeHandle, type NodeOptions } from "./node-handle.ts";
import { Nodes } from "./nodes.ts";
import { Schedules } from "./schedules.ts";
import { SessionRef, Sessions } from "./sessions.ts";
import { Tasks } from "./tasks.ts";
import { Budgets, Prices, Usage } from "./usage.ts";
import { Waits } from "./waits.ts";

export interface ReefOptions extends TransportOptions {
  /** An agent's key, or the admin's. None is needed where the hub is open. */
  key?: string;
  /** How long a request is tried again while the hub is away, in milliseconds. */
  retryFor?: number;
  /** How long one try may take, in milliseconds. */
  timeout?: number;
  /** Another `fetch`, as for a proxy. */
  fetch?: typeof fetch;
}

/** A hub. */
export class Reef {
  readonly agents: Agents;
  readonly cluster: Cluster;
  readonly groups: Groups;
  readonly bulk: Bulk;
  readonly ledger: Ledger;
  readonly limits: Limits;
  readonly messages: Messages;
  readonly nodes: Nodes;
  readonly schedules: Schedules;
  readonly usage: Usage;
  readonly budgets: Budgets;
  readonly prices: Prices;
  readonly sessions: Sessions;
  readonly tasks: Tasks;
  readonly waits: Waits;
  readonly #http: Transport;

  constructor(url: string, options: ReefOptions = {}) {
    this.#http = new Transport(url, options);
    this.agents = new Agents(this.#http);
    this.cluster = new Cluster(this.#http);
    this.groups = new Groups(this.#http);
    this.bulk = new Bulk(this.#http);
    this.ledger = new Ledger(this.#http);
    this.limits = new Limits(this.#http);
    this.messages = new Messages(this.#http);
    this.nodes = new Nodes(this.#http);
    this.schedules = new Schedules(this.#http);
    this.usage = new Usage(this.#http);
    this.budgets = new Budgets(this.#http);
    this.prices = new Prices(this.#http);
    this.sessions = new Sessions(this.#http);
    this.tasks = new Tasks(this.#http);
    this.waits = new Waits(this.#http);
  }

  /** Registers a node of this name, which lives until `close` or the end of its `await using`. */
  node(name: string, options: NodeOptions): Promise<NodeHandle> {
    return NodeHandle.register(this.#http, name, options);
  }

  /** A session that is there; `sessions.open` makes it where it is not. */
  session(id: string): SessionRef {
    return new SessionRef(this.#http, id);
  }

  /** The mail of an agent or a node. */
  inbox(agent: string): Inbox {
    return new Inbox(this.#http, agent);
  }

  /** Waits until a node leads. `signal` of what it gets is aborted when the lead is lost. */
  leadership(node: NodeHandle, options: LeadershipOptions = {}): Promise<Leadership> {
    return Leadership.win(this.#http, node, options);
  }

  /** Anything that has no method here, with the same keys, retries and errors. */
  async request<T = unknown>(method: string, path: string, options: RawOptions = {}): Promise<T> {
    return (await this.#http.send<T>(method.toUpperCase(), path, options)).body;
  }
}
