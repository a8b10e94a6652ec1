//! Calls on sessions: `lua/session/` for one, `lua/sessions/` for the lists by which they are found.

mod lists;

use reef_domain::json::Json;
use reef_domain::limits::SESSION_TTL_MS;
use reef_domain::task::Audience;
use reef_domain::time::UnixMillis;
use serde::Serialize;
use serde_json::value::RawValue;

pub use self::lists::*;
use crate::message::Owned;
use crate::node::{Writer, read_json};
use crate::script::{
    Arguments, Call, Malformed, Partition, Reader, SESSION_ADMIT, SESSION_CLOSE, SESSION_FORGET,
    SESSION_GET, SESSION_MESSAGES, SESSION_OLD_MESSAGES, SESSION_OPEN, Script, unknown_status,
};

/// A session as it is shown: fields and order of `contract.md` §5.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Session {
    /// Its id.
    pub session_id: String,
    /// Whose it is.
    pub user_id: Option<String>,
    /// `active closed`.
    pub status: String,
    /// A JSON object.
    pub metadata: Box<RawValue>,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it last changed.
    pub updated_at: UnixMillis,
    /// Whose nodes may run its tasks: `any`, `owner`, or agents; `None`: as the hub says.
    #[cfg_attr(feature = "openapi", schemars(with = "serde_json::Value"))]
    pub audience: Option<Audience>,
}

/// Makes a session, or finds the one that is there.
#[derive(Debug)]
pub struct Open<'a> {
    /// Which.
    pub session_id: &'a str,
    /// Whose.
    pub user_id: Option<&'a str>,
    /// A JSON object.
    pub metadata: &'a Json,
    /// Who owns a new one.
    pub owner: &'a str,
    /// Who asks.
    pub writer: Writer<'a>,
    /// Whose nodes may run its tasks; `None`: as the hub says.
    pub audience: Option<&'a Audience>,
}

/// How an audience is kept: the word, or the agents.
fn kept_audience(audience: &Audience, owner: &str) -> String {
    match audience.agents(owner) {
        None => "any".to_owned(),
        // Writing texts into memory cannot fail.
        Some(agents) => serde_json::to_string(&agents).unwrap_or_default(),
    }
}

fn read_audience(text: &str, owner: &str) -> Result<Option<Audience>, Malformed> {
    match text {
        "" => Ok(None),
        "any" => Ok(Some(Audience::Any)),
        json => serde_json::from_str(json)
            .map(|agents| Some(Audience::of_agents(agents, owner)))
            .map_err(|error| Malformed(format!("audience: {error}"))),
    }
}

/// A session that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// It was not before.
    pub is_new: bool,
    /// `active closed`.
    pub status: String,
    /// When it was made.
    pub created_at: UnixMillis,
}

impl Call for Open<'_> {
    /// `None`: the session is there and belongs to somebody else.
    type Reply = Option<Opened>;

    fn script(&self) -> &'static Script {
        &SESSION_OPEN
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Session(self.session_id)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .optional(self.user_id)
            .text(self.metadata.get())
            .text(self.owner)
            .number(SESSION_TTL_MS)
            .text(self.writer.as_argument())
            .optional(self.audience.map(|audience| kept_audience(audience, self.owner)));
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => Ok(Some(Opened {
                is_new: reply.flag()?,
                status: reply.text()?,
                created_at: UnixMillis(reply.int()?),
            })),
            "forbidden" => Ok(None),
            other => unknown_status(other),
        }
    }
}

/// Reads a session.
#[derive(Debug)]
pub struct Get<'a> {
    /// Which.
    pub session_id: &'a str,
}

/// What there is of a thing that may be too large.
#[derive(Debug)]
pub enum Fitting<T> {
    /// It is there, and has no more bytes than were asked for.
    Ok(T),
    /// It has more.
    Large,
    /// There is none.
    NotFound,
}

/// Reads a session, unless it is large.
#[derive(Debug)]
pub struct GetSmall<'a> {
    /// Which.
    pub session_id: &'a str,
    /// Most bytes.
    pub bytes_max: usize,
}

impl Call for GetSmall<'_> {
    type Reply = Fitting<Owned<Session>>;

    fn script(&self) -> &'static Script {
        &SESSION_GET
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Session(self.session_id)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.number(self.bytes_max);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        if status == "large" {
            return Ok(Fitting::Large);
        }
        let found = Get { session_id: self.session_id }.read(status, reply)?;
        Ok(found.map_or(Fitting::NotFound, Fitting::Ok))
    }
}

impl Call for Get<'_> {
    type Reply = Option<Owned<Session>>;

    fn script(&self) -> &'static Script {
        &SESSION_GET
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Session(self.session_id)
    }

    fn arguments(&self, _: &mut Arguments) {}

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => {
                let owner = reply.text()?;
                let session = Session {
                    session_id: self.session_id.to_owned(),
                    user_id: Some(reply.text()?).filter(|user| !user.is_empty()),
                    status: reply.text()?,
                    metadata: read_json(reply)?,
                    created_at: UnixMillis(reply.int()?),
                    updated_at: UnixMillis(reply.int()?),
                    audience: read_audience(&reply.text()?, &owner)?,
                };
                Ok(Some(Owned { owner, value: session }))
            }
            "not_found" => Ok(None),
            other => unknown_status(other),
        }
    }
}

