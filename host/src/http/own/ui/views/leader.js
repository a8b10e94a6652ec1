// Who leads, who has led, and who looks for silent nodes.

import { get } from "../lib/access.js";
import { Act } from "../lib/action.js";
import { send } from "../lib/acting.js";
import { useLive } from "../lib/live.js";
import { Facts, NodeLink, Panel, Trouble } from "../lib/parts.js";
import { Small } from "../lib/table.js";
import { Age, Moment, Until, hubNow, span } from "../lib/time.js";
import { html } from "../lib/view.js";
import { called, number, t } from "../lib/words.js";

export const title = () => t("view.leader");

const resign = (leader, after) => ({
  title: t("leader.resign"), button: t("leader.resign"), isHarsh: true, after, about: html`<p>${t("leader.resign_about", { node: leader.leader, term: leader.term })}</p>`,
  run: ({ key, reason }) => send("POST", "/cluster/leader/resign", { node_id: leader.leader, term: leader.term }, { key, reason }).then(() => t("done")),
});

export function View() {
  const leader = useLive((signal) => get("/cluster/leader", { signal }), [], { events: ["leader_changed"] });
  const past = useLive((signal) => get("/cluster/leader/history?limit=100", { signal }), [], { events: ["leader_changed"], pace: 15000 });
  const monitor = useLive((signal) => get("/cluster/monitor", { signal }), [], { pace: 5000 });
  const it = leader.data, watch = monitor.data;
  const isAway = watch && (!watch.holder || hubNow() - Date.parse(watch.last_tick_at) > 15000);
  return html`<div class="columns even">
    <${Panel} title=${t("leader.now")} id="leader-title" actions=${it?.leader && html`<${Act} scope="admin" action=${() => resign(it, leader.again)}>${t("leader.resign")}<//>`}>
      <${Trouble} problem=${leader.problem} />
      ${it && (it.leader ? html`<${Facts} of=${[[t("leader.leader"), html`<${NodeLink} id=${it.leader} />`], [t("leader.term"), number(it.term)], [t("leader.until"), html`<${Until} at=${new Date(hubNow() + it.ttl_ms).toISOString()} />`]]} />`
      : html`<p class="empty">${t("leader.none")}</p>`)}
    <//>
    <${Panel} title=${t("leader.monitor")} id="monitor-title">
      <${Trouble} problem=${monitor.problem} route="GET /cluster/monitor" />
      ${watch && html`<p class=${isAway ? "bad" : "good"}>${t(isAway ? "leader.monitor_away" : "leader.monitor_works")}</p>
        <${Facts} of=${[[t("leader.holder"), watch.holder], [t("leader.term"), number(watch.term)], [t("leader.until"), watch.until && html`<${Until} at=${watch.until} />`], [t("leader.ticks"), number(watch.ticks)],
          [t("leader.last_tick"), html`<${Age} at=${watch.last_tick_at} />`], [t("leader.tick_ms"), watch.tick_ms !== undefined && span(watch.tick_ms)],
          ...Object.entries(watch.lag ?? {}).map(([name, lag]) => [t("leader.lag", { what: called("lag", name) }), span(Number(lag))])].filter(([, what]) => what !== false)} />`}
    <//></div>
    <${Panel} title=${t("leader.history")} id="history-title"><${Trouble} problem=${past.problem} />
      ${past.data && html`<${Small} label=${t("leader.history")} none=${t("leader.no_history")} rows=${past.data} columns=${[
        { key: "at", label: t("at"), cell: (row) => html`<${Moment} at=${row.timestamp} />` }, { key: "event", label: t("leader.what"), cell: (row) => called("led", row.event) },
        { key: "node", label: t("task.node"), cell: (row) => html`<${NodeLink} id=${row.node_id} />` }, { key: "term", label: t("leader.term"), isNumber: true, cell: (row) => number(row.term) },
        { key: "reason", label: t("leader.reason"), cell: (row) => row.reason ?? "" },
      ]} />`}<//>`;
}
