// Agents, their keys, and invites to become one. A new key is shown once and kept nowhere.

import { at, get, reader } from "../lib/access.js";
import { Act } from "../lib/action.js";
import { send } from "../lib/acting.js";
import { useList } from "../lib/list.js";
import { useLive } from "../lib/live.js";
import { Facts, Panel, Status, Tabs, Tags, To, Trouble } from "../lib/parts.js";
import { Json } from "../lib/json.js";
import { go } from "../lib/router.js";
import { useStore } from "../lib/store.js";
import { Count, Filters, Small, Table } from "../lib/table.js";
import { Age, Moment, Until } from "../lib/time.js";
import { html } from "../lib/view.js";
import { money, t } from "../lib/words.js";

const PAGE = 200;
const SCOPES = ["read", "write", "trade", "approve", "admin"];
const ADMINS = "@admin";

export const title = (path) => (path[0] ? t("view.agent", { id: path[0] }) : t("view.agents"));

export function View({ path, query }) {
  const me = useStore(reader);
  if (path[0]) return html`<${One} id=${path[0]} />`;
  const isAdmin = me?.scopes.includes("admin");
  const tab = query.tab ?? "agents";
  return html`${isAdmin && html`<${Tabs} path=${["agents"]} query=${{}} current=${tab} of=${[["agents", t("agents.agents")], ["admins", t("agents.admins")], ["invites", t("agents.invites")]]} />`}
    ${tab === "invites" ? html`<${Invites} />` : tab === "admins" ? html`<${Keys} agent=${ADMINS} />` : html`<${List} query=${query} me=${me} />`}`;
}

/** Fields for scopes: one box for each. */
const scopeFields = (chosen) => SCOPES.map((scope) => ({ name: "scope_" + scope, label: t("scope_word." + scope), type: "checkbox", value: chosen.includes(scope) }));
const scopesOf = (values) => SCOPES.filter((scope) => values["scope_" + scope]);

const register = (after) => ({
  title: t("agents.register"), button: t("agents.register"), after, about: html`<p>${t("agents.register_about")}</p>`,
  fields: [{ name: "agent_id", label: t("agents.id"), hint: t("agents.id_hint") }, { name: "display_name", label: t("agents.name"), most: 50 }],
  run: async ({ key, reason, values }) => {
    const body = {};
    if (values.agent_id.trim()) body.agent_id = values.agent_id.trim();
    if (values.display_name.trim()) body.display_name = values.display_name.trim();
    const made = await send("POST", "/agents/register", body, { key, reason });
    return { text: t("agents.registered", { id: made.agent.agent_id }) + (made.api_key ? "" : " " + t("secret.gone")), secret: made.api_key };
  },
});

function List({ query, me }) {
  const list = useList((cursor) => at(["agents"], { limit: PAGE, cursor }), (body) => body.agents, (it) => it.agent_id, [], {});
  const wanted = (query.text ?? "").toLowerCase();
  const rows = wanted ? list.items.filter((it) => (it.agent_id + " " + (it.display_name ?? "")).toLowerCase().includes(wanted)) : list.items;
  return html`<${Filters} query=${query} fields=${[{ name: "text", label: t("agents.text") }]} />
    <div class="bar-actions" role="group" aria-label=${t("actions")}><${Act} scope="admin" action=${() => register(list.again)}>${t("agents.register")}<//>
      ${me && !me.agent_id.startsWith("@") && html`<${To} path=${["agents", me.agent_id]} class="button">${t("agents.own")}<//>`}</div>
    <${Trouble} problem=${list.problem} />
    ${rows.length > 0 && html`<${Table} label=${t("agents.agents")} rows=${rows} keyOf=${(it) => it.agent_id} onEnd=${list.more} isWhole=${list.isWhole} columns=${[
      { key: "agent", label: t("agents.agent"), width: "minmax(10rem, 3fr)", cell: (it) => html`<span class="two"><${To} path=${["agents", it.agent_id]}>${it.display_name || it.agent_id}<//><small class="mono dim">${it.agent_id}</small></span>` },
      { key: "status", label: t("task.status"), width: "minmax(6rem, 1fr)", cell: (it) => html`<${Status} of=${it.status} />` },
      { key: "balance", label: t("money.balance"), width: "6rem", from: 560, isNumber: true, cell: (it) => (it.balance === undefined ? "" : money(it.balance)) },
      { key: "created", label: t("agents.since"), width: "6rem", from: 460, isNumber: true, cell: (it) => html`<${Age} at=${it.created_at} />` },
    ]} />`}<${Count} list=${{ ...list, items: rows }} none=${t("agents.none")} />`;
}

