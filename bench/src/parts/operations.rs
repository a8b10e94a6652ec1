//! Each operation on nodes through wasm, natively, and as a bare script.

use anyhow::Result;
use serde::Serialize;

use super::row::{Row, Sides};
use crate::options::Options;
use crate::process;
use crate::seed;
use crate::servers::hub::{Hub, Liveness};
use crate::servers::native;

/// Nodes in the cluster.
pub(crate) const NODES: u64 = 1_000;

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Operations {
    /// Redis' version.
    pub(crate) redis: String,
    /// Nodes in the cluster.
    pub(crate) nodes: u64,
    /// One for each operation, number of connections and way.
    pub(crate) rows: Vec<Row>,
    /// Bytes in use when all had been measured, by process.
    pub(crate) memory: Vec<(&'static str, Option<u64>)>,
}

/// Measures.
pub(crate) async fn run(options: &Options) -> Result<Operations> {
    eprintln!("operations: starting a hub with {NODES} nodes, and the native server");
    let hub = Hub::start(options, Liveness::Endless).await?;
    seed::register_for(&hub.redis, 0..NODES, hub.owner()).await?;
    seed::beat(&hub.redis, 0..NODES).await?;
    let native = native::start(&hub).await?;
    let mut rows = Vec::new();
    for operation in options.operations() {
        let widest = options.connections().into_iter().max();
        for connections in options.connections() {
            let sides = Sides {
                options,
                hub: &hub,
                native: &native,
                operation: operation.title(),
                call: operation.call(NODES),
                connections,
                makes_nodes: operation.makes_nodes(),
                pipelined: Some(connections) == widest,
                key: hub.key(),
            };
            rows.extend(sides.measure().await?);
        }
    }
    let memory = vec![
        ("hub (wasm)", process::resident_bytes(hub.server().pid())),
        ("native server", process::resident_bytes(native.pid())),
        ("Redis, data", Some(hub.redis.used_memory().await?)),
        ("Redis, process", process::resident_bytes(hub.redis.pid)),
    ];
    Ok(Operations { redis: hub.redis.version.clone(), nodes: NODES, rows, memory })
}
