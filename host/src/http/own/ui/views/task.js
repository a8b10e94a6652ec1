// One task: what it is, what has become of it, why it waits, and what can be done about it.

import { at, get } from "../lib/access.js";
import { Act } from "../lib/action.js";
import { cancelTask, editTask, hasEnded, isLater, removeTask, retryTask } from "../lib/actions.js";
import { Json } from "../lib/json.js";
import { useLive } from "../lib/live.js";
import { Log } from "../lib/log.js";
import { Bar, Copy, Facts, NodeLink, Panel, Status, Tags, To, Trouble } from "../lib/parts.js";
import { go } from "../lib/router.js";
import { Moment, Until, hubNow } from "../lib/time.js";
import { Timeline } from "../lib/timeline.js";
import { html } from "../lib/view.js";
import { called, money, number, percent, t } from "../lib/words.js";

const OUTCOMES = { completed: "good", failed: "bad", timeout: "bad", lease: "warn", released: "warn", cancelled: "dim", waiting: "warn" };

export const title = (path) => t("view.task", { id: path[0] });

/** The lanes of the timeline: what is waited for, and each attempt. */
function lanes(task, attempts, waits) {
  const ms = (time) => (time ? Date.parse(time) : null);
  const begun = (attempts ?? []).map((it) => ms(it.from));
  const first = begun[0] ?? ms(task.started_at) ?? ms(task.completed_at);
  const all = [{ key: "queued", name: t("timeline.queued"), about: "", from: ms(task.submitted_at), to: first, tone: "dim" }];
  for (const it of attempts ?? []) {
    const about = [called("outcome", it.outcome ?? "running"), it.node_id && t("timeline.on", { node: it.node_id }), it.error,
      (it.tokens_in || it.tokens_out) && t("timeline.tokens", { in: it.tokens_in ?? 0, out: it.tokens_out ?? 0 }), it.cost && it.cost !== "0" && money(it.cost)];
    all.push({ key: "attempt" + it.attempt, name: t("timeline.attempt", { n: it.attempt }), about: about.filter(Boolean).join(" · "), from: ms(it.from), to: ms(it.to), tone: it.to ? OUTCOMES[it.outcome] ?? "dim" : "live" });
  }
  if (!attempts && task.started_at) {
    const end = hasEnded(task) ? ms(task.completed_at) : task.status === "running" ? null : ms(task.started_at);
    all.push({ key: "run", name: t("timeline.last"), about: called("status", task.status), from: ms(task.started_at), to: end, tone: OUTCOMES[task.status] ?? "live" });
  }
  for (const it of waits ?? []) {
    all.push({ key: it.wait_id, name: t("timeline.wait"), about: [called("kind", it.kind), it.question ?? it.name, called("state", it.state)].filter(Boolean).join(" · "), from: ms(it.asked_at), to: ms(it.ended_at), tone: "warn" });
  }
  return all.filter((lane) => lane.from !== null).sort((a, b) => a.from - b.from);
}

function Why({ task }) {
  const { data, problem } = useLive((signal) => get(at(["tasks", task.task_id, "why"]), { signal }), [task.task_id, task.status], { pace: 5000, events: ["node_*", "limit_*", "queue_*"] });
  if (!data) return html`<${Trouble} problem=${problem} route="GET /tasks/{id}/why" />`;
  return html`<${Panel} title=${t("why.title")} id="why-title">
    <p id="why"><b>${called("why", data.reason)}</b> ${data.message}</p>
    <${Facts} of=${[
      [t("why.ahead"), data.ahead > 0 && number(data.ahead)],
      [t("why.nodes"), t("why.nodes_are", { able: data.nodes.able, online: data.nodes.online, free: data.nodes.free })],
      [t("why.due"), data.due_at && html`<${Until} at=${data.due_at} />`],
      [t("why.skills"), data.skills.length > 0 && data.skills.map((it) => html`<${To} key=${it.skill} path=${["nodes"]} query=${{ skill: it.skill }} class="tag">${t("why.skill", { skill: it.skill, n: it.nodes, online: it.online })}<//> `)],
      [t("why.fair"), data.fair_delay_ms > 0 && t("span.s", { n: Math.round(data.fair_delay_ms / 1000) })],
    ].filter(([, what]) => what !== false)} />
    ${data.reason === "paused" && html`<p><${To} path=${["queue"]}>${t("why.to_queue")}<//></p>`}
    ${data.reason === "limited" && html`<p><${To} path=${["limits"]}>${t("why.to_limits")}<//></p>`}
  <//>`;
}

function Usage({ usage, budget }) {
  if (!usage) return null;
  const limit = budget?.cost ? html`<${Bar} part=${Number(usage.cost)} whole=${Number(budget.cost)} tone=${Number(usage.cost) >= Number(budget.cost) ? "bad" : ""}>${t("of", { part: money(usage.cost), whole: money(budget.cost) })}<//>` : null;
  return html`<${Panel} title=${t("usage.title")} id="task-usage-title"><${Facts} of=${[
    [t("usage.cost"), limit ?? money(usage.cost)], [t("usage.input"), number(usage.input)], [t("usage.output"), number(usage.output)],
    [t("usage.cached"), usage.cached > 0 && number(usage.cached)], [t("usage.requests"), number(usage.requests)],
    [t("usage.models"), (usage.models ?? []).map((it) => (it.provider ? it.provider + "/" : "") + it.model + " (" + money(it.cost) + ")").join(", ")],
  ].filter(([, what]) => what !== false)} /><//>`;
}

