//! Each operation with few and with many nodes: whether its cost grows with the cluster.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use super::Asking;
use crate::operation::Operation;
use crate::options::Options;
use crate::process;
use crate::sample::Sample;
use crate::seed;
use crate::servers::hub::{Hub, Liveness};

/// From how many connections, if no numbers of connections are given.
const CONNECTIONS: usize = 64;

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Scale {
    /// Redis' version.
    pub(crate) redis: String,
    /// From how many connections.
    pub(crate) connections: usize,
    /// Nodes in the small cluster and in the big one.
    pub(crate) nodes: (u64, u64),
    /// One for each operation.
    pub(crate) rows: Vec<Row>,
    /// The clusters' memory.
    pub(crate) memory: (Memory, Memory),
}

/// Bytes that a cluster takes.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Memory {
    /// The data in Redis, before the load.
    pub(crate) redis: u64,
    /// The hub's process, after the load.
    pub(crate) hub: Option<u64>,
}

/// One line of the table.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// What was asked.
    pub(crate) operation: Operation,
    /// In the small cluster.
    pub(crate) small: Cost,
    /// In the big one.
    pub(crate) big: Cost,
}

/// What an operation costs.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Cost {
    /// Good answers a second; nothing where none were asked for.
    pub(crate) rate: Option<f64>,
    /// Milliseconds.
    pub(crate) p99_ms: Option<f64>,
    /// Processor time of the hub for each answer, in microseconds.
    pub(crate) hub_cpu_us: Option<f64>,
    /// Processor time of Redis for each answer, in microseconds, with all that it does beside.
    pub(crate) redis_cpu_us: Option<f64>,
    /// Processors that were busy with other things meanwhile.
    pub(crate) foreign_cores: Option<f64>,
    /// Time inside a script, as Redis counts it, in microseconds.
    pub(crate) script_us: Option<f64>,
    /// What went wrong, and how often.
    pub(crate) faults: BTreeMap<String, u64>,
}

impl Cost {
    /// Processor time of hub and Redis for each answer, in microseconds.
    pub(crate) fn cpu_us(&self) -> Option<f64> {
        Some(self.hub_cpu_us? + self.redis_cpu_us?)
    }
}

/// Measures.
pub(crate) async fn run(options: &Options) -> Result<Scale> {
    let nodes = options.scales();
    let connections = options.connections().into_iter().max().unwrap_or(CONNECTIONS);
    eprintln!("scale: starting two hubs, with {} and with {} nodes", nodes.0, nodes.1);
    let start = || Hub::start(options, Liveness::Endless);
    let (small, big) = (start().await?, start().await?);
    seed::register_for(&small.redis, 0..nodes.0, small.owner()).await?;
    let registering = seed_big(&big, nodes).await?;
    for (hub, nodes) in [(&small, nodes.0), (&big, nodes.1)] {
        seed::beat(&hub.redis, 0..nodes).await?;
        hub.redis.rewrite_log().await?;
    }
    let data = (small.redis.used_memory().await?, big.redis.used_memory().await?);

    let mut rows = Vec::new();
    for operation in options.operations() {
        if operation.makes_nodes() {
            rows.push(Row { operation, small: registering.0.cost(), big: registering.1.cost() });
            continue;
        }
        let mut costs = (Measured::new()?, Measured::new()?);
        let asking = (
            Asking::new(&operation.call(nodes.0), &small, small.server(), connections),
            Asking::new(&operation.call(nodes.1), &big, big.server(), connections),
        );
        asking.0.warm_up().await?;
        asking.1.warm_up().await?;
        for round in 0..u64::from(options.rounds) {
            costs.0.measure(&asking.0, options, round).await?;
            costs.1.measure(&asking.1, options, round).await?;
        }
        let row = Row { operation, small: costs.0.cost(), big: costs.1.cost() };
        eprintln!(
            "  {}: {:.0}/s and {:.0}/s, {:.1} µs and {:.1} µs in the script",
            operation.title(),
            row.small.rate.unwrap_or_default(),
            row.big.rate.unwrap_or_default(),
            row.small.script_us.unwrap_or_default(),
            row.big.script_us.unwrap_or_default(),
        );
        rows.push(row);
    }
    let memory =
        |hub: &Hub, redis| Memory { redis, hub: process::resident_bytes(hub.server().pid()) };
    Ok(Scale {
        redis: big.redis.version.clone(),
        connections,
        nodes,
        rows,
        memory: (memory(&small, data.0), memory(&big, data.1)),
    })
}

/// Fills the big cluster, and finds out what registering a new node costs in a cluster of the
/// small size and in one of nearly the full size: as many nodes as the small one has each.
async fn seed_big(hub: &Hub, (small, big): (u64, u64)) -> Result<(ScriptCost, ScriptCost)> {
    let almost = big.saturating_sub(small).max(small);
    let twice = (small * 2).min(almost);
    seed::register_for(&hub.redis, 0..small, hub.owner()).await?;
    let begun = hub.redis.scripts().await?;
    seed::register_for(&hub.redis, small..twice, hub.owner()).await?;
    let in_small = (hub.redis.scripts().await? - begun).micros_per_call();
    seed::register_for(&hub.redis, twice..almost, hub.owner()).await?;
    let begun = hub.redis.scripts().await?;
    seed::register_for(&hub.redis, almost..big, hub.owner()).await?;
    let in_big = (hub.redis.scripts().await? - begun).micros_per_call();
    Ok((ScriptCost(in_small), ScriptCost(in_big)))
}

/// What was measured while seeding.
struct ScriptCost(Option<f64>);

impl ScriptCost {
    fn cost(&self) -> Cost {
        Cost { script_us: self.0, ..Cost::default() }
    }
}

/// An operation in one cluster over all rounds.
struct Measured {
    sample: Sample,
    script_us: Vec<f64>,
}

impl Measured {
    fn new() -> Result<Self> {
        Ok(Self { sample: Sample::new()?, script_us: Vec::new() })
    }

    async fn measure(&mut self, asking: &Asking<'_>, options: &Options, round: u64) -> Result<()> {
        let before = asking.redis.scripts().await?;
        let sample = asking.measure(options.round(), round).await?;
        self.script_us.extend((asking.redis.scripts().await? - before).micros_per_call());
        self.sample.add(&sample)
    }

    fn cost(&self) -> Cost {
        let sample = &self.sample;
        let rounds = self.script_us.len();
        Cost {
            rate: Some(sample.rate()),
            p99_ms: Some(sample.quantile_ms(0.99)),
            hub_cpu_us: sample.per_answer_us(sample.server_cpu),
            redis_cpu_us: sample.per_answer_us(sample.redis_cpu),
            foreign_cores: sample.foreign_cores(),
            script_us: (rounds > 0).then(|| self.script_us.iter().sum::<f64>() / rounds as f64),
            faults: sample.faults.clone(),
        }
    }
}
