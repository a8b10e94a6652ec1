// The page: its panels, and when each of them reads.
//
// A panel is a <section> of index.html and a module here, which may export
//   load()          reads what the panel shows: after signing in, every five seconds while somebody
//                   looks, and soon after each of its events;
//   events          the types of the cluster's events that concern it;
//   onEvent(event)  what it does with each of them, where reading anew is not enough.
// To add one: write both, name the module here and in host/src/http/own/ui.rs.

import { isLocked, prepareAccess, signInByLink } from "./access.js";
import { followCluster, onEvents, readHubTime } from "./cluster.js";
import { lookAtHub } from "./readiness.js";
import * as events from "./events.js";
import * as message from "./message.js";
import * as money from "./money.js";
import * as nodes from "./nodes.js";
import * as tasks from "./tasks.js";

const PANELS = [nodes, tasks, money, message, events];
const PACE_MS = 5000;
const SOON_MS = 300;
const LOOK_MS = 2000;

/** Calls `load` soon, and once for all the wishes until then. */
function soon(load) {
  let timer = 0;
  return () => { timer ||= setTimeout(() => { timer = 0; load(); }, SOON_MS); };
}

const isWatched = () => !document.hidden && !isLocked();
const loadAll = () => Promise.all(PANELS.map((panel) => panel.load?.()));

async function start() {
  // This first reading shows whether a key is needed.
  await readHubTime();
  if (isLocked()) return;
  loadAll();
  followCluster();
}

for (const panel of PANELS) {
  onEvents(panel.events ?? [], panel.onEvent ?? soon(panel.load));
}
prepareAccess(start);
lookAtHub();
await signInByLink();
start();
setInterval(() => document.hidden || lookAtHub(), LOOK_MS);
setInterval(() => isWatched() && loadAll(), PACE_MS);
document.addEventListener("visibilitychange", () => isWatched() && loadAll());
