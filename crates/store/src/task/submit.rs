//! How tasks come into the queue.

use reef_api::flow::BatchedTask;
use reef_api::session::IfBusy;
use reef_api::task::{RetryPolicy, UniqueScope};
use reef_api::usage::TaskCharge;
use reef_api::{GroupId, MessageId, SessionId, TaskId, Token, WaitId, Word as _};
use reef_domain::Money;
use reef_domain::fairness::Share;
use reef_domain::flow::Edge;
use reef_domain::json::Json;
use reef_domain::label;
use reef_domain::limits::{APART_BYTES, PREFERRING_CLASSES_MAX};
use reef_domain::task::{Submission, Wants};
use reef_domain::unique::Unique;
use reef_domain::usage::Bounds;

use super::{
    Batch, Drafted, Room, Spec, Submitted, Take, TakeBatch, TakeDraft, TakeUnique, wants_json,
};
use crate::node::Writer;
use crate::port::Redis;
use crate::queue::stored_type;
use crate::quota::Quotas;
use crate::script::{
    Argument, Arguments, Call, Malformed, Once, Reader, Script, Store, StoreError, TASK_BATCH,
    TASK_DRAFT, TASK_SUBMIT, TASK_SUBMIT_UNIQUE, rows,
};
use crate::wait::WaitSpec;

/// A task that is submitted.
#[derive(Debug)]
pub struct GivenTask<'a> {
    /// Its id.
    pub task_id: &'a TaskId,
    /// What it is.
    pub submission: &'a Submission,
    /// A JSON object.
    pub parameters: &'a Json,
    /// A JSON object.
    pub metadata: &'a Json,
    /// Who submits it.
    pub owner: &'a str,
    /// The id of the wait for the approval, where the submission asks for one, and what whoever decides
    /// has to know.
    pub approval: Option<(&'a WaitId, Option<&'a Json>)>,
    /// It follows the group of its batch, and is none of its tasks.
    pub follows_group: bool,
    /// What whoever completes it is paid, and what reserves that.
    pub charge: Option<&'a TaskCharge>,
}

impl GivenTask<'_> {
    /// What the task says that scripts look at later, as they read it: names and values in turn (JSON).
    fn fields(&self) -> String {
        let mut fields = Vec::new();
        let text = |number: Option<i64>| number.map(|it| it.to_string()).unwrap_or_default();
        if let (completed, failed @ Some(_)) | (completed @ Some(_), failed) =
            (self.submission.keep_completed_ms, self.submission.keep_failed_ms)
        {
            fields.extend(["keep".to_owned(), format!("{}/{}", text(completed), text(failed))]);
        }
        if let Some(RetryPolicy { first_ms, factor, most_ms, jitter }) = self.submission.retry {
            fields.extend(["retry".to_owned(), format!("{first_ms}/{factor}/{most_ms}/{jitter}")]);
        }
        if let Some(Bounds { cost, tokens, on_exceed }) = self.submission.budget {
            let cost = text(cost.map(Money::micros));
            let bounds = format!("{cost}/{}/{}", text(tokens), on_exceed.as_str());
            fields.extend(["budget".to_owned(), bounds]);
        }
        if let Some(TaskCharge { max, to, from, hold_id }) = self.charge {
            let to = to.as_deref().unwrap_or_default();
            let charge = format!("{}/{from}/{to}/{hold_id}", max.micros());
            fields.extend(["charge".to_owned(), charge]);
        }
        if fields.is_empty() { String::new() } else { serde_json::json!(fields).to_string() }
    }

    /// What it follows, as the scripts read it.
    fn edges(&self) -> String {
        let mark = if self.follows_group { "!" } else { "" };
        match self.submission.after.as_slice() {
            [] => mark.to_owned(),
            edges => format!("{mark}{}", edges_json(edges)),
        }
    }
}

/// Pairs of what is followed and how it is to have ended.
pub(crate) fn edges_json(edges: &[Edge]) -> String {
    let pairs = edges.iter().map(|edge| serde_json::json!([edge.what, edge.on.as_str()]));
    serde_json::Value::from_iter(pairs).to_string()
}

/// What a task is to be the only one of, as the scripts read it.
fn unique_json(unique: &Unique, owner: &str) -> String {
    let Unique { key, scope, holds, then, ms, most_ms } = unique;
    let of = match scope {
        UniqueScope::Owner => owner,
        UniqueScope::All => "",
    };
    let key = format!("{of}\n{key}");
    serde_json::json!([key, holds.as_str(), then.as_str(), ms, most_ms]).to_string()
}

