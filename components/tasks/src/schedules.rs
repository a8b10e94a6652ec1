//! Schedules: tasks that are submitted again and again.

use std::collections::BTreeMap;

use reef_api::schedule::{
    BackfillBody, Overlap, Run, RunCause, RunOutcome, RunsAnswer, ScheduleBody, ScheduleNote,
    ScheduleRemoved, TriggerBody,
};
use reef_api::task::TaskBody;
use reef_api::{Open, ScheduleId, TaskId, Word as _};
use reef_domain::Invalid;
use reef_domain::json::Json;
use reef_domain::limits::{
    BACKFILL_MOST_MAX, BODY_BYTES_MAX, PAGE_DEFAULT, SCHEDULE_RUNS_AT_ONCE,
    SCHEDULE_TASK_BYTES_MAX, SCHEDULES_MAX, TASK_LABELS_MAX,
};
use reef_domain::schedule::{
    MARK, Occurrence, Rules, check_id, check_note, read_instant, read_overlap, spec_of, task_id_of,
};
use reef_domain::task::Submission;
use reef_store::Redis;
use reef_store::schedule::{
    AskedRun, Changed, Get, List, Owner, Pause, Put, Remove, RunStarted, SchedulePaused,
    SchedulePut, Standing, catch_up_json, owner_of,
};
use reef_store::script::Once;
use reef_store::steps::Step;
use reef_web::extract::{json_object, object, optional_object};
use reef_web::once::made_id;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response, page};
use serde::de::IgnoredAny;
use serde_json::json;

use crate::owners::tell_followers;
use crate::waits::details_json;

fn unknown(schedule_id: &ScheduleId) -> Problem {
    Problem::new(Code::NotFound, format!("There is no schedule {schedule_id}."))
}

/// `PUT /schedules/{id}`, with what it keeps as it is.
pub(crate) type PutBody = ScheduleBody<Json>;

/// The task of a schedule as it is kept: one that can be submitted, but for what each run has of its own.
fn task_json(given: Option<TaskBody<Json>>) -> Result<Json, Problem> {
    let mut body = given.ok_or_else(|| Problem::field("task", "is required"))?;
    let kept = Json::of(&body).map_err(|fault| Problem::field("task", &fault.to_string()))?;
    let mut invalid = Invalid::new();
    let own = "is each run's own, and left out";
    invalid.require(body.task_id.is_none(), "task.task_id", own);
    invalid.require(body.group_id.is_none(), "task.group_id", own);
    let rule = "is for tasks that are submitted one by one: POST /api/v1/tasks";
    invalid.require(body.charge.is_none(), "task.charge", rule);
    invalid.require(body.after.is_none(), "task.after", own);
    let rule = "is left out; see spec.jitter_ms";
    invalid.require(body.delay_ms.unwrap_or_default() == 0, "task.delay_ms", rule);
    let rule = "must not be larger than 65536 bytes";
    invalid.require(kept.bytes() <= SCHEDULE_TASK_BYTES_MAX, "task", rule);
    invalid.finish(())?;
    read_task(&mut body).map_err(|problem| problem.within("task."))?;
    Ok(kept)
}

fn read_task(body: &mut TaskBody<Json>) -> Result<(), Problem> {
    let mut invalid = Invalid::new();
    let submission = Submission::read(body, &mut invalid)?;
    let rule = "must leave the label `schedule`, and room for it";
    let has_room =
        submission.labels.len() < TASK_LABELS_MAX && !submission.labels.contains_key(MARK);
    invalid.require(has_room, "labels", rule);
    invalid.finish(())?;
    json_object("parameters", body.parameters.take(), BODY_BYTES_MAX)?;
    let metadata = json_object("metadata", body.metadata.take(), BODY_BYTES_MAX)?;
    let members: BTreeMap<String, IgnoredAny> =
        serde_json::from_str(metadata.get()).unwrap_or_default();
    if members.contains_key(MARK) {
        return Err(Problem::field("metadata", "must leave the member `schedule`"));
    }
    details_json("approval.details", body.approval.take().and_then(|asked| asked.details))?;
    Ok(())
}

