//! Operations on messages under 64 connections, through wasm and natively: as fast as they go, and
//! at a pace.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use super::Asking;
use super::row::{self, Way};
use crate::load::each;
use crate::load::paced::Pace;
use crate::message::{self, MessageOperation};
use crate::options::Options;
use crate::sample::Sample;
use crate::servers::child::Server;
use crate::servers::hub::{Hub, Liveness};
use crate::servers::native;

/// Messages to write to and to read.
const MESSAGES: u64 = 1_000;
/// Length of their text, in bytes.
const TEXT_BYTES: usize = 1_000;
/// Connections, in both ways of asking.
const CONNECTIONS: usize = 64;
/// Requests a second where they come at a pace: what a busy fleet asks for, and well below what
/// any of the operations can do.
const PACE: u64 = 500;

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Messages {
    /// Redis' version.
    pub(crate) redis: String,
    /// Messages to write to and to read.
    pub(crate) messages: u64,
    /// From how many connections.
    pub(crate) connections: usize,
    /// Requests a second where they came at a pace.
    pub(crate) pace: u64,
    /// Two for each operation: through wasm and natively.
    pub(crate) rows: Vec<Row>,
}

/// One line of the table.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// When each connection asks again as soon as it can.
    #[serde(flatten)]
    pub(crate) full: row::Row,
    /// Milliseconds at a pace, counted from when a request was due.
    pub(crate) paced_ms: (f64, f64),
    /// The 99th percentile of the milliseconds by which the load generator itself was late.
    pub(crate) late_ms: f64,
    /// Below how many milliseconds the 99th percentile shall stay.
    pub(crate) target_ms: f64,
}

/// Measures.
pub(crate) async fn run(options: &Options) -> Result<Messages> {
    eprintln!("messages: starting a hub with {MESSAGES} messages, and the native server");
    let hub = Hub::start(options, Liveness::Usual).await?;
    for (call, times) in [
        (message::open_session(), 1),
        (message::create("m"), MESSAGES),
        (message::append("m", &"x".repeat(TEXT_BYTES)), MESSAGES),
        (message::start_task("m"), MESSAGES),
    ] {
        each::send(hub.server(), hub.key(), &call, 0..times).await?;
    }
    let native = native::start(&hub).await?;
    let mut rows = Vec::new();
    for operation in MessageOperation::ALL {
        let bench = Bench { options, hub: &hub, native: &native, operation };
        rows.extend(bench.run().await?);
    }
    Ok(Messages {
        redis: hub.redis.version.clone(),
        messages: MESSAGES,
        connections: CONNECTIONS,
        pace: PACE,
        rows,
    })
}

struct Bench<'a> {
    options: &'a Options,
    hub: &'a Hub,
    native: &'a Server,
    operation: MessageOperation,
}

impl Bench<'_> {
    async fn run(&self) -> Result<Vec<Row>> {
        let servers = [(Way::Wasm, self.hub.server()), (Way::Native, self.native)];
        let mut ways = Vec::new();
        for (way, server) in servers {
            let call = self.operation.call(MESSAGES);
            let asking = Asking::new(&call, self.hub, server, CONNECTIONS);
            // Seeds differ everywhere, lest one way finds the messages that the other has made.
            let mut seed = 1_000_000 * (1 + ways.len() as u64);
            asking.load.run(super::WARM_UP, seed).await?;
            seed += 1;
            ways.push((way, asking, Sample::new()?, seed));
        }
        for _ in 0..self.options.rounds.max(1) {
            for (_, asking, sample, seed) in &mut ways {
                sample.add(&asking.measure(self.options.round(), *seed).await?)?;
                *seed += 1;
            }
        }
        let mut rows = Vec::new();
        for (way, asking, sample, seed) in ways {
            rows.push(self.paced(way, &asking, sample, seed).await?);
        }
        Ok(rows)
    }

    async fn paced(&self, way: Way, asking: &Asking<'_>, full: Sample, seed: u64) -> Result<Row> {
        let pace = Pace {
            address: asking.server.address,
            template: asking.load.template.clone(),
            numbers: Some(asking.load.numbers),
            senders: PACE,
            connections: CONNECTIONS,
            period: Duration::from_secs(1),
        };
        asking.redis.settle().await?;
        let paced = pace.run(self.options.time(), seed, |_| ()).await?;
        let mut full = row::Row::of(self.operation.title(), CONNECTIONS, way, &full);
        for (what, times) in &paced.sample.faults {
            *full.faults.entry(what.clone()).or_default() += times;
        }
        let row = Row {
            full,
            paced_ms: (paced.sample.quantile_ms(0.5), paced.sample.quantile_ms(0.99)),
            late_ms: paced.lateness.value_at_quantile(0.99) as f64 / 1e6,
            target_ms: self.operation.target_ms(),
        };
        eprintln!(
            "  {}, {way}: {:.0}/s; p99 {:.2} ms, at {PACE}/s {:.2} ms",
            self.operation.title(),
            row.full.rate,
            row.full.p99_ms,
            row.paced_ms.1,
        );
        Ok(row)
    }
}
