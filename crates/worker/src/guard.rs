//! What stops commands when the worker itself cannot: a second process that does nothing else.
//!
//! A worker that was killed leaves its commands running, and one that was paused cannot stop them
//! before their leases run out; either way a task could run on two machines at once. So the worker
//! tells its guard which process groups it has started and until when each may run. The guard
//! kills a group whose time has passed, and all of them when the worker is gone.
//!
//! What remains is the instant between the start of a command and the line that tells the guard.

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::process::Stdio;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, ChildStdin, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::group::Group;

/// The subcommand under which a program that embeds the worker runs [`watch`].
pub const SUBCOMMAND: &str = "worker-guard";

/// The worker's end of its guard.
#[derive(Debug, Clone)]
pub(crate) struct Guard(Option<mpsc::UnboundedSender<String>>);

impl Guard {
    /// Starts the guard: this program once more.
    pub(crate) fn start() -> std::io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(SUBCOMMAND)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            // Signals that a terminal sends to the worker's group are not for the guard.
            .process_group(0)
            .spawn()?;
        let (sender, lines) = mpsc::unbounded_channel();
        if let Some(stdin) = child.stdin.take() {
            tokio::spawn(forward(lines, stdin, child));
        }
        Ok(Self(Some(sender)))
    }

    /// No guard, for tests of what needs none.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// The group may run until then, unless this is said again.
    pub(crate) fn allow(&self, group: &Group, until: Instant) {
        let left = until.saturating_duration_since(Instant::now());
        self.tell(format!("{} {}\n", group.id(), (monotonic() + left).as_millis()));
    }

    /// The group is gone.
    pub(crate) fn forget(&self, group: &Group) {
        self.tell(format!("{} gone\n", group.id()));
    }

    fn tell(&self, line: String) {
        if let Some(sender) = &self.0 {
            let _ = sender.send(line);
        }
    }
}

async fn forward(
    mut lines: mpsc::UnboundedReceiver<String>,
    mut stdin: ChildStdin,
    mut guard: Child,
) {
    while let Some(line) = lines.recv().await {
        if let Err(error) = stdin.write_all(line.as_bytes()).await {
            tracing::warn!(%error, "the guard of the commands is gone");
            break;
        }
    }
    drop(stdin);
    let _ = guard.wait().await;
}

/// The time since some fixed moment, the same for all processes of this machine.
fn monotonic() -> Duration {
    Duration::try_from(clock_gettime(ClockId::Monotonic)).unwrap_or_default()
}

/// Guards the commands of the worker at the other end of standard input, until that is gone.
///
/// # Errors
/// Standard input is no pipe.
pub async fn watch() -> std::io::Result<()> {
    // The worker decides when all is over. Signals that were meant for it, too, end nothing here.
    let _ignored = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()]
        .map(|kind| signal(kind).ok());
    let worker = std::io::stdin().as_fd().try_clone_to_owned()?;
    watch_over(Receiver::from_owned_fd(worker)?).await;
    Ok(())
}

async fn watch_over(worker: impl AsyncRead + Unpin) {
    let mut lines = BufReader::new(worker).lines();
    let mut groups: HashMap<u32, (Group, Duration)> = HashMap::new();
    loop {
        let next = groups.values().map(|(_, until)| *until).min();
        let overdue = async {
            match next {
                Some(until) => tokio::time::sleep(until.saturating_sub(monotonic())).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            line = lines.next_line() => match line {
                Ok(Some(line)) => take(&mut groups, &line),
                // Dropping the groups kills them.
                Ok(None) | Err(_) => return,
            },
            () = overdue => {
                let now = monotonic();
                groups.retain(|_, (_, until)| *until > now);
            }
        }
    }
}

fn take(groups: &mut HashMap<u32, (Group, Duration)>, line: &str) {
    let Some((id, until)) = line.split_once(' ') else { return };
    let Ok(id) = id.parse::<u32>() else { return };
    match until.parse().map(Duration::from_millis) {
        Ok(until) => {
            if let Some((_, known)) = groups.get_mut(&id) {
                *known = until;
            } else if let Some(group) = Group::of(id) {
                groups.insert(id, (group, until));
            }
        }
        Err(_) => {
            // It has ended: its number may soon belong to somebody else.
            if let Some((group, _)) = groups.remove(&id) {
                group.forget();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use tokio::io::DuplexStream;
    use tokio::time::timeout;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn sleeper() -> (Child, Group) {
        let child = Command::new("sleep").arg("1000").process_group(0).spawn().unwrap();
        let group = Group::of(child.id().unwrap()).unwrap();
        (child, group)
    }

    /// A guard with a worker's end to talk to it.
    fn guard() -> (DuplexStream, tokio::task::JoinHandle<()>) {
        let (worker, guard) = tokio::io::duplex(1000);
        (worker, tokio::spawn(watch_over(guard)))
    }

    async fn was_killed(mut child: Child) -> bool {
        let status = timeout(PATIENCE, child.wait()).await.expect("it lives on").unwrap();
        status.signal() == Some(9)
    }

    #[tokio::test]
    async fn a_group_is_killed_when_its_time_is_over() {
        let (mut worker, _guard) = guard();
        let (child, group) = sleeper();
        let until = (monotonic() + Duration::from_millis(50)).as_millis();
        worker.write_all(format!("{} {until}\n", group.id()).as_bytes()).await.unwrap();
        assert!(was_killed(child).await);
    }

    #[tokio::test]
    async fn all_groups_are_killed_when_the_worker_is_gone_but_those_that_ended() {
        let (mut worker, guard) = guard();
        let ((child, group), (mut other, other_group)) = (sleeper(), sleeper());
        let until = (monotonic() + PATIENCE * 10).as_millis();
        for group in [&group, &other_group] {
            worker.write_all(format!("{} {until}\n", group.id()).as_bytes()).await.unwrap();
        }
        worker.write_all(format!("{} gone\n", other_group.id()).as_bytes()).await.unwrap();
        drop(worker);
        assert!(was_killed(child).await);
        timeout(PATIENCE, guard).await.unwrap().unwrap();
        assert_eq!(other.try_wait().unwrap(), None);
        drop(other_group);
        assert!(was_killed(other).await);
    }
}
