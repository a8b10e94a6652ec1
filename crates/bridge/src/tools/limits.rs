//! What tasks share: limits.

use reef_api::agent::Scope;
use reef_api::limit::{LimitBody, PenaltyBody, QueueBody, RateBody};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{About, Answer, Context, Effect, Operation, Toolset, listed};
use crate::{Hub, Request};

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ListLimits {
    /// The next_cursor of the page before.
    cursor: Option<String>,
}

impl Operation for ListLimits {
    const ABOUT: About = About {
        name: "list_limits",
        title: "List limits",
        description: "Lists the limits that tasks can be under: how many run at once, how many begin \
                      within a time.",
        toolset: Toolset::Flow,
        scope: Scope::Read,
        acts: false,
        effect: Effect::Reads,
        answers: &[("limits", "array"), ("next_cursor", "string")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let (limits, next_cursor) =
            cx.list(Request::get(["limits"]).query("cursor", self.cursor)).await?;
        Ok(listed("limits", limits, next_cursor))
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ShutLimit {
    /// A limit of the task.
    name: String,
    /// The task that you run.
    task_id: String,
    /// The token of its claim.
    token: String,
    /// For how long the provider wants to be left alone.
    #[schemars(range(min = 1, max = 3_600_000))]
    retry_after_ms: i64,
}

impl Operation for ShutLimit {
    const ABOUT: About = About {
        name: "shut_limit",
        title: "Say that a provider is busy",
        description: "When a provider has refused a request of yours for a time (429), keeps back all \
                      tasks under the same limit until then.",
        toolset: Toolset::Flow,
        scope: Scope::Write,
        acts: false,
        effect: Effect::Sets,
        answers: &[("name", "string"), ("shut_until", "string")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let body = PenaltyBody {
            retry_after_ms: Some(self.retry_after_ms),
            task_id: Some(self.task_id.into()),
            token: Some(self.token.into()),
            ..PenaltyBody::default()
        };
        cx.ask(Request::post(["limits", &self.name, "penalty"], &body)).await
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SetLimit {
    /// Which limit.
    name: String,
    /// Most tasks that run at once; left out, any number.
    #[schemars(range(min = 1, max = 10_000))]
    concurrency: Option<i64>,
    /// Most tasks that begin within per_ms; left out, any number.
    #[schemars(range(min = 1))]
    count: Option<i64>,
    /// Within how long count may begin; a minute if left out.
    #[schemars(range(min = 1))]
    per_ms: Option<i64>,
    /// None begins.
    paused: Option<bool>,
}

impl Operation for SetLimit {
    const ABOUT: About = About {
        name: "set_limit",
        title: "Set a limit",
        description: "Makes a limit that tasks can be under, or replaces it. What runs goes on.",
        toolset: Toolset::Operate,
        scope: Scope::Admin,
        acts: false,
        effect: Effect::Sets,
        answers: &[("name", "string"), ("concurrency", "integer"), ("rates", "array")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let per_ms = Some(self.per_ms.unwrap_or(60_000));
        let rates =
            self.count.map(|count| vec![RateBody { count: Some(count), per_ms, unit: None }]);
        let body = LimitBody {
            concurrency: self.concurrency,
            rates,
            paused: self.paused,
            ..LimitBody::default()
        };
        cx.ask(Request::put(["limits", &self.name], &body)).await
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct PauseQueue {
    /// No task begins.
    paused: bool,
    /// No task begins that requires one of these; with paused false.
    #[schemars(length(max = 100))]
    skills: Option<Vec<String>>,
    /// No task of these types begins; with paused false.
    #[schemars(length(max = 5))]
    types: Option<Vec<String>>,
}

impl Operation for PauseQueue {
    const ABOUT: About = About {
        name: "pause_queue",
        title: "Pause or resume the queue",
        description: "Lets no task begin, or none that requires certain skills or is of certain types; \
                      with paused false and neither all go on. What runs goes on in any case.",
        toolset: Toolset::Operate,
        scope: Scope::Admin,
        acts: false,
        effect: Effect::Sets,
        answers: &[("paused", "boolean"), ("paused_skills", "array"), ("paused_types", "array")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let body = QueueBody {
            paused: Some(self.paused),
            paused_skills: self.skills,
            paused_types: self.types,
        };
        cx.ask(Request::put(["queue"], &body)).await
    }
}
