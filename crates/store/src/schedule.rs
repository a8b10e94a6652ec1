//! Schedules: calls (`lua/schedule/`), and the step that begins what has come due.
//!
//! The scripts know no calendar: which runs have come due is computed here, from until when they are
//! decided, and each begins under an id that follows from its time. Whoever is slower finds the runs
//! decided.

use std::time::{Duration, Instant};

use reef_api::agent::AgentStatus;
use reef_api::schedule::{
    CatchUp as ShownCatchUp, Overlap, Run, RunCause, RunOutcome, Schedule as Shown,
    ScheduleStanding, Spec,
};
use reef_api::task::TaskBody;
use reef_api::{AgentId, Open, ScheduleId, TaskId, Word as _};
use reef_domain::Invalid;
use reef_domain::json::Json;
use reef_domain::schedule::{
    CatchUp, Due, MARK, Occurrence, Rules, Timetable, task_id_of, wait_id_of,
};
use reef_domain::task::Submission;
use reef_domain::time::UnixMillis;
use serde_json::json;

use crate::agent;
use crate::node::Writer;
use crate::port::Redis;
use crate::quota::Quotas;
use crate::script::{Answered, FromReply, Malformed, Once, Reader, Store, StoreError, rows};
use crate::settings::Settings;
use crate::steps::Page;
use crate::task::{Cancel, GivenTask, preferring_max};

include!(concat!(env!("OUT_DIR"), "/calls_schedule.rs"));

/// How long a schedule rests that this program cannot read, in milliseconds: a newer one may.
const UNREADABLE_MS: i64 = 60_000;

/// Tasks that one run may have to cancel before it begins: others may begin meanwhile.
const CANCELS_MAX: usize = 3;

/// Upcoming runs that are shown.
const UPCOMING: usize = 5;

/// A schedule as it is kept.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// What it is called.
    pub schedule_id: ScheduleId,
    /// Now, by Redis' clock, in milliseconds since 1970.
    pub now_ms: i64,
    /// Whose it is.
    pub owner: String,
    spec: Spec,
    task: String,
    overlap: Open<Overlap>,
    catch_up: ShownCatchUp,
    pause_on_failure: bool,
    paused: bool,
    note: String,
    /// Grows with each change.
    pub revision: i64,
    from_ms: i64,
    counts: Counts,
    created_at: UnixMillis,
    updated_at: UnixMillis,
}

#[derive(Debug, Clone, Copy)]
struct Counts {
    started: i64,
    skipped: i64,
    missed: i64,
    refused: i64,
}

rows! {
    Counts { started, skipped, missed, refused }
}

fn parsed<T: serde::de::DeserializeOwned>(what: &str, text: &str) -> Result<T, Malformed> {
    serde_json::from_str(text).map_err(|error| Malformed(format!("{what}: {error}")))
}

impl FromReply for Schedule {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            schedule_id: FromReply::read(reply)?,
            now_ms: reply.int()?,
            owner: reply.text()?,
            spec: parsed("spec", &reply.text()?)?,
            task: reply.text()?,
            overlap: FromReply::read(reply)?,
            catch_up: parsed("catch_up", &reply.text()?)?,
            pause_on_failure: reply.flag()?,
            paused: reply.flag()?,
            note: reply.text()?,
            revision: reply.int()?,
            from_ms: reply.int()?,
            counts: FromReply::read(reply)?,
            created_at: FromReply::read(reply)?,
            updated_at: FromReply::read(reply)?,
        })
    }
}

/// A schedule and its last runs.
#[derive(Debug)]
pub struct Standing {
    /// The schedule.
    pub schedule: Schedule,
    /// The newest first.
    pub runs: Vec<Run>,
}

impl FromReply for Standing {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let schedule = FromReply::read(reply)?;
        let mut runs = Vec::new();
        while !reply.is_at_end() {
            let text = reply.text()?;
            let run = read_run(&text).ok_or_else(|| Malformed(format!("no run: {text:?}")))?;
            runs.push(Run { status: FromReply::read(reply)?, ..run });
        }
        Ok(Self { schedule, runs })
    }
}

