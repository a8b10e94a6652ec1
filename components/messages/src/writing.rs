//! Writing to one message: text, content blocks, tasks, the end.

use reef_api::message::{
    AddBlockAnswer, AppendAnswer, AppendBody, MessageCompleteAnswer, MessageCompleteBody,
    MessageTaskAnswer, MessageTaskBody, MessageTaskStarted, MessageTaskStatus, ProducerBody,
};
use reef_api::{ContentId, MessageId, Open, TaskId};
use reef_domain::json::{Json, Members};
use reef_domain::limits::COUNTER_MAX;
use reef_domain::message::{Block, ContentType};
use reef_domain::{Invalid, id, name};
use reef_store::Redis;
use reef_store::message::{
    AddBlock, Added, Append, Appended, Author, Complete, Reason, StartTask, TaskChange,
    TaskUpdated, Written,
};
use reef_store::task::{Get, HandOver};
use reef_web::extract::{object, optional_object};
use reef_web::once::made_id;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response};
use serde_json::{Map, Value};

use crate::conversation::unknown_message;

/// The value of a write to a message, or why there is none.
fn written<T>(outcome: Written<T>, message_id: &str) -> Result<T, Problem> {
    match outcome {
        Written::Ok(value) => Ok(value),
        Written::NotFound => Err(unknown_message(message_id)),
        Written::Forbidden => Err(Problem::foreign("message")),
        Written::Complete => {
            let detail = format!("The message {message_id} is complete.");
            Err(Problem::new(Code::Conflict, detail))
        }
        Written::NeedsToken => Err(Problem::new(
            Code::Forbidden,
            "Whoever runs a session's task writes to its message under the claim's token: send it as \
             X-Claim-Token.",
        )),
        Written::ClaimOver => Err(Problem::new(
            Code::Fenced,
            format!("The claim under which the message {message_id} was to be written is over."),
        )),
    }
}

/// Who writes: the caller, and the token of the claim under which it does, if it brings one.
fn author<'a, R>(cx: &'a Context<'_, R>) -> Result<Author<'a>, Problem> {
    Ok(Author { writer: cx.caller.writer(), token: cx.claim_token()? })
}

/// Id, epoch, seq.
fn numbers(producer: ProducerBody) -> Result<(String, i64, i64), Invalid> {
    let mut invalid = Invalid::new();
    let id = producer.id.unwrap_or_default();
    invalid.require(id::is_valid(&id), "producer.id", id::RULE);
    let mut number = |value: Option<i64>, field: &str| {
        invalid.require(value.is_some(), field, "is required");
        invalid.within(field, value, &(0..=COUNTER_MAX));
        value.unwrap_or_default()
    };
    let epoch = number(producer.epoch, "producer.epoch");
    let seq = number(producer.seq, "producer.seq");
    invalid.finish((id, epoch, seq))
}

/// `POST /messages/{mid}/append`
pub(crate) async fn append<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let message_id = cx.id("mid", "message_id")?;
    let body: AppendBody = object(cx.request)?;
    let delta = body.delta.ok_or_else(|| Problem::field("delta", "is required"))?;
    let producer = body.producer.map(numbers).transpose()?;
    let (producer, epoch, seq) = producer.unwrap_or_default();
    let call = Append {
        message_id: &message_id,
        author: author(cx)?,
        delta: &delta,
        producer: &producer,
        epoch,
        seq,
        ttl_ms: cx.config.settings.message_ttl_ms,
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = written(answered.value, &message_id).and_then(|appended| match appended {
        Appended::Ok { sequence, length } => Ok(Response::json(&AppendAnswer { sequence, length })),
        Appended::Gap { expected } => {
            let detail = format!("The producer must go on with seq {expected}.");
            let mut problem = Problem::new(Code::Conflict, detail);
            problem.members.push(("expected", Value::from(expected)));
            Err(problem)
        }
        Appended::Fenced { epoch } => Err(Problem::new(
            Code::Fenced,
            format!("The producer has begun epoch {epoch} in the meantime."),
        )),
        Appended::TooLong => Err(Problem::new(
            Code::PayloadTooLarge,
            "The text of a message must not be longer than 8 MiB, or 10 MiB as JSON.",
        )),
        Appended::TooManyProducers => {
            Err(Problem::new(Code::Conflict, "The message has 100 producers already."))
        }
    });
    mark_replayed(answer, answered.replayed)
}

fn added(outcome: Written<Added>, message_id: &MessageId, what: &str) -> Result<i64, Problem> {
    match written(outcome, message_id)? {
        Added::Ok { sequence } => Ok(sequence),
        Added::Exists => {
            Err(Problem::new(Code::Conflict, format!("The id of this {what} is in use.")))
        }
        Added::TooManyBlocks => {
            Err(Problem::new(Code::Conflict, "The message has 1000 content blocks already."))
        }
    }
}

/// The member `name` of a body as an id; none if it is not there or empty.
fn own_id<Id: From<String>>(body: &Map<String, Value>, name: &str) -> Result<Option<Id>, Problem> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if id::is_valid(text) => Ok(Some(text.clone().into())),
        Some(_) => Err(Problem::field(name, id::RULE)),
    }
}

/// `POST /messages/{mid}/content`
pub(crate) async fn add_block<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let message_id = cx.id("mid", "message_id")?;
    let mut body = object::<Members>(cx.request)?.into_map();
    let block = Block::read(&mut body)?.render();
    let own: Option<ContentId> = own_id(&body, "content_id")?;
    if own.as_deref().is_some_and(id::is_made) {
        return Err(Problem::field("content_id", id::MADE_RULE));
    }
    let is_made_id = own.is_none();
    let content_id = own.unwrap_or_else(|| made_id("cnt", cx.once.as_ref(), false));
    let call = AddBlock {
        message_id: &message_id,
        author: author(cx)?,
        content_id: &content_id,
        is_made_id,
        shown: &block.shown,
        whole: block.whole.as_deref(),
        ttl_ms: cx.config.settings.message_ttl_ms,
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = added(answered.value, &message_id, "content block")
        .map(|sequence| Response::json(&AddBlockAnswer { content_id, sequence }));
    mark_replayed(answer, answered.replayed)
}

