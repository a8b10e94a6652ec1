//! Limits: how many tasks run at once, or begin within a time, for what they share; and what is paused.

use serde::{Deserialize, Serialize};

use crate::id::{LimitId, TaskId, Token};
use crate::lax;
use crate::time::UnixMillis;
use crate::word::{Open, words};

words! {
    /// What a rate counts.
    RateUnit {
        /// Tasks that begin, each by its `cost`.
        Tasks = "tasks",
        /// The tokens that tasks say that they will use.
        Tokens = "tokens",
    }
    /// What keeps a limit shut.
    ShutBy {
        /// An admin has paused it.
        Paused = "paused",
        /// As many run as may.
        Concurrency = "concurrency",
        /// As many have begun as may.
        Rate = "rate",
        /// A provider has asked to be left alone.
        Penalty = "penalty",
    }
}

/// What a task is under.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskLimitBody {
    /// A limit.
    pub name: Option<LimitId>,
    /// Each key is counted by itself, with the numbers of the limit: a user, a repository, a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How many tasks it counts as in rates of `tasks`; left out, 1.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub cost: Option<i64>,
    /// How many tokens it is expected to use, for rates of `tokens`; left out, none.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub tokens: Option<i64>,
}

/// What a task is under, as it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskLimit {
    /// The limit.
    pub name: LimitId,
    /// What is counted by itself; left out, all together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How many tasks it counts as.
    pub cost: i64,
    /// How many tokens it is expected to use, rounded up to two digits.
    pub tokens: i64,
}

/// How much may begin within a time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct RateBody {
    /// How much, at an even pace: after a pause so much may begin at once.
    #[serde(default, deserialize_with = "lax::int")]
    pub count: Option<i64>,
    /// Within how long, in milliseconds.
    #[serde(default, deserialize_with = "lax::int")]
    pub per_ms: Option<i64>,
    /// `tasks` or `tokens`; left out, `tasks`.
    pub unit: Option<String>,
}

/// A rate, as it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Rate {
    /// How much.
    pub count: i64,
    /// Within how long, in milliseconds.
    pub per_ms: i64,
    /// `tasks` or `tokens`.
    pub unit: Open<RateUnit>,
}

/// `PUT /limits/{name}`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct LimitBody {
    /// Most tasks that run at once; left out, any number.
    #[serde(default, deserialize_with = "lax::int")]
    pub concurrency: Option<i64>,
    /// How many may begin.
    pub rates: Option<Vec<RateBody>>,
    /// None begin.
    pub paused: Option<bool>,
    /// Each owner of tasks has one of its own, so that nobody uses up somebody else's.
    pub per_owner: Option<bool>,
    /// For people.
    pub note: Option<String>,
}

/// A limit.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Limit {
    /// What it is called.
    pub name: LimitId,
    /// Most tasks that run at once.
    pub concurrency: Option<i64>,
    /// How many may begin.
    pub rates: Vec<Rate>,
    /// None begin.
    pub paused: bool,
    /// Each owner of tasks has one of its own.
    pub per_owner: bool,
    /// For people.
    pub note: String,
    /// Who has set it.
    pub updated_by: String,
    /// When.
    pub updated_at: UnixMillis,
    /// How many tasks run that are under it, whatever their keys.
    pub running: i64,
}

/// `GET /limits/{name}`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct LimitStanding {
    #[serde(flatten)]
    pub limit: Limit,
    /// The key that is shown.
    pub key: Option<String>,
    /// How many tasks run that count against it.
    pub held: i64,
    /// How many kinds of tasks wait until it opens: those that ask for the same count as one.
    pub parked_classes: i64,
    /// What keeps it shut: `paused concurrency rate penalty`.
    pub shut_by: Option<Open<ShutBy>>,
    /// When it opens, if time alone opens it.
    pub opens_at: Option<UnixMillis>,
    /// When a provider has last asked to be left alone.
    pub penalised_at: Option<UnixMillis>,
}

/// `POST /limits/{name}/penalty`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct PenaltyBody {
    /// For how long a provider wants to be left alone, in milliseconds; 0, by an admin who names no task:
    /// it opens before its time.
    #[serde(default, deserialize_with = "lax::int")]
    pub retry_after_ms: Option<i64>,
    /// The running task that was refused; its key is shut. An admin may name a key instead.
    pub task_id: Option<TaskId>,
    /// The token of its claim.
    pub token: Option<Token>,
    /// Without a task: the key.
    pub key: Option<String>,
    /// Without a task, where each owner has a limit of its own: whose.
    pub owner: Option<String>,
}

/// What became of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct PenaltyAnswer {
    pub success: bool,
    pub name: LimitId,
    /// Until when nothing begins.
    pub shut_until: UnixMillis,
}

/// A limit that is gone.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct LimitRemoved {
    pub success: bool,
    pub name: LimitId,
}

/// `PUT /queue`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct QueueBody {
    /// No task begins.
    pub paused: Option<bool>,
    /// No task begins that requires one of these.
    pub paused_skills: Option<Vec<String>>,
    /// No task of these types begins.
    pub paused_types: Option<Vec<String>>,
}

/// What is kept back.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct QueueState {
    /// No task begins.
    pub paused: bool,
    /// No task begins that requires one of these.
    pub paused_skills: Vec<String>,
    /// No task of these types begins.
    pub paused_types: Vec<String>,
}
