//! What tasks use and cost: models and tokens, prices, budgets, and tasks that are paid for.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::id::{AgentId, HoldId};
use crate::lax;
use crate::money::Money;
use crate::time::UnixMillis;
use crate::word::{Open, words};

words! {
    /// What happens once a budget is used up.
    OnExceed {
        /// Only an event tells of it.
        Flag = "flag",
        /// The task that went over it is cancelled.
        Cancel = "cancel",
        /// The task that went over it waits for an approval.
        Wait = "wait",
    }
    /// Whose tasks a budget is for.
    BudgetScope {
        /// Those of an agent.
        Owner = "owner",
        /// Those of an agent that are for one user.
        User = "user",
        /// Those of a group.
        Group = "group",
    }
    /// After how long a budget begins anew, in UTC.
    BudgetPeriod {
        Day = "day",
        Month = "month",
        /// Never.
        Total = "total",
    }
    /// By what usage is added up.
    UsageBy {
        Model = "model",
        Owner = "owner",
        User = "user",
        Node = "node",
        Group = "group",
    }
}

/// What a try of a task has used of one model so far: the sum since its claim, not what came since the
/// report before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct UsageBody {
    /// Whose model it is; no `/` in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Which.
    pub model: Option<String>,
    /// Tokens that the model has read, those from its cache among them.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub input: Option<i64>,
    /// Tokens that the model has written, those of its reasoning among them.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub output: Option<i64>,
    /// How many of `input` came from the model's cache.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub cached: Option<i64>,
    /// How many of `output` were reasoning.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<i64>,
    /// How often the model was asked.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub requests: Option<i64>,
    /// What it has cost; left out, what the hub's prices make it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
}

/// What was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Used {
    /// Tokens that models have read, those from their caches among them.
    pub input: i64,
    /// Tokens that models have written, those of their reasoning among them.
    pub output: i64,
    /// How many of `input` came from a cache.
    pub cached: i64,
    /// How many of `output` were reasoning.
    pub reasoning: i64,
    /// How often models were asked.
    pub requests: i64,
    /// What it has cost.
    #[serde(deserialize_with = "from_text")]
    pub cost: Money,
}

/// Reads an amount as a hub writes it: numbers, which [`Money`] reads to the letter, are no more to be had in
/// a flattened part.
fn from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
    Money::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// What was used of a model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ModelUsed {
    /// Whose model it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Which; `@other` where a task has used too many to list.
    pub model: String,
    #[serde(flatten)]
    pub used: Used,
}

/// What all tries of a task have used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskUsage {
    #[serde(flatten)]
    pub used: Used,
    /// The same by model.
    pub models: Vec<ModelUsed>,
}

/// What a task may use, all its tries together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskBudgetBody {
    /// What it may cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// How many tokens its models may read and write.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub tokens: Option<i64>,
    /// What happens when that is used up: `cancel`, `wait` for an approval, or `flag`; left out, `wait`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_exceed: Option<String>,
}

/// What a task may use, as it was submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskBudget {
    /// What it may cost.
    pub cost: Option<Money>,
    /// How many tokens its models may read and write.
    pub tokens: Option<i64>,
    /// What happens when that is used up.
    pub on_exceed: Open<OnExceed>,
}

/// What is left of the budgets that a task is under; the least, where there are several.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct BudgetLeft {
    /// What may be spent; below zero, what was spent too much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_left: Option<Money>,
    /// How many tokens may be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_left: Option<i64>,
    /// A budget is used up.
    pub exceeded: bool,
}

/// What whoever completes a task is paid.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ChargeBody {
    /// The most: it is reserved from the submission on.
    pub max: Option<Money>,
    /// Who is paid; left out, the owner of the node that completes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<AgentId>,
    /// Who pays, for the admin to say; left out, the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<AgentId>,
}

/// What whoever completes a task is paid, as it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskCharge {
    /// The most.
    pub max: Money,
    /// Who is paid, if that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<AgentId>,
    /// Who pays.
    pub from: AgentId,
    /// What reserves it.
    pub hold_id: HoldId,
}

/// `PUT /prices/{model}`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ModelPriceBody {
    /// For a million tokens that it reads.
    pub input: Option<Money>,
    /// For a million tokens that it writes.
    pub output: Option<Money>,
    /// For a million tokens that it reads from its cache; left out, as `input`.
    pub cached: Option<Money>,
}

/// What a model costs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ModelPrice {
    /// Its name, or `provider/name`, which comes first.
    pub model: String,
    /// For a million tokens that it reads.
    pub input: Money,
    /// For a million tokens that it writes.
    pub output: Money,
    /// For a million tokens that it reads from its cache.
    pub cached: Money,
    /// Who has set it.
    pub updated_by: String,
    /// When.
    pub updated_at: UnixMillis,
}

/// A price that is gone.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ModelPriceRemoved {
    pub success: bool,
    pub model: String,
}

/// `PUT /budgets/{scope}/{id}`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct BudgetBody {
    /// What may be spent.
    pub cost: Option<Money>,
    /// How many tokens models may read and write.
    #[serde(default, deserialize_with = "lax::int")]
    pub tokens: Option<i64>,
    /// After how long it begins anew, in UTC: `day month total`; left out, `total`.
    pub period: Option<String>,
    /// What becomes of the task that goes over it: `flag cancel wait`; left out, `flag`.
    pub on_exceed: Option<String>,
    /// Whose users' or groups' tasks; left out, the caller's. For the admin.
    pub owner: Option<AgentId>,
    /// For people.
    pub note: Option<String>,
}

/// A budget, and how much of it is used.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Budget {
    /// Whose tasks it is for: `owner user group`.
    pub scope: Open<BudgetScope>,
    /// Which agent, user or group.
    pub id: String,
    /// Whose tasks these are.
    pub owner: AgentId,
    /// What may be spent.
    pub cost: Option<Money>,
    /// How many tokens models may read and write.
    pub tokens: Option<i64>,
    /// After how long it begins anew: `day month total`.
    pub period: Open<BudgetPeriod>,
    /// What becomes of the task that goes over it: `flag cancel wait`.
    pub on_exceed: Open<OnExceed>,
    /// What was spent in this period, since the budget was made.
    pub cost_used: Money,
    /// How many tokens were used.
    pub tokens_used: i64,
    /// It is used up.
    pub exceeded: bool,
    /// For people.
    pub note: String,
    /// Who has set it.
    pub updated_by: String,
    /// When.
    pub updated_at: UnixMillis,
}

/// A budget that is gone.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct BudgetRemoved {
    pub success: bool,
    pub scope: String,
    pub id: String,
}

/// `GET /usage`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct UsageAnswer {
    /// The first day, in UTC.
    pub from: String,
    /// The last day.
    pub to: String,
    /// By what it is added up.
    pub by: Open<UsageBy>,
    /// All of it.
    pub total: Used,
    /// One for each that has used something on a day: days in turn, within a day what cost most first.
    pub rows: Vec<UsageRow>,
}

/// What was used on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct UsageRow {
    /// `2026-03-01`, in UTC.
    pub day: String,
    /// The model (`provider/name` where it has a provider), owner, user, node or group; `@other` for those
    /// that came when a day had as many as it may; empty for tasks that are for no user, or of no group.
    pub key: String,
    #[serde(flatten)]
    pub used: Used,
}