fn read_run(text: &str) -> Option<Run> {
    let mut parts = text.splitn(5, '\n');
    let due_at = UnixMillis(parts.next()?.parse().ok()?);
    let at = UnixMillis(parts.next()?.parse().ok()?);
    let cause = Open::read(parts.next()?.to_owned());
    let outcome: Open<RunOutcome> = Open::read(parts.next()?.to_owned());
    let rest = parts.next()?.to_owned();
    let run = Run { due_at, at, cause, outcome, ..Run::default() };
    Some(match run.outcome.known() {
        Some(RunOutcome::Started) => Run { task_id: Some(rest.into()), ..run },
        Some(RunOutcome::Skipped) => {
            Run { reason: Some(format!("The run {rest} had not ended.")), ..run }
        }
        _ => Run { reason: Some(rest), ..run },
    })
}

/// The JSON of what late runs are made up for, as it is kept.
#[must_use]
pub fn catch_up_json(catch_up: CatchUp) -> String {
    let CatchUp { mode, window_ms, most } = catch_up;
    json!(ShownCatchUp { mode: Open::Known(mode), window_ms, most }).to_string()
}

impl Schedule {
    /// When its runs come due, and how; `None` if this program cannot read that.
    #[must_use]
    pub fn rules(&self) -> Option<Rules> {
        Some(Rules {
            timetable: Timetable::of(self.spec.clone())?,
            overlap: self.overlap.known()?,
            catch_up: CatchUp {
                mode: self.catch_up.mode.known()?,
                window_ms: self.catch_up.window_ms,
                most: self.catch_up.most,
            },
            pause_on_failure: self.pause_on_failure,
            paused: Some(self.paused),
            note: None,
        })
    }

    /// What happens to a run while the one before has not ended, if this program knows that.
    #[must_use]
    pub fn overlap(&self) -> Option<Overlap> {
        self.overlap.known()
    }

    /// As it is shown.
    ///
    /// # Errors
    /// Its task is not what this program knows as one.
    pub fn shown(self) -> Result<Shown<Json>, StoreError> {
        let table = Timetable::of(self.spec.clone()).filter(|_| !self.paused);
        Ok(Shown {
            next_at: table.and_then(|table| table.next(self.from_ms)).map(UnixMillis),
            schedule_id: self.schedule_id,
            owner: self.owner,
            spec: self.spec,
            task: serde_json::from_str(&self.task)?,
            overlap: self.overlap,
            catch_up: self.catch_up,
            pause_on_failure: self.pause_on_failure,
            paused: self.paused,
            note: self.note,
            revision: self.revision,
            started: self.counts.started,
            skipped: self.counts.skipped,
            missed: self.counts.missed,
            refused: self.counts.refused,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }

    fn upcoming(&self) -> Vec<UnixMillis> {
        let table = Timetable::of(self.spec.clone()).filter(|_| !self.paused);
        let from = self.from_ms.max(self.now_ms);
        table.iter().flat_map(|table| table.after(from).take(UPCOMING)).map(UnixMillis).collect()
    }

    /// Begins a run, and cancels the one before if that is what is to happen to it. Under a derived id
    /// where it is known when it came due.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn start<R: Redis>(
        &self,
        store: &Store<R>,
        settings: &Settings,
        asked: &AskedRun<'_>,
        once: Option<&Once>,
    ) -> Result<Answered<RunStarted>, StoreError> {
        let AskedRun { writer, cause, occurrence, from_ms, task_id, overlap } = asked;
        let run = match Prepared::read(self, occurrence.as_ref(), settings) {
            Ok(run) => run,
            Err(invalid) => {
                let fault = invalid.errors().first();
                let reason = fault.map(|it| format!("{} {}.", it.field, it.message));
                let value = RunStarted::Refused(reason.unwrap_or_default());
                return Ok(Answered { value, replayed: false });
            }
        };
        let quotas = Quotas::of(&self.owner, settings);
        let wait_id = wait_id_of(task_id);
        let task = GivenTask {
            task_id,
            submission: &run.submission,
            parameters: &run.parameters,
            metadata: &run.metadata,
            owner: &self.owner,
            approval: run.submission.approval.as_ref().map(|_| (&wait_id, run.details.as_ref())),
            follows_group: false,
            charge: None,
        };
        let call = Start {
            schedule_id: &self.schedule_id,
            revision: self.revision,
            writer: *writer,
            cause: cause.as_str(),
            due_ms: occurrence.map(|it| it.due_ms),
            from: *from_ms,
            overlap: overlap.as_str(),
            missed: occurrence.map_or(0, |it| it.missed),
            preferring_max: preferring_max(quotas),
            tasks_max: quotas.map(|quotas| quotas.tasks),
            bytes_max: quotas.map(|quotas| quotas.task_bytes),
            classes_max: quotas.map(|quotas| quotas.classes),
            task: std::slice::from_ref(&task),
        };
        let mut answered = store.call_once(&call, once).await?;
        for _ in 0..CANCELS_MAX {
            let RunStarted::Cancel(before) = &answered.value else { break };
            store.call(&Cancel { task_id: before, writer: Writer::Any }).await?;
            answered = store.call_once(&call, once).await?;
        }
        Ok(answered)
    }
}

impl Standing {
    /// As it is shown.
    ///
    /// # Errors
    /// Its task is not what this program knows as one.
    pub fn shown(self) -> Result<ScheduleStanding<Json>, StoreError> {
        let upcoming = self.schedule.upcoming();
        Ok(ScheduleStanding { schedule: self.schedule.shown()?, upcoming, runs: self.runs })
    }
}

/// A run that is to begin.
#[derive(Debug)]
pub struct AskedRun<'a> {
    /// Who asks.
    pub writer: Writer<'a>,
    /// Why.
    pub cause: RunCause,
    /// When it came due; `None`: now.
    pub occurrence: Option<Occurrence>,
    /// Until when those before it were decided, where its time has come.
    pub from_ms: Option<i64>,
    /// The id of its task.
    pub task_id: &'a TaskId,
    /// What happens while the one before has not ended.
    pub overlap: Overlap,
}

