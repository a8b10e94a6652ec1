import { ReefError, StreamCut } from "./errors.ts";
import { type AnswerOf, type BodyOf, fill, type QueryOf, type Transport } from "./http.ts";
import { ROUTES } from "./routes.ts";
import type { Frame } from "./sse.ts";
import { follow, type StreamOptions } from "./stream.ts";
import type { ContentBlock, Message, MessageEvent, NewContentBlock } from "./types.ts";
import { MessageWriter, type WriterOptions } from "./writer.ts";

/** One event of a message's stream. */
export interface MessageStreamEvent {
  /** The cursor to resume after. */
  id: string;
  type: MessageEventType;
  sequence: number;
  /** The text that it adds, or nothing. */
  delta: string;
  /** The event as the hub keeps it; nothing for a snapshot. */
  event: MessageEvent | undefined;
  /** The message as it is by then, since the log no longer reaches back to the cursor. */
  snapshot: Message | undefined;
}

export type MessageEventType =
  | "message_start"
  | "text_delta"
  | "content_added"
  | "content_updated"
  | "task_started"
  | "task_progress"
  | "task_completed"
  | "task_failed"
  | "message_end"
  | "error"
  | "ping"
  | "snapshot";

/** The answer ended with an error. */
export class MessageFailed extends ReefError {
  override name = "MessageFailed";
}

/** Messages by their ids. */
export class Messages {
  readonly #http: Transport;

  constructor(http: Transport) {
    this.#http = http;
  }

  get(mid: string): Promise<Message> {
    return this.#http.call("show_message", { path: { mid } });
  }

  /** A whole block, where the message has a `ref` in place of its data. */
  content(mid: string, cid: string): Promise<ContentBlock> {
    return this.#http.call("show_content", { path: { mid, cid } });
  }

  /** Events after a sequence number, without waiting for further ones. */
  events(mid: string, query: QueryOf<"list_message_events"> = {}): Promise<AnswerOf<"list_message_events">> {
    return this.#http.call("list_message_events", { path: { mid }, query });
  }

  /** Appends text, in one request. A `MessageWriter` does it for many pieces. */
  append(mid: string, body: BodyOf<"append_text">): Promise<AnswerOf<"append_text">> {
    return this.#http.call("append_text", { path: { mid }, body });
  }

  addBlock(mid: string, body: NewContentBlock): Promise<AnswerOf<"add_content">> {
    return this.#http.call("add_content", { path: { mid }, body });
  }

  complete(mid: string, error?: string): Promise<AnswerOf<"complete_message">> {
    return this.#http.call("complete_message", { path: { mid }, body: error === undefined ? {} : { error } });
  }

  /** Puts a placeholder into the message, which the end of the task replaces. */
  startTask(
    mid: string,
    task_type: string,
    parameters: Record<string, unknown> = {},
  ): Promise<AnswerOf<"start_message_task">> {
    return this.#http.call("start_message_task", { path: { mid }, body: { ...parameters, task_type } });
  }

  updateTask(mid: string, tid: string, body: BodyOf<"change_message_task">): Promise<AnswerOf<"change_message_task">> {
    return this.#http.call("change_message_task", { path: { mid, tid }, body });
  }

  /** Removes messages that are older than some days. */
  cleanUp(sid: string, query: QueryOf<"clean_up_messages"> = {}): Promise<AnswerOf<"clean_up_messages">> {
    return this.#http.call("clean_up_messages", { path: { sid }, query });
  }

  /** Begins to write. `headers` carry a claim's token where a task's worker does. */
  async writer(mid: string, options: WriterOptions = {}, headers: Record<string, string> = {}) {
    const { text } = await this.get(mid);
    return new MessageWriter(this.#http, mid, text, headers, options);
  }
}

/** A message of a session, to be read while it is written. */
export class MessageRef {
  readonly sessionId: string;
  readonly id: string;
  readonly #http: Transport;

  constructor(http: Transport, sessionId: string, id: string) {
    this.#http = http;
    this.sessionId = sessionId;
    this.id = id;
  }

  /** The message as it is now. */
  get(): Promise<Message> {
    return new Messages(this.#http).get(this.id);
  }

  /** Begins to write it. The session's owner needs no token. */
  writer(options: WriterOptions = {}): Promise<MessageWriter> {
    return new Messages(this.#http).writer(this.id, options);
  }

  /**
   * Its events to the last one, each once and in order, however often the connection breaks.
   * `StreamCut` says that they did not all come; after a `snapshot` that holds what is missing.
   */
  async *stream(options: StreamOptions = {}): AsyncGenerator<MessageStreamEvent, void, undefined> {
    const path = fill(ROUTES.stream_message[1], { sid: this.sessionId, mid: this.id });
    let expected: number | undefined;
    for await (const frame of follow(this.#http, path, (it) => it.event === "message_end", options)) {
      const event = read(frame);
      // Without a hole by contract; a proxy that swallows some must not go unnoticed.
      if (!event.snapshot && expected !== undefined && event.sequence !== expected) {
        throw new StreamCut(`event ${expected} is missing: ${event.sequence} came`);
      }
      expected = event.sequence + 1;
      yield event;
      if (event.snapshot?.is_complete) return;
    }
  }

  /** Its text alone, piece by piece. Throws `MessageFailed` where it ended with an error. */
  async *text(options: Omit<StreamOptions, "after"> = {}): AsyncGenerator<string, void, undefined> {
    let length = 0;
    let failure: MessageFailed | undefined;
    for await (const event of this.stream(options)) {
      // Text is only ever added: what a snapshot has beyond what was read is what is new.
      const delta = event.snapshot ? event.snapshot.text.slice(length) : event.delta;
      length += delta.length;
      if (event.type === "error") failure = new MessageFailed(String(event.event?.payload["error"]));
      if (delta !== "") yield delta;
    }
    if (failure) throw failure;
  }
}

function read(frame: Frame): MessageStreamEvent {
  const id = frame.id ?? "";
  if (frame.event === "snapshot") {
    const { message, sequence } = JSON.parse(frame.data) as { message: Message; sequence: number };
    return { id, type: "snapshot", sequence, delta: "", event: undefined, snapshot: message };
  }
  const event = JSON.parse(frame.data) as MessageEvent;
  const type = event.event_type as MessageEventType;
  const delta = type === "text_delta" ? String(event.payload["delta"]) : "";
  return { id, type, sequence: event.sequence, delta, event, snapshot: undefined };
}
