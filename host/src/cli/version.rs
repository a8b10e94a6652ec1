//! `reef --version`, and what it is built from.

use std::io::Write as _;

use clap::Args;

use crate::carried::{BUILT, VERSION};

/// Flags instead of a subcommand.
#[derive(Debug, Args)]
pub(crate) struct VersionArgs {
    /// Print the version
    #[arg(short = 'V', long)]
    pub(crate) version: bool,

    /// With --version: also the commit and the components that this program is built from
    #[arg(long, requires = "version")]
    pub(crate) verbose: bool,
}

/// Prints what was asked for.
pub(crate) fn print_version(args: &VersionArgs) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if args.verbose { writeln!(out, "{}", *BUILT) } else { writeln!(out, "reef {VERSION}") }
}
