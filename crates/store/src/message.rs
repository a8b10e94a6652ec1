//! Calls on one message: `lua/message/`.

use std::time::Duration;

pub use reef_api::message::Message;
use reef_api::message::MessageTaskStatus;
use reef_api::{MessageId, Word as _};
use reef_domain::json::cut;
use reef_domain::limits::ERROR_BYTES_MAX;
use reef_domain::message::{Cursor, Rendered};
use serde_json::value::RawValue;

use crate::apart::{Text, steady};
use crate::node::Writer;
use crate::port::Redis;
use crate::script::{
    Argument, Arguments, FromReply, Malformed, Reader, Store, StoreError, outcomes, rows,
};
use crate::session::Fitting;

include!(concat!(env!("OUT_DIR"), "/calls_message.rs"));

/// A message as a script shows it.
#[derive(Debug)]
pub struct Shown {
    /// All but its text.
    message: Message,
    text: Text,
}

impl Shown {
    /// The message; `None` where it is no longer what the script has seen.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read<R: Redis>(self, store: &Store<R>) -> Result<Option<Message>, StoreError> {
        let Self { message, text } = self;
        Ok(text.read(store).await?.map(|text| Message { text, ..message }))
    }
}

/// Reads a message.
///
/// # Errors
/// [`StoreError`].
pub async fn get<R: Redis>(
    store: &Store<R>,
    call: &Get<'_>,
) -> Result<Fitting<Owned<Message>>, StoreError> {
    steady(async || {
        let Owned { owner, value } = match store.call(call).await? {
            Fitting::Ok(shown) => shown,
            Fitting::Large => return Ok(Some(Fitting::Large)),
            Fitting::NotFound => return Ok(Some(Fitting::NotFound)),
        };
        let message = value.read(store).await?;
        Ok(message.map(|value| Fitting::Ok(Owned { owner, value })))
    })
    .await
}

/// Reads a whole content block.
///
/// # Errors
/// [`StoreError`].
pub async fn get_block<R: Redis>(
    store: &Store<R>,
    call: &GetBlock<'_>,
) -> Result<Option<Owned<Box<RawValue>>>, StoreError> {
    let block = steady(async || {
        let Some(Owned { owner, value }) = store.call(call).await? else { return Ok(Some(None)) };
        Ok(value.read(store).await?.map(|value| Some(Owned { owner, value })))
    });
    let Some(Owned { owner, value }) = block.await? else { return Ok(None) };
    let value = RawValue::from_string(value).map_err(|e| StoreError::Unwritable(e.to_string()))?;
    Ok(Some(Owned { owner, value }))
}

impl FromReply for Shown {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let (message_id, session_id) = (FromReply::read(reply)?, FromReply::read(reply)?);
        let (role, text) = (FromReply::read(reply)?, FromReply::read(reply)?);
        let is_complete = reply.flag()?;
        let (parent_message_id, metadata) = (FromReply::read(reply)?, FromReply::read(reply)?);
        let sequence = reply.int()?;
        let (created_at, updated_at) = FromReply::read(reply)?;
        let blocks = reply.int()?;
        let content_blocks =
            (0..blocks).map(|_| FromReply::read(reply)).collect::<Result<Vec<_>, _>>()?;
        let message = Message {
            message_id,
            session_id,
            role,
            text: String::new(),
            content_blocks,
            pending_tasks: read_tasks(reply)?,
            is_complete,
            parent_message_id,
            metadata,
            sequence,
            created_at,
            updated_at,
        };
        Ok(Self { message, text })
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

outcomes! {
    /// What became of a write to a message.
    Written: "Done."
    "There is no such message." NotFound = "not_found",
    "The message belongs to somebody else." Forbidden = "forbidden",
    "Nothing is written to it any more." Complete = "complete",
    "Whoever runs its task writes under the claim's token, and there was none." NeedsToken = "needs_token",
    "The claim under which it was to be written is over: nothing was changed." ClaimOver = "claim_over",
}

impl Written<Added> {
    fn read(status: &str, reply: &mut Reader) -> Result<Self, Malformed> {
        Self::within(status, reply, Added::read)
    }
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

/// The caller, and behind a slash, which no id has, the token.
impl Argument for Author<'_> {
    fn append(&self, arguments: &mut Arguments) {
        match self.token {
            Some(token) => arguments.text(format!("{}/{token}", self.writer.as_argument())),
            None => arguments.text(self.writer.as_argument()),
        };
    }
}

/// What went wrong, if anything did. It is cut to [`ERROR_BYTES_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason<'a>(pub Option<&'a str>);

/// As a JSON text.
impl Argument for Reason<'_> {
    fn append(&self, arguments: &mut Arguments) {
        let text = |error| serde_json::Value::from(cut(error, ERROR_BYTES_MAX));
        arguments.optional(self.0.map(text));
    }
}

/// How much of a task is done, 0–1; `None`: as much as before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress(pub Option<f64>);

impl Argument for Progress {
    fn append(&self, arguments: &mut Arguments) {
        // `{:?}` writes 1.0 and not 1, as the events have it.
        arguments.optional(self.0.map(|share| format!("{share:?}")));
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
    Failed { error: String },
}

impl TaskChange {
    /// The call that tells a message of it; how long the message is kept from then on, in
    /// milliseconds.
    #[must_use]
    pub fn call<'a>(
        &'a self,
        message_id: &'a MessageId,
        author: Author<'a>,
        task_id: &'a str,
        ttl_ms: i64,
    ) -> UpdateTask<'a> {
        use MessageTaskStatus::{Completed, Failed, Processing};
        let (status, progress, result, error) = match self {
            Self::Processing { progress } => (Processing, *progress, None, None),
            Self::Completed { result } => (Completed, None, result.as_ref(), None),
            Self::Failed { error } => (Failed, None, None, Some(error.as_str())),
        };
        UpdateTask {
            message_id,
            author,
            task_id,
            status: status.as_str(),
            progress: Progress(progress),
            shown: result.map(|result| result.shown.as_str()),
            whole: result.and_then(|result| result.whole.as_deref()),
            error: Reason(error),
            ttl_ms,
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

impl<T: FromReply> FromReply for Owned<T> {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self { owner: reply.text()?, value: T::read(reply)? })
    }
}

/// Some events of a message.
#[derive(Debug)]
pub struct Events {
    /// The message's last sequence number.
    pub last: i64,
    /// The first sequence number that the log still holds; 0 if it holds none.
    pub first_kept: i64,
    /// In order, as JSON.
    pub events: Vec<Box<RawValue>>,
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

rows! {
    Events { last, first_kept, events }
    StreamEvent { id, event_type, data }
}

/// Its kind, and behind a slash what it says.
impl Argument for &Cursor {
    fn append(&self, arguments: &mut Arguments) {
        match self {
            Cursor::Begin => arguments.text("begin"),
            Cursor::Sequence(sequence) => arguments.text(format!("sequence/{sequence}")),
            Cursor::Stream(id) => arguments.text(format!("stream/{id}")),
            Cursor::Unknown => arguments.text("unknown"),
        };
    }
}

/// What PTTL says: milliseconds, negative for ever.
impl FromReply for Option<Duration> {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(u64::try_from(reply.int()?).ok().map(Duration::from_millis))
    }
}

impl Followed {
    /// Who owns the message; `None` if there is none.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        match self {
            Self::NotFound => None,
            Self::Ended { owner } | Self::Ok { owner, .. } | Self::Snapshot { owner, .. } => {
                Some(owner)
            }
        }
    }
}
