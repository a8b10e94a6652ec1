//! Tables of what concerns tasks.

use std::io::{self, Write};

use super::figures::{megabytes, micros, print_rows, print_table, ratio, shares, table};
use crate::parts::row::Row;
use crate::parts::tasks::{ClaimCost, Dispatch, Tasks};

/// Below how many milliseconds the 99th percentile of a dispatch shall stay.
const DISPATCH_TARGET_MS: f64 = 10.0;

pub(super) fn print(out: &mut impl Write, part: &Tasks) -> io::Result<()> {
    print_cycles(out, &part.cycles)?;
    print_dispatch(out, &part.dispatch)?;
    print_claims(out, &part.claims)
}

fn print_cycles(out: &mut impl Write, cycles: &[Row]) -> io::Result<()> {
    let workers = cycles.first().map_or(0, |row| row.connections);
    writeln!(
        out,
        "\nTasks: {workers} workers that each submit a task, claim one, and complete it, over and \
         over. script: the same\nthree scripts, sent by the native client, without HTTP. CPU in µs \
         for each cycle."
    )?;
    print_rows(out, cycles)
}

fn print_dispatch(out: &mut impl Write, dispatch: &Dispatch) -> io::Result<()> {
    writeln!(
        out,
        "\nDispatch: {} idle workers wait by long poll, {} tasks a second are submitted. From when \
         a submission was\ndue until a worker holds the task. Target: p99 < {DISPATCH_TARGET_MS:.0} \
         ms.",
        dispatch.workers, dispatch.pace
    )?;
    let latency: &[_] = &dispatch.latency_ms;
    let table = shares(&[("held, ms", latency), ("late sent, ms", &dispatch.late_ms)]);
    print_table(out, &table, [(String::new(), &dispatch.faults)], std::iter::empty())?;
    writeln!(
        out,
        "{} tasks submitted, {} lost, {} held twice, {} errors.",
        dispatch.submitted,
        dispatch.lost,
        dispatch.repeated,
        dispatch.faults.values().sum::<u64>(),
    )
}

fn print_claims(out: &mut impl Write, claims: &[ClaimCost]) -> io::Result<()> {
    writeln!(
        out,
        "\nClaims: time inside the script, by how many tasks wait; half of them ask for skills that \
         nobody has."
    )?;
    let mut table = table(&["tasks that wait", "claims", "script µs", "Redis' data"]);
    for cost in claims {
        table.add_row([
            cost.waiting.to_string(),
            cost.claims.to_string(),
            micros(cost.script_us),
            megabytes(Some(cost.redis_bytes)),
        ]);
    }
    if let [few, many] = claims {
        let grown = many.script_us.zip(few.script_us).map(|(many, few)| many / few);
        table.add_row(["many / few".to_owned(), String::new(), ratio(grown), String::new()]);
    }
    writeln!(out, "{table}")
}
