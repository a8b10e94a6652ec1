// Keys that go somewhere, and the dialog that names them.

import { Dialog } from "./dialog.js";
import { go } from "./router.js";
import { store, useStore } from "./store.js";
import { html } from "./view.js";
import { t } from "./words.js";

const NOTE = "reef-no-keys";
/** How long a second key may take after `g`. */
const PAIR_MS = 1500;
let lead = 0;

const isHelpOpen = store(false);
/** Whether single keys do something: who speaks to a machine, or shakes, may not want that. */
export const areKeysOn = store(!localStorage.getItem(NOTE));

const isTyping = (target) => target.matches?.("input:not([type=checkbox]), select, textarea, [contenteditable]");

/** Listens for keys; `places` maps a letter to the view that `g` and it go to. */
export function listenForKeys(places) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    if (!areKeysOn.get()) return;
    if (event.key === "?") isHelpOpen.set(true);
    else if (event.key === "/") document.querySelector("[data-filter=first]")?.focus();
    else if (event.key === "g") { lead = Date.now(); return; }
    else if (Date.now() - lead < PAIR_MS && places[event.key]) { lead = 0; go(places[event.key]); }
    else return;
    event.preventDefault();
  });
}

/** Opens the dialog that names the keys. */
export const showKeys = () => isHelpOpen.set(true);

/** That dialog. `pairs` are `[letter, name of the view]`. */
export function Help({ pairs }) {
  const isOpen = useStore(isHelpOpen), isOn = useStore(areKeysOn);
  if (!isOpen) return null;
  const turn = (event) => {
    if (event.target.checked) localStorage.removeItem(NOTE); else localStorage.setItem(NOTE, "yes");
    areKeysOn.set(event.target.checked);
  };
  const rows = [["?", t("keys.help")], ["/", t("keys.filter")], ["j  k", t("keys.rows")], ["x", t("keys.choose")],
    ["Enter", t("keys.enter")], ["a  r", t("keys.approve")], ["Esc", t("keys.close")], ...pairs.map(([letter, name]) => ["g  " + letter, name])];
  return html`<${Dialog} title=${t("keys.title")} onClose=${() => isHelpOpen.set(false)}>
    <dl class="keys">${rows.map(([key, what]) => html`<div key=${key}><dt>${key.split("  ").map((it) => html`<kbd key=${it}>${it}</kbd>`)}</dt><dd>${what}</dd></div>`)}</dl>
    <label class="check"><input type="checkbox" checked=${isOn} onChange=${turn} /><span>${t("keys.on")}</span></label>
  <//>`;
}
