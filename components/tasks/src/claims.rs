//! Tasks as those see them who run them: claim, progress, the end.

use reef_api::task::{
    ClaimedTask, TaskClaimAnswer, TaskClaimBody, TaskCompleteBody, TaskFailBody,
    TaskProgressAnswer, TaskProgressBody,
};
use reef_api::usage::OnExceed;
use reef_api::{NodeId, TaskId, Token, WaitId};
use reef_domain::json::{Json, Members, cut};
use reef_domain::limits::{
    BODY_BYTES_MAX, CLAIM_LEASE_MS, CLAIM_LEASE_MS_DEFAULT, CONCURRENT_TASKS_MAX, ERROR_BYTES_MAX,
    RETRY_MS_MAX, WAIT_MS_MAX,
};
use reef_domain::message::Block;
use reef_domain::task::some_node;
use reef_domain::usage::Report;
use reef_domain::wait::Approval;
use reef_domain::{Invalid, Money, id};
use reef_store::Redis;
use reef_store::message::{AdmitRunner, DismissRunner, TaskChange};
use reef_store::node::Writer;
use reef_store::task::{
    self, Claim, Claimed, Claims, Complete, Ended, Fail, Halt, Halted, Progress, Standing, Written,
};
use reef_store::wait::WaitSpec;
use reef_web::extract::object;
use reef_web::once::made_id;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response};

use crate::owners::{settle, settle_task, tell_followers, written};
use crate::waits::checkpoint_json;

/// What a claim asks for.
struct Asked {
    node_id: NodeId,
    task_id: Option<TaskId>,
    limit: i64,
    lease_ms: i64,
}

impl Asked {
    fn read(body: TaskClaimBody) -> Result<Self, Invalid> {
        let mut invalid = Invalid::new();
        let node_id = some_node(body.node_id).unwrap_or_default();
        let node = node_id.as_str();
        invalid.require(!node.is_empty(), "node_id", "is required");
        invalid.require(node.is_empty() || id::is_valid(node), "node_id", id::RULE);
        let limit = body.limit.unwrap_or(1);
        invalid.within("limit", limit, &(1..=CONCURRENT_TASKS_MAX));
        let lease_ms = body.lease_ms.unwrap_or(CLAIM_LEASE_MS_DEFAULT);
        invalid.within("lease_ms", lease_ms, &CLAIM_LEASE_MS);
        invalid.within("wait_ms", body.wait_ms, &(0..=WAIT_MS_MAX));
        let task_id = body.task_id.filter(|task| !task.as_str().is_empty());
        let is_id = task_id.as_ref().is_none_or(|task| id::is_valid(task.as_str()));
        invalid.require(is_id, "task_id", id::RULE);
        invalid.finish(Self { node_id, task_id, limit, lease_ms })
    }
}

/// `POST /tasks/claim`. `wait_ms` is the host's: it asks again once something may have changed.
pub(crate) async fn claim<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let Asked { node_id, task_id, limit, lease_ms } = Asked::read(object(cx.request)?)?;
    let random = uuid::Uuid::now_v7().simple().to_string();
    let call = Claim {
        node_id: &node_id,
        writer: cx.caller.writer(),
        limit,
        spent_by: 0,
        lease_ms,
        task_id: task_id.as_ref(),
        // The head of such an id is the time, its tail is random.
        random: random.get(20..).unwrap_or_default(),
    };
    let answered = task::claim(cx.store, &call, cx.once.as_ref()).await?;
    let answer = match answered.value {
        Written::NotFound => Err(Problem::unknown_node(&node_id)),
        Written::Forbidden => Err(Problem::foreign("node")),
        other => written(other, node_id.as_str()),
    };
    for Claimed { task, token, .. } in answer.iter().flat_map(|claims| &claims.tasks) {
        if let Some(message_id) = &task.message_id {
            // A message that is gone has nobody who could write to it.
            let runner = cx.caller.name();
            cx.store.call(&AdmitRunner { message_id, runner, token }).await?;
        }
    }
    let answer =
        answer.map(|claims| {
            let needs_limits = claims.needs_limits();
            let Claims { tasks, mut reason } = claims;
            let is_empty = tasks.is_empty();
            if needs_limits {
                reason = "Limits keep back all that was looked at; ask again.".to_owned();
            }
            let tasks = tasks.into_iter();
            let tasks = tasks.map(|Claimed { task, token, checkpoint, resume, inputs }| {
                ClaimedTask { task, token, checkpoint, resume, inputs }
            });
            Response::json(&TaskClaimAnswer { tasks: tasks.collect(), reason }).pending(is_empty)
        });
    mark_replayed(answer, answered.replayed)
}

