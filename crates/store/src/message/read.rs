//! Calls that read a message, whole or event by event.

use std::time::Duration;

use reef_domain::message::Cursor;
use serde_json::value::RawValue;

use super::{Message, Owned};
use crate::node::read_json;
use crate::script::{
    Arguments, Call, MESSAGE_EVENTS, MESSAGE_FOLLOW, MESSAGE_GET, MESSAGE_GET_BLOCK, Malformed,
    Partition, Reader, Script, unknown_status,
};
use crate::session::Fitting;

/// Reads a message.
#[derive(Debug)]
pub struct Get<'a> {
    /// Which.
    pub message_id: &'a str,
}

impl Call for Get<'_> {
    type Reply = Option<Owned<Message>>;

    fn script(&self) -> &'static Script {
        &MESSAGE_GET
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Message(self.message_id)
    }

    fn arguments(&self, _: &mut Arguments) {}

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => {
                let owner = reply.text()?;
                Ok(Some(Owned { owner, value: Message::read(self.message_id, reply)? }))
            }
            "not_found" => Ok(None),
            other => unknown_status(other),
        }
    }
}

/// Reads a message, unless it is large.
#[derive(Debug)]
pub struct GetSmall<'a> {
    /// Which.
    pub message_id: &'a str,
    /// Most bytes.
    pub bytes_max: usize,
}

impl Call for GetSmall<'_> {
    type Reply = Fitting<Owned<Message>>;

    fn script(&self) -> &'static Script {
        &MESSAGE_GET
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Message(self.message_id)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.number(self.bytes_max);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        if status == "large" {
            return Ok(Fitting::Large);
        }
        let found = Get { message_id: self.message_id }.read(status, reply)?;
        Ok(found.map_or(Fitting::NotFound, Fitting::Ok))
    }
}

/// Reads a whole content block.
#[derive(Debug)]
pub struct GetBlock<'a> {
    /// Of which message.
    pub message_id: &'a str,
    /// Which.
    pub content_id: &'a str,
}

impl Call for GetBlock<'_> {
    type Reply = Option<Owned<Box<RawValue>>>;

    fn script(&self) -> &'static Script {
        &MESSAGE_GET_BLOCK
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Message(self.message_id)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.content_id);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => Ok(Some(Owned { owner: reply.text()?, value: read_json(reply)? })),
            "not_found" => Ok(None),
            other => unknown_status(other),
        }
    }
}

/// Replays a message's events after a sequence number.
#[derive(Debug)]
pub struct ReadEvents<'a> {
    /// Of which message.
    pub message_id: &'a str,
    /// After which.
    pub after: i64,
    /// Most events.
    pub limit: i64,
}

/// Some events of a message.
#[derive(Debug)]
pub struct Events {
    /// In order, as JSON.
    pub events: Vec<Box<RawValue>>,
    /// The message's last sequence number.
    pub last: i64,
    /// The first sequence number that the log still holds; 0 if it holds none.
    pub first_kept: i64,
}

impl Call for ReadEvents<'_> {
    type Reply = Option<Owned<Events>>;

    fn script(&self) -> &'static Script {
        &MESSAGE_EVENTS
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Message(self.message_id)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.number(self.after).number(self.limit);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => {}
            "not_found" => return Ok(None),
            other => return unknown_status(other),
        }
        let owner = reply.text()?;
        let (last, first_kept) = (reply.int()?, reply.int()?);
        let mut events = Vec::with_capacity(reply.left());
        while !reply.is_at_end() {
            events.push(read_json(reply)?);
        }
        Ok(Some(Owned { owner, value: Events { events, last, first_kept } }))
    }
}

/// Joins a message's events where a reader left off.
#[derive(Debug)]
pub struct Follow<'a> {
    /// Which message.
    pub message_id: &'a str,
    /// The session that it must belong to.
    pub session_id: &'a str,
    /// Where the reader left off.
    pub cursor: &'a Cursor,
    /// Most events.
    pub limit: i64,
}

/// An entry of a message's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEvent {
    /// Its place, `<ms>-<n>`.
    pub id: String,
    /// Its type.
    pub event_type: String,
    /// The event as JSON, on one line.
    pub data: String,
}

/// What a reader gets who joins.
#[derive(Debug)]
pub enum Followed {
    /// There is no such message in that session.
    NotFound,
    /// The message is complete and the reader has seen its end.
    Ended {
        /// Who owns the message.
        owner: String,
    },
    /// What lies behind the cursor.
    Events {
        /// Who owns the message.
        owner: String,
        /// No events will come after the last one that there is.
        is_complete: bool,
        /// How long the message is kept, if it is not written to; `None` for ever.
        expires_in: Option<Duration>,
        /// There are no more now.
        is_all: bool,
        /// In order.
        events: Vec<StreamEvent>,
    },
    /// The log does not reach back to the cursor, or never held it.
    Snapshot {
        /// Who owns the message.
        owner: String,
        /// The place for which the snapshot stands.
        id: String,
        /// The message as it was there.
        message: Box<Message>,
        /// How long it is kept, if it is not written to; `None` for ever.
        expires_in: Option<Duration>,
    },
}

impl Followed {
    /// Who owns the message; `None` if there is none.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        match self {
            Self::NotFound => None,
            Self::Ended { owner } | Self::Events { owner, .. } | Self::Snapshot { owner, .. } => {
                Some(owner)
            }
        }
    }
}

impl Call for Follow<'_> {
    type Reply = Followed;

    fn script(&self) -> &'static Script {
        &MESSAGE_FOLLOW
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Message(self.message_id)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.session_id);
        match self.cursor {
            Cursor::Begin => arguments.text("begin").text(""),
            Cursor::Sequence(sequence) => arguments.text("sequence").number(sequence),
            Cursor::Stream(id) => arguments.text("stream").text(id),
            Cursor::Unknown => arguments.text("unknown").text(""),
        };
        arguments.number(self.limit);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Followed, Malformed> {
        match status {
            "not_found" => Ok(Followed::NotFound),
            "ended" => Ok(Followed::Ended { owner: reply.text()? }),
            "snapshot" => Ok(Followed::Snapshot {
                owner: reply.text()?,
                expires_in: read_ttl(reply)?,
                id: reply.text()?,
                message: Box::new(Message::read(self.message_id, reply)?),
            }),
            "ok" => {
                let owner = reply.text()?;
                let is_complete = reply.flag()?;
                let expires_in = read_ttl(reply)?;
                let is_all = reply.flag()?;
                let mut events = Vec::with_capacity(reply.left() / 3);
                while !reply.is_at_end() {
                    events.push(StreamEvent {
                        id: reply.text()?,
                        event_type: reply.text()?,
                        data: reply.text()?,
                    });
                }
                Ok(Followed::Events { owner, is_complete, expires_in, is_all, events })
            }
            other => unknown_status(other),
        }
    }
}

/// Reads what PTTL says: milliseconds, negative for ever.
fn read_ttl(reply: &mut Reader) -> Result<Option<Duration>, Malformed> {
    Ok(u64::try_from(reply.int()?).ok().map(Duration::from_millis))
}
