//! Tasks: submitting, running, showing, trying again.

mod edit;
mod log;
mod retry;
mod running;
mod seconds;
mod session;
mod stats;
mod unique;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

pub use self::edit::TaskEditBody;
pub use self::log::{
    LogLevel, LogStream, TaskLog, TaskLogBody, TaskLogGap, TaskLogLine, TaskLogLineBody,
    TaskLogWritten,
};
pub use self::retry::{RetryBody, RetryPolicy};
pub use self::running::{TaskCompleteBody, TaskFailBody, TaskProgressAnswer, TaskProgressBody};
pub use self::seconds::Seconds;
pub use self::session::{SessionTaskAnswer, SessionTaskBody};
pub use self::stats::TaskStats;
pub use self::unique::{UniqueBody, UniqueScope, UniqueThen, UniqueWhile};
use crate::flow::{AfterBody, Followed};
use crate::id::{GroupId, MessageId, NodeId, SessionId, TaskId, Token, WaitId};
use crate::lax;
use crate::limit::{TaskLimit, TaskLimitBody};
use crate::money::Money;
use crate::time::UnixMillis;
use crate::usage::{ChargeBody, TaskBudget, TaskBudgetBody, TaskCharge, TaskUsage};
use crate::wait::ApprovalBody;
use crate::word::{Open, words};

words! {
    /// Where a task is, in the order in which it may pass through them.
    TaskStatus {
        /// Waits for a node.
        Pending = "pending",
        /// Kept back until a time.
        Scheduled = "scheduled",
        /// Waits for something that is no node: an answer, a signal, a time.
        Waiting = "waiting",
        /// Held by a node.
        Running = "running",
        Completed = "completed",
        /// Failed for good: a dead letter.
        Failed = "failed",
        Cancelled = "cancelled",
        /// Ran out of time or of leases for good: a dead letter.
        Timeout = "timeout",
    }
}

impl TaskStatus {
    /// Whether it is an end.
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled | Self::Timeout)
    }
}

impl Open<TaskStatus> {
    /// Whether it is an end.
    #[must_use]
    pub fn is_end(&self) -> bool {
        self.known().is_some_and(TaskStatus::is_end)
    }
}

/// A task as it is shown: fields and order of `contract.md` §5.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Task {
    /// Its id.
    pub task_id: TaskId,
    /// `interactive batch compute_intensive io_intensive daemon`.
    pub task_type: String,
    /// What it is called.
    pub name: String,
    /// For people.
    pub description: String,
    /// Skills that its node must have.
    pub required_skills: Vec<String>,
    /// Skills that are good to have.
    pub optional_skills: Vec<String>,
    /// `pending scheduled waiting running completed failed cancelled timeout`.
    pub status: Open<TaskStatus>,
    /// 0 (critical) to 3 (low).
    pub priority: i64,
    /// The node that runs it, or ended it.
    pub assigned_node: Option<NodeId>,
    /// When it was submitted.
    pub submitted_at: UnixMillis,
    /// Until when it is or was kept back.
    pub scheduled_at: Option<UnixMillis>,
    /// When its last try began.
    pub started_at: Option<UnixMillis>,
    /// When it ended.
    pub completed_at: Option<UnixMillis>,
    /// A JSON object.
    pub parameters: Box<RawValue>,
    /// Longest run, in seconds.
    pub timeout: Seconds,
    /// How often it was tried again.
    pub retry_count: i64,
    /// How often it may be.
    pub max_retries: i64,
    /// Whom it is for.
    pub user_id: Option<String>,
    /// Tags of nodes that are preferred.
    pub affinity_tags: Vec<String>,
    /// JSON, once it has completed.
    pub result: Option<Box<RawValue>>,
    /// Why its last try went wrong.
    pub error: Option<String>,
    /// A JSON object.
    pub metadata: Box<RawValue>,
    /// The session that it belongs to.
    pub session_id: Option<SessionId>,
    /// The message that shows it.
    pub message_id: Option<MessageId>,
    /// 0–1.
    pub progress: f64,
    /// Whose nodes may run it: `any`, `owner`, or agents.
    pub audience: Value,
    /// The one node that may run it.
    pub target_node: Option<NodeId>,
    /// Limits that it is under.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<TaskLimit>,
    /// The group that it is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_id: Option<GroupId>,
    /// What it follows; where one task is read, or those of a group.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Followed>,
    /// What it waits for, while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_id: Option<WaitId>,
    /// How long it is kept after it has completed, in milliseconds; left out: as the variable
    /// `task_kept_hours` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_completed_ms: Option<i64>,
    /// The same after it has failed, run out of time or been cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_failed_ms: Option<i64>,
    /// What its owner finds it by.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// When it is tried again, if it says so itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryPolicy>,
    /// What it may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<TaskBudget>,
    /// What it has used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<TaskUsage>,
    /// What whoever completes it is paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge: Option<TaskCharge>,
    /// What was paid for it, once it has ended and that is settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid: Option<Money>,
    /// With whose tasks it shares a share of the queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fairness_key: Option<String>,
    /// How large that share is, if it says so itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fairness_weight: Option<f64>,
}