/// A claim's token, which must be there.
pub(crate) fn token(given: Option<Token>) -> Result<Token, Problem> {
    given.filter(|token| !token.is_empty()).ok_or_else(|| Problem::field("token", "is required"))
}

/// `POST /tasks/{id}/progress`, with what it keeps as it is.
pub(crate) type ProgressBody = TaskProgressBody<Json>;

/// `POST /tasks/{id}/progress`
pub(crate) async fn progress<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let task_id = cx.id("id", "task_id")?;
    let mut body: ProgressBody = object(cx.request)?;
    let mut invalid = Invalid::new();
    invalid.within("progress", body.progress, &(0.0..=1.0));
    invalid.within("lease_ms", body.lease_ms, &CLAIM_LEASE_MS);
    let usage = Report::read_all(body.usage.take(), &mut invalid);
    invalid.finish(())?;
    let checkpoint = checkpoint_json(body.checkpoint.take())?;
    let token = token(body.token)?;
    let call = Progress {
        task_id: &task_id,
        writer: cx.caller.writer(),
        token: &token,
        progress: body.progress,
        lease_ms: body.lease_ms,
        usage: &usage_json(&usage),
        checkpoint: checkpoint.as_ref(),
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let mut answer = written(answered.value, &task_id);
    if let (Ok(standing), Some(_), false) = (&answer, body.progress, answered.replayed)
        && let Some(message_id) = &standing.message_id
    {
        let change = TaskChange::Processing { progress: body.progress };
        // That the caller holds the task was checked; its message may be somebody else's.
        let author = Writer::Any.into();
        let ttl_ms = cx.config.settings.message_ttl_ms;
        // A message that is gone or complete has nothing to hear.
        cx.store.call(&change.call(message_id, author, task_id.as_str(), ttl_ms)).await?;
    }
    let mut wait_id = None;
    if let Ok(standing) = &mut answer {
        wait_id = halt(cx, &task_id, &token, standing).await?;
    }
    let answer = answer.map(|standing| {
        Response::json(&TaskProgressAnswer {
            success: true,
            task_id: task_id.clone(),
            status: standing.status,
            progress: standing.progress,
            lease_ms: standing.lease_ms,
            cancelled: standing.cancelled,
            signals: standing.signals,
            budget: standing.budget,
            wait_id,
        })
    });
    mark_replayed(answer, answered.replayed)
}

/// What was used, as the scripts read it.
pub(crate) fn usage_json(usage: &[Report]) -> String {
    if usage.is_empty() { String::new() } else { serde_json::json!(usage).to_string() }
}

/// Does what a budget that is used up asks for. Should it not come to that, the next report does. The wait that
/// has begun.
async fn halt<R: Redis>(
    cx: &Context<'_, R>,
    task_id: &TaskId,
    token: &Token,
    standing: &mut Standing,
) -> Result<Option<WaitId>, Problem> {
    let Some((asks, scope)) = &standing.halts else { return Ok(None) };
    let wait_id: Option<WaitId> =
        (*asks == OnExceed::Wait).then(|| made_id("wait", cx.once.as_ref(), false));
    let question = format!("The budget of the {scope} is used up. May this task go on?");
    let call = Halt {
        task_id,
        writer: cx.caller.writer(),
        token,
        scope,
        wait_id: wait_id.as_ref(),
        wait: wait_id.as_ref().map(|_| WaitSpec::of_approval(&Approval::new(&question), None)),
    };
    let once = cx.once.as_ref().map(|once| once.part(1));
    // Where the claim is over by now, others have ended the task, or will.
    if let Written::Ok(Halted { status, follows }) =
        cx.store.call_once(&call, once.as_ref()).await?.value
    {
        standing.cancelled = wait_id.is_none();
        standing.lease_ms = 0;
        standing.status = status;
        tell_followers(cx, follows).await;
        if standing.cancelled {
            settle_task(cx, task_id).await;
        }
        return Ok(wait_id);
    }
    Ok(None)
}

