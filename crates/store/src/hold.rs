//! Calls on holds: `lua/hold/`.

pub use reef_api::ledger::Hold;
use reef_domain::Money;
use reef_domain::limits::{HOLD_BATCH, HOLD_STEPS};
use reef_domain::time::UnixMillis;

use crate::ledger::{Moved, Seen};
use crate::node::Writer;
use crate::port::Redis;
use crate::script::{FromReply, Malformed, Reader, Store, StoreError};
use crate::steps::Page;
use crate::task::some_instant;

include!(concat!(env!("OUT_DIR"), "/calls_hold.rs"));

impl FromReply for Hold {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            hold_id: FromReply::read(reply)?,
            agent_id: FromReply::read(reply)?,
            amount: Money::read(reply)?,
            posted: Money::read(reply)?,
            status: FromReply::read(reply)?,
            expires_at: some_instant(reply)?,
            to_agent: FromReply::read(reply)?,
            created_at: UnixMillis(reply.int()?),
            task_id: FromReply::read(reply)?,
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
