//! Calls on agents' keys: `lua/key/`.

use reef_domain::access::Scopes;
use reef_domain::limits::KEY_USE_LAG_MS;
use reef_domain::time::UnixMillis;

use crate::script::{
    Arguments, Call, KEY_CHECK, KEY_CREATE, KEY_LIST, KEY_REVOKE, KEY_ROTATE, Malformed, Partition,
    Reader, Script, unknown_status,
};

/// A key as its agent may see it: all but the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its id.
    pub key_id: String,
    /// Whose it is.
    pub agent_id: String,
    /// What it is for.
    pub name: String,
    /// What it allows.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it was last used; may lag by a minute.
    pub last_used: Option<UnixMillis>,
    /// When it ends; `None`: it does not.
    pub expires_at: Option<UnixMillis>,
}

impl Key {
    pub(crate) fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let (key_id, agent_id, name) = (reply.text()?, reply.text()?, reply.text()?);
        let scopes = Scopes::stored(&reply.text()?);
        let created_at = UnixMillis(reply.int()?);
        let mut time = || match reply.optional_text()? {
            None => Ok(None),
            Some(text) => match text.parse() {
                Ok(ms) => Ok(Some(UnixMillis(ms))),
                Err(_) => Err(Malformed(format!("{text:?} is no time"))),
            },
        };
        let (last_used, expires_at) = (time()?, time()?);
        Ok(Self { key_id, agent_id, name, scopes, created_at, last_used, expires_at })
    }
}

/// Asks whose a key is, and counts a request against its rate.
#[derive(Debug)]
pub struct Check<'a> {
    /// The id that the key carries.
    pub key_id: &'a str,
    /// SHA-256 of the key, in hex.
    pub digest: &'a str,
    /// The group of routes that is asked for.
    pub group: &'a str,
    /// Requests a second; 0 for no limit.
    pub rate: i64,
}

/// What a key is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// The key is good.
    Good {
        /// Whose it is.
        agent_id: String,
        /// What it allows.
        scopes: Scopes,
        /// Requests that may follow at once; `None` where there is no limit.
        left: Option<i64>,
    },
    /// The key is good, and has been used too often.
    Limited {
        /// Whose it is.
        agent_id: String,
        /// What it allows.
        scopes: Scopes,
        /// Milliseconds until the next request may come.
        wait_ms: i64,
    },
    /// The key would be good, but its agent is suspended.
    Suspended {
        /// Whose it is.
        agent_id: String,
    },
    /// There is no such key, or it has expired.
    Unknown,
}

impl Call for Check<'_> {
    type Reply = Checked;

    fn script(&self) -> &'static Script {
        &KEY_CHECK
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.key_id)
            .text(self.digest)
            .text(self.group)
            .number(self.rate)
            .number(KEY_USE_LAG_MS);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Checked, Malformed> {
        let mut whose = || Ok((reply.text()?, Scopes::stored(&reply.text()?)));
        match status {
            "ok" => {
                let (agent_id, scopes) = whose()?;
                let left = reply.text()?;
                let left = (!left.is_empty()).then(|| left.parse()).transpose();
                let left = left.map_err(|_| Malformed("requests left".to_owned()))?;
                Ok(Checked::Good { agent_id, scopes, left })
            }
            "limited" => {
                let (agent_id, scopes) = whose()?;
                Ok(Checked::Limited { agent_id, scopes, wait_ms: reply.int()? })
            }
            "suspended" => Ok(Checked::Suspended { agent_id: reply.text()? }),
            "unknown" => Ok(Checked::Unknown),
            other => unknown_status(other),
        }
    }
}

/// Makes a key of an agent.
#[derive(Debug)]
pub struct Create<'a> {
    /// Whose.
    pub agent_id: &'a str,
    /// Its id.
    pub key_id: &'a str,
    /// SHA-256 of the key, in hex.
    pub digest: &'a str,
    /// What it is for.
    pub name: &'a str,
    /// What it allows.
    pub scopes: Scopes,
    /// How long it is good, in milliseconds; `None`: as long as the key that asks.
    pub life_ms: Option<i64>,
    /// The key that asks, which bounds it; `None`: the admin key.
    pub maker: Option<&'a str>,
    /// Most keys of the agent.
    pub most: i64,
}

