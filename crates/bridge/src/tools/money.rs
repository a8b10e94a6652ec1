//! Money. Amounts are texts, so that no program on the way rounds them.

use reef_api::agent::Scope;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{About, Answer, Context, Effect, Operation, Toolset, listed};
use crate::{Hub, Request};

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Balance {}

impl Operation for Balance {
    const ABOUT: About = About {
        name: "balance",
        title: "Your balance",
        description: "Says what you have, what is locked, and what you can spend.",
        toolset: Toolset::Money,
        scope: Scope::Trade,
        acts: true,
        effect: Effect::Reads,
        answers: &[("balance", "string"), ("locked", "string"), ("available", "string")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        cx.ask(Request::get(["balance", cx.me()])).await
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Pay {
    /// The agent that is paid.
    to: String,
    /// How much, such as "12.5"; at most 6 places.
    amount: String,
    /// Stays in the journal.
    memo: Option<String>,
}

impl Operation for Pay {
    const ABOUT: About = About {
        name: "pay",
        title: "Pay",
        description: "Pays another agent. It does not come back; give an idempotency_key, so that a \
                      repeat does not pay twice.",
        toolset: Toolset::Money,
        scope: Scope::Trade,
        acts: true,
        effect: Effect::Spends,
        answers: &[("settlement", "object")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let body = json!({"from_agent": cx.me(), "to_agent": self.to, "amount": self.amount,
            "memo": self.memo});
        cx.ask_once(Request::post(["transfer"], &body)).await
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Hold {
    /// How much to reserve, such as "12.5".
    amount: String,
    /// When it ends by itself; left out, never.
    #[schemars(range(min = 1))]
    expires_in_ms: Option<i64>,
}

impl Operation for Hold {
    const ABOUT: About = About {
        name: "hold",
        title: "Reserve money",
        description: "Reserves some of your money, to be paid by settle_hold or released.",
        toolset: Toolset::Money,
        scope: Scope::Trade,
        acts: true,
        effect: Effect::Adds,
        answers: &[("hold", "object")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let body = json!({"agent_id": cx.me(), "amount": self.amount,
            "expires_in_ms": self.expires_in_ms});
        cx.ask_once(Request::post(["holds"], &body)).await
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Settlement {
    Post,
    Void,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SettleHold {
    /// Which hold.
    hold_id: String,
    /// post: pay of it, and release the rest; void: release all.
    action: Settlement,
    /// With post: how much; left out, all.
    amount: Option<String>,
    /// With post: the agent that is paid.
    to: Option<String>,
}

impl Operation for SettleHold {
    const ABOUT: About = About {
        name: "settle_hold",
        title: "Settle a hold",
        description: "Pays what was reserved, or releases it.",
        toolset: Toolset::Money,
        scope: Scope::Trade,
        acts: true,
        effect: Effect::Spends,
        answers: &[("hold", "object")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let Self { hold_id, action, amount, to } = self;
        let request = match action {
            Settlement::Post => {
                let body = json!({"amount": amount, "to_agent": to});
                Request::post(["holds", &hold_id, "post"], &body)
            }
            Settlement::Void => Request::post(["holds", &hold_id, "void"], &json!({})),
        };
        cx.ask_once(request).await
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Entries {
    /// Most entries; 20 if left out.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// The next_cursor of the page before.
    cursor: Option<String>,
}

impl Operation for Entries {
    const ABOUT: About = About {
        name: "entries",
        title: "Your journal",
        description: "Lists what has changed your balance, newest first.",
        toolset: Toolset::Money,
        scope: Scope::Trade,
        acts: true,
        effect: Effect::Reads,
        answers: &[("entries", "array"), ("next_cursor", "string")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let request = Request::get(["entries"]).query("agent_id", Some(cx.me()));
        let request = request.query("limit", Some(self.limit.unwrap_or(20)));
        let answer = cx.hub.call(request.query("cursor", self.cursor)).await;
        let mut entries: Map<String, Value> = answer.read()?;
        match entries.remove("entries") {
            Some(Value::Array(entries)) => Ok(listed("entries", entries, answer.next_cursor)),
            _ => Ok(entries),
        }
    }
}
