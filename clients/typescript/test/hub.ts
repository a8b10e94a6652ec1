import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Reef, type ReefOptions } from "../src/node.ts";

/** The source tree, of which this package is a part; it may have been copied out of it. */
export const TREE = new URL(
  process.env["REEF_TREE"] ? `file://${process.env["REEF_TREE"]}/` : "../../../",
  import.meta.url,
);

/** A hub of our own, with its private Redis, in a folder that goes away with it. */
export class Hub {
  url = "";
  readonly folder = mkdtempSync(join(tmpdir(), "reef-ts-"));
  readonly #flags: string[];
  #process: ChildProcess | undefined;
  #log = "";

  private constructor(flags: string[]) {
    this.#flags = flags;
  }

  static async start(...flags: string[]): Promise<Hub> {
    const hub = new Hub(flags);
    await hub.up();
    return hub;
  }

  get key(): string {
    return readFileSync(join(this.folder, "admin.key"), "utf8").trim();
  }

  client(options: ReefOptions = {}): Reef {
    return new Reef(this.url, { key: this.key, ...options });
  }

  /** Starts it, at the address where it was before. */
  async up(): Promise<void> {
    const program = process.env["REEF_BIN"];
    if (!program) throw new Error("REEF_BIN names no hub: set it to the program `reef`");
    const address = this.url.replace("http://", "") || "127.0.0.1:0";
    const flags = ["up", "--listen", address, "--state-dir", this.folder, ...this.#flags];
    const isOurs = (name: string) => name !== "REEF_SPIN_FILE" && /^(REEF|REDIS|SPIN|CLAWSTER)_/.test(name);
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOurs(name)));
    const child = spawn(program, flags, { cwd: this.folder, env, stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    child.stderr.on("data", (text) => {
      this.#log += text;
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const served = line.match(/^Serving (http\S+)/)?.[1];
      if (!served) continue;
      this.url = served;
      child.stdout.resume();
      return;
    }
    throw new Error(`the hub did not start: ${this.#log}`);
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null) return;
    child.kill(signal);
    await once(child, "exit");
  }

  async restart(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    await this.kill(signal);
    await this.up();
  }

  /** Kills the private Redis, which the hub starts anew. */
  killRedis(): void {
    const pid = this.#redis();
    if (pid === undefined) throw new Error("there is no private Redis");
    process.kill(pid, "SIGKILL");
  }

  async stop(): Promise<void> {
    await this.kill("SIGTERM");
    // One that was killed leaves its Redis to its successor, and there is none.
    const pid = this.#redis();
    if (pid !== undefined) process.kill(pid, "SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }

  #redis(): number | undefined {
    const list = execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" });
    const mine = list.split("\n").find((line) => line.includes("redis-server") && line.includes(this.folder));
    return mine ? Number(mine.trim().split(" ")[0]) : undefined;
  }
}

/** Waits until something is there. */
export async function eventually<T>(what: string, find: () => Promise<T | undefined | false> | T | undefined | false) {
  const until = Date.now() + 60_000;
  for (;;) {
    const found = await find();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > until) throw new Error(`not within a minute: ${what}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}
