import { expect, inject, it as test } from "vitest";
import {
  Fenced,
  InsufficientBalance,
  InvalidRegistration,
  MessageFailed,
  NotFound,
  Reef,
  Reject,
  Retry,
  type RunningTask,
  Unauthenticated,
  UnexpectedAnswer,
  ValidationFailed,
} from "../src/index.ts";
import { fromEnvironment } from "../src/node.ts";
import { eventually } from "./hub.ts";

// They share a hub, and mostly wait.
const it = test.concurrent;
const { url, key } = inject("hub");
const reef = new Reef(url, { key });
let made = 0;
const unique = (stem: string) => `${stem}-${process.pid}-${made++}`;

it("a node registers, is found by its skill, drains, and signs off", async () => {
  const name = unique("gpu");
  const skill = unique("skill");
  {
    await using node = await reef.node(name, { skills: [skill], capacity: 2, tags: ["lab"] });
    let drained = 0;
    node.onDrain(() => drained++);
    expect((await reef.nodes.withSkill(skill)).map(({ node_id }) => node_id)).toEqual([name]);
    expect(await reef.nodes.get(name)).toMatchObject({ status: "online", max_concurrent_tasks: 2, tags: ["lab"] });
    await reef.nodes.change(name, { status: "maintenance" });
    await eventually("the drain", () => drained === 1 && node.isDraining);
  }
  expect((await reef.nodes.get(name)).status).toBe("offline");
  const all: string[] = [];
  for await (const { node_id } of reef.nodes.list({ limit: 1 })) all.push(node_id);
  expect(all).toContain(name);
  expect(new Set(all).size).toBe(all.length);
});

it("a node that was forgotten registers again; one that was replaced ends", async () => {
  const name = unique("node");
  await using node = await reef.node(name, { skills: ["x"], onError: () => {} });
  await reef.nodes.remove(name);
  await eventually("another registration", () => reef.nodes.get(name).catch(() => undefined));
  node.task(() => {});
  const running = node.run();
  await reef.nodes.register({ hostname: name, platform: "linux", arch: "x64", available_skills: ["x"] });
  await expect(running).rejects.toBeInstanceOf(Fenced);
  expect(node.signal.aborted).toBe(true);
});

it("handlers get the tasks of their names, and say how those end", async () => {
  const skill = unique("skill");
  await using node = await reef.node(unique("node"), { skills: [skill], capacity: 3 });
  const stop = new AbortController();
  node.task({ name: "render", lease: 2 }, async (task) => {
    await task.progress(0.5);
    expect((await reef.tasks.get(task.id)).progress).toBe(0.5);
    return { frames: task.parameters["frames"] };
  });
  node.task({ name: "reject" }, () => {
    throw new Reject("not like this");
  });
  node.task({ name: "again" }, (task) => {
    if (task.claimed.retry_count === 0) throw new Retry("once more");
    return "now";
  });
  node.task(() => {
    throw new Error("broken");
  });
  const running = node.run({ signal: stop.signal });
  const submit = (name: string, rest = {}) =>
    reef.tasks.submit(name, { required_skills: [skill], max_retries: 1, ...rest }).then(({ task_id }) => task_id);
  const ids = [
    await submit("render", { parameters: { frames: 12 } }),
    await submit("reject"),
    await submit("again"),
    await submit("other", { max_retries: 0 }),
  ];
  const ended = await Promise.all(ids.map((id) => reef.tasks.wait(id)));
  expect(ended.map(({ status, result, error }) => [status, result ?? error])).toEqual([
    ["completed", { frames: 12 }],
    ["failed", "not like this"],
    ["completed", "now"],
    ["failed", "Error: broken"],
  ]);
  stop.abort();
  await running;
});

it("a lease is renewed by itself, and a cancelled task's signal ends", async () => {
  const skill = unique("skill");
  await using node = await reef.node(unique("node"), { skills: [skill] });
  let seen: RunningTask | undefined;
  let enough = () => {};
  const long = new Promise<void>((done) => {
    enough = done;
  });
  node.task({ lease: 2 }, async (task) => {
    seen = task;
    if (task.name === "long") return long.then(() => task.signal.aborted);
    await new Promise((done) => task.signal.addEventListener("abort", done));
    task.raiseIfCancelled();
  });
  const running = node.run();
  const { task_id: kept } = await reef.tasks.submit("long", { required_skills: [skill] });
  await eventually("a claim", () => seen);
  // Longer than its lease; it is the passing of time that is tested here.
  await new Promise((done) => setTimeout(done, 5000));
  enough();
  expect(await reef.tasks.wait(kept)).toMatchObject({ status: "completed", result: false, retry_count: 0 });
  seen = undefined;
  const { task_id } = await reef.tasks.submit("endless", { required_skills: [skill] });
  const task = await eventually("a claim", () => seen);
  await reef.tasks.cancel(task_id);
  await eventually("its signal", () => task.signal.aborted);
  expect(task.signal.reason.name).toBe("Cancelled");
  await node.close();
  await running;
  expect((await reef.tasks.get(task_id)).status).toBe("cancelled");
});

