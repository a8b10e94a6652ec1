//! Tasks: whole cycles, what a claim costs before a long queue, and how fast an idle worker gets
//! what was submitted.

mod claims;
mod cycles;
mod dispatch;

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

pub(crate) use self::claims::ClaimCost;
pub(crate) use self::dispatch::Dispatch;
use crate::options::Options;
use crate::parts::row::Row;
use crate::sample::Sample;
use crate::seed;
use crate::servers::hub::{Hub, Liveness};
use crate::servers::native;

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Tasks {
    /// Redis' version.
    pub(crate) redis: String,
    /// Submit, claim, complete, over and over: each way.
    pub(crate) cycles: Vec<Row>,
    /// From being submitted to being held by a worker that waited.
    pub(crate) dispatch: Dispatch,
    /// One for each number of tasks that wait.
    pub(crate) claims: Vec<ClaimCost>,
}

/// Measures.
pub(crate) async fn run(options: &Options) -> Result<Tasks> {
    eprintln!("tasks: starting a hub, and the native server");
    let hub = Hub::start(options, Liveness::Endless).await?;
    seed::register_for(&hub.redis, 0..cycles::WORKERS, hub.owner()).await?;
    let native = native::start(&hub).await?;
    let cycles = cycles::run(options, &hub, &native).await?;
    let dispatch = dispatch::run(options, &hub).await?;
    let redis = hub.redis.version.clone();
    drop((native, hub));
    Ok(Tasks { redis, cycles, dispatch, claims: claims::run(options).await? })
}

/// Workers that submit, claim and complete for a time, over HTTP and with a key of their own.
pub(crate) async fn cycle(hub: &Hub, key: &str, time: Duration) -> Result<Sample> {
    cycles::load_with(hub, Some(hub.server()), key, time).await
}
