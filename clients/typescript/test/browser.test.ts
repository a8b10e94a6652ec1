import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Browser } from "./browser.ts";
import { Hub } from "./hub.ts";

const examples = new URL("../examples/chat/", import.meta.url);
const started: ChildProcess[] = [];
let browser: Browser;
let hub: Hub;
let page: string;

/** Starts a program of the examples, and returns the first line that it writes. */
async function start(name: string, env: Record<string, string>): Promise<string> {
  const child = spawn(process.execPath, [new URL(name, examples).pathname], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  started.push(child);
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return line;
}

beforeAll(async () => {
  page = await start("serve.mjs", { PORT: "0" });
  hub = await Hub.start("--variable", `cors_origins=${page}`);
  await start("agent.mjs", { REEF_HUB: hub.url, REEF_API_KEY: hub.key, PACE_MS: "30" });
  browser = new Browser();
});

afterAll(async () => {
  await browser?.close();
  for (const child of started) child.kill("SIGKILL");
  await hub?.stop();
});

it("the package streams a message in a browser", async () => {
  const reef = hub.client();
  const session = await reef.sessions.create();
  const { answer } = await session.send("Tell me.");
  const tab = await browser.open(page);
  await tab.until("document.readyState === 'complete'");
  const reading = tab.eval<{ text: string; types: string[]; error: string }>(`(async () => {
    const { Reef, NotFound } = await import("./reef-agents/index.js");
    const reef = new Reef(${JSON.stringify(hub.url)}, { key: ${JSON.stringify(hub.key)} });
    const types = [];
    let text = "";
    globalThis.begun = true;
    for await (const event of reef.session(${JSON.stringify(session.id)}).message(${JSON.stringify(answer.id)}).stream()) {
      types.push(event.type);
      text += event.delta;
    }
    // A POST, too, with its headers from another origin.
    const sent = await reef.session(${JSON.stringify(session.id)}).send("Thanks.");
    const error = await reef.tasks.get("nothing").catch((error) => error instanceof NotFound && error.name);
    return { types, text, error };
  })()`);
  await tab.until("globalThis.begun");
  const out = await answer.writer({ delay: 0 });
  let written = "";
  for (let n = 0; n < 50; n++) {
    written += `${n} 🦀\n`;
    await out.write(`${n} 🦀\n`);
    await out.flush();
  }
  await out.complete();
  const { text, types, error } = await reading;
  expect(text).toBe(written);
  expect(types.at(-1)).toBe("message_end");
  expect(error).toBe("NotFound");
});

it("the chat page survives a reload in the middle of an answer", async () => {
  const tab = await browser.open(page);
  await tab.until("document.querySelector('#enter:not([hidden])')");
  await tab.eval(`(() => {
    document.getElementById("hub").value = ${JSON.stringify(hub.url)};
    document.getElementById("key").value = ${JSON.stringify(hub.key)};
    document.getElementById("enter").requestSubmit();
  })()`);
  await tab.until("document.querySelector('#say:not([hidden])')");
  await tab.eval(`(() => {
    document.getElementById("text").value = "What is a reef?";
    document.getElementById("say").requestSubmit();
  })()`);
  const answer = "document.querySelector('li.assistant')";
  await tab.until(`${answer}.textContent.length > 60`);
  const before = await tab.eval<string>(`${answer}.textContent`);
  await tab.eval("globalThis.isOld = true");
  await tab.reload();
  await tab.until(`!globalThis.isOld && ${answer}.textContent.length > ${before.length}`);
  // It is still being written: the reload fell into its middle.
  expect(await tab.eval(`${answer}.getAttribute("aria-busy")`)).toBe("true");
  if (process.env["REEF_TEST_SCREENSHOTS"]) await tab.screenshot(process.env["REEF_TEST_SCREENSHOTS"]);
  await tab.until(`!${answer}.hasAttribute("aria-busy")`);
  const id = await tab.eval<string>("location.hash.slice(1)");
  const messages = [];
  for await (const message of hub.client().session(id).messages()) messages.push(message);
  expect(messages.map(({ role, is_complete }) => [role, is_complete])).toEqual([
    ["user", true],
    ["assistant", true],
  ]);
  expect(messages[1]!.text.startsWith(before)).toBe(true);
  const shown = await tab.eval("Array.from(document.querySelectorAll('#messages li'), (it) => it.textContent)");
  expect(shown).toEqual(["What is a reef?", messages[1]!.text]);
  expect(await tab.eval("document.getElementById('state').textContent")).toBe("");
});
