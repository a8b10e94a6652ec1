// The nodes by filter, and one of them.

import { at, get } from "../lib/access.js";
import { Act } from "../lib/action.js";
import { bulk, onNodes } from "../lib/actions.js";
import { useList } from "../lib/list.js";
import { useLive } from "../lib/live.js";
import { Bar, Facts, Panel, Status, Tags, To, Trouble } from "../lib/parts.js";
import { go } from "../lib/router.js";
import { Count, Filters, Table } from "../lib/table.js";
import { Age, Moment } from "../lib/time.js";
import { html, useState } from "../lib/view.js";
import { called, number, t } from "../lib/words.js";
import { columns as taskColumns } from "./tasks.js";

const PAGE = 200;
const STATUSES = ["online", "busy", "offline", "maintenance", "error"];

export const title = (path) => (path[0] ? t("view.node", { id: path[0] }) : t("view.nodes"));
export const View = ({ path, query }) => (path[0] ? html`<${One} id=${path[0]} />` : html`<${List} query=${query} />`);

const slots = (node) => html`<${Bar} part=${node.running_tasks} whole=${node.max_concurrent_tasks}>${t("of", { part: node.running_tasks, whole: node.max_concurrent_tasks })}<//>`;
const isUp = (node) => node.status === "online" || node.status === "busy";

/** The actions that make sense for these nodes. */
function Actions({ nodes, after, afterRemoval }) {
  const offers = [["drain", nodes.some(isUp)], ["resume", nodes.some((node) => node.status === "maintenance" || node.status === "error")],
    ["shutdown", nodes.some((node) => node.status !== "offline")], ["remove", nodes.length > 0]];
  return offers.filter(([, isSo]) => isSo).map(([action]) => html`<${Act} key=${action}
    action=${() => onNodes(action, nodes, action === "remove" ? afterRemoval ?? after : after)}>${t("node." + action)}<//>`);
}

function List({ query }) {
  const [chosen, choose] = useState(new Set());
  const { status, skill, tag, text } = query;
  const list = useList((cursor) => at(["nodes"], { status, skill, tag, limit: PAGE, cursor }), (body) => body, (node) => node.node_id,
    [status, skill, tag], { events: ["node_*"] });
  const health = useLive((signal) => get("/cluster/health", { signal }), [], { events: ["node_*"] });
  const wanted = (text ?? "").toLowerCase();
  const rows = wanted ? list.items.filter((node) => (node.hostname + " " + node.node_id + " " + node.tags.join(" ")).toLowerCase().includes(wanted)) : list.items;
  const nodes = rows.filter((node) => chosen.has(node.node_id));
  const after = () => { choose(new Set()); list.again(); };
  const fields = [
    { name: "text", label: t("node.text"), hint: t("node.text_hint") },
    { name: "status", label: t("node.status"), options: STATUSES.map((it) => [it, called("status", it)]) },
    { name: "skill", label: t("node.skill") },
    { name: "tag", label: t("node.tag") },
  ];
  const columns = [
    { key: "node", label: t("node.node"), width: "minmax(10rem, 3fr)", cell: (node) => html`<span class="two"><${To} path=${["nodes", node.node_id]} title=${node.hostname}>${node.hostname}<//><small class="mono dim">${node.node_id}</small></span>` },
    { key: "status", label: t("node.status"), width: "minmax(7rem, 1fr)", narrow: "7rem", cell: (node) => html`<${Status} of=${node.status} />` },
    { key: "tasks", label: t("node.tasks"), width: "6rem", from: 420, cell: slots },
    { key: "cpu", label: t("node.cpu"), width: "4.5rem", from: 620, isNumber: true, cell: (node) => Math.round(node.cpu_usage) + " %" },
    { key: "memory", label: t("node.memory"), width: "4.5rem", from: 720, isNumber: true, cell: (node) => Math.round(node.memory_usage) + " %" },
    { key: "skills", label: t("node.skills"), width: "minmax(8rem, 3fr)", from: 680, cell: (node) => html`<${Tags} of=${node.available_skills} most=${3} />` },
    { key: "failed", label: t("node.failed"), about: t("node.failed_about"), width: "6rem", from: 860, isNumber: true, cell: (node) => t("of", { part: node.failed_tasks, whole: node.total_tasks_processed }) },
    { key: "silent", label: t("node.silent"), about: t("node.silent_about"), width: "5rem", from: 520, isNumber: true, cell: (node) => html`<${Age} at=${node.last_heartbeat} />` },
  ];
  const it = health.data;
  return html`<${Filters} fields=${fields} query=${query} />
    ${it?.expiry.suspended && html`<p class="note warn">${t("wrong.expiry", { why: it.expiry.reason ?? "" })}</p>`}
    <div class="bar-actions" role="group" aria-label=${t("actions")}>
      ${nodes.length > 0 ? html`<b role="status">${t("table.chosen", { n: nodes.length })}</b><${Actions} nodes=${nodes} after=${after} />`
      : html`<span class="dim" id="nodes-sum">${it && t("nodes.sum", { online: it.online_nodes + it.busy_nodes, total: it.total_nodes, used: it.used_capacity, capacity: it.total_capacity })}</span>`}
    </div>
    <${Trouble} problem=${list.problem} />
    ${rows.length > 0 && html`<${Table} label=${t("view.nodes")} columns=${columns} rows=${rows} keyOf=${(node) => node.node_id} onEnd=${list.more}
      isWhole=${list.isWhole} total=${wanted ? -1 : it?.total_nodes} chosen=${chosen} choose=${choose} isBusy=${list.isLoading} />`}
    ${wanted && !list.isWhole && html`<p class="dim">${t("nodes.text_partial", { n: list.items.length })} <button type="button" class="plain" onClick=${list.more}>${t("list.read_on")}</button></p>`}
    <${Count} list=${wanted ? { ...list, items: rows } : list} none=${Object.values(query).some(Boolean) ? t("nodes.none_such") : t("nodes.none")} />`;
}

