//! Calls on agents' keys: `lua/key/`.

use reef_api::{AgentId, KeyId};
use reef_domain::access::Scopes;
use reef_domain::time::UnixMillis;

use crate::script::{FromReply, Malformed, Reader};

include!(concat!(env!("OUT_DIR"), "/calls_key.rs"));

/// A key as its agent may see it: all but the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its id.
    pub key_id: KeyId,
    /// Whose it is.
    pub agent_id: AgentId,
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

impl FromReply for Key {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let (key_id, agent_id) = (FromReply::read(reply)?, FromReply::read(reply)?);
        let name = reply.text()?;
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

/// In what a key would exceed the one that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    /// It allows more.
    Scopes,
    /// It ends later.
    End,
}

impl FromReply for Excess {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        match reply.text()?.as_str() {
            "scopes" => Ok(Self::Scopes),
            "end" => Ok(Self::End),
            other => Err(Malformed(format!("excess {other:?}"))),
        }
    }
}
