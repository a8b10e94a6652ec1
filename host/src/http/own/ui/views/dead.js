// What has failed for good, by what it failed of.

import { at, get } from "../lib/access.js";
import { Act, counted, each } from "../lib/action.js";
import { send } from "../lib/acting.js";
import { useList } from "../lib/list.js";
import { useLive } from "../lib/live.js";
import { Panel, TaskLink, Trouble } from "../lib/parts.js";
import { filterBy } from "../lib/router.js";
import { Count, Small, Table } from "../lib/table.js";
import { Age } from "../lib/time.js";
import { html, useState } from "../lib/view.js";
import { number, t } from "../lib/words.js";
import { columns as taskColumns } from "./tasks.js";

const PAGE = 200;

export const title = () => t("view.dead");

/** As elsewhere, but that the error comes before all else. */
const columns = () => taskColumns().map((column) => ({ ...column, from: { error: 480, node: 760, skills: 900, priority: 1100 }[column.key] ?? column.from }));

/** Trying a whole group again. */
const redriveGroup = (group, after) => ({
  title: t("dead.redrive_group"), button: t("dead.redrive"), after, count: group.count,
  about: html`<p><b>${group.name}</b></p><p class="mono wrap">${group.error}</p>`,
  preview: async () => {
    const found = await send("POST", "/tasks/dead/redrive", { filter: { error_key: group.key }, dry_run: true });
    const n = found.redriven || found.task_ids.length;
    return { count: n, content: html`<p><b>${t("bulk.matched", { n })}</b></p>` };
  },
  run: async ({ key, reason }) => {
    const done = await send("POST", "/tasks/dead/redrive", { filter: { error_key: group.key } }, { key, reason });
    return t("dead.redriven", { n: done.redriven });
  },
});

const redriveChosen = (ids, after) => ({
  title: t("dead.redrive"), button: t("dead.redrive"), after, count: ids.length,
  about: html`<p><b>${t("bulk.chosen", { n: ids.length })}</b></p><ul class="mono scroll-list">${ids.slice(0, 200).map((id) => html`<li key=${id}>${id}</li>`)}</ul>`,
  run: async ({ key, reason }) => {
    const done = await send("POST", "/tasks/dead/redrive", { task_ids: ids }, { key, reason });
    const left = ids.length - done.redriven;
    return { text: t("dead.redriven", { n: done.redriven }) + (left > 0 ? " " + t("dead.left", { n: left }) : ""), isBad: left > 0 };
  },
});

const removeChosen = (ids, after) => ({
  title: t("bulk.remove"), button: t("bulk.remove"), isHarsh: true, after, count: ids.length,
  about: html`<p><b>${t("bulk.chosen", { n: ids.length })}</b></p><ul class="mono scroll-list">${ids.slice(0, 200).map((id) => html`<li key=${id}>${id}</li>`)}</ul>`,
  run: async ({ key, reason, done }) => counted(await each(ids, (id, own) => send("DELETE", at(["tasks", id]), undefined, { key: own, reason }), { key, done })),
});

export function View({ query }) {
  const [chosen, choose] = useState(new Set());
  const groups = useLive((signal) => get("/tasks/dead?group=error", { signal }), [], { events: ["task_failed", "task_timeout", "task_pending"], pace: 15000 });
  // A hub without groups answers with the tasks themselves.
  const found = groups.data?.groups;
  const list = useList((cursor) => (query.error ? at(["tasks"], { error_key: query.error, limit: PAGE, cursor }) : at(["tasks", "dead"], { limit: PAGE, cursor })), (body) => body, (task) => task.task_id, [query.error ?? ""], { events: ["task_failed", "task_timeout", "task_pending"] });
  const after = () => { choose(new Set()); list.again(); groups.again(); };
  const ids = [...chosen];
  return html`<${Panel} title=${t("dead.groups")} id="groups-title">
      ${groups.problem && html`<${Trouble} problem=${groups.problem} />`}
      ${groups.data && !found && html`<p class="note">${t("trouble.no_route", { route: "GET /tasks/dead?group=error" })}</p>`}
      ${found && html`<${Small} label=${t("dead.groups")} none=${t("dead.none")} rows=${found} keyOf=${(group) => group.key} columns=${[
        { key: "error", label: t("dead.error"), class: "wrap", cell: (group) => html`<b>${group.name}</b><br /><span class="mono">${group.error || t("dead.no_error")}</span>` },
        { key: "count", label: t("dead.count"), isNumber: true, cell: (group) => number(group.count) },
        { key: "first", label: t("dead.first"), isNumber: true, cell: (group) => html`<${Age} at=${group.first_at} />` },
        { key: "last", label: t("dead.last"), isNumber: true, cell: (group) => html`<${Age} at=${group.last_at} />` },
        { key: "example", label: t("dead.example"), cell: (group) => html`<${TaskLink} id=${group.example} />` },
        { key: "act", label: t("actions"), cell: (group) => html`<button type="button" aria-pressed=${String(query.error === group.key)} onClick=${() => filterBy({ error: query.error === group.key ? "" : group.key })}>${t("dead.show")}</button>
          <${Act} action=${() => redriveGroup(group, after)}>${t("dead.redrive")}<//>` },
      ]} />`}
    <//>
    <${Panel} title=${t("dead.tasks")} id="dead-title" actions=${query.error && html`<button type="button" class="plain" onClick=${() => filterBy({ error: "" })}>${t("filter.clear")}</button>`}>
      <div class="bar-actions" role="group" aria-label=${t("actions")}>${ids.length > 0 ? html`<b role="status">${t("table.chosen", { n: ids.length })}</b>
        <${Act} action=${() => redriveChosen(ids, after)}>${t("dead.redrive")}<//><${Act} action=${() => removeChosen(ids, after)}>${t("bulk.remove")}<//>` : html`<span class="dim">${t("dead.choose")}</span>`}</div>
      <${Trouble} problem=${list.problem} />
      ${list.items.length > 0 && html`<${Table} label=${t("dead.tasks")} columns=${columns()} rows=${list.items} keyOf=${(task) => task.task_id}
        onEnd=${list.more} isWhole=${list.isWhole} chosen=${chosen} choose=${choose} />`}
      <${Count} list=${list} none=${t("dead.none")} />
    <//>`;
}
