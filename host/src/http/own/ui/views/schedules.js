// What begins by itself: when next, what became of the last runs.

import { at, get } from "../lib/access.js";
import { Act } from "../lib/action.js";
import { send } from "../lib/acting.js";
import { Json } from "../lib/json.js";
import { useList } from "../lib/list.js";
import { useLive } from "../lib/live.js";
import { Facts, Panel, Status, TaskLink, To, Trouble } from "../lib/parts.js";
import { go } from "../lib/router.js";
import { Count, Small, Table } from "../lib/table.js";
import { Moment, Until, hubNow, moment, span } from "../lib/time.js";
import { html } from "../lib/view.js";
import { called, number, t } from "../lib/words.js";

export const title = (path) => (path[0] ? t("view.schedule", { id: path[0] }) : t("view.schedules"));
export const View = ({ path }) => (path[0] ? html`<${One} id=${path[0]} />` : html`<${List} />`);

const pattern = (spec) => (spec.cron ? spec.cron + " (" + spec.timezone + ")" : t("schedule.every", { span: span(spec.every_ms) }));
const state = (it) => (it.paused ? html`<span class="dot warn">${t("schedule.paused")}</span>` : html`<span class="dot good">${t("schedule.active")}</span>`);
const path = (it, verb) => at(["schedules", it.schedule_id, verb]);

const turn = (it, after) => ({
  title: t(it.paused ? "schedule.resume" : "schedule.pause"), button: t(it.paused ? "schedule.resume" : "schedule.pause"), after,
  about: html`<p>${t(it.paused ? "schedule.resume_about" : "schedule.pause_about", { id: it.schedule_id })}</p>`,
  fields: [{ name: "note", label: t("note"), value: it.note ?? "", most: 500 }],
  run: ({ key, reason, values }) => send("POST", path(it, it.paused ? "resume" : "pause"), { note: values.note }, { key, reason }).then(() => t("done")),
});

/** How many runs were begun, and which were not. */
function begun(answer) {
  const started = answer.runs.filter((run) => run.outcome === "started").length;
  const rest = answer.runs.length - started;
  return { text: t("schedule.begun", { n: started }), isBad: rest > 0, list: rest > 0 ? answer.runs.filter((run) => run.outcome !== "started").map((run) => run.due_at + ": " + called("outcome", run.outcome) + (run.reason ? ", " + run.reason : "")) : undefined };
}

const trigger = (it, after) => ({
  title: t("schedule.trigger"), button: t("schedule.trigger"), after, about: html`<p>${t("schedule.trigger_about", { id: it.schedule_id })}</p>`,
  run: ({ key, reason }) => send("POST", path(it, "trigger"), {}, { key, reason }).then(begun),
});

const local = (ms) => new Date(ms).toISOString().slice(0, 19) + "Z";
const backfill = (it, after) => ({
  title: t("schedule.backfill"), button: t("schedule.backfill"), after, needsReason: true, about: html`<p>${t("schedule.backfill_about", { id: it.schedule_id })}</p>`,
  fields: [{ name: "from", label: t("filter.since"), value: local(hubNow() - 3600 * 1000), isNeeded: true, hint: t("schedule.utc") },
    { name: "to", label: t("filter.until"), value: local(hubNow()), isNeeded: true }, { name: "most", label: t("schedule.most"), type: "number", min: 1, max: 100, value: "10" }],
  run: ({ key, reason, values }) => send("POST", path(it, "backfill"), { from: values.from, to: values.to, most: Number(values.most) }, { key, reason }).then(begun),
});

const remove = (it) => ({
  title: t("schedule.remove"), button: t("schedule.remove"), isHarsh: true, after: () => go(["schedules"]), about: html`<p>${t("schedule.remove_about", { id: it.schedule_id })}</p>`,
  run: ({ key, reason }) => send("DELETE", at(["schedules", it.schedule_id]), undefined, { key, reason }).then(() => t("done")),
});

