//! Calls that change a message.

use reef_domain::json::{Json, cut};
use reef_domain::limits::{
    BLOCKS_MAX, CONTENT_TTL_MS, ERROR_BYTES_MAX, PRODUCERS_MAX, TEXT_BYTES_MAX, TEXT_JSON_BYTES_MAX,
};
use reef_domain::message::Rendered;

use super::{Author, Written};
use crate::script::{
    Arguments, Call, MESSAGE_ADD_BLOCK, MESSAGE_APPEND, MESSAGE_COMPLETE, MESSAGE_OPEN,
    MESSAGE_REMOVE, MESSAGE_START_TASK, MESSAGE_UPDATE_TASK, Malformed, Partition, Reader, Script,
    unknown_status,
};

/// Makes a message, or finds the one that is there.
#[derive(Debug)]
pub struct Open<'a> {
    /// Which.
    pub message_id: &'a str,
    /// The session.
    pub session_id: &'a str,
    /// Who speaks.
    pub role: &'a str,
    /// What it answers.
    pub parent: Option<&'a str>,
    /// A JSON object.
    pub metadata: &'a Json,
    /// Who owns a new one.
    pub owner: &'a str,
    /// It is complete at once, with this text.
    pub complete_text: Option<&'a str>,
    /// How long it is kept after a write, in milliseconds.
    pub ttl_ms: i64,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// It is there.
    Ok {
        /// It was not before.
        is_new: bool,
    },
    /// The id belongs to another session.
    Elsewhere,
}

impl Call for Open<'_> {
    type Reply = Opened;

    fn script(&self) -> &'static Script {
        &MESSAGE_OPEN
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Message(self.message_id)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.session_id)
            .text(self.role)
            .optional(self.parent)
            .text(self.metadata.get())
            .text(self.owner)
            .number(u8::from(self.complete_text.is_some()))
            .optional(self.complete_text)
            .number(self.ttl_ms);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Opened, Malformed> {
        match status {
            "ok" => Ok(Opened::Ok { is_new: reply.flag()? }),
            "elsewhere" => Ok(Opened::Elsewhere),
            other => unknown_status(other),
        }
    }
}

/// Numbers what a producer appends, so that a repeat is not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Producer {
    /// Which producer.
    pub id: String,
    /// Grows with every restart of the producer; older ones are fenced.
    pub epoch: i64,
    /// 0, 1, 2 … in each epoch.
    pub seq: i64,
}

/// Appends to a message's text.
#[derive(Debug)]
pub struct Append<'a> {
    /// Which.
    pub message_id: &'a str,
    /// Who asks.
    pub author: Author<'a>,
    /// What.
    pub delta: &'a str,
    /// Who numbers it.
    pub producer: Option<&'a Producer>,
    /// How long the message is kept after a write, in milliseconds.
    pub ttl_ms: i64,
}

/// What became of an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// Done, now or before.
    Ok {
        /// The event's number.
        sequence: i64,
        /// Length of the text, in bytes.
        length: i64,
    },
    /// Something is missing in between.
    Gap {
        /// The seq to go on with.
        expected: i64,
    },
    /// A later epoch of this producer has begun.
    Fenced {
        /// That epoch.
        epoch: i64,
    },
    /// The text would be longer than it may be.
    TooLong,
    /// More producers than a message may have.
    TooManyProducers,
}

impl Call for Append<'_> {
    type Reply = Written<Appended>;

    fn script(&self) -> &'static Script {
        &MESSAGE_APPEND
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Message(self.message_id)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.author.argument())
            .text(self.delta)
            .number(self.ttl_ms)
            .optional(self.producer.map(|producer| &producer.id))
            .number(self.producer.map_or(0, |producer| producer.epoch))
            .number(self.producer.map_or(0, |producer| producer.seq))
            .number(PRODUCERS_MAX)
            .number(TEXT_BYTES_MAX)
            .number(TEXT_JSON_BYTES_MAX);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        Written::read(status, reply, |status, reply| match status {
            "ok" => Ok(Appended::Ok { sequence: reply.int()?, length: reply.int()? }),
            "gap" => Ok(Appended::Gap { expected: reply.int()? }),
            "fenced" => Ok(Appended::Fenced { epoch: reply.int()? }),
            "too_long" => Ok(Appended::TooLong),
            "too_many_producers" => Ok(Appended::TooManyProducers),
            other => unknown_status(other),
        })
    }
}

