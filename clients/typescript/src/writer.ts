import type { AnswerOf, RequestOptions, Transport } from "./http.ts";
import { randomId } from "./http.ts";
import type { NewContentBlock } from "./types.ts";

export interface WriterOptions {
  /** Who appends; left out, a name that nobody else has. */
  producer?: { id: string; epoch: number };
  /** How long text is collected before it is sent, in milliseconds. */
  delay?: number;
  signal?: AbortSignal;
  /** How long a request is tried again, in milliseconds. */
  retryFor?: number;
}

/** An event's payload has at most 64 KiB, and a character of JSON up to six bytes. */
const APPEND_CHARS_MAX = 8192;
/** Above this many characters `write` waits until some of them are sent. */
const BUFFER_CHARS_MAX = 65_536;

/**
 * Writes a message's text. What is written while an append is under way goes with the next one;
 * each has the producer's number, so that a repeated one is applied once and a lost one is noticed.
 * The first failure ends it: later calls throw it again.
 */
export class MessageWriter {
  readonly messageId: string;
  /** What the message said when this writer began, as an earlier try of the task left it. */
  readonly existing: string;
  readonly #http: Transport;
  readonly #producer: { id: string; epoch: number };
  readonly #options: RequestOptions;
  readonly #delay: number;
  #buffer = "";
  #seq = 0;
  #sending: Promise<void> | undefined;
  #failure: { error: unknown } | undefined;
  #isComplete = false;

  constructor(
    http: Transport,
    messageId: string,
    existing: string,
    headers: Record<string, string>,
    options: WriterOptions,
  ) {
    this.#http = http;
    this.messageId = messageId;
    this.existing = existing;
    this.#producer = options.producer ?? { id: `w-${randomId()}`, epoch: 0 };
    this.#delay = options.delay ?? 20;
    this.#options = { headers };
    if (options.signal) this.#options.signal = options.signal;
    if (options.retryFor !== undefined) this.#options.retryFor = options.retryFor;
  }

  /** Adds text. It is sent soon; `flush` waits for it. */
  async write(text: string): Promise<void> {
    this.#check();
    if (text === "") return;
    this.#buffer += text;
    const sending = this.#send(this.#delay);
    if (this.#buffer.length > BUFFER_CHARS_MAX) await sending;
    this.#check();
  }

  /** Waits until everything that was written is at the hub. */
  async flush(): Promise<void> {
    while (!this.#failure && (this.#sending || hasWhole(this.#buffer))) await this.#send(0);
    this.#check();
  }

  /** Adds a block behind what was written. */
  async block(block: NewContentBlock): Promise<AnswerOf<"add_content">> {
    await this.flush();
    const path = { mid: this.messageId };
    return this.#http.call("add_content", { ...this.#options, path, body: block });
  }

  /** Ends the message, with an error where the answer failed. The worker's task ends apart from it. */
  async complete(error?: string): Promise<void> {
    if (this.#isComplete) return;
    // Half of a character that nobody finished.
    this.#buffer = this.#buffer.replace(/[\uD800-\uDBFF]$/, "\uFFFD");
    await this.flush();
    this.#isComplete = true;
    const path = { mid: this.messageId };
    const body = error === undefined ? {} : { error };
    await this.#http.call("complete_message", { ...this.#options, path, body });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The failure was thrown where it happened, or is what ends the scope.
    if (!this.#failure && !this.#isComplete) await this.flush();
  }

  #check(): void {
    if (this.#failure) throw this.#failure.error;
  }

  #send(delay: number): Promise<void> {
    this.#sending ??= this.#drain(delay).finally(() => {
      this.#sending = undefined;
    });
    return this.#sending;
  }

  async #drain(delay: number): Promise<void> {
    if (delay > 0) await new Promise((done) => setTimeout(done, delay));
    while (!this.#failure && hasWhole(this.#buffer)) {
      const delta = firstPart(this.#buffer);
      this.#buffer = this.#buffer.slice(delta.length);
      const body = { delta: wellFormed(delta), producer: { ...this.#producer, seq: this.#seq++ } };
      try {
        // The producer's number says what a key would.
        const options = { ...this.#options, idempotencyKey: null };
        await this.#http.call("append_text", { ...options, path: { mid: this.messageId }, body });
      } catch (error) {
        this.#failure = { error };
      }
    }
  }
}

/** Whether there is more than the first half of a character, the other half of which comes next. */
function hasWhole(text: string): boolean {
  return text.length > 1 || (text.length === 1 && !isHalf(text));
}

function isHalf(text: string): boolean {
  return /[\uD800-\uDBFF]$/.test(text);
}

function firstPart(text: string): string {
  const part = text.slice(0, APPEND_CHARS_MAX);
  return isHalf(part) ? part.slice(0, -1) : part;
}

/** The hub takes no half surrogate pairs. */
function wellFormed(text: string): string {
  return text.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, "\uFFFD");
}
