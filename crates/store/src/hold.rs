//! Calls on holds: `lua/hold/`.

use reef_domain::Money;
use reef_domain::limits::{HOLD_BATCH, HOLD_STEPS};
use reef_domain::time::UnixMillis;
use serde::Serialize;

use crate::ledger::{Moved, Page, Seen};
use crate::node::Writer;
use crate::port::Redis;
use crate::script::{FromReply, Malformed, Reader, Store, StoreError};
use crate::task::{some_instant, some_text};

include!(concat!(env!("OUT_DIR"), "/calls_hold.rs"));

/// A hold as it is shown: fields and order of `contract.md` §6.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Hold {
    /// Its id.
    pub hold_id: String,
    /// Whose money it reserves.
    pub agent_id: String,
    /// How much it reserves, or did.
    pub amount: Money,
    /// How much of that was paid.
    pub posted: Money,
    /// `pending posted voided expired`.
    pub status: String,
    /// When it ends by itself; `None`: never.
    pub expires_at: Option<UnixMillis>,
    /// Who was paid.
    pub to_agent: Option<String>,
    /// When it was made.
    pub created_at: UnixMillis,
}

impl FromReply for Hold {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            hold_id: reply.text()?,
            agent_id: reply.text()?,
            amount: Money::read(reply)?,
            posted: Money::read(reply)?,
            status: reply.text()?,
            expires_at: some_instant(reply)?,
            to_agent: some_text(reply)?,
            created_at: UnixMillis(reply.int()?),
        })
    }
}

/// What came of overdue holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// How many were let go.
    pub holds: i64,
    /// Something was found since the last time that is not what the journal says of it: kind and id.
    pub altered: Option<String>,
}

impl FromReply for Settled {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self { holds: reply.int()?, altered: reply.filled()? })
    }
}

/// Lets holds go whose time is over, in a bounded number of steps. `tick_ms` says how often it is
/// called.
///
/// # Errors
/// [`StoreError`]; what was settled until then stays so.
pub async fn settle_due<R: Redis>(store: &Store<R>, tick_ms: i64) -> Result<Settled, StoreError> {
    let mut all = Settled::default();
    for _ in 0..HOLD_STEPS {
        let Settled { holds, altered } = store.call(&SettleDue { tick_ms }).await?;
        all.holds += holds;
        all.altered = altered.or(all.altered);
        if holds < HOLD_BATCH {
            break;
        }
    }
    Ok(all)
}
