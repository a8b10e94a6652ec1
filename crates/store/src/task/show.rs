//! Reading tasks.

pub use reef_api::cluster::TasksByStatus;
use reef_api::limit::ShutBy;
use reef_api::task::TaskStatus;
use reef_api::wait::WaitKind;
use reef_api::{NodeId, Open};
use reef_domain::Money;
use reef_domain::time::UnixMillis;

use super::Task;
use crate::group::read_followed;
use crate::history::Tally;
use crate::message::Owned;
use crate::script::{FromReply, Malformed, Reader, rows};
use crate::steps::Page;

/// A task, and who may look at it.
#[derive(Debug)]
pub struct Found {
    /// Who submitted it.
    pub owner: String,
    /// Who owns the node that it is assigned to.
    pub runner: String,
    /// Which task of this id it is, and how often it was edited.
    pub version: String,
    /// The task.
    pub task: Box<Task>,
}

impl FromReply for Found {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let runner = reply.text()?;
        let version = reply.text()?;
        let Owned { owner, value } = super::read_owned(reply)?;
        let task = Task { after: read_followed(reply)?, ..value };
        Ok(Self { owner, runner, version, task: Box::new(task) })
    }
}

/// A page of what a filter finds.
#[derive(Debug)]
pub struct FoundPage {
    /// The page.
    pub page: Page<Task>,
    /// How many tasks were looked at.
    pub scanned: i64,
}

impl FromReply for FoundPage {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let (next, filled, scanned) = (FromReply::read(reply)?, reply.int()?, reply.int()?);
        Ok(Self { page: Page { next, filled, rows: Vec::read(reply)? }, scanned })
    }
}

/// Tasks by what they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// All.
    pub total: i64,
    /// Waiting for a node.
    pub waiting: i64,
    /// Waiting for a time.
    pub delayed: i64,
    /// Dead letters.
    pub dead: i64,
    /// Different wants among the waiting ones.
    pub classes: i64,
    /// Stale tokens that were refused, ever.
    pub fenced: i64,
    /// By status.
    pub by_status: TasksByStatus,
    /// Those that have ended.
    pub ended: i64,
    /// What they take in Redis, in bytes, about.
    pub ended_bytes: i64,
    /// When the one ended that has been kept longest, of those that do not say how long they are kept.
    pub oldest_end: Option<reef_domain::time::UnixMillis>,
    /// Those that have been kept as long as they were to be, and that the monitor has yet to forget.
    pub overdue: i64,
    /// Kinds of waiting tasks that a limit keeps back.
    pub parked_classes: i64,
    /// What was ever counted.
    pub ever: Tally,
}

/// What stands between a task and a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacles {
    /// Who submitted it.
    pub owner: String,
    /// Its status.
    pub status: Open<TaskStatus>,
    /// Until when it is kept back.
    pub due: Option<reef_domain::time::UnixMillis>,
    /// Tasks before it in the queue, whatever they want.
    pub ahead: i64,
    /// Nodes of its audience that have all its skills; at most 1000 are counted.
    pub able: i64,
    /// Of these, the online ones.
    pub online: i64,
    /// Of these, the ones with room.
    pub free: i64,
    /// Nodes that have all its skills, whose ever they are; `None` where it is for any of everybody's.
    pub able_of_all: Option<i64>,
    /// The one node that may run it.
    pub target: Option<String>,
    /// That node's status; `None` where there is none such.
    pub target_status: Option<String>,
    /// What it waits for, if it waits.
    pub waits_for: Option<Open<WaitKind>>,
    /// The limit that is shut.
    pub limit: Option<String>,
    /// What keeps it shut.
    pub shut_by: Option<Open<ShutBy>>,
    /// When it opens, if time alone opens it.
    pub opens: Option<reef_domain::time::UnixMillis>,
    /// What is kept back of the queue, as [`crate::queue::paused_state`] reads it.
    pub paused: Option<String>,
    /// Its type, if that is not the usual one.
    pub kind: Option<String>,
    /// How far it stands behind its place for the sake of fairness, in milliseconds.
    pub fair_ms: Option<i64>,
    /// Each required skill: nodes with it, and how many of them are online.
    pub skills: Vec<(String, i64, i64)>,
}

/// A skill, nodes with it, and how many of them are online.
impl FromReply for (String, i64, i64) {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok((reply.text()?, reply.int()?, reply.int()?))
    }
}

/// A try of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Try {
    /// Which, from 1 on.
    pub attempt: i64,
    /// The node that had it.
    pub node: NodeId,
    /// When it was claimed.
    pub from: UnixMillis,
    /// When that was over; `None`: it runs.
    pub to: Option<UnixMillis>,
    /// How it ended, in a word.
    pub outcome: String,
    /// The first line of what went wrong.
    pub error: Option<String>,
    /// Tokens that models have read and written, and what that has cost.
    pub used: Option<(i64, i64, Money)>,
}

impl FromReply for Try {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            attempt: reply.int()?,
            node: FromReply::read(reply)?,
            from: FromReply::read(reply)?,
            to: FromReply::read(reply)?,
            outcome: reply.text()?,
            error: reply.filled()?,
            used: reply.filled()?.map(|text| read_used(&text)).transpose()?,
        })
    }
}

fn read_used(text: &str) -> Result<(i64, i64, Money), Malformed> {
    let mut parts = text.split('/').map(|part| part.parse::<i64>().ok());
    let mut next = || parts.next().flatten();
    match (next(), next(), next().and_then(Money::from_micros)) {
        (Some(input), Some(output), Some(cost)) => Ok((input, output, cost)),
        _ => Err(Malformed(format!("no usage: {text:?}"))),
    }
}

/// The tries of a task that are kept, and who may look at them.
#[derive(Debug)]
pub struct Tries {
    /// Who submitted it.
    pub owner: String,
    /// Who owns the node that it is assigned to.
    pub runner: String,
    /// Oldest first.
    pub tries: Vec<Try>,
}

/// Dead letters that failed alike.
#[derive(Debug)]
pub struct DeadError {
    /// What they have in common.
    pub key: String,
    /// How many there are.
    pub count: i64,
    /// When the first of them died.
    pub first_at: Option<UnixMillis>,
    /// When the last did.
    pub last_at: Option<UnixMillis>,
    /// The last.
    pub task: Box<Task>,
}

rows! {
    Tries { owner, runner, tries }
    DeadError { key, count, first_at, last_at, task }
    Counts { total, waiting, delayed, dead, classes, fenced, by_status, ended, ended_bytes, oldest_end, overdue, parked_classes, ever }
    TasksByStatus { pending, scheduled, waiting, running, completed, failed, cancelled, timeout }
    Obstacles { owner, status, due, ahead, able, online, free, able_of_all, target, target_status, waits_for, limit, shut_by, opens, paused, kind, fair_ms, skills }
}
