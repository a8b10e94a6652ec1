//! Mail between agents.

use reef_api::agent::Scope;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{About, Answer, Context, Effect, Operation, Toolset};
use crate::{Hub, Request};

#[derive(Debug, Clone, Copy, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Priority {
    Low,
    Medium,
    High,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SendMessage {
    /// The agent that gets it.
    to: String,
    /// Text or JSON, up to 64 KiB.
    content: Value,
    /// What it is about.
    topic: Option<String>,
    /// medium if left out.
    priority: Option<Priority>,
    /// An object that is kept as it is.
    metadata: Option<serde_json::Map<String, Value>>,
}

impl Operation for SendMessage {
    const ABOUT: About = About {
        name: "send_message",
        title: "Send mail",
        description: "Sends mail to another agent. It waits there until it is acknowledged.",
        toolset: Toolset::Core,
        scope: Scope::Write,
        acts: true,
        effect: Effect::Adds,
        answers: &[("msg_id", "string"), ("depth", "integer")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let Self { to, content, topic, priority, metadata } = self;
        let body = json!({"from": cx.me(), "content": content, "topic": topic,
            "priority": priority, "metadata": metadata});
        cx.ask_once(Request::post(["inbox", &to], &body)).await
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ReadInbox {
    /// Most messages; 10 if left out.
    #[schemars(range(min = 1, max = 50))]
    limit: Option<i64>,
    /// false: keep them, and call ack_messages when done; what is not acknowledged comes back.
    ack: Option<bool>,
    /// With ack=false: for how long they are yours.
    #[schemars(range(min = 1000, max = 3_600_000))]
    lease_ms: Option<i64>,
    /// true: only look, and leave them there.
    peek: Option<bool>,
}

impl Operation for ReadInbox {
    const ABOUT: About = About {
        name: "read_inbox",
        title: "Read mail",
        description: "Takes mail out of your inbox, oldest first within a priority. It is \
                      acknowledged at once unless you say otherwise.",
        toolset: Toolset::Core,
        scope: Scope::Write,
        acts: true,
        effect: Effect::Adds,
        answers: &[("messages", "array")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let limit = self.limit.unwrap_or(10);
        let me = cx.me();
        if self.peek.unwrap_or(false) {
            return cx.ask(Request::get(["inbox", me]).query("limit", Some(limit))).await;
        }
        let body = json!({"limit": limit, "lease_ms": self.lease_ms});
        let mut mail = cx.ask_once(Request::post(["inbox", me, "receive"], &body)).await?;
        if self.ack.unwrap_or(true)
            && let Some(Value::Array(messages)) = mail.get_mut("messages")
        {
            let receipts =
                messages.iter_mut().filter_map(|it| it.as_object_mut()?.remove("receipt"));
            let receipts: Vec<_> = receipts.collect();
            if !receipts.is_empty() {
                acknowledge(cx, &receipts).await?;
            }
        }
        Ok(mail)
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct AckMessages {
    /// As read_inbox gave them with ack=false.
    #[schemars(length(min = 1, max = 100))]
    receipts: Vec<String>,
}

impl Operation for AckMessages {
    const ABOUT: About = About {
        name: "ack_messages",
        title: "Acknowledge mail",
        description: "Acknowledges mail that read_inbox gave with ack=false.",
        toolset: Toolset::Core,
        scope: Scope::Write,
        acts: true,
        effect: Effect::Sets,
        answers: &[("acknowledged", "integer"), ("unknown", "integer")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let receipts: Vec<_> = self.receipts.into_iter().map(Value::from).collect();
        acknowledge(cx, &receipts).await
    }
}

async fn acknowledge<H: Hub>(cx: &Context<'_, H>, receipts: &[Value]) -> Answer {
    let body = json!({"receipts": receipts});
    cx.ask(Request::post(["inbox", cx.me(), "ack"], &body)).await
}
