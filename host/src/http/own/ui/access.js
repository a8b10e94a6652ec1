// Reading from the hub, and signing in to do so: EventSource cannot send a key, a cookie can.

import { at, say } from "./dom.js";

// The cookie itself is out of a page's reach, so that the page notes that there is one.
const NOTE = "reef-signed-in";
// Behind it stands the code of a link; see sign_in_link.rs.
const LINK = "#sign-in=";
let start = () => {};

function noteSignedIn(isSo) {
  if (isSo) localStorage.setItem(NOTE, "yes"); else localStorage.removeItem(NOTE);
  at("out").hidden = !isSo;
}

/** Whether somebody has signed in, as far as the page knows. */
export const isSignedIn = () => Boolean(localStorage.getItem(NOTE));

/** Asks for a key, in place of all that the page shows. */
export function askForKey() {
  noteSignedIn(false);
  if (!at("sign").hidden) return;
  at("sign").hidden = false;
  at("key").focus();
}

/** Whether the page waits for somebody to sign in. */
export const isLocked = () => !at("sign").hidden;

/** Reads a path of the hub; nothing when the hub does not answer. */
export async function get(path, options) {
  const answer = await fetch(path, { cache: "no-store", ...options }).catch(() => null);
  if (answer?.status === 401) askForKey();
  return answer;
}

/** Reads JSON; nothing unless the answer is a success. */
export async function getJson(path) {
  const answer = await get(path);
  return answer?.ok ? answer.json().catch(() => null) : null;
}

/** Why an answer is no success, as the hub says it. */
export async function reason(answer) {
  const problem = await answer.json().catch(() => null);
  return problem?.detail ?? "The hub answered " + answer.status + ".";
}

/** Exchanges a key, or a link's code, for the cookie; says why where there is none. */
async function exchange(secret) {
  const headers = { Authorization: "Bearer " + secret };
  const answer = await fetch("/ui/session", { method: "POST", headers }).catch(() => null);
  const why = answer ? await reason(answer) : "This host does not answer.";
  if (answer?.ok) noteSignedIn(true);
  say(at("sign-answer"), answer?.ok ? "" : why);
  return Boolean(answer?.ok);
}

async function signIn(event) {
  event.preventDefault();
  const key = at("key").value.trim();
  at("key").value = "";
  if (await exchange(key)) enter(); else at("key").focus();
}

function enter() {
  at("sign").hidden = true;
  start();
}

/**
 * Signs in by the code of a link, if the address has one, and takes it out of the address; says
 * whether it did.
 */
export async function signInByLink() {
  if (!location.hash.startsWith(LINK)) return false;
  const code = location.hash.slice(LINK.length);
  history.replaceState(null, "", location.pathname + location.search);
  return exchange(code);
}

async function signOut() {
  await fetch("/ui/session", { method: "DELETE" });
  noteSignedIn(false);
  location.reload();
}

/** Wires the form; `whenSignedIn` is called each time that somebody has signed in. */
export function prepareAccess(whenSignedIn) {
  start = whenSignedIn;
  at("sign-form").addEventListener("submit", signIn);
  at("out").addEventListener("click", signOut);
  // A link that is opened in a page which is there already.
  addEventListener("hashchange", async () => {
    if (await signInByLink() && isLocked()) enter();
  });
  at("out").hidden = !isSignedIn();
}
