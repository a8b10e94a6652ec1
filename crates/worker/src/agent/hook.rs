//! The commands that run because this node leads, or leads no longer.

use std::ffi::OsString;
use std::time::Duration;

use super::AgentArgs;
use crate::guard::{End, Guarded, Launch};
use crate::lease::Lease;
use crate::moment::{Moment, sleep_until};

/// How long the command may take that runs after the leadership was lost, in seconds.
const LOST_LIMIT: Duration = Duration::from_secs(30);

/// What to run.
pub(super) struct Hooks {
    on_elected: Option<String>,
    on_lost: Option<String>,
}

/// What a command gets to know.
pub(super) struct Surroundings<'a> {
    pub(super) hub: &'a str,
    pub(super) node_id: &'a str,
    pub(super) term: i64,
}

/// A command that runs while this node leads. Dropping it ends it.
pub(super) struct Running(Guarded);

impl Hooks {
    pub(super) fn new(args: &AgentArgs) -> Self {
        Self { on_elected: args.on_elected.clone(), on_lost: args.on_lost.clone() }
    }

    /// Starts what runs while this node leads, if there is such a command.
    pub(super) fn start(
        &self,
        within: &Surroundings<'_>,
        lease: &Lease,
    ) -> std::io::Result<Option<Running>> {
        let Some(line) = &self.on_elected else { return Ok(None) };
        Ok(Some(Running(within.launch(line).start(lease.kill_at())?)))
    }

    /// Runs what comes after the leadership, to its end or until `deadline`.
    pub(super) async fn run_lost(&self, within: &Surroundings<'_>, deadline: Option<Moment>) {
        let Some(line) = &self.on_lost else { return };
        let deadline = deadline.unwrap_or_else(|| Moment::now() + LOST_LIMIT);
        let mut command = match within.launch(line).start(deadline) {
            Ok(command) => command,
            Err(error) => {
                tracing::error!(%error, "the command of --on-lost cannot be started");
                return;
            }
        };
        match command.ended().await {
            End::Exited(status) if status.success() => {}
            End::Exited(_) if deadline.left().is_zero() => {
                tracing::warn!("the command of --on-lost took too long and is killed");
            }
            End::Exited(status) => {
                tracing::warn!("the command of --on-lost has failed: {status}");
            }
            End::NotStarted(why) => {
                tracing::error!("the command of --on-lost cannot be started: {why}");
            }
            End::Unguarded => {
                tracing::warn!("the guard of --on-lost was killed, and its command with it");
            }
        }
    }
}

impl Running {
    /// Lets the guards know until when the command may run.
    pub(super) fn allow(&mut self, lease: &Lease) {
        self.0.allow(lease.kill_at());
    }

    /// Waits for its end. Nothing of it runs any more then.
    pub(super) async fn ended(&mut self) -> End {
        self.0.ended().await
    }

    /// Asks it to end, and ends it when `kill_at` has come.
    pub(super) async fn stop(mut self, kill_at: Moment) {
        self.0.stop();
        tokio::select! {
            biased;
            _ = self.0.ended() => {}
            () = sleep_until(kill_at) => {
                tracing::warn!("the command of --on-elected did not end in time and is killed");
                self.kill().await;
            }
        }
    }

    /// Ends it at once.
    pub(super) async fn kill(mut self) {
        self.0.kill();
        self.0.ended().await;
    }
}

impl Surroundings<'_> {
    fn launch(&self, line: &str) -> Launch {
        Launch {
            words: ["sh", "-c", line].map(OsString::from).to_vec(),
            envs: vec![
                ("REEF_HUB", self.hub.into()),
                ("REEF_NODE_ID", self.node_id.into()),
                ("REEF_TERM", self.term.to_string().into()),
            ],
            hidden: vec!["REEF_API_KEY"],
            ..Launch::default()
        }
    }
}
