//! What commands of the host print on standard output.

use std::io::{ErrorKind, Write as _};

use anyhow::Context as _;

use crate::failure::Failure;

/// The exit code of a process that SIGPIPE has ended, as shells show it.
const NOBODY_READS: u8 = 141;

/// Prints a text, and ends its line.
///
/// # Errors
/// As [`write`].
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    write(format!("{text}\n").as_bytes())
}

/// Prints these bytes.
///
/// # Errors
/// Standard output takes nothing. Where its reader has gone, as `head` does, that is no fault, and
/// nothing is said.
pub(crate) fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::Found(NOBODY_READS)),
        written => Ok(written.context("cannot write to standard output")?),
    }
}
