//! Calls on one message: `lua/message/`.

mod read;
mod runner;
mod write;

use reef_domain::time::UnixMillis;
use serde::Serialize;
use serde_json::value::RawValue;

pub use self::read::*;
pub use self::runner::*;
pub use self::write::*;
use crate::node::{Writer, read_json};
use crate::script::{Malformed, Reader};

/// A message as it is shown: fields and order of `contract.md` §4.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Message {
    /// Its id.
    pub message_id: String,
    /// The session that it belongs to.
    pub session_id: String,
    /// Who speaks.
    pub role: String,
    /// The text so far.
    pub text: String,
    /// In order.
    pub content_blocks: Vec<Box<RawValue>>,
    /// Running tasks by id.
    pub pending_tasks: Box<RawValue>,
    /// Nothing is written to it any more.
    pub is_complete: bool,
    /// What it answers.
    pub parent_message_id: Option<String>,
    /// A JSON object.
    pub metadata: Box<RawValue>,
    /// Events so far.
    pub sequence: i64,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it last changed.
    pub updated_at: UnixMillis,
}

impl Message {
    fn read(message_id: &str, reply: &mut Reader) -> Result<Self, Malformed> {
        let session_id = reply.text()?;
        let (role, text) = (reply.text()?, reply.text()?);
        let is_complete = reply.flag()?;
        let parent = reply.text()?;
        let metadata = read_json(reply)?;
        let sequence = reply.int()?;
        let (created_at, updated_at) = (UnixMillis(reply.int()?), UnixMillis(reply.int()?));
        let blocks = reply.int()?;
        let content_blocks =
            (0..blocks).map(|_| read_json(reply)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            message_id: message_id.to_owned(),
            session_id,
            role,
            text,
            content_blocks,
            pending_tasks: read_tasks(reply)?,
            is_complete,
            parent_message_id: Some(parent).filter(|parent| !parent.is_empty()),
            metadata,
            sequence,
            created_at,
            updated_at,
        })
    }
}

/// Running tasks as one JSON object. What a task was started with stands beside its own members.
fn read_tasks(reply: &mut Reader) -> Result<Box<RawValue>, Malformed> {
    let mut tasks = Vec::new();
    for _ in 0..reply.int()? {
        let (id, kind) = (reply.text()?, reply.text()?);
        let (progress, parameters) = (reply.text()?, reply.text()?);
        let kind = serde_json::Value::from(kind);
        let progress: f64 =
            progress.parse().map_err(|_| Malformed(format!("progress {progress:?}")))?;
        let extra = match parameters.trim_start_matches('{').trim_end_matches('}') {
            "" => String::new(),
            _ => format!(",{}", &parameters.get(1..parameters.len() - 1).unwrap_or_default()),
        };
        tasks.push(format!(
            r#""{id}":{{"task_id":"{id}","task_type":{kind},"status":"processing","progress":{progress:?}{extra}}}"#
        ));
    }
    RawValue::from_string(format!("{{{}}}", tasks.join(",")))
        .map_err(|error| Malformed(format!("pending tasks: {error}")))
}

/// What became of a write to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written<T> {
    /// Done.
    Ok(T),
    /// There is no such message.
    NotFound,
    /// The message belongs to somebody else.
    Forbidden,
    /// Nothing is written to it any more.
    Complete,
    /// Whoever runs its task writes under the claim's token, and there was none.
    NeedsToken,
    /// The claim under which it was to be written is over: nothing was changed.
    ClaimOver,
}

/// Who writes to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Author<'a> {
    /// The caller.
    pub writer: Writer<'a>,
    /// The token of the claim under which it writes.
    pub token: Option<&'a str>,
}

impl<'a> From<Writer<'a>> for Author<'a> {
    fn from(writer: Writer<'a>) -> Self {
        Self { writer, token: None }
    }
}

impl Author<'_> {
    /// The caller, and behind a slash, which no id has, the token.
    fn argument(self) -> String {
        match self.token {
            Some(token) => format!("{}/{token}", self.writer.as_argument()),
            None => self.writer.as_argument().to_owned(),
        }
    }
}

impl<T> Written<T> {
    fn read(
        status: &str,
        reply: &mut Reader,
        other: impl FnOnce(&str, &mut Reader) -> Result<T, Malformed>,
    ) -> Result<Self, Malformed> {
        match status {
            "not_found" => Ok(Self::NotFound),
            "forbidden" => Ok(Self::Forbidden),
            "complete" => Ok(Self::Complete),
            "needs_token" => Ok(Self::NeedsToken),
            "claim_over" => Ok(Self::ClaimOver),
            status => other(status, reply).map(Self::Ok),
        }
    }
}

/// Something that is owned.
#[derive(Debug)]
pub struct Owned<T> {
    /// By whom.
    pub owner: String,
    /// The thing.
    pub value: T,
}
