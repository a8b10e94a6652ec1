// A table of any length: only the rows that can be seen are in the page.

import { filterBy } from "./router.js";
import { Component, html, useEffect, useLayoutEffect, useRef, useState } from "./view.js";
import { language, t } from "./words.js";

const ROW = 46;
const HEAD = 34;
const SPARE = 4;
const NARROW = 480;
/** Beyond so many pixels a millisecond nobody reads: new rows show their first cell, and the rest once it goes slower. */
const FAST = 8;
const SLOWER = 2;
const REST_MS = 100;

const shownAt = (columns, width) => columns.filter((column) => column && (column.from ?? 0) <= width && width < (column.to ?? Infinity));

/** A row, which is drawn anew only when something of it differs. */
class Row extends Component {
  shouldComponentUpdate(next) {
    return (!this.isWhole && !next.isBrief) || ["row", "index", "isCurrent", "isChosen", "sign"].some((name) => next[name] !== this.props[name]);
  }

  render({ row, name, index, isCurrent, isChosen, isBrief, columns, style, table }) {
    // What is drawn whole stays so.
    this.isWhole ||= !isBrief;
    return html`<div role="row" class=${"row" + (isCurrent ? " current" : "")} data-index=${index} aria-rowindex=${index + 2}
        aria-selected=${isChosen === undefined ? undefined : String(isChosen)} style=${{ ...style, transform: `translateY(${index * ROW}px)` }}>
      ${isChosen !== undefined && html`<span role="cell"><input type="checkbox" checked=${isChosen} aria-label=${t("table.choose", { what: name })} onChange=${() => table.current.pick(row)} /></span>`}
      ${(this.isWhole ? columns : columns.slice(0, 1)).map((column) => html`<span role="cell" key=${column.key} class=${(column.isNumber ? "number " : "") + (column.class ?? "")}>${column.cell(row)}</span>`)}
    </div>`;
  }
}

/**
 * A table whose rows are all of one height.
 *
 * `columns`: `{key, label, cell(row), width, narrow, from, to, isNumber}`; the column is there where the
 * table is from `from` to less than `to` pixels wide, on a small window `narrow` wide. `onEnd` is called when its last rows come into sight.
 * `chosen` is a set of keys and `choose(set)` changes it, where rows can be chosen. By the keyboard:
 * j and k go from row to row, x chooses, Enter follows the row's link. `salt` is what cells show
 * beside their rows.
 */
export function Table({ label, columns, rows, keyOf, onEnd, isWhole = true, total, chosen, choose, isBusy, salt = "", tall = 0.66 }) {
  const box = useRef(null), before = useRef({ scrollTop: 0, at: 0, timer: 0, isFast: false });
  const [sight, see] = useState({ top: 0, height: 600, width: 1000, isFast: false });
  const [current, setCurrent] = useState(-1);
  const shown = shownAt(columns, sight.width);
  const height = Math.min(rows.length * ROW + HEAD + 3, Math.max(8 * ROW, Math.round(innerHeight * tall)));
  const first = Math.max(0, Math.floor(sight.top / ROW) - SPARE);
  const past = Math.min(rows.length, Math.ceil((sight.top + sight.height) / ROW) + SPARE);

  function look() {
    if (!box.current) return;
    const { scrollTop, clientHeight: height, clientWidth: width } = box.current;
    const top = Math.floor(scrollTop / ROW) * ROW, at = performance.now(), was = before.current;
    const moved = Math.abs(scrollTop - was.scrollTop);
    // A browser that counts time in coarse steps says that two looks were at once.
    const isFast = at === was.at ? was.isFast : moved > (was.isFast ? SLOWER : FAST) * (at - was.at);
    clearTimeout(was.timer);
    before.current = { scrollTop, at, timer: isFast ? setTimeout(look, REST_MS) : 0, isFast };
    see((it) => (it.top === top && it.height === height && it.width === width && it.isFast === isFast ? it : { top, height, width, isFast }));
  }
  useLayoutEffect(() => {
    look();
    const observer = new ResizeObserver(look);
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (!isWhole && onEnd && past >= rows.length - SPARE) onEnd();
  }, [past, rows.length, isWhole]);

  function focusOn(index) {
    const there = Math.max(0, Math.min(rows.length - 1, index));
    setCurrent(there);
    const { scrollTop, clientHeight } = box.current;
    if (there * ROW < scrollTop) box.current.scrollTop = there * ROW;
    if ((there + 1) * ROW + HEAD > scrollTop + clientHeight) box.current.scrollTop = (there + 1) * ROW + HEAD - clientHeight;
    requestAnimationFrame(() => requestAnimationFrame(() => {
      const row = box.current?.querySelector(`[data-index="${there}"]`);
      (row?.querySelector("a, button") ?? row?.querySelector("input") ?? box.current)?.focus({ preventScroll: true });
    }));
  }
  function pick(row) {
    const next = new Set(chosen);
    const key = keyOf(row);
    if (!next.delete(key)) next.add(key);
    choose(next);
  }
  function onKeyDown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([type=checkbox]), select, textarea")) return;
    if (event.key === "j") focusOn(current + 1);
    else if (event.key === "k") focusOn(Math.max(0, current - 1));
    else if (event.key === "x" && choose && rows[current]) pick(rows[current]);
    else return;
    event.preventDefault();
  }
  function onFocusIn(event) {
    const index = event.target.closest("[data-index]")?.dataset.index;
    if (index !== undefined) setCurrent(Number(index));
  }

  // On a small window what is wide gives way, so that nothing has to be scrolled sideways.
  const widthOf = ({ width = "minmax(6rem, 1fr)", narrow }) => (sight.width < NARROW ? narrow ?? width.replace(/minmax\([^,]+,/, "minmax(0,") : width);
  const widths = shown.map(widthOf);
  const template = [choose && (sight.width < NARROW ? "1.2rem" : "2.2rem"), ...widths].filter(Boolean).join(" ");
  const style = { gridTemplateColumns: template };
  const sign = template + language.get() + salt;
  const latest = useRef(null);
  latest.current = { pick };
  const isAll = chosen && rows.length > 0 && rows.every((row) => chosen.has(keyOf(row)));
  return html`<div class="table" ref=${box} onScroll=${look} onKeyDown=${onKeyDown} onFocusIn=${onFocusIn}
      style=${{ height: height + "px" }} tabIndex="0" role="table" aria-label=${label} aria-busy=${isBusy ? "true" : undefined}
      aria-rowcount=${isWhole ? rows.length + 1 : total ?? -1} aria-colcount=${shown.length + (choose ? 1 : 0)}>
    <div role="rowgroup" class="table-head">
      <div role="row" class="row" aria-rowindex="1" style=${style}>
        ${choose && html`<span role="columnheader"><input type="checkbox" checked=${isAll} aria-label=${t("table.choose_all")}
          onChange=${() => choose(isAll ? new Set() : new Set(rows.map(keyOf)))} /></span>`}
        ${shown.map((column) => html`<span role="columnheader" key=${column.key} title=${column.about}
          class=${column.isNumber ? "number" : ""}>${column.label}</span>`)}
      </div>
    </div>
    <div role="rowgroup" class="table-body" style=${{ height: rows.length * ROW + "px" }}>
      ${rows.slice(first, past).map((row, place) => {
        const index = first + place, key = keyOf(row);
        return html`<${Row} key=${key} row=${row} name=${key} index=${index} isCurrent=${index === current} isChosen=${choose ? chosen.has(key) : undefined} isBrief=${sight.isFast}
          columns=${shown} style=${style} table=${latest} sign=${sign} />`;
      })}
    </div>
  </div>`;
}

