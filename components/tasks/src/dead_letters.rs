//! Tasks that went wrong for good, and how they are tried again.

use reef_api::history::{DeadByError, DeadGroup};
use reef_api::task::{TaskRedriveAnswer, TaskRedriveBody};
use reef_domain::filter::{ERROR_KEY_RULE, is_error_key};
use reef_domain::limits::{PAGE_DEFAULT, REDRIVE_MAX};
use reef_domain::{Invalid, id};
use reef_store::Redis;
use reef_store::steps::Step;
use reef_store::task::{DeadError, Letters, ListDead, ListDeadErrors, redrive as put_back};
use reef_web::extract::optional_object;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Context, Problem, Response, page};

/// Steps of 25 that one redrive takes: it stays well inside a request's time.
const REDRIVE_STEPS: usize = 800;

/// How much is shown of an error that dead letters have in common.
const ERROR_CHARS: usize = 200;

/// `GET /tasks/dead`
pub(crate) async fn list<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let owner = cx.caller.writer().as_argument();
    match cx.query().get("group").filter(|group| !group.is_empty()) {
        None => {}
        Some("error") => return by_error(cx).await,
        Some(_) => return Err(Problem::parameter("group", "must be error")),
    }
    let mut steps = page::steps(&cx.query(), PAGE_DEFAULT)?;
    while let Some(Step { limit, from: below, filled }) = steps.step() {
        steps.add(cx.store.call(&ListDead { owner, limit, below, filled }).await?);
    }
    Ok(page::answer(cx.request, &steps))
}

/// Dead letters by what they have in common.
async fn by_error<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let owner = cx.caller.writer().as_argument();
    let mut steps = page::steps(&cx.query(), PAGE_DEFAULT)?;
    while let Some(Step { limit, from: below, filled }) = steps.step() {
        steps.add(cx.store.call(&ListDeadErrors { owner, limit, below, filled }).await?);
    }
    let groups = steps.rows.into_iter().map(group).collect();
    let answer = Response::json(&DeadByError { success: true, groups });
    Ok(page::with_next(answer, cx.request, steps.next))
}

fn group(found: DeadError) -> DeadGroup {
    let DeadError { key, count, first_at, last_at, task } = found;
    let error = task.error.unwrap_or_default();
    let line = error.lines().find(|line| !line.is_empty()).unwrap_or_default();
    DeadGroup {
        key,
        error: line.chars().take(ERROR_CHARS).collect(),
        name: task.name,
        count,
        first_at,
        last_at,
        example: task.task_id,
    }
}

fn letters(body: &mut TaskRedriveBody) -> Result<Letters, Invalid> {
    let mut invalid = Invalid::new();
    let is_given = body.task_ids.is_some() || body.filter.is_some();
    invalid.require(is_given, "task_ids", "or a filter is required; {} filters nothing out");
    let is_empty = body.task_ids.as_ref().is_some_and(Vec::is_empty);
    invalid.require(!is_empty, "task_ids", "must name at least one task");
    let task_ids = body.task_ids.take().unwrap_or_default();
    invalid.at_most_items("task_ids", &task_ids, REDRIVE_MAX);
    for (n, task_id) in task_ids.iter().enumerate() {
        invalid.require(id::is_valid(task_id), &format!("task_ids[{n}]"), id::RULE);
    }
    let filter = body.filter.take().unwrap_or_default();
    let status = filter.status.unwrap_or_default();
    let is_dead = matches!(status.as_str(), "" | "failed" | "timeout");
    invalid.require(is_dead, "filter.status", "must be failed or timeout");
    let user_id = filter.user_id.unwrap_or_default();
    let error_key = filter.error_key.unwrap_or_default();
    let is_key = error_key.is_empty() || is_error_key(&error_key);
    invalid.require(is_key, "filter.error_key", ERROR_KEY_RULE);
    invalid.finish(Letters { task_ids, status, user_id, error_key })
}

/// `POST /tasks/dead/redrive`: the tasks that are named, or those that the filter lets through.
pub(crate) async fn redrive<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let mut body: TaskRedriveBody = optional_object(cx.request)?;
    let letters = letters(&mut body).map_err(Problem::from)?;
    let dry_run = body.dry_run.unwrap_or(false);
    let writer = cx.caller.writer();
    let once = cx.once.as_ref();
    let answered = put_back(cx.store, writer, &letters, dry_run, REDRIVE_STEPS, once).await?;
    let answer = TaskRedriveAnswer {
        redriven: if dry_run { 0 } else { answered.value.len() },
        task_ids: answered.value,
        dry_run,
    };
    mark_replayed(Ok(Response::json(&answer)), answered.replayed)
}
