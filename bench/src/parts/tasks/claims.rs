//! What a claim costs when few tasks wait and when very many do.

use anyhow::{Context, Result};
use futures_util::stream::{self, TryStreamExt};
use reef_web::once::made_id;
use serde::Serialize;

use crate::operation;
use crate::options::Options;
use crate::redis::{Redis, Scripts};
use crate::seed;
use crate::servers::bare_redis::BareRedis;
use crate::task;
use crate::template::digits;

/// Nodes that claim: together they may hold as many tasks as are claimed in a round.
const NODES: u64 = 40;
/// Claims of a round: five of each node, which is what it may run at the same time.
const CLAIMS: u64 = 200;
/// How many scripts are under way at once on the one connection.
const IN_FLIGHT: usize = 128;
/// What tasks ask for that the nodes can run.
const FIT: [&[&str]; 4] =
    [&["python"], &["web-search"], &["image-generation"], &["python", "web-search"]];
/// The same, and tasks between them that nobody can run, so that half of the queue must be passed
/// over.
const ALL: [&[&str]; 8] = [
    &["cuda"],
    &["python"],
    &["python", "rust"],
    &["web-search"],
    &["python", "web-search", "cuda"],
    &["image-generation"],
    &["rust"],
    &["python", "web-search"],
];

/// What a claim costs.
#[derive(Debug, Serialize)]
pub(crate) struct ClaimCost {
    /// Tasks that wait.
    pub(crate) waiting: u64,
    /// Claims that were measured.
    pub(crate) claims: u64,
    /// Time inside the script, as Redis counts it, in microseconds.
    pub(crate) script_us: Option<f64>,
    /// Bytes that the data takes.
    pub(crate) redis_bytes: u64,
}

/// Measures, before both queues in turn, so that drift hits both.
pub(super) async fn run(options: &Options) -> Result<Vec<ClaimCost>> {
    let (few, many) = options.backlogs();
    eprintln!("  claims: two Redis, in which {few} and {many} tasks wait");
    let mut queues = Vec::new();
    for waiting in [few, many] {
        let server = BareRedis::start(&options.state_dir).await?;
        seed::register(&server.redis, 0..NODES).await?;
        submit(&server.redis, waiting, &ALL).await?;
        queues.push((waiting, server, Scripts::default()));
    }
    for _ in 0..options.rounds.max(1) {
        for (_, server, scripts) in &mut queues {
            *scripts += claim(&server.redis).await?;
            // As many as were taken, so that the queue stays as long as it was.
            submit(&server.redis, CLAIMS, &FIT).await?;
        }
    }
    let mut costs = Vec::new();
    for (waiting, server, scripts) in queues {
        let cost = ClaimCost {
            waiting,
            claims: scripts.calls,
            script_us: scripts.micros_per_call(),
            redis_bytes: server.redis.used_memory().await?,
        };
        eprintln!("  claims, {waiting} waiting: {:.1} µs", cost.script_us.unwrap_or_default());
        costs.push(cost);
    }
    Ok(costs)
}

/// Submits so many tasks, which ask for each of some sets of skills in turn.
async fn submit(redis: &Redis, count: u64, skills: &[&[&str]]) -> Result<()> {
    let store = &redis.store();
    let skills = skills.iter().copied().cycle();
    stream::iter((0..count).zip(skills).map(Ok))
        .try_for_each_concurrent(IN_FLIGHT, |(_, skills)| async move {
            task::submit_by_script(store, &made_id("task", None, false), skills).await
        })
        .await
        .context("cannot submit the tasks")
}

/// Claims as many tasks as the nodes can hold, and completes them, which is not measured.
async fn claim(redis: &Redis) -> Result<Scripts> {
    let store = &redis.store();
    let before = redis.scripts().await?;
    let mut all = Vec::new();
    for number in 0..CLAIMS {
        let node_id = operation::name_of(&digits(number % NODES));
        all.push(task::claim_by_script(store, &node_id).await?);
    }
    let scripts = redis.scripts().await? - before;
    for held in &all {
        task::complete_by_script(store, held).await?;
    }
    Ok(scripts)
}
