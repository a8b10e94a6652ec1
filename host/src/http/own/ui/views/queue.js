// What waits for a node, in the order in which it will be claimed, why, and what is kept back.

import { at, get } from "../lib/access.js";
import { Act } from "../lib/action.js";
import { send } from "../lib/acting.js";
import { useList } from "../lib/list.js";
import { useLive } from "../lib/live.js";
import { Panel, Tags, To, Trouble } from "../lib/parts.js";
import { Count, Small, Table } from "../lib/table.js";
import { Age } from "../lib/time.js";
import { html } from "../lib/view.js";
import { called, number, t } from "../lib/words.js";
import { columns as taskColumns } from "./tasks.js";

const PAGE = 200;
const TYPES = ["interactive", "batch", "compute_intensive", "io_intensive", "daemon"];
const MOST_KINDS = 12;

export const title = () => t("view.queue");

/** The kinds of tasks that wait: those that ask for the same, by the first that have been read. */
export function kinds(tasks) {
  const all = new Map();
  for (const task of tasks) {
    const wants = [...task.required_skills].sort().join(", ");
    const key = [wants, task.target_node ?? "", (task.limits ?? []).map((it) => it.name + ":" + (it.key ?? "")).join()].join("|");
    const kind = all.get(key) ?? { key, skills: task.required_skills, target: task.target_node, limits: task.limits ?? [], count: 0, first: task };
    kind.count += 1;
    if (task.submitted_at < kind.first.submitted_at) kind.first = task;
    all.set(key, kind);
  }
  return [...all.values()].sort((a, b) => b.count - a.count);
}

/** Pauses or resumes: `change(state)` is what becomes of what is kept back. */
const pausing = (title_, about, state, change, after, fields) => ({
  title: title_, button: title_, after, fields, about: html`<p>${about}</p>`, count: 2,
  run: async ({ key, reason, values }) => {
    // Of what is so now, and not of what was on the page a while ago.
    const now = await get("/queue");
    await send("PUT", "/queue", change(now, values), { key, reason });
    return t("done");
  },
});

function KeptBack({ state, after, waiting }) {
  const without = (list, it) => list.filter((other) => other !== it);
  return html`<${Panel} title=${t("queue.state")} id="queue-state-title" actions=${html`
      ${state.paused ? html`<${Act} scope="admin" action=${() => pausing(t("queue.resume"), t("queue.resume_about", { n: waiting }), state, (now) => ({ ...now, paused: false }), after)}>${t("queue.resume")}<//>`
      : html`<${Act} scope="admin" action=${() => pausing(t("queue.pause"), t("queue.pause_about", { n: waiting }), state, (now) => ({ ...now, paused: true }), after)}>${t("queue.pause")}<//>`}
      <${Act} scope="admin" action=${() => pausing(t("queue.pause_some"), t("queue.pause_some_about"), state, (now, values) => ({ ...now,
        paused_skills: values.skill ? [...new Set([...now.paused_skills, values.skill.trim()])] : now.paused_skills,
        paused_types: values.type ? [...new Set([...now.paused_types, values.type])] : now.paused_types }), after,
      [{ name: "skill", label: t("queue.skill") }, { name: "type", label: t("queue.type"), type: "select", options: [["", t("none")], ...TYPES.map((it) => [it, called("type", it)])] }])}>${t("queue.pause_some")}<//>`}>
    <p id="queue-state" class=${state.paused ? "bad" : ""}><b>${t(state.paused ? "queue.is_paused" : state.paused_skills.length + state.paused_types.length > 0 ? "queue.is_partly" : "queue.is_open")}</b></p>
    ${[...state.paused_skills.map((it) => ["paused_skills", it, it]), ...state.paused_types.map((it) => ["paused_types", it, called("type", it)])].map(([list, it, word]) => html`<p key=${list + it}>
      ${t(list === "paused_skills" ? "queue.skill_paused" : "queue.type_paused", { what: word })}
      <${Act} scope="admin" class="plain" action=${() => pausing(t("queue.resume_one", { what: word }), t("queue.resume_one_about", { what: word }), state, (now) => ({ ...now, [list]: without(now[list], it) }), after)}>${t("queue.resume_one", { what: word })}<//></p>`)}
  <//>`;
}

