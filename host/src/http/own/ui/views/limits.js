// What bounds the fleet: limits of what tasks share, budgets of what they use, and what models cost.

import { at, get, reader } from "../lib/access.js";
import { Act } from "../lib/action.js";
import { send } from "../lib/acting.js";
import { useList } from "../lib/list.js";
import { useLive } from "../lib/live.js";
import { Bar, Facts, Panel, Tabs, To, Trouble } from "../lib/parts.js";
import { go } from "../lib/router.js";
import { Count, Filters, Small } from "../lib/table.js";
import { Age, Moment, Until, span } from "../lib/time.js";
import { html } from "../lib/view.js";
import { called, money, number, t } from "../lib/words.js";

const ASKED = 50;

export const title = (path) => (path[0] ? t("view.limit", { name: path[0] }) : t("view.limits"));
export function View({ path, query }) {
  if (path[0]) return html`<${Limit} name=${path[0]} query=${query} />`;
  const tab = ["budgets", "prices"].find((it) => it === query.tab) ?? "limits";
  const Shown = { budgets: Budgets, prices: Prices }[tab] ?? Limits;
  return html`<${Tabs} path=${["limits"]} query=${{}} current=${tab} of=${[["limits", t("limits.limits")], ["budgets", t("limits.budgets")], ["prices", t("limits.prices")]]} /><${Shown} />`;
}

export const rate = (it) => t(it.unit === "tokens" ? "limits.rate_tokens" : "limits.rate_tasks", { n: it.count, span: span(it.per_ms) });

/** Rates as they are typed: `60/60000` or `100000/60000 tokens`, with commas between. */
function rates(text) {
  return text.split(",").map((it) => it.trim()).filter(Boolean).map((it) => {
    const found = /^(\d+)\s*\/\s*(\d+)\s*(tasks|tokens)?$/.exec(it);
    if (!found) throw new Error(t("limits.rates_bad", { what: it }));
    return { count: Number(found[1]), per_ms: Number(found[2]), unit: found[3] ?? "tasks" };
  });
}
const typed = (list) => list.map((it) => `${it.count}/${it.per_ms} ${it.unit}`).join(", ");

/** Makes a limit, or sets one anew. */
const setLimit = (limit, after) => ({
  title: limit ? t("limits.edit") : t("limits.new"), button: t("save"), after, about: limit && html`<p>${t("limits.edit_about", { name: limit.name, n: limit.running })}</p>`,
  fields: [
    ...(limit ? [] : [{ name: "name", label: t("limits.name"), isNeeded: true }]),
    { name: "concurrency", label: t("limits.concurrency"), type: "number", min: 1, max: 10000, value: limit?.concurrency ? String(limit.concurrency) : "", hint: t("limits.concurrency_hint") },
    { name: "rates", label: t("limits.rates"), value: limit ? typed(limit.rates) : "", hint: t("limits.rates_hint") },
    { name: "paused", label: t("limits.paused"), type: "checkbox", value: limit?.paused ?? false },
    { name: "per_owner", label: t("limits.per_owner"), type: "checkbox", value: limit?.per_owner ?? false },
    { name: "note", label: t("note"), value: limit?.note ?? "" },
  ],
  run: async ({ key, reason, values }) => {
    const body = { concurrency: values.concurrency ? Number(values.concurrency) : null, rates: rates(values.rates), paused: values.paused, per_owner: values.per_owner, note: values.note };
    await send("PUT", at(["limits", limit?.name ?? values.name.trim()]), body, { key, reason });
    return t("done");
  },
});

const pause = (limit, isPaused, after) => ({
  title: t(isPaused ? "limits.pause" : "limits.open"), button: t(isPaused ? "limits.pause" : "limits.open"), after,
  about: html`<p>${t(isPaused ? "limits.pause_about" : "limits.open_about", { name: limit.name })}</p>`,
  run: async ({ key, reason }) => {
    const { concurrency, rates: all, per_owner: perOwner, note } = await get(at(["limits", limit.name]));
    await send("PUT", at(["limits", limit.name]), { concurrency, rates: all, per_owner: perOwner, note, paused: isPaused }, { key, reason });
    return t("done");
  },
});

