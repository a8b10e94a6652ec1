//! What is due regularly, and the second step of what spans a task and its message. Every function
//! can be cut anywhere and repeated.

use reef_api::ledger::{Hold, HoldStatus};
use reef_api::task::TaskStatus;
use reef_api::usage::TaskCharge;
use reef_api::{AgentId, ContentId, MessageId, Open, SessionId, TaskId, Word as _};
use reef_domain::Money;
use reef_domain::limits::{LOG_REMOVAL_STEPS, TASK_BATCH};
use reef_domain::message::{Block, ContentType, Rendered};
use serde_json::{Map, Value, json};

use super::{
    AskOutcome, Begin, ClaimsOver, ClaimsTold, Discard, Queue, Release, SettleDue, Settled,
    Unfinished,
};
use crate::hold::{self, Ended};
use crate::ledger::Moved;
use crate::message::{self, DismissRunner, Opened, Reason, StartTask, TaskChange};
use crate::node::Writer;
use crate::port::Redis;
use crate::quota::Quotas;
use crate::script::{FromReply, Malformed, Reader, Store, StoreError, rows};
use crate::session::{Admit, Written as SessionWritten};
use crate::settings::Settings;
use crate::tasklog;

/// What was due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Due {
    /// Leases that had run out.
    pub leases: i64,
    /// Delayed tasks that wait for a node now.
    pub delayed: i64,
    /// Running tasks that had no lease.
    pub without_lease: i64,
    /// Session tasks, and tasks that are paid for, that were left half done.
    pub finished: i64,
    more: bool,
}

impl FromReply for Due {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            more: reply.flag()?,
            leases: reply.int()?,
            delayed: reply.int()?,
            without_lease: reply.int()?,
            finished: 0,
        })
    }
}

/// Settles all that is due: leases, delays, half-done session tasks.
///
/// # Errors
/// [`StoreError`].
pub async fn settle_due<R: Redis>(
    store: &Store<R>,
    settings: &Settings,
) -> Result<Due, StoreError> {
    let mut all = Due::default();
    loop {
        let some = store.call(&SettleDue).await?;
        all.leases += some.leases;
        all.delayed += some.delayed;
        all.without_lease += some.without_lease;
        if !some.more {
            break;
        }
    }
    while store.call(&Release).await? {}
    tell_of_claims(store).await?;
    let unfinished = store.call(&Unfinished).await?;
    for task_id in &unfinished.drafts {
        finish_draft(store, task_id, settings).await?;
    }
    for task_id in &unfinished.ended {
        match settle_end(store, task_id, settings.message_ttl_ms).await {
            // Nobody else waits for a payment that cannot be made.
            Err(StoreError::Altered) => {
                store.call(&Settled { task_id, paid: None, later: true }).await?;
            }
            settled => settled?,
        }
    }
    let count = unfinished.drafts.len() + unfinished.ended.len();
    all.finished = i64::try_from(count).unwrap_or(i64::MAX);
    Ok(all)
}

/// Most steps of 20 in which an end tells those that follow it; the monitor goes on with the rest.
const RELEASE_STEPS: usize = 50;

/// Tells those that follow what has just ended, and its group.
///
/// # Errors
/// [`StoreError`]; the monitor goes on.
pub async fn release<R: Redis>(store: &Store<R>) -> Result<(), StoreError> {
    for _ in 0..RELEASE_STEPS {
        if !store.call(&Release).await? {
            break;
        }
    }
    Ok(())
}

/// Tells messages of claims that are over, and removes the logs of tasks that are gone.
async fn tell_of_claims<R: Redis>(store: &Store<R>) -> Result<(), StoreError> {
    for _ in 0..LOG_REMOVAL_STEPS {
        let over = store.call(&ClaimsOver).await?;
        if over.is_empty() {
            break;
        }
        for (of, number) in over.iter().filter_map(|claim| claim.split_once('/')) {
            if let Some(task_id) = of.strip_prefix('@') {
                tasklog::remove(store, &task_id.into(), number).await?;
                continue;
            }
            let message_id = &MessageId::from(of);
            store.call(&DismissRunner { message_id, token: number }).await?;
        }
        store.call(&ClaimsTold { claims: &over }).await?;
        if i64::try_from(over.len()).is_ok_and(|count| count < TASK_BATCH) {
            break;
        }
    }
    Ok(())
}

