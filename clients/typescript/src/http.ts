import { now, pause, since } from "./clock.ts";
import { errorOf, HubError, InProgress, type Problem, UnexpectedAnswer, Unreachable } from "./errors.ts";
import type { operations } from "./openapi.ts";
import { ROUTES } from "./routes.ts";

export type Operation = keyof typeof ROUTES & keyof operations;
type Json = { content: { "application/json": unknown } };
/** What an operation takes. */
export type BodyOf<O extends Operation> = operations[O] extends { requestBody?: infer B }
  ? NonNullable<B> extends Json
    ? NonNullable<B>["content"]["application/json"]
    : never
  : never;
/** What an operation answers. */
export type AnswerOf<O extends Operation> = operations[O]["responses"] extends { 200: Json }
  ? operations[O]["responses"][200]["content"]["application/json"]
  : never;
/** The query of an operation. */
export type QueryOf<O extends Operation> = NonNullable<operations[O]["parameters"]["query"]>;
type PathOf<O extends Operation> = NonNullable<operations[O]["parameters"]["path"]>;

export interface RequestOptions {
  /** Ends the request, and the waiting between its tries. */
  signal?: AbortSignal;
  /** How long it is tried again, in milliseconds; 0 tries once. */
  retryFor?: number;
  /** How long one try may take, in milliseconds. */
  timeout?: number;
  /**
   * Names the request for a day, so that it is done once however often it is sent. Left out, a POST
   * gets one; null: none, for what a repeat cannot do twice and comes too often to be remembered.
   */
  idempotencyKey?: string | null;
  headers?: Record<string, string>;
}

export interface CallOptions<O extends Operation> extends RequestOptions {
  path?: PathOf<O>;
  query?: QueryOf<O>;
  body?: BodyOf<O>;
}

export type Query = Record<string, string | number | boolean | null | undefined>;

export interface RawOptions extends RequestOptions {
  query?: Query;
  json?: unknown;
}

/** An answer with its headers, which lists need. */
export interface Answered<T> {
  body: T;
  headers: Headers;
}

export interface TransportOptions {
  key?: string;
  fetch?: typeof fetch;
  retryFor?: number;
  timeout?: number;
}

/** One try of these may have been done, though no answer came: a repeat would find that it was. */
const NOT_REPEATABLE = ["PATCH", "DELETE"];
/** Errors of Node that say that nothing was sent. */
const NOT_SENT = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT", "EHOSTUNREACH", "ENETUNREACH"];
const RETRIED = [429, 502, 503, 504];
const LONGEST_PAUSE_MS = 5000;

/** Requests to a hub: keys, retries, errors. */
export class Transport {
  readonly #base: string;
  readonly #key: string | undefined;
  readonly #fetch: typeof fetch;
  readonly #retryFor: number;
  readonly #timeout: number;

  constructor(base: string, options: TransportOptions = {}) {
    this.#base = base.replace(/\/+$/, "");
    this.#key = options.key;
    // A browser's fetch wants the window as `this`.
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
    this.#retryFor = options.retryFor ?? 30_000;
    this.#timeout = options.timeout ?? 30_000;
  }

  /** Calls an operation of openapi.json. */
  async call<O extends Operation>(operation: O, options: CallOptions<O> = {}): Promise<AnswerOf<O>> {
    return (await this.callWithHeaders(operation, options)).body;
  }

  async callWithHeaders<O extends Operation>(
    operation: O,
    options: CallOptions<O> = {},
  ): Promise<Answered<AnswerOf<O>>> {
    const { path, query, body, ...rest } = options;
    const [method, route] = ROUTES[operation];
    const raw: RawOptions = { ...rest };
    if (query !== undefined) raw.query = query as Query;
    if (body !== undefined) raw.json = body;
    return this.send<AnswerOf<O>>(method, fill(route, path as Record<string, string>), raw);
  }

  /** Sends any request, with the same keys, retries and errors. */
  async send<T>(method: string, path: string, options: RawOptions = {}): Promise<Answered<T>> {
    const begun = now();
    const retryFor = options.retryFor ?? this.#retryFor;
    const headers: Record<string, string> = { Accept: "application/json", ...options.headers };
    const key = options.idempotencyKey === undefined ? randomId() : options.idempotencyKey;
    if (method === "POST" && key !== null) headers["Idempotency-Key"] = key;
    if (options.json !== undefined) headers["Content-Type"] = "application/json";
    const init: RequestInit = { method, headers };
    if (options.json !== undefined) init.body = JSON.stringify(options.json);
    for (let tries = 0; ; tries++) {
      try {
        return await this.#once<T>(path, options, init);
      } catch (error) {
        const after = waitAfter(error, method, tries);
        if (after === undefined || options.signal?.aborted) throw error;
        if (since(begun) + after > retryFor) throw error;
        await pause(after, options.signal);
        options.signal?.throwIfAborted();
      }
    }
  }

