//! Calls on the audit: `lua/audit/`. Scripts that change something write it themselves (`lua/include/audit.lua`).

use reef_domain::journal::{NO_SEAL, seal};
use reef_domain::limits::{AUDIT_ENTRIES_MAX, AUDIT_KEPT_MS, AUDIT_STEPS, SEALS_A_TICK};
use reef_domain::time::UnixMillis;
use reef_domain::trail::{Chain, Entry};
use serde_json::value::RawValue;

use crate::entry::SealsSeen;
use crate::port::Redis;
use crate::script::{FromReply, Malformed, Reader, Store, StoreError, rows};
use crate::steps::has_room;

include!(concat!(env!("OUT_DIR"), "/calls_audit.rs"));

/// Who asks, as the audit says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor<'a> {
    /// An agent's id, or a name of the hub's own that begins with `@`.
    pub name: &'a str,
    /// The key that was used; empty for none.
    pub key_id: &'a str,
    /// `page`, `cli` or `api`; `hub` for what nobody has asked for.
    pub via: &'a str,
    /// Why, in the caller's words; may be empty.
    pub reason: &'a str,
    /// The request, as the log calls it.
    pub request_id: &'a str,
    /// Of how many entries it may be the cause within a day; `None`: of as many as it likes.
    pub most: Option<i64>,
}

impl Actor<'_> {
    /// The hub itself.
    pub const HUB: Self =
        Self { name: "@hub", key_id: "", via: "hub", reason: "", request_id: "", most: None };

    /// The one argument in which scripts take it.
    pub(crate) fn packed(&self) -> String {
        let Self { name, key_id, via, reason, request_id, most } = self;
        let most = most.map(|most| most.to_string()).unwrap_or_default();
        serde_json::json!([name, key_id, via, reason, request_id, most]).to_string()
    }
}

/// What an entry is looked for by; empty: all of them. A text that ends in `*` is how one begins.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter<'a> {
    pub actor: &'a str,
    pub action: &'a str,
    pub target: &'a str,
}

/// Some entries of a chain.
#[derive(Debug, Clone)]
pub struct Page {
    /// The id of the last that was looked at, while there is more.
    pub next: Option<String>,
    /// When that was written.
    pub looked_at: i64,
    /// The entries, each with its id in the stream.
    pub rows: Vec<Row>,
}

/// An entry, and where it lies.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its id in the stream.
    pub id: String,
    /// The entry. Its chain is the one that was read.
    pub entry: Entry,
}

/// What one step of a page has looked at.
#[derive(Debug)]
pub struct Looked {
    next: Option<String>,
    filled: i64,
    count: i64,
    looked_at: i64,
    rows: Vec<Row>,
}

rows! {
    Looked { next, filled, count, looked_at, rows }
}

impl FromReply for Row {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let id = reply.text()?;
        // One that somebody else has written may hold anything. Such a thing is shown as it can be; its link
        // is not that of its content.
        let seq = id.split('-').next().and_then(|seq| seq.parse().ok()).unwrap_or_default();
        let at = UnixMillis(reply.text()?.parse().unwrap_or_default());
        let (actor, key_id) = (reply.text()?, reply.filled()?);
        let (via, action, target) = (reply.text()?, reply.text()?, reply.text()?);
        let (reason, request_id) = (reply.text()?, reply.text()?);
        let (before, after) = (json(reply.filled()?), json(reply.filled()?));
        let (previous, link) = (reply.text()?, reply.text()?);
        let chain = Chain::Cluster;
        let entry = Entry {
            chain,
            seq,
            at,
            actor,
            key_id,
            via,
            action,
            target,
            reason,
            request_id,
            before,
            after,
            previous,
            link,
        };
        Ok(Self { id, entry })
    }
}

/// What is no JSON is shown as a text.
fn json(text: Option<String>) -> Option<Box<RawValue>> {
    let text = text?;
    RawValue::from_string(text.clone()).or_else(|_| serde_json::value::to_raw_value(&text)).ok()
}

/// What a chain says of itself, and some of its seals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// How many entries were written, ever.
    pub entries: i64,
    /// The link of the last.
    pub link: String,
    /// The number of the first that is kept.
    pub begin: i64,
    /// Entries that could not be written, since somebody else has put something into their place.
    pub lost: i64,
    /// The seal of those before `begin`.
    pub before: Option<String>,
    /// How many seals were made, ever.
    pub total: i64,
    /// The number of the first seal that is listed, from 0.
    pub first: i64,
    /// The seals, in order; an empty text for one that is missing.
    pub seals: Vec<String>,
}

impl FromReply for Head {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            entries: reply.int()?,
            link: reply.text()?,
            begin: reply.int()?,
            lost: reply.int()?,
            before: reply.filled()?,
            total: reply.int()?,
            first: reply.int()?,
            seals: Vec::read(reply)?,
        })
    }
}

