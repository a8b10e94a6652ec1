// Panel: one message, as it is written. The address' fragment names it: #<session>/<message>.

import { getJson, isLocked } from "./access.js";
import { at, make, say } from "./dom.js";
import { follow } from "./stream.js";

const WORDS = { connecting: "connecting…", live: "live", reconnecting: "reconnecting…", over: "complete" };
let stop = null, followed = "";

function tell(state, detail) {
  say(at("message-state"), detail ?? WORDS[state]);
  at("message-state").className = state === "live" ? "good" : state === "refused" ? "bad" : "dim";
  // Once somebody has signed in, it is followed after all.
  if (state === "refused" && isLocked()) followed = "";
  const isOpen = state === "live" || state === "reconnecting";
  at("text").classList.toggle("live", isOpen);
  at("text").setAttribute("aria-busy", String(isOpen));
}

function write(text) {
  const box = at("text");
  const isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  box.append(text);
  if (isAtEnd) box.scrollTop = box.scrollHeight;
}

// --- its content blocks ---------------------------------------------------------------------------

/** What a block says in words, and what of it is text to be read. */
function described(block) {
  const body = block[block.content_type] ?? {};
  if (block.is_placeholder) return { words: "being made", text: "" };
  if (block.ref) return { words: "large", text: "", link: block.ref };
  const link = /^https?:/i.test(body.url ?? "") ? body.url : undefined;
  const words = [body.title, body.name, body.alt, body.caption, body.language, body.format, body.mime_type];
  const text = block.content_type === "json" ? JSON.stringify(body, null, 1)
    : body.text ?? body.code ?? body.markdown ?? body.html ?? "";
  return { words: words.filter(Boolean).join(" · "), text: String(text), link };
}

function showBlock(block) {
  const line = make("li");
  line.dataset.id = block.content_id;
  line.dataset.task = block.task_id ?? "";
  const { words, text, link } = described(block);
  const head = make("div", undefined, "block-head");
  head.append(make("span", block.content_type, "tag"), make("span", words, "dim words"));
  if (link) {
    const open = make("a", "open");
    open.href = link;
    open.rel = "noopener noreferrer";
    open.target = "_blank";
    head.append(open);
  }
  line.append(head);
  if (text) line.append(make("pre", text));
  const old = [...at("blocks").children].find((item) => item.dataset.id === block.content_id);
  if (old) old.replaceWith(line); else at("blocks").append(line);
}

const ofTask = (id) => [...at("blocks").children].find((item) => id && item.dataset.task === id);

function showProgress({ payload }) {
  const words = ofTask(payload.task_id)?.querySelector(".words");
  if (words) words.textContent = "being made, " + Math.round(100 * payload.progress) + " %";
}

function showError(error) {
  const text = typeof error === "string" ? error : JSON.stringify(error);
  showBlock({ content_id: "@error", content_type: "error", error: { text } });
}

// --- following it ---------------------------------------------------------------------------------

function clear() {
  at("text").replaceChildren();
  at("blocks").replaceChildren();
}

function finish() {
  stop?.();
  tell("over");
}

function showSnapshot({ message }) {
  clear();
  write(message.text);
  message.content_blocks.forEach(showBlock);
  if (message.is_complete) finish();
}

const acts = {
  snapshot: showSnapshot,
  text_delta: ({ payload }) => write(payload.delta),
  content_added: ({ payload }) => showBlock(payload),
  content_updated: ({ payload }) => showBlock(payload),
  task_progress: showProgress,
  // What stood for the task's result goes with it.
  task_failed: ({ payload }) => ofTask(payload.task_id)?.remove(),
  error: ({ payload }) => showError(payload.error),
  message_end: finish,
};

function decode(word) {
  try { return decodeURIComponent(word); } catch { return ""; }
}

function followAddress() {
  const [session, message] = location.hash.slice(1).split("/").map(decode);
  if (!session || !message) return;
  at("sid").value = session;
  at("mid").value = message;
  stop?.();
  clear();
  followed = location.hash;
  const path = `/api/v1/sessions/${encodeURIComponent(session)}/messages/${encodeURIComponent(message)}/stream`;
  stop = follow(path, "0", acts, tell);
}

/** Begins with what the address names, unless that is followed already. */
export function load() {
  if (location.hash !== followed) followAddress();
}

// --- choosing it ----------------------------------------------------------------------------------

async function suggest(list, path, pick) {
  const found = await getJson(path);
  if (found) list.replaceChildren(...pick(found).map((id) => Object.assign(make("option"), { value: id })));
}

at("sid").addEventListener("focus", () => {
  suggest(at("sids"), "/api/v1/sessions?status=active&limit=50", (all) => all.map((it) => it.session_id));
});
at("mid").addEventListener("focus", () => {
  const session = at("sid").value.trim();
  if (!session) return;
  const path = `/api/v1/sessions/${encodeURIComponent(session)}/messages?limit=100`;
  suggest(at("mids"), path, (page) => page.messages.map((it) => it.message_id).reverse());
});
at("message-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const words = [at("sid").value, at("mid").value].map((word) => encodeURIComponent(word.trim()));
  const hash = "#" + words.join("/");
  if (location.hash === hash) followAddress(); else location.hash = hash;
});
addEventListener("hashchange", load);
