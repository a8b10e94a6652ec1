// The agent behind the chat page. Put your model where `answerTo` is.

import { setTimeout as wait } from "node:timers/promises";
import { fromEnvironment, untilStopped } from "reef-agents/node";

const PACE_MS = Number(process.env.PACE_MS ?? 60);

async function* answerTo(question) {
  const words = `You said: “${question}”. A reef is built by many small animals, each of which does little. `;
  for (const word of `${words}${"None of them leads, and the reef outlives them all. ".repeat(3)}`.split(/(?<= )/)) {
    await wait(PACE_MS);
    yield word;
  }
}

const reef = fromEnvironment();
const node = await reef.node("chat-agent", { skills: ["simple", "chat"], capacity: 8 });

node.task({ lease: 15 }, async (task) => {
  const out = await task.message();
  // What an earlier try has written, before its process died, is not written again.
  let written = 0;
  for await (const piece of answerTo(task.description)) {
    task.raiseIfCancelled();
    written += piece.length;
    if (written > out.existing.length) await out.write(piece);
  }
});

console.log(`${node.id} answers`);
await node.run({ signal: untilStopped() });
await node.close();