/// Labels as the scripts read them; none where there are none.
fn labels_json(submission: &Submission) -> String {
    match submission.labels.len() {
        0 => String::new(),
        _ => serde_json::json!(label::words(&submission.labels)).to_string(),
    }
}

/// A share of the queue as the scripts read it.
fn share_text(share: Option<&Share>) -> String {
    let text = |Share { key, weight }: &Share| {
        format!("{}/{key}", weight.map(|weight| weight.to_string()).unwrap_or_default())
    };
    share.map(text).unwrap_or_default()
}

/// `TASK_ARGUMENTS` arguments each (include take).
impl Argument for &[GivenTask<'_>] {
    fn append(&self, arguments: &mut Arguments) {
        for task in *self {
            let submission = task.submission;
            let spec = Spec {
                task_type: (&submission.task_type).into(),
                name: (&submission.name).into(),
                description: (&submission.description).into(),
                parameters: task.parameters,
                metadata: task.metadata,
                keep_completed_ms: submission.keep_completed_ms,
                keep_failed_ms: submission.keep_failed_ms,
                labels: submission.labels.clone(),
                retry: submission.retry,
                budget: submission.budget.map(Bounds::shown),
                charge: task.charge.cloned(),
                fairness_key: submission.share.as_ref().map(|share| share.key.as_str().into()),
                fairness_weight: submission.share.as_ref().and_then(|share| share.weight),
            };
            // Tasks of another type than the usual one have classes of their own, which can be paused.
            let kind = stored_type(&submission.task_type);
            let class = submission.wants.canonical();
            let plain = Wants {
                required_skills: class.required_skills.clone(),
                audience: class.audience.clone(),
                target_node: class.target_node.clone(),
                limits: class.limits.clone(),
                ..Wants::default()
            };
            arguments
                .text(task.task_id.as_str())
                .number(submission.delay_ms)
                .json(&spec)
                .text(wants_json(&submission.wants, task.owner))
                .text(wants_json(&class, task.owner) + kind)
                .text(wants_json(&plain, task.owner) + kind)
                .number(submission.priority)
                .number(submission.timeout_ms())
                .number(submission.max_retries)
                .text(submission.user_id.as_deref().unwrap_or_default());
            let approval = task.approval.and_then(|(_, details)| {
                let approval = submission.approval.as_ref()?;
                Some(WaitSpec::of_approval(approval, details))
            });
            approval.append(arguments);
            arguments
                .optional(task.approval.map(|(wait_id, _)| wait_id))
                .text(task.edges())
                .text(&submission.name)
                .text(labels_json(submission))
                .text(kind)
                .text(task.fields())
                .text(share_text(submission.share.as_ref()));
        }
    }
}

/// Takes a task.
#[derive(Debug)]
pub struct Submit<'a> {
    /// What it is.
    pub task: GivenTask<'a>,
    /// What the owner may have; `None`: as much as it likes.
    pub quotas: Option<&'a Quotas>,
}

/// Most classes of an owner up to which preferences are honoured.
#[must_use]
pub fn preferring_max(quotas: Option<&Quotas>) -> i64 {
    quotas.map_or(PREFERRING_CLASSES_MAX, |quotas| quotas.classes / 2)
}

impl Call for Submit<'_> {
    type Reply = Submitted;

    fn script(&self) -> &'static Script {
        if self.task.submission.unique.is_some() { &TASK_SUBMIT_UNIQUE } else { &TASK_SUBMIT }
    }

    fn arguments(&self, arguments: &mut Arguments) {
        if let Some(unique) = &self.task.submission.unique {
            let take = TakeUnique {
                unique: &unique_json(unique, self.task.owner),
                owner: self.task.owner,
                preferring_max: preferring_max(self.quotas),
                tasks_max: self.quotas.map(|quotas| quotas.tasks),
                bytes_max: self.quotas.map(|quotas| quotas.task_bytes),
                classes_max: self.quotas.map(|quotas| quotas.classes),
                task: std::slice::from_ref(&self.task),
            };
            return take.arguments(arguments);
        }
        let take = Take {
            is_draft: self.task.charge.is_some(),
            owner: self.task.owner,
            preferring_max: preferring_max(self.quotas),
            tasks_max: self.quotas.map(|quotas| quotas.tasks),
            bytes_max: self.quotas.map(|quotas| quotas.task_bytes),
            classes_max: self.quotas.map(|quotas| quotas.classes),
            group: self.task.submission.group_id.as_ref(),
            task: std::slice::from_ref(&self.task),
        };
        take.arguments(arguments);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Submitted, Malformed> {
        Submitted::read(status, reply)
    }
}