const remove = (limit) => ({
  title: t("limits.remove"), button: t("limits.remove"), isHarsh: true, after: () => go(["limits"]), about: html`<p>${t("limits.remove_about", { name: limit.name, n: limit.running })}</p>`,
  run: ({ key, reason }) => send("DELETE", at(["limits", limit.name]), undefined, { key, reason }).then(() => t("done")),
});

const stands = (limit) => (limit?.shut_by ? html`<span class="dot warn">${called("shut", limit.shut_by)}</span>${limit.opens_at && html` <span class="dim">${t("limits.opens")} <${Until} at=${limit.opens_at} /></span>`}` : html`<span class="dot good">${t("limits.is_open")}</span>`);
const used = (limit) => (limit.concurrency ? html`<${Bar} part=${limit.running} whole=${limit.concurrency} tone=${limit.running >= limit.concurrency ? "bad" : ""}>${t("of", { part: limit.running, whole: limit.concurrency })}<//>` : number(limit.running));

function Limits() {
  const list = useList((cursor) => at(["limits"], { limit: 200, cursor }), (body) => body, (limit) => limit.name, [], { events: ["limit_*", "task_running"] });
  // Only one by one do limits say whether they are shut.
  const some = list.items.slice(0, ASKED);
  const standing = useLive((signal) => Promise.all(some.map(async (it) => [it.name, await get(at(["limits", it.name]), { signal }).catch(() => null)])).then(Object.fromEntries),
    [some.map((it) => it.name).join()], { events: ["limit_*"], pace: 10000, isOff: some.length === 0 });
  return html`<div class="bar-actions" role="group" aria-label=${t("actions")}><${Act} scope="admin" action=${() => setLimit(null, list.again)}>${t("limits.new")}<//></div>
    <${Trouble} problem=${list.problem} route="GET /limits" />
    ${list.items.length > 0 && html`<${Small} label=${t("limits.limits")} rows=${list.items} keyOf=${(limit) => limit.name} columns=${[
      { key: "name", label: t("limits.name"), cell: (limit) => html`<${To} path=${["limits", limit.name]}>${limit.name}<//>${limit.note && html`<br /><small class="dim">${limit.note}</small>`}` },
      { key: "state", label: t("limits.state"), cell: (limit) => (limit.paused ? html`<span class="dot bad">${called("shut", "paused")}</span>` : stands(standing.data?.[limit.name])) },
      { key: "running", label: t("limits.running"), cell: used },
      { key: "rates", label: t("limits.rates"), cell: (limit) => limit.rates.map(rate).join(", ") || t("none") },
      { key: "owner", label: t("limits.counts"), cell: (limit) => t(limit.per_owner ? "limits.each_owner" : "limits.together") },
      { key: "act", label: t("actions"), cell: (limit) => html`<${Act} scope="admin" action=${() => pause(limit, !limit.paused, list.again)}>${t(limit.paused ? "limits.open" : "limits.pause")}<//>` },
    ]} />`}
    <${Count} list=${list} none=${t("limits.none")} />`;
}

