//! What an operator does.

use reef_api::TaskId;
use reef_api::agent::Scope;
use reef_api::node::{NodeChange, NodeStatus};
use reef_api::task::{TaskRedriveBody, TaskRedriveFilter};
use reef_api::word::Open;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{About, Answer, Context, Effect, Operation, Toolset};
use crate::{Hub, Request};

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ClusterHealth {}

impl Operation for ClusterHealth {
    const ABOUT: About = About {
        name: "cluster_health",
        title: "How the cluster is",
        description: "Counts agents by status, and their capacity.",
        toolset: Toolset::Operate,
        scope: Scope::Admin,
        acts: false,
        effect: Effect::Reads,
        answers: &[("total_nodes", "integer"), ("nodes_by_status", "object")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        cx.ask(Request::get(["cluster", "health"])).await
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct DrainAgent {
    /// Which agent.
    agent: String,
}

impl Operation for DrainAgent {
    const ABOUT: About = About {
        name: "drain_agent",
        title: "Drain an agent",
        description: "Gives an agent no further tasks; those that it has, it may finish.",
        toolset: Toolset::Operate,
        scope: Scope::Admin,
        acts: false,
        effect: Effect::Sets,
        answers: &[("node_id", "string"), ("status", "string")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let status = Some(Open::Known(NodeStatus::Maintenance));
        let change = NodeChange { status, ..NodeChange::default() };
        cx.ask(Request::patch(["nodes", &self.agent], &change)).await
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Redrive {
    /// Which tasks; left out, all that are dead.
    #[schemars(length(min = 1, max = 1000))]
    task_ids: Option<Vec<String>>,
    /// false: do it. Left out or true: only say which.
    dry_run: Option<bool>,
}

impl Operation for Redrive {
    const ABOUT: About = About {
        name: "redrive",
        title: "Try dead tasks again",
        description: "Puts tasks that have failed for good back into the queue.",
        toolset: Toolset::Operate,
        scope: Scope::Admin,
        acts: false,
        effect: Effect::Adds,
        answers: &[("redriven", "integer"), ("task_ids", "array"), ("dry_run", "boolean")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let body = TaskRedriveBody {
            filter: self.task_ids.is_none().then(TaskRedriveFilter::default),
            task_ids: self.task_ids.map(|ids| ids.into_iter().map(TaskId::from).collect()),
            dry_run: Some(self.dry_run.unwrap_or(true)),
        };
        cx.ask_once(Request::post(["tasks", "dead", "redrive"], &body)).await
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Events {
    /// Events behind this cursor; left out, the oldest that are kept.
    after: Option<String>,
    /// Most events; 100 if left out.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<i64>,
    /// Only events of this type, among those that were read.
    r#type: Option<String>,
}

impl Operation for Events {
    const ABOUT: About = About {
        name: "events",
        title: "What has happened",
        description: "Lists the cluster's events. Go on with after = next; gap says what is lost.",
        toolset: Toolset::Operate,
        scope: Scope::Admin,
        acts: false,
        effect: Effect::Reads,
        answers: &[("events", "array"), ("next", "string")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let request = Request::get(["cluster", "events"]).query("after", self.after);
        let request = request.query("limit", Some(self.limit.unwrap_or(100)));
        let mut answer = cx.ask(request).await?;
        if let Some(wanted) = &self.r#type
            && let Some(Value::Array(events)) = answer.get_mut("events")
        {
            events.retain(|event| event["event_type"] == wanted.as_str());
        }
        Ok(answer)
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct History {
    /// When it begins, such as 2026-03-01T08:00:00Z; left out, three hours, or a week, before to.
    from: Option<String>,
    /// When it ends; left out, now.
    to: Option<String>,
    /// How long a point is, in seconds: 60 or 3600; 60 if left out.
    step: Option<i64>,
    /// What is shown, with commas between, such as submitted,dead,wait_p95; all if left out.
    series: Option<String>,
}

impl Operation for History {
    const ABOUT: About = About {
        name: "history",
        title: "What has happened, by minutes",
        description: "Counts, waits, runs, nodes and cost, minute by minute or hour by hour.",
        toolset: Toolset::Operate,
        scope: Scope::Admin,
        acts: false,
        effect: Effect::Reads,
        answers: &[("step", "integer"), ("points", "array")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let request = Request::get(["history"])
            .query("from", self.from)
            .query("to", self.to)
            .query("step", self.step)
            .query("series", self.series);
        cx.ask(request).await
    }
}
