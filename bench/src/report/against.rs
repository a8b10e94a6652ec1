//! What operations do now, beside what they did in an earlier run.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::figures::{micros, ratio, table, whole};
use crate::parts::row::Row;

/// As much of an earlier run as is compared.
#[derive(Deserialize)]
struct Earlier {
    machine: Machine,
    operations: Option<Operations>,
}

#[derive(Deserialize)]
struct Machine {
    cores: usize,
    processor: Option<String>,
}

#[derive(Deserialize)]
struct Operations {
    rows: Vec<EarlierRow>,
}

#[derive(Deserialize)]
struct EarlierRow {
    operation: String,
    connections: usize,
    way: String,
    rate: f64,
    server_cpu_us: Option<f64>,
    redis_cpu_us: Option<f64>,
}

/// Prints the lines that both runs have.
pub(super) fn print(out: &mut impl Write, now: &[Row], file: &Path) -> Result<()> {
    let named = || format!("{}", file.display());
    let text = std::fs::read(file).with_context(named)?;
    let earlier: Earlier = serde_json::from_slice(&text).with_context(named)?;
    let Machine { cores, processor } = earlier.machine;
    writeln!(
        out,
        "\nAgainst {}, which ran on {cores} cores ({}). Only what ran on the same machine can be \
         compared.",
        file.display(),
        processor.unwrap_or_default()
    )?;
    let mut table = table(&[
        "operation",
        "conns",
        "way",
        "req/s then",
        "now",
        "×",
        "server µs then",
        "now",
        "Redis µs then",
        "now",
    ]);
    for then in earlier.operations.map(|part| part.rows).unwrap_or_default() {
        let is_same = |row: &&Row| {
            let way = serde_json::to_value(row.way).unwrap_or_default();
            row.operation == then.operation
                && row.connections == then.connections
                && way == then.way.as_str()
        };
        let Some(row) = now.iter().find(is_same) else { continue };
        table.add_row([
            then.operation.clone(),
            then.connections.to_string(),
            row.way.to_string(),
            whole(Some(then.rate)),
            whole(Some(row.rate)),
            ratio(Some(row.rate / then.rate)),
            micros(then.server_cpu_us),
            micros(row.server_cpu_us),
            micros(then.redis_cpu_us),
            micros(row.redis_cpu_us),
        ]);
    }
    Ok(writeln!(out, "{table}")?)
}
