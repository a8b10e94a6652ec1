// Whether the hub is well, in the page's head.

import { at, make, say, showAll } from "./dom.js";

const GIVEN = { at_once: "with every write", awaited: "on request", no: "not here" };

/** A level of durability, how it is given, and why. */
function level(it) {
  const item = make("li", it.level + ": " + (GIVEN[it.given] ?? it.given), it.given === "no" ? "dim" : "good");
  item.append(make("span", it.why, "dim why"));
  return item;
}

/** Asks the host. */
export async function lookAtHub() {
  // A host that is not ready says why, so that this reads failures too.
  const answer = await fetch("/readyz", { cache: "no-store" }).catch(() => null);
  const body = await answer?.json().catch(() => null);
  const isReady = Boolean(answer?.ok);
  say(at("state"), isReady ? "Ready" : body?.detail ?? "This host does not answer");
  at("state").className = isReady ? "good" : "bad";
  const levels = body?.durability ?? [];
  at("durability").hidden = levels.length === 0;
  showAll(at("levels"), levels, (it) => it.level, (it) => JSON.stringify(it), level);
  showAll(at("warnings"), body?.warnings ?? [], String, String, (warning) => make("li", warning));
}
