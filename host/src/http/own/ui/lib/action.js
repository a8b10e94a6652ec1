// Changing something, safely: what will be hit is shown first, a name for the wish is made when the
// dialog opens, so that it is done once however often it is sent, and what was done is counted.

import { acquire, isOffered, mayEver, newKey, right, wish, withRight } from "./acting.js";
import { Dialog } from "./dialog.js";
import { store, useStore } from "./store.js";
import { html, useEffect, useRef, useState } from "./view.js";
import { t } from "./words.js";
import { Copy } from "./parts.js";

const open = store(null);
/** What has been done last, for those who do not see the dialog. */
export const announcement = store("");

/**
 * Asks whether something shall be done.
 *
 * `title`; `about`, which says what it hits; `fields` to be filled in
 * (`{name, label, type, options, value, hint, isNeeded, rows}`); `preview()`, which counts first and comes to
 * `{count, content}`; `count`, where it is known; `button`; `run({key, reason, values, preview})`,
 * which comes to what is said afterwards: a text, or `{text, secret}`; `after()`.
 */
export function propose(action) {
  withRight(() => open.set({ ...action, key: newKey() }));
}

/** A button for an action, for those whose key allows what it needs. */
export function Act({ scope = "write", action, children, class: name = "", isOff, keys }) {
  useStore(right);
  if (!mayEver(scope)) return null;
  return html`<button type="button" class=${name} disabled=${isOff} aria-keyshortcuts=${keys} onClick=${() => propose(action())}>${children}</button>`;
}

/** Does one thing for each of several, four at a time; comes to `{done, failed: [[what, problem]]}`. */
export async function each(items, one, { key, done = new Set() }) {
  const left = items.filter((item) => !done.has(item)), failed = [];
  async function next() {
    for (let item = left.shift(); item !== undefined; item = left.shift()) {
      try {
        await one(item, key + "-" + item);
        done.add(item);
      } catch (problem) {
        failed.push([item, problem]);
      }
    }
  }
  await Promise.all([next(), next(), next(), next()]);
  return { done, failed };
}

/** What is said of the result of `each`. */
export function counted({ done, failed }) {
  const text = t("done.count", { n: done.size });
  if (failed.length === 0) return text;
  return { text: text + " " + t("done.failed", { n: failed.length }), list: failed.map(([what, problem]) => what + ": " + problem.message), isBad: true };
}

function Field({ field, value, change }) {
  const id = "field-" + field.name;
  const common = { id, name: field.name, required: field.isNeeded, "aria-describedby": field.hint ? id + "-hint" : undefined };
  const input = field.type === "select"
    ? html`<select ...${common} onChange=${(event) => change(event.target.value)}>${field.options.map(([key, word]) =>
        html`<option value=${key} selected=${key === value} key=${key}>${word}</option>`)}</select>`
    : field.type === "text-area"
      ? html`<textarea ...${common} rows=${field.rows ?? 4} spellcheck=${false} value=${value} onInput=${(event) => change(event.target.value)}></textarea>`
      : field.type === "checkbox"
        ? html`<input ...${common} type="checkbox" checked=${value} onChange=${(event) => change(event.target.checked)} />`
        : html`<input ...${common} type=${field.type ?? "text"} value=${value} min=${field.min} max=${field.max} step=${field.step} maxlength=${field.most}
            autocomplete="off" spellcheck=${false} onInput=${(event) => change(event.target.value)} />`;
  return html`<label for=${id} class=${field.type === "checkbox" ? "check" : ""}><span>${field.label}</span>${input}
    ${field.hint && html`<small id=${id + "-hint"} class="dim">${field.hint}</small>`}</label>`;
}

const initial = (fields) => Object.fromEntries(fields.map((field) => [field.name, field.value ?? (field.type === "checkbox" ? false : "")]));

