// What people are asked: one question after the other, by the mouse or by j, k, a and r.

import { at, get } from "../lib/access.js";
import { Act, propose } from "../lib/action.js";
import { mayEver, send } from "../lib/acting.js";
import { areKeysOn } from "../lib/keys.js";
import { Json } from "../lib/json.js";
import { useList } from "../lib/list.js";
import { useLive } from "../lib/live.js";
import { AgentLink, Facts, Panel, TaskLink, Trouble } from "../lib/parts.js";
import { filterBy, link } from "../lib/router.js";
import { Age, Moment, Until } from "../lib/time.js";
import { html, useLayoutEffect, useRef } from "../lib/view.js";
import { called, t } from "../lib/words.js";
import { Count } from "../lib/table.js";
import { parsed } from "../lib/actions.js";

export const title = () => t("view.approvals");

// The hub's own two options have names in each language; those that somebody has given stay as they are.
const OWN = { approve: "Approve", reject: "Reject" };
const labelOf = (option) => (OWN[option.value] && (!option.label || option.label === OWN[option.value]) ? t("approval." + option.value) : option.label || option.value);

/** Answers a wait by one of its options; with `isEdited`, what the task gets can be written. */
export const answer = (wait, option, after, isEdited) => ({
  title: labelOf(option), button: labelOf(option), isHarsh: option.value === "reject", after, isWide: isEdited,
  about: html`<p><b>${wait.question}</b></p><p class="mono dim">${wait.task_id}</p>`,
  fields: [{ name: "comment", label: t("approval.comment"), most: 2000 },
    ...(isEdited ? [{ name: "value", label: t("approval.value"), type: "text-area", rows: 10, hint: t("edit.json"), value: JSON.stringify(wait.details ?? null, null, 2) }] : [])],
  run: async ({ key, reason, values }) => {
    const body = { decision: option.value };
    if (values.comment.trim()) body.comment = values.comment.trim();
    if (isEdited) body.value = parsed(values.value);
    const now = await send("POST", at(["waits", wait.wait_id, "answer"]), body, { key, reason });
    return now.state === "open" ? t("approval.counted", { n: now.answers.length, needed: now.approvals }) : t("approval.decided", { state: called("state", now.state) });
  },
});

function Details({ wait, after }) {
  const options = wait.options?.length > 0 ? wait.options : [{ value: "approve", label: t("approval.approve") }, { value: "reject", label: t("approval.reject") }];
  const first = options.find((it) => it.value === "approve") ?? options[0];
  return html`<${Panel} title=${wait.question || called("kind", wait.kind)} id="wait-title" class="wait">
    <${Facts} of=${[
      [t("approval.task"), html`<${TaskLink} id=${wait.task_id} />`], [t("approval.asked"), html`<${Moment} at=${wait.asked_at} />`],
      [t("approval.owner"), html`<${AgentLink} id=${wait.owner} />`],
      [t("approval.expires"), wait.expires_at && html`<${Until} at=${wait.expires_at} /> · ${t("approval.then", { what: called("decision", wait.on_expire) })}`],
      [t("approval.who"), wait.assignees.length > 0 && wait.assignees.join(", ")],
      [t("approval.needed"), wait.approvals > 1 && t("of", { part: wait.answers.length, whole: wait.approvals })],
      [t("approval.answers"), wait.answers.length > 0 && wait.answers.map((it) => html`<p key=${it.by}><b>${called("decision", it.decision)}</b> ${it.by}${it.comment ? ": " + it.comment : ""}</p>`)],
    ].filter(([, what]) => what !== false)} />
    ${wait.details !== null && wait.details !== undefined && html`<h3>${t("approval.details")}</h3><${Json} of=${wait.details} label=${t("approval.details")} />`}
    ${wait.kind === "approval" && wait.state === "open" && html`<div class="bar-actions" role="group" aria-label=${t("actions")}>
      ${options.map((option) => html`<${Act} key=${option.value} scope="approve" class=${option.value === "approve" ? "main" : ""} keys=${{ approve: "a", reject: "r" }[option.value]} action=${() => answer(wait, option, after)}>${labelOf(option)}<//>`)}
      <${Act} scope="approve" action=${() => answer(wait, first, after, true)}>${t("approval.edit")}<//>
      ${!mayEver("approve") && html`<p class="note">${t("approval.no_scope")}</p>`}
    </div>`}
  <//>`;
}

export function View({ query }) {
  const list = useList((cursor) => at(["waits"], { kind: "approval", limit: 200, cursor }), (body) => body, (wait) => wait.wait_id, [], { events: ["task_*", "wait_answered"] });
  // The hub lists the newest first; who waits longest comes first here.
  const waits = [...list.items].sort((a, b) => a.asked_at.localeCompare(b.asked_at));
  const place = Math.max(0, waits.findIndex((wait) => wait.wait_id === query.wait));
  const wait = waits[place];
  const named = useLive((signal) => get(at(["waits", query.wait]), { signal }), [query.wait], { isOff: !query.wait || wait?.wait_id === query.wait, pace: 0 });
  const items = useRef(null);
  const after = () => list.again();

  // At once: a letter that comes right after the question is one for it.
  useLayoutEffect(() => {
    function onKey(event) {
      if (event.ctrlKey || event.metaKey || event.altKey || !areKeysOn.get() || document.querySelector("dialog[open]")) return;
      if (event.target.matches?.("input, select, textarea")) return;
      const option = (value) => wait?.options?.find((it) => it.value === value) ?? { value, label: t("approval." + value) };
      const step = { j: 1, k: -1 }[event.key];
      if (step && waits.length > 0) {
        const next = waits[Math.max(0, Math.min(waits.length - 1, place + step))];
        filterBy({ wait: next.wait_id });
        requestAnimationFrame(() => items.current?.querySelector(`[data-wait="${CSS.escape(next.wait_id)}"]`)?.focus());
      } else if (event.key === "a" && wait && mayEver("approve")) propose(answer(wait, option("approve"), after));
      else if (event.key === "r" && wait && mayEver("approve")) propose(answer(wait, option("reject"), after));
      else return;
      event.preventDefault();
    }
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [waits, place]);

  return html`<p class="dim">${t("approval.keys")}</p><${Trouble} problem=${list.problem} />
    <div class="inbox">
      ${waits.length > 0 && html`<ul class="inbox-list" ref=${items} aria-label=${t("view.approvals")}>${waits.map((it) => html`<li key=${it.wait_id}><a href=${link(["approvals"], { wait: it.wait_id })} data-wait=${it.wait_id}
          aria-current=${it === wait ? "true" : undefined} onClick=${(event) => { event.preventDefault(); filterBy({ wait: it.wait_id }); }}>
        <span>${it.question}</span><small class="dim"><${Age} at=${it.asked_at} />${it.expires_at && html` · <${Until} at=${it.expires_at} />`}</small></a></li>`)}</ul>`}
      ${query.wait && wait?.wait_id !== query.wait && named.data ? html`<${Details} wait=${named.data} after=${after} />` : wait && html`<${Details} key=${wait.wait_id} wait=${wait} after=${after} />`}
    </div>
    <${Count} list=${list} none=${t("approval.none")} />`;
}
