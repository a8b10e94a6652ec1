//! Changes of many tasks.

use serde::{Deserialize, Serialize};

use crate::find::TaskFilter;
use crate::id::{BulkId, TaskId};
use crate::lax;
use crate::time::UnixMillis;
use crate::word::{Open, words};

words! {
    /// What is done to tasks.
    BulkAction {
        /// Cancels those that have not ended.
        Cancel = "cancel",
        /// Tries those again that have ended otherwise than well.
        Retry = "retry",
        /// Forgets those that have ended.
        Remove = "remove",
        /// Gives those that wait another priority.
        SetPriority = "set_priority",
    }
}

words! {
    /// How far it is.
    BulkStatus {
        /// Looks for what it would change.
        Counting = "counting",
        /// It was to count, and has.
        Counted = "counted",
        /// Changes tasks.
        Running = "running",
        Completed = "completed",
        /// More would have been changed than it was to be at most: nothing was.
        Refused = "refused",
        /// Somebody has stopped it; what was done stays.
        Stopped = "stopped",
    }
}

/// `POST /bulk`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct BulkBody {
    /// What is done: `cancel`, `retry`, `remove` or `set_priority`.
    pub action: Option<String>,
    /// To which tasks; `{}`: to all of the caller's.
    pub filter: Option<TaskFilter>,
    /// With `set_priority`: 0 (critical) to 3 (low).
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// How many tasks it may change: `matched` of a dry run. Where more would be, none is.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub most: Option<i64>,
    /// Only count.
    pub dry_run: Option<bool>,
    /// Why, for whoever asks later.
    pub reason: Option<String>,
}

/// A change of many tasks.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Bulk {
    /// Its id.
    pub bulk_id: BulkId,
    /// `cancel retry remove set_priority`.
    pub action: Open<BulkAction>,
    /// The priority that it sets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// `counting counted running completed refused stopped`.
    pub status: Open<BulkStatus>,
    /// It only counts.
    pub dry_run: bool,
    /// Which tasks.
    #[cfg_attr(feature = "openapi", schemars(with = "serde_json::Map<String, serde_json::Value>"))]
    pub filter: TaskFilter,
    /// How many it may change.
    pub most: Option<i64>,
    /// Why.
    pub reason: String,
    /// How many tasks it would change, as it began; while it is `counting`: so far.
    pub matched: i64,
    /// Some of them: the latest ones.
    pub sample: Vec<TaskId>,
    /// How many it has changed.
    pub done: i64,
    /// How many the filter has found whose status it does not change, or not any more.
    pub skipped: i64,
    /// How many could not be changed, such as one whose message is complete.
    pub failed: i64,
    /// When it began.
    pub created_at: UnixMillis,
    /// When it ended.
    pub ended_at: Option<UnixMillis>,
}
