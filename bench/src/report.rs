//! The tables.

use std::io::{self, Write};

use comfy_table::presets;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde::Serialize;

use crate::machine::Machine;
use crate::options::Options;
use crate::parts::fleet::Fleet;
use crate::parts::operations::{self, Operations, Way};
use crate::parts::scale::{self, Scale};

/// The kernel's own work for the network is counted here, too.
const QUIET_CORES: f64 = 0.25;

/// All that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    machine: Machine,
    redis_fsync: String,
    quick: bool,
    /// Side by side.
    pub(crate) operations: Option<Operations>,
    /// Few and many nodes.
    pub(crate) scale: Option<Scale>,
    /// Heartbeats on time.
    pub(crate) fleet: Option<Fleet>,
}

impl Report {
    /// Nothing is measured yet.
    pub(crate) fn begin(options: &Options) -> Self {
        Self {
            machine: Machine::look(),
            redis_fsync: options.redis_fsync.clone(),
            quick: options.quick,
            operations: None,
            scale: None,
            fleet: None,
        }
    }

    /// Prints it.
    pub(crate) fn print(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let redis = self
            .operations
            .as_ref()
            .map(|part| &part.redis)
            .or(self.scale.as_ref().map(|part| &part.redis))
            .or(self.fleet.as_ref().map(|part| &part.redis));
        let redis = redis.map_or("", String::as_str);
        writeln!(out, "\n{}, Redis {redis}, appendfsync {}", self.machine, self.redis_fsync)?;
        if self.quick {
            writeln!(out, "--quick: the runs are too short for the figures to mean much")?;
        }
        if let Some(operations) = &self.operations {
            print_operations(&mut out, operations)?;
        }
        if let Some(scale) = &self.scale {
            print_scale(&mut out, scale)?;
        }
        if let Some(fleet) = &self.fleet {
            print_fleet(&mut out, fleet)?;
        }
        out.flush()
    }
}

fn print_operations(out: &mut impl Write, part: &Operations) -> io::Result<()> {
    writeln!(
        out,
        "\nOperations, {} nodes. wasm: through the component in the host; native: the same \
         handler in a\nnative server; script: what both ask of Redis, sent by redis-benchmark \
         (×16: 16 at once on each\nconnection). All on the same Redis, in turn. CPU in µs for \
         each request.",
        part.nodes
    )?;
    let mut table = table(&[
        "operation",
        "conns",
        "way",
        "req/s",
        "p50 ms",
        "p99 ms",
        "server µs",
        "Redis µs",
        "of native",
        "of script",
    ]);
    for row in &part.rows {
        let first = row.way == Way::Wasm;
        let only_first = |text: String| if first { text } else { String::new() };
        let of_native = match (row.of_native, row.of_native_range) {
            (Some(ratio), Some((low, high))) => format!("{ratio:.2} ({low:.2}–{high:.2})"),
            _ => String::new(),
        };
        table.add_row([
            only_first(row.operation.title().to_owned()),
            only_first(row.connections.to_string()),
            way(row.way).to_owned(),
            whole(Some(row.rate)),
            milliseconds(Some(row.p50_ms)),
            milliseconds(Some(row.p99_ms)),
            micros(row.server_cpu_us),
            micros(row.redis_cpu_us),
            of_native,
            ratio(row.of_script),
        ]);
    }
    writeln!(out, "{table}")?;
    for operations::Row { operation, connections, way: row_way, faults, .. } in &part.rows {
        for (what, times) in faults {
            let place = format!("{}, {connections} connections", operation.title());
            writeln!(out, "ERRORS: {place}, {}: {times} × {what}", way(*row_way))?;
        }
    }
    let memory: Vec<String> =
        part.memory.iter().map(|(name, bytes)| format!("{name} {}", megabytes(*bytes))).collect();
    writeln!(out, "Memory after that: {}", memory.join(", "))?;
    print_noise(out, part.rows.iter().filter_map(|row| row.foreign_cores))
}

