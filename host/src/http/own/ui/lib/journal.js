// Whether the entries of the journal that were read fit each other: each is linked to the one before.
// `reef ledger verify` looks at all of it, its seals and the accounts as well.

const encoder = new TextEncoder();

function part(text) {
  return encoder.encode(text).length + ":" + text;
}

function micros(amount) {
  const [whole, rest = ""] = amount.replace("-", "").split(".");
  const size = BigInt(whole) * 1000000n + BigInt(rest.padEnd(6, "0"));
  return String(amount.startsWith("-") ? -size : size);
}

/** The text that an entry's link is made of; the same as that of crates/domain's journal.rs. */
export function canonical(entry) {
  const legs = (all) => part(String(all.length)) + all.map((leg) => part(leg.account) + part(micros(leg.amount))).join("");
  return part(String(entry.seq)) + part(String(Date.parse(entry.created_at))) + part(entry.kind) + part(entry.reference) + part(entry.memo) + legs(entry.legs) + legs(entry.locks);
}

async function linkOf(entry) {
  const bytes = await crypto.subtle.digest("SHA-1", encoder.encode(entry.previous + canonical(entry)));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Looks at entries, newest first: `{count, first, last}`, with `broken`, the number of the first that is not as it should be. */
export async function checked(entries) {
  // Browsers compute sums only for pages from this machine, or over HTTPS.
  if (!crypto.subtle) return { isUnable: true };
  const all = [...entries].sort((a, b) => a.seq - b.seq);
  for (const [place, entry] of all.entries()) {
    const before = all[place - 1];
    const isNext = !before || (entry.seq === before.seq + 1 && entry.previous === before.link);
    if (!isNext || await linkOf(entry) !== entry.link) return { broken: entry.seq };
  }
  return { count: all.length, first: all[0]?.seq, last: all.at(-1)?.seq };
}
