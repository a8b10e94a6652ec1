//! Calls on positions: `lua/position/`.

use reef_domain::Money;
use reef_domain::time::UnixMillis;
use serde::Serialize;

use crate::ledger::{Page, read_next, some_money};
use crate::node::Writer;
use crate::script::{FromReply, Malformed, Reader};
use crate::task::{some_instant, some_text};

include!(concat!(env!("OUT_DIR"), "/calls_position.rs"));

/// A position as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Position {
    /// Its id.
    pub position_id: String,
    /// Whose it is.
    pub agent_id: String,
    /// On what.
    pub asset: String,
    /// `long` or `short`.
    pub side: String,
    /// How much.
    pub size: Money,
    /// The price at which it was opened.
    pub entry_price: Money,
    /// How many times the margin the size is.
    pub leverage: i64,
    /// What is, or was, reserved for it.
    pub margin: Money,
    /// The price that it was last marked with.
    pub mark: Money,
    /// What it would bring at the mark; nothing once it has ended.
    pub unrealized_pnl: Money,
    /// What it has brought.
    pub realized_pnl: Money,
    /// `open closed liquidated`.
    pub status: String,
    /// The intent that it comes from.
    pub intent_id: String,
    /// The match that it comes from.
    pub match_id: String,
    /// The other side of the match.
    pub counter_position: String,
    /// The price at which it ended.
    pub close_price: Option<Money>,
    /// `closed liquidation counterparty_liquidated`.
    pub close_reason: Option<String>,
    /// When it was opened.
    pub created_at: UnixMillis,
    /// When it ended.
    pub closed_at: Option<UnixMillis>,
}

impl FromReply for Position {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            position_id: reply.text()?,
            agent_id: reply.text()?,
            asset: reply.text()?,
            side: reply.text()?,
            size: Money::read(reply)?,
            entry_price: Money::read(reply)?,
            leverage: reply.int()?,
            margin: Money::read(reply)?,
            mark: Money::read(reply)?,
            unrealized_pnl: Money::read(reply)?,
            realized_pnl: Money::read(reply)?,
            status: reply.text()?,
            intent_id: reply.text()?,
            match_id: reply.text()?,
            counter_position: reply.text()?,
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
        let (next, total) = (read_next(reply)?, reply.int()?);
        Ok(Self { page: Page { next, items: Vec::read(reply)? }, total })
    }
}
