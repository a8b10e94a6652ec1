//! Tables of what concerns money.

use std::io::{self, Write};

use super::figures::print_rows;
use crate::parts::ledger::Ledger;

pub(super) fn print(out: &mut impl Write, part: &Ledger) -> io::Result<()> {
    writeln!(
        out,
        "\nLedger: transfers between {} agents, with the admin's key. script: the same script, sent \
         by redis-benchmark.\nCPU in µs for each transfer.",
        part.agents
    )?;
    print_rows(out, &part.rows)
}
