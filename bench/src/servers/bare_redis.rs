//! A Redis that serves nobody else: no hub runs its own scripts beside those that are measured.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::child;
use crate::redis::Redis;

/// How long it may take to start.
const START_MAX: Duration = Duration::from_secs(10);
/// How often it is tried to connect to it.
const LOOK: Duration = Duration::from_millis(20);

/// An empty Redis, which keeps its data in memory only: what writing to the disk costs is no part
/// of a script's time.
#[derive(Debug)]
pub(crate) struct BareRedis {
    /// The way to it.
    pub(crate) redis: Redis,
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

impl BareRedis {
    /// Starts it.
    pub(crate) async fn start(state_dir: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("reef-bench-").tempdir_in(state_dir)?;
        let socket = folder.path().join("redis.sock");
        let child = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(&socket)
            .arg("--dir")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start redis-server")?;
        let process = Process(child);
        let url = format!("redis+unix://{}", socket.display());
        let deadline = Instant::now() + START_MAX;
        let redis = loop {
            match Redis::connect(&url).await {
                Ok(redis) => break redis,
                Err(_) if Instant::now() < deadline => tokio::time::sleep(LOOK).await,
                Err(error) => return Err(error.context("redis-server does not start")),
            }
        };
        Ok(Self { redis, _process: process, _folder: folder })
    }
}
