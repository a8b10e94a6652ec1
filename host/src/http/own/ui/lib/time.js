// Times as the page shows them, by the hub's clock.

import { store, useStore } from "./store.js";
import { html, useMemo } from "./view.js";
import { language, t } from "./words.js";

let ahead = 0;

/** Notes what time the hub has; its clock may differ from this browser's. */
export function setHubTime(text) {
  const time = Date.parse(text);
  if (!Number.isNaN(time)) ahead = time - Date.now();
}

/** The time on the hub's clock, in milliseconds since 1970. */
export const hubNow = () => Date.now() + ahead;

// One clock for all ages; it stands still while nobody looks.
const second = store(0);
setInterval(() => document.hidden || second.set(Math.floor(hubNow() / 1000)), 1000);

/** A length of time in a few letters. */
export function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (ms > 0 && ms < 1000) return t("span.ms", { n: Math.round(ms) });
  if (seconds < 120) return t("span.s", { n: seconds });
  if (seconds < 7200) return t("span.min", { n: Math.round(seconds / 60) });
  if (seconds < 48 * 3600) return t("span.h", { n: Math.round(seconds / 3600) });
  return t("span.d", { n: Math.round(seconds / 86400) });
}

// To make a format takes longer than to draw a row, and each row has its times.
const formats = new Map();
function formatted(when, fields) {
  const date = new Date(when);
  if (Number.isNaN(date.getTime())) return String(when);
  const chosen = language.get();
  const key = chosen + Object.keys(fields);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(chosen === "zh" ? "zh-CN" : undefined, { ...fields, hour12: false }));
  return formats.get(key).format(date);
}

/** The time of day. */
export const clock = (when) => formatted(when, { hour: "numeric", minute: "numeric", second: "numeric" });

/** Day and time, in the browser's zone. */
export function moment(when) {
  if (!when) return t("none");
  return formatted(when, { dateStyle: "medium", timeStyle: "medium" });
}

/** How long ago a time is, from now on and by itself. */
export function Age({ at }) {
  useStore(second);
  const title = useMemo(() => moment(at), [at, language.get()]);
  if (!at) return t("none");
  return html`<time dateTime=${at} title=${title}>${span(hubNow() - Date.parse(at))}</time>`;
}

/** How long it is until a time; `over` once it has come. */
export function Until({ at, over }) {
  useStore(second);
  if (!at) return t("none");
  const left = Date.parse(at) - hubNow();
  return html`<time dateTime=${at} title=${moment(at)}>${left > 0 ? t("in", { span: span(left) }) : over ?? t("now")}</time>`;
}

/** A moment, written out. */
export const Moment = ({ at }) => (at ? html`<time dateTime=${at}>${moment(at)}</time>` : t("none"));
