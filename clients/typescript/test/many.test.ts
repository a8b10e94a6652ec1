import { expect, inject, it as test } from "vitest";
import { Busy, Conflict, NotFound, Reef, Retry, Snooze } from "../src/index.ts";

const it = test.concurrent;
const { url, key } = inject("hub");
const reef = new Reef(url, { key });
let made = 0;
const unique = (stem: string) => `${stem}-m${process.pid}-${made++}`;

it("finds and edits tasks", async () => {
  const site = unique("site");
  const body = { required_skills: [site], labels: { site }, retry: { first_ms: 1500, jitter: 0 } };
  const { task_id, retry } = await reef.tasks.submit("fetch", body);
  expect(retry).toMatchObject({ first_ms: 1500, factor: 2, jitter: 0 });
  const find = async (query: { label?: string; "error~"?: string }) => {
    const found: string[] = [];
    for await (const task of reef.tasks.list({ name: "fetch", ...query })) found.push(task.task_id);
    return found;
  };
  expect(await find({ label: `site:${site}` })).toEqual([task_id]);
  expect(await find({ label: `site:${site}`, "error~": "such" })).toEqual([]);
  const edited = await reef.tasks.edit(task_id, { priority: 0, delay_ms: 3_600_000, labels: { other: site } });
  expect(edited).toMatchObject({ priority: 0, status: "scheduled" });
  expect(await find({ label: `site:${site}` })).toEqual([]);
  expect(await find({ label: `other:${site}` })).toEqual([task_id]);
  const late = reef.tasks.edit(task_id, { priority: 1, if_status: "waiting" });
  await expect(late).rejects.toBeInstanceOf(Conflict);
});

it("has one of a key, and fair shares", async () => {
  const key = unique("key");
  const required_skills = [unique("skill")];
  const first = await reef.tasks.submit("index", { required_skills, unique: { key } });
  const again = await reef.tasks.submit("index", { required_skills, unique: { key } });
  expect(again).toMatchObject({ task_id: first.task_id, deduplicated: true });
  // biome-ignore lint/suspicious/noThenProperty: the contract's word, and no function
  const replaces = { key, then: "replace" } as const;
  const other = await reef.tasks.submit("index", { required_skills, unique: replaces });
  expect(other.task_id).not.toBe(first.task_id);
  const shared = await reef.tasks.submit("index", { required_skills, fairness_key: "acme", fairness_weight: 2 });
  expect(shared).toMatchObject({ fairness_key: "acme" });
  expect(await reef.limits.weights()).toBeTypeOf("object");
});

it("changes many tasks at once", async () => {
  const site = unique("site");
  for (let n = 0; n < 3; n++) await reef.tasks.submit("fetch", { required_skills: [site], labels: { site } });
  const filter = { labels: { site } };
  expect(await reef.bulk.count("cancel", filter)).toMatchObject({ matched: 3, done: 0, status: "counted" });
  const tooMany = reef.bulk.start("cancel", filter, { most: 2, reason: "too many" });
  await expect(tooMany).rejects.toBeInstanceOf(Conflict);
  const { bulk_id } = await reef.bulk.start("cancel", filter, { most: 3, reason: "a test" });
  expect(await reef.bulk.wait(bulk_id)).toMatchObject({ status: "completed", done: 3, reason: "a test" });
  await expect(reef.bulk.stop(bulk_id)).rejects.toBeInstanceOf(Conflict);
});

it("a handler puts off, and says when to try again", async () => {
  const skill = unique("skill");
  await using node = await reef.node(unique("node"), { skills: [skill], onError: () => {} });
  const tries: number[] = [];
  node.task({ lease: 10 }, async (task) => {
    tries.push(task.claimed.retry_count);
    if (tries.length === 1) throw new Snooze("the provider is shut", { after: 10 });
    if (tries.length === 2) throw new Retry("429", { after: 10 });
    return tries.length;
  });
  const running = node.run();
  const { task_id } = await reef.tasks.submit("call", { required_skills: [skill] });
  expect(await reef.tasks.wait(task_id)).toMatchObject({ result: 3, retry_count: 1 });
  expect(tries).toEqual([0, 0, 1]);
  await node.close();
  await running;
});

it("sets limits, and a refusal shuts them", async () => {
  const [skill, limit] = [unique("skill"), unique("limit")];
  const made = await reef.limits.set(limit, { concurrency: 1, rates: [{ count: 100, per_ms: 1000 }] });
  expect(made).toMatchObject({ name: limit, concurrency: 1, paused: false });
  await using node = await reef.node(unique("node"), { skills: [skill], capacity: 4, onError: () => {} });
  let [running, most, tries] = [0, 0, 0];
  node.task({ lease: 10 }, async () => {
    most = Math.max(most, ++running);
    tries++;
    const first = tries === 1;
    await new Promise((resolve) => setTimeout(resolve, 10));
    running--;
    if (first) throw new Busy(limit, { after: 200 });
    return tries;
  });
  const working = node.run();
  const tasks = [1, 2, 3].map(() => ({ name: "call", required_skills: [skill], limits: [{ name: limit }] }));
  const { group_id } = await reef.tasks.batch(tasks, { group: {} });
  expect(await reef.groups.wait(group_id ?? "")).toMatchObject({ completed: 3 });
  expect([most, tries]).toEqual([1, 4]);
  expect((await reef.limits.get(limit)).penalised_at).not.toBeNull();
  await reef.limits.shut(limit, { retry_after_ms: 60_000 });
  expect((await reef.limits.get(limit)).shut_by).toBe("penalty");
  const names: string[] = [];
  for await (const { name } of reef.limits.list()) names.push(name);
  expect(names).toContain(limit);
  await reef.limits.remove(limit);
  await expect(reef.limits.get(limit)).rejects.toBeInstanceOf(NotFound);
  expect(await reef.limits.queue()).toEqual({ paused: false, paused_skills: [], paused_types: [] });
  await node.close();
  await working;
});
