// Money: who has how much, one account's entries, what is reserved, and whether the journal is whole.
// It is shown to nobody without a key: an agent sees its own, the admin everybody's.

import { askForKey, at, get, reader, signedIn } from "../lib/access.js";
import { Act } from "../lib/action.js";
import { send } from "../lib/acting.js";
import { checked } from "../lib/journal.js";
import { useList } from "../lib/list.js";
import { useLive } from "../lib/live.js";
import { AgentLink, Facts, Panel, Status, Tabs, TaskLink, To, Trouble } from "../lib/parts.js";
import { useStore } from "../lib/store.js";
import { Count, Filters, Small, Table } from "../lib/table.js";
import { Age, Until } from "../lib/time.js";
import { html, useState } from "../lib/view.js";
import { called, money, number, t } from "../lib/words.js";

const PAGE = 200;

export const title = (path) => (path[0] ? t("view.account", { agent: path[0] }) : t("view.money"));

export function View({ path, query }) {
  const isIn = useStore(signedIn), me = useStore(reader);
  if (!isIn) return html`<p class="note" id="money-note">${t("money.needs_key")} <button type="button" id="money-sign" onClick=${askForKey}>${t("sign.in")}</button></p>`;
  if (!me) return html`<p class="dim">${t("loading")}</p>`;
  const isAdmin = me.scopes.includes("admin");
  if (path[0]) return html`<${Account} agent=${path[0]} isAdmin=${isAdmin} />`;
  const tab = ["holds", "intents", "journal"].find((it) => it === query.tab) ?? "accounts";
  const own = isAdmin ? {} : { agent_id: me.agent_id };
  const Shown = { holds: Holds, intents: Intents, journal: Journal }[tab] ?? Accounts;
  return html`<${Tabs} path=${["money"]} query=${{}} current=${tab} of=${["accounts", "holds", "intents", "journal"].map((it) => [it, t("money." + it)])} />
    <${Shown} query=${query} own=${own} me=${me} isAdmin=${isAdmin} />`;
}

function Accounts({ me, isAdmin }) {
  const list = useList((cursor) => (isAdmin ? at(["agents"], { limit: PAGE, cursor }) : at(["agents", me.agent_id])), (body) => body.agents ?? [body], (it) => it.agent_id, [isAdmin, me.agent_id], {});
  return html`<${Trouble} problem=${list.problem} />
    ${list.items.length > 0 && html`<${Table} label=${t("money.accounts")} rows=${list.items} keyOf=${(it) => it.agent_id} onEnd=${list.more} isWhole=${list.isWhole} columns=${[
      { key: "agent", label: t("money.agent"), width: "minmax(9rem, 3fr)", cell: (it) => html`<span class="two"><${To} path=${["money", it.agent_id]}>${it.display_name || it.agent_id}<//><small class="mono dim">${it.agent_id}</small></span>` },
      { key: "balance", label: t("money.balance"), width: "minmax(6rem, 1fr)", isNumber: true, cell: (it) => money(it.balance) },
      { key: "locked", label: t("money.locked"), width: "minmax(6rem, 1fr)", from: 460, isNumber: true, cell: (it) => money(it.locked) },
      { key: "available", label: t("money.available"), width: "minmax(6rem, 1fr)", from: 360, isNumber: true, cell: (it) => money(it.available) },
    ]} />`}<${Count} list=${list} none=${t("agents.none")} />`;
}

const voidHold = (hold, after) => ({
  title: t("hold.void"), button: t("hold.void"), isHarsh: true, after, about: html`<p>${t("hold.void_about", { amount: money(hold.amount), agent: hold.agent_id })}</p><p class="mono dim">${hold.hold_id}</p>`,
  run: ({ key, reason }) => send("POST", at(["holds", hold.hold_id, "void"]), {}, { key, reason }).then((it) => t("hold.is", { status: called("status", it.hold?.status ?? "voided") })),
});