function Proposal({ action }) {
  const fields = action.fields ?? [];
  const [values, setValues] = useState(() => initial(fields));
  const [reason, setReason] = useState("");
  const [preview, setPreview] = useState(action.preview ? null : { count: action.count ?? 1 });
  const [state, setState] = useState({ step: "asking" });
  const isSending = useRef(false), memory = useRef({ done: new Set() });
  const close = () => open.set(null);

  useEffect(() => {
    if (!action.preview) return;
    action.preview().then(setPreview, (problem) => setState({ step: "asking", trouble: problem }));
  }, []);

  const reasonBox = useRef(null);
  useEffect(() => {
    // The reason is asked for once it is known that more than one is hit.
    if (reasonBox.current && !document.activeElement?.matches("dialog input, dialog select, dialog textarea")) reasonBox.current.focus();
  }, [preview]);

  async function submit(event) {
    event.preventDefault();
    // A second press comes before the button is drawn as disabled.
    if (isSending.current) return;
    isSending.current = true;
    setState({ step: "sending" });
    try {
      const result = await action.run({ key: action.key, reason: reason.trim() || undefined, values, preview, done: memory.current.done });
      const said = typeof result === "string" || !result ? { text: result || t("done") } : result;
      setState({ step: "done", ...said });
      announcement.set(said.text);
      action.after?.();
    } catch (problem) {
      setState({ step: "asking", trouble: problem });
    }
    isSending.current = false;
  }

  if (state.step === "done") {
    return html`<${Dialog} title=${action.title} onClose=${close}>
      <p class=${state.isBad ? "warn" : "good"}>${state.text}</p>
      ${state.list && html`<ul class="scroll-list">${state.list.slice(0, 100).map((line) => html`<li key=${line}>${line}</li>`)}</ul>`}
      ${state.secret && html`<div class="secret"><label><span>${t("secret.once")}</span>
        <input class="mono" readonly value=${state.secret} onFocus=${(event) => event.target.select()} /></label><${Copy} text=${state.secret} /></div>`}
      ${state.content}
      <div class="buttons"><button type="button" class="main" ref=${(it) => it?.focus()} onClick=${close}>${t("close")}</button></div>
    <//>`;
  }
  const needsReason = (preview?.count ?? 0) > 1 || action.needsReason;
  const nothing = preview && preview.count === 0;
  return html`<${Dialog} title=${action.title} onClose=${close} class=${action.isWide ? "wide" : ""}>
    <form class="fields" onSubmit=${submit}>
      ${action.about && html`<div class="about">${action.about}</div>`}
      ${action.preview && !preview && !state.trouble && html`<p class="dim" role="status">${t("act.counting")}</p>`}
      ${preview?.content && html`<div class="about">${preview.content}</div>`}
      ${fields.map((field) => html`<${Field} key=${field.name} field=${field} value=${values[field.name]} change=${(value) => setValues((it) => ({ ...it, [field.name]: value }))} />`)}
      ${needsReason && html`<label for="field-reason"><span>${t("act.reason")}</span>
        <input id="field-reason" ref=${reasonBox} value=${reason} required maxlength="500" autocomplete="off" onInput=${(event) => setReason(event.target.value)} />
        <small class="dim">${t("act.reason_hint")}</small></label>`}
      ${state.trouble && html`<div role="alert" class="note bad"><p>${state.trouble.message}</p>
        ${state.trouble.errors?.length > 1 && html`<ul>${state.trouble.errors.map((it) => html`<li key=${it.field}><code>${it.field}</code> ${it.message}</li>`)}</ul>`}
        <p>${advice(state.trouble)}</p></div>`}
      <div class="buttons">
        <button type="button" onClick=${close}>${t("act.leave")}</button>
        <button class=${action.isHarsh ? "main harsh" : "main"} disabled=${!preview || nothing || state.step === "sending"}>
          ${state.step === "sending" ? t("act.sending") : action.button}</button>
      </div>
    </form>
  <//>`;
}

/** What to do about a problem. */
function advice(problem) {
  if (problem.status === 0 || problem.status >= 500) return t("advice.again");
  if (problem.status === 401 || problem.status === 403) return t("advice.forbidden");
  if (problem.status === 404) return t("advice.gone");
  if (problem.status === 409) return t("advice.conflict");
  if (problem.status === 429) return t("advice.wait");
  return t("advice.mend");
}

function AskForRight({ act }) {
  const [key, setKey] = useState(""), [why, setWhy] = useState("");
  const offered = useStore(isOffered);
  const close = () => wish.set(null);
  async function submit(event) {
    event.preventDefault();
    const secret = key.trim();
    setKey("");
    const refused = await acquire(secret);
    setWhy(refused);
    if (refused) return;
    wish.set(null);
    act?.();
  }
  return html`<${Dialog} title=${t("act.title")} onClose=${close}>
    ${offered ? html`<form class="fields" onSubmit=${submit} autocomplete="off">
      <p>${t("act.about")}</p>
      <label for="act-key"><span>${t("sign.key")}</span>
        <input id="act-key" type="password" value=${key} required autocomplete="off" spellcheck=${false} aria-describedby="act-answer" onInput=${(event) => setKey(event.target.value)} /></label>
      <p id="act-answer" class="bad" role="alert">${why}</p>
      <div class="buttons"><button type="button" onClick=${close}>${t("act.leave")}</button><button class="main">${t("act.begin")}</button></div>
    </form>` : html`<p>${t("act.not_offered")}</p>`}
  <//>`;
}

/** Where dialogs appear. */
export function Dialogs() {
  const action = useStore(open), wanted = useStore(wish);
  if (wanted) return html`<${AskForRight} act=${wanted} />`;
  return action && html`<${Proposal} key=${action.key} action=${action} />`;
}
