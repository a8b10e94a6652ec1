//! Tables of what concerns nodes.

use std::io::{self, Write};

use super::figures::{
    megabytes, micros, milliseconds, percent, print_rows, print_table, ratio, shares, table, whole,
};
use crate::parts::fleet::Fleet;
use crate::parts::operations::Operations;
use crate::parts::scale::{self, Scale};

pub(super) fn print_operations(out: &mut impl Write, part: &Operations) -> io::Result<()> {
    writeln!(
        out,
        "\nOperations, {} nodes. wasm: through the component in the host; native: the same \
         handler in a\nnative server; script: what both ask of Redis, sent by redis-benchmark \
         (×16: 16 at once on each\nconnection). All on the same Redis, in turn. CPU in µs for \
         each request.",
        part.nodes
    )?;
    print_rows(out, &part.rows)?;
    let memory: Vec<String> =
        part.memory.iter().map(|(name, bytes)| format!("{name} {}", megabytes(*bytes))).collect();
    writeln!(out, "Memory after that: {}", memory.join(", "))
}

pub(super) fn print_scale(out: &mut impl Write, part: &Scale) -> io::Result<()> {
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
    let costs = || {
        part.rows.iter().flat_map(|row| [(row.operation, &row.small), (row.operation, &row.big)])
    };
    let faults =
        costs().map(|(operation, cost)| (format!("{}: ", operation.title()), &cost.faults));
    print_table(out, &table, faults, costs().filter_map(|(_, cost)| cost.foreign_cores))?;
    for (nodes, memory) in [(small, part.memory.0), (big, part.memory.1)] {
        writeln!(
            out,
            "Memory with {nodes} nodes: Redis' data {} ({} bytes a node), hub after the load {}",
            megabytes(Some(memory.redis)),
            memory.redis / nodes.max(1),
            megabytes(memory.hub),
        )?;
    }
    Ok(())
}

pub(super) fn print_fleet(out: &mut impl Write, part: &Fleet) -> io::Result<()> {
    writeln!(
        out,
        "\nFleet: {} nodes on {} connections, a heartbeat each every {} s at random offsets, for \
         {} s.\nLatency counts from the time at which a heartbeat was due, lateness of the load \
         generator included.",
        part.nodes, part.connections, part.period_seconds, part.seconds
    )?;
    let table = shares(&[("latency, ms", &part.latency_ms), ("late sent, ms", &part.late_ms)]);
    let faults = [(String::new(), &part.faults)];
    print_table(out, &table, faults, part.foreign_cores.into_iter())?;
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
    )
}
