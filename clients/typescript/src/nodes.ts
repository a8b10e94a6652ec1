import type { AnswerOf, BodyOf, QueryOf, Transport } from "./http.ts";
import { pages } from "./pages.ts";
import type { Node } from "./types.ts";

/** What nodes there are, and what an operator does to them. A program's own is a `NodeHandle`. */
export class Nodes {
  readonly #http: Transport;

  constructor(http: Transport) {
    this.#http = http;
  }

  /** Registers a node without anything that keeps it alive, as gateways do. */
  register(body: BodyOf<"register_node">): Promise<AnswerOf<"register_node">> {
    return this.#http.call("register_node", { body });
  }

  /** Newest registration first, page by page. */
  async *list(query: QueryOf<"list_nodes"> = {}): AsyncGenerator<Node, void, undefined> {
    for await (const page of pages(this.#http, "list_nodes", { query: { limit: 100, ...query } })) yield* page;
  }

  online(): Promise<Node[]> {
    return this.#http.call("list_online_nodes");
  }

  /** Those that can take work, least loaded first. */
  available(): Promise<Node[]> {
    return this.#http.call("list_available_nodes");
  }

  withSkill(skill: string): Promise<Node[]> {
    return this.#http.call("list_nodes_by_skill", { path: { skill } });
  }

  get(id: string): Promise<Node> {
    return this.#http.call("show_node", { path: { id } });
  }

  health(id: string): Promise<AnswerOf<"show_node_health">> {
    return this.#http.call("show_node_health", { path: { id } });
  }

  /** Changes a node; the status `maintenance` drains it. */
  change(id: string, body: BodyOf<"change_node">): Promise<Node> {
    return this.#http.call("change_node", { path: { id }, body });
  }

  shutDown(id: string): Promise<AnswerOf<"shut_down_node">> {
    return this.#http.call("shut_down_node", { path: { id } });
  }

  remove(id: string): Promise<AnswerOf<"remove_node">> {
    return this.#http.call("remove_node", { path: { id } });
  }

  /** Heartbeats of many nodes at once, for gateways. */
  heartbeats(body: BodyOf<"send_heartbeats">): Promise<AnswerOf<"send_heartbeats">> {
    return this.#http.call("send_heartbeats", { body, idempotencyKey: null });
  }
}
