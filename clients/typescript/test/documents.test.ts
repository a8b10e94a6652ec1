import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually, Hub, TREE } from "./hub.ts";

const text = readFileSync(new URL("docs/start/typescript.md", TREE), "utf8");
const blocks = (kind: string) =>
  Array.from(text.matchAll(new RegExp(`^\`\`\`${kind}\n(.*?)^\`\`\`$`, "gms")), ([, it]) => it!);
const [worker, ask, waiting, errors] = blocks("js") as [string, string, string, string];
// The first installs; those behind the programs' are about browsers.
const [, answered, waited, refused] = blocks("text") as [string, string, string, string];

let hub: Hub;
const folder = mkdtempSync(join(tmpdir(), "reef-document-"));
const started: ChildProcess[] = [];

function start(name: string, program: string) {
  writeFileSync(join(folder, name), program);
  const env: NodeJS.ProcessEnv = { ...process.env, REEF_HUB: hub.url };
  // As where one types: the key is found in the folder.
  for (const name of ["REEF_API_KEY", "REEF_KEY_FILE"]) delete env[name];
  const child = spawn(process.execPath, [name], { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
  started.push(child);
  const running = { child, output: "" };
  child.stdout.setEncoding("utf8").on("data", (piece) => {
    running.output += piece;
  });
  return running;
}

beforeAll(async () => {
  hub = await Hub.start("--variable", "heartbeat_timeout_seconds=5");
  symlinkSync(hub.folder, join(folder, ".reef"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(new URL("../", import.meta.url).pathname, join(folder, "node_modules/reef-agents"));
});

afterAll(async () => {
  for (const child of started) child.kill("SIGKILL");
  await hub?.stop();
  rmSync(folder, { recursive: true, force: true });
});

it("what the document shows is what happens, also when the worker is killed", async () => {
  expect(blocks("js")).toHaveLength(4);
  const first = start("worker.mjs", worker);
  const undisturbed = start("ask.mjs", ask);
  expect(await once(undisturbed.child, "close")).toEqual([0, null]);
  expect(undisturbed.output).toBe(answered);

  const disturbed = start("ask.mjs", ask);
  await eventually("half of the answer", () => disturbed.output.includes("fast!"));
  first.child.kill("SIGKILL");
  const second = start("worker.mjs", worker);
  expect(await once(disturbed.child, "close")).toEqual([0, null]);
  expect(disturbed.output).toBe(answered);

  const paying = start("waiting.mjs", waiting);
  expect(await once(paying.child, "close")).toEqual([0, null]);
  expect(paying.output).toBe(waited);

  const failing = start("errors.mjs", errors);
  expect(await once(failing.child, "close")).toEqual([0, null]);
  expect(failing.output).toBe(refused);
  second.child.kill("SIGTERM");
  expect(await once(second.child, "close")).toEqual([0, null]);
});