/// `POST /messages/{mid}/tasks`
pub(crate) async fn start_task<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let message_id = cx.id("mid", "message_id")?;
    let mut body = object::<Members>(cx.request)?.into_map();
    let task_id = match own_id::<TaskId>(&body, "task_id")? {
        // The hub makes such ids; a task of the queue that has one may be shown here.
        Some(own)
            if id::is_made(&own) && cx.store.call(&Get { task_id: &own }).await?.is_none() =>
        {
            return Err(Problem::field("task_id", id::MADE_RULE));
        }
        Some(own) => own,
        None => made_id("task", cx.once.as_ref(), false),
    };
    let task_type = match body.get("task_type").and_then(Value::as_str).map(str::trim) {
        Some(kind) if !(1..=128).contains(&kind.chars().count()) => {
            return Err(Problem::field("task_type", "is required: 1-128 characters"));
        }
        Some(kind) if name::is_valid(kind) => kind.to_owned(),
        Some(_) => return Err(Problem::field("task_type", name::RULE)),
        None => return Err(Problem::field("task_type", "is required: 1-128 characters")),
    };
    // What is left are the caller's parameters; these members are the task's own.
    for own in ["task_id", "task_type", "status", "progress"] {
        body.remove(own);
    }
    let parameters =
        Json::of(&body).map_err(|fault| Problem::field("parameters", &fault.to_string()))?;
    let placeholder = Block::placeholder(ContentType::of_task(&task_type), &task_id).render();
    let content_id = made_id("cnt", cx.once.as_ref(), true);
    let call = StartTask {
        message_id: &message_id,
        author: author(cx)?,
        task_id: &task_id,
        task_type: &task_type,
        parameters: parameters.get(),
        content_id: &content_id,
        placeholder: &placeholder.shown,
        ttl_ms: cx.config.settings.message_ttl_ms,
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = added(answered.value, &message_id, "task");
    if answer.is_ok() && !answered.replayed && cx.config.settings.legacy_task_queue {
        let call = HandOver { message_id: &message_id, task_id: &task_id };
        cx.store.call(&call).await?;
    }
    let answer = answer.map(|sequence| {
        let status = MessageTaskStatus::Processing.into();
        Response::json(&MessageTaskStarted { task_id, content_id, status, sequence })
    });
    mark_replayed(answer, answered.replayed)
}

/// What a body says of a task that the message shows.
fn change_of(body: MessageTaskBody<Members>, task_id: &TaskId) -> Result<TaskChange, Invalid> {
    let mut invalid = Invalid::new();
    invalid.within("progress", body.progress, &(0.0..=1.0));
    let change = match body.status.and_then(|status| status.known()) {
        Some(MessageTaskStatus::Processing) => TaskChange::Processing { progress: body.progress },
        Some(MessageTaskStatus::Failed) => {
            TaskChange::Failed { error: body.error.unwrap_or_default() }
        }
        Some(MessageTaskStatus::Completed) => {
            let read = |content: Members| Block::read(&mut content.into_map());
            let result = body.content.map(read).transpose().unwrap_or_else(|more| {
                for error in more.errors() {
                    invalid.push(format!("content.{}", error.field), &error.message);
                }
                None
            });
            let render = |block| Block { task_id: Some(task_id.to_string()), ..block }.render();
            TaskChange::Completed { result: result.map(render) }
        }
        None => {
            invalid.push("status", "must be one of processing, completed, failed");
            TaskChange::Processing { progress: None }
        }
    };
    invalid.finish(change)
}

/// `PATCH /messages/{mid}/tasks/{tid}`
pub(crate) async fn update_task<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let message_id = cx.id("mid", "message_id")?;
    let task_id = cx.id("tid", "task_id")?;
    let change = change_of(object(cx.request)?, &task_id)?;
    let ttl_ms = cx.config.settings.message_ttl_ms;
    let call = change.call(&message_id, author(cx)?, &task_id, ttl_ms);
    match written(cx.store.call(&call).await?, &message_id)? {
        TaskUpdated::Ok { sequence, status, progress } => {
            let status = Open::read(status);
            Ok(Response::json(&MessageTaskAnswer { task_id, status, progress, sequence }))
        }
        TaskUpdated::UnknownTask => {
            let detail = format!("The message {message_id} has no task {task_id}.");
            Err(Problem::new(Code::NotFound, detail))
        }
        TaskUpdated::Ended { status } => {
            let detail = format!("The task {task_id} has ended before: {status}.");
            Err(Problem::new(Code::Conflict, detail))
        }
    }
}

/// `POST /messages/{mid}/complete`
pub(crate) async fn complete<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let message_id = cx.id("mid", "message_id")?;
    let body: MessageCompleteBody = optional_object(cx.request)?;
    let call = Complete {
        message_id: &message_id,
        author: author(cx)?,
        error: Reason(body.error.as_deref()),
        ttl_ms: cx.config.settings.message_ttl_ms,
        ends_claim: false,
        superseded: false,
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = written(answered.value, &message_id).map(|sequence| {
        let message_id = message_id.as_str().into();
        Response::json(&MessageCompleteAnswer { message_id, is_complete: true, sequence })
    });
    mark_replayed(answer, answered.replayed)
}
