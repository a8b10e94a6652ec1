//! Transfers of money: through wasm, natively, and as a bare script.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use futures_util::stream::{self, TryStreamExt};
use reef_domain::Money;
use reef_domain::access::Scopes;
use reef_domain::json::Json;
use reef_redis::Connection;
use reef_store::Store;
use reef_store::account::Deposit;
use reef_store::agent::{Register, Registered};
use reef_store::ledger::Moved;
use serde::Serialize;

use super::Asking;
use super::operations::{Bares, Way};
use crate::call::Call;
use crate::floor::Floor;
use crate::options::Options;
use crate::redis::Redis;
use crate::sample::Sample;
use crate::servers::child::Server;
use crate::servers::hub::{Hub, Liveness};
use crate::servers::native;
use crate::template::{NUMBER, Numbers, digits};

/// Pairs of an agent that pays and one that is paid.
const PAIRS: u64 = 5_000;
/// What each payer has at first, in units: enough for any measurement.
const FUNDS: i64 = 100_000;
/// How many scripts are under way at once while agents are made.
const IN_FLIGHT: usize = 128;

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Ledger {
    /// Redis' version.
    pub(crate) redis: String,
    /// How many agents there are.
    pub(crate) agents: u64,
    /// One for each number of connections and way.
    pub(crate) rows: Vec<Row>,
}

/// One line of the table.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// From how many connections.
    pub(crate) connections: usize,
    /// Which way.
    pub(crate) way: Way,
    /// Transfers a second.
    pub(crate) rate: f64,
    /// Milliseconds.
    pub(crate) p50_ms: f64,
    /// Milliseconds.
    pub(crate) p99_ms: f64,
    /// Processor time of the server for each, in microseconds.
    pub(crate) server_cpu_us: Option<f64>,
    /// Processor time of Redis for each, in microseconds.
    pub(crate) redis_cpu_us: Option<f64>,
    /// Processors that were busy with other things meanwhile.
    pub(crate) foreign_cores: Option<f64>,
    /// Rate divided by the native one.
    pub(crate) of_native: Option<f64>,
    /// Rate divided by that of the script alone.
    pub(crate) of_script: Option<f64>,
    /// What went wrong, and how often.
    pub(crate) faults: BTreeMap<String, u64>,
}

fn payer(number: &str) -> String {
    format!("payer-{number}")
}

fn payee(number: &str) -> String {
    format!("payee-{number}")
}

/// A transfer within any of the pairs.
fn transfer() -> Call {
    let body = format!(
        r#"{{"from_agent":"{}","to_agent":"{}","amount":"0.01","memo":"bench"}}"#,
        payer(NUMBER),
        payee(NUMBER),
    );
    let target = "/api/v1/transfer".to_owned();
    Call { method: "POST", target, body, numbers: Numbers { below: PAIRS } }
}

/// Measures.
pub(crate) async fn run(options: &Options) -> Result<Ledger> {
    let agents = 2 * PAIRS;
    eprintln!("ledger: starting a hub with {agents} agents, and the native server");
    let hub = Hub::start(options, Liveness::Usual).await?;
    make_agents(&hub.redis).await?;
    let native = native::start(&hub).await?;
    let mut rows = Vec::new();
    for connections in options.connections() {
        rows.extend(measure(options, &hub, &native, connections).await?);
    }
    Ok(Ledger { redis: hub.redis.version.clone(), agents, rows })
}

/// Makes the agents and gives the payers money, each by the script that a request would run.
async fn make_agents(redis: &Redis) -> Result<()> {
    let store = &redis.store();
    let funds = Money::from_micros(FUNDS * 1_000_000).context("too much money")?;
    stream::iter((0..PAIRS).map(|number| Ok(digits(number))))
        .try_for_each_concurrent(IN_FLIGHT, |number| async move {
            for agent_id in [payer(&number), payee(&number)] {
                register(store, &agent_id).await?;
            }
            let agent_id = payer(&number);
            match store.call(&Deposit { agent_id: &agent_id, amount: funds, most: None }).await? {
                Moved::Ok(_) => Ok(()),
                other => bail!("{agent_id} got no money: {other:?}"),
            }
        })
        .await
        .context("cannot make the agents")
}

async fn register(store: &Store<Connection>, agent_id: &str) -> Result<()> {
    let call = Register {
        agent_id: Some(agent_id),
        generated_id: agent_id,
        wallet_address: None,
        display_name: None,
        metadata: &Json::empty_object(),
        key_id: agent_id,
        digest: agent_id,
        scopes: Scopes::OF_FIRST_KEY,
        key_name: "first",
        maker: None,
        invite_id: None,
        invite_digest: None,
    };
    match store.call(&call).await? {
        Registered::Ok { .. } => Ok(()),
        other => bail!("{agent_id} was not registered: {other:?}"),
    }
}

async fn measure(
    options: &Options,
    hub: &Hub,
    native: &Server,
    connections: usize,
) -> Result<Vec<Row>> {
    let call = transfer();
    let ask = |server| Asking::new(&call, hub, server, connections);
    let (wasm, native) = (ask(hub.server()), ask(native));
    wasm.warm_up().await?;
    native.warm_up().await?;
    let mut floor = Floor::of(&call, hub.liveness)?;
    let (mut by_wasm, mut by_native) = (Sample::new()?, Sample::new()?);
    let mut bare = Bares::default();
    let time = options.round();
    for round in 0..u64::from(options.rounds) {
        by_wasm.add(&wasm.measure(time, round).await?)?;
        by_native.add(&native.measure(time, round).await?)?;
        bare.0.push(floor.run((&hub.redis, &hub.socket), connections, 1, time).await?);
    }
    let script_rate = bare.mean(|bare| bare.rate);
    eprintln!(
        "  {connections} connections: wasm {:.0}/s, native {:.0}/s, script {:.0}/s",
        by_wasm.rate(),
        by_native.rate(),
        script_rate.unwrap_or_default(),
    );
    let of_script = |rate: f64| script_rate.map(|script| rate / script);
    let row = |way, sample: &Sample, of_native| Row {
        connections,
        way,
        rate: sample.rate(),
        p50_ms: sample.quantile_ms(0.5),
        p99_ms: sample.quantile_ms(0.99),
        server_cpu_us: sample.per_answer_us(sample.server_cpu),
        redis_cpu_us: sample.per_answer_us(sample.redis_cpu),
        foreign_cores: sample.foreign_cores(),
        of_native,
        of_script: of_script(sample.rate()),
        faults: sample.faults.clone(),
    };
    let mut rows = vec![
        row(Way::Wasm, &by_wasm, Some(by_wasm.rate() / by_native.rate())),
        row(Way::Native, &by_native, None),
    ];
    rows.extend(bare_row(connections, &bare));
    Ok(rows)
}

fn bare_row(connections: usize, bares: &Bares) -> Option<Row> {
    Some(Row {
        connections,
        way: Way::Script,
        rate: bares.mean(|bare| bare.rate)?,
        p50_ms: bares.mean(|bare| bare.p50_ms)?,
        p99_ms: bares.mean(|bare| bare.p99_ms)?,
        server_cpu_us: None,
        redis_cpu_us: bares.mean_of_known(|bare| bare.redis_cpu_us),
        foreign_cores: None,
        of_native: None,
        of_script: None,
        faults: BTreeMap::new(),
    })
}