/// Tasks that were left half done.
#[derive(Debug)]
pub struct UnfinishedTasks {
    drafts: Vec<TaskId>,
    ended: Vec<TaskId>,
}

impl FromReply for UnfinishedTasks {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let drafts = reply.int()?;
        let drafts = (0..drafts).map(|_| FromReply::read(reply)).collect::<Result<_, _>>()?;
        Ok(Self { drafts, ended: FromReply::read(reply)? })
    }
}

/// What a session task's message must know of it.
#[derive(Debug)]
pub struct Outcome {
    status: Open<TaskStatus>,
    session_id: SessionId,
    message_id: MessageId,
    spec: String,
    error: String,
    result: String,
    content: String,
    superseded: bool,
    charge: Option<TaskCharge>,
    amount: Option<i64>,
    runner: String,
}

/// What a task is paid with: millionths, who pays, who is paid, the hold.
impl FromReply for Option<TaskCharge> {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let Some(text) = reply.filled()? else { return Ok(None) };
        let read = || {
            let mut parts = text.splitn(4, '/');
            let max = Money::from_micros(parts.next()?.parse().ok()?)?;
            let from = parts.next()?.into();
            let to = parts.next().filter(|to| !to.is_empty()).map(AgentId::from);
            Some(TaskCharge { max, from, to, hold_id: parts.next()?.into() })
        };
        read().map(Some).ok_or_else(|| Malformed(format!("no charge: {text:?}")))
    }
}

/// Where a session task shows itself.
#[derive(Debug)]
pub struct Place<'a> {
    /// The task.
    pub task_id: &'a TaskId,
    /// Its workflow: the task's type within the message.
    pub workflow: &'a str,
    /// The session.
    pub session_id: &'a SessionId,
    /// The message that is made for it.
    pub message_id: &'a MessageId,
    /// What the caller may write to.
    pub writer: Writer<'a>,
    /// How long a message is kept after a write, in milliseconds.
    pub ttl_ms: i64,
}

/// Whether a draft got its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// It did.
    Ok,
    /// The session does not take it.
    Refused(SessionWritten<()>),
    /// The message's id is in use.
    Taken,
}

/// Makes the message of a session task: an open assistant message with a placeholder.
///
/// # Errors
/// [`StoreError`].
pub async fn place<R: Redis>(store: &Store<R>, place: &Place<'_>) -> Result<Placed, StoreError> {
    let Place { task_id, session_id, message_id, writer, ttl_ms, .. } = *place;
    let admit = Admit { session_id, writer, message_ids: std::slice::from_ref(message_id), ttl_ms };
    let owner = match store.call(&admit).await? {
        SessionWritten::Ok(owner) => owner,
        SessionWritten::NotFound => return Ok(Placed::Refused(SessionWritten::NotFound)),
        SessionWritten::Forbidden => return Ok(Placed::Refused(SessionWritten::Forbidden)),
        SessionWritten::Closed => return Ok(Placed::Refused(SessionWritten::Closed)),
    };
    let open = message::Open {
        message_id,
        session_id,
        role: "assistant",
        parent: None,
        metadata: &json!({ "task_id": task_id, "workflow": place.workflow }).to_string(),
        owner: &owner,
        is_complete: false,
        text: "",
        ttl_ms,
    };
    if matches!(store.call(&open).await?, Opened::Elsewhere) {
        return Ok(Placed::Taken);
    }
    let kind = ContentType::of_task(place.workflow);
    let start = StartTask {
        message_id,
        author: Writer::Any.into(),
        task_id: task_id.as_str(),
        task_type: place.workflow,
        parameters: "{}",
        content_id: &content_id(task_id),
        placeholder: &Block::placeholder(kind, task_id.as_str()).render().shown,
        ttl_ms,
    };
    // A repeat finds the placeholder there.
    store.call(&start).await?;
    Ok(Placed::Ok)
}