it("what is not finished in time goes back when the node is closed", async () => {
  const skill = unique("skill");
  const node = await reef.node(unique("node"), { skills: [skill], onError: () => {} });
  const stop = new AbortController();
  node.task((task) => {
    stop.abort();
    return new Promise((_, no) => task.signal.addEventListener("abort", () => no(task.signal.reason)));
  });
  const { task_id } = await reef.tasks.submit("endless", { required_skills: [skill] });
  await node.run({ signal: stop.signal, drain: 0.1 });
  expect((await reef.tasks.get(task_id)).assigned_node).toBe(node.id);
  await node.close();
  expect(await reef.tasks.get(task_id)).toMatchObject({ status: "pending", retry_count: 0 });
});

it("a session's task is answered in pieces, and read while it is written", async () => {
  const skill = unique("skill");
  const text = Array.from({ length: 200 }, (_, n) => `${n} 🦀 é\n`).join("");
  await using node = await reef.node(unique("node"), { skills: ["simple", skill] });
  node.task(async (task) => {
    const out = await task.message();
    for (const piece of text.match(/[\s\S]{1,7}/g) ?? []) await out.write(piece);
    await out.block({ content_type: "code", code: { code: "x + 1", language: "rust" } });
    await out.write("The end.");
    return { words: 3 };
  });
  const running = node.run();
  const session = await reef.sessions.open(unique("session"));
  expect((await reef.sessions.open(session.id)).id).toBe(session.id);
  const { answer, taskId } = await session.ask("Say it.", { required_skills: [skill] });
  let read = "";
  for await (const piece of answer.text()) read += piece;
  expect(read).toBe(`${text}The end.`);
  expect(await reef.tasks.wait(taskId)).toMatchObject({ status: "completed", result: { words: 3 } });
  const types: string[] = [];
  for await (const event of answer.stream()) types.push(event.type);
  expect(types[0]).toBe("message_start");
  expect(types.at(-1)).toBe("message_end");
  // What is written while a request is under way goes with the next: far fewer events than pieces.
  expect(types.filter((type) => type === "text_delta").length).toBeLessThan(text.length / 7 / 2);
  const again: string[] = [];
  for await (const event of answer.stream({ after: "2" })) again.push(event.type);
  expect(again).toEqual(types.slice(2));
  await node.close();
  await running;
});

it("a session does one thing at a time", async () => {
  const required_skills = [unique("skill")];
  const session = await reef.sessions.create({ if_busy: "reject" });
  const first = await session.ask("One.", { required_skills });
  await expect(session.ask("Two.", { required_skills })).rejects.toThrow(first.taskId);
  await session.ask("Instead.", { required_skills, if_busy: "rollback" });
  expect(await reef.tasks.get(first.taskId)).toMatchObject({ status: "cancelled" });
  expect(await first.answer.get()).toMatchObject({ is_complete: true, metadata: { superseded: true } });
});

it("a stream that begins behind the log has the message as it is", async () => {
  const { answer } = await (await reef.sessions.create()).send("Much.");
  const out = await answer.writer();
  let text = "";
  const body = (delta: string) => reef.messages.append(answer.id, { delta });
  for (let n = 0; n < 1050; n += 50) {
    const deltas = Array.from({ length: 50 }, (_, at) => `${n + at},`);
    for (const delta of deltas) await body(delta);
    text += deltas.join("");
  }
  await out.complete("tired");
  const types: string[] = [];
  for await (const event of answer.stream()) types.push(event.type);
  expect(types[0]).toBe("snapshot");
  let read = "";
  const reading = (async () => {
    for await (const piece of answer.text()) read += piece;
  })();
  await reading.catch((error) => expect(error).toBeInstanceOf(MessageFailed));
  expect(read).toBe(text);
});

it("two writers of one producer: the older epoch is fenced", async () => {
  const { answer } = await (await reef.sessions.create()).send("Hm?");
  const old = await answer.writer({ producer: { id: "p", epoch: 1 } });
  await old.write("one ");
  await old.flush();
  const next = await answer.writer({ producer: { id: "p", epoch: 2 } });
  expect(next.existing).toBe("one ");
  await next.write("two");
  await next.flush();
  await old.write("three");
  await expect(old.flush()).rejects.toBeInstanceOf(Fenced);
  await expect(old.write("four")).rejects.toBeInstanceOf(Fenced);
  await next.complete();
  expect((await answer.get()).text).toBe("one two");
});

