import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { expect, inject, it as test } from "vitest";
import { Conflict, type NewTask, NotFound, Reef, Retry, ValidationFailed, Waiting } from "../src/index.ts";
import { eventually, Hub } from "./hub.ts";

// They share a hub, but for one, and mostly wait.
const it = test.concurrent;
const { url, key } = inject("hub");
const reef = new Reef(url, { key });
let made = 0;
const unique = (stem: string) => `${stem}-w${process.pid}-${made++}`;

/** The id of the wait of a task, once it waits. */
function openWait(reef: Reef, task_id: string, kind: string): Promise<string> {
  return eventually(`its ${kind}`, async () => {
    for await (const wait of reef.waits.list({ task_id })) {
      if (wait.kind === kind && wait.state === "open") return wait.wait_id;
    }
    return undefined;
  });
}

it("a handler waits several times, and gets what came", async () => {
  const skill = unique("skill");
  const errors: unknown[] = [];
  await using node = await reef.node(unique("node"), { skills: [skill], onError: (error) => errors.push(error) });
  const runs: unknown[] = [];
  node.task({ lease: 10 }, async (task) => {
    runs.push(task.checkpoint);
    const early = await task.waitForSignal("early");
    await task.sleep(0.01);
    task.save({ half: true });
    const { decision, value, approved } = await task.approval("Go on?", {
      details: { n: [1] },
      options: [{ value: "yes", label: "Yes" }],
    });
    const late = await task.waitForSignal("never", { expires_in_ms: 50 });
    const asked = await task.approval("Still?", { expires_in_ms: 50 });
    const last = task.resume?.expired;
    return { early: early.value, decision, value, approved, late: late.expired, asked: asked.approved, last };
  });
  const { task_id } = await reef.tasks.submit("careful", { required_skills: [skill], max_retries: 0 });
  expect(await reef.tasks.signal(task_id, "early", { n: 1 })).toBe(1);
  const running = node.run();
  const wid = await openWait(reef, task_id, "approval");
  expect(await reef.waits.get(wid)).toMatchObject({ question: "Go on?", details: { n: [1] } });
  // It holds no place and no lease, and is not failed.
  expect(await reef.tasks.get(task_id)).toMatchObject({ status: "waiting", assigned_node: null });
  await expect(reef.waits.answer(wid, "approve")).rejects.toBeInstanceOf(ValidationFailed);
  expect(await reef.waits.answer(wid, "yes", { value: [2], comment: "fine" })).toMatchObject({ state: "answered" });
  expect(await reef.tasks.wait(task_id)).toMatchObject({
    status: "completed",
    retry_count: 0,
    result: { early: { n: 1 }, decision: "yes", value: [2], approved: false, late: true, asked: false, last: true },
  });
  expect(await reef.waits.wait(wid)).toMatchObject({ state: "answered" });
  // The signal was there, so the first wait did not leave it; each other one did.
  const half = { half: true };
  expect(runs).toEqual([null, null, half, half, half]);
  expect(errors).toEqual([]);
  await node.close();
  await running;
});

it("a decision outlives the worker that asked", async () => {
  const hub = await Hub.start("--variable", "heartbeat_timeout_seconds=5");
  const workers: ChildProcess[] = [];
  let said = "";
  const start = () => {
    const env = { ...process.env, REEF_HUB: hub.url, REEF_API_KEY: hub.key };
    const program = new URL("waiting.mjs", import.meta.url).pathname;
    const child = spawn(process.execPath, [program], { env, stdio: ["ignore", "pipe", "inherit"] });
    child.stdout.setEncoding("utf8").on("data", (piece) => {
      said += piece;
    });
    workers.push(child);
    return child;
  };
  try {
    const reef = hub.client({ retryFor: 60_000 });
    const rest = { required_skills: ["pay"], parameters: { amount: 120 }, max_retries: 0 };
    const { task_id } = await reef.tasks.submit("pay", rest);
    const first = start();
    const wid = await openWait(reef, task_id, "approval");
    first.kill("SIGKILL");
    await once(first, "close");
    await reef.waits.answer(wid, "approve", { value: { amount: 100 } });
    const second = start();
    await openWait(reef, task_id, "signal");
    second.kill("SIGKILL");
    await once(second, "close");
    await hub.restart();
    await reef.tasks.signal(task_id, "receipt", 7);
    const third = start();
    const done = await reef.tasks.wait(task_id);
    expect(done).toMatchObject({ status: "completed", retry_count: 0, result: { amount: 100, receipt: 7 } });
    third.kill("SIGTERM");
    expect(await once(third, "close")).toEqual([0, null]);
    expect(said.trim().split("\n")).toEqual(["began", "began", "decided", "began", "decided", "paid", "gone"]);
  } finally {
    for (const child of workers) child.kill("SIGKILL");
    await hub.stop();
  }
});