/// What became of a new block or task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It stands there.
    Ok {
        /// The last event's number.
        sequence: i64,
    },
    /// The id is in use.
    Exists,
    /// The message has as many blocks as it may have.
    TooManyBlocks,
}

impl Added {
    fn read(status: &str, reply: &mut Reader) -> Result<Self, Malformed> {
        match status {
            "ok" => Ok(Self::Ok { sequence: reply.int()? }),
            "exists" => Ok(Self::Exists),
            "too_many_blocks" => Ok(Self::TooManyBlocks),
            other => unknown_status(other),
        }
    }
}

/// Where the whole block can be read that the snapshot shows in part.
fn reference(message_id: &str, content_id: &str) -> String {
    format!(r#","ref":"/api/v1/messages/{message_id}/content/{content_id}""#)
}

/// Adds a content block.
#[derive(Debug)]
pub struct AddBlock<'a> {
    /// To which message.
    pub message_id: &'a str,
    /// Who asks.
    pub author: Author<'a>,
    /// The block's id.
    pub content_id: &'a str,
    /// The hub has made that id, so that old readers may find the block under it alone.
    pub is_made_id: bool,
    /// The block.
    pub block: &'a Rendered,
    /// How long the message is kept after a write, in milliseconds.
    pub ttl_ms: i64,
}

