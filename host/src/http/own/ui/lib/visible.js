// Texts of others, as they may be shown: the same rule as that of the commands (crates/domain's
// shown.rs), and the same notation, that of JSON.

// Controls but line breaks and tabs, separators of lines, and marks that turn the direction of all
// that follows. Written as numbers, lest an editor act upon them.
const BAD = new RegExp("[" + [[0, 8], [11, 31], [127, 159], [0x2028, 0x202e], [0x2066, 0x2069]]
  .map(([from, to]) => `\\u${hex(from)}-\\u${hex(to)}`).join("") + "]", "g");

function hex(number) {
  return number.toString(16).padStart(4, "0");
}

/** The text with such characters written out. */
export function visible(text) {
  return text.replace(BAD, (letter) => (letter === "\r" ? "\\r" : "\\u" + hex(letter.charCodeAt(0))));
}

/** The same on one line. */
export const inLine = (text) => visible(String(text)).replaceAll("\n", "\\n").replaceAll("\t", "\\t");