it("children are submitted once, and fan in", async () => {
  const skill = unique("skill");
  await using node = await reef.node(unique("node"), { skills: [skill], capacity: 20 });
  node.task({ name: "map" }, ({ parameters }) => {
    if (parameters["n"] === 3) throw new Retry("three is odd");
    return Number(parameters["n"]) ** 2;
  });
  let runs = 0;
  node.task({ name: "sum" }, async (task) => {
    const tasks = Array.from(
      { length: 120 },
      (_, n): NewTask => ({ name: "map", required_skills: [skill], parameters: { n }, max_retries: 0 }),
    );
    tasks[119]!.after = [{ task: "#0" }, { task: "#1", on: "ended" }];
    if (runs++ === 0) {
      // As if the process died between their submission and the wait: the hub does not take this one.
      return task.children(tasks, { until: "never" as "any" });
    }
    const children = await task.children(tasks);
    expect(await task.children([])).toEqual([]);
    const ends = await task.waitFor({ task_ids: [children[0]!.task_id] });
    const sum = children.reduce((sum, { result }) => sum + Number(result ?? 0), 0);
    const failed = children.flatMap(({ status }, n) => (status === "failed" ? [n] : []));
    return { sum, failed, ends: Object.values(ends.statuses) };
  });
  const running = node.run();
  const { task_id } = await reef.tasks.submit("sum", { required_skills: [skill] });
  await eventually("its first try", async () => (await reef.tasks.get(task_id)).retry_count === 1);
  await reef.tasks.retry(task_id);
  const sum = Array.from({ length: 120 }, (_, n) => n * n).reduce((sum, square) => sum + square) - 9;
  expect((await reef.tasks.wait(task_id)).result).toEqual({ sum, failed: [3], ends: ["completed"] });
  const group = `children.${task_id}.0.0`;
  expect(await reef.groups.wait(group)).toMatchObject({ total: 120, failed: 1, sealed: true, parent: task_id });
  const listed: string[] = [];
  for await (const child of reef.groups.tasks(group, { limit: 50 })) listed.push(child.task_id);
  expect(listed).toEqual(Array.from({ length: 120 }, (_, n) => `${group}.${n}`));
  expect(runs).toBe(3);
  await node.close();
  await running;
});

