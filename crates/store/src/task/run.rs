//! Claiming a task, and everything that is done under a claim's token.

use reef_api::task::TaskStatus;
use reef_api::{MessageId, Open, Token};

use super::{Task, Written};
use crate::script::{FromReply, Malformed, Reader, rows, unknown_status};

/// A task, and the token under which it is held.
#[derive(Debug)]
pub struct Claimed {
    /// Fences whoever held the task before.
    pub token: Token,
    /// The task.
    pub task: Task,
}

/// What a claim got.
#[derive(Debug)]
pub struct Claims {
    /// The tasks.
    pub tasks: Vec<Claimed>,
    /// Why there are none.
    pub reason: String,
}

/// How a task stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// It was cancelled: stop.
    pub cancelled: bool,
    /// Its status.
    pub status: Open<TaskStatus>,
    /// 0–1.
    pub progress: f64,
    /// How long it is held from now on, in milliseconds.
    pub lease_ms: i64,
    /// The message that shows it.
    pub message_id: Option<MessageId>,
}

impl Written<Standing> {
    pub(super) fn read(status: &str, reply: &mut Reader) -> Result<Self, Malformed> {
        Self::within(status, reply, Standing::read)
    }
}

impl Standing {
    pub(crate) fn read(status: &str, reply: &mut Reader) -> Result<Self, Malformed> {
        match status {
            "ok" => Ok(Self {
                cancelled: false,
                status: FromReply::read(reply)?,
                progress: reply.float()?,
                lease_ms: reply.int()?,
                message_id: FromReply::read(reply)?,
            }),
            "cancelled" => Ok(Self {
                cancelled: true,
                status: TaskStatus::Cancelled.into(),
                progress: reply.float()?,
                lease_ms: 0,
                message_id: None,
            }),
            other => unknown_status(other),
        }
    }
}

/// What becomes of a claim that a heartbeat lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimState {
    /// Its lease runs on.
    Renewed,
    /// It is somebody else's, or nobody's, by now: stop, and change nothing.
    Revoked,
    /// The task was cancelled: stop.
    Cancelled,
}

impl FromReply for ClaimState {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        match reply.text()?.as_str() {
            "renewed" => Ok(Self::Renewed),
            "revoked" => Ok(Self::Revoked),
            "cancelled" => Ok(Self::Cancelled),
            other => unknown_status(other),
        }
    }
}

rows! {
    Claimed { token, task }
    Claims { reason, tasks }
}
