import type { AnswerOf, BodyOf, QueryOf, Transport } from "./http.ts";
import { pages } from "./pages.ts";

/** Agents, their keys, and invites. */
export class Agents {
  readonly #http: Transport;

  constructor(http: Transport) {
    this.#http = http;
  }

  /** Makes an agent. Its key is in the answer this once. */
  register(body: BodyOf<"register_agent"> = {}): Promise<AnswerOf<"register_agent">> {
    return this.#http.call("register_agent", { body });
  }

  async *list(query: QueryOf<"list_agents"> = {}): AsyncGenerator<AnswerOf<"list_agents">["agents"][number]> {
    for await (const page of pages(this.#http, "list_agents", { query })) yield* page.agents;
  }

  get(id: string): Promise<AnswerOf<"show_agent">> {
    return this.#http.call("show_agent", { path: { id } });
  }

  change(id: string, body: BodyOf<"change_agent">): Promise<AnswerOf<"change_agent">> {
    return this.#http.call("change_agent", { path: { id }, body });
  }

  remove(id: string): Promise<AnswerOf<"remove_agent">> {
    return this.#http.call("remove_agent", { path: { id } });
  }

  /** Whose key this is, and what it allows. */
  me(): Promise<AnswerOf<"show_caller">> {
    return this.#http.call("show_caller");
  }

  keys(query: QueryOf<"list_keys"> = {}): Promise<AnswerOf<"list_keys">> {
    return this.#http.call("list_keys", { query });
  }

  createKey(body: BodyOf<"create_key"> = {}): Promise<AnswerOf<"create_key">> {
    return this.#http.call("create_key", { body });
  }

  rotateKey(key_id: string): Promise<AnswerOf<"rotate_key">> {
    return this.#http.call("rotate_key", { path: { key_id } });
  }

  revokeKey(key_id: string): Promise<AnswerOf<"revoke_key">> {
    return this.#http.call("revoke_key", { path: { key_id } });
  }

  createInvite(body: BodyOf<"create_invite"> = {}): Promise<AnswerOf<"create_invite">> {
    return this.#http.call("create_invite", { body });
  }

  invites(query: QueryOf<"list_invites"> = {}): Promise<AnswerOf<"list_invites">> {
    return this.#http.call("list_invites", { query });
  }

  revokeInvite(id: string): Promise<AnswerOf<"revoke_invite">> {
    return this.#http.call("revoke_invite", { path: { id } });
  }
}
