//! Money while requests are repeated at once, processes are killed, and everybody trades.

mod kills;
mod once;
mod storm;

use serde_json::{Value, json};

use crate::harness::{Client, unique};

/// An agent, with its key.
#[derive(Clone)]
struct Agent {
    id: String,
    key: String,
    client: Client,
}

impl Agent {
    #[track_caller]
    fn new(anonymous: &Client) -> Self {
        let made = anonymous.post("/agents/register", &json!({"agent_id": unique("agent")})).ok();
        let (id, key) = (text(&made["agent"]["agent_id"]), text(&made["api_key"]));
        let client = anonymous.with_key(&key);
        Self { id, key, client }
    }

    #[track_caller]
    fn with(anonymous: &Client, amount: i64) -> Self {
        let agent = Self::new(anonymous);
        agent.client.post("/deposit", &json!({"agent_id": agent.id, "amount": amount})).ok();
        agent
    }
}

#[track_caller]
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
