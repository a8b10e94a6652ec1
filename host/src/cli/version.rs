//! `reef --version`, and what it is built from.

use clap::Args;

use crate::carried::{BUILT, VERSION};
use crate::failure::Failure;
use crate::output::print;

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
pub(crate) fn print_version(args: &VersionArgs) -> Result<(), Failure> {
    print(&if args.verbose { BUILT.to_string() } else { format!("reef {VERSION}") })
}
