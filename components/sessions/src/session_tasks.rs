//! Tasks of a conversation: each has an assistant message that shows how it goes.

use reef_api::session::{IfBusy, SessionStatus};
use reef_api::task::{SessionTaskAnswer, SessionTaskBody, TaskStatus};
use reef_api::{MessageId, Open, SessionId, TaskId};
use reef_domain::json::Json;
use reef_domain::limits::TASK_NAME_CHARS_MAX;
use reef_domain::task::{
    Audience, PRIORITY_DEFAULT, Submission, TIMEOUT_DEFAULT, Wants, check_workflow, read_if_busy,
    some_node,
};
use reef_domain::{Invalid, name};
use reef_store::Redis;
use reef_store::session::Written as SessionWritten;
use reef_store::task::{
    Discard, Draft, Drafted, Get, GivenTask, Place, Placed, Queue, place, release, settle_end,
};
use reef_web::extract::{object, refuse_read_only};
use reef_web::once::made_id;
use reef_web::route::{Answer, mark_replayed};
use reef_web::task::{READ_ONLY, exhausted, too_many_classes};
use reef_web::{Code, Context, Problem, Response};
use serde_json::json;

use crate::conversations::unknown_session;

/// Most iterations where the caller names none (`contract.md` §5).
const ITERATIONS_DEFAULT: i64 = 3;

/// What is asked for, checked.
struct Asked {
    workflow: String,
    submission: Submission,
    parameters: Json,
    if_busy: Option<IfBusy>,
}

impl Asked {
    fn read(body: SessionTaskBody) -> Result<Self, Problem> {
        let description = body.task_description.unwrap_or_default();
        let workflow = body.workflow.unwrap_or_else(|| "simple".to_owned());
        let max_iterations = body.max_iterations.unwrap_or(ITERATIONS_DEFAULT);
        let mut required_skills = body.required_skills.unwrap_or_default();
        if !required_skills.contains(&workflow) {
            required_skills.push(workflow.clone());
        }
        let submission = Submission {
            name: name::of_text(&description, TASK_NAME_CHARS_MAX),
            task_type: "interactive".to_owned(),
            description: description.clone(),
            wants: Wants {
                required_skills,
                audience: body.audience.map(|it| Audience::read(&it)).transpose()?,
                target_node: some_node(body.target_node),
                ..Wants::default()
            },
            priority: body.priority.unwrap_or(PRIORITY_DEFAULT),
            timeout: body.timeout.unwrap_or(TIMEOUT_DEFAULT),
            ..Submission::default()
        };
        let mut invalid = Invalid::new();
        let is_there = !submission.name.is_empty();
        invalid.require(is_there, "task_description", "is required and must not be blank");
        check_workflow(&mut invalid, &workflow, max_iterations);
        let named = Submission { name: "task".to_owned(), ..submission.clone() };
        named.check(&mut invalid);
        let if_busy = read_if_busy(body.if_busy, &mut invalid);
        invalid.finish(())?;
        let parameters = json!({
            "workflow": workflow,
            "task_description": description,
            "max_iterations": max_iterations,
        });
        let parameters =
            Json::of(&parameters).map_err(|fault| Problem::internal(fault.to_string()))?;
        Ok(Self { workflow, submission, parameters, if_busy })
    }
}

