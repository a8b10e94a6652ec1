//! Each operation through wasm, natively, and as a bare script: what the layers cost.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use super::Asking;
use crate::floor::{Bare, Floor};
use crate::operation::Operation;
use crate::options::Options;
use crate::process;
use crate::sample::Sample;
use crate::seed;
use crate::servers::child::Server;
use crate::servers::hub::{Hub, Liveness};
use crate::servers::native;

/// Nodes in the cluster.
pub(crate) const NODES: u64 = 1_000;
/// How many requests `redis-benchmark` has under way on each connection in its second row.
const PIPELINED: usize = 16;

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Operations {
    /// Redis' version.
    pub(crate) redis: String,
    /// Nodes in the cluster.
    pub(crate) nodes: u64,
    /// One for each operation, number of connections and way.
    pub(crate) rows: Vec<Row>,
    /// Bytes in use when all had been measured, by process.
    pub(crate) memory: Vec<(&'static str, Option<u64>)>,
}

/// Which way an operation took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Way {
    /// HTTP, the host, the component.
    Wasm,
    /// HTTP, the same handler compiled natively.
    Native,
    /// The script alone, by `redis-benchmark`.
    Script,
    /// The same, many at once on each connection.
    ScriptPipelined,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wasm => "wasm",
            Self::Native => "native",
            Self::Script => "script",
            Self::ScriptPipelined => "script ×16",
        })
    }
}

/// One line of the table.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// What was asked.
    pub(crate) operation: Operation,
    /// From how many connections.
    pub(crate) connections: usize,
    /// Which way.
    pub(crate) way: Way,
    /// Good answers a second.
    pub(crate) rate: f64,
    /// Milliseconds.
    pub(crate) p50_ms: f64,
    /// Milliseconds.
    pub(crate) p99_ms: f64,
    /// Processor time of the server for each answer, in microseconds.
    pub(crate) server_cpu_us: Option<f64>,
    /// Processor time of Redis for each answer, in microseconds.
    pub(crate) redis_cpu_us: Option<f64>,
    /// Processors that were busy with other things meanwhile.
    pub(crate) foreign_cores: Option<f64>,
    /// Rate divided by the native one.
    pub(crate) of_native: Option<f64>,
    /// The smallest and greatest of these in one round.
    pub(crate) of_native_range: Option<(f64, f64)>,
    /// Rate divided by that of the script alone.
    pub(crate) of_script: Option<f64>,
    /// What went wrong, and how often.
    pub(crate) faults: BTreeMap<String, u64>,
}

/// Measures.
pub(crate) async fn run(options: &Options) -> Result<Operations> {
    eprintln!("operations: starting a hub with {NODES} nodes, and the native server");
    let hub = Hub::start(options, Liveness::Endless).await?;
    seed::register(&hub.redis, 0..NODES).await?;
    seed::beat(&hub.redis, 0..NODES).await?;
    let native = native::start(&hub).await?;
    let mut rows = Vec::new();
    for operation in options.operations() {
        let widest = options.connections().into_iter().max();
        for connections in options.connections() {
            let bench = Bench { options, hub: &hub, native: &native, operation, connections };
            rows.extend(bench.run(Some(connections) == widest).await?);
        }
    }
    let memory = vec![
        ("hub (wasm)", process::resident_bytes(hub.server().pid())),
        ("native server", process::resident_bytes(native.pid())),
        ("Redis, data", Some(hub.redis.used_memory().await?)),
        ("Redis, process", process::resident_bytes(hub.redis.pid)),
    ];
    Ok(Operations { redis: hub.redis.version.clone(), nodes: NODES, rows, memory })
}

struct Bench<'a> {
    options: &'a Options,
    hub: &'a Hub,
    native: &'a Server,
    operation: Operation,
    connections: usize,
}