export function View({ id }) {
  const it = useLive(async (signal) => {
    const task = await get(at(["tasks", id]), { signal });
    const [attempts, waits] = await Promise.all([
      get(at(["tasks", id, "attempts"]), { signal }).then((body) => body.attempts, () => null),
      get(at(["waits"], { task_id: id }), { signal }).catch(() => []),
    ]);
    return { task, attempts, waits };
  }, [id], { events: ["task_*", "wait_answered"] });
  if (!it.data) return it.problem ? html`<${Trouble} problem=${it.problem} />` : html`<p class="dim">${t("loading")}</p>`;
  const { task, attempts, waits } = it.data;
  const open = waits.find((wait) => wait.state === "open" && wait.kind === "approval");
  const curl = `curl -H "Authorization: Bearer $REEF_API_KEY" ${location.origin}/api/v1${at(["tasks", id])}`;
  return html`<${Trouble} problem=${it.problem} />
    <div class="bar-actions" role="group" aria-label=${t("actions")}>
      ${!hasEnded(task) && html`<${Act} action=${() => cancelTask(task, it.again)}>${t("task.cancel")}<//>`}
      ${hasEnded(task) && task.status !== "completed" && html`<${Act} action=${() => retryTask(task, it.again)}>${t("task.retry")}<//>`}
      ${isLater(task) && html`<${Act} action=${() => editTask(task, it.again)}>${t("task.edit")}<//>`}
      ${hasEnded(task) && html`<${Act} action=${() => removeTask(task, () => go(["tasks"]))}>${t("task.remove")}<//>`}
      ${open && html`<${To} path=${["approvals"]} query=${{ wait: open.wait_id }} class="button">${t("task.answer")}<//>`}
      <${Copy} text=${curl}>${t("task.copy_curl")}<//>
    </div>
    <div class="columns">
      <${Panel} title=${task.name} id="task-title" class="facts-panel">
        ${task.description && task.description !== task.name && html`<p>${task.description}</p>`}
        <${Facts} of=${[
          [t("task.status"), html`<${Status} of=${task.status} />`],
          [t("task.progress"), task.status === "running" && html`<${Bar} part=${task.progress} whole=${1}>${percent(task.progress)}<//>`],
          [t("task.error"), task.error && html`<span class="bad wrap">${task.error}</span>`],
          [t("task.node"), task.assigned_node && html`<${NodeLink} id=${task.assigned_node} />`],
          [t("task.tries"), t("of", { part: task.retry_count + (task.started_at ? 1 : 0), whole: task.max_retries + 1 })],
          [t("task.priority"), called("priority", task.priority)],
          [t("task.skills"), task.required_skills.length > 0 && html`<${Tags} of=${task.required_skills} most=${20} />`],
          [t("task.submitted"), html`<${Moment} at=${task.submitted_at} />`],
          [t("task.scheduled"), task.scheduled_at && html`<${Moment} at=${task.scheduled_at} />`],
          [t("task.started"), task.started_at && html`<${Moment} at=${task.started_at} />`],
          [t("task.ended"), task.completed_at && html`<${Moment} at=${task.completed_at} />`],
          [t("task.timeout"), t("span.s", { n: task.timeout })],
          [t("task.group"), task.group_id && html`<${To} path=${["flows", task.group_id]} class="mono">${task.group_id}<//>`],
          [t("task.session"), task.session_id && html`<${To} path=${["sessions", task.session_id]} query=${{ message: task.message_id }} class="mono">${task.session_id}<//>`],
          [t("task.user"), task.user_id],
          [t("task.target"), task.target_node && html`<${NodeLink} id=${task.target_node} />`],
          [t("task.limits"), (task.limits ?? []).length > 0 && task.limits.map((limit) => html`<${To} key=${limit.name} path=${["limits", limit.name]} query=${{ key: limit.key }} class="tag">${limit.name}${limit.key ? ": " + limit.key : ""}<//> `)],
          [t("task.labels"), Object.keys(task.labels ?? {}).length > 0 && Object.entries(task.labels).map(([name, value]) => html`<${To} key=${name} path=${["tasks"]} query=${{ label: name + ":" + value }} class="tag">${name}: ${value}<//> `)],
          [t("task.charge"), task.charge && t("task.charge_is", { max: money(task.charge.max), paid: task.paid ? money(task.paid) : "–" })],
        ].filter(([, what]) => what !== false)} />
      <//>
      <div class="stack">
        ${(isLater(task)) && html`<${Why} task=${task} />`}
        <${Panel} title=${t("timeline.title")} id="timeline-title" note=${attempts ? "" : t("timeline.no_attempts")}>
          <${Timeline} lanes=${lanes(task, attempts, waits)} now=${hubNow()} label=${t("timeline.title")} />
        <//>
        <${Usage} usage=${task.usage} budget=${task.budget} />
      </div>
    </div>
    <${Log} id=${id} isOver=${hasEnded(task)} />
    <div class="columns even">
      <${Panel} title=${t("task.parameters")} id="parameters-title"><${Json} of=${task.parameters} label=${t("task.parameters")} /><//>
      <${Panel} title=${t("task.result")} id="result-title"><${Json} of=${task.result} label=${t("task.result")} /><//>
    </div>
    ${Object.keys(task.metadata ?? {}).length > 0 && html`<${Panel} title=${t("task.metadata")} id="metadata-title"><${Json} of=${task.metadata} label=${t("task.metadata")} /><//>`}`;
}
