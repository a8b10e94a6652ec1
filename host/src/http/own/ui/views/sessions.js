// Sessions, and one of them: what was said, as it is written, and what ran meanwhile.

import { at, get, read } from "../lib/access.js";
import { Act } from "../lib/action.js";
import { send } from "../lib/acting.js";
import { cancelTask } from "../lib/actions.js";
import { useList } from "../lib/list.js";
import { useLive } from "../lib/live.js";
import { Message } from "../lib/message.js";
import { Facts, Panel, Status, TaskLink, To, Trouble } from "../lib/parts.js";
import { Json } from "../lib/json.js";
import { Count, Filters, Table } from "../lib/table.js";
import { Age, Moment, hubNow } from "../lib/time.js";
import { Timeline } from "../lib/timeline.js";
import { html, useEffect, useRef, useState } from "../lib/view.js";
import { called, t } from "../lib/words.js";

const SHOWN = 100;
const TONES = { user: "dim", assistant: "good", system: "warn", agent: "live", tool: "warn" };

export const title = (path) => (path[0] ? t("view.session", { id: path[0] }) : t("view.sessions"));
export const View = ({ path, query }) => (path[0] ? html`<${One} id=${path[0]} query=${query} />` : html`<${List} query=${query} />`);

function List({ query }) {
  const { user, status } = query;
  const list = useList((cursor) => at(["sessions"], { user_id: user, status, limit: 200, cursor }), (body) => body, (it) => it.session_id, [user, status], { events: ["task_pending", "task_completed"] });
  return html`<${Filters} query=${query} fields=${[{ name: "user", label: t("session.user") }, { name: "status", label: t("task.status"), options: ["active", "closed"].map((it) => [it, called("status", it)]) }]} />
    <${Trouble} problem=${list.problem} />
    ${list.items.length > 0 && html`<${Table} label=${t("view.sessions")} rows=${list.items} keyOf=${(it) => it.session_id} onEnd=${list.more} isWhole=${list.isWhole} columns=${[
      { key: "id", label: t("session.session"), width: "minmax(10rem, 3fr)", cell: (it) => html`<${To} path=${["sessions", it.session_id]} class="mono">${it.session_id}<//>` },
      { key: "status", label: t("task.status"), width: "minmax(6rem, 1fr)", cell: (it) => html`<${Status} of=${it.status} />` },
      { key: "user", label: t("session.user"), width: "minmax(6rem, 2fr)", from: 560, cell: (it) => it.user_id ?? "" },
      { key: "busy", label: t("session.if_busy"), width: "7rem", from: 760, cell: (it) => (it.if_busy ? called("busy", it.if_busy) : "") },
      { key: "created", label: t("session.created"), width: "5.5rem", from: 480, isNumber: true, cell: (it) => html`<${Age} at=${it.created_at} />` },
      { key: "updated", label: t("session.updated"), width: "5.5rem", from: 640, isNumber: true, cell: (it) => html`<${Age} at=${it.updated_at} />` },
    ]} />`}
    <${Count} list=${list} none=${t("session.none")} />`;
}

const close = (session, after) => ({
  title: t("session.close"), button: t("session.close"), isHarsh: true, after, about: html`<p>${t("session.close_about")}</p><p class="mono dim">${session.session_id}</p>`,
  run: ({ key, reason }) => send("DELETE", at(["sessions", session.session_id]), undefined, { key, reason }).then(() => t("done")),
});

const write = (session, after) => ({
  title: t("session.write"), button: t("session.send"), after, about: html`<p>${t("session.write_about")}</p>`,
  fields: [{ name: "content", label: t("session.content"), type: "text-area", isNeeded: true, rows: 5 }],
  run: ({ key, reason, values }) => send("PUT", at(["sessions", session.session_id, "messages", "operator-" + key]), { role: "system", metadata: { from: "operator" } }, { reason })
    .then(async (message) => {
      await send("POST", at(["messages", message.message_id, "append"]), { delta: values.content }, { key: key + "-text", reason });
      await send("POST", at(["messages", message.message_id, "complete"]), {}, { key: key + "-end", reason });
      return t("done");
    }),
});

/** The latest messages: the list begins with the oldest, so that it is read to its end. */
async function messagesOf(id, signal) {
  const all = [];
  let cursor = null;
  for (let page = 0; page < 10; page += 1) {
    const { body, next } = await read(at(["sessions", id, "messages"], { limit: 100, cursor }), { signal });
    all.push(...body.messages);
    if (!next) break;
    cursor = next;
  }
  return all;
}

