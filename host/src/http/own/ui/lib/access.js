// Reading from the hub, and signing in to do so: EventSource cannot send a key, a cookie can.

import { store } from "./store.js";
import { t } from "./words.js";

// The cookie itself is out of a page's reach, so that the page notes that there is one.
const NOTE = "reef-signed-in";
// Behind it stands the code of a link; see sign_in_link.rs.
const LINK = "#sign-in=";

/** `unknown` until the hub has answered once, then `open` or `locked`: a key is needed. */
export const door = store("unknown");
/** Who reads, as the hub says: `{agent_id, key_id, scopes}`; null for somebody without a key. */
export const reader = store(null);
/** Whether somebody has signed in, as far as the page knows. */
export const signedIn = store(Boolean(localStorage.getItem(NOTE)));

/** What the hub, or the lack of it, says instead of an answer. */
export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail ?? (status ? t("problem.status", { status }) : t("problem.silent")));
    this.status = status;
    this.code = body?.code ?? "";
    this.errors = body?.errors ?? [];
    this.requestId = body?.request_id ?? "";
  }

  /** Whether the hub has no such route at all. */
  get isNoRoute() {
    return this.status === 404 && /no (such )?route|is a monitor/i.test(this.message);
  }
}

function noteSignedIn(isSo) {
  if (isSo) localStorage.setItem(NOTE, "yes"); else localStorage.removeItem(NOTE);
  signedIn.set(isSo);
}

/** Asks for a key, in place of all that the page shows. */
export function askForKey() {
  noteSignedIn(false);
  reader.set(null);
  door.set("locked");
}

/** Asks a path of the hub; null when nothing answers. */
export async function ask(path, options) {
  const answer = await fetch(path, { cache: "no-store", ...options }).catch((error) => {
    if (error.name === "AbortError") throw error;
    return null;
  });
  if (answer?.status === 401) askForKey();
  return answer;
}

/** Reads a path of the hub: `{body, next}`, where `next` is the cursor of what follows. */
export async function read(path, { signal } = {}) {
  const answer = await ask("/api/v1" + path, { signal });
  if (!answer) throw new Problem(0);
  const body = await answer.json().catch(() => null);
  if (!answer.ok || body === null) throw new Problem(answer.status, body);
  const following = /[?&]cursor=([^&>]+)[^>]*>;\s*rel="?next/.exec(answer.headers.get("Link") ?? "");
  return { body, next: following ? decodeURIComponent(following[1]) : body.next_cursor ?? null };
}

/** The same, when only the body matters. */
export const get = async (path, options) => (await read(path, options)).body;

/** A path with its parts and its query written as they must be. */
export function at(parts, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const search = new URLSearchParams(given).toString();
  return "/" + parts.map(encodeURIComponent).join("/") + (search ? "?" + search : "");
}

/** Notes whose key it is; says whether the hub has answered. */
export async function lookWhoReads() {
  if (!signedIn.get()) return reader.set(null);
  const me = await get("/auth/me").catch(() => null);
  reader.set(me?.auth ?? null);
}

/** Exchanges a key, or a link's code, for the cookie; says why where there is none. */
export async function exchange(secret) {
  // What a header cannot carry is no key.
  if (!/^[\x21-\x7e]+$/.test(secret)) return t("sign.no_key");
  const headers = { Authorization: "Bearer " + secret };
  const answer = await fetch("/ui/session", { method: "POST", headers }).catch(() => null);
  if (answer?.ok) {
    noteSignedIn(true);
    return "";
  }
  return new Problem(answer?.status ?? 0, await answer?.json().catch(() => null)).message;
}

/**
 * Takes the code of a sign-in link out of the address, if it has one, and signs in by it: null where
 * there was none, else why it was refused, which is empty if it was not.
 */
export async function signInByLink() {
  if (!location.hash.startsWith(LINK)) return null;
  const code = location.hash.slice(LINK.length);
  history.replaceState(null, "", location.pathname + location.search);
  return exchange(code);
}

/** Takes the cookies away. */
export async function signOut() {
  await fetch("/ui/act", { method: "DELETE" }).catch(() => null);
  await fetch("/ui/session", { method: "DELETE" }).catch(() => null);
  noteSignedIn(false);
  location.reload();
}