  /** Opens a stream, once. The caller ends it by the signal. */
  async open(path: string, query: Query, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
    const response = await this.#reach(path, query, { headers, signal });
    if (!response.ok) throw await failure(response);
    return response;
  }

  async #once<T>(path: string, options: RawOptions, init: RequestInit): Promise<Answered<T>> {
    const { signal } = options;
    signal?.throwIfAborted();
    const timeout = options.timeout ?? this.#timeout;
    const end = new AbortController();
    const passOn = () => end.abort(signal?.reason);
    signal?.addEventListener("abort", passOn, { once: true });
    const late = new Unreachable(`${init.method} ${path}: no answer within ${timeout} ms`);
    const timer = setTimeout(() => end.abort(late), timeout);
    try {
      const response = await this.#reach(path, options.query, { ...init, signal: end.signal });
      if (!response.ok) throw await failure(response);
      const text = await response.text().catch((error: unknown) => {
        throw notReached(init.method, path, error, end.signal);
      });
      return { body: parse(text, response.status) as T, headers: response.headers };
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", passOn);
    }
  }

  async #reach(path: string, query: Query | undefined, init: RequestInit & { signal: AbortSignal }) {
    const headers = new Headers(init.headers);
    if (this.#key !== undefined) headers.set("Authorization", `Bearer ${this.#key}`);
    try {
      return await this.#fetch(this.#base + path + search(query), { ...init, headers, cache: "no-store" });
    } catch (error) {
      throw notReached(init.method, path, error, init.signal);
    }
  }
}

function notReached(method: string | undefined, path: string, error: unknown, signal: AbortSignal): unknown {
  // Ended by the caller or by the time that it may take, which the reason says.
  if (signal.aborted) return signal.reason;
  const { message, cause } = error as { message?: string; cause?: { code?: string; message?: string } };
  const why = cause?.code ?? cause?.message ?? message ?? String(error);
  return new Unreachable(`${method ?? "GET"} ${path}: the hub cannot be reached (${why})`, { cause: error });
}

async function failure(response: Response): Promise<Error> {
  const text = await response.text().catch(() => "");
  const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json");
  let error: Error;
  try {
    if (!isProblem) throw new Error();
    error = errorOf(JSON.parse(text) as Problem);
  } catch {
    error = new UnexpectedAnswer(response.status, `answered ${response.status}, and it is no problem of Reef's`);
  }
  retryAfter.set(error, Number(response.headers.get("retry-after") ?? Number.NaN) * 1000);
  return error;
}

/** What the header of that name said with an error, in milliseconds, or NaN. */
const retryAfter = new WeakMap<Error, number>();

/** How long to wait before another try; undefined where there must be none. */
function waitAfter(error: unknown, method: string, tries: number): number | undefined {
  // Half of it is chance, lest all that were cut off come back at once.
  const backOff = Math.min(100 * 2 ** tries, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2);
  if (error instanceof Unreachable) {
    const { cause } = (error.cause ?? {}) as { cause?: { code?: string } };
    const wasNotSent = NOT_SENT.includes(cause?.code ?? "");
    return wasNotSent || !NOT_REPEATABLE.includes(method) ? backOff : undefined;
  }
  // Our own earlier try is still at work.
  if (error instanceof InProgress && tries > 0) return backOff;
  if (!(error instanceof HubError || error instanceof UnexpectedAnswer)) return undefined;
  if (!RETRIED.includes(error.status)) return undefined;
  // What took too long may have been done.
  if (error.status === 504 && NOT_REPEATABLE.includes(method)) return undefined;
  const told = retryAfter.get(error) ?? Number.NaN;
  return Number.isNaN(told) ? backOff : told + backOff;
}

function parse(text: string, status: number): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new UnexpectedAnswer(status, "the answer is not JSON: is that address a hub's?");
  }
}

/** Puts values into a route's places. */
export function fill(route: string, values: Record<string, string> = {}): string {
  return route.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined || value === "") throw new TypeError(`${route} needs ${name}`);
    return encodeURIComponent(value);
  });
}

function search(query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text === "" ? "" : `?${text}`;
}

/** 32 hex digits. `crypto.randomUUID` is missing on pages without TLS. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
