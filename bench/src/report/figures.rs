//! How figures are shown.

use std::io::{self, Write};

use comfy_table::presets;
use comfy_table::{CellAlignment, ContentArrangement, Table};

/// The kernel's own work for the network is counted here, too.
const QUIET_CORES: f64 = 0.25;

/// Says how quiet the machine was, since nothing spoils a measurement as much as a compiler that
/// runs beside it.
pub(super) fn print_noise(
    out: &mut impl Write,
    cores: impl Iterator<Item = f64>,
) -> io::Result<()> {
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
