//! Calls on positions: `lua/position/`.

use reef_domain::Money;
use reef_domain::limits::LIST_SCAN_MAX;
use reef_domain::time::UnixMillis;
use serde::Serialize;

use crate::ledger::{Page, money, read_items, read_next, some_money};
use crate::node::Writer;
use crate::script::{
    Arguments, Call, Malformed, POSITION_CLOSE, POSITION_LIST, POSITION_MARK, Partition, Reader,
    Script, unknown_status,
};
use crate::task::{some_instant, some_text};

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

impl Position {
    pub(crate) fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            position_id: reply.text()?,
            agent_id: reply.text()?,
            asset: reply.text()?,
            side: reply.text()?,
            size: money(reply)?,
            entry_price: money(reply)?,
            leverage: reply.int()?,
            margin: money(reply)?,
            mark: money(reply)?,
            unrealized_pnl: money(reply)?,
            realized_pnl: money(reply)?,
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

/// Lists an agent's positions.
#[derive(Debug)]
pub struct List<'a> {
    /// Whose.
    pub agent_id: &'a str,
    /// Those that have ended, too.
    pub with_closed: bool,
    /// Most positions.
    pub limit: i64,
    /// [`Page::next`] of the page before.
    pub below: Option<i64>,
}

/// A page of positions, and how many there are in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positions {
    /// The page.
    pub page: Page<Position>,
    /// How many there are.
    pub total: i64,
}

impl Call for List<'_> {
    /// `None`: there is no such agent.
    type Reply = Option<Positions>;

    fn script(&self) -> &'static Script {
        &POSITION_LIST
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.agent_id)
            .number(u8::from(self.with_closed))
            .number(self.limit)
            .optional(self.below)
            .number(LIST_SCAN_MAX);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => {
                let (next, total) = (read_next(reply)?, reply.int()?);
                let page = Page { next, items: read_items(reply, Position::read)? };
                Ok(Some(Positions { page, total }))
            }
            "not_found" => Ok(None),
            other => unknown_status(other),
        }
    }
}

/// Closes both sides of a match.
#[derive(Debug)]
pub struct Close<'a> {
    /// One of its positions.
    pub position_id: &'a str,
    /// Who asks. An owner may close at the mark only.
    pub writer: Writer<'a>,
    /// At what price; `None`: at the mark.
    pub price: Option<Money>,
}

/// What became of a position that was to be closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// It is.
    Ok(Box<Position>),
    /// There is no such position.
    NotFound,
    /// It is somebody else's.
    Forbidden,
    /// It has ended: its status.
    Status(String),
    /// Its owner may close it at this price only.
    NotTheMark(Money),
}

impl Call for Close<'_> {
    type Reply = Closed;

    fn script(&self) -> &'static Script {
        &POSITION_CLOSE
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.position_id)
            .text(self.writer.as_argument())
            .optional(self.price.map(Money::micros));
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => Ok(Closed::Ok(Box::new(Position::read(reply)?))),
            "not_found" => Ok(Closed::NotFound),
            "forbidden" => Ok(Closed::Forbidden),
            "state" => Ok(Closed::Status(reply.text()?)),
            "price" => Ok(Closed::NotTheMark(money(reply)?)),
            other => unknown_status(other),
        }
    }
}

/// Marks both sides of a match with a price.
#[derive(Debug)]
pub struct Mark<'a> {
    /// One of its positions.
    pub position_id: &'a str,
    /// The price.
    pub price: Money,
}

/// What became of a position that was to be marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Marked {
    /// It is.
    Ok {
        /// A side of the match had too little left, and both have ended.
        liquidated: bool,
        /// The position.
        position: Box<Position>,
    },
    /// There is no such position.
    NotFound,
    /// It has ended: its status.
    Status(String),
}

impl Call for Mark<'_> {
    type Reply = Marked;

    fn script(&self) -> &'static Script {
        &POSITION_MARK
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.position_id).number(self.price.micros());
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => Ok(Marked::Ok {
                liquidated: reply.flag()?,
                position: Box::new(Position::read(reply)?),
            }),
            "not_found" => Ok(Marked::NotFound),
            "state" => Ok(Marked::Status(reply.text()?)),
            other => unknown_status(other),
        }
    }
}
