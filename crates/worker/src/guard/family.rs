//! What has been started below a process, however it has tried to get away.

use std::collections::BTreeSet;
use std::io;

use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process_group, wait};

/// From now on whatever loses its parent below this process becomes its child.
pub(super) fn adopt_orphans() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    Ok(())
}

/// Asks every process of a group to end.
pub(super) fn ask_group(leader: Pid) {
    // The only error that can come is that nobody is left, which is what is wanted.
    let _ = kill_process_group(leader, Signal::TERM);
}

/// Ends every process of a group.
pub(super) fn end_group(leader: Pid) {
    let _ = kill_process_group(leader, Signal::KILL);
}

/// Takes the ends of children, as many as there are. Says whether any child is left.
pub(super) fn reap(mut ended: impl FnMut(Pid, WaitStatus)) -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) => ended(pid, status),
            Ok(None) => return true,
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

/// Ends every process below this one but `spared` and what is below those. Returns those of them
/// that are this one's children.
#[cfg(target_os = "linux")]
pub(super) fn end_below(spared: &BTreeSet<i32>) -> Vec<Pid> {
    linux::end_below(spared)
}

/// Other systems say nothing about what has left its process group.
#[cfg(not(target_os = "linux"))]
pub(super) fn end_below(_spared: &BTreeSet<i32>) -> Vec<Pid> {
    Vec::new()
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;

    use rustix::process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal};

    pub(super) fn end_below(spared: &BTreeSet<i32>) -> Vec<Pid> {
        let families = families();
        let own = getpid().as_raw_nonzero().get();
        let children = families.get(&own).into_iter().flatten();
        let children: Vec<i32> = children.copied().filter(|id| !spared.contains(id)).collect();
        let mut waiting: Vec<_> = children.iter().map(|child| (*child, own)).collect();
        while let Some((id, parent)) = waiting.pop() {
            end(id, parent);
            waiting.extend(families.get(&id).into_iter().flatten().map(|child| (*child, id)));
        }
        children.into_iter().filter_map(Pid::from_raw).collect()
    }

    /// Ends a process, if its number is not another's by now.
    fn end(id: i32, parent: i32) {
        let Some(pid) = Pid::from_raw(id) else { return };
        let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return };
        // Whoever has lost its parent meanwhile is found when this is done again.
        if parent_of(id) == Some(parent) {
            let _ = pidfd_send_signal(process, Signal::KILL);
        }
    }

    /// All processes that can be seen, by their parents.
    fn families() -> BTreeMap<i32, Vec<i32>> {
        let mut families: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        for id in entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()) {
            if let Some(parent) = parent_of(id) {
                families.entry(parent).or_default().push(id);
            }
        }
        families
    }

    fn parent_of(id: i32) -> Option<i32> {
        let stat = fs::read(format!("/proc/{id}/stat")).ok()?;
        // The name stands in brackets and may hold anything, also what is no UTF-8.
        let name_end = stat.iter().rposition(|byte| *byte == b')')?;
        let rest = std::str::from_utf8(stat.get(name_end + 1..)?).ok()?;
        rest.split_whitespace().nth(1)?.parse().ok()
    }
}