/// A task that is submitted, or a sub-task of a proposal.
// `J` is what keeps free JSON.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "J: Deserialize<'de>"))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "TaskBody"))]
pub struct TaskBody<J> {
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// For people; it changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_type: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Skills that its node must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_skills: Option<Vec<String>>,
    /// Skills that are good to have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optional_skills: Option<Vec<String>>,
    /// 0 (critical) to 3 (low).
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// An object for whoever runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<J>,
    /// Longest run, in seconds.
    #[serde(default, deserialize_with = "lax::float", skip_serializing_if = "Option::is_none")]
    pub timeout: Option<f64>,
    /// How often it is tried again.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<i64>,
    /// For how long it is kept back, in milliseconds.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<i64>,
    /// Whom it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Tags of nodes that are preferred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affinity_tags: Option<Vec<String>>,
    /// Whose nodes may run it: `any`, `owner`, or a list of agents; left out, as the variable
    /// `task_audience` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<Value>,
    /// The one node that may run it; it waits for that node, also while there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_node: Option<NodeId>,
    /// An id for it; left out, the hub makes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<TaskId>,
    /// An object that is kept as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<J>,
    /// How long it is kept after it has completed, in milliseconds, at most a year; 0: not longer than
    /// its message, if it has one, needs to hear of it; left out, as the variable `task_kept_hours` says.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub keep_completed_ms: Option<i64>,
    /// The same after it has failed, run out of time or been cancelled.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub keep_failed_ms: Option<i64>,
    /// What its owner finds it by: at most 8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// When it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryBody>,
    /// What has to be decided before any node gets it: until then it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalBody<J>>,
    /// What it follows: it waits until all of that has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Vec<AfterBody>>,
    /// The group that it joins, which takes further tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_id: Option<GroupId>,
    /// Limits that it is under: it begins once all of them are open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<Vec<TaskLimitBody>>,
    /// What it may use, all its tries together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<TaskBudgetBody>,
    /// What whoever completes it is paid: reserved now, paid at its completion, released at any other end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge: Option<ChargeBody>,
    /// Tasks of one key share a share of the queue, however many they are: a tenant, a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fairness_key: Option<String>,
    /// How large that share is, 0.001–1000; left out, 1.
    #[serde(default, deserialize_with = "lax::float", skip_serializing_if = "Option::is_none")]
    pub fairness_weight: Option<f64>,
    /// What it is to be the only one of: for tasks that are submitted one by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique: Option<UniqueBody>,
}

/// A task that was submitted.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SubmittedTask {
    #[serde(flatten)]
    pub task: Task,
    /// Whether any node, whatever its status, may run it.
    pub routable: bool,
    /// There was one already, which this is: nothing was submitted.
    #[serde(skip_serializing_if = "is_false")]
    pub deduplicated: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

impl<'de> Deserialize<'de> for SubmittedTask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Rest {
            #[serde(default)]
            routable: bool,
            #[serde(default)]
            deduplicated: bool,
        }
        let (task, Rest { routable, deduplicated }) = part_and_rest(deserializer)?;
        Ok(Self { task, routable, deduplicated })
    }
}