/// The task of a run.
struct Prepared {
    submission: Submission,
    parameters: Json,
    metadata: Json,
    details: Option<Json>,
}

impl Prepared {
    fn read(
        schedule: &Schedule,
        occurrence: Option<&Occurrence>,
        settings: &Settings,
    ) -> Result<Self, Invalid> {
        let unreadable = |_| Invalid::one("task", "is not what this version knows as one");
        let mut body: TaskBody<Json> = serde_json::from_str(&schedule.task).map_err(unreadable)?;
        let mut invalid = Invalid::new();
        let mut submission = Submission::read(&mut body, &mut invalid)?;
        invalid.finish(())?;
        submission.wants.audience.get_or_insert_with(|| settings.task_audience.clone());
        submission.labels.insert(MARK.to_owned(), schedule.schedule_id.to_string());
        submission.delay_ms = occurrence.map_or(0, |it| it.delay_ms);
        let mark = match occurrence {
            Some(it) => json!({"id": schedule.schedule_id, "due_at": UnixMillis(it.due_ms)}),
            None => json!({"id": schedule.schedule_id}),
        };
        let metadata = with_member(body.metadata.take(), MARK, &mark.to_string());
        Ok(Self {
            submission,
            parameters: body
                .parameters
                .take()
                .map_or_else(Json::empty_object, Json::or_empty_object),
            metadata: serde_json::from_str(&metadata).map_err(unreadable)?,
            details: body.approval.take().and_then(|asked| asked.details),
        })
    }
}

/// An object and a member more, the rest to the letter.
fn with_member(object: Option<Json>, name: &str, value: &str) -> String {
    let object = object.map_or_else(Json::empty_object, Json::or_empty_object);
    let rest = object.get().trim_start_matches('{').trim_start();
    let comma = if rest.starts_with('}') { "" } else { "," };
    format!("{{\"{name}\":{value}{comma}{rest}")
}

/// What became of runs that had come due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fired {
    /// Their tasks were submitted.
    pub started: i64,
    /// The run before had not ended.
    pub skipped: i64,
    /// Nobody looked in time.
    pub missed: i64,
    /// The queue did not take the task.
    pub refused: i64,
}