function Holds({ query, own, agent }) {
  const filters = { status: query.status, ...own, ...(agent ? { agent_id: agent } : {}) };
  const list = useList((cursor) => at(["holds"], { ...filters, limit: PAGE, cursor }), (body) => body.holds, (it) => it.hold_id, [filters], {});
  return html`<${Filters} query=${query} fields=${[{ name: "status", label: t("task.status"), options: ["pending", "posted", "voided", "expired"].map((it) => [it, called("hold", it)]) }]} />
    <${Trouble} problem=${list.problem} />
    ${list.items.length > 0 && html`<${Table} label=${t("money.holds")} rows=${list.items} keyOf=${(it) => it.hold_id} onEnd=${list.more} isWhole=${list.isWhole} columns=${[
      { key: "id", label: t("hold.hold"), width: "minmax(9rem, 2fr)", cell: (it) => html`<span class="two"><${AgentLink} id=${it.agent_id} /><small class="mono dim">${it.hold_id}</small></span>` },
      { key: "status", label: t("task.status"), width: "minmax(6rem, 1fr)", cell: (it) => html`<${Status} kind="hold" of=${it.status} />` },
      { key: "amount", label: t("hold.amount"), width: "6rem", isNumber: true, cell: (it) => money(it.amount) },
      { key: "posted", label: t("hold.posted"), width: "6rem", from: 640, isNumber: true, cell: (it) => money(it.posted) },
      { key: "task", label: t("task.task"), width: "minmax(6rem, 2fr)", from: 760, cell: (it) => it.task_id && html`<${TaskLink} id=${it.task_id} />` },
      { key: "expires", label: t("hold.expires"), width: "6rem", from: 560, cell: (it) => it.status === "pending" && it.expires_at && html`<${Until} at=${it.expires_at} />` },
      { key: "act", label: t("actions"), width: "7rem", from: 400, cell: (it) => it.status === "pending" && !it.task_id && html`<${Act} scope="trade" action=${() => voidHold(it, list.again)}>${t("hold.void")}<//>` },
    ]} />`}<${Count} list=${list} none=${t("hold.none")} />`;
}

const cancelIntent = (intent, after) => ({
  title: t("intent.cancel"), button: t("intent.cancel"), isHarsh: true, after, about: html`<p>${t("intent.cancel_about", { agent: intent.agent_id, asset: intent.asset, margin: money(intent.margin) })}</p>`,
  run: ({ key, reason }) => send("DELETE", at(["intents", intent.intent_id]), undefined, { key, reason }).then(() => t("done")),
});

function Intents({ query, own }) {
  const filters = { status: query.status ?? "open", ...own };
  const list = useList((cursor) => at(["intents"], { ...filters, limit: PAGE, cursor }), (body) => body.intents, (it) => it.intent_id, [filters], {});
  return html`<${Trouble} problem=${list.problem} />
    ${list.items.length > 0 && html`<${Table} label=${t("money.intents")} rows=${list.items} keyOf=${(it) => it.intent_id} onEnd=${list.more} isWhole=${list.isWhole} columns=${[
      { key: "agent", label: t("money.agent"), width: "minmax(9rem, 2fr)", cell: (it) => html`<span class="two"><${AgentLink} id=${it.agent_id} /><small class="mono dim">${it.intent_id}</small></span>` },
      { key: "side", label: t("intent.side"), width: "4rem", cell: (it) => called("side", it.intent_type) },
      { key: "asset", label: t("intent.asset"), width: "minmax(5rem, 1fr)", cell: (it) => it.asset },
      { key: "size", label: t("intent.size"), width: "6rem", from: 480, isNumber: true, cell: (it) => money(it.remaining) },
      { key: "leverage", label: t("intent.leverage"), width: "4rem", from: 700, isNumber: true, cell: (it) => it.leverage + "×" },
      { key: "margin", label: t("intent.margin"), width: "6rem", from: 600, isNumber: true, cell: (it) => money(it.margin) },
      { key: "since", label: t("intent.since"), width: "5rem", from: 760, isNumber: true, cell: (it) => html`<${Age} at=${it.created_at} />` },
      { key: "act", label: t("actions"), width: "7rem", from: 420, cell: (it) => it.status === "open" && html`<${Act} scope="trade" action=${() => cancelIntent(it, list.again)}>${t("intent.cancel")}<//>` },
    ]} />`}<${Count} list=${list} none=${t("intent.none")} />`;
}

const side = (legs) => legs.map((leg) => html`<span key=${leg.account} class="leg"><span class="mono">${leg.account}</span> <b class=${leg.amount.startsWith("-") ? "bad" : "good"}>${money(leg.amount)}</b></span>`);

function Entries({ list, agent }) {
  return html`<${Trouble} problem=${list.problem} />
    ${list.items.length > 0 && html`<${Table} label=${t("money.journal")} rows=${list.items} keyOf=${(it) => String(it.seq)} onEnd=${list.more} isWhole=${list.isWhole} columns=${[
      { key: "seq", label: "#", width: "4rem", isNumber: true, cell: (it) => number(it.seq) },
      { key: "kind", label: t("entry.kind"), width: "minmax(7rem, 1fr)", cell: (it) => html`<span class="two"><span>${called("entry", it.kind)}</span><small class="dim">${it.memo}</small></span>` },
      { key: "legs", label: t("entry.legs"), width: "minmax(10rem, 3fr)", cell: (it) => side(agent ? it.legs.filter((leg) => leg.account === agent) : it.legs) },
      { key: "locks", label: t("entry.locks"), width: "minmax(8rem, 2fr)", from: 760, cell: (it) => side(agent ? it.locks.filter((leg) => leg.account === agent) : it.locks) },
      agent && { key: "after", label: t("entry.balance"), width: "6rem", from: 400, isNumber: true, cell: (it) => (it.after === undefined ? "" : money(it.after)) },
      { key: "at", label: t("at"), width: "5rem", from: 520, isNumber: true, cell: (it) => html`<${Age} at=${it.created_at} />` },
    ]} />`}<${Count} list=${list} none=${t("entry.none")} />`;
}

