// What the page says, in the reader's language. The texts themselves are in words/<language>.js.

import { store } from "./store.js";

const LANGUAGES = { en: "English", zh: "中文" };
const NOTE = "reef-language";
let texts = {}, numbers, plural;

/** The language that the page speaks. */
export const language = store("");

/** `[code, name]` of all that there are. */
export const languages = Object.entries(LANGUAGES);

function preferred() {
  const wanted = [localStorage.getItem(NOTE), ...navigator.languages];
  const known = wanted.map((tag) => tag?.slice(0, 2).toLowerCase()).find((tag) => tag in LANGUAGES);
  return known ?? "en";
}

// A catalogue is a tree: `task: { retry: "…" }` is the text `task.retry`, and what stands under "" is
// that of the branch itself.
function flat(tree, prefix, into) {
  for (const [name, value] of Object.entries(tree)) {
    const key = [prefix, name].filter(Boolean).join(".");
    if (typeof value === "string") into[key] = value; else flat(value, key, into);
  }
  return into;
}

/** Loads the texts of a language; without one, of that which the browser prefers. */
export async function speak(code) {
  if (code) localStorage.setItem(NOTE, code);
  const chosen = code ?? preferred();
  texts = flat((await import(`../words/${chosen}.js`)).default, "", {});
  numbers = new Intl.NumberFormat(chosen);
  plural = new Intl.PluralRules(chosen);
  document.documentElement.lang = chosen === "zh" ? "zh-CN" : chosen;
  language.set(chosen);
}

/** Whether there is such a text. */
export const hasText = (key) => key in texts;

/**
 * A text, with its places filled in. Two forms with `|` between are for one and for more, by `n`.
 */
export function t(key, values = {}) {
  let text = texts[key] ?? key;
  if (text.includes("|")) {
    const [one, other] = text.split("|");
    text = plural.select(Number(values.n)) === "one" ? one : other;
  }
  return text.replace(/\{(\w+)\}/g, (place, name) => {
    const value = values[name];
    return typeof value === "number" ? numbers.format(value) : String(value ?? "");
  });
}

/** What a word of the hub, such as a status, is called; itself where it has no name. */
export const called = (kind, word) => (hasText(`${kind}.${word}`) ? t(`${kind}.${word}`) : String(word ?? ""));

/** A number as it is written. */
export const number = (value) => (value === null || value === undefined ? t("none") : numbers.format(value));

/** A part of one as a percentage. */
export const percent = (part) => numbers.format(Math.round(100 * part)) + " %";

/** An amount of money, which the hub writes as a text. */
export function money(text) {
  const [whole, part] = String(text ?? "0").split(".");
  const sign = whole.startsWith("-") ? "−" : "";
  const grouped = whole.replace("-", "").replace(/\B(?=(\d{3})+$)/g, ",");
  return sign + grouped + (part ? "." + part : "");
}

/** A number of bytes. */
export function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let size = Number(count), unit = 0;
  while (size >= 1024 && unit < units.length - 1) { size /= 1024; unit += 1; }
  return numbers.format(Math.round(size * 10) / 10) + " " + units[unit];
}