it("a flow hands results on, and is cancelled as a whole", async () => {
  const skill = unique("skill");
  const required_skills = [skill];
  {
    await using node = await reef.node(unique("node"), { skills: [skill] });
    node.task({ name: "first" }, () => "one");
    node.task({ name: "last" }, (task) => task.inputs);
    const running = node.run();
    const { group_id, tasks, on_end } = await reef.tasks.batch(
      [
        { name: "first", required_skills },
        { name: "last", required_skills, after: [{ task: "#0" }] },
      ],
      { group: { name: "flow", on_end: { name: "last", required_skills } } },
    );
    const end = await reef.tasks.wait(on_end!.task_id);
    expect(end.result).toEqual([{ group_id, status: "completed" }]);
    const [one, two] = tasks.map(({ task_id }) => task_id);
    expect((await reef.tasks.get(two!)).result).toEqual([{ task_id: one, status: "completed", result: "one" }]);
    expect(await reef.groups.get(group_id!)).toMatchObject({ status: "completed", completed: 2, name: "flow" });
    await node.close();
    await running;
  }
  const { group_id, tasks } = await reef.tasks.batch(
    [
      { name: "a", required_skills },
      { name: "b", required_skills, after: [{ task: "#0", on: "failed" }] },
      { name: "c", required_skills, approval: { question: "Do it?" } },
    ],
    { group: { sealed: false } },
  );
  expect(tasks.map(({ status }) => status)).toEqual(["pending", "waiting", "waiting"]);
  expect(await reef.groups.cancel(group_id!)).toBe(3);
  expect(await reef.groups.wait(group_id!)).toMatchObject({ cancelled: 3 });
  expect(await reef.groups.retry(group_id!)).toBe(3);
  expect(await reef.groups.get(group_id!)).toMatchObject({ open: 3 });
  await reef.groups.cancel(group_id!);
  await expect(reef.groups.get(unique("none"))).rejects.toBeInstanceOf(NotFound);
});

it("a question comes before the work, and what was decided stays", async () => {
  const skill = unique("skill");
  await using node = await reef.node(unique("node"), { skills: [skill] });
  node.task(async (task) => {
    await task.sleep(0.01);
    const taken = await task.signals();
    return [task.decision?.decision, taken.map(({ payload }) => payload)];
  });
  const running = node.run();
  const approval = { question: "Delete it?", options: [{ value: "yes", label: "Yes, all of it" }] };
  const { task_id, status } = await reef.tasks.submit("delete", { required_skills: [skill], approval });
  expect(status).toBe("waiting");
  const wid = await openWait(reef, task_id, "approval");
  await reef.tasks.signal(task_id, "note", 1);
  await reef.waits.answer(wid, "yes");
  expect((await reef.tasks.wait(task_id)).result).toEqual(["yes", [1]]);
  await expect(reef.waits.answer(wid, "no")).rejects.toBeInstanceOf(Conflict);
  await node.close();
  await running;
});

it("a handler that waits otherwise than before is told", async () => {
  const skill = unique("skill");
  await using node = await reef.node(unique("node"), { skills: [skill] });
  let runs = 0;
  node.task(async (task) => {
    if (runs++ === 0) await task.sleep(0.01);
    await task.waitForSignal("x");
  });
  const running = node.run();
  const { task_id } = await reef.tasks.submit("fickle", { required_skills: [skill] });
  const { status, error } = await reef.tasks.wait(task_id);
  expect(status).toBe("failed");
  expect(error).toBe("the handler waits otherwise than before: wait 1 was for sleep, and is for signal x");
  await node.close();
  await running;
});

it("a handler that keeps the exception reports nothing", async () => {
  const skill = unique("skill");
  await using node = await reef.node(unique("node"), { skills: [skill], capacity: 1 });
  let left = 0;
  node.task(async (task) => {
    try {
      return (await task.waitForSignal("go")).value;
    } catch (error) {
      expect(error).toBeInstanceOf(Waiting);
      expect(task.signal.aborted).toBe(true);
      await expect(task.sleep(1)).rejects.toBeInstanceOf(Waiting);
      left++;
      return "too early";
    }
  });
  const running = node.run();
  const { task_id } = await reef.tasks.submit("stubborn", { required_skills: [skill], max_retries: 0 });
  await eventually("its wait", () => left === 1);
  // The next one runs, so that the first has been left for good.
  const { task_id: other } = await reef.tasks.submit("stubborn", { required_skills: [skill] });
  await reef.tasks.signal(other, "go", "other");
  expect((await reef.tasks.wait(other)).result).toBe("other");
  expect((await reef.tasks.get(task_id)).status).toBe("waiting");
  await reef.tasks.signal(task_id, "go", "gone");
  expect(await reef.tasks.wait(task_id)).toMatchObject({ result: "gone", retry_count: 0 });
  await node.close();
  await running;
});