const suspend = (agent, after) => {
  const isOff = agent.status === "suspended";
  return {
    title: t(isOff ? "agents.go_on" : "agents.suspend"), button: t(isOff ? "agents.go_on" : "agents.suspend"), isHarsh: !isOff, after, about: html`<p>${t(isOff ? "agents.go_on_about" : "agents.suspend_about", { id: agent.agent_id })}</p>`,
    run: ({ key, reason }) => send("PATCH", at(["agents", agent.agent_id]), { status: isOff ? "active" : "suspended" }, { key, reason }).then(() => t("done")),
  };
};
const removeAgent = (agent) => ({
  title: t("agents.remove"), button: t("agents.remove"), isHarsh: true, after: () => go(["agents"]), about: html`<p>${t("agents.remove_about", { id: agent.agent_id })}</p>`,
  run: ({ key, reason }) => send("DELETE", at(["agents", agent.agent_id]), undefined, { key, reason }).then(() => t("done")),
});

function One({ id }) {
  const it = useLive((signal) => get(at(["agents", id]), { signal }), [id]);
  if (!it.data) return it.problem ? html`<${Trouble} problem=${it.problem} />` : html`<p class="dim">${t("loading")}</p>`;
  const agent = it.data;
  return html`<${Trouble} problem=${it.problem} />
    <div class="bar-actions" role="group" aria-label=${t("actions")}>
      <${Act} scope="admin" action=${() => suspend(agent, it.again)}>${t(agent.status === "suspended" ? "agents.go_on" : "agents.suspend")}<//>
      <${Act} scope="admin" action=${() => removeAgent(agent)}>${t("agents.remove")}<//></div>
    <${Panel} title=${agent.display_name || id} id="agent-title"><${Facts} of=${[
      [t("agents.id"), html`<span class="mono">${id}</span>`], [t("task.status"), html`<${Status} of=${agent.status} />`], [t("agents.wallet"), agent.wallet_address], [t("agents.since"), html`<${Moment} at=${agent.created_at} />`],
      [t("money.balance"), agent.balance !== undefined && html`<${To} path=${["money", id]}>${money(agent.balance)}<//>`], [t("mail.waiting"), html`<${To} path=${["mail", id]}>${t("mail.look")}<//>`],
    ].filter(([, what]) => what !== false)} />${Object.keys(agent.metadata ?? {}).length > 0 && html`<${Json} of=${agent.metadata} label=${t("task.metadata")} />`}<//>
    <${Keys} agent=${id} />`;
}

const makeKey = (agent, after) => ({
  title: t("keys_.make"), button: t("keys_.make"), after, about: html`<p>${t("keys_.make_about", { agent })}</p>`,
  fields: [{ name: "name", label: t("keys_.name") }, ...(agent === ADMINS ? [] : scopeFields(["read"])), { name: "days", label: t("keys_.days"), type: "number", min: 1, hint: t("keys_.days_hint") }],
  run: async ({ key, reason, values }) => {
    const body = { agent_id: agent };
    if (values.name.trim()) body.name = values.name.trim();
    if (values.days) body.expires_in_days = Number(values.days);
    if (agent !== ADMINS) body.scopes = scopesOf(values);
    const made = await send("POST", "/auth/keys", body, { key, reason });
    return { text: t("keys_.made", { id: made.key_info.key_id }) + (made.api_key ? "" : " " + t("secret.gone")), secret: made.api_key };
  },
});
const rotate = (it, after) => ({
  title: t("keys_.rotate"), button: t("keys_.rotate"), isHarsh: true, after, about: html`<p>${t("keys_.rotate_about", { name: it.name, id: it.key_id })}</p>`,
  run: ({ key, reason }) => send("POST", at(["auth", "keys", it.key_id, "rotate"]), undefined, { key, reason }).then((made) => ({ text: t("keys_.made", { id: made.key_info.key_id }), secret: made.api_key })),
});
const revoke = (it, after) => ({
  title: t("keys_.revoke"), button: t("keys_.revoke"), isHarsh: true, after, about: html`<p>${t("keys_.revoke_about", { name: it.name, id: it.key_id })}</p>`,
  run: ({ key, reason }) => send("DELETE", at(["auth", "keys", it.key_id]), undefined, { key, reason }).then(() => t("keys_.revoked")),
});

function Keys({ agent }) {
  const it = useLive((signal) => get(at(["auth", "keys"], { agent_id: agent }), { signal }), [agent], { pace: 15000 });
  const me = useStore(reader);
  return html`<${Panel} title=${agent === ADMINS ? t("agents.admins") : t("keys_.keys")} id="keys-title" note=${agent === ADMINS ? t("keys_.admins_note") : ""}
      actions=${html`<${Act} scope=${agent === ADMINS ? "admin" : "write"} action=${() => makeKey(agent, it.again)}>${t("keys_.make")}<//>`}>
    <${Trouble} problem=${it.problem} />
    ${it.data && html`<${Small} label=${t("keys_.keys")} none=${t("keys_.none")} rows=${it.data.keys} keyOf=${(row) => row.key_id} columns=${[
      { key: "id", label: t("keys_.key"), cell: (row) => html`<b>${row.name || t("keys_.unnamed")}</b><br /><small class="mono dim">${row.key_id}</small>${row.key_id === me?.key_id && html` <span class="tag">${t("keys_.yours")}</span>`}` },
      { key: "scopes", label: t("keys_.scopes"), cell: (row) => html`<${Tags} of=${row.scopes.map((scope) => t("scope_word." + scope))} most=${5} />` },
      { key: "used", label: t("keys_.used"), cell: (row) => (row.last_used ? html`<${Age} at=${row.last_used} />` : t("keys_.never")) },
      { key: "made", label: t("keys_.created"), cell: (row) => html`<${Moment} at=${row.created_at} />` },
      { key: "ends", label: t("keys_.expires"), cell: (row) => (row.expires_at ? html`<${Until} at=${row.expires_at} over=${t("keys_.over")} />` : t("keys_.no_end")) },
      { key: "act", label: t("actions"), cell: (row) => html`<${Act} action=${() => rotate(row, it.again)}>${t("keys_.rotate")}<//> <${Act} action=${() => revoke(row, it.again)}>${t("keys_.revoke")}<//>` },
    ]} />`}<//>`;
}

