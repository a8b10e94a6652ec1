import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, it } from "vitest";

const here = new URL("../", import.meta.url).pathname;

it("the packed package works where nothing else is", () => {
  const folder = mkdtempSync(join(tmpdir(), "reef-packed-"));
  try {
    const npm = (...args: string[]) =>
      execFileSync("npm", [...args, "--offline", "--no-audit", "--no-fund", "--loglevel=error"], {
        cwd: folder,
        encoding: "utf8",
      });
    writeFileSync(join(folder, "package.json"), '{"name": "empty", "version": "1.0.0", "type": "module"}');
    npm("pack", here, "--ignore-scripts");
    const [packed] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
    npm("install", `./${packed}`);
    expect(readdirSync(join(folder, "node_modules")).filter((name) => !name.startsWith("."))).toEqual(["reef-agents"]);
    writeFileSync(
      join(folder, "use.ts"),
      `import { NotFound, Reef, type Task } from "reef-agents";
import { fromEnvironment } from "reef-agents/node";
const reef: Reef = fromEnvironment();
const node = await reef.node("packed", { skills: ["packed"] });
const stop = new AbortController();
node.task((task) => {
  stop.abort();
  return task.parameters["n"];
});
const running = node.run({ signal: stop.signal });
const { task_id } = await reef.tasks.submit("x", { required_skills: ["packed"], parameters: { n: 42 } });
const task: Task = await reef.tasks.wait(task_id);
await running;
await node.close();
const error: unknown = await reef.tasks.get("nothing").catch((it: unknown) => it);
// @ts-expect-error an amount is a string
const wrong = () => reef.ledger.deposit("a", 1.5);
console.log(JSON.stringify([task.status, task.result, error instanceof NotFound, typeof wrong]));\n`,
    );
    const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
    const flags = ["--strict", "--target", "es2022", "--module", "nodenext"];
    const compiled = spawnSync(process.execPath, [tsc, ...flags, "use.ts"], { cwd: folder, encoding: "utf8" });
    expect(compiled.stdout).toBe("");
    const { url, key } = inject("hub");
    const printed = execFileSync(process.execPath, ["use.js"], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, REEF_HUB: url, REEF_API_KEY: key },
    });
    expect(JSON.parse(printed)).toEqual(["completed", 42, true, "function"]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
