// A worker whose handler waits, in a process of its own, so that it can be killed. It writes a line to
// standard output for whatever it does.

import { fromEnvironment, untilStopped } from "../dist/node.js";

const say = (what) => process.stdout.write(`${what}\n`);
const reef = fromEnvironment({ retryFor: 60_000 });
const node = await reef.node("payer", { skills: ["pay"] });
node.task({ lease: 2 }, async (task) => {
  say("began");
  const { value, by } = await task.approval("Pay?", { details: task.parameters });
  say("decided");
  const receipt = await task.waitForSignal("receipt");
  say("paid");
  return { amount: value.amount, by, receipt: receipt.value };
});
await node.run({ signal: untilStopped() });
await node.close();
say("gone");
