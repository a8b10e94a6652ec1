import { expect, inject, it as test } from "vitest";
import { Conflict, NotFound, Reef, ValidationFailed } from "../src/index.ts";
import { eventually } from "./hub.ts";

const it = test.concurrent;
const { url, key } = inject("hub");
const reef = new Reef(url, { key });
let made = 0;
const unique = (stem: string) => `${stem}-s${process.pid}-${made++}`;

async function listed(): Promise<string[]> {
  const ids: string[] = [];
  for await (const { schedule_id } of reef.schedules.list({ limit: 1 })) ids.push(schedule_id);
  return ids;
}

it("submits tasks until it is paused", async () => {
  const pulse = unique("pulse");
  const schedule = await reef.schedules.set(pulse, {
    spec: { every_ms: 1000, start_at: new Date(Date.UTC(2025, 0, 1)) },
    task: { name: "pulse", required_skills: [pulse] },
    overlap: "allow",
    catch_up: { mode: "none" },
    note: "a test",
  });
  expect(schedule).toMatchObject({ overlap: "allow", paused: false, note: "a test", catch_up: { mode: "none" } });
  expect(schedule.spec.start_at).toBe("2025-01-01T00:00:00.000Z");
  await eventually("a run", async () => {
    for await (const task of reef.tasks.list({ label: `schedule:${pulse}` })) return task;
    return undefined;
  });
  const [triggered] = (await reef.schedules.trigger(pulse)).runs;
  expect(triggered).toMatchObject({ cause: "trigger", outcome: "started" });
  const task = await reef.tasks.get(triggered?.task_id ?? "");
  expect(task).toMatchObject({ name: "pulse", labels: { schedule: pulse } });
  const paused = await reef.schedules.pause(pulse, "at lunch");
  expect(paused).toMatchObject({ paused: true, note: "at lunch", next_at: null });
  const { runs } = await reef.schedules.get(pulse);
  expect(new Set(runs.map(({ cause }) => cause))).toEqual(new Set(["time", "trigger"]));
  const resumed = await reef.schedules.resume(pulse);
  expect(resumed).toMatchObject({ paused: false, note: "at lunch", next_at: expect.any(String) });
  expect((await reef.schedules.get(pulse)).upcoming).toHaveLength(5);
  await reef.schedules.remove(pulse);
  await expect(reef.schedules.get(pulse)).rejects.toBeInstanceOf(NotFound);
  expect((await reef.tasks.get(task.task_id)).status).toBe("pending");
});

it("makes up for a day of a calendar", async () => {
  const digest = unique("digest");
  const schedule = await reef.schedules.set(digest, {
    spec: { cron: "0 9,17 * * *", timezone: "Europe/Berlin" },
    task: { name: "digest", required_skills: [digest] },
    paused: true,
  });
  expect(schedule).toMatchObject({ overlap: "skip", paused: true, next_at: null });
  const day = { from: new Date("2025-07-01T00:00:00+02:00"), to: "2025-07-01T22:00:00Z" };
  const tooMany = reef.schedules.backfill(digest, { ...day, most: 1 });
  await expect(tooMany).rejects.toBeInstanceOf(ValidationFailed);
  expect((await reef.schedules.backfill(digest, day)).runs).toMatchObject([
    { due_at: "2025-07-01T07:00:00.000Z", cause: "backfill" },
    { due_at: "2025-07-01T15:00:00.000Z", cause: "backfill" },
  ]);
  expect((await reef.schedules.backfill(digest, day)).runs).toEqual([]);
  // Nothing waits for a run of the past.
  expect((await reef.schedules.trigger(digest)).runs).toHaveLength(1);
  await expect(reef.schedules.trigger(digest)).rejects.toBeInstanceOf(Conflict);
  expect((await reef.schedules.trigger(digest, "allow")).runs).toHaveLength(1);
  expect(await listed()).toContain(digest);
  await reef.schedules.remove(digest);
  expect(await listed()).not.toContain(digest);
});

it("refuses what is no time", async () => {
  const task = { name: "never" };
  const bad = reef.schedules.set(unique("bad"), { spec: { cron: "61 * * * *" }, task });
  await expect(bad).rejects.toBeInstanceOf(ValidationFailed);
  const never = new Date(Number.NaN);
  expect(() => reef.schedules.backfill("any", { from: never, to: never })).toThrow(RangeError);
});
