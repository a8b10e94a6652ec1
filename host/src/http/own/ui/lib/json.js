// Free JSON as a tree that can be folded. A large one is drawn as far as somebody opens it.

import { safeLink, html, useState } from "./view.js";
import { Copy } from "./parts.js";
import { t } from "./words.js";

const SHOWN = 100;
const LONG = 300;

function Text({ of }) {
  const [isWhole, open] = useState(false);
  const address = of.length < 2000 ? safeLink(of) : undefined;
  if (address && !/\s/.test(of)) return html`<a href=${address} rel="noopener noreferrer" target="_blank">${JSON.stringify(of)}</a>`;
  const cut = !isWhole && of.length > LONG;
  return html`<span class="json-text">${JSON.stringify(cut ? of.slice(0, LONG) : of)}${cut && html`…
    <button type="button" class="plain" onClick=${() => open(true)}>${t("json.whole", { n: of.length })}</button>`}</span>`;
}

function Value({ of, depth }) {
  if (of === null || typeof of === "boolean") return html`<span class="json-word">${String(of)}</span>`;
  if (typeof of === "number") return html`<span class="json-number">${String(of)}</span>`;
  if (typeof of === "string") return html`<${Text} of=${of} />`;
  return html`<${Branch} of=${of} depth=${depth} />`;
}

function Branch({ of, depth }) {
  const isList = Array.isArray(of);
  const entries = Object.entries(of);
  const [isOpen, open] = useState(depth < 2 && entries.length <= SHOWN);
  const [most, show] = useState(SHOWN);
  if (entries.length === 0) return html`<span class="json-word">${isList ? "[]" : "{}"}</span>`;
  const about = isList ? t("json.list", { n: entries.length }) : t("json.object", { n: entries.length });
  return html`<span><button type="button" class="json-fold" aria-expanded=${String(isOpen)} onClick=${() => open(!isOpen)}>${about}</button>
    ${isOpen && html`<ul class="json">${entries.slice(0, most).map(([name, value]) => html`<li key=${name}>
      <span class="json-name">${name}</span> <${Value} of=${value} depth=${depth + 1} /></li>`)}
      ${entries.length > most && html`<li><button type="button" class="plain" onClick=${() => show(most + 10 * SHOWN)}>${t("json.more", { n: entries.length - most })}</button></li>`}
    </ul>`}</span>`;
}

/** A value as a tree, which can be copied whole. */
export function Json({ of, label }) {
  if (of === null || of === undefined) return html`<p class="empty">${t("none")}</p>`;
  return html`<div class="json-box mono" role="group" aria-label=${label}><${Value} of=${of} depth=${0} /> <${Copy} text=${JSON.stringify(of, null, 2)} /></div>`;
}
