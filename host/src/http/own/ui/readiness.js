// Whether the hub is well, in the page's head.

import { at, make, say, showAll } from "./dom.js";

/** Asks the host. */
export async function lookAtHub() {
  // A host that is not ready says why, so that this reads failures too.
  const answer = await fetch("/readyz", { cache: "no-store" }).catch(() => null);
  const body = await answer?.json().catch(() => null);
  const isReady = Boolean(answer?.ok);
  say(at("state"), isReady ? "Ready" : body?.detail ?? "This host does not answer");
  at("state").className = isReady ? "good" : "bad";
  showAll(at("warnings"), body?.warnings ?? [], String, String, (warning) => make("li", warning));
}
