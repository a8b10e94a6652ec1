import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterEach, expect, it } from "vitest";
import type { Reef, Task } from "../src/index.ts";
import { eventually, Hub } from "./hub.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function hubFor(): Promise<Hub> {
  const hub = await Hub.start("--variable", "heartbeat_timeout_seconds=5");
  ends.push(() => hub.stop());
  return hub;
}

class Worker {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;

  constructor(hub: Hub, name: string, { capacity = 4, lease = 2, ms = 50 } = {}) {
    const args = [new URL("worker.mjs", import.meta.url).pathname, name, capacity, lease, ms].map(String);
    const env = { ...process.env, REEF_HUB: hub.url, REEF_API_KEY: hub.key };
    const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] });
    this.#child = child;
    createInterface({ input: child.stdout }).on("line", (line) => this.lines.push(line));
    ends.push(() => child.exitCode === null && child.kill("SIGKILL"));
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  says(start: string): Promise<string> {
    return eventually(start, () => this.lines.find((line) => line.startsWith(start)));
  }

  async stop(): Promise<void> {
    this.signal("SIGTERM");
    await once(this.#child, "exit");
    expect(this.lines.at(-1)).toMatch(/^gone /);
    expect(this.#child.exitCode).toBe(0);
  }
}

async function submit(reef: Reef, count: number): Promise<string[]> {
  const tasks = Array.from({ length: count }, (_, n) => reef.tasks.submit(`t${n}`, { required_skills: ["work"] }));
  return (await Promise.all(tasks)).map(({ task_id }) => task_id);
}

/** Waits until all are done, and checks by the hub's record that each was done once. */
async function allDone(reef: Reef, ids: string[]): Promise<Task[]> {
  const tasks = await Promise.all(ids.map((id) => reef.tasks.wait(id)));
  expect(tasks.map(({ status }) => status)).toEqual(ids.map(() => "completed"));
  const ended: Record<string, number> = {};
  for (let after = "0"; ; ) {
    const page = await reef.cluster.events({ after, limit: 1000 });
    for (const { event_type, payload } of page.events) {
      if (event_type === "task_completed")
        ended[String(payload["task_id"])] = (ended[String(payload["task_id"])] ?? 0) + 1;
    }
    if (page.events.length === 0) break;
    after = page.next;
  }
  expect(ended).toEqual(Object.fromEntries(ids.map((id) => [id, 1])));
  return tasks;
}

it("a worker that is killed loses nothing, and nothing is done twice", async () => {
  const hub = await hubFor();
  const reef = hub.client();
  const one = new Worker(hub, "one", { ms: 300 });
  await one.says("ready");
  const ids = await submit(reef, 20);
  await one.says("did");
  one.signal("SIGKILL");
  const two = new Worker(hub, "two");
  const tasks = await allDone(reef, ids);
  expect(tasks.some(({ result }) => (result as { by: string }).by === "one")).toBe(true);
  expect(tasks.some(({ result }) => (result as { by: string }).by === "two")).toBe(true);
  await two.stop();
});

it("a worker that was stopped past its lease sends no outcome", async () => {
  const hub = await hubFor();
  const reef = hub.client();
  const one = new Worker(hub, "one", { capacity: 1, lease: 1, ms: 500 });
  await one.says("ready");
  const [id] = await submit(reef, 1);
  await one.says("began");
  one.signal("SIGSTOP");
  const two = new Worker(hub, "two", { capacity: 1 });
  const [task] = await allDone(reef, [id!]);
  expect(task?.result).toEqual({ by: "two" });
  one.signal("SIGCONT");
  expect(await one.says("did")).toBe(`did ${id}`);
  // By its own clocks, without asking: nothing is sent that would have to be refused.
  expect(await one.says("refused")).toBe(`refused:LeaseOver ${id}`);
  expect((await reef.tasks.get(id!)).result).toEqual({ by: "two" });
  // It goes on: its node comes back by its heartbeat, and takes the next.
  await two.stop();
  const [next] = await submit(reef, 1);
  expect((await reef.tasks.wait(next!)).result).toEqual({ by: "one" });
  await one.stop();
});

it("a stale outcome is refused, and sent once", async () => {
  const hub = await hubFor();
  let fenced = 0;
  let completions = 0;
  const counting: typeof fetch = (url, init) => {
    if (String(url).endsWith("/complete")) completions++;
    return fetch(url, init);
  };
  const reef = hub.client({ fetch: counting });
  await using node = await reef.node("n", {
    skills: ["work"],
    onError: (error) => {
      if ((error as Error).name === "Fenced") fenced++;
    },
  });
  const stop = new AbortController();
  const [id] = await submit(reef, 1);
  node.task(async (task) => {
    // Behind the handler's back, so that it still believes in its lease.
    await reef.request("POST", `/api/v1/tasks/${task.id}/complete`, { json: { token: task.claimed.token, result: 1 } });
    stop.abort();
    return 2;
  });
  await node.run({ signal: stop.signal });
  expect((await reef.tasks.get(id!)).result).toBe(1);
  expect({ fenced, completions }).toEqual({ fenced: 1, completions: 2 });
});

it.each([
  ["hub", (hub: Hub) => hub.restart()],
  ["Redis", async (hub: Hub) => hub.killRedis()],
] as const)("a worker outlives a restart of the %s", async (_, restart) => {
  const hub = await hubFor();
  const reef = hub.client({ retryFor: 60_000 });
  const worker = new Worker(hub, "one", { capacity: 4, lease: 5, ms: 100 });
  await worker.says("ready");
  const ids = await submit(reef, 60);
  await worker.says("did");
  await restart(hub);
  const done = () => worker.lines.filter((line) => line.startsWith("did")).length;
  const before = done();
  await eventually("more of them", () => done() > before + 8);
  await restart(hub);
  await allDone(reef, ids);
  await worker.stop();
});

it("a stream across three restarts of the hub is byte-exact", async () => {
  const hub = await hubFor();
  const reef = hub.client({ retryFor: 60_000 });
  const session = await reef.sessions.open("s1");
  const { answer } = await session.send("Tell me.");
  let events = 0;
  let snapshots = 0;
  const sequences: number[] = [];
  const reading = (async () => {
    let text = "";
    for await (const event of answer.stream()) {
      text += event.delta;
      events++;
      if (event.snapshot) snapshots++;
      sequences.push(event.sequence);
    }
    return text;
  })();
  const pieces = ["word ", "a\nnew line ", "\r\n\r\n: comment\ndata: x ", "🦀\u2028é ", '\\" <b>&amp; '];
  let written = "";
  const out = await answer.writer({ delay: 0 });
  for (let round = 0; round < 4; round++) {
    for (let n = 0; n < 60; n++) {
      const piece = `${round}.${n} ${pieces[n % pieces.length]}`;
      written += piece;
      await out.write(piece);
      if (n % 3 === 0) await out.flush();
    }
    const before = events;
    if (round < 3) await Promise.all([hub.restart(round === 1 ? "SIGTERM" : "SIGKILL"), out.flush()]);
    expect(events).toBeGreaterThanOrEqual(before);
  }
  await out.complete();
  const read = await reading;
  expect(Buffer.from(read).equals(Buffer.from(written))).toBe(true);
  expect((await answer.get()).text).toBe(written);
  expect(sequences).toEqual(sequences.map((_, n) => n + 1));
  expect(snapshots).toBe(0);
});

it("a stream that does not come back throws", async () => {
  const hub = await hubFor();
  const reef = hub.client();
  const { answer } = await (await reef.sessions.create()).send("Tell me.");
  const reading = (async () => {
    for await (const event of answer.stream({ giveUpAfter: 500 })) if (event.type === "message_start") await hub.kill();
  })();
  await expect(reading).rejects.toMatchObject({ name: "StreamCut" });
});
