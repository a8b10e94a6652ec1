//! Workers that each submit a task, claim one and complete it, over and over.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use reef_web::once::made_id;
use tokio::task::JoinSet;

use crate::load::connection::Connection;
use crate::operation;
use crate::options::Options;
use crate::parts::Used;
use crate::parts::row::{Row, Way};
use crate::redis::Redis;
use crate::sample::Sample;
use crate::servers::child::Server;
use crate::servers::hub::Hub;
use crate::task;
use crate::template::digits;

/// How many, each with a connection and a node of its own.
pub(super) const WORKERS: u64 = 64;

/// Measures all ways, in turns. The floor are the three scripts, sent by the native client.
pub(super) async fn run(options: &Options, hub: &Hub, native: &Server) -> Result<Vec<Row>> {
    let ways = [(Way::Wasm, Some(hub.server())), (Way::Native, Some(native)), (Way::Script, None)];
    let mut samples = Vec::new();
    for (way, server) in ways {
        load(hub, server, crate::parts::WARM_UP).await?;
        samples.push((way, server, Sample::new()?));
    }
    for _ in 0..options.rounds.max(1) {
        for (_, server, sample) in &mut samples {
            hub.redis.settle().await?;
            // The scripts alone are sent by this process, so that no server is charged for them.
            let used = || Used::now(server.unwrap_or(hub.server()), &hub.redis);
            let before = used();
            let mut round = load(hub, *server, options.round()).await?;
            let used = used().since(before);
            (round.redis_cpu, round.foreign_cpu) = (used.redis, used.foreign());
            round.server_cpu = server.and(used.server);
            sample.add(&round)?;
        }
    }
    let floor = samples.last().map(|(_, _, scripts)| scripts.rate());
    let rows = samples.iter().map(|(way, _, sample)| {
        let connections = usize::try_from(WORKERS).unwrap_or(usize::MAX);
        let mut row = Row::of("submit, claim, complete", connections, *way, sample);
        row.of_script = floor.map(|floor| row.rate / floor);
        eprintln!("  cycles, {way}: {:.0}/s, p99 {:.2} ms", row.rate, row.p99_ms);
        row
    });
    Ok(rows.collect())
}

/// Lets the workers run for a time.
async fn load(hub: &Hub, server: Option<&Server>, time: Duration) -> Result<Sample> {
    load_with(hub, server, hub.key(), time).await
}

/// The same with a key.
pub(super) async fn load_with(
    hub: &Hub,
    server: Option<&Server>,
    key: &str,
    time: Duration,
) -> Result<Sample> {
    let sample = Rc::new(RefCell::new(Sample::new()?));
    let mut workers = JoinSet::new();
    let begun = Instant::now();
    for number in 0..WORKERS {
        let node_id = operation::name_of(&digits(number));
        let sample = Rc::clone(&sample);
        let worker = match server {
            Some(server) => Worker::over_http(server, key, node_id).await?,
            None => Worker::over_scripts(hub.redis.clone(), node_id),
        };
        workers.spawn_local(worker.keep_working(begun + time, sample));
    }
    while let Some(ended) = workers.join_next().await {
        ended.context("a worker's task failed")??;
    }
    sample.borrow_mut().elapsed = begun.elapsed();
    Ok(Rc::into_inner(sample).context("a worker still runs")?.into_inner())
}

struct Worker {
    node_id: String,
    hub: Line,
}

/// How a worker reaches the queue.
enum Line {
    Http(Connection, Rc<str>),
    Scripts(Redis),
}

impl Worker {
    async fn over_http(server: &Server, key: &str, node_id: String) -> Result<Self> {
        let opened = Connection::open(server.address).await;
        let connection = opened.map_err(|fault| anyhow!("a worker cannot connect: {fault}"))?;
        Ok(Self { node_id, hub: Line::Http(connection, key.into()) })
    }

    fn over_scripts(redis: Redis, node_id: String) -> Self {
        Self { node_id, hub: Line::Scripts(redis) }
    }

    async fn keep_working(mut self, end: Instant, sample: Rc<RefCell<Sample>>) -> Result<()> {
        let mut begun = Instant::now();
        while begun < end {
            self.cycle().await?;
            let done = Instant::now();
            sample.borrow_mut().answer(done - begun);
            begun = done;
        }
        Ok(())
    }

    /// Submits a task, claims one, which need not be the same, and completes it. There always is
    /// one, since every worker submits before it claims.
    async fn cycle(&mut self) -> Result<()> {
        match &mut self.hub {
            Line::Http(hub, key) => {
                hub.ask(&task::submit(), key).await?;
                let claimed = hub.ask(&task::claim(&self.node_id, 0), key).await?;
                let held = task::held(claimed)?.context("a claim got no task")?;
                hub.ask(&task::complete(&held), key).await.map(|_| ())
            }
            Line::Scripts(redis) => {
                let store = redis.store();
                let task_id = made_id("task", None, false);
                task::submit_by_script(&store, &task_id, &["python"]).await?;
                let held = task::claim_by_script(&store, &self.node_id).await?;
                task::complete_by_script(&store, &held).await
            }
        }
    }
}
