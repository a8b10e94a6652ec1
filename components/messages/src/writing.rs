//! Writing to one message: text, content blocks, tasks, the end.

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
use reef_web::extract::{lax_float, lax_int, object, optional_object};
use reef_web::once::made_id;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response};
use serde::{Deserialize, Serialize};
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

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct AppendBody {
    /// The text to append.
    delta: Option<String>,
    /// Numbers that make a repeat harmless.
    producer: Option<ProducerBody>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct ProducerBody {
    /// Who appends.
    id: Option<String>,
    /// Grows whenever the producer begins anew.
    #[serde(default, deserialize_with = "lax_int")]
    epoch: Option<i64>,
    /// 0, 1, 2, … in each epoch.
    #[serde(default, deserialize_with = "lax_int")]
    seq: Option<i64>,
}

impl ProducerBody {
    /// Id, epoch, seq.
    fn check(self) -> Result<(String, i64, i64), Invalid> {
        let mut invalid = Invalid::new();
        let producer = self.id.unwrap_or_default();
        invalid.require(id::is_valid(&producer), "producer.id", id::RULE);
        let mut number = |value: Option<i64>, field: &str| {
            invalid.require(value.is_some(), field, "is required");
            invalid.within(field, value, &(0..=COUNTER_MAX));
            value.unwrap_or_default()
        };
        let epoch = number(self.epoch, "producer.epoch");
        let seq = number(self.seq, "producer.seq");
        invalid.finish((producer, epoch, seq))
    }
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct AppendAnswer {
    sequence: i64,
    length: i64,
}

/// `POST /messages/{mid}/append`
pub(crate) async fn append<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let message_id = cx.id("mid", "message_id")?;
    let body: AppendBody = object(cx.request)?;
    let delta = body.delta.ok_or_else(|| Problem::field("delta", "is required"))?;
    let producer = body.producer.map(ProducerBody::check).transpose()?;
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

fn added(outcome: Written<Added>, message_id: &str, what: &str) -> Result<i64, Problem> {
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
fn own_id(body: &Map<String, Value>, name: &str) -> Result<Option<String>, Problem> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if id::is_valid(text) => Ok(Some(text.clone())),
        Some(_) => Err(Problem::field(name, id::RULE)),
    }
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct AddBlockAnswer<'a> {
    content_id: &'a str,
    sequence: i64,
}

/// `POST /messages/{mid}/content`
pub(crate) async fn add_block<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let message_id = cx.id("mid", "message_id")?;
    let mut body = object::<Members>(cx.request)?.into_map();
    let block = Block::read(&mut body)?.render();
    let own = own_id(&body, "content_id")?;
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
        .map(|sequence| Response::json(&AddBlockAnswer { content_id: &content_id, sequence }));
    mark_replayed(answer, answered.replayed)
}

#[derive(Serialize)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(rename = "MessageTaskStarted")
)]
pub(crate) struct StartTaskAnswer<'a> {
    task_id: &'a str,
    content_id: &'a str,
    status: &'static str,
    sequence: i64,
}

/// `POST /messages/{mid}/tasks`
pub(crate) async fn start_task<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let message_id = cx.id("mid", "message_id")?;
    let mut body = object::<Members>(cx.request)?.into_map();
    let task_id = match own_id(&body, "task_id")? {
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
        Response::json(&StartTaskAnswer {
            task_id: &task_id,
            content_id: &content_id,
            status: "processing",
            sequence,
        })
    });
    mark_replayed(answer, answered.replayed)
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "MessageTaskBody"))]
pub(crate) struct UpdateTaskBody {
    /// How it goes.
    status: Option<String>,
    /// How much is done, 0–1.
    #[serde(default, deserialize_with = "lax_float")]
    progress: Option<f64>,
    /// The result, a content block, for `completed`.
    content: Option<Members>,
    /// What went wrong, for `failed`.
    error: Option<String>,
}

impl UpdateTaskBody {
    fn check(self, task_id: &str) -> Result<TaskChange, Invalid> {
        let mut invalid = Invalid::new();
        invalid.within("progress", self.progress, &(0.0..=1.0));
        let change = match self.status.as_deref() {
            Some("processing") => TaskChange::Processing { progress: self.progress },
            Some("failed") => TaskChange::Failed { error: self.error.unwrap_or_default() },
            Some("completed") => {
                let result =
                    self.content.map(|content| Block::read(&mut content.into_map())).transpose();
                match result {
                    Ok(result) => TaskChange::Completed {
                        result: result.map(|block| {
                            Block { task_id: Some(task_id.to_owned()), ..block }.render()
                        }),
                    },
                    Err(more) => {
                        for error in more.errors() {
                            invalid.push(format!("content.{}", error.field), &error.message);
                        }
                        TaskChange::Completed { result: None }
                    }
                }
            }
            _ => {
                invalid.push("status", "must be one of processing, completed, failed");
                TaskChange::Processing { progress: None }
            }
        };
        invalid.finish(change)
    }
}

#[derive(Serialize)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(rename = "MessageTaskAnswer")
)]
pub(crate) struct UpdateTaskAnswer<'a> {
    task_id: &'a str,
    status: String,
    progress: f64,
    sequence: i64,
}

/// `PATCH /messages/{mid}/tasks/{tid}`
pub(crate) async fn update_task<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let message_id = cx.id("mid", "message_id")?;
    let task_id = cx.id("tid", "task_id")?;
    let change = object::<UpdateTaskBody>(cx.request)?.check(&task_id)?;
    let ttl_ms = cx.config.settings.message_ttl_ms;
    let call = change.call(&message_id, author(cx)?, &task_id, ttl_ms);
    match written(cx.store.call(&call).await?, &message_id)? {
        TaskUpdated::Ok { sequence, status, progress } => {
            let task_id = task_id.as_str();
            Ok(Response::json(&UpdateTaskAnswer { task_id, status, progress, sequence }))
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

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(rename = "MessageCompleteBody")
)]
pub(crate) struct CompleteBody {
    /// What went wrong, if the message ends badly.
    error: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(rename = "MessageCompleteAnswer")
)]
pub(crate) struct CompleteAnswer<'a> {
    message_id: &'a str,
    is_complete: bool,
    sequence: i64,
}

/// `POST /messages/{mid}/complete`
pub(crate) async fn complete<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let message_id = cx.id("mid", "message_id")?;
    let body: CompleteBody = optional_object(cx.request)?;
    let call = Complete {
        message_id: &message_id,
        author: author(cx)?,
        error: Reason(body.error.as_deref()),
        ttl_ms: cx.config.settings.message_ttl_ms,
        ends_claim: false,
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = written(answered.value, &message_id).map(|sequence| {
        Response::json(&CompleteAnswer { message_id: &message_id, is_complete: true, sequence })
    });
    mark_replayed(answer, answered.replayed)
}
