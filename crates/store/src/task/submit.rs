//! How a task comes into the queue.

use reef_api::{MessageId, SessionId, TaskId};
use reef_domain::json::Json;
use reef_domain::limits::PREFERRING_CLASSES_MAX;
use reef_domain::task::{Submission, Wants};

use super::{Spec, Submitted, Take, Task, wants_json};
use crate::quota::Quotas;
use crate::script::{Arguments, Call, FromReply, Malformed, Reader, Script, TASK_SUBMIT};

/// Takes a task.
#[derive(Debug)]
pub struct Submit<'a> {
    /// Its id.
    pub task_id: &'a TaskId,
    /// What it is.
    pub submission: &'a Submission,
    /// A JSON object.
    pub parameters: &'a Json,
    /// A JSON object.
    pub metadata: &'a Json,
    /// The session and the message that show it. Such a task is a draft, which nobody sees until
    /// [`Queue`] says that the message is there.
    pub shown_in: Option<(&'a SessionId, &'a MessageId)>,
    /// Who submits it.
    pub owner: &'a str,
    /// What the owner may have; `None`: as much as it likes.
    pub quotas: Option<&'a Quotas>,
}

/// A draft is not shown.
impl FromReply for Option<Box<Task>> {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        if reply.is_at_end() { Ok(None) } else { FromReply::read(reply).map(Some) }
    }
}

impl<'a> Submit<'a> {
    /// How long the task says that it is kept, as the scripts read it.
    fn keeps(&self) -> String {
        let text = |ms: Option<i64>| ms.map(|ms| ms.to_string()).unwrap_or_default();
        match (self.submission.keep_completed_ms, self.submission.keep_failed_ms) {
            (None, None) => String::new(),
            (completed, failed) => format!("{}/{}", text(completed), text(failed)),
        }
    }

    fn take(&self) -> Take<'a> {
        let Submission { wants, .. } = self.submission;
        let spec = Spec {
            task_type: (&self.submission.task_type).into(),
            name: (&self.submission.name).into(),
            description: (&self.submission.description).into(),
            parameters: self.parameters,
            metadata: self.metadata,
            keep_completed_ms: self.submission.keep_completed_ms,
            keep_failed_ms: self.submission.keep_failed_ms,
        };
        let class = wants.canonical();
        let plain = Wants {
            required_skills: class.required_skills.clone(),
            audience: class.audience.clone(),
            target_node: class.target_node.clone(),
            ..Wants::default()
        };
        Take {
            task_id: self.task_id,
            is_draft: self.shown_in.is_some(),
            delay_ms: self.submission.delay_ms,
            spec,
            wants: wants_json(wants, self.owner),
            class: wants_json(&class, self.owner),
            plain_class: wants_json(&plain, self.owner),
            priority: self.submission.priority,
            timeout_ms: self.submission.timeout_ms(),
            max_retries: self.submission.max_retries,
            user_id: self.submission.user_id.as_deref().unwrap_or_default(),
            session_id: self.shown_in.map(|(session_id, _)| session_id),
            message_id: self.shown_in.map(|(_, message_id)| message_id),
            owner: self.owner,
            preferring_max: self.quotas.map_or(PREFERRING_CLASSES_MAX, |quotas| quotas.classes / 2),
            tasks_max: self.quotas.map(|quotas| quotas.tasks),
            bytes_max: self.quotas.map(|quotas| quotas.task_bytes),
            classes_max: self.quotas.map(|quotas| quotas.classes),
            keeps: self.keeps(),
        }
    }
}

impl Call for Submit<'_> {
    type Reply = Submitted;

    fn script(&self) -> &'static Script {
        &TASK_SUBMIT
    }

    fn arguments(&self, arguments: &mut Arguments) {
        self.take().arguments(arguments);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Submitted, Malformed> {
        Submitted::read(status, reply)
    }
}
