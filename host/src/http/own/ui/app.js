// The page: its frame, who may see it, and which view is shown.
//
// A view is a module of views/ that is loaded when somebody goes there. It exports
//   View({path, query})   what it shows; `path` is the address behind its own name, `query` its filters;
//   title(path)           what it is called.
// To add one: write it, name it in VIEWS here and in host/src/http/own/ui.rs, and give its words to
// every language in words/.

import { door, exchange, lookWhoReads, signedIn, signInByLink, signOut } from "./lib/access.js";
import { giveUp, isOffered, lookForRight, mayEver, right, wish } from "./lib/acting.js";
import { announcement, Dialogs } from "./lib/action.js";
import { Help, listenForKeys, showKeys } from "./lib/keys.js";
import { followCluster, readHubTime, stream } from "./lib/live.js";
import { readiness, lookAtHub } from "./lib/readiness.js";
import { link, parse, place } from "./lib/router.js";
import { store, useStore } from "./lib/store.js";
import { clock } from "./lib/time.js";
import { Component, html, render, useEffect, useRef, useState } from "./lib/view.js";
import { hasText, language, languages, speak, t } from "./lib/words.js";

const LOOK_MS = 2000;

/** `[name in the address, letter of its key, how it is loaded]`, in the groups of the menu. */
const MENU = [
  ["work", [
    ["overview", "o", () => import("./views/overview.js")],
    ["tasks", "t", () => import("./views/tasks.js")],
    ["queue", "q", () => import("./views/queue.js")],
    ["dead", "d", () => import("./views/dead.js")],
    ["approvals", "a", () => import("./views/approvals.js")],
    ["schedules", "s", () => import("./views/schedules.js")],
    ["flows", "f", () => import("./views/flows.js")],
  ]],
  ["fleet", [
    ["nodes", "n", () => import("./views/nodes.js")],
    ["leader", "l", () => import("./views/leader.js")],
    ["health", "h", () => import("./views/health.js")],
  ]],
  ["talk", [
    ["sessions", "c", () => import("./views/sessions.js")],
    ["mail", "i", () => import("./views/mail.js")],
  ]],
  ["costs", [
    ["limits", "b", () => import("./views/limits.js")],
    ["usage", "u", () => import("./views/usage.js")],
    ["money", "m", () => import("./views/money.js")],
  ]],
  ["rights", [
    ["agents", "k", () => import("./views/agents.js")],
    ["events", "e", () => import("./views/events.js")],
  ]],
];
const VIEWS = Object.fromEntries(MENU.flatMap(([, views]) => views).map(([name, , load]) => [name, load]));
const LETTERS = Object.fromEntries(MENU.flatMap(([, views]) => views).map(([name, letter]) => [letter, [name]]));
const { hub, version, role, host } = document.documentElement.dataset;
/** Why a sign-in link was refused. */
const refusal = store("");
const isMenuOpen = store(false);

function Menu({ current }) {
  useStore(language);
  return html`<nav id="menu" aria-label=${t("menu")} class=${useStore(isMenuOpen) ? "open" : ""}>${MENU.map(([group, views]) => html`<div key=${group}>
    <h2 id=${"menu-" + group}>${t("menu." + group)}</h2>
    <ul aria-labelledby=${"menu-" + group}>${views.map(([name]) => html`<li key=${name}><a href=${link([name])}
      aria-current=${name === current ? "page" : undefined} onClick=${() => isMenuOpen.set(false)}>${t("view." + name)}</a></li>`)}</ul>
  </div>`)}</nav>`;
}

function Right() {
  const it = useStore(right), offered = useStore(isOffered), isIn = useStore(signedIn);
  if (!isIn || !offered || (!it && !["write", "approve", "trade"].some(mayEver))) return null;
  if (!it) return html`<button type="button" id="act" onClick=${() => wish.set(() => null)}>${t("act")}</button>`;
  return html`<span class="acting" id="acting"><span>${t("act.as", { who: it.agentId, until: it.expiresAt ? clock(it.expiresAt) : "" })}</span>
    <button type="button" class="plain" onClick=${giveUp}>${t("act.end")}</button></span>`;
}

function Head() {
  const ready = useStore(readiness), live = useStore(stream), isIn = useStore(signedIn), isLocked = useStore(door) === "locked";
  const isOpen = useStore(isMenuOpen);
  return html`<header>
    <button type="button" class="plain menu-button" aria-expanded=${String(isOpen)} aria-controls="menu" onClick=${() => isMenuOpen.set(!isOpen)}>☰<span class="unseen">${t("menu")}</span></button>
    <a class="brand" href="#/overview"><img src="/ui/icon.svg" alt="" width="24" height="24" /> ${hub} <span class="dim version">${version}</span></a>
    <span class="states"><span id="state" role="status" class=${"dot " + (ready.isReady ? "good" : ready.isKnown ? "bad" : "dim")}>${ready.text || t("ready.looking")}</span>
      ${!isLocked && html`<span id="live" class=${"dot " + (live.state === "live" ? "live" : "warn")} data-state=${live.state}>${live.detail || t("stream." + live.state)}</span>`}</span>
    <span class="tools">
      <${Right} />
      <label class="bare"><span class="unseen">${t("language")}</span><select id="language" onChange=${(event) => speak(event.target.value)}>${languages.map(([code, name]) =>
        html`<option value=${code} key=${code} lang=${code} selected=${code === language.get()}>${name}</option>`)}</select></label>
      <button type="button" class="plain" id="help" aria-label=${t("keys.title")} onClick=${showKeys}>?</button>
      ${isIn && html`<button type="button" id="out" onClick=${signOut}>${t("sign.out")}</button>`}
    </span>
  </header>`;
}

