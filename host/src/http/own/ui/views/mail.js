// Inboxes: how much waits in each, what is in one, and what nobody has acknowledged.

import { at, get } from "../lib/access.js";
import { Act } from "../lib/action.js";
import { send } from "../lib/acting.js";
import { Json } from "../lib/json.js";
import { useList } from "../lib/list.js";
import { useLive } from "../lib/live.js";
import { AgentLink, Panel, To, Trouble } from "../lib/parts.js";
import { go } from "../lib/router.js";
import { Count, Table } from "../lib/table.js";
import { Age } from "../lib/time.js";
import { html, useState } from "../lib/view.js";
import { number, t } from "../lib/words.js";

export const title = (path) => (path[0] ? t("view.inbox", { agent: path[0] }) : t("view.mail"));
export const View = ({ path }) => (path[0] ? html`<${One} agent=${path[0]} />` : html`<${List} />`);

function List() {
  const [id, type] = useState("");
  const list = useList((cursor) => at(["inboxes"], { limit: 200, cursor }), (body) => body.inboxes, (it) => it.agent, [], { pace: 5000 });
  return html`<form class="filters" onSubmit=${(event) => { event.preventDefault(); if (id.trim()) go(["mail", id.trim()]); }}>
      <label>${t("mail.agent")}<input value=${id} data-filter="first" spellcheck=${false} autocomplete="off" onInput=${(event) => type(event.target.value)} /></label><button class="main">${t("mail.look")}</button></form>
    <${Trouble} problem=${list.problem} route="GET /inboxes" />
    ${list.items.length > 0 && html`<${Table} label=${t("view.mail")} rows=${list.items} keyOf=${(it) => it.agent} onEnd=${list.more} isWhole=${list.isWhole} columns=${[
      { key: "agent", label: t("mail.agent"), width: "minmax(9rem, 3fr)", cell: (it) => html`<${To} path=${["mail", it.agent]} class="mono">${it.agent}<//>` },
      { key: "waiting", label: t("mail.waiting"), width: "6rem", isNumber: true, cell: (it) => number(it.waiting) },
      { key: "flight", label: t("mail.in_flight"), width: "6rem", from: 460, isNumber: true, cell: (it) => number(it.in_flight) },
      { key: "dead", label: t("mail.dead"), width: "6rem", isNumber: true, cell: (it) => html`<span class=${it.dead > 0 ? "bad" : ""}>${number(it.dead)}</span>` },
      { key: "oldest", label: t("mail.oldest"), width: "7rem", from: 560, isNumber: true, cell: (it) => html`<${Age} at=${it.oldest_at} />` },
    ]} />`}
    ${!list.problem && html`<${Count} list=${list} none=${t("mail.none")} />`}`;
}

const redrive = (agent, ids, n, after) => ({
  title: t("mail.redrive"), button: t("mail.redrive"), after, count: n, about: html`<p>${t("mail.redrive_about", { agent, n })}</p>`,
  run: ({ key, reason }) => send("POST", at(["inbox", agent, "dead", "redrive"]), ids ? { msg_ids: ids } : {}, { key, reason }).then((it) => t("mail.redriven", { n: it.redriven })),
});

const accept = (agent, mail, after) => ({
  title: t("mail.accept"), button: t("mail.accept"), after, about: html`<p>${t("mail.accept_about", { from: mail.from })}</p>`,
  run: ({ key, reason }) => send("POST", at(["inbox", agent, "proposals", mail.msg_id, "accept"]), {}, { key, reason }).then((it) => t("mail.accepted", { n: it.task_ids.length })),
});

function Mails({ mails, agent, after, isDead }) {
  return html`<ul class="mails">${mails.map((mail) => html`<li key=${mail.msg_id}>
    <div class="block-head"><b>${mail.topic}</b> <span>${t("mail.from")} <${AgentLink} id=${mail.from} /></span> <span class="tag">${t("mail.priority." + mail.priority)}</span>
      ${mail.attempts > 0 && html`<span class="dim">${t("mail.tries", { n: mail.attempts })}</span>`} ${mail.timestamp && html`<span class="dim"><${Age} at=${mail.timestamp} /></span>`}
      ${!isDead && mail.topic === "task_proposal" && html`<${Act} action=${() => accept(agent, mail, after)}>${t("mail.accept")}<//>`}
      ${isDead && html`<${Act} action=${() => redrive(agent, [mail.msg_id], 1, after)}>${t("mail.redrive")}<//>`}</div>
    ${typeof mail.content === "string" ? html`<pre tabIndex="0">${mail.content}</pre>` : html`<${Json} of=${mail.content} label=${mail.topic} />`}
  </li>`)}</ul>`;
}

function One({ agent }) {
  const waiting = useLive((signal) => get(at(["inbox", agent], { limit: 100 }), { signal }), [agent]);
  const dead = useLive((signal) => get(at(["inbox", agent, "dead"], { limit: 100 }), { signal }), [agent]);
  const after = () => { waiting.again(); dead.again(); };
  const mails = waiting.data?.messages ?? [], lost = dead.data?.messages ?? [];
  return html`<p class="dim">${t("mail.only_looked")}</p>
    <${Panel} title=${t("mail.waiting")} id="waiting-title" note=${waiting.data && t("mail.wait", { n: waiting.data.depth })}><${Trouble} problem=${waiting.problem} />
      ${waiting.data && (mails.length === 0 ? html`<p class="empty">${t("mail.empty")}</p>` : html`<${Mails} mails=${mails} agent=${agent} after=${after} />`)}<//>
    <${Panel} title=${t("mail.dead")} id="dead-mail-title" actions=${lost.length > 1 && html`<${Act} action=${() => redrive(agent, null, dead.data.depth, after)}>${t("mail.redrive_all")}<//>`}><${Trouble} problem=${dead.problem} />
      ${dead.data && (lost.length === 0 ? html`<p class="empty">${t("mail.no_dead")}</p>` : html`<${Mails} mails=${lost} agent=${agent} after=${after} isDead=${true} />`)}<//>`;
}
