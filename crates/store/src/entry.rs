//! Calls on the journal: `lua/entry/`.

use std::collections::BTreeMap;

use reef_domain::Money;
use reef_domain::audit::Record;
use reef_domain::journal::{Entry, Leg, NO_SEAL, seal};
use reef_domain::limits::SEALS_A_TICK;
use reef_domain::time::UnixMillis;

use crate::port::Redis;
use crate::restored::ArrivedAtLedger;
use crate::script::{FromReply, Malformed, Reader, Store, StoreError};
use crate::steps::Page;

include!(concat!(env!("OUT_DIR"), "/calls_entry.rs"));

impl FromReply for Entry {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let seq = reply.int()?;
        let created_at = UnixMillis(reply.int()?);
        let (kind, reference, memo) = (reply.text()?, reply.text()?, reply.text()?);
        let (legs, locks) = (read_legs(&reply.text()?)?, read_legs(&reply.text()?)?);
        let (previous, link) = (reply.text()?, reply.text()?);
        let entry_id = entry_id(seq);
        Ok(Self { entry_id, seq, kind, reference, memo, legs, locks, previous, link, created_at })
    }
}

/// The id of an entry.
#[must_use]
pub fn entry_id(seq: i64) -> String {
    format!("ent_{seq}")
}

/// Accounts and amounts in turn.
fn read_legs(text: &str) -> Result<Vec<Leg>, Malformed> {
    let bad = || Malformed(format!("legs {text:?}"));
    let mut words = text.split_ascii_whitespace();
    let mut legs = Vec::new();
    while let Some(account) = words.next() {
        let micros = words.next().and_then(|word| word.parse().ok());
        let amount = micros.and_then(Money::from_micros).ok_or_else(bad)?;
        legs.push(Leg { account: account.to_owned(), amount });
    }
    Ok(legs)
}

/// Some seals, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seals {
    /// How many there are in all.
    pub total: i64,
    /// The seals, in order.
    pub seals: Vec<String>,
}

impl FromReply for Seals {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self { total: reply.int()?, seals: Vec::read(reply)? })
    }
}

/// Some keys of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audited {
    /// Where the next page begins, while there is more.
    pub next: Option<String>,
    /// The ledger itself, then what was found.
    pub records: Vec<Record>,
}

impl FromReply for Audited {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let next = Some(reply.text()?).filter(|next| next != "0");
        Ok(Self { next, records: Vec::read(reply)? })
    }
}

impl FromReply for Record {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let (kind, id) = (reply.text()?, reply.text()?);
        let mut fields = BTreeMap::new();
        for _ in 0..reply.int()? {
            fields.insert(reply.text()?, reply.text()?);
        }
        Ok(Self { kind, id, fields })
    }
}

/// Some numbers of an agent's index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    /// How many there are in all.
    pub total: i64,
    /// Numbers of entries, oldest first.
    pub numbers: Vec<i64>,
}

impl FromReply for Numbers {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self { total: reply.int()?, numbers: Vec::read(reply)? })
    }
}

/// What somebody remembers of the seals, so that none of them is made again in another way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SealsSeen {
    /// How many there were.
    pub seals: i64,
    /// The last of them; empty for none.
    pub last: String,
}

/// The last entry of the journal, as somebody has seen it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub number: i64,
    pub link: String,
}

/// What came of sealing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sealed {
    /// Seals that were made now.
    pub made: i64,
    /// What is to be remembered.
    pub seen: SealsSeen,
    /// The last entry of the journal; `None`: there is none, or it was not learned.
    pub head: Option<Head>,
    /// Why nothing is sealed any longer; `None`: there is nothing wrong.
    pub broken: Option<String>,
}

/// Seals what can be sealed of the journal, in a bounded number of steps. `seen`: what the
/// caller remembers; where fewer seals are left or the last is another, nothing is sealed. Safe to run twice at once:
/// a seal is what its links make it.
///
/// # Errors
/// [`StoreError`]; what was sealed until then stays so.
pub async fn seal_due<R: Redis>(store: &Store<R>, seen: &SealsSeen) -> Result<Sealed, StoreError> {
    let mut sealed = Sealed { seen: seen.clone(), ..Sealed::default() };
    for _ in 0..SEALS_A_TICK {
        let SealsSeen { seals: seen, last } = &sealed.seen;
        match store.call(&Unsealed { seen: *seen, last }).await? {
            Next::Ok { number, before, entries, link, links } => {
                sealed.head = (entries > 0).then_some(Head { number: entries, link });
                if links.is_empty() {
                    sealed.seen = SealsSeen { seals: number, last: before };
                    break;
                }
                let before = if before.is_empty() { NO_SEAL } else { &before };
                let seal = seal(before, links.iter().map(String::as_str));
                sealed.made += i64::from(store.call(&Keep { number, seal: &seal }).await?);
                sealed.seen = SealsSeen { seals: number + 1, last: seal };
            }
            Next::Broken { made, there } => {
                sealed.broken = Some(format!(
                    "{} seals of the journal were made, by the ledger's head {made}, and {there} \
                     are there, or the last was changed: nothing is sealed any longer",
                    sealed.seen.seals.max(made)
                ));
                break;
            }
        }
    }
    Ok(sealed)
}
