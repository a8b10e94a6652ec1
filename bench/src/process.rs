//! What the system tells about a process: its time on the processors, its memory, how many files
//! it may open.
//!
//! Times and memory are read from `/proc`; where there is none, the figures are missing.

use std::time::Duration;

/// Linux counts the time of processes in hundredths of a second for everybody who reads `/proc`,
/// whatever its own clock does.
const TICK: Duration = Duration::from_millis(10);

/// The time that a process has had on the processors, in user and system mode.
pub(crate) fn cpu(pid: u32) -> Option<Duration> {
    parse_cpu(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn parse_cpu(stat: &str) -> Option<Duration> {
    // The name of the program is in parentheses and may hold anything, so what is counted
    // begins behind the last one: utime and stime are fields 14 and 15 of the whole.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some(TICK * (user + system))
}

/// The time that all processes together have had on all processors.
pub(crate) fn cpu_of_all() -> Option<Duration> {
    parse_cpu_of_all(&std::fs::read_to_string("/proc/stat").ok()?)
}

fn parse_cpu_of_all(stat: &str) -> Option<Duration> {
    // user nice system idle iowait irq softirq; what guests of this machine use is in user.
    let times = stat.lines().next()?.strip_prefix("cpu ")?;
    let times = times.split_ascii_whitespace().map_while(|field| field.parse::<u32>().ok());
    let busy = times.take(7).enumerate().filter(|(position, _)| !matches!(position, 3 | 4));
    Some(TICK * busy.map(|(_, ticks)| ticks).sum::<u32>())
}

/// The memory of a process that is in use at the moment, in bytes.
pub(crate) fn resident_bytes(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// Lets this process, and those that it starts, open as many files as the system allows without
/// asking anybody.
pub(crate) fn raise_open_files_max() {
    // What comes of it is what `open_files_max` tells.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
}

/// How many files this process may have open.
pub(crate) fn open_files_max() -> u64 {
    // What every system grants, where it does not tell.
    rlimit::Resource::NOFILE.get_soft().unwrap_or(256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_found_behind_an_odd_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 1 0 100";
        assert_eq!(parse_cpu(stat), Some(Duration::from_secs(2)));
        assert_eq!(parse_cpu("nothing"), None);
    }

    #[test]
    fn time_in_which_nothing_ran_does_not_count() {
        let stat = "cpu  100 20 30 9999 8888 10 40 0 7 0\ncpu0 1 2 3\n";
        assert_eq!(parse_cpu_of_all(stat), Some(Duration::from_secs(2)));
    }
}