/// What became of a write to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written<T> {
    /// Done.
    Ok(T),
    /// There is no such session.
    NotFound,
    /// The session belongs to somebody else.
    Forbidden,
    /// The session is closed.
    Closed,
}

impl<T> Written<T> {
    fn read(
        status: &str,
        reply: &mut Reader,
        ok: impl FnOnce(&mut Reader) -> Result<T, Malformed>,
    ) -> Result<Self, Malformed> {
        match status {
            "ok" => ok(reply).map(Self::Ok),
            "not_found" => Ok(Self::NotFound),
            "forbidden" => Ok(Self::Forbidden),
            "closed" => Ok(Self::Closed),
            other => unknown_status(other),
        }
    }
}

/// Closes a session.
#[derive(Debug)]
pub struct Close<'a> {
    /// Which.
    pub session_id: &'a str,
    /// Who asks.
    pub writer: Writer<'a>,
}

impl Call for Close<'_> {
    type Reply = Written<()>;

    fn script(&self) -> &'static Script {
        &SESSION_CLOSE
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Session(self.session_id)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.writer.as_argument());
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        Written::read(status, reply, |_| Ok(()))
    }
}

/// Lists messages that are about to be made in a session.
#[derive(Debug)]
pub struct Admit<'a> {
    /// Which session.
    pub session_id: &'a str,
    /// Who asks.
    pub writer: Writer<'a>,
    /// In order.
    pub message_ids: &'a [&'a str],
    /// How long the list is kept, in milliseconds.
    pub ttl_ms: i64,
}

impl Call for Admit<'_> {
    /// The owner of the session, who owns its messages, whoever writes them.
    type Reply = Written<String>;

    fn script(&self) -> &'static Script {
        &SESSION_ADMIT
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Session(self.session_id)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.writer.as_argument()).number(self.ttl_ms).number(SESSION_TTL_MS);
        for message_id in self.message_ids {
            arguments.text(*message_id);
        }
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        Written::read(status, reply, Reader::text)
    }
}

/// Lists a session's messages, oldest first.
#[derive(Debug)]
pub struct ListMessages<'a> {
    /// Which session.
    pub session_id: &'a str,
    /// How many to pass over.
    pub offset: i64,
    /// [`MessageIds::next`] of the page before.
    pub after: Option<i64>,
    /// Most messages.
    pub limit: i64,
}

/// Some messages of a session.
#[derive(Debug)]
pub struct MessageIds {
    /// In order, each with its place.
    pub ids: Vec<(String, i64)>,
    /// Where the next page begins, while there is more.
    pub next: Option<i64>,
}

impl Call for ListMessages<'_> {
    type Reply = Option<Owned<MessageIds>>;

    fn script(&self) -> &'static Script {
        &SESSION_MESSAGES
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Session(self.session_id)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.number(self.offset).optional(self.after).number(self.limit);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => {
                let owner = reply.text()?;
                let next = reply.text()?.parse().ok();
                let mut ids = Vec::with_capacity(reply.left() / 2);
                while !reply.is_at_end() {
                    ids.push((reply.text()?, reply.int()?));
                }
                Ok(Some(Owned { owner, value: MessageIds { ids, next } }))
            }
            "not_found" => Ok(None),
            other => unknown_status(other),
        }
    }
}

fn read_all(reply: &mut Reader) -> Result<Vec<String>, Malformed> {
    let mut all = Vec::with_capacity(reply.left());
    while !reply.is_at_end() {
        all.push(reply.text()?);
    }
    Ok(all)
}

/// Names messages of a session that are older than an age.
#[derive(Debug)]
pub struct OldMessages<'a> {
    /// Which session.
    pub session_id: &'a str,
    /// Who asks.
    pub writer: Writer<'a>,
    /// How old, in milliseconds.
    pub age_ms: i64,
    /// Most messages.
    pub limit: i64,
}

impl Call for OldMessages<'_> {
    type Reply = Written<Vec<String>>;

    fn script(&self) -> &'static Script {
        &SESSION_OLD_MESSAGES
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Session(self.session_id)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.writer.as_argument()).number(self.age_ms).number(self.limit);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        Written::read(status, reply, read_all)
    }
}

/// Takes messages off a session's list.
#[derive(Debug)]
pub struct Forget<'a> {
    /// Which session.
    pub session_id: &'a str,
    /// Which messages: at least one.
    pub message_ids: &'a [String],
}

impl Call for Forget<'_> {
    /// How many were listed.
    type Reply = i64;

    fn script(&self) -> &'static Script {
        &SESSION_FORGET
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Session(self.session_id)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        for message_id in self.message_ids {
            arguments.text(message_id);
        }
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<i64, Malformed> {
        match status {
            "ok" => reply.int(),
            other => unknown_status(other),
        }
    }
}
