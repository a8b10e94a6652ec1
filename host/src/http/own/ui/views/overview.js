// How the cluster is: what is wrong and where it is mended, a few numbers, and the last three hours.

import { at, get } from "../lib/access.js";
import { Chart } from "../lib/chart.js";
import { latest, useLive } from "../lib/live.js";
import { Panel, To, Trouble } from "../lib/parts.js";
import { readiness } from "../lib/readiness.js";
import { link } from "../lib/router.js";
import { useStore } from "../lib/store.js";
import { Age, hubNow, span } from "../lib/time.js";
import { html } from "../lib/view.js";
import { money, number, t } from "../lib/words.js";

const BACK_MS = 3 * 3600 * 1000;
const AWAY_MS = 15 * 1000;
const MOST = 100;
/** How many limits are asked whether they are shut. */
const ASKED = 20;

export const title = () => t("view.overview");

const counts = (n) => (n >= MOST ? MOST + "+" : n);
/** What a hub of another version, or a key without the scope, does not tell is left out. */
const orNothing = (promise) => promise.catch(() => null);

/** What is wrong, the worst first: `{tone, text, path, query}`. */
function wrongs({ health, stats, queue, limits, waits, budgets, monitor, ready, shut }) {
  const all = [];
  const add = (tone, text, path, query) => all.push({ tone, text, path, query });
  if (ready.isKnown && !ready.isReady) add("bad", t("wrong.not_ready", { why: ready.text }), ["health"]);
  if (health?.expiry.suspended) add("bad", t("wrong.expiry", { why: health.expiry.reason ?? "" }), ["nodes"], { status: "offline" });
  if (monitor && (!monitor.holder || hubNow() - Date.parse(monitor.last_tick_at) > AWAY_MS)) add("bad", t("wrong.monitor"), ["leader"]);
  if (queue?.paused) add("bad", t("wrong.paused"), ["queue"]);
  const kept = [...(queue?.paused_skills ?? []), ...(queue?.paused_types ?? [])];
  if (kept.length > 0) add("warn", t("wrong.paused_some", { what: kept.join(", ") }), ["queue"]);
  const working = (health?.online_nodes ?? 0) + (health?.busy_nodes ?? 0);
  if (health && stats?.waiting > 0 && working === 0) add("bad", t("wrong.no_nodes", { n: stats.waiting }), ["nodes"]);
  if (health?.offline_nodes > 0) add("warn", t("wrong.offline", { n: health.offline_nodes }), ["nodes"], { status: "offline" });
  if (health?.nodes_by_status.error > 0) add("warn", t("wrong.error_nodes", { n: health.nodes_by_status.error }), ["nodes"], { status: "error" });
  for (const name of shut) add("warn", t("wrong.shut", { name }), ["limits", name]);
  for (const limit of (limits ?? []).filter((it) => it.paused)) add("warn", t("wrong.limit_paused", { name: limit.name }), ["limits", limit.name]);
  for (const budget of (budgets ?? []).filter((it) => it.exceeded)) add("warn", t("wrong.budget", { scope: t("scope." + budget.scope), id: budget.id }), ["limits"], { tab: "budgets" });
  if (stats?.dead > 0) add("warn", t("wrong.dead", { n: stats.dead }), ["dead"]);
  if (waits?.length > 0) add("note", t("wrong.approvals", { n: counts(waits.length) }), ["approvals"]);
  for (const warning of ready.warnings) add("warn", warning, ["health"]);
  return all;
}

/**
 * Limits that a provider has shut: by how those asked about stand, and, since that says nothing of their keys,
 * by the events of the last ten minutes.
 */
function shutLimits(events, standing) {
  const until = new Map();
  // The newest comes first, and an admin may have opened one before its time.
  for (const { event_type: type, payload, timestamp } of events.toReversed()) {
    if (type !== "limit_shut") continue;
    until.set(payload.limit, payload.for_ms === 0 ? 0 : Math.max(Date.parse(timestamp) + payload.for_ms, until.get(payload.limit) ?? 0));
  }
  const shut = [...until].filter(([, end]) => end > hubNow()).map(([limit]) => limit);
  return [...new Set([...shut, ...(standing ?? []).filter((it) => it?.shut_by === "penalty").map((it) => it.name)])];
}

function Figure({ word, value, note, path, query, tone = "" }) {
  return html`<li class=${"figure " + tone}><a href=${link(path, query)}><span class="figure-word">${word}</span>
    <span class="figure-value">${value}</span><span class="figure-note dim">${note}</span></a></li>`;
}

