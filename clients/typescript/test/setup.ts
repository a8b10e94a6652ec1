import type { TestProject } from "vitest/node";
import { Hub } from "./hub.ts";

declare module "vitest" {
  interface ProvidedContext {
    hub: { url: string; key: string };
  }
}

/** One hub for all tests that leave it as it is. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Heartbeats come the more often, the shorter it is.
  const hub = await Hub.start("--variable", "heartbeat_timeout_seconds=10");
  project.provide("hub", { url: hub.url, key: hub.key });
  return () => hub.stop();
}
