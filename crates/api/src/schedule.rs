//! Schedules: tasks that are submitted again and again, by the calendar or at an even pace.

use serde::{Deserialize, Serialize};

use crate::id::{ScheduleId, TaskId};
use crate::lax;
use crate::task::TaskBody;
use crate::time::UnixMillis;
use crate::word::{Open, words};

words! {
    /// What happens to a run that is due while the one before it has not ended.
    Overlap {
        /// It is left out.
        Skip = "skip",
        /// It waits for the end of the one before; one may wait.
        Buffer = "buffer",
        /// The one before is cancelled.
        Cancel = "cancel",
        /// Both run.
        Allow = "allow",
    }
    /// Which of the runs that came due while nobody looked are made up for.
    CatchUpMode {
        /// None.
        None = "none",
        /// The latest.
        Latest = "latest",
        /// The latest ones, as many as `most` says.
        All = "all",
    }
    /// What became of a run.
    RunOutcome {
        /// Its task was submitted.
        Started = "started",
        /// The run before it had not ended.
        Skipped = "skipped",
        /// The queue did not take its task.
        Refused = "refused",
    }
    /// Why a run came due.
    RunCause {
        /// Its time had come.
        Time = "time",
        /// Somebody asked for it.
        Trigger = "trigger",
        /// Somebody asked for those of a time in the past.
        Backfill = "backfill",
    }
}

/// When runs come due.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SpecBody {
    /// Minute, hour, day of the month, month, day of the week (0 or 7: Sunday), as in crontab(5). Where both
    /// days are given, either suffices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// In its place: an even pace, in milliseconds, counted from `start_at`; without that from 1970.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub every_ms: Option<i64>,
    /// The IANA name of the time zone in which `cron` is read; left out, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// No run comes due before this instant (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_at: Option<String>,
    /// No run comes due after this instant (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_at: Option<String>,
    /// Each run is kept back for up to so many milliseconds, always the same for the same run, so that not
    /// all of the world begins at the full hour.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub jitter_ms: Option<i64>,
}

/// Which runs are made up for that came due while nobody looked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct CatchUpBody {
    /// `none`, `latest` or `all`; left out, `latest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// How late a run may be, in milliseconds; left out, an hour.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub window_ms: Option<i64>,
    /// How many runs `all` makes up for, the latest; left out, 10.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub most: Option<i64>,
}

/// `PUT /schedules/{id}`
// `J` is what keeps free JSON.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "J: Deserialize<'de>"))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "ScheduleBody"))]
pub struct ScheduleBody<J> {
    /// When runs come due.
    pub spec: Option<SpecBody>,
    /// What each run submits.
    pub task: Option<TaskBody<J>>,
    /// `skip`, `buffer`, `cancel` or `allow`: what happens to a run that is due while the one before it has
    /// not ended; left out, `skip`.
    pub overlap: Option<String>,
    /// Which runs are made up for that came due while nobody looked.
    pub catch_up: Option<CatchUpBody>,
    /// Once a run has failed or timed out for good, no further one comes due until somebody resumes the
    /// schedule.
    pub pause_on_failure: Option<bool>,
    /// No run comes due; left out, it stays as it is.
    pub paused: Option<bool>,
    /// For people.
    pub note: Option<String>,
}

/// When runs come due, as it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Spec {
    /// As in crontab(5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// An even pace, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_ms: Option<i64>,
    /// The time zone in which `cron` is read.
    pub timezone: String,
    /// No run comes due before this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_at: Option<UnixMillis>,
    /// No run comes due after this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_at: Option<UnixMillis>,
    /// Each run is kept back for up to so many milliseconds.
    pub jitter_ms: i64,
}

/// Which runs are made up for, as it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct CatchUp {
    /// `none`, `latest` or `all`.
    pub mode: Open<CatchUpMode>,
    /// How late a run may be, in milliseconds.
    pub window_ms: i64,
    /// How many `all` makes up for.
    pub most: i64,
}

/// A schedule.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "J: Deserialize<'de>"))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Schedule"))]
pub struct Schedule<J> {
    /// What it is called.
    pub schedule_id: ScheduleId,
    /// Whose it is: the tasks that it submits are its owner's.
    pub owner: String,
    /// When runs come due.
    pub spec: Spec,
    /// What each run submits: an object as `POST /tasks` takes it.
    pub task: J,
    /// What happens to a run that is due while the one before it has not ended.
    pub overlap: Open<Overlap>,
    /// Which runs are made up for that came due while nobody looked.
    pub catch_up: CatchUp,
    /// Whether a failed run pauses it.
    pub pause_on_failure: bool,
    /// No run comes due.
    pub paused: bool,
    /// For people; where a failed run has paused it, which.
    pub note: String,
    /// Grows with each change.
    pub revision: i64,
    /// When the next run comes due; none where it is paused or over.
    pub next_at: Option<UnixMillis>,
    /// How many runs have submitted a task.
    pub started: i64,
    /// How many were left out since the one before had not ended.
    pub skipped: i64,
    /// How many came due while nobody looked and were not made up for.
    pub missed: i64,
    /// How many the queue did not take.
    pub refused: i64,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it was last changed.
    pub updated_at: UnixMillis,
}

/// A run of a schedule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Run {
    /// When it came due.
    pub due_at: UnixMillis,
    /// When it was looked at.
    pub at: UnixMillis,
    /// Why it came due.
    pub cause: Open<RunCause>,
    /// What became of it.
    pub outcome: Open<RunOutcome>,
    /// Its task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<TaskId>,
    /// The status of its task; left out once that is forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Open<crate::task::TaskStatus>>,
    /// Why the queue did not take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `GET /schedules/{id}`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "J: Deserialize<'de>"))]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(rename = "ScheduleStanding")
)]
pub struct ScheduleStanding<J> {
    #[serde(flatten)]
    pub schedule: Schedule<J>,
    /// When the next five runs come due.
    pub upcoming: Vec<UnixMillis>,
    /// The last 20 runs, the newest first.
    pub runs: Vec<Run>,
}

/// A schedule that is gone.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ScheduleRemoved {
    pub success: bool,
    pub schedule_id: ScheduleId,
}

/// `POST /schedules/{id}/pause` and `resume`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ScheduleNote {
    /// For people; left out, it stays as it is.
    pub note: Option<String>,
}

/// `POST /schedules/{id}/trigger`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TriggerBody {
    /// What happens if a run has not ended; left out, what the schedule says.
    pub overlap: Option<String>,
}

/// `POST /schedules/{id}/backfill`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct BackfillBody {
    /// The first instant whose runs are made up for (RFC 3339).
    pub from: Option<String>,
    /// The last one (RFC 3339).
    pub to: Option<String>,
    /// Most runs; where there are more, none is begun.
    #[serde(default, deserialize_with = "lax::int")]
    pub most: Option<i64>,
}

/// Runs that were asked for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct RunsAnswer {
    pub success: bool,
    pub schedule_id: ScheduleId,
    /// The runs; one whose task was there already is not among them.
    pub runs: Vec<Run>,
}
