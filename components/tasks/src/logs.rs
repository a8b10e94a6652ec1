//! Logs of tasks: what whoever runs one says of it on the way.
//!
//! A log is a partition of its own, so that what fills it weighs on no queue. Writing takes two steps: the
//! queue says that the claim holds the task, then the lines are appended. Cut between, nothing was written,
//! and a repeat does both. The number of the claim goes along, so that what a claim said while it held the
//! task, and what comes only after the next one has written, is refused.

use reef_api::task::{TaskLog, TaskLogBody, TaskLogGap, TaskLogWritten};
use reef_domain::limits::{PAGE_DEFAULT, PAGE_MAX};
use reef_domain::task_log;
use reef_store::Redis;
use reef_store::event::Cursor;
use reef_store::task::{LookForLog, MayLog};
use reef_store::tasklog::{Append, LogPage, LogRight, Logged, Read, bytes_of};
use reef_web::extract::{Query, object};
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response, page};

use crate::claims::token;
use crate::owners::{unknown_task, written};

/// `POST /tasks/{id}/log`
pub(crate) async fn write<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let task_id = cx.id("id", "task_id")?;
    let mut body: TaskLogBody = object(cx.request)?;
    let (lines, seq) = task_log::read(&mut body)?;
    let token = token(body.token)?;
    let may = MayLog {
        task_id: &task_id,
        writer: cx.caller.writer(),
        token: &token,
        bytes: bytes_of(&lines),
        most: cx.config.settings.quotas.log_bytes,
    };
    let LogRight { version, claim, attempt } = written(cx.store.call(&may).await?, &task_id)?;
    let version = version.as_str();
    let call = Append { task_id: &task_id, version, claim, attempt, seq, lines: &lines };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = match answered.value {
        Logged::Ok { cursor, dropped } => {
            Ok(Response::json(&TaskLogWritten { success: true, cursor, dropped }))
        }
        Logged::Superseded => {
            let detail = format!("A later claim of the task {task_id} writes to its log.");
            Err(Problem::new(Code::Fenced, detail))
        }
    };
    mark_replayed(answer, answered.replayed)
}

/// How many of the last lines are asked for.
fn tail_of(query: &Query) -> Result<Option<i64>, Problem> {
    let Some(text) = query.get("tail").filter(|text| !text.is_empty()) else { return Ok(None) };
    if query.get("after").is_some() {
        return Err(Problem::parameter("tail", "must be left out beside after"));
    }
    let tail = text.parse().ok().filter(|tail| (1..=PAGE_MAX).contains(tail));
    let rule = "must be a whole number from 1 to 1000";
    tail.map(Some).ok_or_else(|| Problem::parameter("tail", rule))
}

/// `GET /tasks/{id}/log`
pub(crate) async fn read<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let task_id = cx.id("id", "task_id")?;
    let query = cx.query();
    let from = query.get("after").filter(|after| !after.is_empty()).unwrap_or("0");
    let after = Cursor::parse(from)
        .ok_or_else(|| Problem::parameter("after", "must be 0 or a line's id: <ms>-<n>"))?;
    let tail = tail_of(&query)?;
    let limit = page::limit(&query, PAGE_DEFAULT)?;
    // Before the lines: all that a task has said is there by its end.
    let Some(of) = cx.store.call(&LookForLog { task_id: &task_id }).await? else {
        return Err(unknown_task(&task_id));
    };
    if !cx.caller.may_see(&[&of.owner, &of.runner]) {
        return Err(unknown_task(&task_id));
    }
    let call = Read {
        task_id: &task_id,
        version: &of.version,
        after: from,
        limit: tail.unwrap_or(limit),
        is_tail: tail.is_some(),
    };
    let LogPage { trimmed, more, lines, .. } =
        if of.has_log { cx.store.call(&call).await? } else { LogPage::default() };
    let trimmed = trimmed.filter(|trimmed| tail.is_none() && after.lacks(trimmed));
    let last = lines.last().map(|line| line.id.clone());
    let cursor = last.or_else(|| trimmed.clone()).unwrap_or_else(|| from.to_owned());
    let gap = trimmed.map(|to| TaskLogGap { from: from.to_owned(), to });
    let next = more.then(|| cursor.clone());
    let answer = TaskLog { success: true, lines, cursor, has_more: more, gap, status: of.status };
    Ok(page::with_next_at(Response::json(&answer), cx.request, "after", next))
}
