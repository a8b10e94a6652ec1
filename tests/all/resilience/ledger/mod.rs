//! Money while requests are repeated at once, processes are killed, and everybody trades.

mod kills;
mod once;
mod storm;

use serde_json::{Value, json};

use crate::harness::{Client, NewAgent};

/// An agent, with its key.
#[derive(Clone)]
struct Agent {
    id: String,
    key: String,
    client: Client,
}

impl Agent {
    #[track_caller]
    fn new(admin: &Client) -> Self {
        let NewAgent { id, key, client } = admin.new_agent();
        Self { id, key, client }
    }

    #[track_caller]
    fn with(admin: &Client, amount: i64) -> Self {
        let agent = Self::new(admin);
        agent.client.post("/deposit", &json!({"agent_id": agent.id, "amount": amount})).ok();
        agent
    }
}

#[track_caller]
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