/// Begins the runs whose time has come, of one schedule after another, until there are no more or the time
/// is over.
///
/// # Errors
/// [`StoreError`]; a later look goes on.
pub async fn fire_due<R: Redis>(
    store: &Store<R>,
    settings: &Settings,
    time: Duration,
) -> Result<Fired, StoreError> {
    let started = Instant::now();
    let mut fired = Fired::default();
    let is_over = || started.elapsed() >= time;
    while !is_over() {
        let due = store.call(&ReadDue).await?;
        for schedule in &due {
            if is_over() {
                break;
            }
            fire(store, settings, schedule, &mut fired, &is_over).await?;
        }
        if due.is_empty() {
            break;
        }
    }
    Ok(fired)
}

async fn fire<R: Redis>(
    store: &Store<R>,
    settings: &Settings,
    schedule: &Schedule,
    fired: &mut Fired,
    is_over: &impl Fn() -> bool,
) -> Result<(), StoreError> {
    let Schedule { now_ms, revision, mut from_ms, .. } = *schedule;
    let schedule_id = &schedule.schedule_id;
    let advance = |from, until_ms, next_ms, missed| Advance {
        schedule_id,
        revision,
        from,
        until_ms,
        next_ms,
        missed,
    };
    let rest = advance(from_ms, from_ms, Some(now_ms + UNREADABLE_MS), 0);
    let Some(rules) = schedule.rules() else {
        store.call(&rest).await?;
        return Ok(());
    };
    let Due { mut runs, mut missed } = rules.due(from_ms, now_ms);
    if !runs.is_empty() {
        if Prepared::read(schedule, None, settings).is_err() {
            store.call(&rest).await?;
            return Ok(());
        }
        match owner_of(store, &schedule.owner).await? {
            Owner::Active => {}
            Owner::Suspended => missed += runs.drain(..).map(|run| 1 + run.missed).sum::<i64>(),
            Owner::Gone => {
                let note = Some("Its owner is gone.");
                store.call(&Pause { schedule_id, writer: Writer::Any, paused: true, note }).await?;
                return Ok(());
            }
        }
    }
    for occurrence in runs {
        // What has begun is decided; a later look goes on from there.
        if is_over() {
            return Ok(());
        }
        let asked = AskedRun {
            writer: Writer::Any,
            cause: RunCause::Time,
            occurrence: Some(occurrence),
            from_ms: Some(from_ms),
            task_id: &task_id_of(schedule_id, occurrence.due_ms),
            overlap: rules.overlap,
        };
        match schedule.start(store, settings, &asked, None).await?.value {
            RunStarted::Ok { .. } => fired.started += 1,
            RunStarted::Skipped(_) => fired.skipped += 1,
            RunStarted::Refused(_) => fired.refused += 1,
            RunStarted::Exists => {}
            _ => return Ok(()),
        }
        fired.missed += occurrence.missed;
        from_ms = occurrence.due_ms;
    }
    let until_ms = now_ms.max(from_ms);
    if store.call(&advance(from_ms, until_ms, rules.timetable.next(until_ms), missed)).await? {
        fired.missed += missed;
    }
    Ok(())
}

/// Whether the owner of a schedule may still do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// It may.
    Active,
    /// An admin has suspended it.
    Suspended,
    /// There is no such agent any more.
    Gone,
}

/// Looks at the owner of a schedule. Owners that are no agents have names that begin with `@`.
///
/// # Errors
/// [`StoreError`].
pub async fn owner_of<R: Redis>(store: &Store<R>, owner: &str) -> Result<Owner, StoreError> {
    if owner.starts_with('@') {
        return Ok(Owner::Active);
    }
    let agent_id = AgentId::from(owner);
    Ok(match store.call(&agent::Get { agent_id: &agent_id }).await? {
        None => Owner::Gone,
        Some(agent) if agent.shown.status.is_any(&[AgentStatus::Active]) => Owner::Active,
        Some(_) => Owner::Suspended,
    })
}
