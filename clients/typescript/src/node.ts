/** What only Node has: the environment, key files and signals. */

import { readFileSync } from "node:fs";
import { Reef, type ReefOptions } from "./index.ts";

export * from "./index.ts";

/** Where `reef up` leaves the admin's key, below the folder that it was started in. */
const LOCAL_KEY = ".reef/admin.key";
const LOCAL_HUB = "http://127.0.0.1:8888";

/**
 * A hub as the command line finds it: `REEF_HUB`; the key from `keyFile`, `REEF_API_KEY` or
 * `REEF_KEY_FILE`, else the one of a hub that was started in this folder.
 */
export function fromEnvironment(options: ReefOptions & { url?: string; keyFile?: string } = {}): Reef {
  const { url = process.env["REEF_HUB"] || LOCAL_HUB, keyFile, ...rest } = options;
  const key = rest.key ?? keyOf(keyFile, url);
  return new Reef(url, key === undefined ? rest : { ...rest, key });
}

function keyOf(keyFile: string | undefined, url: string): string | undefined {
  if (keyFile !== undefined) return readFileSync(keyFile, "utf8").trim();
  if (process.env["REEF_API_KEY"]) return process.env["REEF_API_KEY"];
  if (process.env["REEF_KEY_FILE"]) return readFileSync(process.env["REEF_KEY_FILE"], "utf8").trim();
  // The key of a hub on this machine is no other hub's business.
  if (!["127.0.0.1", "localhost", "[::1]"].includes(new URL(url).hostname)) return undefined;
  try {
    return readFileSync(LOCAL_KEY, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** Aborted by SIGTERM or SIGINT, for `node.run`. A second one ends the process as ever. */
export function untilStopped(): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => stop.abort());
  return stop.signal;
}
