//! Calls on holds: `lua/hold/`.

use reef_domain::Money;
use reef_domain::limits::{HOLD_BATCH, HOLD_STEPS, LIST_SCAN_MAX};
use reef_domain::time::UnixMillis;
use serde::Serialize;

use crate::ledger::{Moved, Page, Seen, money, read_items, read_next};
use crate::node::Writer;
use crate::port::Redis;
use crate::quota::Quotas;
use crate::script::{
    Arguments, Call, HOLD_GET, HOLD_LIST, HOLD_PLACE, HOLD_POST, HOLD_SETTLE_DUE, HOLD_VOID,
    Malformed, Partition, Reader, Script, Store, StoreError, unknown_status,
};
use crate::task::{some_instant, some_text};

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

impl Hold {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            hold_id: reply.text()?,
            agent_id: reply.text()?,
            amount: money(reply)?,
            posted: money(reply)?,
            status: reply.text()?,
            expires_at: some_instant(reply)?,
            to_agent: some_text(reply)?,
            created_at: UnixMillis(reply.int()?),
        })
    }
}

/// Reserves a part of an agent's money.
#[derive(Debug)]
pub struct Place<'a> {
    /// Id for the hold.
    pub hold_id: &'a str,
    /// Whose money.
    pub agent_id: &'a str,
    /// How much.
    pub amount: Money,
    /// When it is to end by itself, in milliseconds from now; `None`: never.
    pub expires_in_ms: Option<i64>,
    /// What the agent may have; `None`: as much as it likes.
    pub quotas: Option<&'a Quotas>,
}

impl Call for Place<'_> {
    type Reply = Moved<Hold>;

    fn script(&self) -> &'static Script {
        &HOLD_PLACE
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.hold_id)
            .text(self.agent_id)
            .number(self.amount.micros())
            .optional(self.expires_in_ms)
            .optional(self.quotas.map(|quotas| quotas.holds));
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => Hold::read(reply).map(Moved::Ok),
            "not_found" => Ok(Moved::UnknownAgent(self.agent_id.to_owned())),
            "insufficient" => {
                Ok(Moved::Insufficient { available: money(reply)?, asked: self.amount })
            }
            "exists" => Ok(Moved::Exists),
            other => unknown_status(other),
        }
    }
}

/// What became of a hold that was to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It has.
    Ok(Hold),
    /// There is no such hold.
    NotFound,
    /// There is no agent of the id that was to be paid.
    UnknownAgent,
    /// It is somebody else's.
    Forbidden,
    /// It had ended before: its status.
    Status(String),
    /// It would be paid to whom it was taken from.
    ToItself,
    /// It reserves less: this much.
    Over(Money),
}

impl Ended {
    fn read(status: &str, reply: &mut Reader) -> Result<Self, Malformed> {
        match status {
            "ok" => Hold::read(reply).map(Self::Ok),
            "not_found" => Ok(Self::NotFound),
            "unknown_agent" => Ok(Self::UnknownAgent),
            "forbidden" => Ok(Self::Forbidden),
            "state" => Ok(Self::Status(reply.text()?)),
            "self" => Ok(Self::ToItself),
            "over" => Ok(Self::Over(money(reply)?)),
            other => unknown_status(other),
        }
    }
}

/// Pays what a hold reserves, or a part of it, and releases the rest.
#[derive(Debug)]
pub struct Post<'a> {
    /// Which.
    pub hold_id: &'a str,
    /// Who asks.
    pub writer: Writer<'a>,
    /// How much; `None`: all.
    pub amount: Option<Money>,
    /// To whom.
    pub to_agent: &'a str,
}

impl Call for Post<'_> {
    type Reply = Ended;

    fn script(&self) -> &'static Script {
        &HOLD_POST
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.hold_id)
            .text(self.writer.as_argument())
            .optional(self.amount.map(Money::micros))
            .text(self.to_agent);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        Ended::read(status, reply)
    }
}

/// Releases what a hold reserves.
#[derive(Debug)]
pub struct Void<'a> {
    /// Which.
    pub hold_id: &'a str,
    /// Who asks.
    pub writer: Writer<'a>,
}

impl Call for Void<'_> {
    type Reply = Ended;

    fn script(&self) -> &'static Script {
        &HOLD_VOID
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.hold_id).text(self.writer.as_argument());
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        Ended::read(status, reply)
    }
}

/// Reads a hold.
#[derive(Debug)]
pub struct Get<'a> {
    /// Which.
    pub hold_id: &'a str,
    /// Who asks.
    pub writer: Writer<'a>,
}

impl Call for Get<'_> {
    type Reply = Seen<Hold>;

    fn script(&self) -> &'static Script {
        &HOLD_GET
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.hold_id).text(self.writer.as_argument());
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        Seen::read(status, reply, Hold::read)
    }
}

/// Lists holds. Empty filters do not filter.
#[derive(Debug)]
pub struct List<'a> {
    /// Whose money they reserve.
    pub agent_id: &'a str,
    /// A status.
    pub status: &'a str,
    /// Most holds.
    pub limit: i64,
    /// [`Page::next`] of the page before.
    pub below: Option<i64>,
}

impl Call for List<'_> {
    type Reply = Page<Hold>;

    fn script(&self) -> &'static Script {
        &HOLD_LIST
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.agent_id)
            .text(self.status)
            .number(self.limit)
            .optional(self.below)
            .number(LIST_SCAN_MAX);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => Ok(Page { next: read_next(reply)?, items: read_items(reply, Hold::read)? }),
            other => unknown_status(other),
        }
    }
}

/// Lets some holds go whose time is over. [`settle_due`] repeats it.
#[derive(Debug)]
struct SettleDue {
    tick_ms: i64,
}

impl Call for SettleDue {
    type Reply = Settled;

    fn script(&self) -> &'static Script {
        &HOLD_SETTLE_DUE
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.number(HOLD_BATCH).number(self.tick_ms);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Settled, Malformed> {
        match status {
            "ok" => Ok(Settled {
                holds: reply.int()?,
                altered: Some(reply.text()?).filter(|text| !text.is_empty()),
            }),
            other => unknown_status(other),
        }
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