function Journal({ own }) {
  const [check, setCheck] = useState(null);
  const list = useList((cursor) => at(["entries"], { ...own, limit: PAGE, cursor }), (body) => body.entries, (it) => String(it.seq), [own], {});
  return html`<div class="bar-actions" role="group" aria-label=${t("actions")}>
      ${!own.agent_id && html`<button type="button" disabled=${check?.isAsking || !list.items.length} onClick=${async () => { setCheck({ isAsking: true }); setCheck(await checked(list.items)); }}>${t("journal.check")}</button>`}
      ${check && !check.isAsking && html`<span role="status" id="journal-check" class=${check.broken ? "bad" : "good"}>${check.isUnable ? t("journal.unable") : check.broken ? t("journal.broken", { seq: check.broken }) : t("journal.whole", { n: check.count, first: check.first, last: check.last })}</span>`}</div>
    <p class="dim">${t("journal.about")}</p><${Entries} list=${list} />`;
}

/** The account's entries with the balance after each, counted back from what it has now. */
function Account({ agent, isAdmin }) {
  const it = useLive(async (signal) => {
    const [balance, positions] = await Promise.all([get(at(["balance", agent]), { signal }), get(at(["positions", agent]), { signal }).catch(() => ({ positions: [] }))]);
    return { balance, positions: positions.positions };
  }, [agent]);
  const list = useList((cursor) => at(["entries"], { agent_id: agent, limit: PAGE, cursor }), (body) => body.entries, (entry) => String(entry.seq), [agent], {});
  if (!it.data) return it.problem ? html`<${Trouble} problem=${it.problem} />` : html`<p class="dim">${t("loading")}</p>`;
  const { balance, positions } = it.data;
  let left = micros(balance.balance);
  const items = list.items.map((entry) => {
    const after = left;
    for (const leg of entry.legs) if (leg.account === agent) left -= micros(leg.amount);
    return { ...entry, after: written(after) };
  });
  return html`<${Panel} title=${t("money.balance")} id="balance-title"><${Facts} of=${[[t("money.balance"), html`<b id="balance">${money(balance.balance)}</b>`], [t("money.locked"), money(balance.locked)], [t("money.available"), money(balance.available)],
      [t("money.agent"), html`<${AgentLink} id=${agent} />`]]} /><//>
    <${Panel} title=${t("money.positions")} id="positions-title"><${Small} label=${t("money.positions")} none=${t("money.no_positions")} rows=${positions} keyOf=${(row) => row.position_id} columns=${[
      { key: "id", label: t("money.position"), cell: (row) => html`<span class="mono">${row.position_id}</span>` }, { key: "side", label: t("intent.side"), cell: (row) => called("side", row.side) },
      { key: "asset", label: t("intent.asset"), cell: (row) => row.asset }, { key: "size", label: t("intent.size"), isNumber: true, cell: (row) => money(row.size) },
      { key: "entry", label: t("position.entry"), isNumber: true, cell: (row) => money(row.entry_price) }, { key: "mark", label: t("position.mark"), isNumber: true, cell: (row) => money(row.mark) },
      { key: "profit", label: t("position.profit"), isNumber: true, cell: (row) => html`<span class=${row.unrealized_pnl.startsWith("-") ? "bad" : "good"}>${money(row.unrealized_pnl)}</span>` },
    ]} /><//>
    <${Panel} title=${t("money.statement")} id="statement-title" note=${t("money.statement_note")}><${Entries} list=${{ ...list, items }} agent=${agent} /><//>
    <${Panel} title=${t("money.holds")} id="holds-title"><${Holds} query=${{}} own=${isAdmin ? {} : { agent_id: agent }} agent=${agent} /><//>`;
}

/** Amounts in millionths, so that sums of them are exact. */
function micros(text) {
  const [whole, part = ""] = text.replace("-", "").split(".");
  const amount = BigInt(whole) * 1000000n + BigInt(part.padEnd(6, "0"));
  return text.startsWith("-") ? -amount : amount;
}
function written(amount) {
  const size = amount < 0n ? -amount : amount;
  const part = String(size % 1000000n).padStart(6, "0").replace(/0+$/, "");
  return (amount < 0n ? "-" : "") + String(size / 1000000n) + (part ? "." + part : "");
}
