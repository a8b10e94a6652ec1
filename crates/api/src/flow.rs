//! Flows: tasks that follow others, batches, groups.

use serde::{Deserialize, Serialize};

use crate::id::{GroupId, TaskId, Token};
use crate::task::{TaskBody, TaskStatus};
use crate::time::UnixMillis;
use crate::word::{Open, words};

words! {
    /// How something is to have ended for what follows it.
    On {
        /// Well.
        Completed = "completed",
        /// In any way.
        Ended = "ended",
        /// Otherwise than well.
        Failed = "failed",
    }
    /// How a group stands.
    GroupStatus {
        /// A task of it has not ended, or it may get further ones.
        Open = "open",
        /// All its tasks have completed.
        Completed = "completed",
        /// All have ended, not all well.
        Failed = "failed",
    }
}

/// What a task follows: a task or a group.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AfterBody {
    /// A task; in a batch also `#` and the place, from 0, of an earlier one there.
    pub task: Option<String>,
    /// A group.
    pub group: Option<String>,
    /// How it is to have ended; left out, `completed`. Where it ends otherwise, the task fails with it.
    pub on: Option<String>,
}

/// What a task follows, as it is shown.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Followed {
    /// A task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// Or a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupId>,
    /// How it is to have ended.
    pub on: Open<On>,
    /// How it has ended, once it has; `unknown` where it was forgotten before this task was tried again.
    pub status: Option<String>,
}

/// The group of a batch.
// `J` is what keeps free JSON.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "J: Deserialize<'de>"))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "GroupBody"))]
pub struct GroupBody<J> {
    /// An id for it, or that of one that takes further tasks; left out, the hub makes one.
    pub group_id: Option<GroupId>,
    /// What it is called.
    pub name: Option<String>,
    /// Whether it takes no tasks after these; left out, it does not.
    pub sealed: Option<bool>,
    /// A task that follows the group, and is none of it: it runs once all have ended.
    pub on_end: Option<TaskBody<J>>,
}

/// The running task that makes others.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ParentBody {
    /// Which.
    pub task_id: Option<TaskId>,
    /// As it came with the claim.
    pub token: Option<Token>,
}

/// `POST /tasks/batch`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "J: Deserialize<'de>"))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "BatchBody"))]
pub struct BatchBody<J> {
    /// The tasks, those that others follow first.
    pub tasks: Option<Vec<TaskBody<J>>>,
    /// The group that they form, or join.
    pub group: Option<GroupBody<J>>,
    /// The running task that makes them.
    pub parent: Option<ParentBody>,
    /// All or none, at most 100; `false`: at most 1000, a hundred at a time.
    pub atomic: Option<bool>,
}

/// What became of a task of a batch.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct BatchedTask {
    pub task_id: TaskId,
    pub status: Open<TaskStatus>,
    /// Whether any node, whatever its status, may run it.
    pub routable: bool,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct BatchAnswer {
    pub group_id: Option<GroupId>,
    /// In the order in which they were given.
    pub tasks: Vec<BatchedTask>,
    /// The task that follows the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_end: Option<BatchedTask>,
}

/// A group of tasks.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Group {
    pub group_id: GroupId,
    pub name: String,
    pub status: Open<GroupStatus>,
    /// It takes no further tasks.
    pub sealed: bool,
    /// Its tasks.
    pub total: i64,
    /// Those that have not ended.
    pub open: i64,
    pub completed: i64,
    pub failed: i64,
    pub cancelled: i64,
    pub timeout: i64,
    /// The running task that has made it.
    pub parent: Option<TaskId>,
    /// The first task of it that failed for good.
    pub first_failure: Option<TaskId>,
    pub created_at: UnixMillis,
    pub ended_at: Option<UnixMillis>,
}

/// `POST /groups/{id}/cancel` and `…/retry`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct GroupChanged {
    pub success: bool,
    pub group_id: GroupId,
    /// How many tasks were.
    pub changed: i64,
}
