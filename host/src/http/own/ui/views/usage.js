// What tasks have used, by day and by what they used it for.

import { at, get } from "../lib/access.js";
import { Chart } from "../lib/chart.js";
import { useLive } from "../lib/live.js";
import { Bar, Facts, Panel, Trouble } from "../lib/parts.js";
import { Filters, Small } from "../lib/table.js";
import { hubNow } from "../lib/time.js";
import { html } from "../lib/view.js";
import { money, number, t } from "../lib/words.js";

const BY = ["model", "owner", "user", "node", "group"];
const NUMBERS = ["input", "output", "cached", "reasoning", "requests"];

export const title = () => t("view.usage");
const day = (back) => new Date(hubNow() - back * 86400000).toISOString().slice(0, 10);

/** Rows of several days added up by their key. Amounts are added in millionths, so that they stay exact. */
export function summed(rows) {
  const all = new Map();
  for (const row of rows) {
    const sum = all.get(row.key) ?? { key: row.key, micros: 0n, ...Object.fromEntries(NUMBERS.map((name) => [name, 0])) };
    for (const name of NUMBERS) sum[name] += row[name];
    sum.micros += micros(row.cost);
    all.set(row.key, sum);
  }
  return [...all.values()].map((sum) => ({ ...sum, cost: written(sum.micros) })).sort((a, b) => (a.micros < b.micros ? 1 : a.micros > b.micros ? -1 : b.input - a.input));
}
function micros(text) {
  const [whole, part = ""] = String(text).split(".");
  return BigInt(whole) * 1000000n + BigInt(part.padEnd(6, "0").slice(0, 6));
}
function written(amount) {
  const part = String(amount % 1000000n).padStart(6, "0").replace(/0+$/, "");
  return String(amount / 1000000n) + (part ? "." + part : "");
}

/** A cell that a spreadsheet takes for a text, whatever it begins with. */
const cell = (value) => {
  const text = String(value);
  return '"' + (/^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? "'" + text : text).replaceAll('"', '""') + '"';
};

function download(rows, by) {
  const names = ["day", "key", "cost", ...NUMBERS];
  const lines = [["day", by, "cost", ...NUMBERS], ...rows.map((row) => names.map((name) => row[name]))];
  const file = new Blob(["\ufeff" + lines.map((line) => line.map(cell).join(",")).join("\r\n")], { type: "text/csv" });
  const address = URL.createObjectURL(file);
  Object.assign(document.createElement("a"), { href: address, download: `usage-${by}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

export function View({ query }) {
  const by = BY.includes(query.by) ? query.by : "model";
  const from = query.from || day(6), to = query.to || day(0);
  const { data, problem } = useLive((signal) => get(at(["usage"], { by, from, to }), { signal }), [by, from, to], { pace: 15000 });
  const all = summed(data?.rows ?? []);
  const days = new Map();
  for (const row of data?.rows ?? []) days.set(row.day, (days.get(row.day) ?? 0) + Number(row.cost));
  const points = [...days].sort().map(([at_, cost]) => ({ at: at_ + "T00:00:00Z", cost }));
  const top = all[0] ? Number(all[0].cost) : 0;
  return html`<${Filters} query=${{ by, from, to }} fields=${[{ name: "by", label: t("usage.by"), options: BY.map((it) => [it, t("usage.by_" + it)]) },
      { name: "from", label: t("usage.from"), type: "date" }, { name: "to", label: t("usage.to"), type: "date" }]}>
      ${data?.rows.length > 0 && html`<button type="button" onClick=${() => download(data.rows, by)}>${t("usage.csv")}</button>`}<//>
    <${Trouble} problem=${problem} route="GET /usage" />
    ${data && html`<${Panel} title=${t("usage.total")} id="usage-total-title" note=${data.from + " – " + data.to}><${Facts} of=${[[t("usage.cost"), html`<b>${money(data.total.cost)}</b>`], ...NUMBERS.map((name) => [t("usage." + name), number(data.total[name])])]} />
        ${points.length > 1 && html`<${Chart} title=${t("usage.per_day")} points=${points} lines=${[{ name: "cost", label: t("usage.cost") }]} sums=${true} isDays=${true} />`}<//>
      <${Panel} title=${t("usage.by_" + by)} id="usage-rows-title"><${Small} label=${t("usage.by_" + by)} none=${t("usage.none")} rows=${all} keyOf=${(row) => row.key} columns=${[
        { key: "key", label: t("usage.by_" + by), cell: (row) => html`<b class="mono">${row.key || t("usage.nobody")}</b>` },
        { key: "cost", label: t("usage.cost"), cell: (row) => html`<${Bar} part=${Number(row.cost)} whole=${top}>${money(row.cost)}<//>` },
        ...NUMBERS.map((name) => ({ key: name, label: t("usage." + name), isNumber: true, cell: (row) => number(row[name]) })),
      ]} /><//>`}`;
}
