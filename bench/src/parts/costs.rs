//! What each operation costs a Redis when an agent asks for it, and not the admin, whose key needs no
//! look.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use super::{Asking, Used, tasks};
use crate::call::Call;
use crate::load::each;
use crate::message::{self, MessageOperation};
use crate::operation::{Operation, name_of};
use crate::options::Options;
use crate::redis::{Redis, Scripts, Traffic};
use crate::sample::Sample;
use crate::seed;
use crate::servers::hub::{AGENT, Hub, Liveness, make_agent};
use crate::template::{NUMBER, Numbers};

/// Nodes, messages and inboxes that the requests are about.
const MANY: u64 = 1_000;
/// From how many connections.
const CONNECTIONS: usize = 16;
/// Whom it pays.
const PAYEE: &str = "payee";

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Costs {
    /// Redis' version.
    pub(crate) redis: String,
    /// Nodes, messages and inboxes each.
    pub(crate) many: u64,
    /// From how many connections.
    pub(crate) connections: usize,
    /// One for each operation.
    pub(crate) rows: Vec<Row>,
}

/// What one operation costs.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// What was asked.
    pub(crate) operation: &'static str,
    /// How often a second.
    pub(crate) rate: f64,
    /// Scripts for each.
    pub(crate) scripts: f64,
    /// Time within them, in microseconds.
    pub(crate) script_us: f64,
    /// Processor time of Redis for each, in microseconds.
    pub(crate) redis_cpu_us: Option<f64>,
    /// Commands for each, those within scripts among them.
    pub(crate) commands: f64,
    /// Bytes to Redis for each.
    pub(crate) to_redis: f64,
    /// Bytes from Redis for each.
    pub(crate) from_redis: f64,
    /// Processors that were busy with other things meanwhile.
    pub(crate) foreign_cores: Option<f64>,
    /// What went wrong, and how often.
    pub(crate) faults: BTreeMap<String, u64>,
}

/// Measures.
pub(crate) async fn run(options: &Options) -> Result<Costs> {
    eprintln!("costs: starting a hub with {MANY} nodes, messages and inboxes of an agent");
    let hub = Hub::start(options, Liveness::Endless).await?;
    let key = hub.agent_key();
    make_agent(hub.server(), PAYEE).await?;
    each::send(hub.server(), key, &deposit(), 0..1).await?;
    seed::register_for(&hub.redis, 0..MANY, AGENT).await?;
    each::send(hub.server(), key, &message::open_session(), 0..1).await?;
    each::send(hub.server(), key, &message::create("m"), 0..MANY).await?;
    hub.redis.rewrite_log().await?;

    let mut rows = Vec::new();
    for (operation, call) in operations() {
        let asking = Asking::with_key(&call, &hub, hub.server(), CONNECTIONS, key);
        asking.warm_up().await?;
        let before = Counted::now(&hub.redis).await?;
        let sample = asking.measure(options.time(), 0).await?;
        rows.push(row(operation, &sample, before.until_now(&hub.redis).await?));
    }
    tasks::cycle(&hub, key, super::WARM_UP).await?;
    let before = Counted::now(&hub.redis).await?;
    let used = Used::now(hub.server(), &hub.redis);
    let mut sample = tasks::cycle(&hub, key, options.time()).await?;
    let used = Used::now(hub.server(), &hub.redis).since(used);
    (sample.redis_cpu, sample.foreign_cpu) = (used.redis, used.foreign());
    let counted = before.until_now(&hub.redis).await?;
    rows.push(row("submit, claim, complete", &sample, counted));
    for row in &rows {
        eprintln!("  {}: {:.1} scripts, {:.0} µs", row.operation, row.scripts, row.script_us);
    }
    Ok(Costs { redis: hub.redis.version.clone(), many: MANY, connections: CONNECTIONS, rows })
}

fn deposit() -> Call {
    Call {
        method: "POST",
        target: "/api/v1/deposit".to_owned(),
        body: format!(r#"{{"agent_id":"{AGENT}","amount":"100000"}}"#),
        numbers: Numbers { below: 1 },
    }
}

fn operations() -> Vec<(&'static str, Call)> {
    let post = |target: String, body: String| {
        let numbers = Numbers { below: MANY };
        Call { method: "POST", target, body, numbers }
    };
    let of_message = |operation: MessageOperation| (operation.title(), operation.call(MANY));
    let of_node = |operation: Operation| (operation.title(), operation.call(MANY));
    let mail = format!(r#"{{"from":"{AGENT}","content":"There is something to do."}}"#);
    let transfer =
        format!(r#"{{"from_agent":"{AGENT}","to_agent":"{PAYEE}","amount":"0.000001"}}"#);
    vec![
        of_node(Operation::Heartbeat),
        of_node(Operation::GetNode),
        of_node(Operation::ClusterHealth),
        of_message(MessageOperation::Send),
        of_message(MessageOperation::Append),
        of_message(MessageOperation::Load),
        ("send mail", post(format!("/api/v1/inbox/{}", name_of(NUMBER)), mail)),
        ("transfer", post("/api/v1/transfer".to_owned(), transfer)),
    ]
}

/// What Redis has counted.
struct Counted {
    scripts: Scripts,
    traffic: Traffic,
    commands: u64,
}

impl Counted {
    async fn now(redis: &Redis) -> Result<Self> {
        Ok(Self {
            scripts: redis.scripts().await?,
            traffic: redis.traffic().await?,
            commands: redis.commands().await?,
        })
    }

    async fn until_now(self, redis: &Redis) -> Result<Self> {
        let now = Self::now(redis).await?;
        Ok(Self {
            scripts: now.scripts - self.scripts,
            traffic: now.traffic - self.traffic,
            commands: now.commands.saturating_sub(self.commands),
        })
    }
}

fn row(operation: &'static str, sample: &Sample, counted: Counted) -> Row {
    let each = |count: u64| count as f64 / sample.answers.max(1) as f64;
    Row {
        operation,
        rate: sample.rate(),
        scripts: each(counted.scripts.calls),
        script_us: each(counted.scripts.micros),
        redis_cpu_us: sample.per_answer_us(sample.redis_cpu),
        commands: each(counted.commands),
        to_redis: each(counted.traffic.input),
        from_redis: each(counted.traffic.output),
        foreign_cores: sample.foreign_cores(),
        faults: sample.faults.clone(),
    }
}
