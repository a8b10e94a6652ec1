//! Inboxes: sending mail, receiving and acknowledging it, accepting what it proposes.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::id::{AgentId, MailId, TaskId};
use crate::lax;
use crate::task::part_and_rest;
use crate::time::UnixMillis;
use crate::word::{Open, words};

words! {
    /// How soon mail is received.
    Priority {
        Low = "low",
        Medium = "medium",
        High = "high",
    }
}

/// Mail for an agent or a node.
// `J` is what keeps free JSON.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "J: Deserialize<'de>"))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "MailBody"))]
pub struct MailBody<J = Box<RawValue>> {
    /// Who sends it: the caller, or a node of its own.
    pub from: Option<String>,
    /// What it is about.
    pub topic: Option<String>,
    /// Any value.
    pub content: Option<J>,
    /// How soon it is received.
    pub priority: Option<Open<Priority>>,
    /// An object that is kept as it is.
    pub metadata: Option<J>,
}

/// Mail that was sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct MailAnswer {
    pub msg_id: MailId,
    /// How many messages wait now.
    pub depth: i64,
}

/// A message in an inbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Mail {
    pub msg_id: MailId,
    /// How often it was received.
    pub attempts: i64,
    /// Who sent it.
    pub from: String,
    pub topic: String,
    /// Any value.
    pub content: Box<RawValue>,
    pub priority: Open<Priority>,
    /// An object; anything in a message of an old client.
    pub metadata: Box<RawValue>,
    /// When it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Box<RawValue>>,
}

/// A message that was received: under a lease until it is acknowledged.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ReceivedMail {
    #[serde(flatten)]
    pub mail: Mail,
    /// What acknowledges it.
    pub receipt: String,
}

impl<'de> Deserialize<'de> for ReceivedMail {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Rest {
            receipt: String,
        }
        let (mail, Rest { receipt }) = part_and_rest(deserializer)?;
        Ok(Self { mail, receipt })
    }
}

/// What is in an inbox.
// `M` is `Mail`, or whatever is written like it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "MailList"))]
pub struct MailList<M = Mail> {
    pub messages: Vec<M>,
    /// How many there are in all.
    pub depth: i64,
}

/// How much there is in an inbox.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct InboxCounts {
    /// Whose inbox.
    pub agent: AgentId,
    /// Messages that may be received.
    pub waiting: i64,
    /// Messages that were received, and are not acknowledged yet.
    pub in_flight: i64,
    /// Messages that nobody acknowledged in five tries.
    pub dead: i64,
    /// When the oldest message that waits was sent; null where none does, or it does not say so.
    pub oldest_at: Option<UnixMillis>,
}

/// `GET /inboxes`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct InboxList {
    pub success: bool,
    pub inboxes: Vec<InboxCounts>,
    /// The `cursor` of the next page; null where this is the last.
    pub next_cursor: Option<String>,
    pub has_more: bool,
}

/// How much mail to take, and for how long.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ReceiveBody {
    /// Most messages.
    #[serde(default, deserialize_with = "lax::int")]
    pub limit: Option<i64>,
    /// How long they are yours, in milliseconds.
    #[serde(default, deserialize_with = "lax::int")]
    pub lease_ms: Option<i64>,
}

/// Mail that was taken.
// `M` is `ReceivedMail`, or whatever is written like it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "ReceiveAnswer"))]
pub struct ReceiveAnswer<M = ReceivedMail> {
    pub messages: Vec<M>,
}

/// Mail that is done with.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AcknowledgeBody {
    /// As they came with the messages.
    pub receipts: Option<Vec<String>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AcknowledgeAnswer {
    pub acknowledged: i64,
    /// Not leased under this receipt, or not any more.
    pub unknown: i64,
}

/// Dead letters that are to wait again.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct MailRedriveBody {
    /// Which; left out or empty, all.
    pub msg_ids: Option<Vec<MailId>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct MailRedriveAnswer {
    pub redriven: i64,
    /// How many messages wait now.
    pub depth: i64,
}

/// Who takes a proposal on.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AcceptBody {
    /// Who will do it: the agent itself, or another name of the caller's; the former, if not given.
    pub executor: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AcceptAnswer {
    pub success: bool,
    pub msg_id: MailId,
    /// Who will do it.
    pub executor: String,
    /// The sub-tasks, in order.
    pub task_ids: Vec<TaskId>,
    /// The message that tells the proposer; none where nobody is named as such.
    pub reply_id: Option<MailId>,
}
