// A group of tasks that belong together, as a graph of what follows what.

import { at, get } from "../lib/access.js";
import { Act } from "../lib/action.js";
import { send } from "../lib/acting.js";
import { Graph } from "../lib/graph.js";
import { useList } from "../lib/list.js";
import { latest, useLive } from "../lib/live.js";
import { Bar, Facts, Panel, Status, TaskLink, To, Trouble } from "../lib/parts.js";
import { go } from "../lib/router.js";
import { useStore } from "../lib/store.js";
import { Count, Table } from "../lib/table.js";
import { Moment, hubNow } from "../lib/time.js";
import { Timeline } from "../lib/timeline.js";
import { html, useState } from "../lib/view.js";
import { called, money, number, t } from "../lib/words.js";
import { columns as taskColumns } from "./tasks.js";

const DRAWN = 200;
const TONES = { completed: "good", failed: "bad", timeout: "bad", cancelled: "dim", running: "live" };

export const title = (path) => (path[0] ? t("view.flow", { id: path[0] }) : t("view.flows"));
export const View = ({ path }) => (path[0] ? html`<${One} id=${path[0]} />` : html`<${Choose} />`);

/** The hub has no list of all groups: those of the latest tasks are offered, and any by its id. */
function Choose() {
  const [id, type] = useState("");
  const events = useStore(latest);
  const list = useLive((signal) => get("/tasks?limit=500", { signal }), [], { events: ["group_*"], pace: 15000 });
  const named = new Map();
  for (const task of list.data ?? []) if (task.group_id) named.set(task.group_id, [...(named.get(task.group_id) ?? []), task]);
  const ended = new Map(events.filter((it) => it.event_type === "group_ended").map((it) => [it.payload.group_id, it.payload.status]));
  return html`<form class="filters" onSubmit=${(event) => { event.preventDefault(); if (id.trim()) go(["flows", id.trim()]); }}>
      <label>${t("flow.id")}<input value=${id} data-filter="first" spellcheck=${false} autocomplete="off" onInput=${(event) => type(event.target.value)} /></label><button class="main">${t("flow.show")}</button></form>
    <p class="dim">${t("flow.about")}</p><${Trouble} problem=${list.problem} />
    ${list.data && (named.size === 0 ? html`<p class="empty">${t("flow.none")}</p>` : html`<ul class="cards">${[...named].map(([group, tasks]) => html`<li key=${group}><${To} path=${["flows", group]} class="mono">${group}<//>
      <span>${t("flow.tasks", { n: tasks.length })}</span>${ended.has(group) && html`<${Status} of=${ended.get(group)} />`}<span class="dim">${tasks.slice(-3).map((task) => task.name).join(", ")}</span></li>`)}</ul>`)}`;
}

const change = (group, verb, after) => ({
  title: t("flow." + verb), button: t("flow." + verb), isHarsh: verb === "cancel", after,
  about: html`<p>${t(`flow.${verb}_about`, { n: verb === "cancel" ? group.open : group.total - group.open - group.completed })}</p><p class="mono dim">${group.group_id}</p>`,
  count: verb === "cancel" ? group.open : group.total - group.open - group.completed,
  run: ({ key, reason }) => send("POST", at(["groups", group.group_id, verb]), undefined, { key, reason }).then((it) => t("done.count", { n: it.changed })),
});

/** Tasks that have begun, as lanes on one axis. */
const lanes = (tasks) => tasks.filter((task) => task.started_at).map((task) => ({
  key: task.task_id, name: html`<${To} path=${["tasks", task.task_id]}>${task.name}<//>`, about: called("status", task.status), tone: TONES[task.status] ?? "dim",
  from: Date.parse(task.started_at), to: task.completed_at ? Date.parse(task.completed_at) : task.status === "running" ? null : Date.parse(task.started_at),
}));

function One({ id }) {
  const it = useLive((signal) => get(at(["groups", id]), { signal }), [id], { events: ["group_*", "task_*"] });
  const list = useList((cursor) => at(["groups", id, "tasks"], { limit: DRAWN, cursor }), (body) => body, (task) => task.task_id, [id], { events: ["task_*", "group_*"] });
  if (!it.data) return it.problem ? html`<${Trouble} problem=${it.problem} />` : html`<p class="dim">${t("loading")}</p>`;
  const group = it.data, tasks = list.items;
  const cost = tasks.reduce((sum, task) => sum + Number(task.usage?.cost ?? 0), 0);
  const drawn = tasks.slice(0, DRAWN);
  const nodes = drawn.map((task) => ({ id: task.task_id, name: task.name, status: task.status, after: (task.after ?? []).map((edge) => edge.task).filter(Boolean) }));
  return html`<${Trouble} problem=${it.problem} />
    <div class="bar-actions" role="group" aria-label=${t("actions")}>
      ${group.open > 0 && html`<${Act} action=${() => change(group, "cancel", it.again)}>${t("flow.cancel")}<//>`}
      ${group.failed + group.timeout + group.cancelled > 0 && html`<${Act} action=${() => change(group, "retry", it.again)}>${t("flow.retry")}<//>`}</div>
    <${Panel} title=${group.name || id} id="flow-title"><${Facts} of=${[
      [t("task.status"), html`<${Status} of=${group.status} kind="group" />`],
      [t("flow.progress"), html`<${Bar} part=${group.total - group.open} whole=${group.total}>${t("of", { part: group.total - group.open, whole: group.total })}<//>`],
      [t("status.completed"), number(group.completed)], [t("status.failed"), group.failed > 0 && number(group.failed)], [t("status.timeout"), group.timeout > 0 && number(group.timeout)],
      [t("status.cancelled"), group.cancelled > 0 && number(group.cancelled)], [t("flow.first_failure"), group.first_failure && html`<${TaskLink} id=${group.first_failure} />`],
      [t("flow.parent"), group.parent && html`<${TaskLink} id=${group.parent} />`], [t("flow.sealed"), t(group.sealed ? "yes" : "no")],
      [t("usage.cost"), cost > 0 && money(cost)], [t("flow.begun"), html`<${Moment} at=${group.created_at} />`], [t("task.ended"), group.ended_at && html`<${Moment} at=${group.ended_at} />`],
    ].filter(([, what]) => what !== false)} /><//>
    <${Panel} title=${t("flow.graph")} id="graph-title" note=${tasks.length > DRAWN ? t("flow.drawn", { n: DRAWN }) : ""}>
      ${nodes.some((node) => node.after.length > 0) && html`<${Graph} nodes=${nodes} label=${t("flow.graph")} />`}
      <${Timeline} lanes=${lanes(drawn)} now=${hubNow()} label=${t("timeline.title")} />
    <//>
    <${Panel} title=${t("view.tasks")} id="flow-tasks-title">
      ${tasks.length > 0 && html`<${Table} label=${t("view.tasks")} columns=${taskColumns()} rows=${tasks} keyOf=${(task) => task.task_id} onEnd=${list.more} isWhole=${list.isWhole} tall=${0.5} />`}
      <${Count} list=${list} none=${t("flow.no_tasks")} />
    <//>`;
}
