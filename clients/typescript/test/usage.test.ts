import { expect, inject, it as test } from "vitest";
import { NotFound, Reef, ValidationFailed } from "../src/index.ts";
import { eventually } from "./hub.ts";

const it = test.concurrent;
const { url, key } = inject("hub");
const reef = new Reef(url, { key });
let made = 0;
const unique = (stem: string) => `${stem}-u${process.pid}-${made++}`;

it("reports what a handler has used, and its budget stops it", async () => {
  const [skill, model] = [unique("skill"), unique("model")];
  await using node = await reef.node(unique("node"), { skills: [skill], onError: () => {} });
  const tries: unknown[] = [];
  node.task({ lease: 10 }, async (task) => {
    tries.push(task.checkpoint);
    if (task.checkpoint === null) {
      task.save({ page: 1 });
      await task.used({ provider: "p", model, input: 10, output: 5, cached: 4, cost: "0.5" });
      expect(task.budget).toEqual({ cost_left: "0.25", exceeded: false });
      await task.used({ provider: "p", model, input: 10, cost: "0.25" });
      expect(task.signal.aborted).toBe(true);
      task.raiseIfCancelled();
    }
    await task.used({ model, input: 1 });
    return "done";
  });
  const running = node.run();
  const budget = { cost: "0.75" };
  const { task_id } = await reef.tasks.submit("work", { required_skills: [skill], user_id: skill, budget });
  const wait = await eventually("a question", async () => {
    for await (const wait of reef.waits.list({ kind: "approval" })) if (wait.task_id === task_id) return wait;
    return undefined;
  });
  await reef.waits.answer(wait.wait_id, "approve");
  const task = await reef.tasks.wait(task_id);
  expect(task).toMatchObject({ status: "completed", result: "done" });
  expect(tries).toEqual([null, { page: 1 }]);
  expect(task.usage).toMatchObject({ input: 21, output: 5, cached: 4, requests: 3, cost: "0.75" });
  const { rows } = await reef.usage.show({ by: "user" });
  expect(rows.some((row) => row.key === skill)).toBe(true);
  await node.close();
  await running;
});

it("is paid for what it completes", async () => {
  const [buyer, seller, skill] = [unique("buyer"), unique("seller"), unique("skill")];
  const keys: string[] = [];
  for (const id of [buyer, seller]) keys.push((await reef.agents.register({ agent_id: id })).api_key ?? "");
  const [asking, working] = keys.map((it) => new Reef(url, { key: it }));
  if (asking === undefined || working === undefined) throw new Error("no keys");
  await asking.ledger.deposit(buyer, "5");
  await using node = await working.node(unique("node"), { skills: [skill] });
  node.task({ lease: 10 }, async (task) => task.costs("1.5"));
  const running = node.run();
  const { task_id } = await asking.tasks.submit("work", { required_skills: [skill], charge: { max: "2" } });
  await asking.tasks.wait(task_id);
  await eventually("the payment", async () => (await asking.tasks.get(task_id)).paid);
  expect((await working.ledger.balance(seller)).balance).toBe("1.5");
  expect(await asking.ledger.balance(buyer)).toMatchObject({ balance: "3.5", locked: "0" });
  await node.close();
  await running;
});

it("sets budgets and prices", async () => {
  const [user, model] = [unique("a user"), `p/${unique("model")}`];
  const budget = await reef.budgets.set("user", user, { cost: "5", period: "day", on_exceed: "cancel" });
  expect(budget).toMatchObject({ cost: "5", cost_used: "0", exceeded: false });
  expect(await reef.budgets.get("user", user)).toMatchObject({ period: "day" });
  const ids: string[] = [];
  for await (const { id } of reef.budgets.list({ limit: 1 })) ids.push(id);
  expect(ids).toContain(user);
  await reef.budgets.remove("user", user);
  await expect(reef.budgets.get("user", user)).rejects.toBeInstanceOf(NotFound);
  await expect(reef.budgets.set("user", user, {})).rejects.toBeInstanceOf(ValidationFailed);
  await reef.prices.set(model, { input: "1.5", output: "2" });
  const price = (await reef.prices.list()).find((it) => it.model === model);
  expect(price).toMatchObject({ input: "1.5", cached: "1.5" });
  await reef.prices.remove(model);
});
