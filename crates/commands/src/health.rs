//! `reef health`: how the cluster or a node is, for people and for supervisors.

use clap::Args;
use reef_api::NodeId;
use reef_api::cluster::ClusterHealth;
use reef_api::heartbeat::Expiry;
use reef_api::node::NodeHealth;

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::table::facts;
use crate::{Context, time};

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
    node: Option<NodeId>,
}

impl Health {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        let (expiry, is_good) = match &self.node {
            Some(node) => {
                let answer = cx.hub.node_health(node).send().await?;
                cx.out.answer(&answer, |health| of_node(&health))?;
                (Expiry::default(), answer.value()?.healthy)
            }
            None => {
                let answer = cx.hub.cluster_health().send().await?;
                cx.out.answer(&answer, |health| of_cluster(&health))?;
                let health = answer.value()?;
                let is_good = health.timeout_nodes_count == 0 && !health.expiry.suspended;
                (health.expiry, is_good)
            }
        };
        if let Some(reason) = expiry.reason.filter(|_| !cx.out.is_json()) {
            cx.out.note(&format!("nobody is marked offline for now: {reason}"));
        }
        if is_good { Ok(()) } else { Err(Failure::Found) }
    }
}

/// Why nobody is marked offline.
pub(crate) fn reason(expiry: &Expiry) -> &str {
    expiry.reason.as_deref().unwrap_or("the mass expiry guard holds")
}

fn of_node(health: &NodeHealth) -> String {
    let word = match (health.healthy, health.is_timeout) {
        (true, _) => "healthy",
        (_, true) => "not healthy: it has been silent for too long",
        _ => "not healthy",
    };
    let (heard_of, silent) = (time::of(health.last_heartbeat), health.time_since_heartbeat);
    let percent = |share: f64| format!("{share:?} %");
    facts([
        ("node", health.node_id.to_string()),
        ("health", word.to_owned()),
        ("status", health.status.to_string()),
        ("heard of", format!("{heard_of} ({silent:.1} s ago)")),
        ("tasks", format!("{}/{}", health.running_tasks, health.max_concurrent_tasks)),
        ("cpu", percent(health.cpu_usage)),
        ("memory", percent(health.memory_usage)),
        ("disk", percent(health.disk_usage)),
    ])
}

/// The cluster's figures below each other.
pub(crate) fn of_cluster(health: &ClusterHealth) -> String {
    let counts = health.nodes_by_status.counts();
    let counts = counts.map(|(status, count)| format!("{count} {status}"));
    let ClusterHealth { used_capacity, total_capacity, capacity_utilization, .. } = health;
    facts([
        ("nodes", health.total_nodes.to_string()),
        ("", counts.join(", ")),
        ("silent", health.timeout_nodes_count.to_string()),
        (
            "capacity",
            format!("{used_capacity} of {total_capacity} in use ({capacity_utilization:?} %)"),
        ),
    ])
}