function lanes(messages, tasks) {
  const ms = (time) => Date.parse(time);
  const said = messages.map((it) => ({
    key: it.message_id, name: called("role", it.role), about: it.text.slice(0, 60), tone: TONES[it.role] ?? "dim", from: ms(it.created_at),
    to: it.is_complete ? ms(it.updated_at) : null,
  }));
  const ran = tasks.map((task) => ({
    key: task.task_id, name: html`<${To} path=${["tasks", task.task_id]}>${task.name}<//>`, about: called("status", task.status),
    tone: { completed: "good", failed: "bad", timeout: "bad", running: "live" }[task.status] ?? "warn", from: ms(task.submitted_at), to: task.completed_at ? ms(task.completed_at) : null,
  }));
  return [...said, ...ran].sort((a, b) => a.from - b.from);
}

function One({ id, query }) {
  const [most, show] = useState(SHOWN);
  const it = useLive(async (signal) => {
    const [session, messages, tasks] = await Promise.all([get(at(["sessions", id]), { signal }), messagesOf(id, signal), get(at(["tasks"], { session_id: id, limit: 100 }), { signal })]);
    return { session, messages, tasks };
  }, [id], { events: ["task_*"] });
  const wanted = useRef(null);
  useEffect(() => wanted.current?.scrollIntoView({ block: "center" }), [query.message, Boolean(it.data)]);
  if (!it.data) return it.problem ? html`<${Trouble} problem=${it.problem} />` : html`<p class="dim">${t("loading")}</p>`;
  const { session, messages, tasks } = it.data;
  const running = tasks.filter((task) => ["running", "pending", "waiting", "scheduled"].includes(task.status));
  const shown = messages.slice(-most);
  const hidden = messages.length - shown.length;
  const named = query.message && !shown.some((message) => message.message_id === query.message);
  return html`<${Trouble} problem=${it.problem} />
    <div class="bar-actions" role="group" aria-label=${t("actions")}>
      ${session.status === "active" && html`<${Act} action=${() => write(session, it.again)}>${t("session.write")}<//>`}
      ${running.map((task) => html`<${Act} key=${task.task_id} action=${() => cancelTask(task, it.again)}>${t("session.interrupt", { name: task.name })}<//>`)}
      ${session.status === "active" && html`<${Act} action=${() => close(session, it.again)}>${t("session.close")}<//>`}</div>
    <div class="columns left">
      <${Panel} title=${t("session.transcript")} id="transcript-title" class="transcript" note=${t("session.messages", { n: messages.length })}>
        ${hidden > 0 && html`<p><button type="button" onClick=${() => show(most + SHOWN)}>${t("session.earlier", { n: hidden })}</button></p>`}
        ${messages.length === 0 && !named && html`<p class="empty">${t("session.empty")}</p>`}
        ${named && html`<${Message} session=${id} id=${query.message} />`}
        <ol class="messages" aria-label=${t("session.transcript")}>${shown.map((message) => html`<li key=${message.message_id} ref=${message.message_id === query.message ? wanted : undefined}
          class=${"message role-" + message.role + (message.message_id === query.message ? " wanted" : "")}><${Message} session=${id} id=${message.message_id} begun=${message} /></li>`)}</ol>
      <//>
      <div class="stack">
        <${Panel} title=${t("session.about")} id="session-title"><${Facts} of=${[[t("task.status"), html`<${Status} of=${session.status} />`], [t("session.user"), session.user_id], [t("session.if_busy"), session.if_busy && called("busy", session.if_busy)],
          [t("session.created"), html`<${Moment} at=${session.created_at} />`], [t("session.updated"), html`<${Moment} at=${session.updated_at} />`]]} />
          ${Object.keys(session.metadata ?? {}).length > 0 && html`<${Json} of=${session.metadata} label=${t("task.metadata")} />`}<//>
        <${Panel} title=${t("session.lane")} id="lane-title"><${Timeline} lanes=${lanes(shown.slice(-40), tasks)} now=${hubNow()} label=${t("session.lane")} />
          ${running.length > 0 && html`<p class="dim">${t("session.running")} ${running.map((task) => html`<${TaskLink} key=${task.task_id} id=${task.task_id} /> `)}</p>`}<//>
      </div>
    </div>`;
}
