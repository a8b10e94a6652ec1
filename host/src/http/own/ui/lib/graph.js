// What follows what, as a graph from left to right: each stands behind the longest chain that leads
// to it.

import { link } from "./router.js";
import { html } from "./view.js";
import { called, t } from "./words.js";

const WIDE = 170, HIGH = 44, GAP = 56, ROW = 60;

/** Columns of `nodes` (`{id, after: [id]}`): what has no predecessor is in the first. */
export function layers(nodes) {
  const known = new Map(nodes.map((node) => [node.id, node]));
  const depth = new Map();
  const deep = (id, seen) => {
    if (depth.has(id)) return depth.get(id);
    if (seen.has(id)) return 0;
    const before = (known.get(id).after ?? []).filter((it) => known.has(it));
    const at = before.length === 0 ? 0 : 1 + Math.max(...before.map((it) => deep(it, new Set([...seen, id]))));
    depth.set(id, at);
    return at;
  };
  const columns = [];
  for (const node of nodes) {
    const at = deep(node.id, new Set());
    while (columns.length <= at) columns.push([]);
    columns[at].push(node);
  }
  return columns;
}

/** The graph of `nodes`: `{id, name, status, after}`. Each is a link to its task. */
export function Graph({ nodes, label }) {
  const columns = layers(nodes);
  const place = new Map();
  columns.forEach((column, x) => column.forEach((node, y) => place.set(node.id, { x: x * (WIDE + GAP) + 4, y: y * ROW + 4 })));
  const width = columns.length * (WIDE + GAP) - GAP + 8, height = Math.max(...columns.map((column) => column.length)) * ROW + 4;
  const edges = nodes.flatMap((node) => (node.after ?? []).filter((id) => place.has(id)).map((id) => ({ from: place.get(id), to: place.get(node.id), key: id + ">" + node.id })));
  const short = (text) => (text.length > 21 ? text.slice(0, 20) + "…" : text);
  return html`<div class="scroll graph" tabIndex="0" role="group" aria-label=${label}>
    <svg width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} role="group" aria-label=${label}>
      ${edges.map(({ from, to, key }) => {
        const x1 = from.x + WIDE, y1 = from.y + HIGH / 2, x2 = to.x, y2 = to.y + HIGH / 2, bend = Math.max(24, (x2 - x1) / 2);
        return html`<path key=${key} class="edge" d=${`M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`} />`;
      })}
      ${nodes.map((node) => {
        const { x, y } = place.get(node.id);
        const follows = (node.after ?? []).map((id) => nodes.find((it) => it.id === id)?.name ?? id).join(", ");
        const words = node.name + ", " + called("status", node.status) + (follows ? ", " + t("graph.after", { what: follows }) : "");
        return html`<a key=${node.id} href=${link(["tasks", node.id])}><title>${words}</title><rect x=${x} y=${y} width=${WIDE} height=${HIGH} rx="6" class=${"box task-" + node.status} />
          <text x=${x + 10} y=${y + 18}>${short(node.name)}</text><text x=${x + 10} y=${y + 35} class="small">${called("status", node.status)}</text></a>`;
      })}
    </svg></div>`;
}
