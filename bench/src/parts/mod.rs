//! What is measured.

pub(crate) mod append;
pub(crate) mod costs;
pub(crate) mod fleet;
pub(crate) mod ledger;
pub(crate) mod messages;
pub(crate) mod operations;
pub(crate) mod row;
pub(crate) mod scale;
pub(crate) mod shards;
pub(crate) mod streams;
pub(crate) mod tasks;

use std::time::Duration;

use anyhow::Result;

use crate::call::Call;
use crate::load::closed::Load;
use crate::process;
use crate::redis::Redis;
use crate::sample::Sample;
use crate::servers::child::Server;
use crate::servers::hub::Hub;

/// Load before a figure is taken, so that caches are filled and scripts are known.
const WARM_UP: Duration = Duration::from_millis(200);

/// An operation on one server.
struct Asking<'a> {
    server: &'a Server,
    redis: &'a Redis,
    load: Load,
}

impl<'a> Asking<'a> {
    fn new(call: &Call, hub: &'a Hub, server: &'a Server, connections: usize) -> Self {
        Self::with_key(call, hub, server, connections, hub.key())
    }

    /// The same with a key.
    fn with_key(
        call: &Call,
        hub: &'a Hub,
        server: &'a Server,
        connections: usize,
        key: &str,
    ) -> Self {
        let load = Load {
            address: server.address,
            template: call.template(server.address, key),
            numbers: call.numbers,
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
        let before = Used::now(self.server, self.redis);
        let mut sample = self.load.run(time, seed).await?;
        let used = Used::now(self.server, self.redis).since(before);
        sample.server_cpu = used.server;
        sample.redis_cpu = used.redis;
        sample.load_cpu = used.load;
        sample.foreign_cpu = used.foreign();
        Ok(sample)
    }
}

/// Who has used how much of the processors.
#[derive(Debug, Clone, Copy)]
struct Used {
    all: Option<Duration>,
    load: Option<Duration>,
    server: Option<Duration>,
    redis: Option<Duration>,
}

impl Used {
    fn now(server: &Server, redis: &Redis) -> Self {
        Self {
            all: process::cpu_of_all(),
            load: process::cpu(std::process::id()),
            server: process::cpu(server.pid()),
            redis: process::cpu(redis.pid),
        }
    }

    fn since(self, before: Self) -> Self {
        let difference =
            |now: Option<Duration>, before: Option<Duration>| now?.checked_sub(before?);
        Self {
            all: difference(self.all, before.all),
            load: difference(self.load, before.load),
            server: difference(self.server, before.server),
            redis: difference(self.redis, before.redis),
        }
    }

    /// What nobody of the measurement has used.
    fn foreign(self) -> Option<Duration> {
        Some(self.all?.saturating_sub(self.load? + self.server? + self.redis?))
    }
}