function One({ id }) {
  const it = useLive(async (signal) => {
    const [node, health] = await Promise.all([get(at(["nodes", id]), { signal }), get(at(["nodes", id, "health"]), { signal }).catch(() => null)]);
    const inbox = await get(at(["inbox", id], { limit: 1 }), { signal }).catch(() => null);
    return { node, health, inbox };
  }, [id], { events: ["node_*"] });
  const tasks = useList((cursor) => at(["tasks"], { assigned_node: id, limit: 50, cursor }), (body) => body, (task) => task.task_id, [id], { events: ["task_*"] });
  if (!it.data) return it.problem ? html`<${Trouble} problem=${it.problem} />` : html`<p class="dim">${t("loading")}</p>`;
  const { node, health, inbox } = it.data;
  return html`<${Trouble} problem=${it.problem} />
    <div class="bar-actions" role="group" aria-label=${t("actions")}>
      <${Actions} nodes=${[node]} after=${it.again} afterRemoval=${() => go(["nodes"])} />
      ${node.running_tasks > 0 && html`<${Act} action=${() => bulk("cancel", { assigned_node: id, status: "running" }, tasks.again)}>${t("node.cancel_tasks")}<//>`}
    </div>
    <div class="columns even">
      <${Panel} title=${node.hostname} id="node-title">
        <${Facts} of=${[
          [t("node.status"), html`<${Status} of=${node.status} />`],
          [t("node.why"), health && node.status === "offline" && (health.is_timeout ? t("node.timed_out", { n: Math.round(health.time_since_heartbeat) }) : t("node.left"))],
          [t("node.silent"), html`<${Age} at=${node.last_heartbeat} />`],
          [t("node.tasks"), slots(node)],
          [t("node.system"), [node.platform, node.arch].filter(Boolean).join(" · ")],
          [t("node.address"), [node.ip_address, node.tailscale_ip].filter(Boolean).join(", ")],
          [t("node.registered"), html`<${Moment} at=${node.registered_at} />`],
          [t("node.incarnation"), number(node.incarnation)],
          [t("node.inbox"), inbox && html`<${To} path=${["mail", id]}>${t("mail.wait", { n: inbox.depth })}<//>`],
        ].filter(([, what]) => what !== false)} />
      <//>
      <${Panel} title=${t("node.work")} id="node-work-title">
        <${Facts} of=${[
          [t("node.cpu"), html`<${Bar} part=${node.cpu_usage} whole=${100} tone=${node.cpu_usage > 90 ? "bad" : ""}>${Math.round(node.cpu_usage)} %<//>`],
          [t("node.memory"), html`<${Bar} part=${node.memory_usage} whole=${100} tone=${node.memory_usage > 90 ? "bad" : ""}>${Math.round(node.memory_usage)} %<//>`],
          [t("node.disk"), html`<${Bar} part=${node.disk_usage} whole=${100} tone=${node.disk_usage > 90 ? "bad" : ""}>${Math.round(node.disk_usage)} %<//>`],
          [t("node.processed"), number(node.total_tasks_processed)], [t("node.succeeded"), number(node.successful_tasks)], [t("node.failed"), number(node.failed_tasks)],
          [t("node.average"), t("span.s", { n: Math.round(10 * node.average_execution_time) / 10 })],
          [t("node.skills"), html`<${Tags} of=${node.available_skills} most=${50} />`], [t("node.tags"), node.tags.length > 0 && html`<${Tags} of=${node.tags} most=${50} />`],
        ].filter(([, what]) => what !== false)} />
      <//>
    </div>
    <${Panel} title=${t("node.its_tasks")} id="node-tasks-title">
      <${Trouble} problem=${tasks.problem} />
      ${tasks.items.length > 0 && html`<${Table} label=${t("node.its_tasks")} columns=${taskColumns().filter((column) => column.key !== "node")} rows=${tasks.items}
        keyOf=${(task) => task.task_id} onEnd=${tasks.more} isWhole=${tasks.isWhole} tall=${0.5} />`}
      <${Count} list=${tasks} none=${t("node.no_tasks")} />
    <//>`;
}
