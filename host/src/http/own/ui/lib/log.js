// The log of a task: what there is, then line by line as it is written.

import { at, read } from "./access.js";
import { Ansi } from "./ansi.js";
import { Panel, Trouble } from "./parts.js";
import { follow } from "./stream.js";
import { clock } from "./time.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "./view.js";
import { t } from "./words.js";

const PAGE = 1000;
const KEPT = 2000;

/** The log of a task; one that is not over is followed. */
export function Log({ id, isOver }) {
  const [state, set] = useState({ lines: [], gap: false, problem: null, isThere: false, stream: "" });
  const box = useRef(null), isAtEnd = useRef(true), isOverNow = useRef(isOver);
  isOverNow.current = isOver;

  useEffect(() => {
    let stop = null, isGone = false, heap = [], timer = 0;
    // Lines come in heaps; they are drawn together.
    const add = (lines, more) => {
      heap.push(...lines);
      timer ||= setTimeout(() => {
        timer = 0;
        const fresh = heap;
        heap = [];
        set((it) => {
          const known = new Set(it.lines.slice(-2 * PAGE).map((line) => line.id));
          return { ...it, lines: [...it.lines, ...fresh.filter((line) => !known.has(line.id))].slice(-KEPT) };
        });
      }, 100);
      if (more) set((it) => ({ ...it, ...more }));
    };
    async function begin() {
      let cursor = "0";
      try {
        for (;;) {
          const { body } = await read(at(["tasks", id, "log"], { after: cursor, limit: PAGE }));
          if (isGone) return;
          add(body.lines, { isThere: true, gap: Boolean(body.gap) || state.gap });
          cursor = body.cursor ?? cursor;
          if (!body.has_more) break;
        }
      } catch (problem) {
        if (!isGone) set((it) => ({ ...it, problem }));
        return;
      }
      if (isOverNow.current) return;
      stop = follow("/api/v1" + at(["tasks", id, "log", "stream"]), cursor, {
        line: (line, cursorOfLine) => add([{ id: cursorOfLine, ...line }]),
        gap: () => set((it) => ({ ...it, gap: true })),
        end: () => { stop?.(); set((it) => ({ ...it, stream: "over" })); },
      }, (stream) => set((it) => ({ ...it, stream })));
    }
    begin();
    return () => { isGone = true; clearTimeout(timer); stop?.(); };
  }, [id]);

  useLayoutEffect(() => {
    if (box.current && isAtEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [state.lines]);
  const note = state.stream && !isOver ? t("stream." + state.stream) : state.lines.length > 0 ? t("log.lines", { n: state.lines.length }) : "";
  return html`<${Panel} title=${t("log.title")} id="log-title" note=${note}>
    ${state.problem ? html`<${Trouble} problem=${state.problem} route="GET /tasks/{id}/log" />`
    : state.lines.length === 0 ? html`<p class="empty">${state.isThere ? t("log.none") : t("loading")}</p>`
    : html`${state.gap && html`<p class="note">${t("log.gap")}</p>`}
      <div class="log mono" id="log" ref=${box} tabIndex="0" role="log" aria-live="off" aria-labelledby="log-title"
          onScroll=${({ currentTarget: it }) => { isAtEnd.current = it.scrollHeight - it.scrollTop - it.clientHeight < 40; }}>
        ${state.lines.map((line) => html`<div key=${line.id} class=${"line " + (line.stream === "stderr" ? "err " : "") + (line.level ? "level-" + line.level : "")}>
          <time class="dim">${clock(line.at)}</time> ${line.attempt > 1 && html`<span class="dim">#${line.attempt} </span>`}${line.level && html`<span class="level">${line.level}</span>`} <${Ansi} of=${line.text} /></div>`)}
      </div>`}
  <//>`;
}
