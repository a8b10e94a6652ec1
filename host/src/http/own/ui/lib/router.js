// Where the reader is: the address' fragment, `#/view/id?filter=value`. All that a view shows by
// choice is in it, so that an address can be kept, sent and gone back to.

import { store } from "./store.js";

function decode(word) {
  try { return decodeURIComponent(word); } catch { return ""; }
}

/** An address' fragment as `{path, query}`. */
export function parse(hash) {
  const [path, query] = hash.replace(/^#\/?/, "").split("?", 2);
  // The addresses of the page before this one: #<session>/<message>.
  if (!hash.startsWith("#/") && path.includes("/")) {
    const [session, message] = path.split("/").map(decode);
    return { path: ["sessions", session], query: { message } };
  }
  return { path: path.split("/").filter(Boolean).map(decode), query: Object.fromEntries(new URLSearchParams(query)) };
}

/** The address of a place; filters without a value are left out. */
export function link(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const search = new URLSearchParams(given).toString();
  return "#/" + path.map(encodeURIComponent).join("/") + (search ? "?" + search : "");
}

/** The place where the reader is. */
export const place = store(parse(location.hash));
const read = () => place.set(parse(location.hash));
addEventListener("hashchange", read);

/** Goes to a place. */
export function go(path, query) {
  location.hash = link(path, query);
}

/** Changes filters of this place, without a step in the history. */
export function filterBy(changes) {
  const { path, query } = place.get();
  history.replaceState(history.state, "", link(path, { ...query, ...changes }));
  read();
}