function Limit({ name, query }) {
  const { data: limit, problem, again } = useLive((signal) => get(at(["limits", name], { key: query.key, owner: query.owner }), { signal }), [name, query.key, query.owner], { events: ["limit_*", "task_running", "class_open"] });
  if (!limit) return problem ? html`<${Trouble} problem=${problem} />` : html`<p class="dim">${t("loading")}</p>`;
  const penalty = {
    title: t("limits.shut"), button: t("limits.shut"), after: again, isHarsh: true, about: html`<p>${t("limits.shut_about", { name })}</p>`,
    fields: [{ name: "seconds", label: t("limits.shut_for"), type: "number", min: 1, max: 3600, value: "60", isNeeded: true }],
    run: ({ key, reason, values }) => send("POST", at(["limits", name, "penalty"]), { retry_after_ms: 1000 * Number(values.seconds), ...(query.key ? { key: query.key } : {}), ...(query.owner ? { owner: query.owner } : {}) }, { key, reason }).then(() => t("done")),
  };
  const lift = {
    title: t("limits.lift"), button: t("limits.lift"), after: again, about: html`<p>${t("limits.lift_about", { name })}</p>`,
    run: ({ key, reason }) => send("POST", at(["limits", name, "penalty"]), { retry_after_ms: 0, ...(query.key ? { key: query.key } : {}), ...(query.owner ? { owner: query.owner } : {}) }, { key, reason }).then(() => t("done")),
  };
  return html`<div class="bar-actions" role="group" aria-label=${t("actions")}>
      ${limit.shut_by === "penalty" && html`<${Act} scope="admin" action=${() => lift}>${t("limits.lift")}<//>`}
      <${Act} scope="admin" action=${() => setLimit(limit, again)}>${t("limits.edit")}<//>
      <${Act} scope="admin" action=${() => pause(limit, !limit.paused, again)}>${t(limit.paused ? "limits.open" : "limits.pause")}<//>
      <${Act} scope="admin" action=${() => penalty}>${t("limits.shut")}<//>
      <${Act} scope="admin" action=${() => remove(limit)}>${t("limits.remove")}<//></div>
    <${Filters} query=${query} fields=${[{ name: "key", label: t("limits.key") }, ...(limit.per_owner ? [{ name: "owner", label: t("limits.owner") }] : [])]} />
    <${Panel} title=${name} id="limit-title"><${Facts} of=${[
      [t("limits.state"), stands(limit)], [t("limits.running"), used(limit)], [t("limits.held"), number(limit.held)], [t("limits.parked"), number(limit.parked_classes)],
      [t("limits.penalised"), limit.penalised_at && html`<${Moment} at=${limit.penalised_at} />`],
      [t("limits.rates"), limit.rates.map(rate).join(", ")], [t("limits.counts"), t(limit.per_owner ? "limits.each_owner" : "limits.together")],
      [t("note"), limit.note], [t("updated"), html`<${Moment} at=${limit.updated_at} /> · ${limit.updated_by}`]]} /><//>`;
}

// --- budgets and prices ---------------------------------------------------------------------------

const SCOPES = ["user", "group", "owner"];
const setBudget = (budget, after) => ({
  title: budget ? t("budget.edit") : t("budget.new"), button: t("save"), after, about: html`<p>${t("budget.about")}</p>`,
  fields: [
    ...(budget ? [] : [{ name: "scope", label: t("budget.scope"), type: "select", options: SCOPES.map((it) => [it, t("scope." + it)]), value: "user" }, { name: "id", label: t("budget.id"), isNeeded: true }]),
    { name: "cost", label: t("budget.cost"), value: budget?.cost ?? "" }, { name: "tokens", label: t("budget.tokens"), type: "number", min: 1, value: budget?.tokens ? String(budget.tokens) : "" },
    { name: "period", label: t("budget.period"), type: "select", value: budget?.period ?? "day", options: ["day", "month", "total"].map((it) => [it, t("period." + it)]) },
    { name: "on_exceed", label: t("budget.on_exceed"), type: "select", value: budget?.on_exceed ?? "flag", options: ["flag", "wait", "cancel"].map((it) => [it, t("exceed." + it)]) },
    { name: "note", label: t("note"), value: budget?.note ?? "" },
  ],
  run: async ({ key, reason, values }) => {
    const body = { cost: values.cost.trim() || null, tokens: values.tokens ? Number(values.tokens) : null, period: values.period, on_exceed: values.on_exceed, note: values.note };
    const isAdmin = reader.get()?.scopes.includes("admin");
    if (budget && budget.scope !== "owner" && isAdmin) body.owner = budget.owner;
    await send("PUT", at(["budgets", budget?.scope ?? values.scope, budget?.id ?? values.id.trim()]), body, { key, reason });
    return t("done");
  },
});
const removeBudget = (budget, after) => ({
  title: t("budget.remove"), button: t("budget.remove"), isHarsh: true, after, about: html`<p>${t("scope." + budget.scope)} <b>${budget.id}</b></p>`,
  run: ({ key, reason }) => send("DELETE", at(["budgets", budget.scope, budget.id], reader.get()?.scopes.includes("admin") && budget.scope !== "owner" ? { owner: budget.owner } : {}), undefined, { key, reason }).then(() => t("done")),
});
const burnt = (part, whole, say) => (whole ? html`<${Bar} part=${Number(part)} whole=${Number(whole)} tone=${Number(part) >= Number(whole) ? "bad" : ""}>${t("of", { part: say(part), whole: say(whole) })}<//>` : html`<span class="dim">${say(part)}</span>`);

