// Whether the hub is well, for the page's head and for whoever warns.

import { store } from "./store.js";
import { t } from "./words.js";

/** `{isReady, isKnown, text, warnings, durability}` */
export const readiness = store({ isReady: false, isKnown: false, text: "", warnings: [], durability: [] });

/** Asks the host. */
export async function lookAtHub() {
  // A host that is not ready says why, so that this reads failures too.
  const answer = await fetch("/readyz", { cache: "no-store" }).catch(() => null);
  const body = await answer?.json().catch(() => null);
  const isReady = Boolean(answer?.ok);
  const next = {
    isReady, isKnown: true, text: isReady ? t("ready") : body?.detail ?? t("problem.silent"),
    warnings: body?.warnings ?? [], durability: body?.durability ?? [],
  };
  // Said only when it differs, so that nothing is drawn or read out again.
  if (JSON.stringify(next) !== JSON.stringify(readiness.get())) readiness.set(next);
}
