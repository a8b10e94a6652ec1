//! The same load over one, two, … primaries of a Redis Cluster, by the host's router: what is spread
//! over partitions grows with them; what lies in one partition does not.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use futures_util::stream::{self, TryStreamExt};
use reef_api::{MailId, MessageId};
use reef_redis::Connection;
use reef_store::Store;
use reef_store::heartbeat::Beat;
use reef_store::inbox::{Send, Sent};
use reef_store::message::{Append, Appended, Open, Opened, Written};
use reef_store::node::Writer;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::options::Options;
use crate::process;
use crate::seed;
use crate::servers::shards::Shards;
use crate::template::{Dice, Numbers, digits};

/// Messages, and inboxes.
const MANY: u64 = 3_000;
/// Nodes that send heartbeats.
const NODES: u64 = 1_000;
/// How many scripts are under way at once.
const IN_FLIGHT: u64 = 64;
/// How long messages and `hb:` keys are kept.
const TTL_MS: i64 = 86_400_000;

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct ShardRows {
    /// Redis' version.
    pub(crate) redis: String,
    /// Scripts under way at once.
    pub(crate) in_flight: u64,
    /// One for each load and number of shards.
    pub(crate) rows: Vec<Row>,
}

/// A load over some shards.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// What was done.
    pub(crate) load: LoadKind,
    /// Over how many.
    pub(crate) shards: usize,
    /// How often a second.
    pub(crate) rate: f64,
    /// That, divided by the rate over one.
    pub(crate) of_one: f64,
    /// Processor time of all shards for each, in microseconds.
    pub(crate) redis_us: Option<f64>,
    /// The part of that which the busiest shard has had.
    pub(crate) busiest_share: Option<f64>,
    /// What the shards could do, divided by what one can, if each had a processor of its own: by the
    /// busiest one's time.
    pub(crate) by_time: Option<f64>,
    /// Processors that this program has kept busy.
    pub(crate) load_cores: Option<f64>,
    /// Processors that the shards have kept busy together.
    pub(crate) redis_cores: Option<f64>,
    /// Processors that were busy with other things.
    pub(crate) foreign_cores: Option<f64>,
    /// What went wrong, and how often.
    pub(crate) faults: BTreeMap<String, u64>,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LoadKind {
    /// Appends to messages.
    Append,
    /// Mail to inboxes.
    Mail,
    /// Heartbeats, which all lie in one partition.
    Heartbeat,
}

impl LoadKind {
    const ALL: [Self; 3] = [Self::Append, Self::Mail, Self::Heartbeat];

    /// As tables show it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Mail => "send mail",
            Self::Heartbeat => "heartbeat (one partition)",
        }
    }

    /// Does it once, with what has this number.
    async fn run(self, store: &Store<Connection>, number: u64, nth: u64) -> Result<()> {
        match self {
            Self::Append => append(store, &message(number)).await,
            Self::Mail => mail(store, &inbox(number), &format!("msg-{nth}").into()).await,
            Self::Heartbeat => beat(store, number % NODES).await,
        }
    }
}

fn message(number: u64) -> MessageId {
    format!("m-{}", digits(number)).into()
}

fn inbox(number: u64) -> String {
    format!("i-{}", digits(number))
}

/// Measures.
pub(crate) async fn run(options: &Options) -> Result<ShardRows> {
    let most = options.shards();
    eprintln!("shards: starting clusters of 1 to {most} primaries");
    let mut clusters = Vec::new();
    for count in 1..=most {
        let shards = Shards::start(options, count).await?;
        fill(&shards.store).await?;
        clusters.push(shards);
    }
    let redis = clusters.first().and_then(|shards| shards.nodes.first());
    let redis = redis.map(|node| node.redis.version.clone()).unwrap_or_default();
    let mut rows = Vec::new();
    for load in LoadKind::ALL {
        let mut measured: Vec<Measured> = clusters.iter().map(Measured::new).collect();
        for shards in &clusters {
            drive(load, &shards.store, super::WARM_UP, u64::MAX).await?;
        }
        for round in 0..u64::from(options.rounds.max(1)) {
            for (shards, measured) in clusters.iter().zip(&mut measured) {
                measured.measure(load, shards, options.round(), round).await?;
            }
        }
        let one = measured.first().cloned();
        for (shards, measured) in clusters.iter().zip(&measured) {
            let row = measured.row(load, shards.nodes.len(), one.as_ref());
            eprintln!("  {}, {}: {:.0}/s", load.title(), row.shards, row.rate);
            rows.push(row);
        }
    }
    Ok(ShardRows { redis, in_flight: IN_FLIGHT, rows })
}

/// Makes messages and nodes.
async fn fill(store: &Store<Connection>) -> Result<()> {
    seed::register_in(store, 0..NODES, "@admin").await?;
    stream::iter((0..MANY).map(Ok))
        .try_for_each_concurrent(128, |number| async move {
            let message_id = &message(number);
            let open = Open {
                message_id,
                session_id: &"s".into(),
                role: "assistant",
                parent: None,
                metadata: "{}",
                owner: "@admin",
                is_complete: false,
                text: "",
                ttl_ms: TTL_MS,
            };
            match store.call(&open).await? {
                Opened::Elsewhere => bail!("{message_id} is there already"),
                _ => Ok(()),
            }
        })
        .await
}

async fn append(store: &Store<Connection>, message_id: &MessageId) -> Result<()> {
    let call = Append {
        message_id,
        author: Writer::Any.into(),
        delta: crate::message::DELTA,
        producer: "",
        epoch: 0,
        seq: 0,
        ttl_ms: TTL_MS,
    };
    match store.call(&call).await? {
        Written::Ok(Appended::Ok { .. }) => Ok(()),
        other => bail!("not appended: {other:?}"),
    }
}

