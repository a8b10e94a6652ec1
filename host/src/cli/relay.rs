//! The flags of `reef monitor`, and those by which it serves the page of a hub elsewhere.

use std::path::PathBuf;

use clap::Args;

use super::{CommonArgs, MonitoringArgs};

/// `reef monitor`.
#[derive(Debug, Args)]
pub(crate) struct MonitorArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    #[command(flatten)]
    pub(crate) monitoring: MonitoringArgs,
    #[command(flatten)]
    pub(crate) relay: RelayArgs,
}

/// Flags that say which hub a monitor serves the page of.
#[derive(Debug, Default, Args)]
pub(crate) struct RelayArgs {
    /// The hub's address, such as that of its Spin app: the whole page is served here, and what it asks
    /// is passed on
    #[arg(long, env = "REEF_HUB_URL", value_name = "URL")]
    pub(crate) hub_url: Option<String>,

    /// Authorities (PEM) whose certificates that hub may have, and no others; if not given, those that
    /// this machine trusts
    #[arg(long, env = "REEF_HUB_CA", value_name = "FILE", requires = "hub_url")]
    pub(crate) hub_ca: Option<PathBuf>,

    /// Allow a hub on another machine without TLS: whoever is on the way can read what is asked and
    /// answered, and change both
    #[arg(long, env = "REEF_INSECURE")]
    pub(crate) insecure: bool,
}
