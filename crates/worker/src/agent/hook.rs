//! The commands that run because this node leads, or leads no longer.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::AgentArgs;
use crate::group::Group;
use crate::guard::Guard;
use crate::lease::Lease;

/// How long the command may take that runs after the leadership was lost, in seconds.
const LOST_LIMIT: Duration = Duration::from_secs(30);

/// What to run, and what stops it when the agent cannot.
pub(super) struct Hooks {
    on_elected: Option<String>,
    on_lost: Option<String>,
    guard: Guard,
}

/// What a command gets to know.
pub(super) struct Surroundings<'a> {
    pub(super) hub: &'a str,
    pub(super) node_id: &'a str,
    pub(super) term: u64,
}

/// A command that runs while this node leads. Dropping it kills its process group.
pub(super) struct Running {
    child: Child,
    group: Group,
    guard: Guard,
}

impl Hooks {
    pub(super) fn new(args: &AgentArgs, guard: Guard) -> Self {
        let (on_elected, on_lost) = (args.on_elected.clone(), args.on_lost.clone());
        Self { on_elected, on_lost, guard }
    }

    /// Starts what runs while this node leads, if there is such a command.
    pub(super) fn start(
        &self,
        within: &Surroundings<'_>,
        lease: &Lease,
    ) -> std::io::Result<Option<Running>> {
        let Some(line) = &self.on_elected else { return Ok(None) };
        let (child, group) = spawn(line, within)?;
        let running = Running { child, group, guard: self.guard.clone() };
        running.allow(lease);
        Ok(Some(running))
    }

    /// Runs what comes after the leadership, to its end or until `deadline`.
    pub(super) async fn run_lost(&self, within: &Surroundings<'_>, deadline: Option<Instant>) {
        let Some(line) = &self.on_lost else { return };
        let deadline = deadline.unwrap_or_else(|| Instant::now() + LOST_LIMIT);
        let (mut child, group) = match spawn(line, within) {
            Ok(spawned) => spawned,
            Err(error) => {
                tracing::error!(%error, "the command of --on-lost cannot be started");
                return;
            }
        };
        match timeout_at(deadline, child.wait()).await {
            Ok(Ok(status)) if status.success() => {}
            Ok(Ok(status)) => tracing::warn!("the command of --on-lost has failed: {status}"),
            Ok(Err(error)) => tracing::warn!(%error, "the command of --on-lost is lost"),
            Err(_) => {
                tracing::warn!("the command of --on-lost took too long and is killed");
                group.kill();
                let _ = child.wait().await;
            }
        }
        group.finish();
    }
}

impl Running {
    /// Lets the guard know until when the command may run.
    pub(super) fn allow(&self, lease: &Lease) {
        self.guard.allow(&self.group, lease.kill_at());
    }

    /// Waits for its end.
    pub(super) async fn ended(&mut self) -> std::io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// What is left of its group ends, too.
    pub(super) fn clear(self) {
        self.guard.forget(&self.group);
        self.group.finish();
    }

    /// Asks it to end, and ends it when `kill_at` has come.
    pub(super) async fn stop(mut self, kill_at: Instant) {
        self.group.terminate();
        tokio::select! {
            biased;
            _ = self.child.wait() => {}
            () = sleep_until(kill_at) => {
                tracing::warn!("the command of --on-elected did not end in time and is killed");
                self.group.kill();
                let _ = self.child.wait().await;
            }
        }
        self.clear();
    }

    /// Ends it at once.
    pub(super) async fn kill(mut self) {
        self.group.kill();
        let _ = self.child.wait().await;
        self.clear();
    }
}

fn spawn(line: &str, within: &Surroundings<'_>) -> std::io::Result<(Child, Group)> {
    let child = Command::new("sh")
        .args(["-c", line])
        .env_remove("REEF_API_KEY")
        .env("REEF_HUB", within.hub)
        .env("REEF_NODE_ID", within.node_id)
        .env("REEF_TERM", within.term.to_string())
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()?;
    let group = child.id().and_then(Group::of);
    let group = group.ok_or_else(|| std::io::Error::other("it has no process group"))?;
    Ok((child, group))
}
