//! Calls on intents: `lua/intent/`.

use reef_domain::limits::LIST_SCAN_MAX;
use reef_domain::time::UnixMillis;
use reef_domain::{Money, ledger};
use serde::Serialize;

use crate::ledger::{Moved, Page, Seen, money, read_items, read_next};
use crate::node::Writer;
use crate::position::Position;
use crate::quota::Quotas;
use crate::script::{
    Arguments, Call, INTENT_CANCEL, INTENT_GET, INTENT_LIST, INTENT_MATCH, INTENT_SUBMIT,
    Malformed, Partition, Reader, Script, unknown_status,
};
use crate::task::some_text;

/// An intent as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Intent {
    /// Its id.
    pub intent_id: String,
    /// Whose it is.
    pub agent_id: String,
    /// `long` or `short`.
    pub intent_type: String,
    /// On what.
    pub asset: String,
    /// How much in all.
    pub size: Money,
    /// How much of it was matched.
    pub filled: Money,
    /// How much may still be.
    pub remaining: Money,
    /// How many times the margin the size is.
    pub leverage: i64,
    /// What is reserved for the rest.
    pub margin: Money,
    /// How far from the expected price a match may be.
    pub max_slippage: Money,
    /// For people.
    pub reason: String,
    /// `open matched cancelled`.
    pub status: String,
    /// The other intent of its last match.
    pub matched_with: Option<String>,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it last changed.
    pub updated_at: UnixMillis,
}

impl Intent {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let intent_id = reply.text()?;
        let agent_id = reply.text()?;
        let intent_type = reply.text()?;
        let asset = reply.text()?;
        let (size, filled) = (money(reply)?, money(reply)?);
        let remaining = Money::from_micros(size.micros() - filled.micros());
        Ok(Self {
            intent_id,
            agent_id,
            intent_type,
            asset,
            size,
            filled,
            remaining: remaining.ok_or_else(|| Malformed("more than all is filled".to_owned()))?,
            leverage: reply.int()?,
            margin: money(reply)?,
            max_slippage: money(reply)?,
            reason: reply.text()?,
            status: reply.text()?,
            matched_with: some_text(reply)?,
            created_at: UnixMillis(reply.int()?),
            updated_at: UnixMillis(reply.int()?),
        })
    }
}

/// Takes an intent and reserves the margin for it.
#[derive(Debug)]
pub struct Submit<'a> {
    /// Id for the intent.
    pub intent_id: &'a str,
    /// Whose it is.
    pub agent_id: &'a str,
    /// What is intended.
    pub intent: &'a ledger::Intent,
    /// What the agent may have; `None`: as much as it likes.
    pub quotas: Option<&'a Quotas>,
}

impl Call for Submit<'_> {
    type Reply = Moved<Box<Intent>>;

    fn script(&self) -> &'static Script {
        &INTENT_SUBMIT
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        let ledger::Intent { side, asset, size, leverage, max_slippage, reason } = self.intent;
        arguments
            .text(self.intent_id)
            .text(self.agent_id)
            .text(side.as_str())
            .text(asset)
            .number(size.micros())
            .number(leverage)
            .number(max_slippage.micros())
            .text(reason)
            .optional(self.quotas.map(|quotas| quotas.intents));
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => Ok(Moved::Ok(Box::new(Intent::read(reply)?))),
            "not_found" => Ok(Moved::UnknownAgent(self.agent_id.to_owned())),
            "insufficient" => {
                Ok(Moved::Insufficient { available: money(reply)?, asked: money(reply)? })
            }
            "exists" => Ok(Moved::Exists),
            other => unknown_status(other),
        }
    }
}

/// Takes an open intent back.
#[derive(Debug)]
pub struct Cancel<'a> {
    /// Which.
    pub intent_id: &'a str,
    /// Who asks.
    pub writer: Writer<'a>,
}

/// What became of an intent that was to be cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cancelled {
    /// It is.
    Ok(Box<Intent>),
    /// There is no such intent.
    NotFound,
    /// It is somebody else's.
    Forbidden,
    /// It is not open: its status.
    Status(String),
}

impl Call for Cancel<'_> {
    type Reply = Cancelled;

    fn script(&self) -> &'static Script {
        &INTENT_CANCEL
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.intent_id).text(self.writer.as_argument());
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => Ok(Cancelled::Ok(Box::new(Intent::read(reply)?))),
            "not_found" => Ok(Cancelled::NotFound),
            "forbidden" => Ok(Cancelled::Forbidden),
            "state" => Ok(Cancelled::Status(reply.text()?)),
            other => unknown_status(other),
        }
    }
}

