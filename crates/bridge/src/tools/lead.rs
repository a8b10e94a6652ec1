//! Leadership.

use reef_api::agent::Scope;
use reef_api::leader::{CampaignBody, ResignBody};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{About, Answer, Context, Effect, Operation, Toolset};
use crate::{Hub, Request};

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Campaign {
    /// For how long you lead unless you call again; 30000 if left out.
    #[schemars(range(min = 1000, max = 3_600_000))]
    ttl_ms: Option<i64>,
}

impl Operation for Campaign {
    const ABOUT: About = About {
        name: "campaign",
        title: "Lead",
        description: "Makes you the leader if nobody leads, or lets you go on. Call it again before \
                      ttl_ms is over. term is the fencing token.",
        toolset: Toolset::Lead,
        scope: Scope::Write,
        acts: true,
        effect: Effect::Sets,
        answers: &[("is_leader", "boolean"), ("term", "integer"), ("ttl_ms", "integer")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let node_id = Some(cx.me().into());
        let body = CampaignBody { node_id, ttl_ms: self.ttl_ms, incarnation: None };
        cx.ask(Request::post(["cluster", "leader", "campaign"], &body)).await
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Resign {
    /// The term in which you lead.
    term: i64,
}

impl Operation for Resign {
    const ABOUT: About = About {
        name: "resign",
        title: "Stop leading",
        description: "Hands the leadership back.",
        toolset: Toolset::Lead,
        scope: Scope::Write,
        acts: true,
        effect: Effect::Ends,
        answers: &[("success", "boolean"), ("term", "integer")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let body = ResignBody { node_id: Some(cx.me().into()), term: Some(self.term) };
        cx.ask(Request::post(["cluster", "leader", "resign"], &body)).await
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Leader {}

impl Operation for Leader {
    const ABOUT: About = About {
        name: "leader",
        title: "Who leads",
        description: "Says who leads, in which term, and for how long.",
        toolset: Toolset::Lead,
        scope: Scope::Read,
        acts: false,
        effect: Effect::Reads,
        answers: &[("term", "integer"), ("ttl_ms", "integer")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        cx.ask(Request::get(["cluster", "leader"])).await
    }
}
