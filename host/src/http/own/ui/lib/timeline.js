// What happened when, as bars on one axis of time.

import { clock, moment, span } from "./time.js";
import { html } from "./view.js";
import { t } from "./words.js";

/**
 * `lanes` are `{key, name, about, from, to, tone, link}`, times in milliseconds; where `to` is
 * missing it goes on. Each says in words what its bar shows.
 */
export function Timeline({ lanes, now, label }) {
  if (lanes.length === 0) return null;
  const begin = Math.min(...lanes.map((lane) => lane.from));
  const end = Math.max(begin + 1, ...lanes.map((lane) => lane.to ?? now));
  const part = (at) => 100 * (at - begin) / (end - begin);
  return html`<div class="timeline">
    <div class="timeline-axis" aria-hidden="true"><span>${clock(begin)}</span><span>${span(end - begin)}</span><span>${clock(end)}</span></div>
    <ol aria-label=${label}>${lanes.map((lane) => {
      const to = lane.to ?? now, isOver = lane.to !== null && lane.to !== undefined;
      const style = { left: part(lane.from) + "%", width: Math.max(0.4, part(to) - part(lane.from)) + "%" };
      return html`<li key=${lane.key}>
        <span class="timeline-name">${lane.name}</span>
        <span class="timeline-track" aria-hidden="true"><span class=${"timeline-bar " + (lane.tone ?? "") + (isOver ? "" : " goes-on")} style=${style} title=${moment(lane.from)}></span></span>
        <span class="timeline-about">${lane.about} <span class="dim">${lane.from === to ? clock(lane.from) : t(isOver ? "timeline.for" : "timeline.since", { span: span(to - lane.from) })}</span></span>
      </li>`;
    })}</ol>
  </div>`;
}
