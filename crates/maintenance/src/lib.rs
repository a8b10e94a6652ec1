//! Backups of a hub's data.
//!
//! - [`backup`]: a snapshot of one instant, as logical records, in a file.
//! - [`restore`]: such a file into an empty hub, under whatever key names that one has.
//! - [`compact`]: less disk for the same data.
//! - [`names`]: key names without prefix and layout.
//! - `snapshot`, `scratch`: Redis' own snapshot, and a server of ours that reads it. `shards`, `relay`:
//!   those of all primaries of a Redis Cluster, as of one instant.
//! - `file`: the file. `value`: how values are read and written.
//!
//! **Why a backup is consistent.** Redis is asked for what it would send to a new replica: a fork of
//! one instant, between two scripts. A server of our own, which nobody else writes to, loads it, and
//! is read key by key. Reading the live server key by key would mix instants. The primaries of a
//! Redis Cluster have no such instant in common, so they are given one: for some milliseconds nothing
//! is written anywhere, in which followers of ours catch up and are cut off.
//!
//! Knows nothing of HTTP and of hubs that run; whoever restores must have stopped those.

mod backup;
mod compact;
mod file;
pub mod names;
mod relay;
mod restore;
mod scratch;
mod shards;
mod snapshot;
mod value;

pub use backup::{Backup, BackupDone, backup};
pub use compact::{Compacted, compact};
pub use file::{Header, VERSION};
pub use restore::{Restore, RestoreDone, restore};

/// Told of progress: how much is done, and of how much, if that is known.
pub type Progress<'a> = &'a (dyn Fn(u64, Option<u64>) + Sync);

/// Why there is no backup, or nothing was restored. No text holds an address: that may hold a
/// password.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Redis does not answer.
    #[error("Redis cannot be reached: {0}")]
    Unreachable(String),
    /// Redis will not.
    #[error("{0}")]
    Refused(String),
    /// The file cannot be read or written.
    #[error("{0}")]
    File(String),
    /// The file is no backup, or not as it was written.
    #[error("{0}")]
    Damaged(String),
    /// The target holds data already.
    #[error(
        "the target holds data of a hub already ({0}); restore into an empty Redis, another \
             database of it, or under another key prefix; and stop the hub that uses it"
    )]
    NotEmpty(String),
}

impl From<redis::RedisError> for Error {
    fn from(error: redis::RedisError) -> Self {
        if error.is_io_error() || error.is_connection_dropped() || error.is_connection_refusal() {
            Self::Unreachable(error.to_string())
        } else {
            Self::Refused(format!("Redis refuses: {error}"))
        }
    }
}

impl From<reef_redis::Error> for Error {
    fn from(error: reef_redis::Error) -> Self {
        match error {
            reef_redis::Error::Unavailable(reason) if !reef_redis::is_about_access(&reason) => {
                Self::Unreachable(reason)
            }
            other => Self::Refused(format!("Redis refuses: {other}")),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::File(error.to_string())
    }
}
