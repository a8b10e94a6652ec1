// Queues tasks and has one worker run them; says how long that took and how much memory. The hub and
// the key are those of the environment: use a hub of its own.
//
//   npm run build && REEF_HUB=… REEF_API_KEY=… node scripts/ten-thousand.mjs [TASKS] [CAPACITY]

import { fromEnvironment } from "../dist/node.js";

const tasks = Number(process.argv[2] ?? 10_000);
const capacity = Number(process.argv[3] ?? 50);
const reef = fromEnvironment();
const seconds = (from) => ((performance.now() - from) / 1000).toFixed(1);
const mib = (bytes) => `${Math.round(bytes / 2 ** 20)} MiB`;

let from = performance.now();
let next = 0;
const submitter = async () => {
  while (next < tasks) await reef.tasks.submit("bench", { parameters: { n: next++ }, required_skills: ["bench"] });
};
await Promise.all(Array.from({ length: 32 }, submitter));
console.log(`submitted ${tasks} in ${seconds(from)} s`);

const errors = [];
const node = await reef.node("bench", { skills: ["bench"], capacity, onError: (error) => errors.push(error) });
const stop = new AbortController();
const seen = new Set();
let twice = 0;
let most = 0;
global.gc?.();
const before = process.memoryUsage();
from = performance.now();
node.task((task) => {
  const { n } = task.parameters;
  if (seen.has(n)) twice++;
  seen.add(n);
  most = Math.max(most, process.memoryUsage.rss());
  if (seen.size === tasks) stop.abort();
  return { n };
});
await node.run({ signal: stop.signal });
const took = (performance.now() - from) / 1000;
await node.close();
global.gc?.();
const after = process.memoryUsage();

const stats = await reef.tasks.stats();
console.log(`ran ${seen.size} in ${took.toFixed(1)} s: ${Math.round(seen.size / took)} a second, ${capacity} at once`);
console.log(`run twice: ${twice}; errors: ${errors.length}; by the hub: ${JSON.stringify(stats)}`);
console.log(
  `resident ${mib(before.rss)} before, ${mib(most)} at most; heap ${mib(before.heapUsed)} before, ${mib(after.heapUsed)} after`,
);