/// The placeholder's id, the same however often it is made.
fn content_id(task_id: &TaskId) -> ContentId {
    let made: String =
        format!("cnt_{}", task_id.as_str().strip_prefix("task_").unwrap_or(task_id.as_str()))
            .chars()
            .take(reef_domain::limits::ID_CHARS_MAX)
            .collect();
    made.into()
}

/// Reserves what a draft is to be paid with. What is refused once is refused for good, whoever comes to
/// reserve it. A draft whose money is not there is forgotten.
///
/// # Errors
/// [`StoreError`]: the agent may also have too many holds.
pub async fn reserve<R: Redis>(
    store: &Store<R>,
    task_id: &TaskId,
    charge: &TaskCharge,
    quotas: Option<&Quotas>,
) -> Result<Moved<Hold>, StoreError> {
    let call = hold::Place {
        hold_id: &charge.hold_id,
        agent_id: &charge.from,
        amount: charge.max,
        expires_in_ms: None,
        most: quotas.map(|quotas| quotas.holds),
        task_id: Some(task_id),
    };
    let reserved = store.call(&call).await;
    let is_refused = match &reserved {
        Ok(moved) => !matches!(moved, Moved::Ok(_)),
        Err(error) => matches!(error, StoreError::Quota { .. }),
    };
    if is_refused {
        store.call(&Discard { task_id }).await?;
    }
    reserved
}

