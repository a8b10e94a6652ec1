//! A command's process group, which ends as a whole.

use rustix::process::{Pid, Signal, kill_process_group};

/// The group of a command that runs. Dropping it kills what is left of the group.
#[derive(Debug)]
pub(crate) struct Group {
    id: Pid,
    is_over: bool,
}

impl Group {
    /// The group that the process `leader` was started in as its first.
    pub(crate) fn of(leader: u32) -> Option<Self> {
        // 1 would mean everybody.
        let id = i32::try_from(leader).ok().filter(|pid| *pid > 1).and_then(Pid::from_raw)?;
        Some(Self { id, is_over: false })
    }

    /// The number by which the system knows it.
    pub(crate) fn id(&self) -> i32 {
        self.id.as_raw_nonzero().get()
    }

    /// Asks every process of the group to end.
    pub(crate) fn terminate(&self) {
        self.send(Signal::TERM);
    }

    /// Ends every process of the group.
    pub(crate) fn kill(&self) {
        self.send(Signal::KILL);
    }

    /// Its leader has ended and was waited for, so its number may soon be somebody else's: what is
    /// left of the group is ended now, or never.
    pub(crate) fn finish(mut self) {
        self.kill();
        self.is_over = true;
    }

    /// Somebody else has finished it.
    pub(crate) fn forget(mut self) {
        self.is_over = true;
    }

    fn send(&self, signal: Signal) {
        // The only error that can come is that nobody is left, which is what is wanted.
        let _ = kill_process_group(self.id, signal);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.is_over {
            self.kill();
        }
    }
}
