//! What is measured.

pub(crate) mod fleet;
pub(crate) mod operations;
pub(crate) mod scale;

use std::time::Duration;

use anyhow::Result;

use crate::load::closed::Load;
use crate::operation::Operation;
use crate::process;
use crate::redis::Redis;
use crate::sample::Sample;
use crate::servers::child::Server;
use crate::servers::hub::Hub;

/// Load before a figure is taken, so that caches are filled and scripts are known.
const WARM_UP: Duration = Duration::from_millis(200);

/// A timeout that no node reaches while it is measured without sending heartbeats of its own.
const NEVER_SECONDS: &str = "86400";

/// An operation on one server.
struct Asking<'a> {
    server: &'a Server,
    redis: &'a Redis,
    load: Load,
}

impl<'a> Asking<'a> {
    fn new(
        operation: Operation,
        hub: &'a Hub,
        server: &'a Server,
        nodes: u64,
        connections: usize,
    ) -> Self {
        let load = Load {
            address: server.address,
            template: operation.template(server.address, hub.admin_key()),
            numbers: operation.numbers(nodes),
            connections,
        };
        Self { server, redis: &hub.redis, load }
    }

    async fn warm_up(&self) -> Result<()> {
        self.load.run(WARM_UP, u64::MAX).await.map(|_| ())
    }

    /// Sends requests for a time and notes what they cost.
    async fn measure(&self, time: Duration, seed: u64) -> Result<Sample> {
        self.redis.settle().await?;
        let used = || (process::cpu(self.server.pid()), process::cpu(self.redis.pid));
        let (server_before, redis_before) = used();
        let mut sample = self.load.run(time, seed).await?;
        let (server, redis) = used();
        sample.server_cpu = server_before.zip(server).map(|(before, after)| after - before);
        sample.redis_cpu = redis_before.zip(redis).map(|(before, after)| after - before);
        Ok(sample)
    }
}