function SignIn() {
  const [key, setKey] = useState(""), [why, setWhy] = useState(refusal.get());
  const box = useRef(null);
  useEffect(() => box.current.focus(), []);
  useEffect(() => refusal.listen(setWhy), []);
  async function submit(event) {
    event.preventDefault();
    const secret = key.trim();
    setKey("");
    const refused = await exchange(secret);
    setWhy(refused);
    if (refused) box.current.focus(); else enter();
  }
  return html`<section id="sign" aria-labelledby="sign-title">
    <h1 id="sign-title">${t("sign.title")}</h1>
    <p class="dim">${t("sign.about")}</p>
    <form id="sign-form" autocomplete="off" onSubmit=${submit}>
      <label for="key"><span>${t("sign.key")}</span><input id="key" ref=${box} type="password" name="key" value=${key} autocomplete="off" spellcheck=${false}
        aria-describedby="sign-answer" required onInput=${(event) => setKey(event.target.value)} /></label>
      <button class="main">${t("sign.in")}</button>
    </form>
    <p id="sign-answer" class="bad" role="alert">${why}</p>
  </section>`;
}

function Unknown() {
  return html`<p class="note">${t("view.unknown")}. <a href=${link(["overview"])}>${t("view.overview")}</a></p>`;
}

function Missing() {
  return html`<p class="note warn">${t("view.missing")} <button type="button" onClick=${() => location.reload()}>${t("reload")}</button></p>`;
}

/** Keeps the rest of the page when a view cannot be drawn. */
class Guard extends Component {
  static getDerivedStateFromError(error) {
    return { error };
  }

  componentDidCatch(error) {
    console.error(error);
  }

  render({ children }) {
    if (!this.state.error) return children;
    return html`<p class="note warn" role="alert">${t("view.broken")} <span class="mono">${String(this.state.error.message)}</span>
      <button type="button" onClick=${() => this.setState({ error: null })}>${t("view.again")}</button></p>`;
  }
}

const modules = new Map();

function Shown({ where }) {
  useStore(language);
  const [name = "overview", ...path] = where.path;
  const [, draw] = useState(0);
  const heading = useRef(null), shownBefore = useRef(null);
  const loaded = modules.get(name);
  useEffect(() => {
    if (modules.has(name)) return;
    const load = (Object.hasOwn(VIEWS, name) && VIEWS[name]) || (async () => ({ View: Unknown, title: () => t("view.unknown") }));
    load().catch(() => ({ View: Missing, title: () => t("view." + name) })).then((module) => { modules.set(name, module); draw((it) => it + 1); });
  }, [name]);
  const title = loaded?.title(path) ?? (hasText("view." + name) ? t("view." + name) : t("view.unknown"));
  const id = [name, ...path].join("/");
  useEffect(() => {
    document.title = title + " · " + hub;
    if (shownBefore.current !== null && shownBefore.current !== id) {
      scrollTo(0, 0);
      heading.current.focus({ preventScroll: true });
    }
    shownBefore.current = id;
  }, [id, title]);
  return html`<h1 id="view-title" ref=${heading} tabIndex="-1">${title}</h1>
    ${loaded ? html`<${Guard} key=${id}><${loaded.View} path=${path} query=${where.query} /><//>` : html`<p class="dim">${t("loading")}</p>`}`;
}

function Page() {
  useStore(language);
  const where = useStore(place), state = useStore(door), said = useStore(announcement);
  return html`${state === "open" && html`<a class="skip" href="#view-title" onClick=${(event) => { event.preventDefault(); document.querySelector("main h1")?.focus(); }}>${t("skip")}</a>`}
    <${Head} />
    <div class="frame">
      ${state !== "locked" && html`<${Menu} current=${where.path[0] ?? "overview"} />`}
      <main id="main">${state === "locked" ? html`<${SignIn} />` : state === "open" ? html`<${Shown} where=${where} />`
        : html`<p class="dim" role="status">${t("loading")}</p>`}</main>
    </div>
    <footer>${[["/readyz", "footer.readyz"], ["/healthz", "footer.healthz"], ["/metrics", "footer.metrics"], ["/docs", "footer.docs"]].map(([path, word]) =>
      html`<span key=${path}><a href=${path}>${path.slice(1)}</a> ${t(word)}</span>`)} <span>reef ${role} ${host}</span></footer>
    <p class="unseen" role="status" id="said">${said}</p>
    <${Dialogs} />
    <${Help} pairs=${MENU.flatMap(([, views]) => views).map(([name, letter]) => [letter, t("view." + name)])} />`;
}

/** Shows the cluster, if somebody may see it. */
async function enter() {
  if (!await readHubTime()) return;
  await Promise.all([lookWhoReads(), lookForRight()]);
  followCluster();
}

// What is shown first is fetched beside all else that has to be asked before.
const [view = "overview"] = place.get().path;
if (Object.hasOwn(VIEWS, view)) VIEWS[view]().catch(() => null);
await speak();
const refused = await signInByLink();
if (refused !== null) place.set(parse(location.hash));
refusal.set(refused ?? "");
render(html`<${Page} />`, document.getElementById("page"));
listenForKeys(LETTERS);
// A link that is opened in a page which is there already.
addEventListener("hashchange", async () => {
  const why = await signInByLink();
  if (why === null) return;
  place.set(parse(location.hash));
  refusal.set(why);
  if (!why) enter();
});
lookAtHub();
enter();
setInterval(() => document.hidden || lookAtHub(), LOOK_MS);
// A hub that was away when the page came is asked again.
setInterval(() => !document.hidden && door.get() === "unknown" && enter(), LOOK_MS);
document.addEventListener("visibilitychange", () => document.hidden || lookAtHub());
