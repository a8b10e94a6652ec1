// Panel: the queue. What runs and where, what waits, in the order in which it will be claimed, and
// how the latest tasks ended.

import { getJson } from "./access.js";
import { at, make, say, showAge, showAll } from "./dom.js";
import { eventTypes } from "./event-types.js";

const SHOWN = 50;
const PRIORITIES = ["critical", "high", "normal", "low"];
const ENDS = ["completed", "failed", "cancelled", "timeout"];
const LATER = ["scheduled", "waiting", "pending"];

export const events = [...eventTypes.filter((type) => type.startsWith("task_")), "node_offline", "snapshot"];

function row(task) {
  const line = make("tr");
  const name = make("th", task.name);
  name.scope = "row";
  name.title = task.error ?? task.name;
  const id = make("small", task.task_id, "mono");
  id.title = task.task_id;
  name.append(id);
  const status = make("td");
  status.append(make("span", task.status, "dot task-" + task.status));
  if (task.retry_count > 0) status.append(make("small", `try ${task.retry_count + 1}`, "dim under"));
  const where = make("td", task.assigned_node ?? "", "mono");
  if (task.status === "running") {
    const bar = make("span", Math.round(100 * task.progress) + " %", "load");
    bar.style.setProperty("--share", 100 * task.progress + "%");
    where.append(make("br"), bar);
  }
  const wants = make("td", undefined, "wrap");
  wants.append(...task.required_skills.map((skill) => make("span", skill, "tag")));
  line.append(name, status, where, make("td", PRIORITIES[task.priority]), wants,
    make("td", undefined, "number dim since"));
  return line;
}

/** The moment that says most about a task in its status. */
const since = (task) => task.completed_at ?? (task.status === "running" ? task.started_at : task.submitted_at);

export async function load() {
  const [stats, running, waiting, latest] = await Promise.all([
    getJson("/api/v1/tasks/stats"), getJson(`/api/v1/tasks?status=running&limit=${SHOWN}`),
    getJson(`/api/v1/tasks/pending?limit=${SHOWN}`), getJson(`/api/v1/tasks?limit=${SHOWN}`)]);
  // `reef monitor` has the events and no routes.
  at("tasks-panel").hidden = !stats;
  if (!stats) return;
  const known = new Set();
  const ended = (latest ?? []).filter((task) => ENDS.includes(task.status));
  const later = (latest ?? []).filter((task) => LATER.includes(task.status));
  const all = [...(running ?? []), ...(waiting ?? []), ...later, ...ended.slice(0, 10)];
  const tasks = all.filter((task) => !known.has(task.task_id) && known.add(task.task_id)).slice(0, SHOWN);
  const parts = [[stats.running, "running"], [stats.waiting, "waiting"], [stats.delayed, "delayed"],
    [stats.suspended ?? 0, "on hold"],
    [stats.completed, "completed"], [stats.dead, "dead"]];
  const shown = parts.filter(([count, word]) => count > 0 || word === "running" || word === "waiting");
  say(at("tasks-sum"), stats.total === 0 ? "" : shown.map(([count, word]) => `${count} ${word}`).join(" · "));
  showAll(at("tasks"), tasks, (task) => task.task_id, JSON.stringify, row);
  tasks.forEach((task, index) => showAge(at("tasks").children[index].querySelector(".since"), since(task)));
  at("tasks-table").hidden = tasks.length === 0;
  const more = stats.running + stats.pending + stats.scheduled + (stats.suspended ?? 0) - tasks.length;
  at("tasks-note").hidden = tasks.length > 0 && more <= 0;
  say(at("tasks-note"), tasks.length === 0 ? "No task has been submitted yet." : `and ${more} more`);
}
