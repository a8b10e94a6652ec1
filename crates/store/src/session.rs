//! Calls on sessions: `lua/session/` for one, `lua/sessions/` for the lists by which they are found.

use reef_api::time::UnixMillis;
use reef_api::{MessageId, Open as OpenWord, SessionId};
use reef_domain::task::Audience;
use serde_json::Value;

use crate::message::Owned;
use crate::node::Writer;
use crate::script::{FromReply, Malformed, Reader, outcomes, rows};

include!(concat!(env!("OUT_DIR"), "/calls_session.rs"));
include!(concat!(env!("OUT_DIR"), "/calls_sessions.rs"));

/// A session as it is shown.
pub type Session = reef_api::session::Session<Option<Audience>>;

/// Of an audience only the agents are kept, among whom the owner is known again.
impl FromReply for Owned<Session> {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let (session_id, owner) = (FromReply::read(reply)?, reply.text()?);
        let value = Session {
            session_id,
            user_id: reply.filled()?,
            status: FromReply::read(reply)?,
            metadata: FromReply::read(reply)?,
            created_at: FromReply::read(reply)?,
            updated_at: FromReply::read(reply)?,
            audience: read_audience(&reply.text()?, &owner)?,
            if_busy: reply.filled()?.map(OpenWord::read),
        };
        Ok(Self { owner, value })
    }
}

/// How an audience is kept: the word, or the agents.
#[must_use]
pub fn kept_audience(audience: &Audience, owner: &str) -> String {
    match audience.agents(owner) {
        None => "any".to_owned(),
        Some(agents) => Value::from(agents).to_string(),
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

outcomes! {
    /// What there is of a thing that may be too large.
    Fitting: "It is there, and has no more bytes than were asked for."
    "It has more." Large = "large",
    "There is none." NotFound = "not_found",
}

impl<T> Fitting<T> {
    /// What was read; `None` if there is none, or too much.
    #[must_use]
    pub fn found(self) -> Option<T> {
        match self {
            Self::Ok(value) => Some(value),
            Self::Large | Self::NotFound => None,
        }
    }
}

outcomes! {
    /// What became of a write to a session.
    Written: "Done."
    "There is no such session." NotFound = "not_found",
    "The session belongs to somebody else." Forbidden = "forbidden",
    "The session is closed." Closed = "closed",
}

/// An id, and the number by which a list goes on behind it.
pub type Numbered<Id> = (Id, i64);

/// Some messages of a session.
#[derive(Debug)]
pub struct MessageIds {
    /// Where the next page begins, while there is more.
    pub next: Option<i64>,
    /// In order, each with its place.
    pub ids: Vec<Numbered<MessageId>>,
}

rows! { MessageIds { next, ids } }
