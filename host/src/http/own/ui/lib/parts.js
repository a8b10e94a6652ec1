// Small pieces that several views show.

import { link } from "./router.js";
import { html, useState } from "./view.js";
import { called, t } from "./words.js";

const TONES = {
  online: "good", busy: "warn", maintenance: "warn", offline: "bad", error: "bad",
  running: "live", completed: "good", failed: "bad", timeout: "bad", cancelled: "dim", pending: "dim",
  scheduled: "dim", waiting: "warn", open: "live", active: "good", closed: "dim", suspended: "bad",
  started: "good", skipped: "dim", refused: "bad", answered: "good", expired: "warn", posted: "good", voided: "dim",
};

/** A status: a dot, whose colour is not alone in saying it, and its word. */
export const Status = ({ of, kind = "status" }) => html`<span class=${"dot " + (TONES[of] ?? "dim")}>${called(kind, of)}</span>`;

export const Tag = ({ children }) => html`<span class="tag">${children}</span>`;
export const Tags = ({ of = [], most = 4 }) => html`<span class="tags">${of.slice(0, most).map((it) => html`<span class="tag" key=${it}>${it}</span>`)}
  ${of.length > most && html`<span class="dim" title=${of.slice(most).join(", ")}>+${of.length - most}</span>`}</span>`;

/** A link to a place in this page. */
export const To = ({ path, query, children, class: name, title }) => html`<a href=${link(path, query)} class=${name} title=${title}>${children}</a>`;

export const TaskLink = ({ id }) => (id ? html`<${To} path=${["tasks", id]} class="mono">${id}<//>` : t("none"));
export const NodeLink = ({ id }) => (id ? html`<${To} path=${["nodes", id]} class="mono">${id}<//>` : t("none"));
export const AgentLink = ({ id }) => (id && !id.startsWith("@") ? html`<${To} path=${["agents", id]} class="mono">${id}<//>` : html`<span class="mono">${id || t("none")}</span>`);

/** A part of the view with a heading of its own. */
export function Panel({ title, note, children, actions, id, class: name = "" }) {
  return html`<section aria-labelledby=${id} class=${name}>
    <div class="head"><h2 id=${id}>${title}</h2>${note && html`<span class="dim">${note}</span>`}<span class="actions">${actions}</span></div>
    ${children}
  </section>`;
}

/** Facts: `[[word, what], …]`; those without a value are left out. `isRaw`: the words are others'. */
export function Facts({ of, isRaw }) {
  const given = of.filter((fact) => fact && fact[1] !== null && fact[1] !== undefined && fact[1] !== "");
  return html`<dl class=${isRaw ? "facts raw" : "facts"}>${given.map(([word, what]) => html`<div key=${word}><dt>${word}</dt><dd>${what}</dd></div>`)}</dl>`;
}

/** A share of a whole, with the words that say it. */
export function Bar({ part, whole, children, tone = "" }) {
  const share = whole > 0 ? Math.min(1, part / whole) : 0;
  return html`<span class=${"bar " + tone}><span class="bar-fill" style=${{ width: 100 * share + "%" }}></span><span class="bar-text">${children}</span></span>`;
}

/** Why something is not shown; what is already there stays beside it. */
export function Trouble({ problem, route }) {
  if (!problem) return null;
  if (problem.isNoRoute && route) return html`<p class="note">${t("trouble.no_route", { route })}</p>`;
  if (problem.status === 401) return null;
  if (problem.status === 403) return html`<p class="note">${t("trouble.forbidden")} ${problem.message}</p>`;
  if (problem.status === 0) return html`<p class="note warn">${t("problem.silent")}</p>`;
  return html`<p class="note warn">${problem.message}</p>`;
}

/** Copies a text, where the browser lets it, and says that it did. */
export function Copy({ text, children }) {
  const [isDone, note] = useState(false);
  if (!navigator.clipboard) return null;
  return html`<button type="button" class="plain" onClick=${async () => {
    await navigator.clipboard.writeText(text).then(() => note(true), () => null);
    setTimeout(() => note(false), 2000);
  }}>${isDone ? t("copied") : children ?? t("copy")}</button>`;
}

/** Parts of one view, of which one is shown; which one is in the address. */
export function Tabs({ of, current, query, path }) {
  return html`<nav class="tabs" aria-label=${t("tabs")}>${of.map(([name, word]) => html`<a key=${name} href=${link(path, { ...query, tab: name })}
    aria-current=${name === current ? "page" : undefined}>${word}</a>`)}</nav>`;
}