impl Bench<'_> {
    async fn run(&self, pipelined: bool) -> Result<Vec<Row>> {
        let Self { options, hub, operation, connections, .. } = *self;
        let time = options.round();
        let call = operation.call(NODES);
        let ask = |server| Asking::new(&call, hub, server, connections);
        let (wasm, native) = (ask(hub.server()), ask(self.native));
        wasm.warm_up().await?;
        native.warm_up().await?;
        self.tidy().await?;

        let (mut by_wasm, mut by_native) = (Sample::new()?, Sample::new()?);
        let (mut bare, mut bare_pipelined) = (Bares::default(), Bares::default());
        let floor = Floor::of(&call, hub.liveness)?;
        let (mut single, mut many) = (floor.clone(), floor);
        let mut ratios = Vec::new();
        for round in 0..u64::from(options.rounds) {
            let first = wasm.measure(time, round).await?;
            self.tidy().await?;
            let second = native.measure(time, round).await?;
            self.tidy().await?;
            ratios.push(first.rate() / second.rate());
            by_wasm.add(&first)?;
            by_native.add(&second)?;
            bare.0.push(self.bare(&mut single, 1, time).await?);
            if pipelined {
                bare_pipelined.0.push(self.bare(&mut many, PIPELINED, time).await?);
            }
        }
        let script_rate = bare.mean(|bare| bare.rate);
        eprintln!(
            "  {}, {connections} connections: wasm {:.0}/s, native {:.0}/s, script {:.0}/s",
            operation.title(),
            by_wasm.rate(),
            by_native.rate(),
            script_rate.unwrap_or_default(),
        );
        let of = |rate: f64, base: Option<f64>| base.map(|base| rate / base);
        let mut rows = vec![
            Row {
                of_native: Some(by_wasm.rate() / by_native.rate()),
                of_native_range: range(&ratios),
                of_script: of(by_wasm.rate(), script_rate),
                ..self.row(Way::Wasm, &by_wasm)
            },
            Row {
                of_script: of(by_native.rate(), script_rate),
                ..self.row(Way::Native, &by_native)
            },
        ];
        rows.extend(self.bare_row(Way::Script, &bare));
        rows.extend(self.bare_row(Way::ScriptPipelined, &bare_pipelined));
        Ok(rows)
    }

    /// The script alone.
    async fn bare(&self, floor: &mut Floor, at_once: usize, time: Duration) -> Result<Bare> {
        let redis = (&self.hub.redis, self.hub.socket.as_path());
        let bare = floor.run(redis, self.connections, at_once, time).await?;
        self.tidy().await?;
        Ok(bare)
    }

    /// Leaves the cluster as large as it was.
    async fn tidy(&self) -> Result<()> {
        if self.operation.makes_nodes() {
            seed::remove_new(&self.hub.redis).await?;
        }
        Ok(())
    }

    fn row(&self, way: Way, sample: &Sample) -> Row {
        Row {
            operation: self.operation,
            connections: self.connections,
            way,
            rate: sample.rate(),
            p50_ms: sample.quantile_ms(0.5),
            p99_ms: sample.quantile_ms(0.99),
            server_cpu_us: sample.per_answer_us(sample.server_cpu),
            redis_cpu_us: sample.per_answer_us(sample.redis_cpu),
            foreign_cores: sample.foreign_cores(),
            of_native: None,
            of_native_range: None,
            of_script: None,
            faults: sample.faults.clone(),
        }
    }

    fn bare_row(&self, way: Way, bares: &Bares) -> Option<Row> {
        Some(Row {
            operation: self.operation,
            connections: self.connections,
            way,
            rate: bares.mean(|bare| bare.rate)?,
            p50_ms: bares.mean(|bare| bare.p50_ms)?,
            p99_ms: bares.mean(|bare| bare.p99_ms)?,
            server_cpu_us: None,
            redis_cpu_us: bares.mean_of_known(|bare| bare.redis_cpu_us),
            foreign_cores: None,
            of_native: None,
            of_native_range: None,
            of_script: None,
            faults: BTreeMap::new(),
        })
    }
}

/// Runs of `redis-benchmark`, which tells quantiles only, so that they are averaged.
#[derive(Debug, Default)]
pub(super) struct Bares(pub(super) Vec<Bare>);

impl Bares {
    pub(super) fn mean(&self, figure: impl Fn(&Bare) -> f64) -> Option<f64> {
        self.mean_of_known(|bare| Some(figure(bare)))
    }

    pub(super) fn mean_of_known(&self, figure: impl Fn(&Bare) -> Option<f64>) -> Option<f64> {
        let known: Vec<f64> = self.0.iter().filter_map(figure).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    }
}

fn range(values: &[f64]) -> Option<(f64, f64)> {
    let smallest = values.iter().copied().reduce(f64::min)?;
    let greatest = values.iter().copied().reduce(f64::max)?;
    Some((smallest, greatest))
}
