//! What a task can be told to be, wherever one is made.

use clap::Args;
use reef_api::limit::TaskLimitBody;
use reef_api::task::TaskBody;
use reef_api::usage::TaskBudgetBody;
use reef_api::wait::ApprovalBody;
use reef_api::{AgentId, Money, NodeId};
use serde_json::{Map, Value};

use super::find::labels;
use crate::failure::Failure;
use crate::usage::money;

#[derive(Debug, Args)]
pub(crate) struct WorkArgs {
    /// A skill that its worker must have; repeatable
    #[arg(long = "skill", value_name = "SKILL")]
    pub(super) skills: Vec<String>,
    /// A skill that its worker should have; repeatable
    #[arg(long = "optional-skill", value_name = "SKILL")]
    optional_skills: Vec<String>,
    /// A tag that its worker should have; repeatable
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Whose nodes may run it: any, owner, or an agent; repeatable for several agents
    #[arg(long, value_name = "WHOSE")]
    audience: Vec<String>,
    /// The one node that may run it
    #[arg(long, value_name = "NODE")]
    pub(super) node: Option<NodeId>,
    /// What it is about
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// What its worker has to know: a JSON object
    #[arg(long, value_name = "JSON")]
    parameters: Option<String>,
    /// critical, high, normal or low
    #[arg(long, value_parser = ["critical", "high", "normal", "low"])]
    pub(super) priority: Option<String>,
    /// How long it may run, in seconds
    #[arg(long, value_name = "SECONDS")]
    pub(super) timeout: Option<f64>,
    /// How often it is tried again
    #[arg(long, value_name = "N")]
    max_retries: Option<u32>,
    /// How long it is kept after it has completed
    #[arg(long, value_name = "MS")]
    keep_completed_ms: Option<i64>,
    /// How long it is kept after it has failed, run out of time or been cancelled
    #[arg(long, value_name = "MS")]
    keep_failed_ms: Option<i64>,
    /// A label, by which it is found; repeatable
    #[arg(long = "label", value_name = "KEY=VALUE")]
    labels: Vec<String>,
    /// A limit that it is under, for one key or for all; repeatable
    #[arg(long = "under", value_name = "LIMIT[=KEY]")]
    limits: Vec<String>,
    /// Whose it is
    #[arg(long)]
    user: Option<String>,
    /// What it may cost, all its tries together
    #[arg(long, value_name = "AMOUNT", value_parser = money)]
    budget: Option<Money>,
    /// How many tokens its models may read and write
    #[arg(long, value_name = "N")]
    budget_tokens: Option<i64>,
    /// What happens when that is used up: wait (for an approval), cancel or flag
    #[arg(long, value_parser = ["wait", "cancel", "flag"])]
    on_exceed: Option<String>,
    /// Share one share of the queue with all tasks of this name, such as a tenant
    #[arg(long, value_name = "NAME")]
    fairness_key: Option<String>,
    /// How large that share is, 0.001 to 1000; else 1
    #[arg(long, value_name = "WEIGHT", requires = "fairness_key")]
    fairness_weight: Option<f64>,
    /// Ask this first: no worker gets it until somebody has answered
    #[arg(long, value_name = "QUESTION")]
    approval: Option<String>,
    /// An agent that may answer, beside you; repeatable
    #[arg(long = "assignee", value_name = "AGENT", requires = "approval")]
    assignees: Vec<AgentId>,
}

/// A priority by its word.
pub(crate) fn priority(word: Option<&str>) -> Option<i64> {
    Some(match word? {
        "critical" => 0,
        "high" => 1,
        "low" => 3,
        _ => 2,
    })
}

/// Parameters as they are typed.
pub(crate) fn parameters(text: Option<&str>) -> Result<Option<Map<String, Value>>, Failure> {
    text.map(serde_json::from_str)
        .transpose()
        .map_err(|error| Failure::Usage(format!("--parameters must be a JSON object: {error}")))
}

/// What was given, if anything was.
fn given<T: Clone>(items: &[T]) -> Option<Vec<T>> {
    (!items.is_empty()).then(|| items.to_vec())
}

impl WorkArgs {
    /// A task of this name.
    pub(crate) fn body(&self, name: &str) -> Result<TaskBody<Map<String, Value>>, Failure> {
        Ok(TaskBody {
            name: Some(name.to_owned()),
            description: self.description.clone(),
            required_skills: given(&self.skills),
            optional_skills: given(&self.optional_skills),
            affinity_tags: given(&self.tags),
            target_node: self.node.clone(),
            audience: self.audience(),
            parameters: parameters(self.parameters.as_deref())?,
            labels: labels(&self.labels)?,
            priority: priority(self.priority.as_deref()),
            timeout: self.timeout,
            max_retries: self.max_retries.map(i64::from),
            keep_completed_ms: self.keep_completed_ms,
            keep_failed_ms: self.keep_failed_ms,
            user_id: self.user.clone(),
            budget: self.budget(),
            fairness_key: self.fairness_key.clone(),
            fairness_weight: self.fairness_weight,
            limits: given(&self.limits).map(|limits| limits.iter().map(|it| under(it)).collect()),
            approval: self.approval.as_ref().map(|question| ApprovalBody {
                question: Some(question.clone()),
                assignees: given(&self.assignees),
                ..ApprovalBody::default()
            }),
            ..TaskBody::default()
        })
    }

    fn budget(&self) -> Option<TaskBudgetBody> {
        let body = TaskBudgetBody {
            cost: self.budget,
            tokens: self.budget_tokens,
            on_exceed: self.on_exceed.clone(),
        };
        (body != TaskBudgetBody::default()).then_some(body)
    }

    /// `any` and `owner` stand alone; agents are listed.
    pub(super) fn audience(&self) -> Option<Value> {
        match self.audience.as_slice() {
            [] => None,
            [word] if word == "any" || word == "owner" => Some(word.as_str().into()),
            agents => Some(agents.into()),
        }
    }
}

fn under(text: &str) -> TaskLimitBody {
    let (name, key) = match text.split_once('=') {
        Some((name, key)) => (name, Some(key.to_owned())),
        None => (text, None),
    };
    TaskLimitBody { name: Some(name.into()), key, ..TaskLimitBody::default() }
}
