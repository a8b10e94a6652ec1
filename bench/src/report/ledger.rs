//! Tables of what concerns money.

use std::io::{self, Write};

use super::figures::{micros, milliseconds, print_noise, ratio, table, whole};
use crate::parts::ledger::Ledger;

pub(super) fn print(out: &mut impl Write, part: &Ledger) -> io::Result<()> {
    writeln!(
        out,
        "\nLedger: transfers between {} agents, with the admin's key. script: the same script, sent \
         by redis-benchmark.\nCPU in µs for each transfer.",
        part.agents
    )?;
    let mut table = table(&[
        "connections",
        "way",
        "transfers/s",
        "p50 ms",
        "p99 ms",
        "server µs",
        "Redis µs",
        "of native",
        "of script",
    ]);
    for row in &part.rows {
        table.add_row([
            row.connections.to_string(),
            row.way.to_string(),
            whole(Some(row.rate)),
            milliseconds(Some(row.p50_ms)),
            milliseconds(Some(row.p99_ms)),
            micros(row.server_cpu_us),
            micros(row.redis_cpu_us),
            ratio(row.of_native),
            ratio(row.of_script),
        ]);
    }
    writeln!(out, "{table}")?;
    for row in &part.rows {
        for (what, times) in &row.faults {
            writeln!(out, "ERRORS: {} {}: {times} × {what}", row.connections, row.way)?;
        }
    }
    print_noise(out, part.rows.iter().filter_map(|row| row.foreign_cores))
}
