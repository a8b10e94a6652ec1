//! Calls on waits: `lua/wait/`.

use reef_api::Word as _;
use reef_api::wait::WaitKind;
pub use reef_api::wait::{Wait, WaitAnswer, WaitOption};
use reef_domain::json::Json;
use reef_domain::wait::{Approval, Wait as Asked};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::node::Writer;
use crate::script::{Argument, Arguments, FromReply, Malformed, Reader};
use crate::steps::Page;

include!(concat!(env!("OUT_DIR"), "/calls_wait.rs"));

/// What a task waits for, as the scripts read it. JSON within is text to them.
#[derive(Debug, Serialize)]
pub struct WaitSpec {
    kind: &'static str,
    /// Of a signal.
    name: String,
    /// How many have to answer the same.
    need: i64,
    by_other: u8,
    on_expire: &'static str,
    /// The values that may be answered: a JSON array.
    options: String,
    /// A JSON array.
    assignees: String,
    /// [`Details`] as JSON.
    details: String,
    /// After how long it is over by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_ms: Option<i64>,
    /// Of a wait for tasks: pairs of what is followed and how it is to have ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    edges: Option<Vec<(String, &'static str)>>,
}

/// What of a wait no script looks into.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Details<J> {
    question: Option<String>,
    details: Option<J>,
    #[serde(default)]
    options: Vec<WaitOption>,
}

impl WaitSpec {
    /// What somebody is asked to decide, and what it has to know.
    #[must_use]
    pub fn of_approval(approval: &Approval, details: Option<&Json>) -> Self {
        let options: Vec<&str> =
            approval.options.iter().map(|option| option.value.as_str()).collect();
        let shown = Details {
            question: Some(approval.question.clone()),
            details,
            options: approval.options.clone(),
        };
        Self {
            need: approval.approvals,
            by_other: u8::from(approval.by_other),
            on_expire: approval.on_expire.as_str(),
            options: text_of(&options),
            assignees: text_of(&approval.assignees),
            details: text_of(&shown),
            due_ms: approval.expires_in_ms,
            ..Self::plain(WaitKind::Approval)
        }
    }

    /// What a task waits for; `details` is what whoever decides has to know.
    #[must_use]
    pub fn of(wait: &Asked, details: Option<&Json>) -> Self {
        match wait {
            Asked::Approval(approval) => Self::of_approval(approval, details),
            Asked::Signal { name, expires_in_ms } => {
                Self { name: name.clone(), due_ms: *expires_in_ms, ..Self::plain(WaitKind::Signal) }
            }
            Asked::Sleep { for_ms } => {
                Self { due_ms: Some(*for_ms), ..Self::plain(WaitKind::Sleep) }
            }
            Asked::Tasks { edges, until, expires_in_ms } => Self {
                name: until.as_str().to_owned(),
                due_ms: *expires_in_ms,
                edges: Some(
                    edges.iter().map(|edge| (edge.what.clone(), edge.on.as_str())).collect(),
                ),
                ..Self::plain(WaitKind::Tasks)
            },
        }
    }

    fn plain(kind: WaitKind) -> Self {
        Self {
            kind: kind.as_str(),
            name: String::new(),
            need: 0,
            by_other: 0,
            on_expire: "",
            options: "[]".to_owned(),
            assignees: "[]".to_owned(),
            details: "{}".to_owned(),
            due_ms: None,
            edges: None,
        }
    }
}

/// Strings and JSON that was read can always be written.
fn text_of(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

impl Argument for WaitSpec {
    fn append(&self, arguments: &mut Arguments) {
        arguments.json(self);
    }
}

impl FromReply for Wait {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let bad = |what: &str, error: serde_json::Error| Malformed(format!("{what}: {error}"));
        let (wait_id, task_id) = (FromReply::read(reply)?, FromReply::read(reply)?);
        let (kind, state) = (FromReply::read(reply)?, FromReply::read(reply)?);
        let (owner, name) = (reply.text()?, reply.filled()?);
        let (approvals, by_other) = (reply.int()?, reply.flag()?);
        let on_expire = FromReply::read(reply)?;
        let assignees =
            serde_json::from_str(&reply.text()?).map_err(|error| bad("assignees", error))?;
        let shown: Details<Box<RawValue>> =
            serde_json::from_str(&reply.text()?).map_err(|error| bad("details", error))?;
        let asked_at = FromReply::read(reply)?;
        let (expires_at, ended_at) = (FromReply::read(reply)?, FromReply::read(reply)?);
        let answers = serde_json::from_str(&format!("[{}]", reply.text()?))
            .map_err(|error| bad("answers", error))?;
        let Details { question, details, options } = shown;
        Ok(Self {
            wait_id,
            task_id,
            kind,
            state,
            owner,
            name,
            question,
            details,
            options,
            assignees,
            approvals,
            by_other,
            on_expire,
            asked_at,
            expires_at,
            ended_at,
            answers,
        })
    }
}
