// What views are made of: Preact with htm. Whatever they show goes through here, so that no text of
// others reaches the page as it came: it is text, never HTML, and what would turn the direction of
// reading, or move a cursor where it is copied to, is written out.

import { h, options } from "../vendor/preact.js";
import htm from "../vendor/htm.js";
import { visible } from "./visible.js";

export { Component, Fragment, render } from "../vendor/preact.js";
export { useEffect, useLayoutEffect, useMemo, useRef, useState } from "../vendor/hooks.js";

const SPOKEN = ["title", "aria-label", "alt", "placeholder"];

const before = options.vnode;
options.vnode = (vnode) => {
  if (vnode.type === null) {
    // A text, as Preact keeps it.
    if (typeof vnode.props === "string") vnode.props = visible(vnode.props);
  } else if (typeof vnode.type === "string") {
    for (const name of SPOKEN) {
      if (typeof vnode.props[name] === "string") vnode.props[name] = visible(vnode.props[name]);
    }
    delete vnode.props.dangerouslySetInnerHTML;
  }
  before?.(vnode);
};

export const html = htm.bind(h);

/** An address that may become a link: of the web, and of nothing else. */
export function safeLink(address) {
  return /^https?:\/\//i.test(String(address ?? "")) ? address : undefined;
}
