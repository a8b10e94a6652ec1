//! Tasks of a conversation: each has an assistant message that shows how it goes.

use reef_api::task::{SessionTaskAnswer, SessionTaskBody, TaskStatus};
use reef_api::{MessageId, SessionId, TaskId};
use reef_domain::json::Json;
use reef_domain::limits::TASK_NAME_CHARS_MAX;
use reef_domain::task::{
    Audience, PRIORITY_DEFAULT, Submission, TIMEOUT_DEFAULT, Wants, check_workflow, some_node,
};
use reef_domain::{Invalid, name};
use reef_store::Redis;
use reef_store::session::Written as SessionWritten;
use reef_store::task::{Discard, Get, GivenTask, Place, Placed, Queue, Submit, Submitted, place};
use reef_web::extract::{object, refuse_read_only};
use reef_web::once::made_id;
use reef_web::route::{Answer, mark_replayed};
use reef_web::task::{READ_ONLY, not_submitted};
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
        invalid.finish(())?;
        let parameters = json!({
            "workflow": workflow,
            "task_description": description,
            "max_iterations": max_iterations,
        });
        let parameters =
            Json::of(&parameters).map_err(|fault| Problem::internal(fault.to_string()))?;
        Ok(Self { workflow, submission, parameters })
    }
}

/// `POST /sessions/{sid}/tasks`: a draft of the task, then its message, then the draft is put into
/// the queue. Each step can be repeated; what a crash leaves half done, the monitor goes on with.
pub(crate) async fn submit<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let session_id = cx.id("sid", "session_id")?;
    refuse_read_only(cx.request, &READ_ONLY)?;
    // Here the hub makes the id, too.
    refuse_read_only(cx.request, &["task_id", "stream_url"])?;
    let Asked { workflow, mut submission, parameters } = Asked::read(object(cx.request)?)?;
    let task_id = made_id("task", cx.once.as_ref(), false);
    let message_id = made_id("msg", cx.once.as_ref(), true);
    // Only so that a session that does not take it leaves no trace; the session decides below.
    let get = reef_store::session::Get { session_id: &session_id, bytes_max: None };
    let session = cx.store.call(&get).await?.found();
    let session = session.ok_or_else(|| unknown_session(&session_id))?;
    if !cx.caller.may_see(&[&session.owner]) {
        return Err(Problem::foreign("session"));
    }
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
    };
    let shown_in = Some((&session_id, &message_id));
    let draft = Submit { task, shown_in, quotas: cx.quotas() };
    let answered = cx.store.call_once(&draft, cx.once.as_ref()).await?;
    if !matches!(answered.value, Submitted::Ok { task: None, .. }) {
        let problem = not_submitted(&answered.value, &task_id);
        return mark_replayed(Err(problem), answered.replayed);
    }
    let accepted =
        || mark_replayed(Ok(answer(&task_id, &message_id, &session_id)), answered.replayed);
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
    if cx.store.call(&Queue { task_id: &task_id, hand_over }).await?.is_none() {
        let detail = "This request was refused before; send it with another Idempotency-Key.";
        return Err(Problem::new(Code::Conflict, detail));
    }
    accepted()
}

fn answer(task_id: &TaskId, message_id: &MessageId, session_id: &SessionId) -> Response {
    Response::json(&SessionTaskAnswer {
        task_id: task_id.clone(),
        message_id: message_id.clone(),
        session_id: session_id.clone(),
        status: TaskStatus::Pending.into(),
        stream_url: format!("/api/v1/sessions/{session_id}/messages/{message_id}/stream"),
    })
}
