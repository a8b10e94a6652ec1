//! Reading tasks.

use reef_domain::limits::LIST_SCAN_MAX;
use reef_domain::task::STATUSES;
use serde::Serialize;

use super::Task;
use crate::message::Owned;
use crate::script::{
    Arguments, Call, FromReply, Malformed, Reader, Script, TASK_DEAD, TASK_GET, TASK_LIST,
    TASK_STATS, TASK_WAITING, TASK_WHY, unknown_status,
};

/// Reads a task.
#[derive(Debug)]
pub struct Get<'a> {
    /// Which.
    pub task_id: &'a str,
}

/// A task, and who may look at it.
#[derive(Debug)]
pub struct Found {
    /// Who submitted it.
    pub owner: String,
    /// Who owns the node that it is assigned to.
    pub runner: String,
    /// The task.
    pub task: Box<Task>,
}

impl Call for Get<'_> {
    type Reply = Option<Found>;

    fn script(&self) -> &'static Script {
        &TASK_GET
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.task_id);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => {
                let runner = reply.text()?;
                let Owned { owner, value } = Task::read(reply)?;
                Ok(Some(Found { owner, runner, task: Box::new(value) }))
            }
            "not_found" => Ok(None),
            other => unknown_status(other),
        }
    }
}

/// A page of tasks.
#[derive(Debug)]
pub struct Page {
    /// The tasks.
    pub tasks: Vec<Task>,
    /// Where the next page begins, while there is more.
    pub next: Option<i64>,
}

impl Page {
    fn read(status: &str, reply: &mut Reader) -> Result<Self, Malformed> {
        if status != "ok" {
            return unknown_status(status);
        }
        let next = reply.text()?;
        let next = match next.as_str() {
            "" => None,
            text => Some(text.parse().map_err(|_| Malformed(format!("cursor {text:?}")))?),
        };
        Ok(Self { tasks: Task::read_all(reply)?, next })
    }
}

/// Lists tasks, newest first. Empty filters do not filter.
#[derive(Debug, Default)]
pub struct List<'a> {
    /// A status.
    pub status: &'a str,
    /// The node that runs it or ended it.
    pub node_id: &'a str,
    /// Whom it is for.
    pub user_id: &'a str,
    /// The session that it belongs to.
    pub session_id: &'a str,
    /// Who submitted it.
    pub owner: &'a str,
    /// Most tasks.
    pub limit: i64,
    /// [`Page::next`] of the page before.
    pub below: Option<i64>,
}

impl Call for List<'_> {
    type Reply = Page;

    fn script(&self) -> &'static Script {
        &TASK_LIST
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.status)
            .text(self.node_id)
            .text(self.user_id)
            .text(self.session_id)
            .text(self.owner)
            .number(self.limit)
            .optional(self.below)
            .number(LIST_SCAN_MAX);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Page, Malformed> {
        Page::read(status, reply)
    }
}

/// Lists tasks that wait for a node, in the order of claiming.
#[derive(Debug)]
pub struct ListWaiting<'a> {
    /// Who submitted them; empty: anybody.
    pub owner: &'a str,
    /// Most tasks.
    pub limit: i64,
    /// [`Page::next`] of the page before.
    pub after: Option<i64>,
}

impl Call for ListWaiting<'_> {
    type Reply = Page;

    fn script(&self) -> &'static Script {
        &TASK_WAITING
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.owner).number(self.limit).optional(self.after).number(LIST_SCAN_MAX);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Page, Malformed> {
        Page::read(status, reply)
    }
}

/// Lists dead letters, latest first.
#[derive(Debug)]
pub struct ListDead<'a> {
    /// Who submitted them; empty: anybody.
    pub owner: &'a str,
    /// Most tasks.
    pub limit: i64,
    /// [`Page::next`] of the page before.
    pub below: Option<i64>,
}

impl Call for ListDead<'_> {
    type Reply = Page;

    fn script(&self) -> &'static Script {
        &TASK_DEAD
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.owner).number(self.limit).optional(self.below).number(LIST_SCAN_MAX);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Page, Malformed> {
        Page::read(status, reply)
    }
}

/// Counts tasks.
#[derive(Debug)]
pub struct Count;

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
}

/// Tasks by status; all are always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TasksByStatus {
    /// Waiting for a node, or for the end of a back-off.
    pub pending: i64,
    /// Kept back by their submitter.
    pub scheduled: i64,
    /// Held by a node.
    pub running: i64,
    /// Ended well.
    pub completed: i64,
    /// Ended badly.
    pub failed: i64,
    /// Called off.
    pub cancelled: i64,
    /// Ended because time or tries ran out.
    pub timeout: i64,
}

impl FromReply for TasksByStatus {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            pending: reply.int()?,
            scheduled: reply.int()?,
            running: reply.int()?,
            completed: reply.int()?,
            failed: reply.int()?,
            cancelled: reply.int()?,
            timeout: reply.int()?,
        })
    }
}

impl TasksByStatus {
    /// The counts in the order of [`STATUSES`].
    #[must_use]
    pub fn in_order(&self) -> [i64; STATUSES.len()] {
        let Self { pending, scheduled, running, completed, failed, cancelled, timeout } = *self;
        [pending, scheduled, running, completed, failed, cancelled, timeout]
    }
}

impl Call for Count {
    type Reply = Counts;

    fn script(&self) -> &'static Script {
        &TASK_STATS
    }

    fn arguments(&self, arguments: &mut Arguments) {
        for status in STATUSES {
            arguments.text(status);
        }
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Counts, Malformed> {
        if status != "ok" {
            return unknown_status(status);
        }
        Ok(Counts {
            total: reply.int()?,
            waiting: reply.int()?,
            delayed: reply.int()?,
            dead: reply.int()?,
            classes: reply.int()?,
            fenced: reply.int()?,
            by_status: TasksByStatus::read(reply)?,
        })
    }
}

/// Asks why a task is not running.
#[derive(Debug)]
pub struct AskWhy<'a> {
    /// Which.
    pub task_id: &'a str,
}

/// What stands between a task and a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacles {
    /// Who submitted it.
    pub owner: String,
    /// Its status.
    pub status: String,
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
    /// Nodes that have all its skills, whose ever they are; `None` where it is for everybody's.
    pub able_of_all: Option<i64>,
    /// Each required skill: nodes with it, and how many of them are online.
    pub skills: Vec<(String, i64, i64)>,
}

impl Call for AskWhy<'_> {
    type Reply = Option<Obstacles>;

    fn script(&self) -> &'static Script {
        &TASK_WHY
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.task_id);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => {}
            "not_found" => return Ok(None),
            other => return unknown_status(other),
        }
        let mut obstacles = Obstacles {
            owner: reply.text()?,
            status: reply.text()?,
            due: super::some_instant(reply)?,
            ahead: reply.int()?,
            able: reply.int()?,
            online: reply.int()?,
            free: reply.int()?,
            able_of_all: some_count(reply)?,
            skills: Vec::new(),
        };
        while !reply.is_at_end() {
            obstacles.skills.push((reply.text()?, reply.int()?, reply.int()?));
        }
        Ok(Some(obstacles))
    }
}

/// A number that may be missing.
fn some_count(reply: &mut Reader) -> Result<Option<i64>, Malformed> {
    let text = super::some_text(reply)?;
    text.map(|text| text.parse().map_err(|_| Malformed(format!("count {text:?}")))).transpose()
}