/// `PUT /schedules/{id}`
pub(crate) async fn put<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let schedule_id: ScheduleId = cx.id("id", "schedule_id")?;
    let mut body: PutBody = object(cx.request)?;
    let mut invalid = Invalid::new();
    check_id(&mut invalid, &schedule_id);
    invalid.finish(())?;
    let task = body.task.take();
    let rules = Rules::read(&mut body)?;
    let asks = task.as_ref().is_some_and(|task| task.approval.is_some());
    if asks && spec_of(&rules.timetable).jitter_ms > 0 {
        let rule = "must be 0 where the task asks for an approval, which is asked for at once";
        return Err(Problem::field("spec.jitter_ms", rule));
    }
    let task = task_json(task)?;
    let paused = match rules.paused {
        Some(true) => "1",
        Some(false) => "0",
        None => "",
    };
    let call = Put {
        schedule_id: &schedule_id,
        owner: cx.caller.name(),
        writer: cx.caller.writer(),
        spec: &json!(spec_of(&rules.timetable)).to_string(),
        task: &task,
        overlap: rules.overlap.as_str(),
        catch_up: &catch_up_json(rules.catch_up),
        pause_on_failure: rules.pause_on_failure,
        paused,
        note: rules.note.as_deref().unwrap_or_default(),
        most: cx.quotas().map(|quotas| quotas.schedules),
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = match answered.value {
        SchedulePut::Ok { schedule } => Ok(Response::json(&schedule.shown()?)),
        SchedulePut::Forbidden => Err(Problem::foreign("schedule")),
        SchedulePut::TooMany => {
            let detail = format!("There are {SCHEDULES_MAX} schedules already; remove some.");
            Err(Problem::new(Code::Conflict, detail))
        }
    };
    mark_replayed(answer, answered.replayed)
}

/// `GET /schedules`
pub(crate) async fn list<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let owner = cx.caller.writer().as_argument();
    let mut steps = page::steps(&cx.query(), PAGE_DEFAULT)?;
    while let Some(Step { limit, from: below, filled }) = steps.step() {
        steps.add(cx.store.call(&List { owner, limit, below, filled }).await?);
    }
    let schedules = steps.rows.into_iter().map(|schedule| schedule.shown());
    let schedules = schedules.collect::<Result<Vec<_>, _>>()?;
    Ok(page::with_next(Response::json(&schedules), cx.request, steps.next))
}

async fn read<R: Redis>(cx: &Context<'_, R>) -> Result<Standing, Problem> {
    let schedule_id: ScheduleId = cx.id("id", "schedule_id")?;
    let found = cx.store.call(&Get { schedule_id: &schedule_id }).await?;
    found.map(|found| *found).ok_or_else(|| unknown(&schedule_id))
}

/// `GET /schedules/{id}`
pub(crate) async fn show<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let found = read(cx).await?;
    if !cx.caller.may_see(&[&found.schedule.owner]) {
        return Err(unknown(&found.schedule.schedule_id));
    }
    Ok(Response::json(&found.shown()?))
}

/// A schedule of which the caller begins runs.
async fn own<R: Redis>(cx: &Context<'_, R>) -> Result<Standing, Problem> {
    let found = read(cx).await?;
    let owner = &found.schedule.owner;
    if !cx.caller.may_see(&[owner]) {
        return Err(Problem::foreign("schedule"));
    }
    match owner_of(cx.store, owner).await? {
        Owner::Active => Ok(found),
        Owner::Suspended | Owner::Gone => {
            let detail = format!("Its owner {owner} is suspended or gone: no run begins.");
            Err(Problem::new(Code::Conflict, detail))
        }
    }
}

/// `DELETE /schedules/{id}`
pub(crate) async fn remove<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let schedule_id: ScheduleId = cx.id("id", "schedule_id")?;
    let call = Remove { schedule_id: &schedule_id, writer: cx.caller.writer() };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = match answered.value {
        Changed::Ok => Ok(Response::json(&ScheduleRemoved { success: true, schedule_id })),
        Changed::NotFound => Err(unknown(&schedule_id)),
        Changed::Forbidden => Err(Problem::foreign("schedule")),
    };
    mark_replayed(answer, answered.replayed)
}

/// `POST /schedules/{id}/pause`
pub(crate) async fn pause<R: Redis>(cx: &Context<'_, R>) -> Answer {
    set_paused(cx, true).await
}

/// `POST /schedules/{id}/resume`
pub(crate) async fn resume<R: Redis>(cx: &Context<'_, R>) -> Answer {
    set_paused(cx, false).await
}

async fn set_paused<R: Redis>(cx: &Context<'_, R>, paused: bool) -> Answer {
    let schedule_id: ScheduleId = cx.id("id", "schedule_id")?;
    let ScheduleNote { note } = optional_object(cx.request)?;
    let mut invalid = Invalid::new();
    check_note(&mut invalid, note.as_deref());
    invalid.finish(())?;
    let writer = cx.caller.writer();
    let call = Pause { schedule_id: &schedule_id, writer, paused, note: note.as_deref() };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = match answered.value {
        SchedulePaused::Ok { schedule } => Ok(Response::json(&schedule.shown()?)),
        SchedulePaused::NotFound => Err(unknown(&schedule_id)),
        SchedulePaused::Forbidden => Err(Problem::foreign("schedule")),
    };
    mark_replayed(answer, answered.replayed)
}

