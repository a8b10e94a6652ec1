import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { eventually } from "./hub.ts";

const PROGRAMS = ["chromium", "chromium-browser", "google-chrome", "chrome"];
type Params = Record<string, unknown>;

/** Headless Chromium, driven over a pipe: JSON with NULs between. */
export class Browser {
  readonly #folder = mkdtempSync(join(tmpdir(), "reef-chromium-"));
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { done: (value: Params) => void; failed: (error: Error) => void }>();
  #next = 1;

  constructor() {
    const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"];
    const quiet = ["--disable-background-networking", "--disable-component-update", "--no-proxy-server"];
    this.#child = spawn(
      program(),
      [...flags, ...quiet, "--remote-debugging-pipe", `--user-data-dir=${this.#folder}`, "about:blank"],
      { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
    );
    let rest = "";
    (this.#child.stdio[4] as Readable).setEncoding("utf8").on("data", (text: string) => {
      const messages = (rest + text).split("\0");
      rest = messages.pop() ?? "";
      for (const message of messages) this.#heed(JSON.parse(message));
    });
  }

  async open(url: string): Promise<Page> {
    const { targetId } = await this.call("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.call("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, String(sessionId));
    await page.call("Page.enable");
    await page.call("Page.navigate", { url });
    return page;
  }

  call(method: string, params: Params = {}, sessionId?: string): Promise<Params> {
    const id = this.#next++;
    (this.#child.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((done, failed) => this.#waiting.set(id, { done, failed }));
  }

  async close(): Promise<void> {
    const ended = once(this.#child, "exit");
    await this.call("Browser.close");
    await ended;
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #heed({ id, result, error }: { id?: number; result: Params; error?: { message: string } }): void {
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    if (id !== undefined) this.#waiting.delete(id);
    if (error) waiting?.failed(new Error(error.message));
    else waiting?.done(result);
  }
}

export class Page {
  readonly #browser: Browser;
  readonly #session: string;

  constructor(browser: Browser, session: string) {
    this.#browser = browser;
    this.#session = session;
  }

  call(method: string, params: Params = {}): Promise<Params> {
    return this.#browser.call(method, params, this.#session);
  }

  async eval<T>(expression: string): Promise<T> {
    const params = { expression, awaitPromise: true, returnByValue: true };
    const answer = await this.call("Runtime.evaluate", params);
    if (answer["exceptionDetails"]) throw new Error(JSON.stringify(answer["exceptionDetails"]));
    return (answer["result"] as { value: T }).value;
  }

  /** Waits until an expression is true; it may not make sense before. */
  async until(expression: string): Promise<void> {
    await eventually(expression, () => this.eval<boolean>(`Boolean(${expression})`).catch(() => false));
  }

  reload(): Promise<Params> {
    return this.call("Page.reload");
  }

  async screenshot(file: string): Promise<void> {
    const { data } = await this.call("Page.captureScreenshot");
    writeFileSync(file, Buffer.from(String(data), "base64"));
  }
}

function program(): string {
  for (const name of PROGRAMS) {
    for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
      try {
        accessSync(join(folder, name));
        return name;
      } catch {}
    }
  }
  throw new Error("there is no Chromium on the PATH");
}
