// Lines of programs: the colours that they ask for become classes, and every other escape is shown
// as what it is.

import { html } from "./view.js";

const SGR = /\u001b\[([0-9;]{0,32})m/;
const COLORS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/** A line as `[{text, classes}]`. */
export function parts(line) {
  const found = [];
  let rest = line, color = "", isBold = false, isDim = false, isUnder = false;
  const push = (text) => text && found.push({ text, classes: [color && "ansi-" + color, isBold && "ansi-bold", isDim && "ansi-dim", isUnder && "ansi-under"].filter(Boolean).join(" ") });
  for (let match = SGR.exec(rest); match; match = SGR.exec(rest)) {
    push(rest.slice(0, match.index));
    rest = rest.slice(match.index + match[0].length);
    const codes = match[1].split(";").map(Number);
    for (let at = 0; at < codes.length; at += 1) {
      const code = codes[at];
      if (code === 0) { color = ""; isBold = isDim = isUnder = false; }
      else if (code === 1) isBold = true;
      else if (code === 2) isDim = true;
      else if (code === 4) isUnder = true;
      else if (code === 22) isBold = isDim = false;
      else if (code === 24) isUnder = false;
      else if (code >= 30 && code <= 37) color = COLORS[code - 30];
      else if (code >= 90 && code <= 97) color = COLORS[code - 90];
      else if (code === 39) color = "";
      // Colours of 256 and more are passed over with their numbers.
      else if (code === 38 || code === 48) at += codes[at + 1] === 5 ? 2 : codes[at + 1] === 2 ? 4 : 0;
    }
  }
  push(rest);
  return found;
}

export const Ansi = ({ of }) => parts(of).map(({ text, classes }, index) => (classes ? html`<span key=${index} class=${classes}>${text}</span>` : text));
