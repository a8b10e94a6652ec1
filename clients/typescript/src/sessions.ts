import { Conflict } from "./errors.ts";
import { type AnswerOf, type BodyOf, type QueryOf, type RequestOptions, randomId, type Transport } from "./http.ts";
import { MessageRef } from "./messages.ts";
import { pages } from "./pages.ts";
import type { Message, Rest, Session } from "./types.ts";

/** Sessions, and how to get at one. */
export class Sessions {
  readonly #http: Transport;

  constructor(http: Transport) {
    this.#http = http;
  }

  /** Makes a session. With an id of one's own it may be there already: `open` accepts that. */
  async create(body: BodyOf<"create_session"> = {}): Promise<SessionRef> {
    const { session_id } = await this.#http.call("create_session", { body });
    return new SessionRef(this.#http, session_id);
  }

  /** Makes a session of this id, or takes the one that is there; without an id, a new one. */
  async open(session_id?: string, body: Rest<BodyOf<"create_session">, "session_id"> = {}): Promise<SessionRef> {
    if (session_id === undefined) return this.create(body);
    try {
      return await this.create({ ...body, session_id });
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
      await this.get(session_id);
      return new SessionRef(this.#http, session_id);
    }
  }

  get(sid: string): Promise<Session> {
    return this.#http.call("show_session", { path: { sid } });
  }

  /** All of them, page by page. */
  async *list(query: QueryOf<"list_sessions"> = {}): AsyncGenerator<Session, void, undefined> {
    for await (const page of pages(this.#http, "list_sessions", { query })) yield* page;
  }

  close(sid: string): Promise<AnswerOf<"close_session">> {
    return this.#http.call("close_session", { path: { sid } });
  }
}

/** What came of something that was sent: what the user says, and the answer to come. */
export interface Sent {
  user: MessageRef;
  answer: MessageRef;
}

/** One session. */
export class SessionRef {
  readonly id: string;
  readonly #http: Transport;

  constructor(http: Transport, id: string) {
    this.#http = http;
    this.id = id;
  }

  /** Adds what the user says, and an open answer, which somebody writes. */
  async send(content: string, body: Rest<BodyOf<"send_message">, "content"> = {}): Promise<Sent> {
    const path = { sid: this.id };
    const sent = await this.#http.call("send_message", { path, body: { ...body, content } });
    return { user: this.message(sent.user_message_id), answer: this.message(sent.assistant_message_id) };
  }

  /** Queues a task whose worker writes the answer. */
  async ask(
    task_description: string,
    body: Rest<BodyOf<"submit_session_task">, "task_description"> = {},
    options: RequestOptions = {},
  ): Promise<{ taskId: string; answer: MessageRef }> {
    const path = { sid: this.id };
    const made = await this.#http.call("submit_session_task", {
      ...options,
      path,
      body: { ...body, task_description },
    });
    return { taskId: made.task_id, answer: this.message(made.message_id) };
  }

  /** Adds a whole message, without an answer to it. */
  async add(text: string, body: Partial<BodyOf<"open_message">> = {}): Promise<MessageRef> {
    const ref = this.message(`m-${randomId()}`);
    await this.openMessage(ref.id, { role: "user", ...body });
    const out = await ref.writer({ delay: 0 });
    await out.write(text);
    await out.complete();
    return ref;
  }

  /** One of its messages. */
  message(id: string): MessageRef {
    return new MessageRef(this.#http, this.id, id);
  }

  /** Opens a message of this id, or takes it as it is if it is there. */
  openMessage(mid: string, body: BodyOf<"open_message">): Promise<Message> {
    return this.#http.call("open_message", { path: { sid: this.id, mid }, body });
  }

  /** Its messages, oldest first, page by page. */
  async *messages(query: QueryOf<"list_messages"> = {}): AsyncGenerator<Message, void, undefined> {
    for await (const page of pages(this.#http, "list_messages", { path: { sid: this.id }, query })) {
      yield* page.messages;
    }
  }
}
