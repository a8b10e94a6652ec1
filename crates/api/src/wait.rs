//! Waits: what a task waits for while no node holds it, and how it comes.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::id::{AgentId, GroupId, TaskId, Token, WaitId};
use crate::lax;
use crate::task::TaskStatus;
use crate::time::UnixMillis;
use crate::usage::UsageBody;
use crate::word::{Open, words};

words! {
    /// What a task waits for.
    WaitKind {
        /// That somebody decides.
        Approval = "approval",
        /// A signal of a name.
        Signal = "signal",
        /// A time.
        Sleep = "sleep",
        /// The end of other tasks.
        Tasks = "tasks",
    }
    /// Of what a wait for tasks waits.
    Until {
        /// All have ended.
        Ended = "ended",
        /// All have completed, or one ended otherwise.
        Completed = "completed",
        /// One has ended.
        Any = "any",
    }
    /// How a wait stands.
    WaitState {
        Open = "open",
        /// What was waited for has come.
        Answered = "answered",
        /// It has not come in time.
        Expired = "expired",
        /// A sleep has ended, as it was to.
        Over = "over",
        /// The task has ended meanwhile.
        Cancelled = "cancelled",
    }
    /// What becomes of a task where nobody decides in time.
    OnExpire {
        /// It goes on, as if it had been rejected.
        Reject = "reject",
        /// It goes on, as if it had been approved.
        Approve = "approve",
        /// It fails for good.
        Fail = "fail",
    }
}

/// One of the decisions that may be made, as whoever asks says it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct WaitOptionBody {
    /// What is answered.
    pub value: Option<String>,
    /// What people read; left out, the same.
    pub label: Option<String>,
}

/// One of the decisions that may be made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct WaitOption {
    /// What is answered.
    pub value: String,
    /// What people read.
    pub label: String,
}

/// What somebody is asked to decide.
// `J` is what keeps free JSON.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "J: Deserialize<'de>"))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "ApprovalBody"))]
pub struct ApprovalBody<J> {
    /// What is asked.
    pub question: Option<String>,
    /// What whoever decides has to know: any value.
    pub details: Option<J>,
    /// What may be answered; left out, `approve` and `reject`.
    pub options: Option<Vec<WaitOptionBody>>,
    /// Who may answer, besides the task's owner; an answer needs the scope `approve`.
    pub assignees: Option<Vec<AgentId>>,
    /// How many have to answer the same; a `reject` decides at once.
    #[serde(default, deserialize_with = "lax::int")]
    pub approvals: Option<i64>,
    /// After how long nobody is asked any more, in milliseconds; left out: never.
    #[serde(default, deserialize_with = "lax::int")]
    pub expires_in_ms: Option<i64>,
    /// What is done then.
    pub on_expire: Option<String>,
}

/// `POST /tasks/{id}/wait`.
// `J` is what keeps free JSON.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "J: Deserialize<'de>"))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "WaitBody"))]
pub struct WaitBody<J> {
    /// As it came with the claim.
    pub token: Option<Token>,
    /// What the task waits for.
    pub kind: Option<String>,
    /// What the next claim of the task brings with it: any value. Left out, as it was.
    pub checkpoint: Option<J>,
    /// What this try has used so far, by model: at most 16.
    pub usage: Option<Vec<UsageBody>>,
    /// `approval`: what is asked.
    pub question: Option<String>,
    /// `approval`: what whoever decides has to know, any value.
    pub details: Option<J>,
    /// `approval`: what may be answered; left out, `approve` and `reject`.
    pub options: Option<Vec<WaitOptionBody>>,
    /// `approval`: who may answer, besides the task's owner; an answer needs the scope `approve`.
    pub assignees: Option<Vec<AgentId>>,
    /// `approval`: how many have to answer the same; a `reject` decides at once.
    #[serde(default, deserialize_with = "lax::int")]
    pub approvals: Option<i64>,
    /// `approval`: whoever owns the node that asks may not answer.
    pub by_other: Option<bool>,
    /// `approval`, `signal`, `tasks`: after how long it is not waited for any more, in milliseconds; left out:
    /// never.
    #[serde(default, deserialize_with = "lax::int")]
    pub expires_in_ms: Option<i64>,
    /// `approval`: what is done then.
    pub on_expire: Option<String>,
    /// `signal`: which.
    pub name: Option<String>,
    /// `sleep`: how long, in milliseconds.
    #[serde(default, deserialize_with = "lax::int")]
    pub for_ms: Option<i64>,
    /// `tasks`: these tasks.
    pub task_ids: Option<Vec<TaskId>>,
    /// `tasks`: all tasks of this group, which takes no further ones from then on if this task made it.
    pub group_id: Option<GroupId>,
    /// `tasks`: which end is waited for; left out, `ended`.
    pub until: Option<String>,
}

/// What became of a task that was to wait.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct WaitStarted {
    pub success: bool,
    pub task_id: TaskId,
    /// `waiting`; or `running`, where what it was to wait for had come: the claim goes on.
    pub status: Open<TaskStatus>,
    /// The wait.
    pub wait_id: WaitId,
    /// When it is over by itself.
    pub expires_at: Option<UnixMillis>,
    /// It had come.
    pub ready: bool,
    /// What came, if it had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume: Option<Box<RawValue>>,
}

/// Somebody's answer.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct WaitAnswer {
    pub by: String,
    pub decision: String,
    /// What the task is told besides: any value.
    pub value: Option<Box<RawValue>>,
    pub comment: Option<String>,
    pub at: String,
}

/// A wait.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Wait {
    pub wait_id: WaitId,
    pub task_id: TaskId,
    pub kind: Open<WaitKind>,
    pub state: Open<WaitState>,
    /// Whose task it is.
    pub owner: String,
    /// The signal's name; of a wait for tasks, which end is waited for.
    pub name: Option<String>,
    /// What is asked.
    pub question: Option<String>,
    /// What whoever decides has to know.
    pub details: Option<Box<RawValue>>,
    pub options: Vec<WaitOption>,
    pub assignees: Vec<AgentId>,
    /// How many have to answer the same.
    pub approvals: i64,
    /// Whoever owns the node that asks may not answer.
    pub by_other: bool,
    pub on_expire: Option<Open<OnExpire>>,
    pub asked_at: UnixMillis,
    pub expires_at: Option<UnixMillis>,
    pub ended_at: Option<UnixMillis>,
    pub answers: Vec<WaitAnswer>,
}

/// `POST /waits/{wid}/answer`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "J: Deserialize<'de>"))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "WaitAnswerBody"))]
pub struct WaitAnswerBody<J> {
    /// One of the options.
    pub decision: Option<String>,
    /// What the task is told besides, such as what was approved after all: any value.
    pub value: Option<J>,
    /// The same for people.
    pub comment: Option<String>,
}

/// `POST /tasks/{id}/signal`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "J: Deserialize<'de>"))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "SignalBody"))]
pub struct SignalBody<J> {
    /// What it is called.
    pub name: Option<String>,
    /// What it brings: any value.
    pub payload: Option<J>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SignalAnswer {
    pub success: bool,
    pub task_id: TaskId,
    /// How many signals the task has got and not taken.
    pub queued: i64,
}

/// `POST /tasks/{id}/signals/take`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TakeSignalsBody {
    /// As it came with the claim.
    pub token: Option<Token>,
    /// Only those of this name; left out, all.
    pub name: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Signal {
    pub name: String,
    /// What it brings.
    pub payload: Option<Box<RawValue>>,
    pub sent_at: UnixMillis,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SignalList {
    /// Oldest first.
    pub signals: Vec<Signal>,
}
