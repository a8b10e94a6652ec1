//! Calls on intents: `lua/intent/`.

pub use reef_api::ledger::Intent;
use reef_api::ledger::Side;
use reef_api::{AgentId, Word as _};
use reef_domain::Money;
use reef_domain::time::UnixMillis;

use crate::ledger::{Moved, Seen};
use crate::node::Writer;
use crate::position::Position;
use crate::script::{Argument, Arguments, FromReply, Malformed, Reader};
use crate::steps::Page;

include!(concat!(env!("OUT_DIR"), "/calls_intent.rs"));

impl FromReply for Intent {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let intent_id = FromReply::read(reply)?;
        let agent_id = FromReply::read(reply)?;
        let intent_type = FromReply::read(reply)?;
        let asset = reply.text()?;
        let (size, filled) = (Money::read(reply)?, Money::read(reply)?);
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
            margin: Money::read(reply)?,
            max_slippage: Money::read(reply)?,
            reason: reply.text()?,
            status: FromReply::read(reply)?,
            matched_with: FromReply::read(reply)?,
            created_at: UnixMillis(reply.int()?),
            updated_at: UnixMillis(reply.int()?),
        })
    }
}

impl Argument for Side {
    fn append(&self, arguments: &mut Arguments) {
        arguments.text(self.as_str());
    }
}

/// A match that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Whose the first intent is.
    pub agent_a: AgentId,
    /// Whose the other is.
    pub agent_b: AgentId,
    /// On what.
    pub asset: String,
    /// How much was matched.
    pub size: Money,
    pub created_at: UnixMillis,
    /// The positions, in the order of the intents.
    pub positions: Vec<Position>,
}

impl FromReply for Made {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            agent_a: FromReply::read(reply)?,
            agent_b: FromReply::read(reply)?,
            asset: reply.text()?,
            size: Money::read(reply)?,
            created_at: UnixMillis(reply.int()?),
            positions: Vec::read(reply)?,
        })
    }
}