/// Completes a task that was left without its money, or forgets it where that is not there.
async fn finish_priced<R: Redis>(
    store: &Store<R>,
    task_id: &TaskId,
    charge: &TaskCharge,
    settings: &Settings,
) -> Result<(), StoreError> {
    match reserve(store, task_id, charge, Quotas::of(&charge.from, settings)).await {
        Ok(Moved::Ok(_)) => store.call(&Begin { task_id }).await.map(|_| ()),
        Ok(_) | Err(StoreError::Quota { .. } | StoreError::Altered) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Completes a session task that was left without its message, or removes it where its session does
/// not take it any more.
async fn finish_draft<R: Redis>(
    store: &Store<R>,
    task_id: &TaskId,
    settings: &Settings,
) -> Result<(), StoreError> {
    let outcome = store.call(&AskOutcome { task_id }).await?;
    let Some(outcome) = outcome.filter(|outcome| outcome.status.as_str() == "draft") else {
        return store.call(&Discard { task_id }).await;
    };
    if let Some(charge) = &outcome.charge {
        return finish_priced(store, task_id, charge, settings).await;
    }
    let spec: Value = serde_json::from_str(&outcome.spec).unwrap_or_default();
    let workflow = spec.pointer("/parameters/workflow").and_then(Value::as_str);
    let place_of_it = Place {
        task_id,
        workflow: workflow.unwrap_or("simple"),
        session_id: &outcome.session_id,
        message_id: &outcome.message_id,
        writer: Writer::Any,
        ttl_ms: settings.message_ttl_ms,
    };
    let queue = Queue { task_id, hand_over: settings.legacy_task_queue };
    match place(store, &place_of_it).await? {
        Placed::Ok => store.call(&queue).await.map(|_| ()),
        Placed::Refused(_) | Placed::Taken => store.call(&Discard { task_id }).await,
    }
}

/// Does what a task's end asks for elsewhere: its message hears of it, and what was reserved for it is paid
/// or released.
///
/// # Errors
/// [`StoreError`].
pub async fn settle_end<R: Redis>(
    store: &Store<R>,
    task_id: &TaskId,
    ttl_ms: i64,
) -> Result<(), StoreError> {
    let Some(outcome) = store.call(&AskOutcome { task_id }).await? else { return Ok(()) };
    if !outcome.status.is_end() {
        return store.call(&Settled { task_id, paid: None, later: false }).await;
    }
    if let Some(charge) = &outcome.charge {
        let paid = Some(pay(store, task_id, charge, &outcome).await?.micros());
        return store.call(&Settled { task_id, paid, later: false }).await;
    }
    tell_message(store, task_id, &outcome, ttl_ms).await?;
    store.call(&Settled { task_id, paid: None, later: false }).await
}

/// Pays for a task that has completed, and releases what is reserved for one that has not. How much was paid;
/// the same, and nothing more happens, however often it is called.
async fn pay<R: Redis>(
    store: &Store<R>,
    task_id: &TaskId,
    charge: &TaskCharge,
    outcome: &Outcome,
) -> Result<Money, StoreError> {
    let amount = outcome.amount.and_then(Money::from_micros).unwrap_or(charge.max);
    let to_agent = charge.to.clone().unwrap_or_else(|| AgentId::from(outcome.runner.as_str()));
    let is_due = outcome.status.known() == Some(TaskStatus::Completed) && amount > Money::ZERO;
    let (hold_id, writer, task_id) = (&charge.hold_id, Writer::Any, Some(task_id));
    if is_due {
        let post =
            hold::Post { hold_id, writer, amount: Some(amount), to_agent: &to_agent, task_id };
        match store.call(&post).await? {
            Ended::Ok(hold) => return Ok(hold.posted),
            Ended::State(status) if status == HoldStatus::Posted.as_str() => return Ok(amount),
            // There is nobody to be paid, or whoever pays has done it: the money stays where it is.
            _ => {}
        }
    }
    store.call(&hold::Void { hold_id, writer, task_id }).await?;
    Ok(Money::ZERO)
}

/// Tells a session task's message how the task has ended: result in the placeholder's place, or the
/// error, then the end of the message.
async fn tell_message<R: Redis>(
    store: &Store<R>,
    task_id: &TaskId,
    outcome: &Outcome,
    ttl_ms: i64,
) -> Result<(), StoreError> {
    let error = match outcome.status.known() {
        Some(TaskStatus::Completed) => None,
        Some(TaskStatus::Cancelled) => Some("The task was cancelled."),
        _ if outcome.error.is_empty() => Some("The task failed."),
        _ => Some(outcome.error.as_str()),
    };
    let change = match error {
        None => TaskChange::Completed { result: result_block(task_id, outcome) },
        Some(error) => TaskChange::Failed { error: error.to_owned() },
    };
    let message_id = &outcome.message_id;
    let author = Writer::Any.into();
    // A message that is gone, complete, or knows of the end has nothing more to hear.
    store.call(&change.call(message_id, author, task_id.as_str(), ttl_ms)).await?;
    let error = Reason(error);
    let superseded = outcome.superseded;
    let complete =
        message::Complete { message_id, author, error, ttl_ms, ends_claim: true, superseded };
    store.call(&complete).await?;
    Ok(())
}

/// The block that takes the placeholder's place: the one that the worker sent, else its result.
fn result_block(task_id: &TaskId, outcome: &Outcome) -> Option<Rendered> {
    let mut given: Map<String, Value> = match serde_json::from_str(&outcome.content) {
        Ok(content) => content,
        Err(_) => match serde_json::from_str(&outcome.result).ok()? {
            Value::Null => return None,
            Value::String(text) => as_block("text", Value::String(text)),
            other => as_block("json", other),
        },
    };
    let block = Block::read(&mut given).ok()?;
    Some(Block { task_id: Some(task_id.to_string()), ..block }.render())
}

fn as_block(kind: &str, value: Value) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert(kind.to_owned(), value);
    let mut block = Map::new();
    block.insert("content_type".to_owned(), kind.into());
    block.insert(kind.to_owned(), Value::Object(object));
    block
}

rows! {
    Outcome {
        status, session_id, message_id, spec, error, result, content, superseded, charge, amount,
        runner
    }
}
