//! `reef worker`: does tasks. All that it does is in [`reef_worker`].

use std::ffi::OsString;

use clap::Args;
use reef_settings::{Invalid, Settings, SettingsArgs};
use reef_worker::{WorkerArgs, WorkerError};

use crate::connection::{HubArgs, KeySource};
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
    pub(crate) async fn run(mut self) -> Result<(), Failure> {
        let usage = |error: Invalid| Failure::Usage(error.to_string());
        let settings = Settings::load(&self.settings).map_err(usage)?;
        let logs = settings.parsed("worker.log", "true or false").map_err(usage)?;
        self.args.log |= logs.unwrap_or(false);
        let (hub, key) = (self.hub.connect()?, self.hub.key()?);
        let is_found = matches!(self.hub.key_source(), KeySource::StateDir(_));
        if !is_found || self.args.as_admin {
            return Ok(reef_worker::run(self.args, hub, key).await?);
        }
        // The admin key that lies here was made for nobody in particular: where a hub asks for no
        // key none is needed, and else an agent's.
        match reef_worker::run(self.args, hub.with_key(None)?, None).await {
            Err(WorkerError::Hub(error)) if error.problem().is_some_and(|it| it.status == 401) => {
                Err(WorkerError::administers().into())
            }
            other => Ok(other?),
        }
    }
}

/// What stands between a worker and a command of it.
#[derive(Debug, Args)]
pub struct Guard {
    /// Which guard it is, and the command
    #[arg(last = true)]
    pub(crate) words: Vec<OsString>,
}
