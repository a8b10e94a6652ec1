//! What tasks use and cost, and what they may. Amounts are texts, so that no program on the way rounds them.

use reef_api::agent::Scope;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{About, Answer, Context, Effect, Operation, Toolset, listed};
use crate::{Hub, Request};

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ShowUsage {
    /// By what it is added up: model, owner, user, node or group; model if left out.
    by: Option<String>,
    /// The first day in UTC, such as 2026-03-01; to if left out.
    from: Option<String>,
    /// The last day, at most 30 later; today if left out.
    to: Option<String>,
}

impl Operation for ShowUsage {
    const ABOUT: About = About {
        name: "show_usage",
        title: "Show what was used",
        description: "Shows the models' tokens and the cost of tasks, day by day.",
        toolset: Toolset::Flow,
        scope: Scope::Read,
        acts: false,
        effect: Effect::Reads,
        answers: &[("total", "object"), ("rows", "array")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let request = Request::get(["usage"])
            .query("by", self.by)
            .query("from", self.from)
            .query("to", self.to);
        cx.ask(request).await
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ListBudgets {
    /// The next_cursor of the page before.
    cursor: Option<String>,
}

impl Operation for ListBudgets {
    const ABOUT: About = About {
        name: "list_budgets",
        title: "List budgets",
        description: "Lists what your tasks may use together, and how much of that is used.",
        toolset: Toolset::Flow,
        scope: Scope::Read,
        acts: false,
        effect: Effect::Reads,
        answers: &[("budgets", "array"), ("next_cursor", "string")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let (budgets, next_cursor) =
            cx.list(Request::get(["budgets"]).query("cursor", self.cursor)).await?;
        Ok(listed("budgets", budgets, next_cursor))
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SetBudget {
    /// Whose tasks it is for: user, group, or, for an admin, owner.
    scope: String,
    /// Which user, group or agent.
    id: String,
    /// What may be spent, such as 20; this, or tokens, or both.
    cost: Option<String>,
    /// How many tokens models may read and write.
    #[schemars(range(min = 1))]
    tokens: Option<i64>,
    /// After how long it begins anew: day, month or total; total if left out.
    period: Option<String>,
    /// What becomes of the task that goes over it: flag, cancel or wait; flag if left out.
    on_exceed: Option<String>,
}

impl Operation for SetBudget {
    const ABOUT: About = About {
        name: "set_budget",
        title: "Set a budget",
        description: "Bounds what your tasks for a user, or of a group, may use together. What is used up \
                      takes no further tasks, unless on_exceed is flag.",
        toolset: Toolset::Flow,
        scope: Scope::Write,
        acts: false,
        effect: Effect::Sets,
        answers: &[
            ("scope", "string"),
            ("id", "string"),
            ("cost_used", "string"),
            ("exceeded", "boolean"),
        ],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let body = json!({"cost": self.cost, "tokens": self.tokens, "period": self.period,
            "on_exceed": self.on_exceed});
        cx.ask(Request::put(["budgets", &self.scope, &self.id], &body)).await
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct RemoveBudget {
    /// Whose tasks it is for: user, group, or, for an admin, owner.
    scope: String,
    /// Which user, group or agent.
    id: String,
}

impl Operation for RemoveBudget {
    const ABOUT: About = About {
        name: "remove_budget",
        title: "Remove a budget",
        description: "Lets your tasks for a user, or of a group, use as much as they like.",
        toolset: Toolset::Flow,
        scope: Scope::Write,
        acts: false,
        effect: Effect::Ends,
        answers: &[("scope", "string"), ("id", "string")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        cx.ask(Request::delete(["budgets", &self.scope, &self.id])).await
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ListPrices {}

impl Operation for ListPrices {
    const ABOUT: About = About {
        name: "list_prices",
        title: "List prices of models",
        description: "Lists what a million tokens of each model cost.",
        toolset: Toolset::Flow,
        scope: Scope::Read,
        acts: false,
        effect: Effect::Reads,
        answers: &[("prices", "array")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let (prices, _) = cx.list(Request::get(["prices"])).await?;
        Ok(listed("prices", prices, None))
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SetPrice {
    /// The model, or provider/model.
    model: String,
    /// For a million tokens that it reads, such as 2.50.
    input: String,
    /// For a million tokens that it writes.
    output: String,
    /// For a million tokens that it reads from its cache; left out, as input.
    cached: Option<String>,
}

impl Operation for SetPrice {
    const ABOUT: About = About {
        name: "set_price",
        title: "Set a model's price",
        description: "Says what a million tokens of a model cost, for tasks that report tokens and no cost.",
        toolset: Toolset::Operate,
        scope: Scope::Admin,
        acts: false,
        effect: Effect::Sets,
        answers: &[("model", "string"), ("input", "string"), ("output", "string")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let body = json!({"input": self.input, "output": self.output, "cached": self.cached});
        cx.ask(Request::put(["prices", &self.model], &body)).await
    }
}
