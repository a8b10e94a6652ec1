//! One operation, one way: through wasm, natively, or as a bare script. What the layers cost is
//! what lies between them, so they are measured in turns.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use super::Asking;
use crate::call::Call;
use crate::floor::{Bare, Floor};
use crate::options::Options;
use crate::sample::Sample;
use crate::seed;
use crate::servers::child::Server;
use crate::servers::hub::Hub;

/// How many requests `redis-benchmark` has under way on each connection in its second row.
const PIPELINED: usize = 16;

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

/// One line of a table.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// What was asked.
    pub(crate) operation: &'static str,
    /// From how many connections.
    pub(crate) connections: usize,
    pub(crate) way: Way,
    /// Good answers a second.
    pub(crate) rate: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Processor time of the server for each answer, in microseconds.
    pub(crate) server_cpu_us: Option<f64>,
    /// Processor time of Redis for each answer, in microseconds.
    pub(crate) redis_cpu_us: Option<f64>,
    /// Processor time of the load generator for each answer, in microseconds.
    pub(crate) load_cpu_us: Option<f64>,
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

impl Row {
    /// What a server did under load.
    pub(crate) fn of(
        operation: &'static str,
        connections: usize,
        way: Way,
        sample: &Sample,
    ) -> Self {
        Self {
            operation,
            connections,
            way,
            rate: sample.rate(),
            p50_ms: sample.quantile_ms(0.5),
            p99_ms: sample.quantile_ms(0.99),
            server_cpu_us: sample.per_answer_us(sample.server_cpu),
            redis_cpu_us: sample.per_answer_us(sample.redis_cpu),
            load_cpu_us: sample.per_answer_us(sample.load_cpu),
            foreign_cores: sample.foreign_cores(),
            of_native: None,
            of_native_range: None,
            of_script: None,
            faults: sample.faults.clone(),
        }
    }
}

/// What is to be measured side by side.
pub(crate) struct Sides<'a> {
    pub(crate) options: &'a Options,
    pub(crate) hub: &'a Hub,
    pub(crate) native: &'a Server,
    pub(crate) operation: &'static str,
    pub(crate) call: Call,
    pub(crate) connections: usize,
    /// It makes nodes, which are taken away after each round, so that the cluster stays as large.
    pub(crate) makes_nodes: bool,
    /// Once more with many scripts at once on each connection.
    pub(crate) pipelined: bool,
    /// Whose requests they are.
    pub(crate) key: &'a str,
}

impl Sides<'_> {
    pub(crate) async fn measure(&self) -> Result<Vec<Row>> {
        let Self { hub, ref call, operation, connections, .. } = *self;
        let ask = |server| Asking::with_key(call, hub, server, connections, self.key);
        let (wasm, native) = (ask(hub.server()), ask(self.native));
        wasm.warm_up().await?;
        native.warm_up().await?;
        self.tidy().await?;

        let (mut by_wasm, mut by_native) = (Sample::new()?, Sample::new()?);
        let (mut bare, mut bare_pipelined) = (Vec::new(), Vec::new());
        let floor = Floor::of(call, hub.liveness)?;
        let (mut single, mut many) = (floor.clone(), floor);
        let mut ratios = Vec::new();
        let time = self.options.round();
        for round in 0..u64::from(self.options.rounds) {
            let first = wasm.measure(time, round).await?;
            self.tidy().await?;
            let second = native.measure(time, round).await?;
            self.tidy().await?;
            ratios.push(first.rate() / second.rate());
            by_wasm.add(&first)?;
            by_native.add(&second)?;
            bare.push(self.bare(&mut single, 1).await?);
            if self.pipelined {
                bare_pipelined.push(self.bare(&mut many, PIPELINED).await?);
            }
        }
        let script_rate = mean(&bare, |bare| Some(bare.rate));
        let of_script = |sample: &Sample| script_rate.map(|script| sample.rate() / script);
        eprintln!(
            "  {operation}, {connections} connections: wasm {:.0}/s, native {:.0}/s, script {:.0}/s",
            by_wasm.rate(),
            by_native.rate(),
            script_rate.unwrap_or_default(),
        );
        let mut rows = vec![
            Row {
                of_native: Some(by_wasm.rate() / by_native.rate()),
                of_native_range: range(&ratios),
                of_script: of_script(&by_wasm),
                ..Row::of(operation, connections, Way::Wasm, &by_wasm)
            },
            Row {
                of_script: of_script(&by_native),
                ..Row::of(operation, connections, Way::Native, &by_native)
            },
        ];
        rows.extend(self.bare_row(Way::Script, &bare)?);
        rows.extend(self.bare_row(Way::ScriptPipelined, &bare_pipelined)?);
        Ok(rows)
    }

    /// The script alone.
    async fn bare(&self, floor: &mut Floor, at_once: usize) -> Result<Bare> {
        let redis: (_, &Path) = (&self.hub.redis, &self.hub.socket);
        let bare = floor.run(redis, self.connections, at_once, self.options.round()).await?;
        self.tidy().await?;
        Ok(bare)
    }

    async fn tidy(&self) -> Result<()> {
        if self.makes_nodes {
            seed::remove_new(&self.hub.redis).await?;
        }
        Ok(())
    }

    /// Runs of `redis-benchmark`, which tells quantiles only, so that they are averaged.
    fn bare_row(&self, way: Way, runs: &[Bare]) -> Result<Option<Row>> {
        let nothing = Row::of(self.operation, self.connections, way, &Sample::new()?);
        let figures = mean(runs, |bare| Some(bare.rate))
            .zip(mean(runs, |bare| Some(bare.p50_ms)))
            .zip(mean(runs, |bare| Some(bare.p99_ms)));
        Ok(figures.map(|((rate, p50_ms), p99_ms)| Row {
            rate,
            p50_ms,
            p99_ms,
            redis_cpu_us: mean(runs, |bare| bare.redis_cpu_us),
            load_cpu_us: None,
            foreign_cores: None,
            ..nothing
        }))
    }
}

/// The mean of what is known.
fn mean(runs: &[Bare], figure: impl Fn(&Bare) -> Option<f64>) -> Option<f64> {
    let known: Vec<f64> = runs.iter().filter_map(figure).collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}

fn range(values: &[f64]) -> Option<(f64, f64)> {
    let smallest = values.iter().copied().reduce(f64::min)?;
    let greatest = values.iter().copied().reduce(f64::max)?;
    Some((smallest, greatest))
}