/// Reads something and what is told beside it. A flattened part could not hold JSON as it came.
pub(crate) fn part_and_rest<'de, D: Deserializer<'de>, T: DeserializeOwned, U: DeserializeOwned>(
    deserializer: D,
) -> Result<(T, U), D::Error> {
    let json = Box::<RawValue>::deserialize(deserializer)?;
    let part = serde_json::from_str(json.get()).map_err(D::Error::custom)?;
    Ok((part, serde_json::from_str(json.get()).map_err(D::Error::custom)?))
}

/// `DELETE /tasks/{id}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskRemoved {
    pub success: bool,
    pub task_id: TaskId,
}

/// `POST /tasks/claim`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskClaimBody {
    /// The node that will run them.
    pub node_id: Option<NodeId>,
    /// The one task that is asked for; left out, whatever is first.
    pub task_id: Option<TaskId>,
    /// Most tasks.
    #[serde(default, deserialize_with = "lax::int")]
    pub limit: Option<i64>,
    /// How long they are the node's unless renewed, in milliseconds.
    #[serde(default, deserialize_with = "lax::int")]
    pub lease_ms: Option<i64>,
    /// How long to wait for one, in milliseconds.
    #[serde(default, deserialize_with = "lax::int")]
    pub wait_ms: Option<i64>,
}

/// What a claim got.
// `T` is a `ClaimedTask`, or whatever reads one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "TaskClaimAnswer"))]
pub struct TaskClaimAnswer<T = ClaimedTask> {
    pub tasks: Vec<T>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// A task, and what proves that it is held.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ClaimedTask {
    #[serde(flatten)]
    pub task: Task,
    pub token: Token,
    /// What whoever held it last has left, when it was to wait: any value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Box<RawValue>>,
    /// What has come that it waited for: `wait_id`, `kind`, `at`; of an approval `decision`, `value`,
    /// `by` and `comment`; of a signal `name` and `value`; `expired`, if it has not come in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume: Option<Box<RawValue>>,
    /// What it follows: `task_id` or `group_id`, `status`, and of a task that has completed `result`, or
    /// `ref`, where to get it, if the results are large together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Box<RawValue>>,
}

impl<'de> Deserialize<'de> for ClaimedTask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Rest {
            token: Token,
            #[serde(default)]
            checkpoint: Option<Box<RawValue>>,
            #[serde(default)]
            resume: Option<Box<RawValue>>,
            #[serde(default)]
            inputs: Option<Box<RawValue>>,
        }
        let (task, rest) = part_and_rest(deserializer)?;
        let Rest { token, checkpoint, resume, inputs } = rest;
        Ok(Self { task, token, checkpoint, resume, inputs })
    }
}

/// `GET /tasks/{id}/why`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct WhyAnswer {
    pub task_id: TaskId,
    pub status: Open<TaskStatus>,
    pub reason: Cow<'static, str>,
    pub message: String,
    pub due_at: Option<UnixMillis>,
    /// How far it stands behind its place in the order of submission, for the sake of fairness, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fair_delay_ms: Option<i64>,
    pub ahead: i64,
    pub nodes: WhyNodes,
    pub skills: Vec<WhySkill>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct WhyNodes {
    pub able: i64,
    pub online: i64,
    pub free: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct WhySkill {
    pub skill: String,
    pub nodes: i64,
    pub online: i64,
}

/// `POST /tasks/dead/redrive`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskRedriveBody {
    /// Which tasks.
    pub task_ids: Option<Vec<TaskId>>,
    /// Or which of all dead tasks; `{}` is all.
    pub filter: Option<TaskRedriveFilter>,
    /// Only say which.
    pub dry_run: Option<bool>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskRedriveFilter {
    /// How they ended.
    pub status: Option<String>,
    /// Whom they are for.
    pub user_id: Option<String>,
    /// Those that failed alike: a `key` of `GET /tasks/dead?group=error`.
    pub error_key: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskRedriveAnswer {
    pub redriven: usize,
    pub task_ids: Vec<TaskId>,
    pub dry_run: bool,
}

/// `POST /tasks/cleanup`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskCleanupBody {
    /// Those that ended so many days ago.
    #[serde(default, deserialize_with = "lax::float")]
    pub days: Option<f64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskCleanupAnswer {
    pub deleted: i64,
}

#[cfg(test)]
mod tests;
