//! Claiming a task, and everything that is done under a claim's token.

use reef_api::task::TaskStatus;
use reef_api::usage::{BudgetLeft, OnExceed};
use reef_api::{MessageId, Open, Token, Word as _};
use reef_domain::Money;

use serde_json::value::RawValue;

use super::{Task, Written};
use crate::script::{FromReply, Malformed, Reader, rows, unknown_status};

/// A task, and the token under which it is held.
#[derive(Debug)]
pub struct Claimed {
    /// Fences whoever held the task before.
    pub token: Token,
    /// What whoever held it last has left.
    pub checkpoint: Option<Box<RawValue>>,
    /// What has come that it waited for.
    pub resume: Option<Box<RawValue>>,
    /// How what it follows has ended.
    pub inputs: Option<Box<RawValue>>,
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

/// The reason of a claim that found limits in its way.
pub const LIMITS_FIRST: &str = "limits";

impl Claims {
    /// Whether limits are to be opened ([`OpenLimits`](crate::limit::OpenLimits)): the claim has found that the
    /// time of some has come, or parked as much as one script may.
    #[must_use]
    pub fn needs_limits(&self) -> bool {
        self.reason == LIMITS_FIRST
    }
}

/// A task of which a try has ended.
#[derive(Debug)]
pub struct Ended {
    /// It has ended for good, and others are to hear of it: [`release`](super::release).
    pub follows: bool,
    /// The task.
    pub task: Box<Task>,
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
    /// How many signals it has got and not taken.
    pub signals: i64,
    /// What is left of its budgets, where there are some and usage was reported.
    pub budget: Option<BudgetLeft>,
    /// What a budget that is used up asks for (`cancel` or `wait`), and whose it is: see [`Halt`](super::Halt).
    pub halts: Option<(OnExceed, String)>,
}

/// A task that was stopped by a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halted {
    /// Its status.
    pub status: Open<TaskStatus>,
    /// It has ended, and others are to hear of it: [`release`](super::release).
    pub follows: bool,
}

fn read_left(reply: &mut Reader) -> Result<Option<BudgetLeft>, Malformed> {
    let cost_left = reply.optional_int()?.and_then(Money::from_micros);
    let tokens_left = reply.optional_int()?;
    let exceeded = cost_left.is_some_and(|left| left <= Money::ZERO)
        || tokens_left.is_some_and(|left| left <= 0);
    let is_bound = cost_left.is_some() || tokens_left.is_some();
    Ok(is_bound.then_some(BudgetLeft { cost_left, tokens_left, exceeded }))
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
                signals: reply.int()?,
                budget: read_left(reply)?,
                halts: OnExceed::parse(&reply.text()?).zip(reply.filled()?),
            }),
            "cancelled" => Ok(Self {
                cancelled: true,
                status: TaskStatus::Cancelled.into(),
                progress: reply.float()?,
                lease_ms: 0,
                message_id: None,
                signals: 0,
                budget: None,
                halts: None,
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
    Claimed { token, checkpoint, resume, inputs, task }
    Claims { reason, tasks }
    Ended { follows, task }
    Halted { status, follows }
}
