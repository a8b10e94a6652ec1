// Panel: the nodes, newest registration first.

import { get, getJson, reason } from "./access.js";
import { at, make, say, setHubTime, showAge, showAll } from "./dom.js";
import { eventTypes } from "./event-types.js";

const SHOWN = 200;

export const events = [...eventTypes.filter((type) => type.startsWith("node_")), "snapshot"];

function row(node) {
  const line = make("tr");
  const name = make("th", node.hostname);
  name.scope = "row";
  name.title = node.hostname;
  const id = make("small", node.node_id, "mono");
  id.title = node.node_id;
  name.append(id);
  const status = make("td");
  status.append(make("span", node.status, "dot " + node.status));
  const load = make("span", node.running_tasks + " of " + node.max_concurrent_tasks, "load");
  const share = Math.min(100, 100 * node.running_tasks / Math.max(1, node.max_concurrent_tasks));
  load.style.setProperty("--share", share + "%");
  const tasks = make("td");
  tasks.append(load);
  const skills = make("td", undefined, "wrap");
  skills.append(...node.available_skills.map((skill) => make("span", skill, "tag")));
  line.append(name, status, tasks, make("td", Math.round(node.cpu_usage) + " %", "number"), skills,
    make("td", undefined, "number dim silent"));
  return line;
}

function showSum(health) {
  if (!health) return;
  setHubTime(health.checked_at);
  const working = health.online_nodes + health.busy_nodes;
  say(at("nodes-sum"), health.total_nodes === 0 ? ""
    : `${working} of ${health.total_nodes} online · ${health.used_capacity} of ${health.total_capacity} slots in use`);
  at("nodes-guard").hidden = !health.expiry.suspended;
  say(at("nodes-guard"), "Nobody is marked offline at the moment: " + (health.expiry.reason ?? ""));
}

export async function load() {
  const [answer, health] = await Promise.all([
    get("/api/v1/nodes?limit=" + SHOWN), getJson("/api/v1/cluster/health")]);
  const note = (text) => { at("nodes-note").hidden = !text; say(at("nodes-note"), text); };
  if (!answer) return note("This host does not answer.");
  if (answer.status === 401) return note("");
  // `reef monitor` has the events and no routes.
  if (answer.status === 404) return note("This host shows events only; the hub itself serves the nodes.");
  if (!answer.ok) return note(await reason(answer));
  const nodes = await answer.json();
  showSum(health);
  // Each heartbeat changes its own time, for which no row need be built anew.
  const print = (node) => JSON.stringify({ ...node, last_heartbeat: null });
  showAll(at("nodes"), nodes, (node) => node.node_id, print, row);
  nodes.forEach((node, index) => {
    showAge(at("nodes").children[index].querySelector(".silent"), node.last_heartbeat);
  });
  const more = (health?.total_nodes ?? nodes.length) - nodes.length;
  at("nodes-table").hidden = nodes.length === 0;
  note(nodes.length === 0 ? "No node has registered yet." : more > 0 ? `and ${more} more` : "");
}
