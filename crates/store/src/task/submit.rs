//! How a task comes into the queue.

use reef_domain::json::Json;
use reef_domain::limits::{CLASSES_MAX, OLD_QUEUE_MAX, PREFERRING_CLASSES_MAX};
use reef_domain::task::{Submission, Wants};

use super::{NewSpec, Task, wants_json};
use crate::quota::Quotas;
use crate::script::{
    Arguments, Call, Malformed, Reader, Script, TASK_DISCARD, TASK_HAND_OVER, TASK_QUEUE,
    TASK_SUBMIT, unknown_status,
};

/// Takes a task.
#[derive(Debug)]
pub struct Submit<'a> {
    /// Its id.
    pub task_id: &'a str,
    /// What it is.
    pub submission: &'a Submission,
    /// A JSON object.
    pub parameters: &'a Json,
    /// A JSON object.
    pub metadata: &'a Json,
    /// The session and the message that show it. Such a task is a draft, which nobody sees until
    /// [`Queue`] says that the message is there.
    pub shown_in: Option<(&'a str, &'a str)>,
    /// Who submits it.
    pub owner: &'a str,
    /// What the owner may have; `None`: as much as it likes.
    pub quotas: Option<&'a Quotas>,
}

/// What became of it.
#[derive(Debug)]
pub enum Submitted {
    /// It is a draft.
    Draft,
    /// It waits.
    Ok {
        /// Some node has the skills.
        routable: bool,
        /// The task.
        task: Box<Task>,
    },
    /// The id is in use.
    Exists,
    /// Too many different sets of skills wait.
    TooManyClasses,
}

impl Call for Submit<'_> {
    type Reply = Submitted;

    fn script(&self) -> &'static Script {
        &TASK_SUBMIT
    }

    fn arguments(&self, arguments: &mut Arguments) {
        let Submission { wants, .. } = self.submission;
        let spec = NewSpec {
            task_type: &self.submission.task_type,
            name: &self.submission.name,
            description: &self.submission.description,
            parameters: self.parameters,
            metadata: self.metadata,
        };
        let class = wants.canonical();
        let plain = Wants {
            required_skills: class.required_skills.clone(),
            audience: class.audience.clone(),
            ..Wants::default()
        };
        let (session_id, message_id) = self.shown_in.unwrap_or_default();
        arguments
            .text(self.task_id)
            .number(i32::from(self.shown_in.is_some()))
            .number(self.submission.delay_ms)
            // Writing texts into memory cannot fail.
            .text(serde_json::to_string(&spec).unwrap_or_default())
            .text(wants_json(wants, self.owner))
            .text(wants_json(&class, self.owner))
            .text(wants_json(&plain, self.owner))
            .number(self.submission.priority)
            .number(self.submission.timeout_ms())
            .number(self.submission.max_retries)
            .optional(self.submission.user_id.as_ref())
            .text(session_id)
            .text(message_id)
            .text(self.owner)
            .number(self.quotas.map_or(PREFERRING_CLASSES_MAX, |quotas| quotas.classes / 2))
            .number(CLASSES_MAX)
            .optional(self.quotas.map(|quotas| quotas.tasks))
            .optional(self.quotas.map(|quotas| quotas.task_bytes))
            .optional(self.quotas.map(|quotas| quotas.classes));
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Submitted, Malformed> {
        match status {
            "ok" => {
                let routable = reply.flag()?;
                if reply.is_at_end() {
                    return Ok(Submitted::Draft);
                }
                let task = Box::new(Task::read(reply)?.value);
                Ok(Submitted::Ok { routable, task })
            }
            "exists" => Ok(Submitted::Exists),
            "too_many_classes" => Ok(Submitted::TooManyClasses),
            other => unknown_status(other),
        }
    }
}

/// Puts a draft into the queue. Safe to repeat.
#[derive(Debug)]
pub struct Queue<'a> {
    /// Which.
    pub task_id: &'a str,
    /// Old workers, which pop a list, are told of it, too.
    pub hand_over: bool,
}

impl Call for Queue<'_> {
    /// The task's status; `None` if it is not there.
    type Reply = Option<String>;

    fn script(&self) -> &'static Script {
        &TASK_QUEUE
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.task_id).number(if self.hand_over { OLD_QUEUE_MAX } else { 0 });
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => reply.text().map(Some),
            "not_found" => Ok(None),
            other => unknown_status(other),
        }
    }
}

/// Forgets a draft.
#[derive(Debug)]
pub struct Discard<'a> {
    /// Which.
    pub task_id: &'a str,
}

impl Call for Discard<'_> {
    type Reply = ();

    fn script(&self) -> &'static Script {
        &TASK_DISCARD
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.task_id);
    }

    fn read(&self, status: &str, _: &mut Reader) -> Result<(), Malformed> {
        if status == "ok" { Ok(()) } else { unknown_status(status) }
    }
}

/// Tells old workers, which pop a list, of a task within a message (`contract.md` §8).
#[derive(Debug)]
pub struct HandOver<'a> {
    /// The message.
    pub message_id: &'a str,
    /// The task.
    pub task_id: &'a str,
}

impl Call for HandOver<'_> {
    type Reply = ();

    fn script(&self) -> &'static Script {
        &TASK_HAND_OVER
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.message_id).text(self.task_id).number(OLD_QUEUE_MAX);
    }

    fn read(&self, status: &str, _: &mut Reader) -> Result<(), Malformed> {
        if status == "ok" { Ok(()) } else { unknown_status(status) }
    }
}
