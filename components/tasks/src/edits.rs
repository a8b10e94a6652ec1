//! Editing tasks that wait.

use reef_api::task::{SubmittedTask, TaskEditBody};
use reef_domain::Invalid;
use reef_domain::edit::{apply, submission_of};
use reef_domain::json::Json;
use reef_domain::limits::BODY_BYTES_MAX;
use reef_store::Redis;
use reef_store::task::{Edit, Edited, Found, Get, GivenTask, preferring_max};
use reef_web::extract::{json_object, object, refuse_read_only};
use reef_web::route::{Answer, mark_replayed};
use reef_web::task::{READ_ONLY, too_many_classes};
use reef_web::{Code, Context, Problem, Response};

use crate::owners::unknown_task;

/// `PATCH /tasks/{id}`, with what it keeps as it is.
pub(crate) type EditBody = TaskEditBody<Json>;

/// How often an edit is made anew, where others edit the same task meanwhile.
const ATTEMPTS: usize = 5;

/// `PATCH /tasks/{id}`. The task as it would be submitted now is made of what it is; the script changes
/// it only if that is what it still is.
pub(crate) async fn edit<R: Redis>(cx: &Context<'_, R>) -> Answer {
    refuse_read_only(cx.request, &READ_ONLY)?;
    let task_id = cx.id("id", "task_id")?;
    let body: EditBody = object(cx.request)?;
    let if_status = body.if_status.clone().unwrap_or_default();
    let waits = ["", "pending", "scheduled", "waiting"].contains(&if_status.as_str());
    if !waits {
        return Err(Problem::field("if_status", "must be pending, scheduled or waiting"));
    }
    for _ in 0..ATTEMPTS {
        let Some(found) = cx.store.call(&Get { task_id: &task_id }).await? else {
            return Err(unknown_task(&task_id));
        };
        if let Some(answer) = try_edit(cx, body.clone(), &if_status, found).await? {
            return answer;
        }
    }
    let detail = format!("The task {task_id} is edited by others; try again.");
    Err(Problem::new(Code::Conflict, detail))
}

/// Edits a task as it was found; `None` where it is not that any more.
async fn try_edit<R: Redis>(
    cx: &Context<'_, R>,
    mut body: EditBody,
    if_status: &str,
    found: Found,
) -> Result<Option<Answer>, Problem> {
    let Found { owner, version, task, .. } = found;
    let mut submission = submission_of(&task)?;
    let mut invalid = Invalid::new();
    let fields = apply(&mut body, &mut submission, &mut invalid);
    invalid.finish(())?;
    let kept = |name: &str, given: Option<Json>, is: &serde_json::value::RawValue| match given {
        Some(given) => json_object(name, Some(given), BODY_BYTES_MAX),
        None => Json::of(&is).map_err(|fault| Problem::field(name, &fault.to_string())),
    };
    let parameters = kept("parameters", body.parameters.take(), &task.parameters)?;
    let metadata = kept("metadata", body.metadata.take(), &task.metadata)?;
    let task_id = &task.task_id;
    let given = GivenTask {
        task_id,
        submission: &submission,
        parameters: &parameters,
        metadata: &metadata,
        owner: &owner,
        approval: None,
        follows_group: false,
        charge: task.charge.as_ref(),
    };
    let quotas = cx.quotas();
    let fields = serde_json::json!(fields).to_string();
    let call = Edit {
        writer: cx.caller.writer(),
        version: &version,
        if_status,
        delay_ms: body.delay_ms,
        preferring_max: preferring_max(quotas),
        bytes_max: quotas.map(|quotas| quotas.task_bytes),
        classes_max: quotas.map(|quotas| quotas.classes),
        fields: &fields,
        becomes: std::slice::from_ref(&given),
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let conflict = |detail: String| Err(Problem::new(Code::Conflict, detail));
    let answer = match answered.value {
        Edited::Ok { routable, task } => {
            Ok(Response::json(&SubmittedTask { task: *task, routable, deduplicated: false }))
        }
        Edited::NotFound => Err(unknown_task(task_id)),
        Edited::Forbidden => Err(Problem::foreign("task")),
        Edited::State(status) => conflict(format!("The task {task_id} is {status}: {RULE}")),
        Edited::TooManyClasses => conflict(too_many_classes()),
        Edited::Changed => return Ok(None),
    };
    Ok(Some(mark_replayed(answer, answered.replayed)))
}

const RULE: &str = "only one that is pending, scheduled or waiting can be edited, in the status that \
                    if_status names, and one that is waiting takes no delay_ms.";
