//! Messages that are read while they are written.

use reef_api::agent::Scope;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{About, Answer, Context, Effect, Operation, Toolset};
use crate::{Hub, Request};

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct OpenSession {
    /// Whose conversation it is.
    user_id: Option<String>,
    /// An object that is kept as it is.
    metadata: Option<Map<String, Value>>,
}

impl Operation for OpenSession {
    const ABOUT: About = About {
        name: "open_session",
        title: "Open a session",
        description: "Begins a conversation.",
        toolset: Toolset::Stream,
        scope: Scope::Write,
        acts: false,
        effect: Effect::Adds,
        answers: &[("session_id", "string"), ("status", "string")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let body = json!({"user_id": self.user_id, "metadata": self.metadata});
        cx.ask_once(Request::post(["sessions"], &body)).await
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct StartMessage {
    /// In which session.
    session_id: String,
    /// What the user says.
    content: String,
}

impl Operation for StartMessage {
    const ABOUT: About = About {
        name: "start_message",
        title: "Ask in a session",
        description: "Stores what a user says, and opens the answer: append_message writes to it.",
        toolset: Toolset::Stream,
        scope: Scope::Write,
        acts: false,
        effect: Effect::Adds,
        answers: &[("user_message_id", "string"), ("assistant_message_id", "string")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let body = json!({"content": self.content});
        cx.ask_once(Request::post(["sessions", &self.session_id, "messages"], &body)).await
    }
}

/// Numbers that make a repeat harmless.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
struct Producer {
    /// Who appends.
    id: String,
    /// Grows whenever you begin anew.
    epoch: u64,
    /// 0, 1, 2, … in each epoch.
    seq: u64,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct AppendMessage {
    /// Which message.
    message_id: String,
    /// The text to append.
    delta: String,
    /// Numbers that make a repeat harmless.
    producer: Option<Producer>,
    /// The token of your claim, if it is the message of a session's task.
    claim_token: Option<String>,
}

impl Operation for AppendMessage {
    const ABOUT: About = About {
        name: "append_message",
        title: "Write to a message",
        description: "Appends text to an open message. Readers see it at once.",
        toolset: Toolset::Stream,
        scope: Scope::Write,
        acts: false,
        effect: Effect::Adds,
        answers: &[("sequence", "integer"), ("length", "integer")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let body = json!({"delta": self.delta, "producer": self.producer});
        let request = Request::post(["messages", &self.message_id, "append"], &body);
        cx.ask_once(request.under(self.claim_token)).await
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct AddBlock {
    /// Which message.
    message_id: String,
    /// Such as {"content_type":"code","code":{"code":"…","language":"rust"}}.
    block: Map<String, Value>,
    /// The token of your claim, if it is the message of a session's task.
    claim_token: Option<String>,
}

impl Operation for AddBlock {
    const ABOUT: About = About {
        name: "add_block",
        title: "Add content",
        description: "Adds a block to an open message: text, image, audio, video, file, code, \
                      markdown, html, json or thinking.",
        toolset: Toolset::Stream,
        scope: Scope::Write,
        acts: false,
        effect: Effect::Adds,
        answers: &[("content_id", "string"), ("sequence", "integer")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let request = Request::post(["messages", &self.message_id, "content"], &self.block);
        cx.ask_once(request.under(self.claim_token)).await
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct CompleteMessage {
    /// Which message.
    message_id: String,
    /// Why it ends early.
    error: Option<String>,
    /// The token of your claim, if it is the message of a session's task.
    claim_token: Option<String>,
}

impl Operation for CompleteMessage {
    const ABOUT: About = About {
        name: "complete_message",
        title: "Complete a message",
        description: "Closes a message: nothing can be written to it any more.",
        toolset: Toolset::Stream,
        scope: Scope::Write,
        acts: false,
        effect: Effect::Ends,
        answers: &[("message_id", "string"), ("is_complete", "boolean")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let body = json!({"error": self.error});
        let request = Request::post(["messages", &self.message_id, "complete"], &body);
        let mut told = cx.ask(request.under(self.claim_token)).await?;
        told.entry("message_id").or_insert(self.message_id.into());
        Ok(told)
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ReadMessage {
    /// Which message.
    message_id: String,
    /// Events behind this sequence number; 0 if left out.
    #[schemars(range(min = 0))]
    after: Option<u64>,
    /// Most events; 100 if left out.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u64>,
}

impl Operation for ReadMessage {
    const ABOUT: About = About {
        name: "read_message",
        title: "Read a message",
        description: "Reads the events of a message. Go on with after = next; gap says what is lost.",
        toolset: Toolset::Stream,
        scope: Scope::Read,
        acts: false,
        effect: Effect::Reads,
        answers: &[("events", "array")],
    };

    async fn run<H: Hub>(self, cx: &Context<'_, H>) -> Answer {
        let request = Request::get(["messages", &self.message_id, "events"]);
        let request = request.query("after", self.after);
        cx.ask(request.query("limit", Some(self.limit.unwrap_or(100)))).await
    }
}