it("mail is acknowledged when its handler returns, and comes again when it throws", async () => {
  const agent = unique("bob");
  await using _node = await reef.node(agent, { skills: ["mail"] });
  const inbox = reef.inbox(agent);
  const stop = new AbortController();
  const handled: unknown[] = [];
  const failed: unknown[] = [];
  await inbox.send("alice", { n: 1 }, { topic: "data" });
  const running = inbox.handle(
    (mail) => {
      handled.push(mail.content);
      if (handled.length === 1) throw new Error("not yet");
      stop.abort();
    },
    { lease: 2, pollMs: 50, signal: stop.signal, onError: (error) => failed.push(error) },
  );
  await running;
  expect(handled).toEqual([{ n: 1 }, { n: 1 }]);
  expect(failed).toHaveLength(1);
  expect(await inbox.look()).toMatchObject({ depth: 0 });
  await inbox.send("alice", "late");
  const [mail] = await inbox.receive({ lease_ms: 100 });
  await eventually("the end of its lease", () => !mail!.isOurs());
  await eventually("it again", async () => (await inbox.receive()).length > 0);
  await expect(mail!.ack()).rejects.toThrow("comes again");
});

it("one leads, and the next after it", async () => {
  const [one, two] = [unique("one"), unique("two")];
  await using first = await reef.node(one, { skills: ["lead"] });
  await using second = await reef.node(two, { skills: ["lead"] });
  const lead = await reef.leadership(first, { ttl: 3 });
  expect(await reef.cluster.leader()).toMatchObject({ leader: one, term: lead.term });
  const waiting = reef.leadership(second, { ttl: 3 });
  // Longer than its time: renewed by itself.
  await new Promise((done) => setTimeout(done, 5000));
  expect(lead.holds()).toBe(true);
  await lead.run(() => {});
  expect(lead.signal.aborted).toBe(true);
  await using next = await waiting;
  expect(next.term).toBeGreaterThan(lead.term);
  await reef.nodes.shutDown(two);
  await eventually("the loss", () => next.signal.aborted);
});

it("money moves once, in strings", async () => {
  const [alice, bob] = [unique("alice"), unique("bob")];
  const registered = await reef.agents.register({ agent_id: alice });
  await reef.agents.register({ agent_id: bob });
  const hers = new Reef(url, { key: registered.api_key! });
  expect(await hers.agents.me()).toMatchObject({ agent: { agent_id: alice } });
  await hers.ledger.deposit(alice, "100");
  const twice = { idempotencyKey: "pay-1", memo: "for the GPU" };
  const paid = [
    await hers.ledger.transfer(alice, bob, "12.5", twice),
    await hers.ledger.transfer(alice, bob, "12.5", twice),
  ];
  expect(paid[0]).toEqual(paid[1]);
  expect(await hers.ledger.balance(alice)).toMatchObject({ balance: "87.5", available: "87.5" });
  await expect(hers.ledger.transfer(alice, bob, "1000")).rejects.toBeInstanceOf(InsufficientBalance);
  const hold = await hers.ledger.hold(alice, "10");
  expect(await hers.ledger.post(hold.hold_id, bob, "4")).toMatchObject({ posted: "4" });
  expect(await hers.ledger.balance(alice)).toMatchObject({ balance: "83.5", locked: "0" });
  const amounts: string[] = [];
  for await (const entry of hers.ledger.entries({ agent_id: alice })) amounts.push(entry.kind);
  expect(amounts).toContain("transfer");
});

it("errors have classes, and say what to do", async () => {
  await expect(reef.tasks.get("nothing")).rejects.toBeInstanceOf(NotFound);
  await expect(new Reef(url, { key: "reef_x" }).tasks.stats()).rejects.toBeInstanceOf(Unauthenticated);
  const broken = reef.tasks.submit("x", { priority: 9 });
  await expect(broken).rejects.toMatchObject({ name: "ValidationFailed", errors: [{ field: "priority" }] });
  await expect(broken).rejects.toBeInstanceOf(ValidationFailed);
  const refused = reef.nodes.register({ hostname: "x", platform: "linux", arch: "x64", available_skills: [] });
  await expect(refused).rejects.toBeInstanceOf(InvalidRegistration);
  await expect(reef.request("GET", "/docs")).rejects.toBeInstanceOf(UnexpectedAnswer);
});

it("what has no method is asked for by its path", async () => {
  expect(await reef.request("get", "/api/v1/tasks", { query: { limit: 1 } })).toBeInstanceOf(Array);
  const events = reef.cluster.stream({ after: "0" });
  expect((await events.next()).value?.id).toMatch(/^\d+-\d+$/);
  await events.return();
});

it("the environment says where the hub is", async () => {
  process.env["REEF_HUB"] = url;
  process.env["REEF_API_KEY"] = key;
  expect(await fromEnvironment().tasks.stats()).toBeTypeOf("object");
});
