//! Waits: tasks that wait for an answer, a signal or a time, and how it comes.

use reef_api::task::TaskStatus;
use reef_api::wait::{
    SignalAnswer, SignalBody, SignalList, TakeSignalsBody, WaitAnswerBody, WaitBody, WaitKind,
    WaitStarted, WaitState,
};
use reef_api::{TaskId, Token, WaitId, Word as _};
use reef_domain::json::Json;
use reef_domain::limits::{
    CHECKPOINT_BYTES_MAX, COMMENT_CHARS_MAX, PAGE_DEFAULT, SIGNAL_BYTES_MAX, WAIT_DETAILS_BYTES_MAX,
};
use reef_domain::usage::Report;
use reef_domain::wait::{Wait as Asked, check_signal_name};
use reef_domain::{Invalid, id};
use reef_store::Redis;
use reef_store::steps::Step;
use reef_store::task::{BeginWait, Begun, Progress, SendSignal, Signalled, TakeSignals};
use reef_store::wait::{Answer as AnswerWait, Answering, Get, List, OfTask, WaitSpec};
use reef_web::extract::object;
use reef_web::once::made_id;
use reef_web::route::{Answer, mark_replayed};
use reef_web::task::unknown_followed;
use reef_web::{Code, Context, Problem, Response, page};

use crate::claims::{token, usage_json};
use crate::owners::{check_wait_ms, unknown_task, written};

fn unknown_wait(wait_id: &str) -> Problem {
    Problem::new(Code::NotFound, format!("There is no wait {wait_id}."))
}

/// Free JSON of any kind, within so many bytes; `null` is none.
fn json_within(
    field: &str,
    given: Option<Json>,
    bytes_max: usize,
) -> Result<Option<Json>, Problem> {
    let given = given.filter(|json| !json.is_null());
    match given {
        Some(json) if json.bytes() > bytes_max => {
            Err(Problem::field(field, &format!("must have at most {bytes_max} bytes")))
        }
        given => Ok(given),
    }
}

/// What whoever decides has to know.
pub(crate) fn details_json(field: &str, given: Option<Json>) -> Result<Option<Json>, Problem> {
    json_within(field, given, WAIT_DETAILS_BYTES_MAX)
}

/// What the task's next claim begins with.
pub(crate) fn checkpoint_json(given: Option<Json>) -> Result<Option<Json>, Problem> {
    json_within("checkpoint", given, CHECKPOINT_BYTES_MAX)
}

/// `POST /tasks/{id}/wait`, with what it keeps as it is.
pub(crate) type BeginBody = WaitBody<Json>;

/// `POST /tasks/{id}/wait`
pub(crate) async fn begin<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let task_id: TaskId = cx.id("id", "task_id")?;
    let mut body: BeginBody = object(cx.request)?;
    let asked = Asked::read(&mut body)?;
    let details = details_json("details", body.details.take())?;
    let mut invalid = Invalid::new();
    let usage = Report::read_all(body.usage.take(), &mut invalid);
    invalid.finish(())?;
    let checkpoint = checkpoint_json(body.checkpoint.take())?;
    let wait_id: WaitId = made_id("wait", cx.once.as_ref(), false);
    let token = token(body.token.take())?;
    if !usage.is_empty() {
        report(cx, &task_id, &token, &usage).await?;
    }
    let call = BeginWait {
        task_id: &task_id,
        writer: cx.caller.writer(),
        token: &token,
        wait_id: &wait_id,
        wait: WaitSpec::of(&asked, details.as_ref()),
        checkpoint: checkpoint.as_ref(),
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let started = WaitStarted {
        success: true,
        task_id: task_id.clone(),
        wait_id: wait_id.clone(),
        ..WaitStarted::default()
    };
    let answer = written(answered.value, &task_id).and_then(|begun| match begun {
        Begun::Ok { expires_at } => {
            Ok(WaitStarted { status: TaskStatus::Waiting.into(), expires_at, ..started })
        }
        Begun::Ready { resume } => Ok(WaitStarted {
            status: TaskStatus::Running.into(),
            ready: true,
            resume: Some(resume),
            ..started
        }),
        Begun::Unknown { what } => Err(Problem::new(Code::Conflict, unknown_followed(&what))),
    });
    mark_replayed(answer.map(|started| Response::json(&started)), answered.replayed)
}

/// Counts what a task has used before it waits: a script of its own, since one that does both would be larger
/// than a script may be. A repeat counts nothing twice.
async fn report<R: Redis>(
    cx: &Context<'_, R>,
    task_id: &TaskId,
    token: &Token,
    usage: &[Report],
) -> Result<(), Problem> {
    let call = Progress {
        task_id,
        writer: cx.caller.writer(),
        token,
        progress: None,
        lease_ms: None,
        usage: &usage_json(usage),
        checkpoint: None,
    };
    // What a repeat that comes after the wait hears, the wait itself says better.
    cx.store.call(&call).await?;
    Ok(())
}

