//! Schedules: what may be set, and which runs are due (`contract.md` §5).

mod timetable;

use reef_api::schedule::{CatchUpBody, CatchUpMode, Overlap, ScheduleBody, Spec};
use reef_api::{ScheduleId, TaskId, WaitId, Word as _};
use sha1_smol::Sha1;

use crate::id;
use crate::invalid::Invalid;
use crate::limits::{
    CATCH_UP_GAP_MS, CATCH_UP_MOST, CATCH_UP_WINDOW_MS, CATCH_UP_WINDOW_MS_DEFAULT,
    SCHEDULE_ID_CHARS_MAX, SCHEDULE_NOTE_CHARS_MAX, SCHEDULE_ON_TIME_MS, SCHEDULE_RUNS_AT_ONCE,
};
use crate::name;

pub use timetable::{Timetable, read_instant};

/// The label by which the tasks of a schedule are found, and the member of their metadata that says which
/// run they are.
pub const MARK: &str = "schedule";

/// Adds what is wrong with the id of a new schedule.
pub fn check_id(invalid: &mut Invalid, schedule_id: &ScheduleId) {
    if let Err(rule) = id::check_own(schedule_id) {
        invalid.push("schedule_id", rule);
    }
    let fits = schedule_id.len() <= SCHEDULE_ID_CHARS_MAX;
    invalid.require(fits, "schedule_id", "must have at most 100 characters");
}

/// The id of a run's task: whoever begins the run finds that it has begun.
#[must_use]
pub fn task_id_of(schedule_id: &ScheduleId, due_ms: i64) -> TaskId {
    format!("sch_{schedule_id}_{due_ms}").into()
}

/// The id of the wait for the approval of a run.
#[must_use]
pub fn wait_id_of(task_id: &TaskId) -> WaitId {
    let digest = Sha1::from(task_id.as_str()).digest().to_string();
    format!("wait_{}", digest.get(..32).unwrap_or_default()).into()
}

/// Which runs are made up for that came due while nobody looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CatchUp {
    /// None, the latest, or the latest ones.
    pub mode: CatchUpMode,
    /// How late a run may be, in milliseconds.
    pub window_ms: i64,
    /// How many of the latest.
    pub most: i64,
}

impl Default for CatchUp {
    fn default() -> Self {
        Self {
            mode: CatchUpMode::Latest,
            window_ms: CATCH_UP_WINDOW_MS_DEFAULT,
            most: SCHEDULE_RUNS_AT_ONCE,
        }
    }
}

impl CatchUp {
    fn read(given: CatchUpBody, invalid: &mut Invalid) -> Self {
        let usual = Self::default();
        let mode = given.mode.as_deref().unwrap_or(usual.mode.as_str());
        invalid.one_of("catch_up.mode", mode, &CatchUpMode::names());
        let window_ms = given.window_ms.unwrap_or(usual.window_ms);
        invalid.within("catch_up.window_ms", window_ms, &CATCH_UP_WINDOW_MS);
        let most = given.most.unwrap_or(usual.most);
        invalid.within("catch_up.most", most, &CATCH_UP_MOST);
        Self { mode: CatchUpMode::parse(mode).unwrap_or(usual.mode), window_ms, most }
    }
}

/// A run that is to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence {
    /// When it came due, in milliseconds since 1970.
    pub due_ms: i64,
    /// For how long its task is kept back.
    pub delay_ms: i64,
    /// Runs since the one before it that nobody makes up for ([`Timetable::count_within`]).
    pub missed: i64,
}

/// What has come due.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// The runs that begin, the earliest first.
    pub runs: Vec<Occurrence>,
    /// How many came due after them that nobody makes up for.
    pub missed: i64,
}

/// A schedule as it is to be, but for its task.
#[derive(Debug, Clone)]
pub struct Rules {
    /// When runs come due.
    pub timetable: Timetable,
    /// What happens to one while the one before has not ended.
    pub overlap: Overlap,
    /// Which are made up for.
    pub catch_up: CatchUp,
    /// Whether a failed run pauses the schedule.
    pub pause_on_failure: bool,
    /// No run comes due; `None`: as it is.
    pub paused: Option<bool>,
    /// For people.
    pub note: Option<String>,
}

impl Rules {
    /// Takes all but the task out of a body, and adds every broken rule.
    ///
    /// # Errors
    /// The rules that it breaks.
    pub fn read<J>(body: &mut ScheduleBody<J>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::new();
        let timetable = Timetable::read(body.spec.take().unwrap_or_default(), &mut invalid);
        let overlap = read_overlap(body.overlap.take(), &mut invalid).unwrap_or(Overlap::Skip);
        let catch_up = CatchUp::read(body.catch_up.take().unwrap_or_default(), &mut invalid);
        let note = body.note.take();
        check_note(&mut invalid, note.as_deref());
        let pause_on_failure = body.pause_on_failure.unwrap_or_default();
        let paused = body.paused;
        let Some(timetable) = timetable else { return Err(invalid) };
        invalid.finish(Self { timetable, overlap, catch_up, pause_on_failure, paused, note })
    }

    /// What has come due after an instant, until now: those on time, at most [`SCHEDULE_RUNS_AT_ONCE`], and
    /// the late ones that are made up for. Where there are runs on time, they are the latest.
    #[must_use]
    pub fn due(&self, after_ms: i64, now_ms: i64) -> Due {
        let table = &self.timetable;
        let on_time_after = after_ms.max(now_ms - SCHEDULE_ON_TIME_MS);
        let on_time = table.latest_within(on_time_after, now_ms, SCHEDULE_RUNS_AT_ONCE);
        let window_after = after_ms.max(now_ms - self.catch_up.window_ms).min(on_time_after);
        let most = match self.catch_up.mode {
            CatchUpMode::None => 0,
            CatchUpMode::Latest => i64::from(on_time.is_empty()),
            CatchUpMode::All => self.catch_up.most,
        };
        let late = table.latest_within(window_after, on_time_after, most);
        // Those that are made up for come one after the other.
        let late = late.into_iter().zip((0..).map(|n| n * CATCH_UP_GAP_MS));
        let mut from = after_ms;
        let missed = |from, until| table.count_within(from, until);
        let runs =
            late.chain(on_time.into_iter().map(|due_ms| (due_ms, 0))).map(|(due_ms, gap)| {
                let delay_ms = gap + table.jitter_of(due_ms);
                let run = Occurrence { due_ms, delay_ms, missed: missed(from, due_ms - 1) };
                from = due_ms;
                run
            });
        let runs = runs.collect();
        Due { runs, missed: missed(from, now_ms) }
    }
}

/// Takes what happens to a run while the one before has not ended; `None` where nothing is said.
pub fn read_overlap(given: Option<String>, invalid: &mut Invalid) -> Option<Overlap> {
    let given = given?;
    invalid.one_of("overlap", &given, &Overlap::names());
    Overlap::parse(&given)
}

/// Adds what is wrong with a note.
pub fn check_note(invalid: &mut Invalid, note: Option<&str>) {
    let note = note.unwrap_or_default();
    invalid.at_most_chars("note", note, SCHEDULE_NOTE_CHARS_MAX);
    name::check(invalid, "note", note);
}

/// A timetable as it is kept.
#[must_use]
pub fn spec_of(timetable: &Timetable) -> Spec {
    timetable.spec().clone()
}

#[cfg(test)]
mod tests;