function Budgets() {
  const list = useList((cursor) => at(["budgets"], { limit: 200, cursor }), (body) => body, (it) => it.scope + "/" + it.owner + "/" + it.id, [], { events: ["budget_exceeded"] });
  return html`<div class="bar-actions" role="group" aria-label=${t("actions")}><${Act} action=${() => setBudget(null, list.again)}>${t("budget.new")}<//></div>
    <${Trouble} problem=${list.problem} route="GET /budgets" />
    ${list.items.length > 0 && html`<${Small} label=${t("limits.budgets")} rows=${list.items} columns=${[
      { key: "of", label: t("budget.of"), cell: (it) => html`${t("scope." + it.scope)} <b>${it.id}</b>${it.exceeded && html` <span class="dot bad">${t("budget.exceeded")}</span>`}${it.note && html`<br /><small class="dim">${it.note}</small>`}` },
      { key: "owner", label: t("budget.owner"), cell: (it) => it.owner },
      { key: "cost", label: t("budget.cost"), cell: (it) => burnt(it.cost_used, it.cost, money) },
      { key: "tokens", label: t("budget.tokens"), cell: (it) => burnt(it.tokens_used, it.tokens, (n) => number(Number(n))) },
      { key: "period", label: t("budget.period"), cell: (it) => t("period." + it.period) },
      { key: "then", label: t("budget.on_exceed"), cell: (it) => t("exceed." + it.on_exceed) },
      { key: "act", label: t("actions"), cell: (it) => html`<${Act} action=${() => setBudget(it, list.again)}>${t("edit")}<//> <${Act} action=${() => removeBudget(it, list.again)}>${t("remove")}<//>` },
    ]} />`}
    <${Count} list=${list} none=${t("budget.none")} />`;
}

const setPrice = (price, after) => ({
  title: t("price.set"), button: t("save"), after, about: html`<p>${t("price.about")}</p>`,
  fields: [...(price ? [] : [{ name: "model", label: t("price.model"), isNeeded: true, hint: "provider/model" }]),
    ...["input", "output", "cached"].map((name) => ({ name, label: t("price." + name), value: price?.[name] ?? "", isNeeded: name !== "cached" }))],
  run: ({ key, reason, values }) => send("PUT", at(["prices", price?.model ?? values.model.trim()]), { input: values.input, output: values.output, ...(values.cached ? { cached: values.cached } : {}) }, { key, reason }).then(() => t("done")),
});

function Prices() {
  const { data, problem, again } = useLive((signal) => get("/prices", { signal }), [], { pace: 30000 });
  return html`<div class="bar-actions" role="group" aria-label=${t("actions")}><${Act} scope="admin" action=${() => setPrice(null, again)}>${t("price.set")}<//></div>
    <${Trouble} problem=${problem} route="GET /prices" />
    ${data && html`<${Small} label=${t("limits.prices")} none=${t("price.none")} rows=${data} keyOf=${(it) => it.model} columns=${[
      { key: "model", label: t("price.model"), cell: (it) => html`<b class="mono">${it.model}</b>` },
      ...["input", "output", "cached"].map((name) => ({ key: name, label: t("price." + name), isNumber: true, cell: (it) => money(it[name]) })),
      { key: "by", label: t("updated"), cell: (it) => html`<${Age} at=${it.updated_at} /> · ${it.updated_by}` },
      { key: "act", label: t("actions"), cell: (it) => html`<${Act} scope="admin" action=${() => setPrice(it, again)}>${t("edit")}<//>` },
    ]} />`}`;
}