impl Call for AddBlock<'_> {
    type Reply = Written<Added>;

    fn script(&self) -> &'static Script {
        &MESSAGE_ADD_BLOCK
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Message(self.message_id)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        let id = self.content_id;
        let refers = match self.block.whole {
            Some(_) => reference(self.message_id, id),
            None => String::new(),
        };
        arguments
            .text(self.author.argument())
            .text(id)
            .text(format!(r#"{{"content_id":"{id}",{}{refers}}}"#, self.block.shown))
            .optional(self.block.whole.as_ref().map(|m| format!(r#"{{"content_id":"{id}",{m}}}"#)))
            .number(self.ttl_ms)
            .optional(self.is_made_id.then_some(CONTENT_TTL_MS))
            .number(BLOCKS_MAX);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        Written::read(status, reply, Added::read)
    }
}

/// Starts a task within a message.
#[derive(Debug)]
pub struct StartTask<'a> {
    /// In which message.
    pub message_id: &'a str,
    /// Who asks.
    pub author: Author<'a>,
    /// The task.
    pub task_id: &'a str,
    /// What it does.
    pub task_type: &'a str,
    /// A JSON object of what else is to be shown of it.
    pub parameters: &'a Json,
    /// The placeholder's id, which its result keeps.
    pub content_id: &'a str,
    /// The placeholder.
    pub placeholder: &'a Rendered,
    /// How long the message is kept after a write, in milliseconds.
    pub ttl_ms: i64,
}

impl Call for StartTask<'_> {
    type Reply = Written<Added>;

    fn script(&self) -> &'static Script {
        &MESSAGE_START_TASK
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Message(self.message_id)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        let id = self.content_id;
        arguments
            .text(self.author.argument())
            .text(self.task_id)
            .text(self.task_type)
            .text(self.parameters.get())
            .text(id)
            .text(format!(r#"{{"content_id":"{id}",{}}}"#, self.placeholder.shown))
            .number(self.ttl_ms)
            .number(BLOCKS_MAX);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        Written::read(status, reply, Added::read)
    }
}

/// How a task within a message goes on.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskChange {
    /// It runs.
    Processing {
        /// 0–1.
        progress: Option<f64>,
    },
    /// It has ended well.
    Completed {
        /// What takes the placeholder's place.
        result: Option<Rendered>,
    },
    /// It has ended badly.
    Failed {
        /// Why.
        error: String,
    },
}

/// Moves a task within a message on.
#[derive(Debug)]
pub struct UpdateTask<'a> {
    /// In which message.
    pub message_id: &'a str,
    /// Who asks.
    pub author: Author<'a>,
    /// The task.
    pub task_id: &'a str,
    /// How.
    pub change: &'a TaskChange,
    /// How long the message is kept after a write, in milliseconds.
    pub ttl_ms: i64,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskUpdated {
    /// Done.
    Ok {
        /// The last event's number.
        sequence: i64,
        /// `processing completed failed`.
        status: String,
        /// 0–1.
        progress: f64,
    },
    /// The message has no such task.
    Unknown,
    /// It had ended before.
    Ended {
        /// How.
        status: String,
    },
}

impl Call for UpdateTask<'_> {
    type Reply = Written<TaskUpdated>;

    fn script(&self) -> &'static Script {
        &MESSAGE_UPDATE_TASK
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Message(self.message_id)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.author.argument()).text(self.task_id);
        match self.change {
            TaskChange::Processing { progress } => {
                // `{:?}` writes 1.0 and not 1, as the events have it.
                let progress = progress.map(|p| format!("{p:?}"));
                arguments.text("processing").optional(progress).text("").text("").text("");
            }
            TaskChange::Completed { result } => {
                let result = result.as_ref();
                arguments
                    .text("completed")
                    .text("")
                    .optional(result.map(|result| &result.shown))
                    .optional(result.and_then(|result| result.whole.as_ref()))
                    .text("");
            }
            TaskChange::Failed { error } => {
                let error = serde_json::Value::from(cut(error, ERROR_BYTES_MAX));
                arguments.text("failed").text("").text("").text("").number(error);
            }
        }
        arguments.number(self.ttl_ms).number(CONTENT_TTL_MS);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        Written::read(status, reply, |status, reply| match status {
            "ok" => Ok(TaskUpdated::Ok {
                sequence: reply.int()?,
                status: reply.text()?,
                progress: reply.float()?,
            }),
            "unknown_task" => Ok(TaskUpdated::Unknown),
            "ended" => Ok(TaskUpdated::Ended { status: reply.text()? }),
            other => unknown_status(other),
        })
    }
}

/// Completes a message.
#[derive(Debug)]
pub struct Complete<'a> {
    /// Which.
    pub message_id: &'a str,
    /// Who asks.
    pub author: Author<'a>,
    /// Why it ends early.
    pub error: Option<&'a str>,
    /// How long the message is kept after a write, in milliseconds.
    pub ttl_ms: i64,
    /// The task whose message it is has ended: the claim of whoever ran it is over.
    pub ends_claim: bool,
}

impl Call for Complete<'_> {
    /// The last event's number.
    type Reply = Written<i64>;

    fn script(&self) -> &'static Script {
        &MESSAGE_COMPLETE
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Message(self.message_id)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.author.argument())
            .optional(self.error.map(|error| serde_json::Value::from(cut(error, ERROR_BYTES_MAX))))
            .number(self.ttl_ms)
            .number(u8::from(self.ends_claim));
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        Written::read(status, reply, |status, reply| match status {
            "ok" => reply.int(),
            other => unknown_status(other),
        })
    }
}

/// Removes a message with all that belongs to it.
#[derive(Debug)]
pub struct Remove<'a> {
    /// Which.
    pub message_id: &'a str,
    /// Its session.
    pub session_id: &'a str,
}

impl Call for Remove<'_> {
    /// Whether it was there.
    type Reply = bool;

    fn script(&self) -> &'static Script {
        &MESSAGE_REMOVE
    }

    fn partition(&self) -> Partition<'_> {
        Partition::Message(self.message_id)
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.session_id);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<bool, Malformed> {
        match status {
            "ok" => reply.flag(),
            other => unknown_status(other),
        }
    }
}
