// Panel: balances, open intents and open positions. An agent sees its own, the admin everybody's.
// Money is the one thing that a hub shows to nobody without a key.

import { askForKey, getJson, isSignedIn } from "./access.js";
import { at, make, say, showAge, showAll } from "./dom.js";

const SHOWN = 20;
// The admin has no list of all positions: agents with something reserved are asked for theirs.
const ASKED_MAX = 8;

const number = (text) => make("td", text, "number");

function named(text, id) {
  const name = make("th", text);
  name.scope = "row";
  name.title = text;
  if (id) {
    const small = make("small", id, "mono");
    small.title = id;
    name.append(small);
  }
  return name;
}

function line(...cells) {
  const row = make("tr");
  row.append(...cells);
  return row;
}

const balanceRow = (agent) => line(named(agent.display_name || agent.agent_id, agent.display_name && agent.agent_id),
  number(agent.balance), number(agent.locked), number(agent.available));

const intentRow = (intent) => line(named(intent.agent_id, intent.intent_id), make("td", intent.intent_type),
  make("td", intent.asset), number(intent.remaining), number(intent.leverage + "×"), number(intent.margin),
  make("td", undefined, "number dim since"));

function positionRow(position) {
  const profit = number(position.unrealized_pnl);
  profit.classList.add(position.unrealized_pnl.startsWith("-") ? "bad" : "good");
  return line(named(position.agent_id, position.position_id), make("td", position.side), make("td", position.asset),
    number(position.size), number(position.entry_price), number(position.mark), profit);
}

function show(name, items, keyOf, build) {
  showAll(at(name), items, keyOf, JSON.stringify, build);
  at(name + "-table").hidden = items.length === 0;
}

function hideAll(note) {
  for (const name of ["balances", "intents", "positions"]) show(name, [], String, make);
  say(at("money-sum"), "");
  say(at("money-note"), note);
}

async function agentsSeenBy(me) {
  if (!me.auth.scopes.includes("admin")) {
    const own = await getJson("/api/v1/agents/" + encodeURIComponent(me.auth.agent_id));
    return own ? [own] : [];
  }
  return (await getJson(`/api/v1/agents?limit=${SHOWN}`))?.agents ?? [];
}

async function positionsOf(agents) {
  const asked = agents.filter((agent) => agent.locked !== "0").slice(0, ASKED_MAX);
  const found = await Promise.all(asked.map((agent) =>
    getJson("/api/v1/positions/" + encodeURIComponent(agent.agent_id))));
  return found.flatMap((one) => one?.positions ?? []).slice(0, SHOWN);
}

export async function load() {
  at("money-sign").hidden = isSignedIn();
  if (!isSignedIn()) return hideAll("Money is shown to who has a key: an agent's own, or the admin's.");
  const me = await getJson("/api/v1/auth/me");
  // `reef monitor` has no such route.
  at("money-panel").hidden = !me;
  if (!me) return;
  const [agents, open] = await Promise.all([agentsSeenBy(me), getJson(`/api/v1/intents?status=open&limit=${SHOWN}`)]);
  const intents = open?.intents ?? [];
  const positions = await positionsOf(agents);
  show("balances", agents, (agent) => agent.agent_id, balanceRow);
  show("intents", intents, (intent) => intent.intent_id, intentRow);
  intents.forEach((intent, index) => showAge(at("intents").children[index].querySelector(".since"), intent.created_at));
  show("positions", positions, (position) => position.position_id, positionRow);
  const parts = [[agents.length, "agent"], [intents.length, "open intent"], [positions.length, "position"]];
  say(at("money-sum"), parts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}${count === 1 ? "" : "s"}`).join(" · "));
  say(at("money-note"), agents.length === 0 ? "No agent has been registered yet." : "");
}

at("money-sign").addEventListener("click", askForKey);
