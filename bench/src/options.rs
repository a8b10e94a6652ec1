//! What can be typed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::operation::Operation;

/// Measures the hub: through wasm, natively, and Redis alone
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench --", args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// What this program runs as beside a measurement.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serves the components' routes natively. The admin key is read from standard input
    #[command(hide = true)]
    NativeServer(NativeServer),
    /// What each script costs in Redis, and its commands alone; what each read asks of it
    Scripts(Scripts),
    /// What operations cost a Redis, and how throughput grows with the shards of a Redis Cluster
    Scale(Box<Options>),
}

/// The tables of scripts and of reads.
#[derive(Debug, Args)]
pub(crate) struct Scripts {
    /// Fewer calls: shows that everything works; the figures mean little
    #[arg(long)]
    pub(crate) quick: bool,
    /// Write both tables into docs/reference instead of printing them
    #[arg(long)]
    pub(crate) write: bool,
}

/// The native baseline.
#[derive(Debug, Args)]
pub(crate) struct NativeServer {
    /// The Redis to use
    #[arg(long)]
    pub(crate) redis_url: String,
    /// As for the hub
    #[arg(long = "variable", value_name = "NAME=VALUE")]
    pub(crate) variables: Vec<String>,
}

/// One of the things that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Each operation through wasm, natively and as a bare script, side by side
    Operations,
    /// Each operation with few and with many nodes
    Scale,
    /// A fleet that sends its heartbeats on time
    Fleet,
    /// Operations on messages, as fast as they go and at a pace
    Messages,
    /// An append to a short text and to a long one
    Append,
    /// Event streams with many readers
    Streams,
    /// Tasks: cycles, dispatch to idle workers, claims before a long queue
    Tasks,
    /// Transfers of money between many agents
    Ledger,
    /// What each operation costs a Redis when an agent asks for it
    Costs,
    /// The same scripts over one, two, … shards of a Redis Cluster
    Shards,
}

/// How to measure.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// Short runs on small sets: shows that everything works; the figures mean little
    #[arg(long)]
    pub(crate) quick: bool,

    /// How long each figure is measured, over all rounds [default: 3, quick: 0.6]
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<f64>,

    /// In how many turns: wasm, native, Redis, wasm, native, … so that drift hits all alike
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) rounds: u32,

    /// Ask with the admin's key, which needs no look in Redis, and not with an agent's
    #[arg(long)]
    pub(crate) admin: bool,

    /// Compare with the operations of an earlier run, which --json has written
    #[arg(long, value_name = "FILE")]
    pub(crate) against: Option<PathBuf>,

    /// Only these parts
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    only: Vec<Part>,

    /// Only these operations
    #[arg(long, value_name = "OPERATION", value_delimiter = ',')]
    operations: Vec<Operation>,

    /// Numbers of connections [default: 1,16,64, quick: 1,64]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    connections: Vec<usize>,

    /// How long the fleet is held [default: 30, quick: 5]
    #[arg(long, value_name = "SECONDS")]
    fleet_seconds: Option<f64>,

    /// How many nodes the fleet has [default: 10000, quick: 1000]
    #[arg(long, value_name = "N")]
    fleet_nodes: Option<u64>,

    /// How many readers the event streams have [default: 10000, quick: 500]
    #[arg(long, value_name = "N")]
    readers: Option<usize>,

    /// How many appends a second they read [default: 20]
    #[arg(long, value_name = "N")]
    appends_per_second: Option<f64>,

    /// How long they read [default: 20, quick: 3]
    #[arg(long, value_name = "SECONDS")]
    streams_seconds: Option<f64>,

    /// How many tasks wait in the long queue [default: 1000000, quick: 10000]
    #[arg(long, value_name = "N")]
    backlog: Option<u64>,

    /// Over how many shards at most [default: 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=16))]
    shards: Option<u8>,

    /// When the hub's Redis writes to the disk; `always` is what users run
    #[arg(long, value_name = "WHEN", default_value = "always", value_parser = ["always", "everysec"])]
    pub(crate) redis_fsync: String,

    /// Where the hubs that are measured keep their data for the time of the run
    #[arg(long, value_name = "DIR", default_value = "/tmp")]
    pub(crate) state_dir: PathBuf,

    /// The hub's binary [default: the release build of this checkout]
    #[arg(long, value_name = "FILE")]
    reef: Option<PathBuf>,

    /// The manifest of the hub [default: that of this checkout]
    #[arg(long, value_name = "FILE")]
    spin_file: Option<PathBuf>,

    /// Also writes the figures to a file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

