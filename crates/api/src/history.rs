//! What has happened: the history of the hub, the tries of a task, dead letters by what went wrong.

use serde::{Deserialize, Serialize};

use crate::id::{NodeId, TaskId};
use crate::time::UnixMillis;
use crate::word::{Open, words};

words! {
    /// What a history shows.
    Series {
        /// Tasks that were submitted.
        Submitted = "submitted",
        /// Claims.
        Claimed = "claimed",
        /// Tries that ended well.
        Completed = "completed",
        /// Tries that failed.
        Failed = "failed",
        /// Tries whose lease or time ran out.
        Timeout = "timeout",
        /// Tasks that were cancelled.
        Cancelled = "cancelled",
        /// Tasks that became dead letters.
        Dead = "dead",
        /// Stale tokens that were refused.
        Fenced = "fenced",
        /// How long half of the tasks had waited for a node at most when they were claimed, in seconds.
        WaitP50 = "wait_p50",
        /// The same of 95 in 100.
        WaitP95 = "wait_p95",
        /// How long half of the tries ran at most that ended well, failed or ran out of time, in seconds.
        RunP50 = "run_p50",
        /// The same of 95 in 100.
        RunP95 = "run_p95",
        /// Tokens that models have read.
        TokensIn = "tokens_in",
        /// Tokens that they have written.
        TokensOut = "tokens_out",
        /// What that has cost.
        Cost = "cost",
        /// Nodes that live.
        NodesOnline = "nodes_online",
        /// All nodes.
        NodesTotal = "nodes_total",
        /// Tasks that all nodes can run at once.
        Capacity = "capacity",
        /// Tasks that run.
        Running = "running",
        /// Tasks that wait for a node.
        Waiting = "waiting",
    }
    /// How a try of a task ended.
    Outcome {
        /// It goes on.
        Running = "running",
        Completed = "completed",
        /// Its worker said that it failed.
        Failed = "failed",
        /// Its worker put it off.
        Snoozed = "snoozed",
        /// Its lease or its time ran out.
        Timeout = "timeout",
        /// Its node went offline, was shut down or removed.
        Released = "released",
        /// The task began to wait for something that is no node.
        Waiting = "waiting",
        Cancelled = "cancelled",
    }
}

/// What has happened, minute by minute or hour by hour.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct History {
    pub success: bool,
    /// How long a point is, in seconds.
    pub step: i64,
    /// When the first point begins.
    pub from: UnixMillis,
    /// When the last ends.
    pub to: UnixMillis,
    /// Oldest first.
    pub points: Vec<HistoryPoint>,
}

/// A minute, or an hour. What was not asked for, and what is not known of it, is left out.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct HistoryPoint {
    /// When it begins.
    pub at: UnixMillis,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claimed: Option<i64>,
    /// Tries that ended well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed: Option<i64>,
    /// Tries that failed, also where the task is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<i64>,
    /// Tries whose lease or time ran out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
    /// Tasks that were cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<i64>,
    /// Tasks that became dead letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead: Option<i64>,
    /// Stale tokens that were refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fenced: Option<i64>,
    /// In seconds; absent where nothing was claimed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_p50: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_p95: Option<f64>,
    /// In seconds; absent where no try ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_p50: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_p95: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_in: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_out: Option<i64>,
    /// In units, as a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    /// As last seen within it; absent where nobody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes_online: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes_total: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<i64>,
}

/// All that was ever counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskTotals {
    pub submitted: i64,
    pub claimed: i64,
    /// Tries that ended well.
    pub completed: i64,
    /// Tries that failed.
    pub failed: i64,
    /// Tries whose lease or time ran out.
    pub timeout: i64,
    /// Tasks that were cancelled.
    pub cancelled: i64,
    /// Tasks that became dead letters.
    pub dead: i64,
    /// Stale tokens that were refused.
    pub fenced: i64,
}

/// The tries of a task.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Attempts {
    pub success: bool,
    /// The last 20, oldest first.
    pub attempts: Vec<Attempt>,
}

/// A try of a task.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Attempt {
    /// Which, from 1 on.
    pub attempt: i64,
    /// The node that had it.
    pub node_id: NodeId,
    /// When it was claimed.
    pub from: UnixMillis,
    /// When that was over; absent while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<UnixMillis>,
    /// How it ended.
    pub outcome: Open<Outcome>,
    /// The first line of what went wrong, in at most 200 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Tokens that models have read, where any were reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_in: Option<i64>,
    /// Tokens that they have written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_out: Option<i64>,
    /// What that has cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<crate::Money>,
}

/// Dead letters by what they have in common.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct DeadByError {
    pub success: bool,
    /// Those that had a death latest come first.
    pub groups: Vec<DeadGroup>,
}

/// Dead letters of one name, whose errors begin with the same line but for numbers, ids and what is quoted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct DeadGroup {
    /// By it they are found and tried again (`error_key`).
    pub key: String,
    /// The first line of the last one's error, in at most 200 characters.
    pub error: String,
    /// What the tasks are called.
    pub name: String,
    /// How many there are.
    pub count: i64,
    /// When the first of them died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_at: Option<UnixMillis>,
    /// When the last did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_at: Option<UnixMillis>,
    /// The last.
    pub example: TaskId,
}