/// In what a key would exceed the one that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    /// It allows more.
    Scopes,
    /// It ends later.
    End,
}

impl Excess {
    pub(crate) fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        match reply.text()?.as_str() {
            "scopes" => Ok(Self::Scopes),
            "end" => Ok(Self::End),
            other => Err(Malformed(format!("excess {other:?}"))),
        }
    }
}

/// What became of a key that was to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// It is there.
    Ok(Key),
    /// There is no such agent, or no such key to rotate.
    NotFound,
    /// The key would exceed the one that asks.
    Beyond(Excess),
    /// The agent is suspended.
    Suspended,
    /// The key that asks is good no more.
    Unknown,
    /// The generated id is in use: try again with another.
    IdCollision,
}

impl Made {
    fn read(status: &str, reply: &mut Reader) -> Result<Self, Malformed> {
        match status {
            "ok" => Key::read(reply).map(Self::Ok),
            "not_found" => Ok(Self::NotFound),
            "beyond" => Excess::read(reply).map(Self::Beyond),
            "suspended" => Ok(Self::Suspended),
            "unknown" => Ok(Self::Unknown),
            "id_collision" => Ok(Self::IdCollision),
            other => unknown_status(other),
        }
    }
}

impl Call for Create<'_> {
    type Reply = Made;

    fn script(&self) -> &'static Script {
        &KEY_CREATE
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.agent_id)
            .text(self.key_id)
            .text(self.digest)
            .text(self.name)
            .text(self.scopes.to_string())
            .optional(self.life_ms)
            .number(self.most)
            .optional(self.maker);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Made, Malformed> {
        Made::read(status, reply)
    }
}

/// Puts a new key in the place of another.
#[derive(Debug)]
pub struct Rotate<'a> {
    /// Which.
    pub key_id: &'a str,
    /// The key that asks, which must not be exceeded; `None`: the admin key.
    pub maker: Option<&'a str>,
    /// The id of the new key.
    pub new_id: &'a str,
    /// SHA-256 of the new key, in hex.
    pub digest: &'a str,
}

impl Call for Rotate<'_> {
    type Reply = Made;

    fn script(&self) -> &'static Script {
        &KEY_ROTATE
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.key_id).optional(self.maker).text(self.new_id).text(self.digest);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Made, Malformed> {
        Made::read(status, reply)
    }
}

/// Lists an agent's keys, oldest first.
#[derive(Debug)]
pub struct List<'a> {
    /// Whose.
    pub agent_id: &'a str,
}

impl Call for List<'_> {
    /// `None`: there is no such agent.
    type Reply = Option<Vec<Key>>;

    fn script(&self) -> &'static Script {
        &KEY_LIST
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.agent_id);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => {
                let mut keys = Vec::new();
                while !reply.is_at_end() {
                    keys.push(Key::read(reply)?);
                }
                Ok(Some(keys))
            }
            "not_found" => Ok(None),
            other => unknown_status(other),
        }
    }
}

/// Revokes a key.
#[derive(Debug)]
pub struct Revoke<'a> {
    /// Which.
    pub key_id: &'a str,
    /// The key that asks, which must not be exceeded; `None`: the admin key.
    pub maker: Option<&'a str>,
}

/// What became of a key that was to be revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// It is unknown from here on.
    Ok,
    /// There is none, or it is another agent's.
    NotFound,
    /// It exceeds the key that asks.
    Beyond(Excess),
    /// The key that asks is good no more.
    Unknown,
}

impl Call for Revoke<'_> {
    type Reply = Revoked;

    fn script(&self) -> &'static Script {
        &KEY_REVOKE
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Ledger
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.key_id).optional(self.maker);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Revoked, Malformed> {
        match status {
            "ok" => Ok(Revoked::Ok),
            "not_found" => Ok(Revoked::NotFound),
            "beyond" => Excess::read(reply).map(Revoked::Beyond),
            "unknown" => Ok(Revoked::Unknown),
            other => unknown_status(other),
        }
    }
}