function List() {
  const list = useList((cursor) => at(["schedules"], { limit: 200, cursor }), (body) => body, (it) => it.schedule_id, [], { events: ["schedule_*"] });
  return html`<${Trouble} problem=${list.problem} route="GET /schedules" />
    ${list.items.length > 0 && html`<${Table} label=${t("view.schedules")} rows=${list.items} keyOf=${(it) => it.schedule_id} onEnd=${list.more} isWhole=${list.isWhole} columns=${[
      { key: "id", label: t("schedule.schedule"), width: "minmax(9rem, 2fr)", cell: (it) => html`<span class="two"><${To} path=${["schedules", it.schedule_id]}>${it.schedule_id}<//><small class="dim">${it.task?.name}</small></span>` },
      { key: "state", label: t("schedule.state"), width: "minmax(6rem, 1fr)", cell: state },
      { key: "when", label: t("schedule.when"), width: "minmax(9rem, 2fr)", from: 560, cell: (it) => html`<span class="mono">${pattern(it.spec)}</span>` },
      { key: "next", label: t("schedule.next"), width: "6rem", from: 420, cell: (it) => html`<${Until} at=${it.paused ? null : it.next_at} />` },
      { key: "started", label: t("schedule.started"), width: "5rem", from: 700, isNumber: true, cell: (it) => number(it.started) },
      { key: "missed", label: t("schedule.missed"), width: "15rem", from: 900, isNumber: true, cell: (it) => html`<span class=${it.missed + it.refused > 0 ? "warn" : "dim"}>${t("schedule.missed_are", { missed: it.missed, skipped: it.skipped, refused: it.refused })}</span>` },
      { key: "act", label: t("actions"), width: "9rem", from: 860, cell: (it) => html`<${Act} action=${() => turn(it, list.again)}>${t(it.paused ? "schedule.resume" : "schedule.pause")}<//>` },
    ]} />`}
    <${Count} list=${list} none=${t("schedule.none")} />`;
}

function One({ id }) {
  const { data: it, problem, again } = useLive((signal) => get(at(["schedules", id]), { signal }), [id], { events: ["schedule_*", "task_*"] });
  if (!it) return problem ? html`<${Trouble} problem=${problem} />` : html`<p class="dim">${t("loading")}</p>`;
  return html`<${Trouble} problem=${problem} />
    <div class="bar-actions" role="group" aria-label=${t("actions")}>
      <${Act} action=${() => turn(it, again)}>${t(it.paused ? "schedule.resume" : "schedule.pause")}<//>
      <${Act} action=${() => trigger(it, again)}>${t("schedule.trigger")}<//>
      <${Act} action=${() => backfill(it, again)}>${t("schedule.backfill")}<//>
      <${Act} action=${() => remove(it)}>${t("schedule.remove")}<//></div>
    <div class="columns even">
      <${Panel} title=${id} id="schedule-title"><${Facts} of=${[
        [t("schedule.state"), state(it)], [t("note"), it.note], [t("schedule.when"), html`<span class="mono">${pattern(it.spec)}</span>`],
        [t("schedule.from"), it.spec.start_at && moment(it.spec.start_at)], [t("schedule.until"), it.spec.end_at && moment(it.spec.end_at)],
        [t("schedule.jitter"), it.spec.jitter_ms > 0 && span(it.spec.jitter_ms)], [t("schedule.overlap"), t("overlap." + it.overlap)],
        [t("schedule.catch_up"), t("catch_up." + it.catch_up.mode)], [t("schedule.on_failure"), t(it.pause_on_failure ? "yes" : "no")],
        [t("schedule.owner"), it.owner], [t("schedule.counts"), t("schedule.missed_are", { missed: it.missed, skipped: it.skipped, refused: it.refused })], [t("schedule.started"), number(it.started)],
      ].filter(([, what]) => what !== false)} /><//>
      <${Panel} title=${t("schedule.upcoming")} id="upcoming-title">${it.paused ? html`<p class="empty">${t("schedule.is_paused")}</p>` : html`<ol class="plain-list">${it.upcoming.map((time) => html`<li key=${time}><${Moment} at=${time} /> · <${Until} at=${time} /></li>`)}</ol>`}<//>
    </div>
    <${Panel} title=${t("schedule.runs")} id="runs-title"><${Small} label=${t("schedule.runs")} none=${t("schedule.no_runs")} rows=${it.runs} columns=${[
      { key: "due", label: t("schedule.due"), cell: (run) => html`<${Moment} at=${run.due_at} />` },
      { key: "cause", label: t("schedule.cause"), cell: (run) => t("cause." + run.cause) },
      { key: "outcome", label: t("schedule.outcome"), cell: (run) => html`<${Status} kind="outcome" of=${run.outcome} />${run.reason && html` <span class="dim">${run.reason}</span>`}` },
      { key: "status", label: t("task.status"), cell: (run) => run.status && html`<${Status} of=${run.status} />` },
      { key: "task", label: t("task.task"), cell: (run) => html`<${TaskLink} id=${run.task_id} />` },
    ]} /><//>
    <${Panel} title=${t("schedule.task")} id="schedule-task-title"><${Json} of=${it.task} label=${t("schedule.task")} /><//>`;
}