/// Reads some entries of one chain, in steps ([`crate::steps`]).
///
/// # Errors
/// [`StoreError`].
pub async fn list<R: Redis>(
    store: &Store<R>,
    chain: Chain,
    oldest_first: bool,
    limit: i64,
    after: &str,
    filter: Filter<'_>,
) -> Result<Page, StoreError> {
    let Filter { actor, action, target } = filter;
    let mut page = Page { next: Some(after.to_owned()), looked_at: 0, rows: Vec::new() };
    let (mut left, mut filled) = (limit, 0);
    for _ in 0..AUDIT_STEPS {
        let Some(after) = page.next.as_deref() else { break };
        let limit = left;
        let step = match chain {
            Chain::Cluster => {
                let call = List { oldest_first, limit, after, filled, actor, action, target };
                store.call(&call).await?
            }
            Chain::Ledger => {
                let call =
                    ListOfLedger { oldest_first, limit, after, filled, actor, action, target };
                store.call(&call).await?
            }
        };
        filled = step.filled;
        left -= i64::try_from(step.rows.len()).unwrap_or(i64::MAX);
        if step.count > 0 {
            page.looked_at = step.looked_at;
        }
        page.next = step.next;
        page.rows.extend(step.rows);
        if left == 0 || !has_room(filled) {
            break;
        }
    }
    page.rows.iter_mut().for_each(|row| row.entry.chain = chain);
    Ok(page)
}

/// Reads what a chain says of itself, and at most so many of its seals from a number on.
///
/// # Errors
/// [`StoreError`].
pub async fn head<R: Redis>(
    store: &Store<R>,
    chain: Chain,
    from: i64,
    limit: i64,
) -> Result<Head, StoreError> {
    match chain {
        Chain::Cluster => store.call(&ListSeals { from, limit }).await,
        Chain::Ledger => store.call(&ListSealsOfLedger { from, limit }).await,
    }
}

/// What somebody remembers of the seals of both chains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    cluster: SealsSeen,
    ledger: SealsSeen,
}

impl Seen {
    fn of(&mut self, chain: Chain) -> &mut SealsSeen {
        match chain {
            Chain::Cluster => &mut self.cluster,
            Chain::Ledger => &mut self.ledger,
        }
    }
}

/// What came of tending the audit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tended {
    /// What is to be remembered.
    pub seen: Seen,
    /// Why a chain is not sealed any longer; `None`: there is nothing wrong.
    pub broken: Option<String>,
}

/// How much of the audit is kept.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    /// Entries of each chain.
    pub most: i64,
    /// For how long, in milliseconds.
    pub ms: i64,
}

impl Default for Kept {
    fn default() -> Self {
        Self { most: AUDIT_ENTRIES_MAX, ms: AUDIT_KEPT_MS }
    }
}

/// Drops what has been kept long enough, and seals what can be sealed, in a bounded number of steps. `seen`: what the
/// caller remembers; a chain that has fewer seals, or another one, is not sealed any more. Safe to run twice
/// at once.
///
/// # Errors
/// [`StoreError`]; what was done until then stays so.
pub async fn tend<R: Redis>(
    store: &Store<R>,
    seen: &Seen,
    kept: Kept,
) -> Result<Tended, StoreError> {
    let mut tended = Tended { seen: seen.clone(), broken: None };
    for chain in Chain::ALL {
        let seen = tended.seen.of(chain);
        for _ in 0..SEALS_A_TICK {
            match next(store, chain, seen, kept).await? {
                Next::Ok { number, before, links } => {
                    if links.is_empty() {
                        *seen = SealsSeen { seals: number, last: before };
                        break;
                    }
                    let before = if before.is_empty() { NO_SEAL } else { &before };
                    let seal = seal(before, links.iter().map(String::as_str));
                    keep(store, chain, number, &seal).await?;
                    *seen = SealsSeen { seals: number + 1, last: seal };
                }
                Next::Broken { made, there } => {
                    tended.broken = Some(format!(
                        "of the seals of the audit of the {} {made} should be there, and {there} are, or the \
                         last was changed: nothing is sealed there any longer",
                        chain.as_str()
                    ));
                    break;
                }
            }
        }
    }
    Ok(tended)
}

async fn next<R: Redis>(
    store: &Store<R>,
    chain: Chain,
    seen: &SealsSeen,
    kept: Kept,
) -> Result<Next, StoreError> {
    let SealsSeen { seals: seen, last } = seen;
    let (seen, most, kept_ms) = (*seen, kept.most, kept.ms);
    match chain {
        Chain::Cluster => store.call(&Tend { seen, last, most, kept_ms }).await,
        Chain::Ledger => store.call(&TendOfLedger { seen, last, most, kept_ms }).await,
    }
}

async fn keep<R: Redis>(
    store: &Store<R>,
    chain: Chain,
    number: i64,
    seal: &str,
) -> Result<bool, StoreError> {
    match chain {
        Chain::Cluster => store.call(&Keep { number, seal }).await,
        Chain::Ledger => store.call(&KeepOfLedger { number, seal }).await,
    }
}