/// Begins a run that somebody asks for; `None` if it has begun before.
async fn begin<R: Redis>(
    cx: &Context<'_, R>,
    found: &Standing,
    run: AskedRun<'_>,
    once: Option<&Once>,
) -> Result<Option<(Run, bool)>, Problem> {
    let settings = &cx.config.settings;
    let cause = run.cause;
    let answered = found.schedule.start(cx.store, settings, &run, once).await?;
    match answered.value {
        RunStarted::Ok { due_at, at, doomed, task_id } => {
            tell_followers(cx, doomed).await;
            let (cause, outcome) = (Open::Known(cause), Open::Known(RunOutcome::Started));
            let task_id = Some(task_id);
            let run = Run { due_at, at, cause, outcome, task_id, ..Run::default() };
            Ok(Some((run, answered.replayed)))
        }
        RunStarted::Exists => Ok(None),
        RunStarted::Skipped(before) => {
            let detail = format!("The run {before} has not ended; overlap says what happens then.");
            Err(Problem::new(Code::Conflict, detail))
        }
        RunStarted::Refused(reason) => Err(Problem::new(Code::Conflict, reason)),
        RunStarted::Forbidden => Err(Problem::foreign("schedule")),
        RunStarted::NotFound => Err(unknown(&found.schedule.schedule_id)),
        RunStarted::Stale | RunStarted::Paused | RunStarted::Cancel(_) => {
            let detail = "Others begin runs of this schedule at the same time; try again.";
            Err(Problem::new(Code::Conflict, detail))
        }
    }
}

/// `POST /schedules/{id}/trigger`
pub(crate) async fn trigger<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let TriggerBody { overlap } = optional_object(cx.request)?;
    let mut invalid = Invalid::new();
    let overlap = read_overlap(overlap, &mut invalid);
    invalid.finish(())?;
    let found = own(cx).await?;
    let task_id: TaskId = made_id("task", cx.once.as_ref(), false);
    let run = AskedRun {
        writer: cx.caller.writer(),
        cause: RunCause::Trigger,
        occurrence: None,
        from_ms: None,
        task_id: &task_id,
        overlap: overlap.or_else(|| found.schedule.overlap()).unwrap_or(Overlap::Skip),
    };
    let begun = begin(cx, &found, run, cx.once.as_ref()).await?;
    let (runs, replayed) = begun.map_or_else(Default::default, |(run, was)| (vec![run], was));
    let schedule_id = found.schedule.schedule_id;
    mark_replayed(Ok(Response::json(&RunsAnswer { success: true, schedule_id, runs })), replayed)
}

/// The runs of a time in the past.
fn runs_within(found: &Standing, body: &BackfillBody) -> Result<Vec<i64>, Problem> {
    let mut invalid = Invalid::new();
    let mut instant = |field: &str, given: Option<&str>| {
        let read = given.and_then(read_instant);
        let rule = "is required: an instant such as 2026-02-04T04:58:14Z";
        invalid.require(read.is_some(), field, rule);
        read.unwrap_or_default()
    };
    let (from, to) = (instant("from", body.from.as_deref()), instant("to", body.to.as_deref()));
    invalid.finish(())?;
    let mut invalid = Invalid::new();
    invalid.require(from <= to, "to", "must not be before from");
    invalid.require(to <= found.schedule.now_ms, "to", "must not be in the future");
    let most = body.most.unwrap_or(SCHEDULE_RUNS_AT_ONCE);
    invalid.within("most", most, &(1..=BACKFILL_MOST_MAX));
    invalid.finish(())?;
    let Some(rules) = found.schedule.rules() else {
        let detail = "This version of the hub cannot read the schedule.";
        return Err(Problem::new(Code::Conflict, detail));
    };
    let most = usize::try_from(most).unwrap_or_default();
    let runs = rules.timetable.after(from - 1).take_while(|at| *at <= to);
    let runs: Vec<i64> = runs.take(most + 1).collect();
    if runs.len() > most {
        return Err(Problem::field("most", "is less than the runs of that time"));
    }
    Ok(runs)
}

/// `POST /schedules/{id}/backfill`. Each run begins under the id that it would have had; they do not wait
/// for each other.
pub(crate) async fn backfill<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let body: BackfillBody = object(cx.request)?;
    let found = own(cx).await?;
    let mut runs = Vec::new();
    let mut replayed = true;
    for (n, due_ms) in runs_within(&found, &body)?.into_iter().enumerate() {
        let run = AskedRun {
            writer: cx.caller.writer(),
            cause: RunCause::Backfill,
            occurrence: Some(Occurrence { due_ms, delay_ms: 0, missed: 0 }),
            from_ms: None,
            task_id: &task_id_of(&found.schedule.schedule_id, due_ms),
            overlap: Overlap::Allow,
        };
        let once = cx.once.as_ref().map(|once| once.part(n));
        if let Some((run, was_replayed)) = begin(cx, &found, run, once.as_ref()).await? {
            replayed &= was_replayed;
            runs.push(run);
        }
    }
    let replayed = replayed && !runs.is_empty();
    let schedule_id = found.schedule.schedule_id;
    mark_replayed(Ok(Response::json(&RunsAnswer { success: true, schedule_id, runs })), replayed)
}
