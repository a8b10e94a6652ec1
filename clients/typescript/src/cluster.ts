import type { AnswerOf, BodyOf, QueryOf, Transport } from "./http.ts";
import { ROUTES } from "./routes.ts";
import { follow, type StreamOptions } from "./stream.ts";
import type { ClusterEvent } from "./types.ts";

/** An event of the cluster, or a hole in what the log still has. */
export type ClusterStreamEvent =
  | { id: string; type: ClusterEvent["event_type"]; event: ClusterEvent; gap: undefined }
  | { id: string; type: "gap"; event: undefined; gap: { from: string; to: string } };

/** The cluster as a whole. */
export class Cluster {
  readonly #http: Transport;

  constructor(http: Transport) {
    this.#http = http;
  }

  health(): Promise<AnswerOf<"show_cluster_health">> {
    return this.#http.call("show_cluster_health");
  }

  state(): Promise<AnswerOf<"show_cluster_state">> {
    return this.#http.call("show_cluster_state");
  }

  /** How safe a write can be, and why not more. */
  durability(): Promise<AnswerOf<"show_durability">> {
    return this.#http.call("show_durability");
  }

  /** Marks nodes offline that were not heard of in time. */
  checkHeartbeats(body: BodyOf<"check_heartbeats"> = {}): Promise<AnswerOf<"check_heartbeats">> {
    return this.#http.call("check_heartbeats", { body });
  }

  leader(): Promise<AnswerOf<"show_leader">> {
    return this.#http.call("show_leader");
  }

  leaders(query: QueryOf<"list_leaders"> = {}): Promise<AnswerOf<"list_leaders">> {
    return this.#http.call("list_leaders", { query });
  }

  /** Events after a cursor, without waiting for further ones. */
  events(query: QueryOf<"list_cluster_events"> = {}): Promise<AnswerOf<"list_cluster_events">> {
    return this.#http.call("list_cluster_events", { query });
  }

  /** Events as they happen, without end; see `MessageRef.stream` for what it outlives. */
  async *stream(options: StreamOptions = {}): AsyncGenerator<ClusterStreamEvent, void, undefined> {
    for await (const frame of follow(this.#http, ROUTES.stream_cluster_events[1], () => false, options)) {
      const id = frame.id ?? "";
      if (frame.event === "snapshot") {
        const { gap } = JSON.parse(frame.data) as { gap: { from: string; to: string } };
        yield { id, type: "gap", event: undefined, gap };
      } else {
        const event = JSON.parse(frame.data) as ClusterEvent;
        yield { id, type: event.event_type, event, gap: undefined };
      }
    }
  }

  /** Whether the service answers. */
  service(): Promise<AnswerOf<"check_service">> {
    return this.#http.call("check_service");
  }

  /** Whether Redis can be written, and what the host warns of. */
  readiness(): Promise<AnswerOf<"check_readiness">> {
    return this.#http.call("check_readiness");
  }

  /** What the host's program was built from. */
  host(): Promise<AnswerOf<"check_host">> {
    return this.#http.call("check_host");
  }
}