impl Options {
    /// The parts to measure, in order.
    pub(crate) fn parts(&self) -> Vec<Part> {
        chosen(&self.only, Part::value_variants())
    }

    /// The same, for sizing alone.
    pub(crate) fn for_sizing(self) -> Self {
        Self { only: vec![Part::Costs, Part::Shards], ..self }
    }

    /// Over how many shards at most.
    pub(crate) fn shards(&self) -> usize {
        usize::from(self.shards.unwrap_or(3))
    }

    /// The operations to measure, in order.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        chosen(&self.operations, Operation::value_variants())
    }

    /// How long each figure is measured, over all rounds.
    pub(crate) fn time(&self) -> Duration {
        let seconds = self.seconds.unwrap_or(if self.quick { 0.6 } else { 3.0 });
        Duration::from_secs_f64(seconds.clamp(0.05, 3600.0))
    }

    /// How long one server is measured in one round.
    pub(crate) fn round(&self) -> Duration {
        self.time() / self.rounds.max(1)
    }

    /// Numbers of connections.
    pub(crate) fn connections(&self) -> Vec<usize> {
        chosen(&self.connections, if self.quick { &[1, 64] } else { &[1, 16, 64] })
    }

    /// Nodes of a small cluster and of a big one.
    pub(crate) fn scales(&self) -> (u64, u64) {
        if self.quick { (1_000, 10_000) } else { (1_000, 100_000) }
    }

    /// How long the fleet is held.
    pub(crate) fn fleet_time(&self) -> Duration {
        let seconds = self.fleet_seconds.unwrap_or(if self.quick { 5.0 } else { 30.0 });
        Duration::from_secs_f64(seconds.clamp(0.5, 86_400.0))
    }

    /// How many nodes the fleet has.
    pub(crate) fn fleet_nodes(&self) -> u64 {
        self.fleet_nodes.unwrap_or(if self.quick { 1_000 } else { 10_000 }).max(1)
    }

    /// How many readers the event streams have.
    pub(crate) fn readers(&self) -> usize {
        self.readers.unwrap_or(if self.quick { 500 } else { 10_000 }).max(1)
    }

    /// How many appends a second they read.
    pub(crate) fn appends_per_second(&self) -> f64 {
        self.appends_per_second.unwrap_or(20.0).clamp(0.1, 100_000.0)
    }

    /// How long they read.
    pub(crate) fn streams_time(&self) -> Duration {
        let seconds = self.streams_seconds.unwrap_or(if self.quick { 3.0 } else { 20.0 });
        Duration::from_secs_f64(seconds.clamp(0.5, 86_400.0))
    }

    /// How many tasks wait in the short queue and in the long one.
    pub(crate) fn backlogs(&self) -> (u64, u64) {
        let many = self.backlog.unwrap_or(if self.quick { 10_000 } else { 1_000_000 });
        (1_000, many.max(1_000))
    }

    /// The hub's binary.
    pub(crate) fn reef(&self) -> PathBuf {
        self.reef.clone().unwrap_or_else(|| checkout().join("target/release/reef"))
    }

    /// The manifest of the hub.
    pub(crate) fn spin_file(&self) -> PathBuf {
        self.spin_file.clone().unwrap_or_else(|| checkout().join("spin.toml"))
    }
}

/// The root of the checkout that this program was built in.
pub(crate) fn checkout() -> &'static Path {
    let bench = Path::new(env!("CARGO_MANIFEST_DIR"));
    bench.parent().unwrap_or(bench)
}

fn chosen<T: Clone>(given: &[T], default: &[T]) -> Vec<T> {
    if given.is_empty() { default.to_vec() } else { given.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn flags_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_is_given_replaces_the_default() {
        let cli = Cli::parse_from(["bench", "--only", "fleet,scale", "--connections", "8"]);
        assert_eq!(cli.options.parts(), [Part::Fleet, Part::Scale]);
        assert_eq!(cli.options.connections(), [8]);
        assert_eq!(cli.options.round(), Duration::from_secs(1));
    }
}
