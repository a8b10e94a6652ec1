//! Tasks as those see them who submit and watch them.

use std::slice;

use reef_api::task::{
    SubmittedTask, TaskBody, TaskCleanupAnswer, TaskCleanupBody, TaskRemoved, TaskStats, TaskStatus,
};
use reef_api::usage::TaskCharge;
use reef_api::{TaskId, Word as _};
use reef_domain::Invalid;
use reef_domain::json::Json;
use reef_domain::limits::{BODY_BYTES_MAX, PAGE_DEFAULT, WAIT_MS_MAX};
use reef_domain::task::{Submission, check_task_id};
use reef_domain::usage::Charge;
use reef_domain::{Money, id};
use reef_store::Redis;
use reef_store::steps::Step;
use reef_store::task::{
    Begin, Cancel, Count, Ended, Found, Get, GivenTask, ListWaiting, Remove, Retry, Submit,
    Submitted, Task, TasksByStatus, Written, ask_for_room, clean_up as forget_old, release,
    reserve, settle_end,
};
use reef_store::tasklog;
use reef_web::extract::{Query, json_object, object, optional_object, refuse_read_only};
use reef_web::money::moved;
use reef_web::once::made_id;
use reef_web::route::{Answer, mark_replayed};
use reef_web::task::{READ_ONLY, not_submitted};
use reef_web::{Code, Context, Problem, Response, page};

use crate::history::totals;
use crate::waits::details_json;

/// Steps of 100 that one clean-up takes: it stays well inside a request's time.
const CLEANUP_STEPS: usize = 1000;

/// Days after which ended tasks are forgotten, where the caller names none.
const CLEANUP_DAYS: f64 = 30.0;

/// There is no such task.
pub(crate) fn unknown_task(task_id: &str) -> Problem {
    Problem::new(Code::NotFound, format!("There is no task {task_id}."))
}

pub(crate) fn is_end(status: &str) -> bool {
    TaskStatus::parse(status).is_some_and(TaskStatus::is_end)
}

/// The value of a write to a task, or why there is none.
pub(crate) fn written<T>(outcome: Written<T>, task_id: &str) -> Result<T, Problem> {
    let conflict = |detail: String| Err(Problem::new(Code::Conflict, detail));
    match outcome {
        Written::Ok(value) => Ok(value),
        Written::NotFound => Err(unknown_task(task_id)),
        Written::Forbidden => Err(Problem::foreign("task")),
        Written::Fenced => Err(Problem::new(
            Code::Fenced,
            format!("This token does not hold the task {task_id} any more."),
        )),
        Written::Status(status) if is_end(&status) => {
            conflict(format!("The task {task_id} has ended: {status}."))
        }
        Written::Status(status) if status == "unsettled" => conflict(format!(
            "The message, the group or the followers of the task {task_id} have yet to hear of its end; \
             try again in a moment."
        )),
        Written::Status(status) => conflict(format!("The task {task_id} is {status}.")),
        Written::Dependency => conflict(format!(
            "What the task {task_id} follows ended otherwise than it asks: try that again first."
        )),
        Written::Priced => conflict(format!(
            "What was reserved for the task {task_id} is released; submit the task anew."
        )),
        Written::Unpaid => {
            Err(Problem::field("amount", "must be left out: nobody pays for the task"))
        }
        Written::Over(max) => {
            let max = max.parse().ok().and_then(Money::from_micros).unwrap_or_default();
            Err(Problem::field("amount", &format!("must not be more than the task's {max}")))
        }
        Written::Settled => conflict(format!(
            "The message of the task {task_id} is complete; submit the task anew."
        )),
    }
}

/// Tells a task's message of its end, and pays for it. The task has ended whatever happens here; what fails,
/// the monitor repeats.
pub(crate) async fn settle<R: Redis>(cx: &Context<'_, R>, task: &Task) {
    if (task.message_id.is_none() && task.charge.is_none()) || !task.status.is_end() {
        return;
    }
    settle_task(cx, &task.task_id).await;
}

/// The same, of a task that is known to have ended.
pub(crate) async fn settle_task<R: Redis>(cx: &Context<'_, R>, task_id: &TaskId) {
    let ttl_ms = cx.config.settings.message_ttl_ms;
    if let Err(error) = settle_end(cx.store, task_id, ttl_ms).await {
        eprintln!("task={task_id} its end could not be settled: {error}");
    }
}

/// Tells those that follow what has ended, and its group. It has ended whatever happens here; what fails,
/// the monitor repeats.
pub(crate) async fn tell_followers<R: Redis>(cx: &Context<'_, R>, follows: bool) {
    if !follows {
        return;
    }
    if let Err(error) = release(cx.store).await {
        eprintln!("those that follow what has ended could not be told: {error}");
    }
}

