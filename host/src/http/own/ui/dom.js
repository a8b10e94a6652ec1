// Small words for building the page, and the times that it shows.

export const at = (id) => document.getElementById(id);

/** An element with this text; text is never read as HTML. */
export function make(tag, text, className) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

/** Sets a text only if it differs, so that screen readers do not say it again. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Shows `items` as children of `parent`, in their order. An element lives as long as its item's
 * key is there and is built anew only when `print(item)` differs, so that focus, selection and
 * scrolling stay.
 */
export function showAll(parent, items, keyOf, print, build) {
  const known = new Map([...parent.children].map((element) => [element.dataset.key, element]));
  const shown = items.map((item) => {
    const key = keyOf(item), printed = print(item);
    const old = known.get(key);
    if (old && old.dataset.printed === printed) return old;
    const element = build(item);
    element.dataset.key = key;
    element.dataset.printed = printed;
    return element;
  });
  for (const element of parent.querySelectorAll(":scope > *")) {
    if (!shown.includes(element)) element.remove();
  }
  shown.forEach((element, index) => {
    if (parent.children[index] !== element) parent.insertBefore(element, parent.children[index] ?? null);
  });
}

let ahead = 0;

/** Notes what time the hub has; its clock may differ from this browser's. */
export function setHubTime(text) {
  const time = Date.parse(text);
  if (!Number.isNaN(time)) ahead = time - Date.now();
}

/** The time on the hub's clock, in milliseconds since 1970. */
export const hubNow = () => Date.now() + ahead;

export const clock = (when) => new Date(when).toLocaleTimeString([], { hour12: false });

/** How long ago that was on the hub's clock. */
function age(when) {
  const seconds = Math.max(0, Math.round((hubNow() - Date.parse(when)) / 1000));
  if (seconds < 120) return seconds + " s";
  return seconds < 7200 ? Math.round(seconds / 60) + " min" : Math.round(seconds / 3600) + " h";
}

/** Makes an element show the age of a time, from now on and by itself. */
export function showAge(element, when) {
  element.dataset.when = when;
  say(element, age(when));
  return element;
}

setInterval(() => {
  for (const element of document.querySelectorAll("[data-when]")) say(element, age(element.dataset.when));
}, 1000);
