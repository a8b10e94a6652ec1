//! Calls on the journal: `lua/entry/`.

use reef_domain::Money;
use reef_domain::journal::{Entry, Leg, NO_SEAL, seal};
use reef_domain::limits::{SEAL_ENTRIES, SEALS_A_TICK};
use reef_domain::time::UnixMillis;

use crate::ledger::{Page, read_items, read_next};
use crate::port::Redis;
use crate::script::{
    Arguments, Call, ENTRY_LIST, ENTRY_SEAL, ENTRY_SEALS, ENTRY_UNSEALED, Malformed, Partition,
    Reader, Script, Store, StoreError, unknown_status,
};

/// Reads the journal.
#[derive(Debug)]
pub struct List<'a> {
    /// Whose entries; empty: all.
    pub agent_id: &'a str,
    /// From the first entry on, not from the last.
    pub oldest_first: bool,
    /// Most entries.
    pub limit: i64,
    /// [`Page::next`] of the page before.
    pub after: Option<i64>,
}

impl Call for List<'_> {
    type Reply = Page<Entry>;

    fn script(&self) -> &'static Script {
        &ENTRY_LIST
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.agent_id)
            .number(u8::from(self.oldest_first))
            .number(self.limit)
            .optional(self.after);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => Ok(Page { next: read_next(reply)?, items: read_items(reply, read_entry)? }),
            other => unknown_status(other),
        }
    }
}

fn read_entry(reply: &mut Reader) -> Result<Entry, Malformed> {
    let seq = reply.int()?;
    let created_at = UnixMillis(reply.int()?);
    let (kind, reference, memo) = (reply.text()?, reply.text()?, reply.text()?);
    let (legs, locks) = (read_legs(&reply.text()?)?, read_legs(&reply.text()?)?);
    let (previous, link) = (reply.text()?, reply.text()?);
    let entry_id = entry_id(seq);
    Ok(Entry { entry_id, seq, kind, reference, memo, legs, locks, previous, link, created_at })
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

/// Reads seals.
#[derive(Debug)]
pub struct ListSeals {
    /// Number of the first, from 0.
    pub from: i64,
    /// Most seals.
    pub limit: i64,
}

/// Some seals, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seals {
    /// How many there are in all.
    pub total: i64,
    /// The seals, in order.
    pub seals: Vec<String>,
}

impl Call for ListSeals {
    type Reply = Seals;

    fn script(&self) -> &'static Script {
        &ENTRY_SEALS
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.number(self.from).number(self.limit);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Seals, Malformed> {
        match status {
            "ok" => Ok(Seals { total: reply.int()?, seals: read_items(reply, Reader::text)? }),
            other => unknown_status(other),
        }
    }
}

/// Asks for the links that the next seal covers.
#[derive(Debug)]
struct Unsealed<'a> {
    seen: &'a SealsSeen,
}

#[derive(Debug)]
enum Next {
    Links {
        number: i64,
        /// The seal before; empty for none.
        before: String,
        /// None if there are too few.
        links: Vec<String>,
    },
    /// Seals were deleted or changed.
    Broken { made: i64, there: i64 },
}

impl Call for Unsealed<'_> {
    type Reply = Next;

    fn script(&self) -> &'static Script {
        &ENTRY_UNSEALED
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.number(SEAL_ENTRIES).number(self.seen.seals).text(&self.seen.last);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Next, Malformed> {
        match status {
            "ok" => Ok(Next::Links {
                number: reply.int()?,
                before: reply.text()?,
                links: read_items(reply, Reader::text)?,
            }),
            "broken" => Ok(Next::Broken { made: reply.int()?, there: reply.int()? }),
            other => unknown_status(other),
        }
    }
}

/// Keeps a seal.
#[derive(Debug)]
struct Keep<'a> {
    number: i64,
    seal: &'a str,
}

impl Call for Keep<'_> {
    /// Whether it is new.
    type Reply = bool;

    fn script(&self) -> &'static Script {
        &ENTRY_SEAL
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.number(self.number).text(self.seal);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<bool, Malformed> {
        if status == "ok" { reply.flag() } else { unknown_status(status) }
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

/// What came of sealing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sealed {
    /// Seals that were made now.
    pub made: i64,
    /// What is to be remembered.
    pub seen: SealsSeen,
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
        match store.call(&Unsealed { seen: &sealed.seen }).await? {
            Next::Links { number, before, links } => {
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
