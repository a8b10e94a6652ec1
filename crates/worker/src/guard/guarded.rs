//! A command that runs under guards, as the worker sees it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Signal, WaitOptions, waitpid};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::time::sleep;

use super::below::{Below, guard};
use super::words::{News, Order};
use super::{MARGIN, OUTER, family, this_program};
use crate::moment::{Moment, sleep_until};

/// The pause between two looks at what a guard has left behind.
const PAUSE: Duration = Duration::from_millis(10);

/// The outer guards that this process has started and not waited for. Whatever else is its child
/// was left behind by a guard that was killed: a process that has guards starts nothing else.
static GUARDS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// A command to be started.
#[derive(Debug, Default)]
pub(crate) struct Launch {
    /// The program and its arguments.
    pub(crate) words: Vec<OsString>,
    /// Variables beside those of this process.
    pub(crate) envs: Vec<(&'static str, OsString)>,
    /// Variables of this process that it must not see.
    pub(crate) hidden: Vec<&'static str>,
    /// What it reads.
    pub(crate) input: Option<Vec<u8>>,
    /// Whether what it says is read here, or goes where this process' words go.
    pub(crate) is_read: bool,
}

/// What a command says.
#[derive(Debug)]
pub(crate) struct Pipes {
    pub(crate) stdout: ChildStdout,
    pub(crate) stderr: ChildStderr,
}

/// A command that runs. Dropping it has its guards end it.
#[derive(Debug)]
pub(crate) struct Guarded {
    outer: Child,
    pub(super) id: i32,
    below: Below,
    until: Moment,
}

/// How a command came to its end. In any case nothing of it runs any more.
#[derive(Debug)]
pub(crate) enum End {
    /// It ended, or was ended when its time was over or it was told to.
    Exited(ExitStatus),
    /// It could not be started.
    NotStarted(String),
    /// A guard was killed, and so the command was.
    Unguarded,
}

impl Launch {
    /// Starts it under guards that let it run until then.
    pub(crate) fn start(self, until: Moment) -> io::Result<Guarded> {
        family::adopt_orphans()?;
        let mut command = guard(&this_program()?, OUTER, &self.words)?;
        for name in &self.hidden {
            command.env_remove(name);
        }
        command.envs(self.envs.iter().map(|(name, value)| (name, value)));
        if self.is_read {
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
        }
        let below = Below::of(&mut command, self.input.as_deref(), until)?;
        let mut guards = guards();
        let outer = Command::from(command).spawn()?;
        let id = outer.id().and_then(|id| i32::try_from(id).ok());
        let id = id.ok_or_else(|| io::Error::other("the guard has no number"))?;
        guards.insert(id);
        Ok(Guarded { outer, id, below, until })
    }
}

impl Guarded {
    /// What it says, if that is read here.
    pub(crate) fn pipes(&mut self) -> Option<Pipes> {
        Some(Pipes { stdout: self.outer.stdout.take()?, stderr: self.outer.stderr.take()? })
    }

    /// It may run until then.
    pub(crate) fn allow(&mut self, until: Moment) {
        self.until = until;
        self.below.tell(Order::Until(until));
    }

    /// Asks it to end.
    pub(crate) fn stop(&self) {
        self.below.tell(Order::Stop);
    }

    /// Has it ended at once.
    pub(crate) fn kill(&mut self) {
        self.until = Moment::now();
        self.below.tell(Order::Kill);
    }

    /// Waits for its end. May be dropped and called again.
    pub(crate) async fn ended(&mut self) -> End {
        let news = tokio::select! {
            biased;
            news = self.below.news() => Some(news),
            // Both guards are paused.
            () = sleep_until(self.until + MARGIN * 3) => None,
        };
        // The guard has said and done what it could.
        let _ = self.outer.start_kill();
        let _ = self.outer.wait().await;
        guards().remove(&self.id);
        match news {
            Some(Some(News::Ended(status))) => End::Exited(ExitStatus::from_raw(status)),
            Some(Some(News::Failed(why))) => End::NotStarted(why),
            Some(None) => {
                self.end_orphans().await;
                End::Unguarded
            }
            None => {
                self.end_orphans().await;
                End::Exited(ExitStatus::from_raw(Signal::KILL.as_raw()))
            }
        }
    }

    /// Ends what a guard has left behind, and waits until nothing is.
    async fn end_orphans(&self) {
        loop {
            let orphans = {
                let guards = guards();
                family::end_below(&guards, None)
            };
            if orphans.is_empty() {
                return;
            }
            for orphan in orphans {
                // Nobody else waits for it.
                let _ = waitpid(Some(orphan), WaitOptions::NOHANG);
            }
            sleep(PAUSE).await;
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // Its number may be another's as soon as it was waited for, which the runtime does.
        guards().remove(&self.id);
    }
}

fn guards() -> MutexGuard<'static, BTreeSet<i32>> {
    GUARDS.lock().unwrap_or_else(PoisonError::into_inner)
}
