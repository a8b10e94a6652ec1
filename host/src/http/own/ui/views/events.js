// What has happened in the cluster, and who has changed what by hand.

import { at, get } from "../lib/access.js";
import { Json } from "../lib/json.js";
import { useList } from "../lib/list.js";
import { latest, stream, useLive } from "../lib/live.js";
import { AgentLink, NodeLink, Panel, Tabs, TaskLink, To, Trouble } from "../lib/parts.js";
import { useStore } from "../lib/store.js";
import { Count, Filters, Table } from "../lib/table.js";
import { Age, clock, moment } from "../lib/time.js";
import { html, useMemo, useState } from "../lib/view.js";
import { called, t } from "../lib/words.js";
import { eventTypes } from "../event-types.js";

const PAGE = 200;

export const title = () => t("view.events");
export function View({ query }) {
  const tab = query.tab ?? "events";
  return html`<${Tabs} path=${["events"]} query=${{}} current=${tab} of=${[["events", t("events.events")], ["audit", t("events.audit")]]} />
    ${tab === "audit" ? html`<${Audit} query=${query} />` : html`<${Events} query=${query} />`}`;
}

/** What an event is about, as a link where it has a view. */
function About({ event: { payload } }) {
  if (payload.task_id) return html`<${TaskLink} id=${payload.task_id} />`;
  if (payload.node_id) return html`<span>${payload.hostname ?? ""} <${NodeLink} id=${payload.node_id} /></span>`;
  if (payload.leader) return html`<${NodeLink} id=${payload.leader} />`;
  if (payload.limit) return html`<${To} path=${["limits", payload.limit]}>${payload.limit}<//>`;
  if (payload.schedule_id) return html`<${To} path=${["schedules", payload.schedule_id]}>${payload.schedule_id}<//>`;
  if (payload.group_id) return html`<${To} path=${["flows", payload.group_id]} class="mono">${payload.group_id}<//>`;
  return html`<span class="mono dim">${payload.bulk_id ?? payload.id ?? ""}</span>`;
}

const KNOWN = ["task_id", "node_id", "hostname", "leader", "limit", "schedule_id", "group_id", "bulk_id", "id", "status"];
const rest = (payload) => Object.entries(payload).filter(([name, value]) => !KNOWN.includes(name) && value !== null && value !== "")
  .map(([name, value]) => name + ": " + (typeof value === "string" ? value : JSON.stringify(value))).join(" · ");

const columns = (isDay) => [
  { key: "at", label: t("at"), width: isDay ? "minmax(13rem, 1fr)" : "5rem", cell: (it) => html`<time dateTime=${it.timestamp} class="mono dim" title=${moment(it.timestamp)}>${isDay ? moment(it.timestamp) : clock(it.timestamp)}</time>` },
  { key: "type", label: t("events.type"), width: "minmax(9rem, 1.3fr)", cell: (it) => html`<span class="mono">${it.event_type}</span>` },
  { key: "about", label: t("events.about"), width: "minmax(8rem, 1.7fr)", cell: (it) => html`<${About} event=${it} />` },
  { key: "rest", label: t("events.rest"), width: "minmax(8rem, 3fr)", from: 680, cell: (it) => html`<span class="dim" title=${rest(it.payload)}>${rest(it.payload)}</span>` },
];

