// Tasks by filter, and what is done to those that were chosen, or to all that the filter catches.

import { at } from "../lib/access.js";
import { Act } from "../lib/action.js";
import { bulk, bulkFilter, chosenTasks } from "../lib/actions.js";
import { useList } from "../lib/list.js";
import { NodeLink, Status, Tags, To, Trouble } from "../lib/parts.js";
import { Count, Filters, Table } from "../lib/table.js";
import { Age } from "../lib/time.js";
import { html, useState } from "../lib/view.js";
import { called, t } from "../lib/words.js";
import * as one from "./task.js";

const PAGE = 200;
const STATUSES = ["pending", "scheduled", "waiting", "running", "completed", "failed", "cancelled", "timeout"];

export const title = (path) => (path[0] ? one.title(path) : t("view.tasks"));
export const View = ({ path, query }) => (path[0] ? html`<${one.View} id=${path[0]} query=${query} />` : html`<${List} query=${query} />`);

/** The path of `GET /tasks` for what the address says. */
function pathOf(query, cursor, limit = PAGE) {
  const { status, name, label, node, user, session, since, until, error } = query;
  return at(["tasks"], { status, name, label, assigned_node: node, user_id: user, session_id: session, since, until, "error~": error, limit, cursor });
}

/** The moment that says most about a task in its status. */
export const since = (task) => task.completed_at ?? (task.status === "running" ? task.started_at : task.submitted_at);

/** The columns of a list of tasks. */
export const columns = () => [
  { key: "name", label: t("task.task"), width: "minmax(11rem, 3fr)", cell: (task) => html`<span class="two"><${To} path=${["tasks", task.task_id]} title=${task.name}>${task.name}<//><small class="mono dim">${task.task_id}</small></span>` },
  { key: "status", label: t("task.status"), width: "minmax(7rem, 1fr)", narrow: "7rem", cell: (task) => html`<span class="two"><${Status} of=${task.status} />
      ${task.status === "running" && task.progress > 0 ? html`<small class="dim">${Math.round(100 * task.progress)} %</small>` : task.retry_count > 0 && html`<small class="dim">${t("task.try", { n: task.retry_count + 1 })}</small>`}</span>` },
  { key: "node", label: t("task.node"), from: 620, width: "minmax(8rem, 2fr)", cell: (task) => (task.assigned_node ? html`<${NodeLink} id=${task.assigned_node} />` : "") },
  { key: "priority", label: t("task.priority"), from: 900, width: "6rem", cell: (task) => called("priority", task.priority) },
  { key: "skills", label: t("task.skills"), from: 800, width: "minmax(8rem, 2fr)", cell: (task) => html`<${Tags} of=${task.required_skills} most=${2} />` },
  { key: "error", label: t("task.error"), from: 1000, width: "minmax(8rem, 2fr)", cell: (task) => html`<span class="dim" title=${task.error}>${task.error}</span>` },
  { key: "since", label: t("task.since"), about: t("task.since_about"), from: 420, width: "4.5rem", isNumber: true, cell: (task) => html`<${Age} at=${since(task)} />` },
];

function List({ query }) {
  const [chosen, choose] = useState(new Set());
  const list = useList((cursor) => pathOf(query, cursor), (body) => body, (task) => task.task_id, [query], { events: ["task_*", "bulk_ended"] });
  const after = () => { choose(new Set()); list.again(); };
  const ids = [...chosen];
  const fields = [
    { name: "status", label: t("task.status"), options: STATUSES.map((it) => [it, called("status", it)]) },
    { name: "name", label: t("task.name") },
    { name: "label", label: t("task.label"), hint: "key:value" },
    { name: "node", label: t("task.node") },
    { name: "user", label: t("task.user") },
    { name: "session", label: t("task.session") },
    { name: "since", label: t("filter.since"), hint: "2026-01-31T00:00:00Z" },
    { name: "until", label: t("filter.until"), hint: "2026-01-31T00:00:00Z" },
    { name: "error", label: t("filter.error") },
  ];
  const filter = bulkFilter(query);
  return html`<${Filters} fields=${fields} query=${query} />
    <div class="bar-actions" role="group" aria-label=${t("actions")}>
      ${ids.length > 0 ? html`<b role="status">${t("table.chosen", { n: ids.length })}</b>
        ${["cancel", "retry", "remove"].map((action) => html`<${Act} key=${action} action=${() => chosenTasks(action, ids, after)}>${t("bulk." + action)}<//>`)}
        <button type="button" class="plain" onClick=${() => choose(new Set())}>${t("table.choose_none")}</button>`
      : html`<span class="dim">${t("bulk.for_all")}</span>
        ${["cancel", "retry", "remove", "set_priority"].map((action) => html`<${Act} key=${action} action=${() => bulk(action, filter, after)}>${t("bulk.every." + action)}<//>`)}`}
    </div>
    <${Trouble} problem=${list.problem} />
    ${list.items.length > 0 && html`<${Table} label=${t("view.tasks")} columns=${columns()} rows=${list.items} keyOf=${(task) => task.task_id}
      onEnd=${list.more} isWhole=${list.isWhole} chosen=${chosen} choose=${choose} isBusy=${list.isLoading} />`}
    <${Count} list=${list} none=${Object.keys(filter).length > 0 ? t("tasks.none_such") : t("tasks.none")} />`;
}
