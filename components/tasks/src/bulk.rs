//! Changes of many tasks.

use std::time::Duration;

use reef_api::bulk::{BulkAction, BulkBody, BulkStatus};
use reef_api::task::TaskStatus;
use reef_api::{BulkId, Word as _};
use reef_domain::Invalid;
use reef_domain::filter::Filter;
use reef_domain::limits::{BULK_MOST_MAX, BULK_REASON_CHARS_MAX, BULKS_MAX};
use reef_domain::task::PRIORITY_MAX;
use reef_store::Redis;
use reef_store::bulk::{Bulk, Get, Start, Started, Stop, Stopped, advance};
use reef_web::extract::object;
use reef_web::once::made_id;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response};

use crate::owners::tell_followers;

/// How long a request goes on with what it has begun; the monitor does the rest.
const TIME: Duration = Duration::from_secs(3);

struct Asked {
    action: BulkAction,
    priority: Option<i64>,
    filter: Filter,
    most: Option<i64>,
    reason: String,
}

/// Whether an action changes tasks of a status.
fn changes(action: BulkAction, status: TaskStatus) -> bool {
    match action {
        BulkAction::Cancel => !status.is_end(),
        BulkAction::SetPriority => !status.is_end() && status != TaskStatus::Running,
        BulkAction::Retry => status.is_end() && status != TaskStatus::Completed,
        BulkAction::Remove => status.is_end(),
    }
}

impl Asked {
    fn read(body: BulkBody) -> Result<Self, Invalid> {
        let mut invalid = Invalid::new();
        let given = body.action.unwrap_or_default();
        let action = BulkAction::parse(&given);
        invalid.one_of("action", &given, &BulkAction::names());
        let rule = "is required; {} filters nothing out";
        invalid.require(body.filter.is_some(), "filter", rule);
        let filter = Filter::read(body.filter.unwrap_or_default(), "filter.", &mut invalid);
        let status = filter.status.as_deref().and_then(TaskStatus::parse);
        let fits = action.zip(status).is_none_or(|(action, status)| changes(action, status));
        invalid.require(fits, "filter.status", "must be one that the action changes");
        let sets = action == Some(BulkAction::SetPriority);
        let in_range = body.priority.is_some_and(|it| (0..=PRIORITY_MAX).contains(&it));
        let rule = "must be 0 to 3 with set_priority, and is left out otherwise";
        invalid.require(if sets { in_range } else { body.priority.is_none() }, "priority", rule);
        let dry_run = body.dry_run.unwrap_or(false);
        let reason = body.reason.unwrap_or_default();
        invalid.at_most_chars("reason", &reason, BULK_REASON_CHARS_MAX);
        if !dry_run {
            invalid.require(!reason.trim().is_empty(), "reason", "is required");
            invalid.require(body.most.is_some(), "most", "is required: what a dry run has matched");
        }
        invalid.within("most", body.most, &(0..=BULK_MOST_MAX));
        let most = if dry_run { None } else { body.most };
        let action = action.unwrap_or(BulkAction::Cancel);
        invalid.finish(Self { action, priority: body.priority, filter, most, reason })
    }
}

/// `POST /bulk`: counts what would be changed, and changes it.
pub(crate) async fn start<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let Asked { action, priority, mut filter, most, reason } = Asked::read(object(cx.request)?)?;
    filter.owner = Some(cx.caller.writer().as_argument().to_owned()).filter(|it| !it.is_empty());
    let bulk_id: BulkId = made_id("bulk", cx.once.as_ref(), false);
    let call = Start {
        bulk_id: &bulk_id,
        owner: cx.caller.name(),
        action: action.as_str(),
        priority,
        filter: &filter,
        most,
        reason: &reason,
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let Started::Ok(bulk_id) = answered.value else {
        let detail = format!("{BULKS_MAX} changes of many tasks are under way; stop one, or wait.");
        return Err(Problem::new(Code::Conflict, detail));
    };
    let bulk_id = BulkId::from(bulk_id);
    advance(cx.store, Some(&bulk_id), TIME).await?;
    tell_followers(cx, true).await;
    let bulk = read(cx, &bulk_id).await?;
    let answer = if bulk.status.is_any(&[BulkStatus::Refused]) {
        let (matched, most) = (bulk.matched, bulk.most.unwrap_or_default());
        let detail = format!(
            "{matched} tasks match, and most says {most}: nothing was changed. Look again with dry_run."
        );
        Err(Problem::new(Code::Conflict, detail))
    } else {
        Ok(Response::json(&bulk))
    };
    mark_replayed(answer, answered.replayed)
}

fn unknown(bulk_id: &BulkId) -> Problem {
    Problem::new(Code::NotFound, format!("There is no bulk job {bulk_id}."))
}

async fn read<R: Redis>(cx: &Context<'_, R>, bulk_id: &BulkId) -> Result<Bulk, Problem> {
    match cx.store.call(&Get { bulk_id }).await? {
        Some(found) if cx.caller.may_see(&[&found.owner]) => Ok(found.value),
        _ => Err(unknown(bulk_id)),
    }
}

/// `GET /bulk/{id}`
pub(crate) async fn show<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let bulk_id = cx.id("id", "bulk_id")?;
    Ok(Response::json(&read(cx, &bulk_id).await?))
}

/// `POST /bulk/{id}/stop`
pub(crate) async fn stop<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let bulk_id = cx.id("id", "bulk_id")?;
    let call = Stop { bulk_id: &bulk_id, writer: cx.caller.writer() };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = match answered.value {
        Stopped::Ok => Ok(Response::json(&read(cx, &bulk_id).await?)),
        Stopped::NotFound => Err(unknown(&bulk_id)),
        Stopped::Forbidden => Err(Problem::foreign("bulk job")),
        Stopped::State(status) => {
            let detail = format!("The bulk job {bulk_id} has ended: {status}.");
            Err(Problem::new(Code::Conflict, detail))
        }
    };
    mark_replayed(answer, answered.replayed)
}
