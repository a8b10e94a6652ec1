//! Claiming a task, and everything that is done under a claim's token.

use reef_domain::json::{Json, cut};
use reef_domain::limits::{BACK_OFF_MS_MAX, BACK_OFF_MS_MIN, ERROR_BYTES_MAX};

use super::{Task, Written};
use crate::node::Writer;
use crate::script::{
    Arguments, Call, Malformed, Reader, Script, TASK_CLAIM, TASK_COMPLETE, TASK_FAIL,
    TASK_PROGRESS, unknown_status,
};

/// Asks for tasks to run.
#[derive(Debug)]
pub struct Claim<'a> {
    /// The node that will run them.
    pub node_id: &'a str,
    /// Who asks.
    pub writer: Writer<'a>,
    /// Most tasks.
    pub limit: i64,
    /// How long each is held without a sign of life, in milliseconds.
    pub lease_ms: i64,
    /// Goes into the tokens, so that they cannot be guessed.
    pub random: &'a str,
}

/// A task, and the token under which it is held.
#[derive(Debug)]
pub struct Claimed {
    /// Fences whoever held the task before.
    pub token: String,
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

impl Call for Claim<'_> {
    type Reply = Written<Claims>;

    fn script(&self) -> &'static Script {
        &TASK_CLAIM
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.node_id)
            .text(self.writer.as_argument())
            .number(self.limit)
            .number(self.lease_ms)
            .text(self.random);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        Written::read(status, reply, |reply| {
            let reason = reply.text()?;
            let mut tasks = Vec::new();
            while !reply.is_at_end() {
                let token = reply.text()?;
                tasks.push(Claimed { token, task: Task::read(reply)?.value });
            }
            Ok(Claims { tasks, reason })
        })
    }
}

/// Notes that a task is alive.
#[derive(Debug)]
pub struct Progress<'a> {
    /// Which.
    pub task_id: &'a str,
    /// Who says so.
    pub writer: Writer<'a>,
    /// The claim's token.
    pub token: &'a str,
    /// 0–1.
    pub progress: Option<f64>,
    /// A new length of the lease, in milliseconds.
    pub lease_ms: Option<i64>,
}

/// How a task stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// It was cancelled: stop.
    pub cancelled: bool,
    /// Its status.
    pub status: String,
    /// 0–1.
    pub progress: f64,
    /// How long it is held from now on, in milliseconds.
    pub lease_ms: i64,
    /// The message that shows it.
    pub message_id: Option<String>,
}

impl Call for Progress<'_> {
    type Reply = Written<Standing>;

    fn script(&self) -> &'static Script {
        &TASK_PROGRESS
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.task_id)
            .text(self.writer.as_argument())
            .text(self.token)
            .optional(self.progress)
            .optional(self.lease_ms);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        if status == "cancelled" {
            return Ok(Written::Ok(Standing {
                cancelled: true,
                status: status.to_owned(),
                progress: reply.float()?,
                lease_ms: 0,
                message_id: None,
            }));
        }
        Written::read(status, reply, |reply| {
            Ok(Standing {
                cancelled: false,
                status: reply.text()?,
                progress: reply.float()?,
                lease_ms: reply.int()?,
                message_id: super::some_text(reply)?,
            })
        })
    }
}

/// Ends a task well.
#[derive(Debug)]
pub struct Complete<'a> {
    /// Which.
    pub task_id: &'a str,
    /// Who says so.
    pub writer: Writer<'a>,
    /// The claim's token.
    pub token: &'a str,
    /// Any value.
    pub result: Option<&'a Json>,
    /// A content block for the task's message.
    pub content: Option<&'a Json>,
}

impl Call for Complete<'_> {
    type Reply = Written<Box<Task>>;

    fn script(&self) -> &'static Script {
        &TASK_COMPLETE
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.task_id)
            .text(self.writer.as_argument())
            .text(self.token)
            .optional(self.result.map(Json::get))
            .optional(self.content.map(Json::get));
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        Written::read(status, reply, |reply| Ok(Box::new(Task::read(reply)?.value)))
    }
}

/// Ends a try of a task badly.
#[derive(Debug)]
pub struct Fail<'a> {
    /// Which.
    pub task_id: &'a str,
    /// Who says so.
    pub writer: Writer<'a>,
    /// The claim's token.
    pub token: &'a str,
    /// Why.
    pub error: &'a str,
    /// Another try may go better.
    pub retryable: bool,
}

impl Call for Fail<'_> {
    type Reply = Written<Box<Task>>;

    fn script(&self) -> &'static Script {
        &TASK_FAIL
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.task_id)
            .text(self.writer.as_argument())
            .text(self.token)
            .text(cut(self.error, ERROR_BYTES_MAX))
            .number(i32::from(self.retryable))
            .number(BACK_OFF_MS_MIN)
            .number(BACK_OFF_MS_MAX);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        Written::read(status, reply, |reply| Ok(Box::new(Task::read(reply)?.value)))
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

impl ClaimState {
    pub(crate) fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        match reply.text()?.as_str() {
            "renewed" => Ok(Self::Renewed),
            "revoked" => Ok(Self::Revoked),
            "cancelled" => Ok(Self::Cancelled),
            other => unknown_status(other),
        }
    }
}
