//! The memory that the private Redis may use: full, it refuses writes with a clear answer, which is a
//! better end than that of a process which the system ends for want of memory.

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// What Redis may have of what there is, in percent. The rest is for the hub, for the copy that Redis
/// makes of pages which change while it rewrites its file, and for the system.
const SHARE: u64 = 75;

/// Reads a size: bytes, or a number with kb, mb or gb.
///
/// # Errors
/// What a size looks like.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match lower.get(digits.len()..).unwrap_or_default() {
        "" | "b" => Some(1),
        "k" | "kb" => Some(1 << 10),
        "m" | "mb" => Some(1 << 20),
        "g" | "gb" => Some(1 << 30),
        _ => None,
    };
    let number = digits.trim().parse::<u64>().ok();
    number
        .zip(unit)
        .and_then(|(number, unit)| number.checked_mul(unit))
        .ok_or_else(|| "use a number of bytes, or one with kb, mb or gb; 0 for no bound".to_owned())
}

/// What is given, or the share of this machine's or container's memory; 0 where that is not known.
pub(crate) fn settle(given: Option<u64>) -> u64 {
    given.unwrap_or_else(|| there_is() / 100 * SHARE)
}

fn there_is() -> u64 {
    let what = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let Ok(system) = System::new_with_specifics(what) else { return 0 };
    let container = system.cgroup_limits().map(|limits| limits.total_memory);
    let machine = system.total_memory();
    container.filter(|bytes| *bytes > 0).map_or(machine, |bytes| bytes.min(machine))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        let sizes =
            [("0", 0), ("1024", 1024), ("512mb", 512 << 20), ("4GB", 4 << 30), ("8k", 8192)];
        for (text, bytes) in sizes {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for bad in ["", "mb", "-1", "1.5gb", "4tb", "999999999999gb"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn without_a_size_a_part_of_the_memory_is_taken() {
        let (taken, all) = (settle(None), there_is());
        assert!(taken >= all / 2 && taken <= all, "{taken} of {all}");
        assert_eq!(settle(Some(7)), 7);
    }
}
