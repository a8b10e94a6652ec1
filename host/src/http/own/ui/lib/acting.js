// The right to change something. It is given for an hour, for the key once more, and is none of the
// page's: a cookie out of its reach, and a token that is kept here in memory and nowhere else.

import { Problem, reader, signedIn } from "./access.js";
import { store } from "./store.js";
import { t } from "./words.js";

const PATH = "/ui/act";

/** `{csrf, agentId, scopes, expiresAt}` while there is the right, else null. */
export const right = store(null);
/** Whether this hub gives such a right at all. */
export const isOffered = store(true);
/** Set while the dialog that asks for the key is wanted: what is done once there is the right. */
export const wish = store(null);

const noted = (body) => ({
  csrf: body.csrf, agentId: body.agent_id ?? reader.get()?.agent_id, expiresAt: body.expires_at,
  scopes: body.scopes ?? reader.get()?.scopes ?? [],
});

/** Looks after a reload whether the right is there still. */
export async function lookForRight() {
  if (!signedIn.get()) return;
  const answer = await fetch(PATH, { cache: "no-store" }).catch(() => null);
  if (answer?.status === 404) isOffered.set(false);
  const body = answer?.ok ? await answer.json().catch(() => null) : null;
  right.set(body?.acting ? noted(body) : null);
}

/** Asks for the right with a key; says why where it is not given. */
export async function acquire(key) {
  if (!/^[\x21-\x7e]+$/.test(key)) return t("sign.no_key");
  const headers = { Authorization: "Bearer " + key };
  const answer = await fetch(PATH, { method: "POST", headers }).catch(() => null);
  const body = await answer?.json().catch(() => null);
  if (answer?.status === 404) {
    isOffered.set(false);
    return t("act.not_offered");
  }
  if (!answer?.ok || !body) return new Problem(answer?.status ?? 0, body).message;
  right.set(noted(body));
  return "";
}

/** Gives the right up. */
export async function giveUp() {
  await fetch(PATH, { method: "DELETE" }).catch(() => null);
  right.set(null);
}

/**
 * Whether a button is offered for what needs this scope: by the right if there is one, else by the
 * key that reads. A hub that asks for no keys lets anybody write.
 */
export function mayEver(scope) {
  const scopes = right.get()?.scopes ?? reader.get()?.scopes;
  if (!scopes) return !signedIn.get() && scope === "write";
  return scopes.includes(scope) || (scope !== "trade" && scopes.includes("admin"));
}

/** Does something once there is the right to it, for which the key may have to be asked for. */
export function withRight(act) {
  if (right.get() || !signedIn.get()) act(); else wish.set(act);
}

// --- writing --------------------------------------------------------------------------------------

/** A name for one wish, by which the hub does it once however often it is sent. */
export function newKey() {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return "page-" + [...random].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// A wish whose answer was lost keeps its name over a reload, so that it is not done a second time.
const sentUnder = new Map();
// It is that of one who acts: what another asks for by the same words is another thing.
const pendingName = (method, path, text) => ["reef-sent:" + (right.get()?.agentId ?? ""), method, path, text].join(" ");

/**
 * Changes something: `send("POST", "/tasks/x/cancel", {}, {key, reason})`. Throws a Problem; one of
 * status 0 says that no answer came, and that it can be sent again.
 */
export async function send(method, path, body, { key = newKey(), reason } = {}) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const name = pendingName(method, path, text ?? "");
  // Another wish in the same dialog, after the first was refused, has a name of its own.
  const isOther = sentUnder.has(key) && sentUnder.get(key) !== name;
  const lost = sessionStorage.getItem(name);
  const wished = lost ?? (isOther ? newKey() : key);
  sentUnder.set(key, name);
  const headers = { "Reef-Via": "page" };
  if (text !== undefined) headers["Content-Type"] = "application/json";
  if (method === "POST") headers["Idempotency-Key"] = wished;
  if (method === "POST" || method === "DELETE") sessionStorage.setItem(name, wished);
  // Browsers send no more than ASCII in a header: the rest is written as RFC 8187 has it.
  if (reason) headers["Reef-Reason"] = /^[\x20-\x7e]*$/.test(reason) ? reason : "UTF-8''" + encodeURIComponent(reason);
  if (right.get()) headers["X-Reef-Csrf"] = right.get().csrf;
  // That the key which acts is refused says nothing of the one that reads.
  const answer = await fetch("/api/v1" + path, { method, headers, body: text, cache: "no-store" }).catch(() => null);
  if (!answer) throw new Problem(0);
  const said = await answer.json().catch(() => null);
  // A fault of the hub, or a way that broke, leaves open what was done.
  if (said !== null && answer.status < 500) sessionStorage.removeItem(name);
  if (answer.ok && said !== null) return said;
  // What was to be removed when an answer was lost is removed.
  if (method === "DELETE" && said?.code === "not_found" && lost) return {};
  // The right has ended before its time was over.
  if ([401, 403].includes(answer.status) && right.get()) await lookForRight();
  throw new Problem(answer.status, said);
}
