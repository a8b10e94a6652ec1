//! What one agent may do to others: quotas, a Redis that is full, costs that one sets and another pays.

mod costs;
mod full;
mod neighbour;
mod quotas;

use serde_json::{Value, json};

use crate::harness::{Client, Hub};

/// An agent of a hub, and who calls under its key.
fn new_tenant(hub: &Hub) -> (String, Client) {
    let agent = hub.admin().new_agent();
    (agent.id, agent.client)
}

/// A task that only nodes with a skill can run.
fn task(skill: &str) -> Value {
    json!({"name": "work", "required_skills": [skill]})
}

/// Commands that Redis has carried out so far, those within scripts among them, `INFO` apart.
fn commands(redis: &mut redis::Connection) -> u64 {
    let text: String = redis::cmd("INFO").arg("commandstats").query(redis).unwrap();
    let counted = text.lines().filter(|line| !line.starts_with("cmdstat_info:"));
    let calls = counted.filter_map(|line| line.split_once("calls=")?.1.split(',').next());
    calls.map(|calls| calls.parse::<u64>().unwrap()).sum()
}

/// Commands that Redis carries out for something.
fn cost(redis: &mut redis::Connection, of: impl FnOnce()) -> u64 {
    let before = commands(redis);
    of();
    commands(redis) - before
}
