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

/// Ends every process below this one but `spared` and what is below those, and `last` when nothing
/// else is left. Returns those of them that are this one's children.
#[cfg(target_os = "linux")]
pub(super) fn end_below(spared: &BTreeSet<i32>, last: Option<Pid>) -> Vec<Pid> {
    linux::end_below(spared, last)
}

/// Other systems say nothing about what has left its process group.
#[cfg(not(target_os = "linux"))]
pub(super) fn end_below(_spared: &BTreeSet<i32>, last: Option<Pid>) -> Vec<Pid> {
    last.into_iter().inspect(|last| end_group(*last)).collect()
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;

    use rustix::process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal};

    #[derive(Clone, Copy)]
    struct Process {
        id: i32,
        parent: i32,
        /// It has ended, and nobody has waited for it.
        is_over: bool,
    }

    pub(super) fn end_below(spared: &BTreeSet<i32>, last: Option<Pid>) -> Vec<Pid> {
        let families = families();
        let below = |id: i32| families.get(&id).into_iter().flatten().copied();
        let own = getpid().as_raw_nonzero().get();
        let children: Vec<_> = below(own).filter(|child| !spared.contains(&child.id)).collect();
        let mut found = children.clone();
        let mut waiting = children.clone();
        while let Some(process) = waiting.pop() {
            found.extend(below(process.id));
            waiting.extend(below(process.id));
        }
        let is_last = |process: &Process| Pid::from_raw(process.id) == last;
        let (lasts, others): (Vec<_>, Vec<_>) =
            found.into_iter().filter(|process| !process.is_over).partition(is_last);
        let ending = if others.is_empty() { lasts } else { others };
        ending.into_iter().for_each(end);
        children.into_iter().filter_map(|child| Pid::from_raw(child.id)).collect()
    }

    /// Ends a process, if its number is not another's by now.
    fn end(process: Process) {
        let Some(pid) = Pid::from_raw(process.id) else { return };
        let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else { return };
        // Whoever has lost its parent meanwhile is found when this is done again.
        if look_at(process.id).is_some_and(|now| now.parent == process.parent) {
            let _ = pidfd_send_signal(handle, Signal::KILL);
        }
    }

    /// All processes that can be seen, by their parents.
    fn families() -> BTreeMap<i32, Vec<Process>> {
        let mut families: BTreeMap<i32, Vec<Process>> = BTreeMap::new();
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        for id in entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()) {
            if let Some(process) = look_at(id) {
                families.entry(process.parent).or_default().push(process);
            }
        }
        families
    }

    fn look_at(id: i32) -> Option<Process> {
        let stat = fs::read(format!("/proc/{id}/stat")).ok()?;
        // The name is in brackets and may hold anything, also what is no UTF-8.
        let name_end = stat.iter().rposition(|byte| *byte == b')')?;
        let rest = std::str::from_utf8(stat.get(name_end + 1..)?).ok()?;
        let mut words = rest.split_whitespace();
        let is_over = matches!(words.next()?, "Z" | "X");
        Some(Process { id, parent: words.next()?.parse().ok()?, is_over })
    }
}