/// Reads an intent.
#[derive(Debug)]
pub struct Get<'a> {
    /// Which.
    pub intent_id: &'a str,
    /// Who asks.
    pub writer: Writer<'a>,
}

impl Call for Get<'_> {
    type Reply = Seen<Box<Intent>>;

    fn script(&self) -> &'static Script {
        &INTENT_GET
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.intent_id).text(self.writer.as_argument());
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        Seen::read(status, reply, |reply| Ok(Box::new(Intent::read(reply)?)))
    }
}

/// Lists intents. Empty filters do not filter.
#[derive(Debug)]
pub struct List<'a> {
    /// Whose they are.
    pub agent_id: &'a str,
    /// On what.
    pub asset: &'a str,
    /// A status.
    pub status: &'a str,
    /// Most intents.
    pub limit: i64,
    /// [`Page::next`] of the page before.
    pub below: Option<i64>,
}

impl Call for List<'_> {
    type Reply = Page<Intent>;

    fn script(&self) -> &'static Script {
        &INTENT_LIST
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.agent_id)
            .text(self.asset)
            .text(self.status)
            .number(self.limit)
            .optional(self.below)
            .number(LIST_SCAN_MAX);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => Ok(Page { next: read_next(reply)?, items: read_items(reply, Intent::read)? }),
            other => unknown_status(other),
        }
    }
}

/// Matches two opposite intents at a price.
#[derive(Debug)]
pub struct Match<'a> {
    /// The first intent.
    pub intent_a: &'a str,
    /// The other.
    pub intent_b: &'a str,
    /// At what price.
    pub price: Money,
    /// Id for the match.
    pub match_id: &'a str,
    /// Ids for the positions.
    pub position_ids: [&'a str; 2],
}

/// A match as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "IntentMatch"))]
pub struct Made {
    /// Its id.
    pub match_id: String,
    /// The first intent.
    pub intent_a: String,
    /// The other.
    pub intent_b: String,
    /// Whose the first is.
    pub agent_a: String,
    /// Whose the other is.
    pub agent_b: String,
    /// On what.
    pub asset: String,
    /// How much was matched.
    pub size: Money,
    /// At what price.
    pub price: Money,
    /// When.
    pub created_at: UnixMillis,
}

/// What became of two intents that were to be matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matched {
    /// They are.
    Ok {
        /// The match.
        made: Made,
        /// The positions, in the order of the intents.
        positions: Vec<Position>,
    },
    /// There is no such intent.
    NotFound(String),
    /// This intent is not open.
    Status {
        /// Which.
        intent_id: String,
        /// What it is.
        status: String,
    },
    /// Both are the same agent's.
    SameAgent,
    /// They are on different things.
    OtherAsset,
    /// Both go in the same direction.
    SameSide,
    /// An id that was to be used is in use.
    Exists,
}

impl Call for Match<'_> {
    type Reply = Matched;

    fn script(&self) -> &'static Script {
        &INTENT_MATCH
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        let [position_a, position_b] = self.position_ids;
        arguments
            .text(self.intent_a)
            .text(self.intent_b)
            .number(self.price.micros())
            .text(self.match_id)
            .text(position_a)
            .text(position_b);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => {
                let made = Made {
                    match_id: self.match_id.to_owned(),
                    intent_a: self.intent_a.to_owned(),
                    intent_b: self.intent_b.to_owned(),
                    agent_a: reply.text()?,
                    agent_b: reply.text()?,
                    asset: reply.text()?,
                    size: money(reply)?,
                    price: self.price,
                    created_at: UnixMillis(reply.int()?),
                };
                Ok(Matched::Ok { made, positions: read_items(reply, Position::read)? })
            }
            "not_found" => Ok(Matched::NotFound(reply.text()?)),
            "state" => Ok(Matched::Status { intent_id: reply.text()?, status: reply.text()? }),
            "agent" => Ok(Matched::SameAgent),
            "asset" => Ok(Matched::OtherAsset),
            "side" => Ok(Matched::SameSide),
            "exists" => Ok(Matched::Exists),
            other => unknown_status(other),
        }
    }
}