/// `POST /tasks`, with what it keeps as it is.
pub(crate) type SubmitBody = TaskBody<Json>;

fn submission(body: &mut SubmitBody) -> Result<Submission, Invalid> {
    let mut invalid = Invalid::new();
    let submission = Submission::read_one(body, &mut invalid)?;
    check_task_id(&mut invalid, body.task_id.as_deref().filter(|given| !given.is_empty()));
    invalid.finish(submission)
}

/// `POST /tasks`
pub(crate) async fn submit<R: Redis>(cx: &Context<'_, R>) -> Answer {
    refuse_read_only(cx.request, &READ_ONLY)?;
    let mut body: SubmitBody = object(cx.request)?;
    let mut submission = submission(&mut body)?;
    let default = &cx.config.settings.task_audience;
    submission.wants.audience.get_or_insert_with(|| default.clone());
    let parameters = json_object("parameters", body.parameters.take(), BODY_BYTES_MAX)?;
    let metadata = json_object("metadata", body.metadata.take(), BODY_BYTES_MAX)?;
    let made = made_id("task", cx.once.as_ref(), false);
    let task_id = body.task_id.as_ref().filter(|given| !given.is_empty()).unwrap_or(&made);
    let details = body.approval.take().and_then(|asked| asked.details);
    let details = details_json("approval.details", details)?;
    let wait_id = made_id("wait", cx.once.as_ref(), true);
    let charge = submission.charge.clone().map(|charge| charge_of(cx, charge)).transpose()?;
    let task = GivenTask {
        task_id,
        submission: &submission,
        parameters: &parameters,
        metadata: &metadata,
        owner: cx.caller.name(),
        approval: submission.approval.as_ref().map(|_| (&wait_id, details.as_ref())),
        follows_group: false,
        charge: charge.as_ref(),
    };
    // One that is unique may take the place of another, whose room it gets.
    if submission.unique.is_none() {
        let tasks = slice::from_ref(&task);
        ask_for_room(cx.store, tasks, cx.quotas(), cx.once.as_ref()).await?;
    }
    let call = Submit { task, quotas: cx.quotas() };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = match answered.value {
        Submitted::Ok { routable, doomed, task } => {
            tell_followers(cx, doomed).await;
            Ok(Response::json(&SubmittedTask { task: *task, routable, deduplicated: false }))
        }
        Submitted::Deduplicated { routable, task } => {
            Ok(Response::json(&SubmittedTask { task: *task, routable, deduplicated: true }))
        }
        Submitted::Draft { routable } => match &charge {
            Some(charge) => begin_priced(cx, task_id, charge, routable).await,
            None => Err(Problem::internal("a task that asks for nothing first became a draft")),
        },
        refused => Err(not_submitted(&refused, task_id)),
    };
    mark_replayed(answer, answered.replayed)
}

/// What a task is paid with: by the caller, or, as the admin says, by another agent.
fn charge_of<R>(cx: &Context<'_, R>, charge: Charge) -> Result<TaskCharge, Problem> {
    let Charge { max, to, from } = charge;
    let from = from.unwrap_or_else(|| cx.caller.name().into());
    if !id::is_valid(&from) {
        return Err(Problem::field("charge.from", "is required: the agent that pays"));
    }
    if !cx.caller.acts_for(&from) {
        return Err(Problem::new(Code::Forbidden, format!("The money of {from} is not yours.")));
    }
    Ok(TaskCharge { max, to, from, hold_id: made_id("hold", cx.once.as_ref(), false) })
}

/// Reserves what a draft is paid with, then lets it begin. Each step can be repeated; what a crash leaves
/// half done, the monitor goes on with.
async fn begin_priced<R: Redis>(
    cx: &Context<'_, R>,
    task_id: &TaskId,
    charge: &TaskCharge,
    routable: bool,
) -> Answer {
    let reserved = reserve(cx.store, task_id, charge, cx.quotas()).await?;
    moved(reserved, &charge.from, charge.max)?;
    let gone = || {
        let detail = "The task has ended and is forgotten; send it with another Idempotency-Key.";
        Problem::new(Code::Conflict, detail)
    };
    cx.store.call(&Begin { task_id }).await?.ok_or_else(gone)?;
    let found = cx.store.call(&Get { task_id }).await?.ok_or_else(gone)?;
    Ok(Response::json(&SubmittedTask { task: *found.task, routable, deduplicated: false }))
}

