//! `reef worker`: does tasks. All that it does is in [`reef_worker`].

use std::ffi::OsString;

use clap::Args;
use reef_settings::SettingsArgs;
use reef_worker::WorkerArgs;

use crate::connection::HubArgs;
use crate::failure::Failure;

/// `reef worker`.
#[derive(Debug, Args)]
#[command(mut_arg("json", |json| json.hide(true)))]
pub struct Worker {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
    #[command(flatten)]
    args: WorkerArgs,
}

impl Worker {
    /// Works until it is told to stop. It looks after signals by itself.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (hub, key) = (self.hub.connect()?, self.hub.key()?);
        Ok(reef_worker::run(self.args, hub, key).await?)
    }
}

/// What stands between a worker and a command of it.
#[derive(Debug, Args)]
pub struct Guard {
    /// Which guard it is, and the command
    #[arg(last = true)]
    pub(crate) words: Vec<OsString>,
}
