//! A fleet that sends its heartbeats on time: whether the hub holds it, and how long each
//! heartbeat takes, counted from when it was due.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use reef_domain::heartbeat::Timeout;
use reef_store::cluster::ShowHealth;
use serde::Serialize;

use super::Used;
use crate::load::paced::Pace;
use crate::operation::Operation;
use crate::options::Options;
use crate::process;
use crate::sample::shares_ms;
use crate::seed;
use crate::servers::hub::{Hub, Liveness};

/// Time between two heartbeats of a node.
const PERIOD: Duration = Duration::from_secs(10);
/// Open files of this process beside the fleet's connections.
const OTHER_FILES: u64 = 100;

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Fleet {
    /// Redis' version.
    pub(crate) redis: String,
    /// How many nodes.
    pub(crate) nodes: u64,
    /// How many connections they had together.
    pub(crate) connections: usize,
    /// Seconds between two heartbeats of a node.
    pub(crate) period_seconds: f64,
    /// For how long.
    pub(crate) seconds: f64,
    /// Heartbeats that were taken.
    pub(crate) heartbeats: u64,
    /// Milliseconds from when a heartbeat was due to the end of its answer, by share.
    pub(crate) latency_ms: Vec<(&'static str, f64)>,
    /// Milliseconds by which the load generator itself was late, by share; part of the above.
    pub(crate) late_ms: Vec<(&'static str, f64)>,
    /// The hub's share of one processor.
    pub(crate) hub_cores: Option<f64>,
    /// Redis' share of one processor.
    pub(crate) redis_cores: Option<f64>,
    /// Processors that were busy with other things.
    pub(crate) foreign_cores: Option<f64>,
    /// The hub's memory at the end, in bytes.
    pub(crate) hub_bytes: Option<u64>,
    /// Nodes that were online at the end.
    pub(crate) online: i64,
    /// What went wrong, and how often.
    pub(crate) faults: BTreeMap<String, u64>,
}

/// Measures.
pub(crate) async fn run(options: &Options) -> Result<Fleet> {
    let (nodes, time) = (options.fleet_nodes(), options.fleet_time());
    let connections = connections(nodes);
    eprintln!(
        "fleet: {nodes} nodes on {connections} connections, a heartbeat each every {PERIOD:?}, \
         for {time:?}"
    );
    let hub = Hub::start(options, Liveness::Usual).await?;
    seed::register_for(&hub.redis, 0..nodes, hub.owner()).await?;
    hub.redis.settle().await?;
    let pace = Pace {
        address: hub.server().address,
        template: Operation::Heartbeat.call(nodes).template(hub.server().address, hub.key()),
        numbers: None,
        senders: nodes,
        connections,
        period: PERIOD,
    };
    let used = || Used::now(hub.server(), &hub.redis);
    let before = Cell::new(used());
    let paced = pace.run(time, 0, |_| before.set(used())).await?;
    let used = used().since(before.get());
    let cores = |used: Option<Duration>| Some(used?.as_secs_f64() / time.as_secs_f64());
    let timeout = Timeout::DEFAULT;
    let show =
        ShowHealth { timeout_ms: timeout.as_millis(), period_ms: timeout.longest_period_ms() };
    let health = hub.redis.store().call(&show).await?;
    Ok(Fleet {
        redis: hub.redis.version.clone(),
        nodes,
        connections,
        period_seconds: PERIOD.as_secs_f64(),
        seconds: time.as_secs_f64(),
        heartbeats: paced.sample.answers,
        latency_ms: shares_ms(&paced.sample.latencies),
        late_ms: shares_ms(&paced.lateness),
        hub_cores: cores(used.server),
        redis_cores: cores(used.redis),
        foreign_cores: cores(used.foreign()),
        hub_bytes: process::resident_bytes(hub.server().pid()),
        online: health.nodes_by_status.online,
        faults: paced.sample.faults,
    })
}

/// A connection for each node, or as many as this process, and the hub with it, may open.
fn connections(nodes: u64) -> usize {
    let most = process::open_files_max().saturating_sub(OTHER_FILES).max(1);
    usize::try_from(nodes.min(most)).unwrap_or(1)
}