/// Asks whether the owner has room for tasks, where they are so large that Redis should not get all of them
/// only to refuse them.
///
/// # Errors
/// [`StoreError::Quota`]: there is none; or the store cannot be asked.
pub async fn ask_for_room<R: Redis>(
    store: &Store<R>,
    tasks: &[GivenTask<'_>],
    quotas: Option<&Quotas>,
    once: Option<&Once>,
) -> Result<(), StoreError> {
    let bytes = tasks.iter().map(|task| task.parameters.bytes() + task.metadata.bytes());
    let bytes: usize = bytes.sum();
    let (Some(quotas), Some(first)) = (quotas, tasks.first()) else { return Ok(()) };
    if bytes < APART_BYTES {
        return Ok(());
    }
    let task_ids: Vec<TaskId> = tasks.iter().map(|task| task.task_id.clone()).collect();
    let room = Room {
        owner: first.owner,
        digest: once.map(|once| once.digest.as_str()).unwrap_or_default(),
        tasks_max: quotas.tasks,
        bytes_max: quotas.task_bytes,
        bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
        task_ids: &task_ids,
    };
    store.call(&room).await
}

/// Takes the task of a session, as a draft which nobody sees until [`Queue`](super::Queue) says that its
/// message is there.
#[derive(Debug)]
pub struct Draft<'a> {
    /// What it is.
    pub task: GivenTask<'a>,
    /// The session that shows it.
    pub session_id: &'a SessionId,
    /// The message that shows it.
    pub message_id: &'a MessageId,
    /// What it does while others of the session are unfinished.
    pub if_busy: IfBusy,
    /// What the owner may have; `None`: as much as it likes.
    pub quotas: Option<&'a Quotas>,
}

impl Call for Draft<'_> {
    type Reply = Drafted;

    fn script(&self) -> &'static Script {
        &TASK_DRAFT
    }

    fn arguments(&self, arguments: &mut Arguments) {
        let take = TakeDraft {
            session_id: self.session_id,
            message_id: self.message_id,
            manner: match self.if_busy {
                IfBusy::Parallel => "beside",
                IfBusy::Enqueue => "after",
                IfBusy::Reject => "refused",
                IfBusy::Interrupt => "cancelling",
                IfBusy::Rollback => "superseding",
            },
            owner: self.task.owner,
            preferring_max: preferring_max(self.quotas),
            tasks_max: self.quotas.map(|quotas| quotas.tasks),
            bytes_max: self.quotas.map(|quotas| quotas.task_bytes),
            classes_max: self.quotas.map(|quotas| quotas.classes),
            task: std::slice::from_ref(&self.task),
        };
        take.arguments(arguments);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Drafted, Malformed> {
        Drafted::read(status, reply)
    }
}

/// Takes several tasks at once, all or none.
#[derive(Debug)]
pub struct SubmitBatch<'a> {
    /// The tasks.
    pub tasks: &'a [GivenTask<'a>],
    /// The group that they form, or join, and what it is called.
    pub group: Option<(&'a GroupId, &'a str)>,
    /// The group takes no further tasks.
    pub seals: bool,
    /// The running task that makes them, and the token under which it runs.
    pub parent: Option<(&'a TaskId, &'a Token)>,
    /// Who asks.
    pub writer: Writer<'a>,
    /// Whose they are.
    pub owner: &'a str,
    /// What the owner may have; `None`: as much as it likes.
    pub quotas: Option<&'a Quotas>,
}

impl Call for SubmitBatch<'_> {
    type Reply = Batch;

    fn script(&self) -> &'static Script {
        &TASK_BATCH
    }

    fn arguments(&self, arguments: &mut Arguments) {
        let take = TakeBatch {
            writer: self.writer,
            owner: self.owner,
            preferring_max: preferring_max(self.quotas),
            tasks_max: self.quotas.map(|quotas| quotas.tasks),
            bytes_max: self.quotas.map(|quotas| quotas.task_bytes),
            classes_max: self.quotas.map(|quotas| quotas.classes),
            group: self.group.map(|(group_id, _)| group_id),
            group_name: self.group.map(|(_, name)| name).unwrap_or_default(),
            seals: self.seals,
            parent: self.parent.map(|(task_id, _)| task_id),
            token: self.parent.map(|(_, token)| token),
            tasks: self.tasks,
        };
        take.arguments(arguments);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Batch, Malformed> {
        Batch::read(status, reply)
    }
}

rows! {
    BatchedTask { task_id, status, routable }
}
