import { describe, expect, it, vi } from "vitest";
import { type Clocks, now, since } from "../src/clock.ts";
import { Conflict, errorOf, Fenced, HubError, InsufficientBalance, type Problem } from "../src/errors.ts";
import { Reef } from "../src/index.ts";
import { Lease } from "../src/lease.ts";
import { nextCursor } from "../src/pages.ts";
import { type Frame, frames } from "../src/sse.ts";

async function read(...chunks: (string | Uint8Array)[]): Promise<Frame[]> {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
      controller.close();
    },
  });
  const found: Frame[] = [];
  for await (const frame of frames(body)) found.push(frame);
  return found;
}

describe("frames", () => {
  it("are read however they are cut", async () => {
    const text = "retry: 1000\n\n: comment\nid: 1-0\nevent: a\ndata: x\r\ndata: é\u2028🦀\r\n\r\nid: 2-0\rdata:y\r\r\n";
    const bytes = new TextEncoder().encode(text);
    const whole = await read(bytes);
    expect(whole).toEqual([
      { id: "1-0", event: "a", data: "x\né\u2028🦀" },
      { id: "2-0", event: "message", data: "y" },
    ]);
    for (let at = 1; at < bytes.length; at++) {
      expect(await read(bytes.slice(0, at), bytes.slice(at)), `cut at ${at}`).toEqual(whole);
    }
  });

  it("that are cut off are none", async () => {
    expect(await read("id: 1\ndata: x\n")).toEqual([]);
  });
});

describe("leases", () => {
  function clocks(): Clocks & { walls: number; steadies: number } {
    return {
      walls: 1000,
      steadies: 0,
      wall() {
        return this.walls;
      },
      steady() {
        return this.steadies;
      },
    };
  }

  it("are over by the faster clock", () => {
    const slept = clocks();
    const lease = new Lease("it", now(slept), 100, slept);
    slept.walls += 101;
    expect(lease.holds()).toBe(false);
    const setBack = clocks();
    const other = new Lease("it", now(setBack), 100, setBack);
    setBack.walls -= 50_000;
    setBack.steadies += 99;
    expect(other.holds()).toBe(true);
    setBack.steadies += 2;
    expect(other.holds()).toBe(false);
    expect(other.signal.reason.message).toContain("100 ms");
  });

  it("count from before the request, and never come back", () => {
    const time = clocks();
    const lease = new Lease("it", now(time), 90, time);
    time.walls += 60;
    const asked = now(time);
    time.walls += 20;
    lease.renew(asked);
    expect(lease.left).toBe(70);
    expect(lease.renewIn).toBe(10);
    time.walls += 70;
    lease.renew(now(time));
    expect(lease.holds()).toBe(false);
    expect(since(asked, time)).toBe(90);
  });

  it("end by a timer, too", async () => {
    const lease = new Lease("it", now(), 20);
    await vi.waitFor(() => expect(lease.signal.aborted).toBe(true));
  });
});

const problem = (code: string, status: number): Problem =>
  ({ code, status, title: "", type: `/problems/${code}`, detail: "why", request_id: "r" }) as Problem;

/** A hub that answers what a test says, and what was asked of it. */
function stub(...answers: (Response | Error)[]) {
  const asked: { method: string; url: string; key: string | null; body: unknown }[] = [];
  const reef = new Reef("http://hub/", {
    fetch: async (url, init) => {
      const headers = new Headers(init?.headers);
      const body = init?.body ? JSON.parse(String(init.body)) : undefined;
      asked.push({ method: init?.method ?? "GET", url: String(url), key: headers.get("Idempotency-Key"), body });
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      if (!answer) throw new Error("asked once too often");
      return answer;
    },
  });
  return { reef, asked };
}

const answer = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": status < 400 ? "application/json" : "application/problem+json", ...headers },
  });
const cut = () => new TypeError("fetch failed", { cause: Object.assign(new Error(), { code: "ECONNRESET" }) });

