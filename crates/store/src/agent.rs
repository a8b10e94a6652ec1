//! Calls on agents: `lua/agent/`.

use reef_domain::access::Scopes;
use reef_domain::json::Json;
use reef_domain::time::UnixMillis;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::account::Balance;
use crate::key::Key;
use crate::ledger::Page;
use crate::node::read_json;
use crate::script::{FromReply, Malformed, Reader};

include!(concat!(env!("OUT_DIR"), "/calls_agent.rs"));

/// An agent as everybody may see it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Agent {
    /// Its id.
    pub agent_id: String,
    /// Where it is known outside; one agent has it.
    pub wallet_address: Option<String>,
    /// What people call it.
    pub display_name: Option<String>,
    /// A JSON object.
    pub metadata: Box<RawValue>,
    /// `active` or `suspended`.
    pub status: String,
    /// When it was registered.
    pub created_at: UnixMillis,
    /// What it has: for itself and the admin alone.
    #[serde(skip)]
    pub balance: Balance,
}

impl FromReply for Agent {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            agent_id: reply.text()?,
            wallet_address: reply.filled()?,
            display_name: reply.filled()?,
            metadata: read_json(reply)?,
            status: reply.text()?,
            created_at: UnixMillis(reply.int()?),
            balance: Balance::read(reply)?,
        })
    }
}

impl Registered {
    /// Whether no agent of that name was made, and none was there.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::WalletTaken { .. } | Self::Unknown | Self::UsedUp | Self::Beyond)
    }
}
