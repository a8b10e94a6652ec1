// The actions on tasks and nodes, which several views offer.

import { at } from "./access.js";
import { counted, each } from "./action.js";
import { send } from "./acting.js";
import { html } from "./view.js";
import { called, t } from "./words.js";

const ENDED = ["completed", "failed", "cancelled", "timeout"];
export const hasEnded = (task) => ENDED.includes(task.status);
export const isLater = (task) => ["pending", "scheduled", "waiting"].includes(task.status);

const about = (task) => html`<p>${t("task.this", { name: task.name, status: called("status", task.status) })}</p><p class="mono dim">${task.task_id}</p>`;

export const cancelTask = (task, after) => ({
  title: t("task.cancel"), button: t("task.cancel"), isHarsh: true, after,
  about: html`${about(task)}<p>${t(task.status === "running" ? "task.cancel_running" : "task.cancel_later")}</p>`,
  run: ({ key, reason }) => send("POST", at(["tasks", task.task_id, "cancel"]), undefined, { key, reason })
    .then((now) => t("task.is_now", { status: called("status", now.status) })),
});

export const retryTask = (task, after) => ({
  title: t("task.retry"), button: t("task.retry"), after, about: html`${about(task)}<p>${t("task.retry_about")}</p>`,
  run: ({ key, reason }) => send("POST", at(["tasks", task.task_id, "retry"]), undefined, { key, reason })
    .then((now) => t("task.is_now", { status: called("status", now.status) })),
});

export const removeTask = (task, after) => ({
  title: t("task.remove"), button: t("task.remove"), isHarsh: true, after, about: html`${about(task)}<p>${t("task.remove_about")}</p>`,
  run: ({ key, reason }) => send("DELETE", at(["tasks", task.task_id]), undefined, { key, reason }).then(() => t("done")),
});

export const PRIORITIES = () => [0, 1, 2, 3].map((it) => [String(it), t("priority." + it)]);

/** Changes what a task that waits is. */
export const editTask = (task, after) => ({
  title: t("task.edit"), button: t("save"), after, isWide: true, about: about(task),
  fields: [
    { name: "priority", label: t("task.priority"), type: "select", options: PRIORITIES(), value: String(task.priority) },
    { name: "skills", label: t("task.required_skills"), value: task.required_skills.join(", "), hint: t("edit.commas") },
    { name: "timeout", label: t("task.timeout"), type: "number", min: 1, value: String(task.timeout) },
    { name: "max_retries", label: t("task.max_retries"), type: "number", min: 0, value: String(task.max_retries) },
    { name: "parameters", label: t("task.parameters"), type: "text-area", rows: 8, value: JSON.stringify(task.parameters, null, 2), hint: t("edit.json") },
  ],
  run: async ({ key, reason, values }) => {
    const changes = { if_status: task.status };
    if (Number(values.priority) !== task.priority) changes.priority = Number(values.priority);
    if (Number(values.timeout) !== task.timeout) changes.timeout = Number(values.timeout);
    if (Number(values.max_retries) !== task.max_retries) changes.max_retries = Number(values.max_retries);
    const skills = values.skills.split(",").map((it) => it.trim()).filter(Boolean);
    if (skills.join() !== task.required_skills.join()) changes.required_skills = skills;
    const parameters = parsed(values.parameters);
    if (JSON.stringify(parameters) !== JSON.stringify(task.parameters)) changes.parameters = parameters;
    const names = Object.keys(changes).filter((name) => name !== "if_status");
    if (names.length === 0) return t("edit.nothing");
    await send("PATCH", at(["tasks", task.task_id]), changes, { key, reason });
    return t("edit.done", { what: names.map((name) => t("task." + name)).join(", ") });
  },
});

/** JSON that somebody has typed; a mistake is told as the browser tells it. */
export function parsed(text) {
  try { return JSON.parse(text); } catch (error) { throw new Error(t("edit.no_json", { why: error.message })); }
}

/** The filter of `POST /bulk` that catches what a list of tasks shows. */
export function bulkFilter(query) {
  const { status, name, label, node, user, session, since, until, error } = query;
  const labels = label ? Object.fromEntries(label.split(",").map((it) => it.split(":", 2).map((word) => word.trim()))) : undefined;
  const given = { status, name, labels, assigned_node: node, user_id: user, session_id: session, since, until, error };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value));
}

