//! `reef worker`: does tasks. All that it does is in [`reef_worker`].

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
