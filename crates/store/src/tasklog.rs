//! Calls on a task's log: `lua/tasklog/`, and what the queue says of it.

use reef_api::Open;
use reef_api::task::TaskStatus;
pub use reef_api::task::{LogLevel, LogStream, TaskLogLine};
use reef_api::{TaskId, Word as _};
use reef_domain::limits::LOG_LINE_BYTES;
pub use reef_domain::task_log::Line as LogLine;

use crate::port::Redis;
use crate::script::{Argument, Arguments, Store, StoreError, rows};

include!(concat!(env!("OUT_DIR"), "/calls_tasklog.rs"));

/// A claim that may write to a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRight {
    /// Which task of this id it is.
    pub version: String,
    /// The claim's number.
    pub claim: i64,
    /// Which try it is, from 1 on.
    pub attempt: i64,
}

/// What the queue knows of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOf {
    /// Who submitted the task.
    pub owner: String,
    /// Who owns the node that it is assigned to.
    pub runner: String,
    /// Which task of this id it is.
    pub version: String,
    /// The task's status.
    pub status: Open<TaskStatus>,
    /// Something was written to it.
    pub has_log: bool,
}

impl LogOf {
    /// Whether nothing comes any more, unless the task is tried again.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.status.known().is_some_and(TaskStatus::is_end)
    }
}

/// Some lines.
#[derive(Debug)]
pub struct LogPage {
    /// The last line that gave way to later ones.
    pub trimmed: Option<String>,
    /// The last line that there is; `0-0`: there is none.
    pub last: String,
    /// There are more behind these.
    pub more: bool,
    /// In order.
    pub lines: Vec<TaskLogLine>,
}

impl Default for LogPage {
    fn default() -> Self {
        Self { trimmed: None, last: "0-0".to_owned(), more: false, lines: Vec::new() }
    }
}

rows! {
    LogRight { version, claim, attempt }
    LogOf { owner, runner, version, status, has_log }
    LogPage { trimmed, last, more, lines }
    TaskLogLine { id, attempt, at, level, stream, text }
}

impl Argument for &[LogLine] {
    fn append(&self, arguments: &mut Arguments) {
        for LogLine { at, level, stream, text } in *self {
            arguments.optional(at.map(|at| at.0));
            arguments.text(level.map(LogLevel::as_str).unwrap_or_default());
            arguments.text(stream.map(LogStream::as_str).unwrap_or_default());
            arguments.text(text);
        }
    }
}

/// How many bytes of a log lines take.
#[must_use]
pub fn bytes_of(lines: &[LogLine]) -> i64 {
    let bytes_of = |line: &LogLine| i64::try_from(line.text.len()).unwrap_or(i64::MAX);
    lines.iter().map(|line| bytes_of(line).saturating_add(LOG_LINE_BYTES)).sum()
}

/// Removes the log of a task that is gone.
///
/// # Errors
/// [`StoreError`]; the monitor does it again.
pub async fn remove<R: Redis>(
    store: &Store<R>,
    task_id: &TaskId,
    version: &str,
) -> Result<(), StoreError> {
    store.call(&Remove { task_id, version }).await
}
