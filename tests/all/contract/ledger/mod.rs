//! Money: what §6 of contract.md promises.

mod entries;
mod holds;
mod intents;
mod money;
mod positions;
mod repeats;

use serde_json::{Value, json};

use super::agents::{Agent, new_agent};
use super::{Subject, hub};
use crate::harness::unique;

pub const HOLD_FIELDS: &[&str] =
    &["hold_id", "agent_id", "amount", "posted", "status", "expires_at", "to_agent", "created_at"];

pub const INTENT_FIELDS: &[&str] = &[
    "intent_id",
    "agent_id",
    "intent_type",
    "asset",
    "size",
    "filled",
    "remaining",
    "leverage",
    "margin",
    "max_slippage",
    "reason",
    "status",
    "matched_with",
    "created_at",
    "updated_at",
];

pub const POSITION_FIELDS: &[&str] = &[
    "position_id",
    "agent_id",
    "asset",
    "side",
    "size",
    "entry_price",
    "leverage",
    "margin",
    "mark",
    "unrealized_pnl",
    "realized_pnl",
    "status",
    "intent_id",
    "match_id",
    "counter_position",
    "close_price",
    "close_reason",
    "created_at",
    "closed_at",
];

/// An agent that has so much.
#[track_caller]
pub fn agent_with(hub: &Subject, amount: &str) -> Agent {
    let agent = new_agent(hub);
    let deposit = json!({"agent_id": agent.id, "amount": amount});
    agent.client.post("/deposit", &deposit).ok();
    agent
}

/// Balance, the reserved part of it, and the rest.
#[track_caller]
pub fn figures(agent: &Agent) -> [String; 3] {
    let answer = agent.client.get(&format!("/balance/{}", agent.id));
    let balance = answer.has_fields(&["agent_id", "balance", "locked", "available"]);
    assert_eq!(balance["agent_id"], agent.id);
    ["balance", "locked", "available"].map(|field| balance[field].as_str().unwrap().to_owned())
}

#[track_caller]
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// Names an asset that no other test uses.
pub fn an_asset() -> String {
    let name = unique("A").replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let tail = name.len().saturating_sub(32);
    name[tail..].to_owned()
}

#[track_caller]
pub fn intent(agent: &Agent, side: &str, asset: &str, size: &str, leverage: i64) -> Value {
    let body = json!({
        "agent_id": agent.id, "intent_type": side, "asset": asset, "size": size,
        "leverage": leverage,
    });
    agent.client.post("/intents", &body).ok()["intent"].clone()
}

/// A long and a short agent with 100 each, and their positions of a size at a price.
pub struct Deal {
    pub hub: Subject,
    pub long: Agent,
    pub short: Agent,
    pub positions: [String; 2],
    pub answer: Value,
}

impl Deal {
    #[track_caller]
    pub fn new(size: &str, leverage: i64, price: &str) -> Self {
        let hub = hub();
        let (long, short) = (agent_with(&hub, "100"), agent_with(&hub, "100"));
        let asset = an_asset();
        let a = text(&intent(&long, "long", &asset, size, leverage)["intent_id"]);
        let b = text(&intent(&short, "short", &asset, size, leverage)["intent_id"]);
        let body = json!({"with": b, "price": price});
        let answer = hub.client.post(&format!("/intents/{a}/match"), &body).ok();
        let positions = [0, 1].map(|n| text(&answer["positions"][n]["position_id"]));
        Self { hub, long, short, positions, answer }
    }
}
