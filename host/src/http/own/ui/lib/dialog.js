// Dialogs: the browser's own, which keep the focus and close by Escape.

import { html, useLayoutEffect, useRef } from "./view.js";
import { t } from "./words.js";

/** A dialog that is open for as long as it is there. */
export function Dialog({ title, onClose, children, class: name = "" }) {
  const box = useRef(null);
  useLayoutEffect(() => {
    const dialog = box.current, before = document.activeElement;
    dialog.showModal();
    // What is to be filled in; else what does no harm when it is pressed unawares.
    (dialog.querySelector("form input:not([type=checkbox]), form select, form textarea") ?? dialog.querySelector(".buttons button:not(.harsh):not(:disabled)"))?.focus();
    return () => {
      dialog.close();
      if (before?.isConnected) before.focus();
    };
  }, []);
  return html`<dialog ref=${box} class=${name} aria-labelledby="dialog-title" onCancel=${(event) => { event.preventDefault(); onClose(); }}>
    <div class="head"><h2 id="dialog-title" tabIndex="-1">${title}</h2>
      <button type="button" class="plain close" aria-label=${t("close")} onClick=${onClose}>✕</button></div>
    ${children}
  </dialog>`;
}
