//! `reef health`: how the cluster or a node is, for people and for supervisors.

use clap::Args;
use serde_json::Value;

use crate::Context;
use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::table::{facts, text, time};

/// Shown above its `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef health              the cluster
  reef health gpu-1        one node; exit code 1 unless it is online and was heard of
";

/// `reef health`.
#[derive(Debug, Args)]
pub struct Health {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    /// A node; else the cluster
    node: Option<String>,
}

impl Health {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        let (answer, is_good) = match &self.node {
            Some(node) => {
                let answer = cx.hub.get(["nodes", node, "health"]).send().await?;
                cx.out.answer(&answer, |health| of_node(&health))?;
                let health: Value = answer.json()?;
                let is_good = health.get("healthy") == Some(&Value::Bool(true));
                (health, is_good)
            }
            None => {
                let answer = cx.hub.get(["cluster", "health"]).send().await?;
                cx.out.answer(&answer, |health| of_cluster(&health))?;
                let health: Value = answer.json()?;
                let is_good = number(&health, "timeout_nodes_count") == 0 && !is_suspended(&health);
                (health, is_good)
            }
        };
        if let Some(reason) = reason(&answer).filter(|_| !cx.out.is_json()) {
            cx.out.note(&format!("nobody is marked offline for now: {reason}"));
        }
        if is_good { Ok(()) } else { Err(Failure::Found) }
    }
}

/// A whole number of an answer.
pub(crate) fn number(object: &Value, name: &str) -> i64 {
    object.get(name).and_then(Value::as_i64).unwrap_or_default()
}

/// Whether the mass expiry guard holds.
pub(crate) fn is_suspended(health: &Value) -> bool {
    health.pointer("/expiry/suspended") == Some(&Value::Bool(true))
}

/// Why it does.
pub(crate) fn reason(health: &Value) -> Option<&str> {
    health.pointer("/expiry/reason").and_then(Value::as_str)
}

fn of_node(health: &Value) -> String {
    let silent = health.get("time_since_heartbeat").and_then(Value::as_f64).unwrap_or_default();
    let word = match (text(health, "healthy").as_str(), text(health, "is_timeout").as_str()) {
        ("true", _) => "healthy",
        (_, "true") => "not healthy: it has been silent for too long",
        _ => "not healthy",
    };
    facts([
        ("node", text(health, "node_id")),
        ("health", word.to_owned()),
        ("status", text(health, "status")),
        ("heard of", format!("{} ({silent:.1} s ago)", time(health, "last_heartbeat"))),
        (
            "tasks",
            format!("{}/{}", text(health, "running_tasks"), text(health, "max_concurrent_tasks")),
        ),
        ("cpu", format!("{} %", text(health, "cpu_usage"))),
        ("memory", format!("{} %", text(health, "memory_usage"))),
        ("disk", format!("{} %", text(health, "disk_usage"))),
    ])
}

/// The cluster's figures below each other.
pub(crate) fn of_cluster(health: &Value) -> String {
    let by_status = health.get("nodes_by_status").and_then(Value::as_object);
    let counts = by_status.into_iter().flatten();
    let counts = counts.map(|(status, count)| format!("{count} {status}")).collect::<Vec<_>>();
    let capacity = format!(
        "{} of {} in use ({} %)",
        text(health, "used_capacity"),
        text(health, "total_capacity"),
        text(health, "capacity_utilization")
    );
    facts([
        ("nodes", text(health, "total_nodes")),
        ("", counts.join(", ")),
        ("silent", text(health, "timeout_nodes_count")),
        ("capacity", capacity),
    ])
}