describe("requests", () => {
  it("are repeated under one key, and only where that helps", async () => {
    const { reef, asked } = stub(
      cut(),
      answer(problem("store_unavailable", 503), 503, { "retry-after": "0" }),
      answer(problem("rate_limited", 429), 429, { "retry-after": "0" }),
      answer(problem("in_progress", 409), 409),
      answer({ task_id: "t" }),
    );
    expect(await reef.tasks.submit("x")).toEqual({ task_id: "t" });
    expect(asked).toHaveLength(5);
    expect(asked[0]!.key).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(asked.map(({ key }) => key)).size).toBe(1);
    await stub(answer({})).reef.tasks.submit("y");

    for (const [code, status, Class] of [
      ["fenced", 409, Fenced],
      ["conflict", 409, Conflict],
      ["internal", 500, HubError],
    ] as const) {
      const { reef, asked } = stub(answer(problem(code, status), status));
      await expect(reef.tasks.submit("x")).rejects.toBeInstanceOf(Class);
      expect(asked).toHaveLength(1);
    }
  });

  it("that may have been done are not repeated where a repeat would say otherwise", async () => {
    const { reef, asked } = stub(cut());
    await expect(reef.tasks.remove("t")).rejects.toThrow("ECONNRESET");
    expect(asked).toHaveLength(1);
    const refused = () =>
      new TypeError("fetch failed", { cause: Object.assign(new Error(), { code: "ECONNREFUSED" }) });
    const other = stub(refused(), answer({ success: true }));
    await other.reef.tasks.remove("t");
    expect(other.asked).toHaveLength(2);
  });

  it("end when the signal or the time says so", async () => {
    const hangs: typeof fetch = (_, init) =>
      new Promise((_, no) => init?.signal?.addEventListener("abort", () => no(init.signal?.reason)));
    const reef = new Reef("http://hub", { fetch: hangs, timeout: 10, retryFor: 0 });
    await expect(reef.tasks.stats()).rejects.toThrow("no answer within 10 ms");
    const stop = new AbortController();
    const asked = reef.request("get", "/x", { signal: stop.signal, timeout: 60_000 });
    stop.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
  });
});

describe("errors", () => {
  it("have a class and a name for each code", () => {
    const error = errorOf(problem("insufficient_balance", 400));
    expect(error).toBeInstanceOf(InsufficientBalance);
    expect(error.name).toBe("InsufficientBalance");
    expect(errorOf(problem("of_tomorrow", 418)).constructor).toBe(HubError);
    expect(errorOf(problem("constructor", 418)).constructor).toBe(HubError);
  });
});

describe("amounts", () => {
  it("are strings, and nothing else", () => {
    const { reef, asked } = stub();
    for (const amount of [12.5, 12n, null, { toString: () => "1" }]) {
      expect(() => reef.ledger.transfer("a", "b", amount as unknown as string)).toThrow(TypeError);
      expect(() => reef.ledger.deposit("a", amount as unknown as string)).toThrow(TypeError);
    }
    expect(asked).toEqual([]);
  });
});

describe("a writer", () => {
  it("cuts no character in two, collects, and numbers", async () => {
    const ok = () => answer({ sequence: 1, length: 1 });
    const { reef, asked } = stub(answer({ text: "" }), cut(), ok(), ok(), ok(), answer({}));
    const out = await reef
      .session("s")
      .message("m")
      .writer({ producer: { id: "p", epoch: 7 }, delay: 0 });
    await out.write("a");
    await out.write("\ud83e");
    await out.flush();
    await out.write("\udd80");
    await out.flush();
    await out.write("\ud83e");
    await out.complete();
    const appended = asked.filter(({ url }) => url.endsWith("/append")).map(({ body }) => body);
    const producer = { id: "p", epoch: 7 };
    const append = (delta: string, seq: number) => ({ delta, producer: { ...producer, seq } });
    // The number says what a key would, which the hub would keep for a day.
    expect(asked.map(({ key }) => key !== null)).toEqual([false, false, false, false, false, true]);
    expect(appended).toEqual([append("a", 0), append("a", 0), append("\u{1f980}", 1), append("\ufffd", 2)]);
  });
});

it("a page's Link names the next", () => {
  expect(nextCursor('</api/v1/tasks?limit=2&cursor=a%2Bb>; rel="next"')).toBe("a+b");
  expect(nextCursor(null)).toBeUndefined();
});