export function View() {
  const state = useLive((signal) => get("/queue", { signal }), [], { events: ["queue_*"] });
  const stats = useLive((signal) => get("/tasks/stats", { signal }), [], { events: ["task_*"] });
  const list = useList((cursor) => at(["tasks", "pending"], { limit: PAGE, cursor }), (body) => body, (task) => task.task_id, [], { events: ["task_*", "queue_*", "class_open"] });
  const all = kinds(list.items);
  const shown = all.slice(0, MOST_KINDS);
  const whys = useLive((signal) => Promise.all(shown.map(async (kind) => [kind.key, await get(at(["tasks", kind.first.task_id, "why"]), { signal }).catch(() => null)])).then(Object.fromEntries),
    [shown.map((kind) => kind.key).join("\n")], { pace: 10000, isOff: shown.length === 0 });
  return html`<${Trouble} problem=${state.problem} route="GET /queue" />
    ${state.data && html`<${KeptBack} state=${state.data} after=${state.again} waiting=${stats.data?.waiting ?? 0} />`}
    <${Panel} title=${t("queue.kinds")} id="kinds-title" note=${list.isWhole ? "" : t("queue.kinds_note", { n: list.items.length })}>
      <${Small} label=${t("queue.kinds")} none=${t("queue.none")} rows=${shown} keyOf=${(kind) => kind.key} columns=${[
        { key: "skills", label: t("queue.wants"), cell: (kind) => html`${kind.skills.length > 0 ? html`<${Tags} of=${kind.skills} most=${6} />` : html`<span class="dim">${t("queue.any")}</span>`}
            ${kind.target && html`<span class="tag">${t("queue.for", { node: kind.target })}</span>`}${kind.limits.map((it) => html`<${To} key=${it.name} path=${["limits", it.name]} query=${{ key: it.key }} class="tag">${it.name}<//>`)}` },
        { key: "count", label: t("queue.count"), isNumber: true, cell: (kind) => number(kind.count) },
        { key: "oldest", label: t("queue.oldest"), isNumber: true, cell: (kind) => html`<${Age} at=${kind.first.submitted_at} />` },
        { key: "nodes", label: t("queue.nodes"), isNumber: true, cell: (kind) => { const it = whys.data?.[kind.key]?.nodes; return it ? `${it.able} / ${it.online} / ${it.free}` : "–"; } },
        { key: "why", label: t("queue.why"), class: "wrap", cell: (kind) => { const it = whys.data?.[kind.key]; return it ? html`<b>${called("why", it.reason)}</b> <span class="dim">${it.message}</span>` : ""; } },
        { key: "open", label: t("queue.first"), cell: (kind) => html`<${To} path=${["tasks", kind.first.task_id]}>${kind.first.name}<//>` },
      ]} />
      ${all.length > MOST_KINDS && html`<p class="dim">${t("queue.more_kinds", { n: all.length - MOST_KINDS })}</p>`}
    <//>
    <${Panel} title=${t("queue.order")} id="order-title" note=${stats.data ? t("queue.waiting", { n: stats.data.waiting }) : ""}>
      <${Trouble} problem=${list.problem} />
      ${list.items.length > 0 && html`<${Table} label=${t("queue.order")} columns=${taskColumns().filter((column) => !["node", "error"].includes(column.key))} rows=${list.items}
        keyOf=${(task) => task.task_id} onEnd=${list.more} isWhole=${list.isWhole} total=${stats.data?.waiting} tall=${0.5} />`}
      <${Count} list=${list} none=${t("queue.none")} />
    <//>`;
}
