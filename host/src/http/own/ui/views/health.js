// Whether the hub is well, what it runs on, how it is set, and what to send to whoever helps.

import { ask, Problem, reader } from "../lib/access.js";
import { useLive } from "../lib/live.js";
import { Json } from "../lib/json.js";
import { Facts, Panel, Trouble } from "../lib/parts.js";
import { readiness } from "../lib/readiness.js";
import { useStore } from "../lib/store.js";
import { Small } from "../lib/table.js";
import { hubNow } from "../lib/time.js";
import { html, useState } from "../lib/view.js";
import { called, t } from "../lib/words.js";

const REDIS = ["redis_version", "valkey_version", "uptime_in_seconds", "used_memory_human", "maxmemory_human", "connected_clients", "aof_enabled", "aof_last_write_status", "instantaneous_ops_per_sec", "role", "connected_slaves"];

export const title = () => t("view.health");

/** A host's own route, outside of /api. */
async function own(path) {
  const answer = await ask(path);
  if (!answer) throw new Problem(0);
  const body = await answer.json().catch(() => null);
  if (!answer.ok || body === null) throw new Problem(answer.status, body);
  return body;
}

/** `INFO` of Redis as a map, whether it comes as a text or as one already. */
function facts(info) {
  if (typeof info !== "string") return info ?? {};
  return Object.fromEntries(info.split(/\r?\n/).filter((line) => line.includes(":")).map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]));
}

function save(bundle) {
  const address = URL.createObjectURL(new Blob([JSON.stringify(bundle, null, 2)], { type: "application/json" }));
  const name = "reef-debug-" + new Date(hubNow()).toISOString().replace(/[:.]/g, "-") + ".json";
  Object.assign(document.createElement("a"), { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/** Settings as rows: a list of `{name, value, origin}`, or a map of what each is. */
function settings(given) {
  const list = Array.isArray(given) ? given : given?.settings;
  if (Array.isArray(list)) return list.map((it) => ({ name: it.name, value: it.value, origin: [it.origin?.kind, it.origin?.name].filter(Boolean).join(" ") || it.origin }));
  return Object.entries(given ?? {}).map(([name, value]) => ({ name, value, origin: t("debug.variable") }));
}

function Debug() {
  const [bundle, set] = useState(null), [problem, setProblem] = useState(null), [text, filter] = useState("");
  async function load() {
    try { set(await own("/debug")); setProblem(null); } catch (refused) { setProblem(refused); }
  }
  const info = facts(bundle?.redis?.servers?.[0]?.info ?? bundle?.redis?.info);
  const rows = [...settings(bundle?.configuration), ...settings(bundle?.variables)].filter((it) => (it.name + " " + JSON.stringify(it.value)).toLowerCase().includes(text.toLowerCase()));
  return html`<${Panel} title=${t("debug.title")} id="debug-title" actions=${html`<button type="button" id="debug-load" onClick=${load}>${t("debug.load")}</button>${bundle && html`<button type="button" onClick=${() => save(bundle)}>${t("debug.save")}</button>`}`}>
    <p class="dim">${t("debug.about")}</p>
    ${problem && html`<${Trouble} problem=${problem} route="GET /debug" />`}
    ${bundle && html`<${Facts} isRaw=${true} of=${REDIS.filter((name) => info[name] !== undefined).map((name) => [name, html`<span class="mono">${String(info[name])}</span>`])} />
      <h3>${t("debug.configuration")}</h3>
      <label>${t("debug.filter")}<input value=${text} autocomplete="off" onInput=${(event) => filter(event.target.value)} /></label>
      <${Small} label=${t("debug.configuration")} rows=${rows} keyOf=${(it) => it.name} columns=${[
        { key: "name", label: t("debug.name"), cell: (it) => html`<span class="mono">${it.name}</span>` }, { key: "value", label: t("debug.value"), class: "wrap mono", cell: (it) => (typeof it.value === "string" ? it.value : JSON.stringify(it.value)) },
        { key: "origin", label: t("debug.origin"), cell: (it) => (typeof it.origin === "string" ? it.origin : JSON.stringify(it.origin ?? "")) },
      ]} />
      <h3>${t("debug.whole")}</h3><${Json} of=${bundle} label=${t("debug.whole")} />`}
  <//>`;
}

export function View() {
  const ready = useStore(readiness), me = useStore(reader);
  const host = useLive(() => own("/healthz"), [], { pace: 30000 });
  const isAdmin = me?.scopes.includes("admin");
  return html`<div class="columns even">
    <${Panel} title=${t("health.now")} id="ready-title">
      <p class=${ready.isReady ? "good" : "bad"}><b>${ready.text}</b></p>
      ${ready.warnings.length > 0 && html`<ul id="warnings" aria-label=${t("health.warnings")}>${ready.warnings.map((it) => html`<li class="warn" key=${it}>${it}</li>`)}</ul>`}
      ${ready.warnings.length === 0 && html`<p class="dim">${t("health.no_warnings")}</p>`}
    <//>
    <${Panel} title=${t("health.durability")} id="durability-title" note=${html`<code>Prefer: durability=…</code>`}>
      ${ready.durability.length > 0 ? html`<ul id="levels" class="plain-list" aria-labelledby="durability-title">${ready.durability.map((it) => html`<li key=${it.level} class=${it.given === "no" ? "dim" : "good"}><b>${it.level}</b>: ${called("given", it.given)} <span class="dim why">${it.why}</span></li>`)}</ul>`
      : html`<p class="empty">${t("none")}</p>`}
    <//></div>
    <${Panel} title=${t("health.host")} id="host-title"><${Trouble} problem=${host.problem} />
      ${host.data && html`<${Facts} of=${[[t("health.version"), host.data.version], [t("health.commit"), html`<span class="mono">${host.data.commit}</span>`], [t("health.target"), host.data.target]]} />
        <${Small} label=${t("health.components")} none=${t("health.no_components")} rows=${host.data.components ?? []} keyOf=${(it) => it.name} columns=${[
          { key: "name", label: t("health.component"), cell: (it) => it.name }, { key: "sum", label: "SHA-256", cell: (it) => html`<span class="mono">${String(it.sha256).slice(0, 16)}…</span>` },
        ]} />`}<//>
    ${isAdmin ? html`<${Debug} />` : html`<p class="note">${t("debug.admins_only")}</p>`}`;
}
