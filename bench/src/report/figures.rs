//! How figures are shown.

use std::collections::BTreeMap;
use std::io::{self, Write};

use comfy_table::presets;
use comfy_table::{CellAlignment, ContentArrangement, Table};

use crate::parts::row::{Row, Way};

/// The kernel's own work for the network is counted here, too.
const QUIET_CORES: f64 = 0.25;

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

/// Prints a table, what went wrong and where, and how quiet the machine was.
pub(super) fn print_table<'a>(
    out: &mut impl Write,
    table: &Table,
    faults: impl IntoIterator<Item = (String, &'a BTreeMap<String, u64>)>,
    cores: impl Iterator<Item = f64>,
) -> io::Result<()> {
    writeln!(out, "{table}")?;
    for (place, faults) in faults {
        for (what, times) in faults {
            writeln!(out, "ERRORS: {place}{times} × {what}")?;
        }
    }
    print_noise(out, cores)
}

/// The table of what was measured side by side.
pub(super) fn print_rows(out: &mut impl Write, rows: &[Row]) -> io::Result<()> {
    let mut table = table(&[
        "operation",
        "conns",
        "way",
        "req/s",
        "p50 ms",
        "p99 ms",
        "server µs",
        "Redis µs",
        "load µs",
        "of native",
        "of script",
    ]);
    for row in rows {
        let only_first = |text: String| if row.way == Way::Wasm { text } else { String::new() };
        let of_native = match (row.of_native, row.of_native_range) {
            (Some(ratio), Some((low, high))) => format!("{ratio:.2} ({low:.2}–{high:.2})"),
            _ => String::new(),
        };
        table.add_row([
            only_first(row.operation.to_owned()),
            only_first(row.connections.to_string()),
            row.way.to_string(),
            whole(Some(row.rate)),
            milliseconds(Some(row.p50_ms)),
            milliseconds(Some(row.p99_ms)),
            micros(row.server_cpu_us),
            micros(row.redis_cpu_us),
            micros(row.load_cpu_us),
            of_native,
            ratio(row.of_script),
        ]);
    }
    print_table(
        out,
        &table,
        rows.iter().map(faults_of),
        rows.iter().filter_map(|it| it.foreign_cores),
    )
}

/// What went wrong with a row, behind its name.
pub(super) fn faults_of(row: &Row) -> (String, &BTreeMap<String, u64>) {
    (format!("{}, {} connections, {}: ", row.operation, row.connections, row.way), &row.faults)
}

pub(super) fn table(header: &[&str]) -> Table {
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

/// What is not known stays empty.
pub(super) fn shown(figure: Option<f64>, show: impl Fn(f64) -> String) -> String {
    figure.filter(|figure| figure.is_finite()).map_or(String::new(), show)
}

pub(super) fn whole(figure: Option<f64>) -> String {
    shown(figure, |f| format!("{f:.0}"))
}

pub(super) fn milliseconds(figure: Option<f64>) -> String {
    shown(figure, |f| format!("{f:.2}"))
}

pub(super) fn micros(figure: Option<f64>) -> String {
    shown(figure, |f| format!("{f:.1}"))
}

pub(super) fn ratio(figure: Option<f64>) -> String {
    shown(figure, |f| format!("{f:.2}"))
}

pub(super) fn megabytes(bytes: Option<u64>) -> String {
    bytes.map_or("?".to_owned(), |bytes| format!("{:.1} MB", bytes as f64 / 1e6))
}

pub(super) fn kilobytes(bytes: usize) -> String {
    format!("{} kB", bytes / 1000)
}

pub(super) fn percent(share: Option<f64>) -> String {
    share.map_or("?".to_owned(), |share| format!("{:.0} %", share * 100.0))
}

/// A table of quantiles: a line for each thing, a column for each share.
pub(super) fn shares(lines: &[(&str, &[(&'static str, f64)])]) -> Table {
    let mut header = vec![""];
    header.extend(lines.iter().take(1).flat_map(|(_, line)| line.iter().map(|(name, _)| *name)));
    let mut table = table(&header);
    for (name, line) in lines {
        let mut row = vec![(*name).to_owned()];
        row.extend(line.iter().map(|(_, value)| milliseconds(Some(*value))));
        table.add_row(row);
    }
    table
}