/// `POST /sessions/{sid}/tasks`: a draft of the task, then its message, then the draft is put into
/// the queue. Each step can be repeated; what a crash leaves half done, the monitor goes on with.
pub(crate) async fn submit<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let session_id = cx.id("sid", "session_id")?;
    refuse_read_only(cx.request, &READ_ONLY)?;
    // Here the hub makes the id, too.
    refuse_read_only(cx.request, &["task_id", "stream_url"])?;
    let Asked { workflow, mut submission, parameters, if_busy } = Asked::read(object(cx.request)?)?;
    let task_id = made_id("task", cx.once.as_ref(), false);
    let message_id = made_id("msg", cx.once.as_ref(), true);
    // Only so that a session that does not take it leaves no trace; the session decides below.
    let get = reef_store::session::Get { session_id: &session_id, bytes_max: None };
    let session = cx.store.call(&get).await?.found();
    let session = session.ok_or_else(|| unknown_session(&session_id))?;
    if !cx.caller.may_see(&[&session.owner]) {
        return Err(Problem::foreign("session"));
    }
    // What is closed takes none, and so nothing ends for it.
    let is_open = session.value.status == SessionStatus::Active;
    let of_session = || session.value.if_busy.as_ref().and_then(Open::known);
    let if_busy = if_busy.or_else(of_session).filter(|_| is_open).unwrap_or(IfBusy::Parallel);
    if submission.wants.audience.is_none() {
        // Agents, since the session's owner need not be who submits.
        let of_session = session.value.audience.map(|audience| match audience {
            Audience::Owner => Audience::Agents(vec![session.owner]),
            other => other,
        });
        let default = &cx.config.settings.task_audience;
        submission.wants.audience = Some(of_session.unwrap_or_else(|| default.clone()));
    }

    let task = GivenTask {
        task_id: &task_id,
        submission: &submission,
        parameters: &parameters,
        metadata: &Json::empty_object(),
        owner: cx.caller.name(),
        approval: None,
        follows_group: false,
        charge: None,
    };
    let quotas = cx.quotas();
    let draft = Draft { task, session_id: &session_id, message_id: &message_id, if_busy, quotas };
    let answered = cx.store.call_once(&draft, cx.once.as_ref()).await?;
    let (status, interrupted) = match answered.value {
        Drafted::Ok { waits: true, interrupted } => (TaskStatus::Waiting, interrupted),
        Drafted::Ok { waits: false, interrupted } => (TaskStatus::Pending, interrupted),
        refused => return mark_replayed(Err(not_drafted(&refused, &task_id)), answered.replayed),
    };
    let accepted =
        || mark_replayed(Ok(answer(&task_id, &message_id, &session_id, status)), answered.replayed);
    if !answered.replayed {
        tell_of_end(cx, &interrupted).await;
    }
    // A repeat of what was accepted gets that answer, whatever became of the session since.
    if answered.replayed && cx.store.call(&Get { task_id: &task_id }).await?.is_some() {
        return accepted();
    }
    let place_of_it = Place {
        task_id: &task_id,
        workflow: &workflow,
        session_id: &session_id,
        message_id: &message_id,
        writer: cx.caller.writer(),
        ttl_ms: cx.config.settings.message_ttl_ms,
    };
    let refused = match place(cx.store, &place_of_it).await? {
        Placed::Ok => None,
        Placed::Refused(SessionWritten::Forbidden) => Some(Problem::foreign("session")),
        Placed::Refused(SessionWritten::Closed) => {
            let detail = format!("The session {session_id} is closed.");
            Some(Problem::new(Code::Conflict, detail))
        }
        Placed::Refused(_) => Some(unknown_session(&session_id)),
        Placed::Taken => {
            Some(Problem::new(Code::Conflict, "The message id is in use in another session."))
        }
    };
    if let Some(problem) = refused {
        cx.store.call(&Discard { task_id: &task_id }).await?;
        return Err(problem);
    }
    let hand_over = cx.config.settings.legacy_task_queue;
    match cx.store.call(&Queue { task_id: &task_id, hand_over }).await? {
        None => {
            let detail = "This request was refused before; send it with another Idempotency-Key.";
            return Err(Problem::new(Code::Conflict, detail));
        }
        // Another has taken its place meanwhile.
        Some(queued) if Open::<TaskStatus>::read(queued.as_str()).is_end() => {
            tell_of_end(cx, std::slice::from_ref(&task_id)).await;
        }
        Some(_) => {}
    }
    accepted()
}

/// Tells the messages of tasks that were interrupted, and those that follow them. They have ended whatever
/// happens here; what fails, the monitor repeats.
async fn tell_of_end<R: Redis>(cx: &Context<'_, R>, interrupted: &[TaskId]) {
    for task_id in interrupted {
        let ttl_ms = cx.config.settings.message_ttl_ms;
        if let Err(error) = settle_end(cx.store, task_id, ttl_ms).await {
            eprintln!("task={task_id} its message could not be told of its end: {error}");
        }
    }
    if !interrupted.is_empty()
        && let Err(error) = release(cx.store).await
    {
        eprintln!("those that follow what has ended could not be told: {error}");
    }
}

fn not_drafted(refused: &Drafted, task_id: &TaskId) -> Problem {
    let detail = match refused {
        Drafted::Exhausted { what } => return exhausted(what),
        Drafted::TooManyClasses => too_many_classes(),
        Drafted::Busy(other) => format!("The task {other} of this session is unfinished."),
        Drafted::Crowded(most) => {
            format!("More than {most} tasks of this session are unfinished; cancel some first.")
        }
        Drafted::Exists | Drafted::Ok { .. } => format!("The task id {task_id} is in use."),
    };
    Problem::new(Code::Conflict, detail)
}

fn answer(
    task_id: &TaskId,
    message_id: &MessageId,
    session_id: &SessionId,
    status: TaskStatus,
) -> Response {
    Response::json(&SessionTaskAnswer {
        task_id: task_id.clone(),
        message_id: message_id.clone(),
        session_id: session_id.clone(),
        status: status.into(),
        stream_url: format!("/api/v1/sessions/{session_id}/messages/{message_id}/stream"),
    })
}