/** A change of all tasks that a filter catches; they are counted first. */
export function bulk(action, filter, after) {
  let matched = 0;
  return {
    title: t("bulk." + action), button: t("bulk." + action), isHarsh: action !== "set_priority", after, needsReason: true,
    about: html`<p>${t("bulk.filter")} ${Object.keys(filter).length === 0 ? html`<b>${t("bulk.all")}</b>` : html`<code>${JSON.stringify(filter)}</code>`}</p>`,
    fields: action === "set_priority" ? [{ name: "priority", label: t("task.priority"), type: "select", options: PRIORITIES(), value: "1" }] : [],
    preview: async () => {
      // The priority does not change what is caught.
      const body = { action, filter, dry_run: true, ...(action === "set_priority" ? { priority: 1 } : {}) };
      let job = await send("POST", "/bulk", body);
      for (let tries = 0; job.status === "counting" && tries < 60; tries += 1) {
        await new Promise((done) => setTimeout(done, 500));
        job = await (await fetch("/api/v1/bulk/" + encodeURIComponent(job.bulk_id))).json();
      }
      matched = job.matched;
      return { count: matched, content: html`<p><b>${t("bulk.matched", { n: matched })}</b></p>
        ${job.sample.length > 0 && html`<ul class="mono scroll-list">${job.sample.map((id) => html`<li key=${id}>${id}</li>`)}${matched > job.sample.length && html`<li>…</li>`}</ul>`}` };
    },
    run: async ({ key, reason, values }) => {
      const body = { action, filter, most: Math.max(1, matched), reason };
      if (action === "set_priority") body.priority = Number(values.priority);
      let job = await send("POST", "/bulk", body, { key, reason });
      for (let tries = 0; ["counting", "running"].includes(job.status) && tries < 120; tries += 1) {
        await new Promise((done) => setTimeout(done, 500));
        job = await (await fetch("/api/v1/bulk/" + encodeURIComponent(job.bulk_id))).json();
      }
      const text = t("bulk.done", { done: job.done, matched: job.matched });
      const rest = [job.skipped > 0 && t("bulk.skipped", { n: job.skipped }), job.failed > 0 && t("bulk.failed", { n: job.failed }),
        job.status === "running" && t("bulk.goes_on")].filter(Boolean);
      return { text: [text, ...rest].join(" "), isBad: job.failed > 0 };
    },
  };
}

/** One thing done to each of some tasks that were chosen. */
export function chosenTasks(action, ids, after) {
  const one = {
    cancel: (id, key, reason) => send("POST", at(["tasks", id, "cancel"]), undefined, { key, reason }),
    retry: (id, key, reason) => send("POST", at(["tasks", id, "retry"]), undefined, { key, reason }),
    remove: (id, key, reason) => send("DELETE", at(["tasks", id]), undefined, { key, reason }),
  }[action];
  return {
    title: t("bulk." + action), button: t("bulk." + action), isHarsh: true, count: ids.length, after,
    about: html`<p><b>${t("bulk.chosen", { n: ids.length })}</b></p><ul class="mono scroll-list">${ids.slice(0, 200).map((id) => html`<li key=${id}>${id}</li>`)}</ul>`,
    run: async ({ key, reason, done }) => counted(await each(ids, (id, own) => one(id, own, reason), { key, done })),
  };
}

// --- nodes ----------------------------------------------------------------------------------------

const NODE = {
  drain: (id, options) => send("PATCH", at(["nodes", id]), { status: "maintenance" }, options),
  resume: (id, options) => send("PATCH", at(["nodes", id]), { status: "online" }, options),
  shutdown: (id, options) => send("POST", at(["nodes", id, "shutdown"]), undefined, options),
  remove: (id, options) => send("DELETE", at(["nodes", id]), undefined, options),
};

/** Something done to nodes: `drain`, `resume`, `shutdown` or `remove`. */
export function onNodes(action, nodes, after) {
  const ids = nodes.map((node) => node.node_id);
  const running = nodes.reduce((sum, node) => sum + node.running_tasks, 0);
  return {
    title: t("node." + action), button: t("node." + action), isHarsh: ["shutdown", "remove"].includes(action), count: ids.length, after,
    about: html`<p>${t(`node.${action}_about`)}</p><p><b>${t("node.hits", { n: ids.length, running })}</b></p>
      <ul class="scroll-list">${nodes.slice(0, 200).map((node) => html`<li key=${node.node_id}>${node.hostname} <span class="mono dim">${node.node_id}</span> ${called("status", node.status)}</li>`)}</ul>`,
    run: async ({ key, reason, done }) => counted(await each(ids, (id, own) => NODE[action](id, { key: own, reason }), { key, done })),
  };
}
