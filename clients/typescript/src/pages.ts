import type { AnswerOf, CallOptions, Operation, QueryOf, Transport } from "./http.ts";

/** Operations whose answer is one page of a list. */
type Listing = { [O in Operation]: QueryOf<O> extends { cursor?: string } ? O : never }[Operation];

/** Goes through a list to its end, page by page. Only `Link` says whether there is more. */
export async function* pages<O extends Listing>(
  http: Transport,
  operation: O,
  options: CallOptions<O>,
): AsyncGenerator<AnswerOf<O>, void, undefined> {
  let query = options.query;
  for (;;) {
    const page = await http.callWithHeaders(operation, query ? { ...options, query } : options);
    yield page.body;
    const next = nextCursor(page.headers.get("link"));
    if (next === undefined) return;
    query = { ...query, cursor: next } as QueryOf<O>;
  }
}

/** The cursor of `Link: <…>; rel="next"`. */
export function nextCursor(link: string | null): string | undefined {
  const target = link?.match(/<([^>]*)>\s*;\s*rel="next"/)?.[1];
  if (target === undefined) return undefined;
  return new URL(target, "http://hub").searchParams.get("cursor") ?? undefined;
}
