//! Agents, their keys, and the invites by which they come in.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::id::{AgentId, InviteId, KeyId};
use crate::lax;
use crate::money::Money;
use crate::task::part_and_rest;
use crate::time::UnixMillis;
use crate::word::{Open, words};

words! {
    /// Whether an agent's keys are good.
    AgentStatus {
        Active = "active",
        Suspended = "suspended",
    }
    /// One thing that a key may allow, in the order in which they are shown.
    Scope {
        /// To read.
        Read = "read",
        /// To write outside the ledger.
        Write = "write",
        /// To move money.
        Trade = "trade",
        /// To decide what tasks wait for.
        Approve = "approve",
        /// To administer.
        Admin = "admin",
    }
}

/// An agent as everybody may see it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Agent {
    /// Its id.
    pub agent_id: AgentId,
    /// Where it is known outside; one agent has it.
    pub wallet_address: Option<String>,
    /// What people call it.
    pub display_name: Option<String>,
    /// A JSON object.
    pub metadata: Box<RawValue>,
    /// `active` or `suspended`.
    pub status: Open<AgentStatus>,
    /// When it was registered.
    pub created_at: UnixMillis,
}

/// An agent as a caller may see it: what it has is for itself and the admin.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ShownAgent {
    #[serde(flatten)]
    pub agent: Agent,
    #[serde(flatten)]
    pub money: Option<AgentMoney>,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AgentMoney {
    pub balance: Money,
    pub locked: Money,
    pub available: Money,
}

impl<'de> Deserialize<'de> for ShownAgent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Rest {
            balance: Option<Money>,
            locked: Option<Money>,
            available: Option<Money>,
        }
        let (agent, Rest { balance, locked, available }) = part_and_rest(deserializer)?;
        let money = balance.zip(locked).zip(available);
        let money =
            money.map(|((balance, locked), available)| AgentMoney { balance, locked, available });
        Ok(Self { agent, money })
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AgentList {
    pub agents: Vec<ShownAgent>,
}

/// A new agent.
// `J` is what keeps free JSON.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "J: Deserialize<'de>"))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "AgentBody"))]
pub struct AgentBody<J = Box<RawValue>> {
    /// Where it is known outside; one agent has it.
    pub wallet_address: Option<String>,
    /// What people call it.
    pub display_name: Option<String>,
    /// An object that is kept as it is.
    pub metadata: Option<J>,
    /// An id for it; left out, the hub makes one.
    pub agent_id: Option<AgentId>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AgentRegistered {
    pub success: bool,
    pub agent: Agent,
    /// The key, this once: it is stored nowhere. A repeat does not have it.
    pub api_key: Option<String>,
    pub api_key_info: KeyInfo,
}

/// Whether an agent is suspended.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AgentChange {
    /// `suspended` or `active`.
    pub status: Option<Open<AgentStatus>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AgentRemoved {
    pub success: bool,
    pub agent_id: AgentId,
}

/// A key as its agent may see it: all but the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct KeyInfo {
    pub key_id: KeyId,
    /// What it is for.
    pub name: String,
    /// What it allows.
    pub scopes: Vec<Open<Scope>>,
    pub created_at: UnixMillis,
    /// May lag by a minute.
    pub last_used: Option<UnixMillis>,
    /// When it ends; `null`: it does not.
    pub expires_at: Option<UnixMillis>,
}

/// A new key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct KeyBody {
    /// What it is for.
    pub name: Option<String>,
    /// What it allows; left out, all that the caller's own key does.
    pub scopes: Option<Vec<String>>,
    /// After how many days it ends; left out, when the caller's own key does.
    #[serde(default, deserialize_with = "lax::int")]
    pub expires_in_days: Option<i64>,
    /// Whose it is; left out, the caller's. `@admin`: an admin key.
    pub agent_id: Option<AgentId>,
    /// The name of the client certificates that act by it; there is no text of the key then.
    pub certificate: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct KeyAnswer {
    pub success: bool,
    /// The key, this once: it is stored nowhere. A repeat does not have it, nor has one that
    /// certificates act by.
    pub api_key: Option<String>,
    pub key_info: KeyInfo,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct KeyList {
    pub keys: Vec<KeyInfo>,
}

/// Whose a key is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct CallerAnswer {
    /// The agent; `null` for the admin.
    pub agent: Option<Agent>,
    pub auth: CallerAuth,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct CallerAuth {
    pub agent_id: AgentId,
    pub key_id: Option<KeyId>,
    pub scopes: Vec<Open<Scope>>,
}

/// An invite as who administers may see it: all but its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct InviteInfo {
    pub invite_id: InviteId,
    /// How many agents it lets in.
    pub uses: i64,
    /// How many it has let in.
    pub used: i64,
    /// What their first keys allow.
    pub scopes: Vec<Open<Scope>>,
    /// The agent that made it, or `@admin`.
    pub created_by: String,
    pub created_at: UnixMillis,
    pub expires_at: UnixMillis,
}

/// A new invite.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct InviteBody {
    /// How many agents it lets in.
    #[serde(default, deserialize_with = "lax::int")]
    pub uses: Option<i64>,
    /// For how many seconds it is good.
    #[serde(default, deserialize_with = "lax::int")]
    pub expires_in: Option<i64>,
    /// What the agents' first keys allow; left out, `read write trade`.
    pub scopes: Option<Vec<String>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct InviteAnswer {
    pub success: bool,
    /// The invite, this once: it is stored nowhere. A repeat does not have it.
    pub invite: Option<String>,
    pub invite_info: InviteInfo,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct InviteList {
    pub invites: Vec<InviteInfo>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct InviteRevoked {
    pub success: bool,
    pub invite_id: InviteId,
}