const invite = (after) => ({
  title: t("invite.make"), button: t("invite.make"), after, about: html`<p>${t("invite.about")}</p>`,
  fields: [{ name: "uses", label: t("invite.uses"), type: "number", min: 1, max: 1000, value: "1" }, { name: "hours", label: t("invite.hours"), type: "number", min: 1, max: 720, value: "24" }, ...scopeFields(["read", "write"])],
  run: async ({ key, reason, values }) => {
    const made = await send("POST", "/invites", { uses: Number(values.uses), expires_in: 3600 * Number(values.hours), scopes: scopesOf(values) }, { key, reason });
    return { text: t("invite.made"), secret: made.invite };
  },
});
const revokeInvite = (it, after) => ({
  title: t("invite.revoke"), button: t("invite.revoke"), isHarsh: true, after, about: html`<p class="mono">${it.invite_id}</p>`,
  run: ({ key, reason }) => send("DELETE", at(["invites", it.invite_id]), undefined, { key, reason }).then(() => t("done")),
});

function Invites() {
  const list = useList((cursor) => at(["invites"], { limit: PAGE, cursor }), (body) => body.invites, (it) => it.invite_id, [], {});
  return html`<div class="bar-actions" role="group" aria-label=${t("actions")}><${Act} scope="admin" action=${() => invite(list.again)}>${t("invite.make")}<//></div>
    <${Trouble} problem=${list.problem} />
    ${list.items.length > 0 && html`<${Small} label=${t("agents.invites")} rows=${list.items} keyOf=${(it) => it.invite_id} columns=${[
      { key: "id", label: t("invite.invite"), cell: (it) => html`<span class="mono">${it.invite_id}</span>` }, { key: "used", label: t("invite.used"), isNumber: true, cell: (it) => t("of", { part: it.used, whole: it.uses }) },
      { key: "scopes", label: t("keys_.scopes"), cell: (it) => html`<${Tags} of=${it.scopes.map((scope) => t("scope_word." + scope))} most=${5} />` }, { key: "by", label: t("invite.by"), cell: (it) => it.created_by },
      { key: "ends", label: t("keys_.expires"), cell: (it) => html`<${Until} at=${it.expires_at} />` }, { key: "act", label: t("actions"), cell: (it) => html`<${Act} scope="admin" action=${() => revokeInvite(it, list.again)}>${t("invite.revoke")}<//>` },
    ]} />`}<${Count} list=${list} none=${t("invite.none")} />`;
}
