//! How safe a write shall be, and which calls leave nothing that could be lost.

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

pub use reef_api::durability::{Durability, Giving};
use reef_api::word::Word;
use reef_domain::limits::DURABLE_REPLICAS_MAX;

use crate::script::ALL;

/// How safe a write shall be, or is: `disk`, `replica;n=2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Safety {
    /// Where it is.
    pub level: Durability,
    /// On how many replicas; 0 where the level knows none.
    pub replicas: u32,
}

/// What a level may be, in a sentence without its subject.
pub const RULE: &str = "must be memory, disk, replica or replica-disk; after the last two ;n= may \
                        follow with 1-16 replicas";

impl Safety {
    /// In the server's memory.
    pub const MEMORY: Self = Self { level: Durability::Memory, replicas: 0 };
    /// On the server's disk.
    pub const DISK: Self = Self { level: Durability::Disk, replicas: 0 };

    /// A level by its name, with what is said of replicas.
    #[must_use]
    pub fn new(level: &str, replicas: Option<&str>) -> Option<Self> {
        let level = Durability::parse(level)?;
        let has_replicas = matches!(level, Durability::Replica | Durability::ReplicaDisk);
        let replicas = match (has_replicas, replicas) {
            (false, None) => 0,
            (false, Some(_)) => return None,
            (true, None) => 1,
            (true, Some(count)) => {
                let count = count.parse().ok()?;
                (1..=DURABLE_REPLICAS_MAX).contains(&count).then_some(count)?
            }
        };
        Some(Self { level, replicas })
    }

    /// Reads what [`fmt::Display`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(';') {
            None => Self::new(text.trim(), None),
            Some((level, rest)) => Self::new(level.trim(), Some(rest.trim().strip_prefix("n=")?)),
        }
    }

    /// Whether what is as safe as this is as safe as `wanted`.
    #[must_use]
    pub fn meets(self, wanted: Self) -> bool {
        use Durability::{Disk, Memory, Replica, ReplicaDisk};
        match (wanted.level, self.level) {
            (Memory, _) | (Disk, Disk | ReplicaDisk) => true,
            (Replica, Replica | ReplicaDisk) | (ReplicaDisk, ReplicaDisk) => {
                self.replicas >= wanted.replicas
            }
            _ => false,
        }
    }

    /// As a header says it, if that is one word.
    #[must_use]
    pub fn as_static(self) -> Option<&'static str> {
        (self.replicas <= 1).then(|| self.level.as_str())
    }
}

impl fmt::Display for Safety {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.level.as_str())?;
        if self.replicas > 1 { write!(f, ";n={}", self.replicas) } else { Ok(()) }
    }
}

/// The scripts that write nothing, and the check of a key, whose count is kept out of files and
/// replicas: by the name of the function, and by the hash of the text.
static HARMLESS: LazyLock<HashSet<&'static [u8]>> = LazyLock::new(|| {
    let reads = |flags: &str| flags.split(',').any(|flag| flag == "no-writes");
    let harmless = ALL.iter().filter(|it| reads(it.flags) || it.name == "key/check");
    let names =
        harmless.flat_map(|it| [Some(it.function), Some(it.with_key), it.each, Some(it.sha1)]);
    names.flatten().map(str::as_bytes).collect()
});

/// Whether a function may leave something that can be lost. Of what is not known it is assumed.
#[must_use]
pub fn function_may_leave(name: &[u8]) -> bool {
    !HARMLESS.contains(name)
}

/// The same of a command.
#[must_use]
pub fn may_leave(command: &str, args: &[Vec<u8>]) -> bool {
    match command {
        "FCALL" | "EVALSHA" => args.first().is_none_or(|name| function_may_leave(name)),
        "FUNCTION" | "SCRIPT" | "FCALL_RO" | "EVALSHA_RO" | "EVAL_RO" | "GET" | "EXISTS"
        | "PING" | "INFO" | "TIME" | "CONFIG" => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_safety_is_read_as_it_is_written() {
        for text in
            ["memory", "disk", "replica", "replica;n=2", "replica-disk", "replica-disk;n=16"]
        {
            assert_eq!(Safety::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Safety::parse("replica;n=1").unwrap().to_string(), "replica");
        assert_eq!(Safety::parse("replica ; n=3").unwrap().replicas, 3);
        for text in ["", "Disk", "disc", "disk;n=1", "replica;n=0", "replica;n=17", "replica;m=1"] {
            assert_eq!(Safety::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_on_a_disk_is_not_on_a_replica() {
        let safety = |text: &str| Safety::parse(text).unwrap();
        for (is, wanted, expected) in [
            ("memory", "memory", true),
            ("memory", "disk", false),
            ("disk", "replica", false),
            ("replica", "disk", false),
            ("replica;n=2", "replica", true),
            ("replica", "replica;n=2", false),
            ("replica-disk", "replica", true),
            ("replica-disk", "disk", true),
            ("disk", "replica-disk", false),
        ] {
            assert_eq!(safety(is).meets(safety(wanted)), expected, "{is} {wanted}");
        }
    }

    #[test]
    fn what_only_reads_leaves_nothing() {
        let call = |name: &str| {
            let script = ALL.iter().find(|script| script.name == name).unwrap();
            let by_name = may_leave("FCALL", &[script.function.into()]);
            assert_eq!(by_name, may_leave("EVALSHA", &[script.sha1.into()]), "{name}");
            by_name
        };
        assert!(call("heartbeat/beat") && call("task/claim") && call("account/deposit"));
        assert!(!call("cluster/health") && !call("key/check"));
        assert!(may_leave("FCALL", &[b"another".to_vec()]) && may_leave("SET", &[]));
        assert!(!may_leave("FUNCTION", &[]) && !may_leave("PING", &[]));
    }
}
