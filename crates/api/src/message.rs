//! Messages of a session: sending, reading, writing.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::id::{ContentId, MessageId, SessionId, TaskId};
use crate::lax;
use crate::time::UnixMillis;
use crate::word::{Open, words};

words! {
    /// Who speaks.
    Role {
        User = "user",
        Assistant = "assistant",
        System = "system",
        Agent = "agent",
        Tool = "tool",
    }
    /// How a task that a message shows goes.
    MessageTaskStatus {
        Processing = "processing",
        Completed = "completed",
        Failed = "failed",
    }
}

/// A message as it is shown: fields and order of `contract.md` §4.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Message {
    /// Its id.
    pub message_id: MessageId,
    /// The session that it belongs to.
    pub session_id: SessionId,
    /// Who speaks.
    pub role: Open<Role>,
    /// The text so far.
    pub text: String,
    /// In order.
    pub content_blocks: Vec<Box<RawValue>>,
    /// Running tasks by id.
    pub pending_tasks: Box<RawValue>,
    /// Nothing is written to it any more.
    pub is_complete: bool,
    /// What it answers.
    pub parent_message_id: Option<MessageId>,
    /// A JSON object.
    pub metadata: Box<RawValue>,
    /// Events so far.
    pub sequence: i64,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it last changed.
    pub updated_at: UnixMillis,
}

/// What an event of a message tells, as those read it who do not know its type: each tells some of
/// these.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct MessageEventPayload {
    pub delta: String,
    pub task_type: String,
    pub progress: f64,
    pub error: Option<String>,
    #[serde(flatten)]
    pub block: ContentBlock,
}

/// A content block, as those read it who do not know its type.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ContentBlock {
    pub content_id: ContentId,
    pub content_type: String,
    /// What it is to be is still being made, by `task_id`.
    pub is_placeholder: bool,
    pub task_id: Option<String>,
    /// What it has besides, such as the object under its type's name.
    #[serde(flatten)]
    pub members: Map<String, Value>,
}

/// What somebody says in a session.
// `J` is what keeps free JSON.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "J: Deserialize<'de>"))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "MessageBody"))]
pub struct MessageBody<J = Box<RawValue>> {
    /// What the user says.
    pub content: Option<String>,
    /// What kind of content it is.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// An object that is kept as it is.
    pub metadata: Option<J>,
    /// Who speaks.
    pub role: Option<Open<Role>>,
    /// An id for the message; left out, the hub makes one.
    pub message_id: Option<MessageId>,
}

/// A message, and the open one that answers it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct MessageAnswer {
    pub user_message_id: MessageId,
    pub assistant_message_id: MessageId,
    pub session_id: SessionId,
}

/// A message that is made if it is not there.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "J: Deserialize<'de>"))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "MessageOpenBody"))]
pub struct MessageOpenBody<J = Box<RawValue>> {
    /// Who speaks.
    pub role: Option<Open<Role>>,
    /// What it answers.
    pub parent_message_id: Option<MessageId>,
    /// An object that is kept as it is.
    pub metadata: Option<J>,
}

/// Messages of a session, oldest first.
// `M` is a `Message`, or whatever is written like one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "MessageList"))]
pub struct MessageList<M = Message> {
    pub session_id: SessionId,
    pub messages: Vec<M>,
    pub count: usize,
}

/// What happened to a message, in order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct MessageEventList {
    pub events: Vec<Box<RawValue>>,
    /// The sequence number that continues behind the last event.
    pub next: i64,
    pub gap: Option<MessageEventGap>,
}

/// Events that the log no longer holds; where `to` lies before `from`, the log does not reach as far
/// as the number that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct MessageEventGap {
    pub from: i64,
    pub to: i64,
}

/// How many messages were removed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct MessageCleanupAnswer {
    pub deleted: usize,
}

/// Text for a message.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AppendBody {
    /// The text to append.
    pub delta: Option<String>,
    /// Numbers that make a repeat harmless.
    pub producer: Option<ProducerBody>,
}

/// Who appends, and the number of what is appended.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ProducerBody {
    /// Who appends.
    pub id: Option<String>,
    /// Grows whenever the producer begins anew.
    #[serde(default, deserialize_with = "lax::int")]
    pub epoch: Option<i64>,
    /// 0, 1, 2, … in each epoch.
    #[serde(default, deserialize_with = "lax::int")]
    pub seq: Option<i64>,
}

impl AppendBody {
    /// A text with its number in an epoch of a producer.
    #[must_use]
    pub fn numbered(delta: &str, producer: &str, epoch: i64, seq: i64) -> Self {
        let (epoch, seq) = (Some(epoch), Some(seq));
        let producer = ProducerBody { id: Some(producer.to_owned()), epoch, seq };
        Self { delta: Some(delta.to_owned()), producer: Some(producer) }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AppendAnswer {
    pub sequence: i64,
    pub length: i64,
}

/// A content block that was added.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AddBlockAnswer {
    pub content_id: ContentId,
    pub sequence: i64,
}

/// A task that a message shows from now on.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct MessageTaskStarted {
    pub task_id: TaskId,
    pub content_id: ContentId,
    pub status: Open<MessageTaskStatus>,
    pub sequence: i64,
}

/// How a task that a message shows goes.
// `C` is what keeps a content block.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "C: Deserialize<'de>"))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "MessageTaskBody"))]
pub struct MessageTaskBody<C = Map<String, Value>> {
    /// How it goes.
    pub status: Option<Open<MessageTaskStatus>>,
    /// How much is done, 0–1.
    #[serde(default, deserialize_with = "lax::float")]
    pub progress: Option<f64>,
    /// The result, a content block, for `completed`.
    pub content: Option<C>,
    /// What went wrong, for `failed`.
    pub error: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct MessageTaskAnswer {
    pub task_id: TaskId,
    pub status: Open<MessageTaskStatus>,
    pub progress: f64,
    pub sequence: i64,
}

/// The end of a message.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct MessageCompleteBody {
    /// What went wrong, if the message ends badly.
    pub error: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct MessageCompleteAnswer {
    pub message_id: MessageId,
    pub is_complete: bool,
    pub sequence: i64,
}
