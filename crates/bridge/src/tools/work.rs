//! Tasks as those see them who do them.

use reef_api::agent::Scope;
use reef_api::task::TaskClaimBody;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{About, Answer, Context, Effect, LEASE_MS, Operation, Toolset};
use crate::{Hub, Request};

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ClaimTask {
    /// Most tasks; 1 if left out.
    #[schemars(range(min = 1, max = 5))]
    limit: Option<i64>,
    /// For how long you may be silent; 300000 if left out.
    #[schemars(range(min = 10_000, max = 3_600_000))]
    lease_ms: Option<u64>,
    /// Wait so long for one.
    #[schemars(range(min = 0, max = 20_000))]
    wait_ms: Option<u64>,
    /// This task and no other.
    task_id: Option<String>,
}

impl Operation for ClaimTask {
    const ABOUT: About = About {
        name: "claim_task",
        title: "Claim work",
        description: "Takes the most urgent waiting task whose required skills you have. Keep its \
                      token: update_task and finish_task need it. Every call you make renews your \
                      lease; lease_expires_in_ms says how long you may be silent.",
        toolset: Toolset::Core,
        scope: Scope::Write,
        acts: true,
        effect: Effect::Adds,
        answers: &[("tasks", "array"), ("reason", "string")],
    };

    fn wait_ms(&self) -> u64 {
        self.wait_ms.unwrap_or(0)
    }

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let lease_ms = self.lease_ms.unwrap_or(LEASE_MS);
        let wait_ms = self.wait_ms.unwrap_or(0);
        let body = TaskClaimBody {
            node_id: Some(cx.me().into()),
            task_id: self.task_id.map(Into::into),
            limit: self.limit,
            lease_ms: Some(lease_ms.cast_signed()),
            wait_ms: Some(wait_ms.cast_signed()),
        };
        let mut claimed =
            cx.ask_once(Request::post(["tasks", "claim"], &body).waiting(wait_ms)).await?;
        if let Some(Value::Array(tasks)) = claimed.get_mut("tasks") {
            for task in tasks {
                task["lease_expires_in_ms"] = lease_ms.into();
            }
        }
        Ok(claimed)
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct UpdateTask {
    /// Which task.
    task_id: String,
    /// As claim_task gave it.
    token: String,
    /// How much is done, 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    progress: Option<f64>,
    /// For how long you may be silent from now on.
    #[schemars(range(min = 10_000, max = 3_600_000))]
    lease_ms: Option<u64>,
    /// All that you have used since you claimed it, by model: model, provider, input, output, cached, reasoning
    /// (tokens), requests, cost (such as "0.25").
    usage: Option<Vec<Map<String, Value>>>,
    /// What another try would go on from.
    checkpoint: Option<Value>,
}

impl Operation for UpdateTask {
    const ABOUT: About = About {
        name: "update_task",
        title: "Report progress",
        description: "Says how far a task of yours is. Stop, and do not finish it, when it was cancelled or \
                      has a wait_id (a budget is used up).",
        toolset: Toolset::Core,
        scope: Scope::Write,
        acts: true,
        effect: Effect::Sets,
        answers: &[
            ("cancelled", "boolean"),
            ("lease_expires_in_ms", "integer"),
            ("budget", "object"),
            ("wait_id", "string"),
        ],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let Self { task_id, token, progress, lease_ms, usage, checkpoint } = self;
        let body = json!({"token": token, "progress": progress, "lease_ms": lease_ms, "usage": usage,
            "checkpoint": checkpoint});
        let mut told = cx.ask(Request::post(["tasks", &task_id, "progress"], &body)).await?;
        if let Some(lease) = told.remove("lease_ms") {
            told.insert("lease_expires_in_ms".to_owned(), lease);
        }
        told.remove("success");
        Ok(told)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum End {
    Completed,
    Failed,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct FinishTask {
    /// Which task.
    task_id: String,
    /// As claim_task gave it.
    token: String,
    /// How it ended.
    outcome: End,
    /// What came of it: text or JSON.
    result: Option<Value>,
    /// Why it failed.
    error: Option<String>,
    /// false: nobody shall try again.
    retryable: Option<bool>,
    /// When to try again; left out, as the task says.
    #[schemars(range(min = 0, max = 86_400_000))]
    retry_in_ms: Option<i64>,
    /// As in update_task.
    usage: Option<Vec<Map<String, Value>>>,
    /// What it costs, if less than its charge.max.
    amount: Option<String>,
}

impl Operation for FinishTask {
    const ABOUT: About = About {
        name: "finish_task",
        title: "Finish a task",
        description: "Ends a task of yours, with its result or the reason why it failed. Finish \
                      every task that you claim.",
        toolset: Toolset::Core,
        scope: Scope::Write,
        acts: true,
        effect: Effect::Adds,
        answers: &[("task_id", "string"), ("status", "string")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let Self { task_id, token, outcome, usage, .. } = self;
        let request = match outcome {
            End::Completed => {
                let body = json!({"token": token, "result": self.result, "usage": usage,
                    "amount": self.amount});
                Request::post(["tasks", &task_id, "complete"], &body)
            }
            End::Failed => {
                let error = self.error.unwrap_or_else(|| "The agent gave no reason.".to_owned());
                let body = json!({"token": token, "error": error, "retryable": self.retryable,
                    "retry_in_ms": self.retry_in_ms, "usage": usage});
                Request::post(["tasks", &task_id, "fail"], &body)
            }
        };
        let ended = cx.ask_once(request).await?;
        let shown = |name: &str| Some((name.to_owned(), ended.get(name)?.clone()));
        let mut answer: Map<_, _> =
            ["task_id", "status", "retry_count"].into_iter().filter_map(shown).collect();
        answer.entry("task_id").or_insert(task_id.into());
        Ok(answer)
    }
}