/** What stands below a list: how much of it there is. */
export function Count({ list, none, word = "list.count" }) {
  if (list.problem) return null;
  if (list.isLoading && list.items.length === 0) return html`<p class="dim">${t("loading")}</p>`;
  if (list.items.length === 0) return html`<p class="empty">${none}</p>`;
  return html`<p class="dim under-table">${t(word, { n: list.items.length })}${list.isWhole ? "" : " · " + t("list.more")}
    ${!list.isWhole && html` <button type="button" class="plain" onClick=${list.more}>${t("list.read_on")}</button>`}</p>`;
}

/** A short table whose rows may be of any height. */
export function Small({ label, columns, rows, keyOf, none }) {
  if (rows.length === 0) return html`<p class="empty">${none ?? t("list.none")}</p>`;
  const shown = columns.filter(Boolean);
  return html`<div class="scroll" tabIndex="0" role="group" aria-label=${label}><table aria-label=${label}>
    <thead><tr>${shown.map((column) => html`<th scope="col" key=${column.key} class=${column.isNumber ? "number" : ""}>${column.label}</th>`)}</tr></thead>
    <tbody>${rows.map((row, index) => html`<tr key=${keyOf ? keyOf(row) : index}>${shown.map((column) =>
      html`<td key=${column.key} class=${(column.isNumber ? "number " : "") + (column.class ?? "")}>${column.cell(row)}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}

/** Fields that filter what a list shows; what they hold is in the address. */
export function Filters({ fields, query, children }) {
  const [typed, type] = useState({});
  const timer = useRef(0);
  function change(name, value, isAtOnce) {
    clearTimeout(timer.current);
    const next = { ...typed, [name]: value };
    type(next);
    const apply = () => { filterBy(next); type({}); };
    if (isAtOnce) apply(); else timer.current = setTimeout(apply, 350);
  }
  const isFiltered = fields.some((field) => query[field.name]);
  return html`<form class="filters" role="search" onSubmit=${(event) => { event.preventDefault(); clearTimeout(timer.current); filterBy(typed); type({}); }}>
    ${fields.map((field, index) => html`<label key=${field.name}>${field.label}
      ${field.options ? html`<select value=${query[field.name] ?? ""} data-filter=${index === 0 ? "first" : undefined} onChange=${(event) => change(field.name, event.target.value, true)}>
          <option value="">${t("filter.any")}</option>
          ${field.options.map(([value, word]) => html`<option value=${value} key=${value} selected=${query[field.name] === value}>${word}</option>`)}
        </select>`
      : html`<input type=${field.type ?? "text"} value=${typed[field.name] ?? query[field.name] ?? ""} placeholder=${field.hint} list=${field.list}
          data-filter=${index === 0 ? "first" : undefined} spellcheck=${false} autocomplete="off" autocapitalize="off"
          onInput=${(event) => change(field.name, event.target.value)} />`}
    </label>`)}
    ${isFiltered && html`<button type="button" class="plain" onClick=${() => { type({}); filterBy(Object.fromEntries(fields.map((field) => [field.name, ""]))); }}>${t("filter.clear")}</button>`}
    ${children}
  </form>`;
}

