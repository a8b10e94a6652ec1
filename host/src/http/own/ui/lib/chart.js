// Charts over time, by uPlot, which is loaded when the first one is drawn.

import { store, useStore } from "./store.js";
import { clock } from "./time.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "./view.js";
import { language, number, t } from "./words.js";

const SHADES = ["--line-1", "--line-2", "--line-3", "--line-4"];
const scheme = matchMedia("(prefers-color-scheme: dark)");
const isDark = store(scheme.matches);
scheme.addEventListener("change", () => isDark.set(scheme.matches));

let loading = null;
function library() {
  // It is a script of the old sort, which makes a global.
  loading ??= new Promise((done, fail) => {
    const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href: "/ui/vendor/uplot.css" });
    const script = Object.assign(document.createElement("script"), { src: "/ui/vendor/uplot.js", onerror: fail });
    script.onload = () => done(globalThis.uPlot);
    document.head.append(sheet, script);
  });
  return loading;
}

/** The colour that a variable of the style sheet comes to. */
function shade(box, name) {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  box.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}

const sum = (values) => values.reduce((all, value) => all + (value ?? 0), 0);

/**
 * Lines over time. `points` are `{at, <name>: number}`, oldest first; `lines` are
 * `{name, label, say}`, where `say` writes a value; `word` says what the last point or the sum means
 * to those who do not see the lines. The numbers can be had as a table, too. With `isDays` each point is
 * a day in UTC.
 */
export function Chart({ title, points, lines, sums = false, isDays = false, say = number }) {
  const box = useRef(null), plot = useRef(null);
  const dark = useStore(isDark), spoken = useStore(language);
  const [isTable, show] = useState(false);
  const data = [points.map((it) => Date.parse(it.at) / 1000), ...lines.map((line) => points.map((it) => it[line.name] ?? null))];
  const latest = useRef(data);
  latest.current = data;

  useEffect(() => {
    let isOver = false, observer;
    library().then((uPlot) => {
      if (isOver || !box.current) return;
      const dim = shade(box.current, "--dim"), faint = shade(box.current, "--line");
      const axis = { stroke: dim, grid: { stroke: faint, width: 1 }, ticks: { stroke: faint, width: 1, size: 4 }, font: "11px system-ui, sans-serif" };
      const two = (value) => String(value).padStart(2, "0");
      const time = (seconds) => { const at = new Date(1000 * seconds); return isDays ? two(at.getUTCMonth() + 1) + "-" + two(at.getUTCDate()) : two(at.getHours()) + ":" + two(at.getMinutes()); };
      plot.current = new uPlot({
        width: Math.max(200, box.current.clientWidth), height: 150, legend: { show: false },
        cursor: { y: false, points: { size: 6 } }, padding: [8, 8, 0, 0],
        scales: { y: { range: (_, low, high) => [0, high > 0 ? high * 1.1 : 1] } },
        axes: [{ ...axis, size: 24, space: 60, values: (_, splits) => splits.map(time) },
          { ...axis, size: 52, space: 32, values: (_, splits) => splits.map((value) => say(value)) }],
        series: [{}, ...lines.map((line, index) => ({ label: line.label, stroke: shade(box.current, SHADES[index]), width: 1.75,
          dash: [[], [6, 3], [2, 3], [8, 3, 2, 3]][index], spanGaps: true, points: { show: points.length < 3 } }))],
        hooks: { setCursor: [(it) => tell(it.cursor.idx)] },
      }, latest.current, box.current);
      observer = new ResizeObserver(() => box.current?.clientWidth && plot.current?.setSize({ width: Math.max(200, box.current.clientWidth), height: 150 }));
      observer.observe(box.current);
    }, () => null);
    return () => {
      isOver = true;
      observer?.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [dark, spoken, lines.map((line) => line.name).join()]);
  useLayoutEffect(() => plot.current?.setData(data), [points]);

  // What the pointer is at stands in the legend, and is said to nobody: the table is for reading.
  const legend = useRef(null);
  function tell(index) {
    for (const [place, item] of [...(legend.current?.querySelectorAll("[data-value]") ?? [])].entries()) {
      const values = latest.current[place + 1];
      const value = index === null || index === undefined ? (sums ? sum(values) : values.at(-1)) : values[index];
      item.textContent = value === null || value === undefined ? "–" : say(value);
    }
  }
  useEffect(() => tell(null), [points, spoken]);

  const words = lines.map((line, index) => line.label + " " + say(sums ? sum(data[index + 1]) : data[index + 1].at(-1) ?? 0)).join(", ");
  const rows = isTable ? points.slice(-60).reverse() : [];
  return html`<figure class="chart">
    <figcaption><span>${title}</span>
      <button type="button" class="plain" aria-expanded=${String(isTable)} onClick=${() => show(!isTable)}>${t(isTable ? "chart.lines" : "chart.table")}<span class="unseen"> · ${title}</span></button></figcaption>
    <ul class="legend" ref=${legend} aria-hidden="true">${lines.map((line, index) => html`<li key=${line.name}><i class=${"line-" + (index + 1)}></i>${line.label} <b data-value=""></b></li>`)}</ul>
    <div ref=${box} class="plot" role="img" aria-label=${t("chart.about", { title, words })} hidden=${isTable}></div>
    ${isTable && html`<div class="scroll chart-table" tabIndex="0" role="group" aria-label=${title}><table aria-label=${title}>
      <thead><tr><th scope="col">${t("at")}</th>${lines.map((line) => html`<th scope="col" class="number" key=${line.name}>${line.label}</th>`)}</tr></thead>
      <tbody>${rows.map((row) => html`<tr key=${row.at}><td>${isDays ? row.at.slice(0, 10) : clock(row.at)}</td>${lines.map((line) =>
        html`<td class="number" key=${line.name}>${row[line.name] === undefined || row[line.name] === null ? "–" : say(row[line.name])}</td>`)}</tr>`)}</tbody></table></div>`}
  </figure>`;
}