function Events({ query }) {
  const events = useStore(latest), live = useStore(stream);
  const [frozen, freeze] = useState(null);
  const wanted = (query.text ?? "").toLowerCase();
  // From a time on, the hub is asked; else it is what the stream has brought.
  const since = Date.parse(query.since ?? "");
  const past = useLive((signal) => get(at(["cluster", "events"], { after: since + "-0", limit: 1000 }), { signal }), [query.since], { isOff: Number.isNaN(since), pace: 0 });
  const source = Number.isNaN(since) ? frozen ?? events : past.data?.events ?? [];
  const rows = useMemo(() => source.filter((it) => (!query.type || it.event_type === query.type)
    && (!wanted || (it.event_type + JSON.stringify(it.payload)).toLowerCase().includes(wanted))), [source, query.type, wanted]);
  const fields = [{ name: "type", label: t("events.type"), options: eventTypes.map((it) => [it, it]) }, { name: "text", label: t("events.text") },
    { name: "since", label: t("events.since"), hint: "2026-01-31T00:00:00Z" }];
  return html`<${Filters} fields=${fields} query=${query} />
    <div class="bar-actions" role="group" aria-label=${t("actions")}>
      ${Number.isNaN(since) ? html`<button type="button" aria-pressed=${String(Boolean(frozen))} onClick=${() => freeze(frozen ? null : events)}>${t(frozen ? "events.go_on" : "events.hold")}</button>
        <span class="dim">${t("stream." + live.state)}</span>` : html`<span class="dim">${t("events.from", { at: moment(query.since) })}</span>`}</div>
    <${Trouble} problem=${past.problem} />${past.data?.gap && html`<p class="note warn">${t("events.gap")}</p>`}
    ${rows.length > 0 ? html`<${Table} label=${t("events.events")} columns=${columns(!Number.isNaN(since))} rows=${rows} keyOf=${(it) => it.event_id} />` : html`<p class="empty">${t(wanted || query.type ? "events.none_such" : "events.none")}</p>`}
    <p class="dim">${t("list.count", { n: rows.length })}</p>`;
}

function Audit({ query }) {
  const [open, show] = useState(null);
  const { actor, action, target } = query;
  const list = useList((cursor) => at(["audit"], { actor, action, target, limit: PAGE, cursor }), (body) => body.entries, (it) => it.chain + it.seq, [actor, action, target], {});
  const key = (it) => it.chain + "-" + it.seq;
  const shown = list.items.find((it) => key(it) === open);
  return html`<${Filters} query=${query} fields=${[{ name: "actor", label: t("audit.actor") }, { name: "action", label: t("audit.action") }, { name: "target", label: t("audit.target") }]} />
    <${Trouble} problem=${list.problem} route="GET /audit" />
    ${list.items.length > 0 && html`<${Table} label=${t("events.audit")} rows=${list.items} keyOf=${key} salt=${open ?? ""} onEnd=${list.more} isWhole=${list.isWhole} columns=${[
      { key: "age", label: t("at"), width: "3.6rem", to: 560, cell: (it) => html`<${Age} at=${it.at} />` },
      { key: "at", label: t("at"), width: "minmax(13rem, 1fr)", from: 560, cell: (it) => html`<time dateTime=${it.at} class="dim">${moment(it.at)}</time>` },
      { key: "actor", label: t("audit.actor"), width: "minmax(8rem, 1fr)", cell: (it) => html`<span class="two"><${AgentLink} id=${it.actor} /><small class="dim">${called("via", it.via)}</small></span>` },
      { key: "action", label: t("audit.action"), width: "minmax(8rem, 1fr)", cell: (it) => html`<button type="button" class="plain mono" aria-expanded=${String(open === key(it))} onClick=${() => show(open === key(it) ? null : key(it))}>${it.action}</button>` },
      { key: "target", label: t("audit.target"), width: "minmax(8rem, 2fr)", from: 560, cell: (it) => html`<span class="mono">${it.target}</span>` },
      { key: "reason", label: t("audit.reason"), width: "minmax(8rem, 2fr)", from: 760, cell: (it) => html`<span title=${it.reason}>${it.reason}</span>` },
    ]} />`}
    ${!list.problem && html`<${Count} list=${list} none=${t("audit.none")} />`}
    ${shown && html`<${Panel} title=${shown.action} id="audit-title" note=${moment(shown.at)}>
      <div class="columns even"><div><h3>${t("audit.before")}</h3><${Json} of=${shown.before} label=${t("audit.before")} /></div><div><h3>${t("audit.after")}</h3><${Json} of=${shown.after} label=${t("audit.after")} /></div></div>
      <h3>${t("audit.whole")}</h3><${Json} of=${{ ...shown, before: undefined, after: undefined }} label=${t("audit.whole")} /><//>`}
    <p class="dim">${t("audit.about")}</p>`;
}