fn print_scale(out: &mut impl Write, part: &Scale) -> io::Result<()> {
    let (small, big) = part.nodes;
    writeln!(
        out,
        "\nScale: the same through wasm from {} connections, with {small} and with {big} nodes. CPU \
         µs: of hub and Redis\ntogether; Redis µs: of Redis alone, with all that it does beside; \
         script µs: time inside the script as\nRedis counts it (of new hostnames: measured while \
         the nodes were registered). ×: cost with {big} nodes\ndivided by cost with {small}.",
        part.connections
    )?;
    let of = |what: &str, nodes: u64| format!("{what} {}k", nodes / 1000);
    let mut header = vec!["operation".to_owned()];
    for what in ["req/s", "CPU µs", "Redis µs", "script µs"] {
        header.extend([of(what, small), of(what, big), "×".to_owned()]);
    }
    header.extend([of("p99 ms", small), of("p99 ms", big)]);
    let mut table = table(&header.iter().map(String::as_str).collect::<Vec<_>>());
    for scale::Row { operation, small, big } in &part.rows {
        let grown =
            |small: Option<f64>, big: Option<f64>| ratio(big.zip(small).map(|(b, s)| b / s));
        let mut row = vec![operation.title().to_owned()];
        row.extend([whole(small.rate), whole(big.rate), grown(big.rate, small.rate)]);
        for (small, big) in [
            (small.cpu_us(), big.cpu_us()),
            (small.redis_cpu_us, big.redis_cpu_us),
            (small.script_us, big.script_us),
        ] {
            row.extend([micros(small), micros(big), grown(small, big)]);
        }
        row.extend([milliseconds(small.p99_ms), milliseconds(big.p99_ms)]);
        table.add_row(row);
    }
    writeln!(out, "{table}")?;
    for scale::Row { operation, small, big } in &part.rows {
        for (what, times) in small.faults.iter().chain(&big.faults) {
            writeln!(out, "ERRORS: {}: {times} × {what}", operation.title())?;
        }
    }
    for (nodes, memory) in [(small, part.memory.0), (big, part.memory.1)] {
        writeln!(
            out,
            "Memory with {nodes} nodes: Redis' data {} ({} bytes a node), hub after the load {}",
            megabytes(Some(memory.redis)),
            memory.redis / nodes.max(1),
            megabytes(memory.hub),
        )?;
    }
    let costs = part.rows.iter().flat_map(|row| [&row.small, &row.big]);
    print_noise(out, costs.filter_map(|cost| cost.foreign_cores))
}

fn print_fleet(out: &mut impl Write, part: &Fleet) -> io::Result<()> {
    writeln!(
        out,
        "\nFleet: {} nodes on {} connections, a heartbeat each every {} s at random offsets, for \
         {} s.\nLatency counts from the time at which a heartbeat was due, lateness of the load \
         generator included.",
        part.nodes, part.connections, part.period_seconds, part.seconds
    )?;
    let mut header = vec![""];
    header.extend(part.latency_ms.iter().map(|(name, _)| *name));
    let mut table = table(&header);
    for (name, figures) in [("latency, ms", &part.latency_ms), ("late sent, ms", &part.late_ms)] {
        let mut row = vec![name.to_owned()];
        row.extend(figures.iter().map(|(_, value)| milliseconds(Some(*value))));
        table.add_row(row);
    }
    writeln!(out, "{table}")?;
    let percent =
        |share: Option<f64>| share.map_or("?".to_owned(), |s| format!("{:.0} %", s * 100.0));
    writeln!(
        out,
        "{} heartbeats taken, {} errors, {} nodes online at the end. CPU of one core: hub {}, \
         Redis {}. Hub's memory {}",
        part.heartbeats,
        part.faults.values().sum::<u64>(),
        part.online,
        percent(part.hub_cores),
        percent(part.redis_cores),
        megabytes(part.hub_bytes),
    )?;
    for (what, times) in &part.faults {
        writeln!(out, "ERRORS: {times} × {what}")?;
    }
    print_noise(out, part.foreign_cores.into_iter())
}

/// Says how quiet the machine was, since nothing spoils a measurement as much as a compiler that
/// runs beside it.
fn print_noise(out: &mut impl Write, cores: impl Iterator<Item = f64>) -> io::Result<()> {
    let mut cores: Vec<f64> = cores.collect();
    cores.sort_unstable_by(f64::total_cmp);
    let (Some(median), Some(most)) = (cores.get(cores.len() / 2), cores.last()) else {
        return Ok(());
    };
    let verdict =
        if *median > QUIET_CORES { ": NOT QUIET, do not rely on the figures" } else { "" };
    writeln!(
        out,
        "Other processes kept {median:.2} cores busy meanwhile (median; at most {most:.2}){verdict}"
    )
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        // So that a table can be put into a document or an issue as it is.
        .load_style(presets::ASCII_MARKDOWN)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header);
    for (position, column) in table.column_iter_mut().enumerate() {
        if position > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn way(way: Way) -> &'static str {
    match way {
        Way::Wasm => "wasm",
        Way::Native => "native",
        Way::Script => "script",
        Way::ScriptPipelined => "script ×16",
    }
}

/// What is not known stays empty.
fn shown(figure: Option<f64>, show: impl Fn(f64) -> String) -> String {
    figure.filter(|figure| figure.is_finite()).map_or(String::new(), show)
}

fn whole(figure: Option<f64>) -> String {
    shown(figure, |f| format!("{f:.0}"))
}

fn milliseconds(figure: Option<f64>) -> String {
    shown(figure, |f| format!("{f:.2}"))
}

fn micros(figure: Option<f64>) -> String {
    shown(figure, |f| format!("{f:.1}"))
}

fn ratio(figure: Option<f64>) -> String {
    shown(figure, |f| format!("{f:.2}"))
}

fn megabytes(bytes: Option<u64>) -> String {
    bytes.map_or("?".to_owned(), |bytes| format!("{:.1} MB", bytes as f64 / 1e6))
}
