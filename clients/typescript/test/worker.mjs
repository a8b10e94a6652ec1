// A worker as people write one, in a process of its own, so that it can be killed and stopped.
// It writes a line to standard output for whatever it does.

import { fromEnvironment, untilStopped } from "../dist/node.js";

const [name, capacity, lease, ms] = process.argv.slice(2);
const say = (what, id) => process.stdout.write(`${what} ${id}\n`);
const reef = fromEnvironment({ retryFor: 60_000 });
const node = await reef.node(name, {
  skills: ["work"],
  capacity: Number(capacity),
  onError: (error, task) => say(`refused:${error.name}`, task?.id),
});
node.task({ lease: Number(lease) }, async (task) => {
  say("began", task.id);
  await new Promise((done) => setTimeout(done, Number(ms)));
  say("did", task.id);
  return { by: name };
});
say("ready", node.id);
await node.run({ signal: untilStopped() });
await node.close();
say("gone", node.id);
