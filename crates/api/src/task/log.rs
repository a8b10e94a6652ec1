//! The log of a task.

use serde::{Deserialize, Serialize};

use super::TaskStatus;
use crate::id::Token;
use crate::lax;
use crate::time::UnixMillis;
use crate::word::{Open, words};

words! {
    /// How much a line matters.
    LogLevel {
        Debug = "debug",
        Info = "info",
        Warn = "warn",
        Error = "error",
    }
    /// Where a command has written a line.
    LogStream {
        Stdout = "stdout",
        Stderr = "stderr",
    }
}

/// `POST /tasks/{id}/log`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskLogBody {
    /// As it came with the claim.
    pub token: Option<Token>,
    /// At most 100, in order.
    pub lines: Option<Vec<TaskLogLineBody>>,
    /// The number of the first line, counted from 0 since the claim: lines that were taken already are not
    /// taken again, so that a request may be repeated. Numbers may be left out.
    #[serde(deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
}

/// A line that is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskLogLineBody {
    /// When it was said, by the writer's clock: in UTC, such as 2026-02-04T04:58:14.123Z. Left out, when the
    /// hub takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// How much it matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Open<LogLevel>>,
    /// Where a command has written it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<Open<LogStream>>,
    /// At most 4096 characters. Control characters but the tab and ESC become pictures of them.
    pub text: Option<String>,
}

/// What became of lines.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskLogWritten {
    pub success: bool,
    /// The id of the log's last line.
    pub cursor: String,
    /// How many older lines gave way to these.
    pub dropped: i64,
}

/// `GET /tasks/{id}/log`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskLog {
    pub success: bool,
    /// Oldest first.
    pub lines: Vec<TaskLogLine>,
    /// `after` of the next page, or of the next look.
    pub cursor: String,
    /// There are more lines behind these.
    pub has_more: bool,
    /// Lines behind `after` that have given way to later ones.
    pub gap: Option<TaskLogGap>,
    /// The task's status, of before the lines were read: once it is an end and `has_more` is false, this was
    /// all.
    pub status: Open<TaskStatus>,
}

/// A line of a task's log. The text is whatever the task has said: a terminal must be kept from obeying it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskLogLine {
    /// Its place: later lines have larger ones.
    pub id: String,
    /// Which try of the task has said it, from 1 on.
    pub attempt: i64,
    /// When it was said, as its writer says, or when the hub took it.
    pub at: UnixMillis,
    /// How much it matters, if that was said.
    pub level: Option<Open<LogLevel>>,
    /// Where a command has written it, if that was said.
    pub stream: Option<Open<LogStream>>,
    pub text: String,
}

/// Lines that are not kept any more: those behind `from`, `to` the last of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskLogGap {
    pub from: String,
    pub to: String,
}