async fn mail(store: &Store<Connection>, agent: &str, message_id: &MailId) -> Result<()> {
    let call = Send {
        agent,
        message_id,
        members: r#""from":"bench","content":"There is something to do.""#,
        priority: "medium",
        for_old_clients: false,
        sender: None,
        only_repeats: false,
    };
    match store.call(&call).await? {
        Sent::Ok { .. } => Ok(()),
        other => bail!("not sent: {other:?}"),
    }
}

async fn beat(store: &Store<Connection>, number: u64) -> Result<()> {
    let heartbeat = seed::sample_heartbeat();
    let node = &crate::operation::name_of(&digits(number)).into();
    let heartbeats = [(node, &heartbeat)];
    let call = Beat { heartbeats: &heartbeats, writer: Writer::Any, key_ttl_ms: TTL_MS };
    store.call(&call).await?;
    Ok(())
}

/// How often it was done in a time, and what went wrong.
type Done = (u64, BTreeMap<String, u64>);

async fn drive(
    load: LoadKind,
    store: &Store<Connection>,
    time: Duration,
    seed: u64,
) -> Result<Done> {
    let end = Instant::now() + time;
    let nth = std::rc::Rc::new(Cell::new(seed.wrapping_mul(1 << 40)));
    let mut tasks = JoinSet::new();
    for number in 0..IN_FLIGHT {
        let (store, nth) = (store.clone(), std::rc::Rc::clone(&nth));
        tasks.spawn_local(async move {
            let mut dice = Dice::new(seed.wrapping_mul(1_000_003).wrapping_add(number));
            let mut done: Done = Done::default();
            while Instant::now() < end {
                nth.set(nth.get().wrapping_add(1));
                let drawn = dice.draw(Numbers { below: MANY });
                match load.run(&store, drawn, nth.get()).await {
                    Ok(()) => done.0 += 1,
                    Err(error) => *done.1.entry(error.to_string()).or_default() += 1,
                }
            }
            done
        });
    }
    let mut all = Done::default();
    while let Some(done) = tasks.join_next().await {
        let done = done.map_err(|error| anyhow!("a part of the load failed: {error}"))?;
        all.0 += done.0;
        for (what, times) in done.1 {
            *all.1.entry(what).or_default() += times;
        }
    }
    Ok(all)
}

/// Who has used the processors for how long.
#[derive(Debug, Clone)]
struct Times {
    all: Option<Duration>,
    load: Option<Duration>,
    nodes: Vec<Option<Duration>>,
}

impl Times {
    fn now(shards: &Shards) -> Self {
        Self {
            all: process::cpu_of_all(),
            load: process::cpu(std::process::id()),
            nodes: shards.nodes.iter().map(|node| process::cpu(node.redis.pid)).collect(),
        }
    }
}

/// A load over some shards, in all rounds.
#[derive(Debug, Clone, Default)]
struct Measured {
    elapsed: Duration,
    done: u64,
    faults: BTreeMap<String, u64>,
    all: Duration,
    load: Duration,
    nodes: Vec<Duration>,
}

impl Measured {
    fn new(shards: &Shards) -> Self {
        Self { nodes: vec![Duration::ZERO; shards.nodes.len()], ..Self::default() }
    }

    async fn measure(
        &mut self,
        load: LoadKind,
        shards: &Shards,
        time: Duration,
        round: u64,
    ) -> Result<()> {
        let (before, begun) = (Times::now(shards), Instant::now());
        let (done, faults) = drive(load, &shards.store, time, round).await?;
        let after = Times::now(shards);
        let since = |after: Option<Duration>, before: Option<Duration>| {
            after.unwrap_or_default().saturating_sub(before.unwrap_or_default())
        };
        self.elapsed += begun.elapsed();
        self.done += done;
        for (what, times) in faults {
            *self.faults.entry(what).or_default() += times;
        }
        self.all += since(after.all, before.all);
        self.load += since(after.load, before.load);
        for (sum, (after, before)) in
            self.nodes.iter_mut().zip(after.nodes.into_iter().zip(before.nodes))
        {
            *sum += since(after, before);
        }
        Ok(())
    }

    fn rate(&self) -> f64 {
        self.done as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    fn redis(&self) -> Duration {
        self.nodes.iter().sum()
    }

    /// Time of the busiest shard for each, in microseconds; nothing where the system does not tell.
    fn busiest_us(&self) -> Option<f64> {
        let busiest = self.nodes.iter().max().filter(|time| !time.is_zero())?;
        Some(busiest.as_secs_f64() * 1e6 / self.done.max(1) as f64)
    }

    fn row(&self, load: LoadKind, shards: usize, one: Option<&Self>) -> Row {
        let cores = |time: Duration| time.as_secs_f64() / self.elapsed.as_secs_f64().max(1e-9);
        let told = |figure: f64| (!self.redis().is_zero()).then_some(figure);
        let redis = self.redis();
        let busiest = self.nodes.iter().max().copied().unwrap_or_default();
        Row {
            load,
            shards,
            rate: self.rate(),
            of_one: self.rate() / one.map_or(f64::NAN, Self::rate),
            redis_us: told(redis.as_secs_f64() * 1e6 / self.done.max(1) as f64),
            busiest_share: told(busiest.as_secs_f64() / redis.as_secs_f64().max(1e-9)),
            by_time: one.and_then(Self::busiest_us).zip(self.busiest_us()).map(|(a, b)| a / b),
            load_cores: told(cores(self.load)),
            redis_cores: told(cores(redis)),
            foreign_cores: told(cores(self.all.saturating_sub(self.load + redis))),
            faults: self.faults.clone(),
        }
    }
}