/// `POST /tasks/{id}/signal`
pub(crate) async fn signal<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let task_id: TaskId = cx.id("id", "task_id")?;
    let body: SignalBody<Json> = object(cx.request)?;
    let name = body.name.unwrap_or_default();
    let mut invalid = Invalid::new();
    check_signal_name(&mut invalid, "name", &name);
    invalid.finish(())?;
    let payload = json_within("payload", body.payload, SIGNAL_BYTES_MAX)?;
    let call = SendSignal {
        task_id: &task_id,
        writer: cx.caller.writer(),
        name: &name,
        payload: payload.as_ref(),
        bytes_max: cx.quotas().map(|quotas| quotas.task_bytes),
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = written(answered.value, &task_id).and_then(|signalled| match signalled {
        Signalled::Ok { queued } => {
            Ok(Response::json(&SignalAnswer { success: true, task_id: task_id.clone(), queued }))
        }
        Signalled::SignalsFull => {
            let detail = format!("The task {task_id} has not taken 100 signals; try again later.");
            Err(Problem::new(Code::SignalsFull, detail))
        }
    });
    mark_replayed(answer, answered.replayed)
}

/// `POST /tasks/{id}/signals/take`
pub(crate) async fn take_signals<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let task_id: TaskId = cx.id("id", "task_id")?;
    let body: TakeSignalsBody = object(cx.request)?;
    let name = body.name.unwrap_or_default();
    let call = TakeSignals {
        task_id: &task_id,
        writer: cx.caller.writer(),
        token: &token(body.token)?,
        name: &name,
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = written(answered.value, &task_id);
    let answer = answer.map(|signals| Response::json(&SignalList { signals }));
    mark_replayed(answer, answered.replayed)
}

/// `GET /waits`: those that are open; with `task_id` all that are kept of that task.
pub(crate) async fn list<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let query = cx.query();
    let text = |name: &str| query.get(name).unwrap_or_default();
    let writer = cx.caller.writer();
    let (kind, assignee, task_id) = (text("kind"), text("assignee"), text("task_id"));
    if !kind.is_empty() && WaitKind::parse(kind).is_none() {
        let rule = format!("must be one of {}", WaitKind::names().join(", "));
        return Err(Problem::parameter("kind", &rule));
    }
    if !task_id.is_empty() {
        if !id::is_valid(task_id) {
            return Err(Problem::parameter("task_id", id::RULE));
        }
        let task_id = TaskId::from(task_id);
        let waits = cx.store.call(&OfTask { task_id: &task_id, writer }).await?;
        let mut waits = waits.ok_or_else(|| unknown_task(&task_id))?;
        waits.retain(|wait| kind.is_empty() || wait.kind.as_str() == kind);
        return Ok(Response::json(&waits));
    }
    let mut steps = page::steps(&query, PAGE_DEFAULT)?;
    while let Some(Step { limit, from: below, filled }) = steps.step() {
        steps.add(cx.store.call(&List { writer, kind, assignee, limit, below, filled }).await?);
    }
    Ok(page::answer(cx.request, &steps))
}

/// `GET /waits/{wid}`. `wait_ms` is the host's: it asks again once somebody has answered.
pub(crate) async fn show<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let wait_id: WaitId = cx.id("wid", "wait_id")?;
    check_wait_ms(&cx.query())?;
    let call = Get { wait_id: &wait_id, writer: cx.caller.writer() };
    let wait = cx.store.call(&call).await?.ok_or_else(|| unknown_wait(&wait_id))?;
    let is_open = wait.state == WaitState::Open;
    Ok(Response::json(&wait).pending(is_open))
}

/// `POST /waits/{wid}/answer`, with what it keeps as it is.
pub(crate) type AnswerBody = WaitAnswerBody<Json>;

/// `POST /waits/{wid}/answer`
pub(crate) async fn answer<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let wait_id: WaitId = cx.id("wid", "wait_id")?;
    let body: AnswerBody = object(cx.request)?;
    let (decision, comment) = (body.decision.unwrap_or_default(), body.comment.unwrap_or_default());
    let mut invalid = Invalid::new();
    invalid.require(!decision.is_empty(), "decision", "is required: one of the options");
    invalid.at_most_chars("comment", &comment, COMMENT_CHARS_MAX);
    invalid.finish(())?;
    let value = details_json("value", body.value)?;
    let call = AnswerWait {
        wait_id: &wait_id,
        writer: cx.caller.writer(),
        by: cx.caller.name(),
        decision: &decision,
        value: value.as_ref(),
        comment: &comment,
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let conflict = |detail: String| Err(Problem::new(Code::Conflict, detail));
    let answer = match answered.value {
        Answering::Ok { wait } => Ok(Response::json(&wait)),
        Answering::NotFound => Err(unknown_wait(&wait_id)),
        Answering::Forbidden => Err(Problem::foreign("wait")),
        Answering::Own => Err(Problem::new(
            Code::Forbidden,
            "Somebody else has to answer: this wait is asked for by one of your own nodes.",
        )),
        Answering::Option { options } => {
            Err(Problem::field("decision", &format!("must be one of {options}")))
        }
        Answering::Kind { kind } => {
            let what = "only waits for an approval are answered";
            conflict(format!("The wait {wait_id} is for a {kind}: {what}."))
        }
        Answering::Ended { state, decision } if decision.is_empty() => {
            conflict(format!("The wait {wait_id} is {state}."))
        }
        Answering::Ended { decision, .. } => conflict(format!("It has been decided: {decision}.")),
        Answering::Answered { decision } => {
            conflict(format!("You have answered it already: {decision}."))
        }
    };
    mark_replayed(answer, answered.replayed)
}
