//! Calls on agents: `lua/agent/`.

use reef_domain::access::Scopes;
use reef_domain::json::Json;
use reef_domain::limits::LIST_SCAN_MAX;
use reef_domain::time::UnixMillis;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::account::Balance;
use crate::key::Key;
use crate::ledger::{Page, read_items, read_next};
use crate::node::read_json;
use crate::script::{
    AGENT_GET, AGENT_IS_NAME, AGENT_LIST, AGENT_REGISTER, AGENT_REMOVE, AGENT_SET_STATUS,
    Arguments, Call, FromReply, Malformed, Partition, Reader, Script, unknown_status,
};

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

impl Agent {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            agent_id: reply.text()?,
            wallet_address: Some(reply.text()?).filter(|text| !text.is_empty()),
            display_name: Some(reply.text()?).filter(|text| !text.is_empty()),
            metadata: read_json(reply)?,
            status: reply.text()?,
            created_at: UnixMillis(reply.int()?),
            balance: Balance::read(reply)?,
        })
    }
}

/// Makes an agent and its first key.
#[derive(Debug)]
pub struct Register<'a> {
    /// The id that the caller asks for.
    pub agent_id: Option<&'a str>,
    /// The id to use otherwise.
    pub generated_id: &'a str,
    /// Where it is known outside.
    pub wallet_address: Option<&'a str>,
    /// What people call it.
    pub display_name: Option<&'a str>,
    /// A JSON object.
    pub metadata: &'a Json,
    /// The id of the first key.
    pub key_id: &'a str,
    /// SHA-256 of the first key, in hex.
    pub digest: &'a str,
    /// The name of the first key.
    pub key_name: &'a str,
    /// How it comes in.
    pub way: Way<'a>,
}

/// By what right an agent is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way<'a> {
    /// The admin key, or a hub that lets everybody register.
    Free,
    /// A key that administers: the agent's key cannot exceed it.
    Key {
        /// That key.
        key_id: &'a str,
    },
    /// An invite, which counts a use and says what the agent's key allows.
    Invite {
        /// Its id.
        invite_id: &'a str,
        /// SHA-256 of its token, in hex.
        digest: &'a str,
    },
}

/// What became of a registration.
#[derive(Debug)]
pub enum Registered {
    /// The agent is there, with one key.
    Ok(Box<(Agent, Key)>),
    /// An agent has that wallet.
    WalletTaken {
        /// Which.
        agent_id: String,
    },
    /// An agent has that id.
    IdTaken,
    /// A generated id is in use: try again with another.
    IdCollision,
    /// The invite, or the key that asks, is good no more.
    Unknown,
    /// The invite has let in as many as it was made for.
    UsedUp,
    /// The key that asks has no scope that it could give.
    Beyond,
}

impl Call for Register<'_> {
    type Reply = Registered;

    fn script(&self) -> &'static Script {
        &AGENT_REGISTER
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .optional(self.agent_id)
            .text(self.generated_id)
            .optional(self.wallet_address)
            .optional(self.display_name)
            .text(self.metadata.get())
            .text(self.key_id)
            .text(self.digest)
            .text(Scopes::OF_FIRST_KEY.to_string())
            .text(self.key_name);
        let (key_id, invite_id, digest) = match self.way {
            Way::Free => ("", "", ""),
            Way::Key { key_id } => (key_id, "", ""),
            Way::Invite { invite_id, digest } => ("", invite_id, digest),
        };
        arguments.text(key_id).text(invite_id).text(digest);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Registered, Malformed> {
        match status {
            "ok" => Ok(Registered::Ok(Box::new((Agent::read(reply)?, Key::read(reply)?)))),
            "wallet_taken" => Ok(Registered::WalletTaken { agent_id: reply.text()? }),
            "id_taken" => Ok(Registered::IdTaken),
            "id_collision" => Ok(Registered::IdCollision),
            "unknown" => Ok(Registered::Unknown),
            "used_up" => Ok(Registered::UsedUp),
            "beyond" => Ok(Registered::Beyond),
            other => unknown_status(other),
        }
    }
}

impl Registered {
    /// Whether no agent of that name was made, and none was there.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::WalletTaken { .. } | Self::Unknown | Self::UsedUp | Self::Beyond)
    }
}

/// Asks whether an agent has a name, or had it before it was removed.
#[derive(Debug)]
pub struct IsName<'a> {
    /// The name.
    pub name: &'a str,
}

impl Call for IsName<'_> {
    type Reply = bool;

    fn script(&self) -> &'static Script {
        &AGENT_IS_NAME
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.name);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<bool, Malformed> {
        if status == "ok" { reply.flag() } else { unknown_status(status) }
    }
}

/// Reads an agent.
#[derive(Debug)]
pub struct Get<'a> {
    /// Which.
    pub agent_id: &'a str,
}

impl Call for Get<'_> {
    type Reply = Option<Agent>;

    fn script(&self) -> &'static Script {
        &AGENT_GET
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.agent_id);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => Agent::read(reply).map(Some),
            "not_found" => Ok(None),
            other => unknown_status(other),
        }
    }
}

/// Lists agents, newest registration first.
#[derive(Debug)]
pub struct List {
    /// Most agents.
    pub limit: i64,
    /// The number to go on below.
    pub below: Option<i64>,
}

impl Call for List {
    type Reply = Page<Agent>;

    fn script(&self) -> &'static Script {
        &AGENT_LIST
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.number(self.limit).optional(self.below).number(LIST_SCAN_MAX);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Page<Agent>, Malformed> {
        if status != "ok" {
            return unknown_status(status);
        }
        Ok(Page { next: read_next(reply)?, items: read_items(reply, Agent::read)? })
    }
}

/// Suspends an agent, or lets it go on: all its keys with it, in one step.
#[derive(Debug)]
pub struct SetStatus<'a> {
    /// Which.
    pub agent_id: &'a str,
    /// `active` or `suspended`.
    pub status: &'a str,
}

impl Call for SetStatus<'_> {
    /// `None`: there is no such agent.
    type Reply = Option<Agent>;

    fn script(&self) -> &'static Script {
        &AGENT_SET_STATUS
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.agent_id).text(self.status);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => Agent::read(reply).map(Some),
            "not_found" => Ok(None),
            other => unknown_status(other),
        }
    }
}

/// Removes an agent that has nothing left. Its id and wallet are nobody else's afterwards.
#[derive(Debug)]
pub struct Remove<'a> {
    /// Which.
    pub agent_id: &'a str,
}

/// What became of an agent that was to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// It is gone, and its keys are unknown.
    Ok,
    /// There is no such agent.
    NotFound,
    /// It still has these: any of `money holds intents positions`.
    Has(Vec<String>),
}

impl Call for Remove<'_> {
    type Reply = Removed;

    fn script(&self) -> &'static Script {
        &AGENT_REMOVE
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.agent_id);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Removed, Malformed> {
        match status {
            "ok" => Ok(Removed::Ok),
            "not_found" => Ok(Removed::NotFound),
            "has" => read_items(reply, Reader::text).map(Removed::Has),
            other => unknown_status(other),
        }
    }
}