/// `GET /tasks/pending`: what waits for a node, in the order of claiming.
pub(crate) async fn list_waiting<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let owner = cx.caller.writer().as_argument();
    let mut steps = page::steps(&cx.query(), PAGE_DEFAULT)?;
    while let Some(Step { limit, from: after, filled }) = steps.step() {
        steps.add(cx.store.call(&ListWaiting { owner, limit, after, filled }).await?);
    }
    Ok(page::answer(cx.request, &steps))
}

/// `GET /tasks/stats`
pub(crate) async fn count<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let counts = cx.store.call(&Count { kept_ms: cx.config.settings.task_kept_ms }).await?;
    let TasksByStatus {
        pending, scheduled, running, completed, failed, cancelled, timeout, ..
    } = counts.by_status;
    Ok(Response::json(&TaskStats {
        total: counts.total,
        pending,
        scheduled,
        running,
        completed,
        failed,
        cancelled,
        timeout,
        suspended: counts.by_status.waiting,
        waiting: counts.waiting,
        delayed: counts.delayed,
        dead: counts.dead,
        skill_sets: counts.classes,
        fenced: counts.fenced,
        ended: counts.ended,
        ended_bytes: counts.ended_bytes,
        oldest_end: counts.oldest_end,
        overdue: counts.overdue,
        ever: totals(&counts.ever),
    }))
}

/// Checks how long the host is to wait for the end of what is shown.
pub(crate) fn check_wait_ms(query: &Query) -> Result<(), Problem> {
    let wait_ms = query.get("wait_ms").map_or(Ok(0), str::parse::<i64>);
    if wait_ms.is_ok_and(|wait_ms| (0..=WAIT_MS_MAX).contains(&wait_ms)) {
        return Ok(());
    }
    Err(Problem::parameter("wait_ms", "must be a whole number from 0 to 30000"))
}

/// `GET /tasks/{id}`. `wait_ms` is the host's: it asks again once the task has ended.
pub(crate) async fn show<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let task_id = cx.id("id", "task_id")?;
    check_wait_ms(&cx.query())?;
    match cx.store.call(&Get { task_id: &task_id }).await? {
        Some(Found { owner, runner, task, .. }) if cx.caller.may_see(&[&owner, &runner]) => {
            Ok(Response::json(&task).pending(!task.status.is_end()))
        }
        _ => Err(unknown_task(&task_id)),
    }
}

/// `DELETE /tasks/{id}`
pub(crate) async fn remove<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let task_id = cx.id("id", "task_id")?;
    // Afterwards nobody could tell its message.
    if let Some(found) = cx.store.call(&Get { task_id: &task_id }).await? {
        settle(cx, &found.task).await;
    }
    let call = Remove { task_id: &task_id, writer: cx.caller.writer() };
    let version = written(cx.store.call(&call).await?, &task_id)?;
    if !version.is_empty()
        && let Err(error) = tasklog::remove(cx.store, &task_id, &version).await
    {
        // The monitor does it.
        eprintln!("task={task_id} its log could not be removed: {error}");
    }
    Ok(Response::json(&TaskRemoved { success: true, task_id }))
}

/// `POST /tasks/{id}/cancel`
pub(crate) async fn cancel<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let task_id = cx.id("id", "task_id")?;
    let call = Cancel { task_id: &task_id, writer: cx.caller.writer() };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = written(answered.value, &task_id);
    if let Ok(Ended { follows, task }) = &answer {
        tell_followers(cx, *follows).await;
        settle(cx, task).await;
    }
    mark_replayed(answer.map(|ended| Response::json(&ended.task)), answered.replayed)
}

/// `POST /tasks/{id}/retry`
pub(crate) async fn retry<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let task_id = cx.id("id", "task_id")?;
    let call = Retry { task_id: &task_id, writer: cx.caller.writer() };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = written(answered.value, &task_id);
    mark_replayed(answer.map(|task| Response::json(&task)), answered.replayed)
}

/// `POST /tasks/cleanup`
pub(crate) async fn clean_up<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let body: TaskCleanupBody = optional_object(cx.request)?;
    let query = cx.query();
    let in_query = query.get("days").map(str::parse::<f64>).transpose();
    let in_query = in_query.map_err(|_| Problem::parameter("days", "must be a number"))?;
    let days = body.days.or(in_query).unwrap_or(CLEANUP_DAYS);
    let mut invalid = Invalid::new();
    invalid.within("days", days, &(0.0..=36_500.0));
    invalid.finish(())?;
    #[allow(clippy::cast_possible_truncation, reason = "checked to be at most a century")]
    let age_ms = (days * 86_400_000.0) as i64;
    let answered = forget_old(cx.store, age_ms, CLEANUP_STEPS, cx.once.as_ref()).await?;
    let response = Response::json(&TaskCleanupAnswer { deleted: answered.value });
    mark_replayed(Ok(response), answered.replayed)
}
