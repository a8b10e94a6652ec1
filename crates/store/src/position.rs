//! Calls on positions: `lua/position/`.

pub use reef_api::ledger::Position;
use reef_domain::Money;
use reef_domain::time::UnixMillis;

use crate::ledger::some_money;
use crate::node::Writer;
use crate::script::{FromReply, Malformed, Reader};
use crate::steps::Page;
use crate::task::{some_instant, some_text};

include!(concat!(env!("OUT_DIR"), "/calls_position.rs"));

impl FromReply for Position {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            position_id: FromReply::read(reply)?,
            agent_id: FromReply::read(reply)?,
            asset: reply.text()?,
            side: FromReply::read(reply)?,
            size: Money::read(reply)?,
            entry_price: Money::read(reply)?,
            leverage: reply.int()?,
            margin: Money::read(reply)?,
            mark: Money::read(reply)?,
            unrealized_pnl: Money::read(reply)?,
            realized_pnl: Money::read(reply)?,
            status: FromReply::read(reply)?,
            intent_id: FromReply::read(reply)?,
            match_id: FromReply::read(reply)?,
            counter_position: FromReply::read(reply)?,
            close_price: some_money(reply)?,
            close_reason: some_text(reply)?,
            created_at: UnixMillis(reply.int()?),
            closed_at: some_instant(reply)?,
        })
    }
}

/// A page of positions, and how many there are in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positions {
    /// The page.
    pub page: Page<Position>,
    /// How many there are.
    pub total: i64,
}

impl FromReply for Positions {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let (next, filled, total) = (FromReply::read(reply)?, reply.int()?, reply.int()?);
        Ok(Self { page: Page { next, filled, rows: Vec::read(reply)? }, total })
    }
}