/// `POST /tasks/{id}/complete`, with what it keeps as it is.
pub(crate) type CompleteBody = TaskCompleteBody<Json, Members>;

/// `POST /tasks/{id}/complete`
pub(crate) async fn complete<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let task_id = cx.id("id", "task_id")?;
    let body: CompleteBody = object(cx.request)?;
    let content = body.content.map(content_of).transpose()?;
    let mut invalid = Invalid::new();
    let usage = Report::read_all(body.usage, &mut invalid);
    let is_amount = body.amount.is_none_or(|amount| amount >= Money::ZERO);
    invalid.require(is_amount, "amount", "must not be negative");
    invalid.finish(())?;
    let result = body.result.as_ref().filter(|result| !result.is_null());
    if result.is_some_and(|result| result.bytes() > BODY_BYTES_MAX) {
        let detail = "A result must not be larger than 1 MiB; larger things go into content.";
        return Err(Problem::new(Code::PayloadTooLarge, detail));
    }
    let call = Complete {
        task_id: &task_id,
        writer: cx.caller.writer(),
        token: &token(body.token)?,
        result,
        content: content.as_ref(),
        usage: &usage_json(&usage),
        amount: body.amount.map(Money::micros),
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    ended(cx, &task_id, answered.value, answered.replayed).await
}

/// A content block as it was sent, once it is known to be one.
fn content_of(content: Members) -> Result<Json, Problem> {
    let content = content.into_map();
    if let Err(invalid) = Block::read(&mut content.clone()) {
        let mut named = Invalid::new();
        for error in invalid.errors() {
            named.push(format!("content.{}", error.field), &error.message);
        }
        return Err(named.into());
    }
    Json::of(&content).map_err(|fault| Problem::field("content", &fault.to_string()))
}

/// `POST /tasks/{id}/fail`
pub(crate) async fn fail<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let task_id = cx.id("id", "task_id")?;
    let body: TaskFailBody = object(cx.request)?;
    let token = token(body.token)?;
    let (retryable, snooze) = (body.retryable.unwrap_or(true), body.snooze.unwrap_or(false));
    let mut invalid = Invalid::new();
    let is_again = retryable || (!snooze && body.retry_in_ms.is_none());
    invalid.require(is_again, "retryable", "must not be false where the task is to be tried again");
    invalid.within("retry_in_ms", body.retry_in_ms, &(0..=RETRY_MS_MAX));
    let usage = Report::read_all(body.usage, &mut invalid);
    invalid.finish(())?;
    let call = Fail {
        task_id: &task_id,
        writer: cx.caller.writer(),
        token: &token,
        error: cut(body.error.as_deref().unwrap_or_default(), ERROR_BYTES_MAX),
        retryable,
        retry_in_ms: body.retry_in_ms,
        snooze,
        usage: &usage_json(&usage),
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    if let Written::Ok(Ended { task, .. }) = &answered.value
        && let Some(message_id) = &task.message_id
    {
        // It may be tried again, by somebody else. What fails here, the monitor repeats.
        cx.store.call(&DismissRunner { message_id, token: &token }).await?;
    }
    ended(cx, &task_id, answered.value, answered.replayed).await
}

/// Answers the end of a try.
async fn ended<R: Redis>(
    cx: &Context<'_, R>,
    task_id: &TaskId,
    outcome: Written<Ended>,
    replayed: bool,
) -> Answer {
    let answer = written(outcome, task_id);
    if let (Ok(Ended { follows, task }), false) = (&answer, replayed) {
        tell_followers(cx, *follows).await;
        settle(cx, task).await;
    }
    mark_replayed(answer.map(|ended| Response::json(&ended.task)), replayed)
}