export function View() {
  const ready = useStore(readiness), events = useStore(latest);
  const fast = useLive(async (signal) => {
    const [health, stats] = await Promise.all([get("/cluster/health", { signal }), get("/tasks/stats", { signal })]);
    return { health, stats };
  }, [], { events: ["node_*", "task_*", "snapshot"] });
  const slow = useLive(async (signal) => {
    const [first, queue, limits, waits, budgets, usage, monitor] = await Promise.all([
      "/tasks/pending?limit=1", "/queue", `/limits?limit=${MOST}`, `/waits?kind=approval&limit=${MOST}`, `/budgets?limit=${MOST}`,
      "/usage?by=model", "/cluster/monitor",
    ].map((path) => orNothing(get(path, { signal }))));
    // Only one by one do limits say whether they are shut.
    const standing = await Promise.all((limits ?? []).slice(0, ASKED).map((it) => orNothing(get(at(["limits", it.name]), { signal }))));
    return { first: first?.[0], queue, limits, standing, waits, budgets, usage, monitor };
  }, [], { pace: 15000, events: ["queue_*", "limit_*", "wait_answered", "budget_exceeded", "task_waiting"] });
  const past = useLive((signal) => {
    const from = new Date(hubNow() - BACK_MS).toISOString();
    return get(`/history?step=60&from=${encodeURIComponent(from)}`, { signal });
  }, [], { pace: 30000 });

  const { health, stats } = fast.data ?? {};
  const { first, queue, limits, standing, waits, budgets, usage, monitor } = slow.data ?? {};
  const points = past.data?.points ?? [];
  const hour = points.filter((it) => Date.parse(it.at) > hubNow() - 3600 * 1000);
  const failed = hour.reduce((sum, it) => sum + (it.failed ?? 0) + (it.timeout ?? 0), 0);
  const all = wrongs({ health, stats, queue, limits, waits, budgets, monitor, ready, shut: shutLimits(events, standing) });
  // The history has these in seconds.
  const seconds = (value) => span(1000 * value);

  if (fast.problem?.isNoRoute) return html`<p class="note">${t("monitor_only")} ${html`<${To} path=${["events"]}>${t("view.events")}<//>`}</p>`;
  return html`<${Trouble} problem=${fast.problem} />
    <section class="wrongs" aria-labelledby="wrongs-title">
      <div class="head"><h2 id="wrongs-title">${t("wrong.title")}</h2></div>
      ${all.length === 0 ? html`<p id="all-well" class=${health ? "good" : "dim"}>${health ? t("wrong.none") : t("loading")}</p>`
      : html`<ul id="wrongs">${all.map((it) => html`<li key=${it.text} class=${it.tone}><span class="wrong-mark" aria-hidden="true">${it.tone === "bad" ? "■" : it.tone === "warn" ? "▲" : "●"}</span>
          <span class="unseen">${t("tone." + it.tone)}</span> <${To} path=${it.path} query=${it.query}>${it.text}<//></li>`)}</ul>`}
    </section>
    ${health && stats && html`<ul class="figures" aria-label=${t("overview.figures")}>
      <${Figure} word=${t("overview.nodes")} path=${["nodes"]} value=${t("of", { part: health.online_nodes + health.busy_nodes, whole: health.total_nodes })} note=${t("overview.nodes_note")} />
      <${Figure} word=${t("overview.slots")} path=${["nodes"]} value=${t("of", { part: health.used_capacity, whole: health.total_capacity })} note=${Math.round(health.capacity_utilization) + " %"} />
      <${Figure} word=${t("overview.waiting")} path=${["queue"]} value=${number(stats.waiting)} note=${first ? html`${t("overview.first")} <${Age} at=${first.submitted_at} />` : t("overview.nothing_waits")} />
      <${Figure} word=${t("overview.running")} path=${["tasks"]} query=${{ status: "running" }} value=${number(stats.running)} note=${stats.suspended > 0 ? t("overview.on_hold", { n: stats.suspended }) : " "} />
      <${Figure} word=${t("overview.failed")} path=${["dead"]} value=${points.length > 0 ? number(failed) : number(stats.dead)} note=${points.length > 0 ? t("overview.last_hour") : t("overview.dead_now")} tone=${failed > 0 ? "bad" : ""} />
      ${usage && html`<${Figure} word=${t("overview.cost")} path=${["usage"]} value=${money(usage.total.cost)} note=${t("overview.tokens", { n: usage.total.input + usage.total.output })} />`}
    </ul>`}
    <${Panel} title=${t("overview.history")} id="history-title" note=${t("overview.history_note")}>
      ${past.problem ? html`<${Trouble} problem=${past.problem} route="GET /history" />`
      : points.length === 0 ? html`<p class="empty">${past.isLoading ? t("loading") : t("overview.no_history")}</p>`
      : html`<div class="charts">
          <${Chart} title=${t("chart.tasks")} points=${points} sums=${true} lines=${["submitted", "completed", "failed"].map((name) => ({ name, label: t("series." + name) }))} />
          <${Chart} title=${t("chart.waits")} points=${points} say=${seconds} lines=${["wait_p50", "wait_p95"].map((name) => ({ name, label: t("series." + name) }))} />
          <${Chart} title=${t("chart.runs")} points=${points} say=${seconds} lines=${["run_p50", "run_p95"].map((name) => ({ name, label: t("series." + name) }))} />
          <${Chart} title=${t("chart.nodes")} points=${points} lines=${["nodes_online", "nodes_total", "capacity", "running"].map((name) => ({ name, label: t("series." + name) }))} />
          <${Chart} title=${t("chart.tokens")} points=${points} sums=${true} lines=${["tokens_in", "tokens_out"].map((name) => ({ name, label: t("series." + name) }))} />
          <${Chart} title=${t("chart.cost")} points=${points} sums=${true} lines=${[{ name: "cost", label: t("series.cost") }]} />
        </div>`}
    <//>`;
}
