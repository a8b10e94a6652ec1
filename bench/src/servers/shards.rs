//! Redis Clusters of a few primaries, which keep their data in memory only.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use reef_redis::{Connections, Timeouts};
use reef_store::keys::Layout;
use reef_store::{Keys, Store};
use tempfile::TempDir;

use super::child;
use crate::options::Options;
use crate::redis::Redis;

/// How long it may take until all serve.
const START_MAX: Duration = Duration::from_secs(20);
/// How often that is looked for.
const LOOK: Duration = Duration::from_millis(50);
/// How many slots there are.
const SLOTS: usize = 16_384;

/// A cluster.
#[derive(Debug)]
pub(crate) struct Shards {
    /// Its primaries.
    pub(crate) nodes: Vec<Node>,
    /// The way in: the host's router.
    pub(crate) store: Store<reef_redis::Connection>,
}

/// One of the primaries.
#[derive(Debug)]
pub(crate) struct Node {
    /// The way to this one alone.
    pub(crate) redis: Redis,
    port: u16,
    bus_port: u16,
    _process: Process,
    // Goes after the process.
    _folder: TempDir,
}

#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        child::stop(&mut self.0);
    }
}

impl Shards {
    /// Starts so many primaries, each with its part of the slots.
    pub(crate) async fn start(options: &Options, count: usize) -> Result<Self> {
        let mut nodes = Vec::new();
        for _ in 0..count {
            nodes.push(Node::start(options).await?);
        }
        for (number, node) in nodes.iter().enumerate() {
            let (from, to) = (number * SLOTS / count, (number + 1) * SLOTS / count - 1);
            node.redis.cluster(&["ADDSLOTSRANGE", &from.to_string(), &to.to_string()]).await?;
        }
        if let Some((first, others)) = nodes.split_first() {
            for other in others {
                let (port, bus_port) = (other.port.to_string(), other.bus_port.to_string());
                first.redis.cluster(&["MEET", "127.0.0.1", &port, &bus_port]).await?;
            }
        }
        let deadline = Instant::now() + START_MAX;
        for node in &nodes {
            let known = format!("cluster_known_nodes:{count}");
            loop {
                let info = node.redis.cluster(&["INFO"]).await?;
                if info.contains(&known) && info.contains("cluster_state:ok") {
                    break;
                }
                if Instant::now() > deadline {
                    bail!("the cluster of {count} does not come up: {info}");
                }
                tokio::time::sleep(LOOK).await;
            }
        }
        let places: Vec<String> =
            nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        let timeouts = Timeouts { call: Duration::from_secs(30), ..Timeouts::default() };
        let url = format!("redis+cluster://{}/", places.join(","));
        let connection = Connections::new(timeouts).open(&url)?;
        let keys = Keys::new("", Layout::Cluster).map_err(|rule| anyhow::anyhow!("{rule}"))?;
        Ok(Self { nodes, store: Store::new(connection, keys) })
    }
}

impl Node {
    async fn start(options: &Options) -> Result<Self> {
        let (port, bus_port) = (reef_ports::free_port()?, reef_ports::free_port()?);
        let folder =
            tempfile::Builder::new().prefix("reef-bench-").tempdir_in(&options.state_dir)?;
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--port", &port.to_string(), "--cluster-port", &bus_port.to_string()])
            .args(["--cluster-enabled", "yes", "--dir"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start redis-server")?;
        let process = Process(child);
        let url = format!("redis://127.0.0.1:{port}/0");
        let deadline = Instant::now() + START_MAX;
        let redis = loop {
            match Redis::connect(&url).await {
                Ok(redis) => break redis,
                Err(_) if Instant::now() < deadline => tokio::time::sleep(LOOK).await,
                Err(error) => return Err(error.context("redis-server does not start")),
            }
        };
        Ok(Self { redis, port, bus_port, _process: process, _folder: folder })
    }
}
