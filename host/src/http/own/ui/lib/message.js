// One message: as it is, and as it goes on being written.

import { Json } from "./json.js";
import { TaskLink } from "./parts.js";
import { follow } from "./stream.js";
import { Age } from "./time.js";
import { html, safeLink, useEffect, useRef, useState } from "./view.js";
import { called, percent, t } from "./words.js";

const EMPTY = { text: "", blocks: [], state: "", detail: "", error: "", isOver: false };

/** What a block says in words, and what of it is text to be read. */
function described(block) {
  const body = block[block.content_type] ?? {};
  if (block.is_placeholder) return { words: t("message.being_made") + (block.progress ? ", " + percent(block.progress) : ""), text: "" };
  if (block.ref) return { words: t("message.large"), text: "", link: block.ref };
  const words = [body.title, body.name, body.alt, body.caption, body.language, body.format, body.mime_type];
  return { words: words.filter(Boolean).join(" · "), text: String(body.text ?? body.code ?? body.markdown ?? body.html ?? body.thinking ?? ""), link: safeLink(body.url), json: block.content_type === "json" ? body.json : undefined };
}

function Block({ block }) {
  const { words, text, link, json } = described(block);
  const content = html`${text && html`<pre tabIndex="0">${text}</pre>`}${json !== undefined && html`<${Json} of=${json} label=${words} />`}`;
  const head = html`<span class="tag">${called("block", block.content_type)}</span> <span class="dim words">${words}</span>
    ${block.task_id && html` <${TaskLink} id=${block.task_id} />`}${link && html` <a href=${link} rel="noopener noreferrer" target="_blank">${t("message.open")}</a>`}`;
  if (block.content_type === "thinking") return html`<details class="block"><summary>${called("block", "thinking")}</summary>${content}</details>`;
  return html`<div class="block">${head}${content}</div>`;
}

const put = (blocks, block) => (blocks.some((it) => it.content_id === block.content_id) ? blocks.map((it) => (it.content_id === block.content_id ? block : it)) : [...blocks, block]);

/** What an event of the stream makes of a message. */
export function changed(it, { event_type: type, payload }) {
  if (type === "text_delta") return { ...it, text: it.text + payload.delta };
  if (type === "content_added" || type === "content_updated") return { ...it, blocks: put(it.blocks, payload) };
  if (type === "task_progress") return { ...it, blocks: it.blocks.map((block) => (block.task_id === payload.task_id ? { ...block, progress: payload.progress } : block)) };
  // What stood for the task's result goes with it.
  if (type === "task_failed") return { ...it, blocks: it.blocks.filter((block) => block.task_id !== payload.task_id) };
  if (type === "error") return { ...it, error: typeof payload.error === "string" ? payload.error : JSON.stringify(payload.error) };
  if (type === "message_end") return { ...it, isOver: true, isSuperseded: Boolean(payload?.superseded) };
  return it;
}

/** A message; one that is not complete, or of which only the id is known, is followed. */
export function Message({ session, id, begun }) {
  const isKnown = begun?.is_complete;
  const [followed, set] = useState(EMPTY);
  const box = useRef(null), isAtEnd = useRef(true);
  useEffect(() => {
    if (isKnown) return undefined;
    let heap = [], frame = 0, stop = null;
    // However fast it is written, it is drawn once a frame.
    const take = (change) => {
      heap.push(change);
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        const changes = heap;
        heap = [];
        set((it) => changes.reduce((now, one) => one(now), it));
      });
    };
    const act = (event) => {
      take((it) => changed(it, event));
      if (event.event_type === "message_end") { stop?.(); take((it) => ({ ...it, state: "over" })); }
    };
    const names = ["text_delta", "content_added", "content_updated", "task_progress", "task_failed", "error", "message_end"];
    stop = follow(`/api/v1/sessions/${encodeURIComponent(session)}/messages/${encodeURIComponent(id)}/stream`, "0", {
      ...Object.fromEntries(names.map((name) => [name, act])),
      snapshot: ({ message }) => take((it) => ({ ...it, text: message.text, blocks: message.content_blocks, isOver: message.is_complete })),
    }, (state, detail) => take((it) => ({ ...it, state, detail: detail ?? "" })));
    return () => { cancelAnimationFrame(frame); stop(); };
  }, [session, id, isKnown]);
  const isWhole = isKnown || followed.isOver;
  const text = isKnown ? begun.text : followed.text, blocks = isKnown ? begun.content_blocks : followed.blocks;
  useEffect(() => {
    if (box.current && isAtEnd.current && !isWhole) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);
  const state = isWhole ? "over" : followed.state;
  return html`<article data-message=${id} data-state=${state || "connecting"} aria-label=${called("role", begun?.role ?? "message")}>
    <header><b>${called("role", begun?.role ?? "message")}</b> <small class="mono dim">${id}</small>${begun && html` <small class="dim"><${Age} at=${begun.created_at} /></small>`}
      <small class=${"message-state " + (state === "live" ? "good" : state === "refused" ? "bad" : "dim")}>${followed.detail || (isWhole ? (begun?.metadata?.superseded || followed.isSuperseded ? t("message.superseded") : t("message.complete")) : t("stream." + (state || "connecting")))}</small></header>
    ${text && html`<div class=${"text" + (!isWhole && state === "live" ? " writing" : "")} ref=${box} tabIndex="0" role="group" aria-label=${t("message.text")} aria-busy=${String(!isWhole)}
      onScroll=${({ currentTarget: at }) => { isAtEnd.current = at.scrollHeight - at.scrollTop - at.clientHeight < 40; }}>${text}</div>`}
    ${blocks.map((block) => html`<${Block} key=${block.content_id} block=${block} />`)}
    ${followed.error && html`<p class="bad">${followed.error}</p>`}
  </article>`;
}
