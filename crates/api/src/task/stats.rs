//! How many tasks there are.

use serde::{Deserialize, Serialize};

use crate::cluster::TasksByStatus;
use crate::history::TaskTotals;
use crate::time::UnixMillis;

// `GET /tasks/stats`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskStats {
    pub total: i64,
    pub pending: i64,
    pub scheduled: i64,
    pub running: i64,
    pub completed: i64,
    pub failed: i64,
    pub cancelled: i64,
    pub timeout: i64,
    /// Tasks in the status `waiting`.
    #[serde(default)]
    pub suspended: i64,
    /// Tasks that wait for a node: those that are `pending`, but for back-offs.
    pub waiting: i64,
    pub delayed: i64,
    pub dead: i64,
    pub skill_sets: i64,
    pub fenced: i64,
    /// Tasks that have ended and are kept.
    #[serde(default)]
    pub ended: i64,
    /// What these take in Redis, in bytes, about.
    #[serde(default)]
    pub ended_bytes: i64,
    /// When the one ended that has been kept longest, of those that do not say how long they are kept.
    #[serde(default)]
    pub oldest_end: Option<UnixMillis>,
    /// Tasks that have been kept as long as they were to be, and that are yet to be forgotten.
    #[serde(default)]
    pub overdue: i64,
    /// All that was ever counted: the sums of the history, also of what it does not keep any more.
    #[serde(default)]
    pub ever: TaskTotals,
}

impl TaskStats {
    /// The counts by status.
    #[must_use]
    pub fn by_status(&self) -> TasksByStatus {
        let Self { pending, scheduled, running, completed, failed, cancelled, timeout, .. } = *self;
        let waiting = self.suspended;
        TasksByStatus {
            pending,
            scheduled,
            waiting,
            running,
            completed,
            failed,
            cancelled,
            timeout,
        }
    }
}
