//! Calls on agents: `lua/agent/`.

use reef_domain::access::Scopes;
use reef_domain::json::Json;
use reef_domain::time::UnixMillis;

use crate::account::Balance;
use crate::key::Key;
use crate::node::read_json;
use crate::script::{FromReply, Malformed, Reader};
use crate::steps::Page;

include!(concat!(env!("OUT_DIR"), "/calls_agent.rs"));

/// An agent, and what it has.
#[derive(Debug, Clone)]
pub struct Agent {
    /// The agent as everybody may see it.
    pub shown: reef_api::agent::Agent,
    /// What it has: for itself and the admin alone.
    pub balance: Balance,
}

impl FromReply for Agent {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let shown = reef_api::agent::Agent {
            agent_id: FromReply::read(reply)?,
            wallet_address: reply.filled()?,
            display_name: reply.filled()?,
            metadata: read_json(reply)?,
            status: FromReply::read(reply)?,
            created_at: UnixMillis(reply.int()?),
        };
        Ok(Self { shown, balance: Balance::read(reply)? })
    }
}

impl Registered {
    /// Whether no agent of that name was made, and none was there.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::WalletTaken { .. } | Self::Unknown | Self::UsedUp | Self::Beyond)
    }
}
