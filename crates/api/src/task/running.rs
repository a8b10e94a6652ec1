//! What whoever runs a task says of it.

use serde::{Deserialize, Serialize};

use super::TaskStatus;
use crate::id::{TaskId, Token, WaitId};
use crate::lax;
use crate::money::Money;
use crate::usage::{BudgetLeft, UsageBody};
use crate::word::Open;

/// `POST /tasks/{id}/progress`.
// `J` is what keeps a checkpoint.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "J: Deserialize<'de>"))]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(rename = "TaskProgressBody")
)]
pub struct TaskProgressBody<J> {
    /// As it came with the claim.
    pub token: Option<Token>,
    /// How much is done, 0–1.
    #[serde(default, deserialize_with = "lax::float")]
    pub progress: Option<f64>,
    /// From now, in milliseconds; left out, as it was claimed.
    #[serde(default, deserialize_with = "lax::int")]
    pub lease_ms: Option<i64>,
    /// What this try has used so far, by model: at most 16.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Vec<UsageBody>>,
    /// What the task's next claim begins with, should this one come to nothing: any value. Left out, as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<J>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskProgressAnswer {
    pub success: bool,
    pub task_id: TaskId,
    pub status: Open<TaskStatus>,
    pub progress: f64,
    /// How long the claim holds from now: what was asked for, but never longer than until 5 s after
    /// the task's timeout.
    pub lease_ms: i64,
    pub cancelled: bool,
    /// How many signals the task has got and not taken, if there are some.
    #[serde(skip_serializing_if = "is_zero")]
    pub signals: i64,
    /// What is left of the budgets that it is under, where usage was reported and there are some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<BudgetLeft>,
    /// The approval that it waits for since a budget is used up: stop, the token is stale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_id: Option<WaitId>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// `POST /tasks/{id}/complete`.
// `J` is what keeps a result, `C` a content block.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "J: Deserialize<'de>, C: Deserialize<'de>"))]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(rename = "TaskCompleteBody")
)]
pub struct TaskCompleteBody<J, C> {
    /// As it came with the claim.
    pub token: Option<Token>,
    /// Any value.
    pub result: Option<J>,
    /// A content block that takes the placeholder's place in the task's message.
    pub content: Option<C>,
    /// What this try has used so far, by model: at most 16.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Vec<UsageBody>>,
    /// What it costs whoever pays for it, at most the task's `charge.max`; left out, all of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
}

/// `POST /tasks/{id}/fail`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskFailBody {
    /// As it came with the claim.
    pub token: Option<Token>,
    /// What went wrong.
    pub error: Option<String>,
    /// Whether to try again.
    pub retryable: Option<bool>,
    /// When to try again, in milliseconds; left out, as the task says.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub retry_in_ms: Option<i64>,
    /// It could not be tried yet, and this counts as no try: at most ten times in a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snooze: Option<bool>,
    /// What this try has used so far, by model: at most 16.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Vec<UsageBody>>,
}
