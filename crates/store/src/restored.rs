//! Data that are older than what was given out on them: `lua/cluster/void.lua`,
//! `lua/entry/restored.lua`. And data that may be: `lua/cluster/arrive.lua`, `lua/entry/arrive.lua`.

use reef_domain::time::UnixMillis;

use crate::audit::Actor;
use crate::cluster::Void;
use crate::entry::Restored;
use crate::port::Redis;
use crate::script::{FromReply, Malformed, Reader, Store, StoreError, rows};

/// What is known of an older copy that is in Redis now.
#[derive(Debug, Clone, Default)]
pub struct Copy {
    /// When it was taken, in milliseconds of Redis' clock.
    pub taken_at_ms: Option<i64>,
    /// The youngest event that somebody has seen and that it does not hold.
    pub seen: Option<String>,
}

/// What one step did; [`void`] and [`go_on`] go through to the end.
#[derive(Debug)]
pub struct Voided {
    /// There is more to do.
    more: bool,
    /// How many tasks wait again.
    released: i64,
}

/// Makes void what was given out on data that are no more: claims, incarnations and terms go on above
/// all of them, leases end, running tasks go back into the queue, and readers of events and of the
/// journal are told. Returns how many tasks wait again. If it is cut, [`go_on`] does the rest, or
/// whoever began begins again, which only adds an entry that moves nothing.
///
/// # Errors
/// [`StoreError`].
pub async fn void<R: Redis>(store: &Store<R>, copy: &Copy) -> Result<i64, StoreError> {
    let taken_at = copy.taken_at_ms.map(|at| UnixMillis(at).to_string());
    // What of the audit was written after the copy is no more, which the audit says itself.
    let store = &store.audited(&Actor::HUB);
    store.call(&Restored { taken_at: taken_at.as_deref() }).await?;
    let begin = Void { begins: true, taken_at_ms: copy.taken_at_ms, seen: copy.seen.as_deref() };
    let Voided { more, released } = store.call(&begin).await?;
    Ok(released + if more { go_on(store).await? } else { 0 })
}

/// Goes on where somebody who has begun did not end.
///
/// # Errors
/// [`StoreError`].
pub async fn go_on<R: Redis>(store: &Store<R>) -> Result<i64, StoreError> {
    let step = Void { begins: false, taken_at_ms: None, seen: None };
    let mut all = 0;
    loop {
        let Voided { more, released } = store.call(&step).await?;
        all += released;
        if !more {
            return Ok(all);
        }
    }
}

/// What is known of the process of Redis that answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It has answered before.
    Known,
    /// It is new and holds all that was given out: there is nothing before it, or it is one that its
    /// host started again.
    Noted,
    /// It is new and may hold less than what was given out.
    Changed,
    /// It holds less than what was given out. [`go_on`] has to go through tasks and nodes.
    Older,
}

/// What came of looking which process of Redis answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrived {
    /// What is known of it.
    pub arrival: Arrival,
    /// The era in which the data are served. It grows with each process.
    pub era: i64,
}

impl FromReply for Arrived {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let arrival = match reply.int()? {
            0 => Arrival::Known,
            1 => Arrival::Noted,
            2 => Arrival::Changed,
            3 => Arrival::Older,
            other => return Err(Malformed(format!("{other} says nothing of a server"))),
        };
        Ok(Self { arrival, era: reply.int()? })
    }
}

/// The same of the server that has the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArrivedAtLedger {
    /// It is another process than before.
    pub is_new: bool,
    /// The era of the ledger.
    pub era: i64,
    /// The first entry that was seen and is no more; 0: none.
    pub first: i64,
    /// The last of them.
    pub last: i64,
    /// Nobody has said so before.
    pub is_news: bool,
}

rows! {
    Voided { more, released }
    ArrivedAtLedger { is_new, era, first, last, is_news }
}
