//! Calls on tasks: `lua/task/`.

mod change;
mod run;
mod settle;
mod show;
mod submit;

use reef_api::NodeId;
use reef_domain::json::Json;
use reef_domain::task::{Audience, Wants};
use reef_domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

pub use self::change::*;
pub use self::run::*;
pub use self::settle::*;
pub use self::show::*;
pub use self::submit::*;
use crate::message::Owned;
use crate::node::Writer;
use crate::script::{Argument, Arguments, FromReply, Malformed, Reader, outcomes};

include!(concat!(env!("OUT_DIR"), "/calls_task.rs"));

/// A task as it is shown: fields and order of `contract.md` §5.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Task {
    /// Its id.
    pub task_id: String,
    /// `interactive batch compute_intensive io_intensive daemon`.
    pub task_type: String,
    /// What it is called.
    pub name: String,
    /// For people.
    pub description: String,
    /// Skills that its node must have.
    pub required_skills: Vec<String>,
    /// Skills that are good to have.
    pub optional_skills: Vec<String>,
    /// `pending scheduled running completed failed cancelled timeout`.
    pub status: String,
    /// 0 (critical) to 3 (low).
    pub priority: i64,
    /// The node that runs it, or ended it.
    pub assigned_node: Option<String>,
    /// When it was submitted.
    pub submitted_at: UnixMillis,
    /// Until when it is or was kept back.
    pub scheduled_at: Option<UnixMillis>,
    /// When its last try began.
    pub started_at: Option<UnixMillis>,
    /// When it ended.
    pub completed_at: Option<UnixMillis>,
    /// A JSON object.
    pub parameters: Box<RawValue>,
    /// Longest run, in seconds.
    pub timeout: Seconds,
    /// How often it was tried again.
    pub retry_count: i64,
    /// How often it may be.
    pub max_retries: i64,
    /// Whom it is for.
    pub user_id: Option<String>,
    /// Tags of nodes that are preferred.
    pub affinity_tags: Vec<String>,
    /// JSON, once it has completed.
    pub result: Option<Box<RawValue>>,
    /// Why its last try went wrong.
    pub error: Option<String>,
    /// A JSON object.
    pub metadata: Box<RawValue>,
    /// The session that it belongs to.
    pub session_id: Option<String>,
    /// The message that shows it.
    pub message_id: Option<String>,
    /// 0–1.
    pub progress: f64,
    /// Whose nodes may run it: `any`, `owner`, or agents.
    #[cfg_attr(feature = "openapi", schemars(with = "serde_json::Value"))]
    pub audience: Audience,
    /// The one node that may run it.
    pub target_node: Option<NodeId>,
}

/// A duration that is shown in seconds: whole ones without a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds {
    /// In milliseconds.
    pub ms: i64,
}

impl Serialize for Seconds {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.ms % 1000 == 0 {
            return serializer.serialize_i64(self.ms / 1000);
        }
        #[allow(clippy::cast_precision_loss, reason = "a week of milliseconds is exact")]
        serializer.serialize_f64(self.ms as f64 / 1000.0)
    }
}

#[cfg(feature = "openapi")]
impl schemars::JsonSchema for Seconds {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Seconds".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "number" })
    }
}

/// What a task is, apart from what changes: stored as JSON that no script looks into.
#[derive(Debug, Deserialize)]
struct Spec {
    task_type: String,
    name: String,
    description: String,
    parameters: Box<RawValue>,
    metadata: Box<RawValue>,
}

/// The same, to be stored.
#[derive(Debug, Serialize)]
pub struct NewSpec<'a> {
    task_type: &'a str,
    name: &'a str,
    description: &'a str,
    parameters: &'a Json,
    metadata: &'a Json,
}

impl Argument for NewSpec<'_> {
    fn append(&self, arguments: &mut Arguments) {
        arguments.json(self);
    }
}

/// What a task wants, as the scripts read it (`read_wants`): required skills, optional skills, tags;
/// the agents whose nodes may run it, where not everybody's may; the node that it is for.
#[derive(Default, Deserialize)]
#[serde(default)]
struct StoredWants(Vec<String>, Vec<String>, Vec<String>, Vec<String>, Option<NodeId>);

/// What a task of this owner wants, to be stored. What says nothing is left out, so that tasks that want
/// the same share a class, whichever version of the hub has taken them.
fn wants_json(wants: &Wants, owner: &str) -> String {
    let Wants { required_skills, optional_skills, affinity_tags, audience, target_node } = wants;
    let agents = audience.as_ref().and_then(|audience| audience.agents(owner));
    let mut all = vec![json!(required_skills), json!(optional_skills), json!(affinity_tags)];
    if agents.is_some() || target_node.is_some() {
        all.push(json!(agents.unwrap_or_default()));
    }
    all.extend(target_node.as_ref().map(|node| json!(node)));
    Value::from(all).to_string()
}

impl Task {
    /// Reads a row, owner first.
    fn read_owned(reply: &mut Reader) -> Result<Owned<Self>, Malformed> {
        let bad = |what: &str, error: serde_json::Error| Malformed(format!("{what}: {error}"));
        let task_id = reply.text()?;
        let owner = reply.text()?;
        let status = reply.text()?;
        let spec = reply.text()?;
        let spec: Spec = serde_json::from_str(&spec).map_err(|error| bad("spec", error))?;
        let wants = reply.text()?;
        let StoredWants(required_skills, optional_skills, affinity_tags, agents, target_node) =
            serde_json::from_str(&wants).map_err(|error| bad("wants", error))?;
        let audience = match agents {
            agents if agents.is_empty() => Audience::Any,
            agents => Audience::of_agents(agents, &owner),
        };
        let value = Self {
            task_id,
            task_type: spec.task_type,
            name: spec.name,
            description: spec.description,
            required_skills,
            optional_skills,
            status,
            priority: reply.int()?,
            assigned_node: reply.filled()?,
            submitted_at: UnixMillis(reply.int()?),
            scheduled_at: FromReply::read(reply)?,
            started_at: FromReply::read(reply)?,
            completed_at: FromReply::read(reply)?,
            parameters: spec.parameters,
            timeout: Seconds { ms: reply.int()? },
            retry_count: reply.int()?,
            max_retries: reply.int()?,
            user_id: reply.filled()?,
            affinity_tags,
            result: reply
                .filled()?
                .map(|json| RawValue::from_string(json).map_err(|error| bad("result", error)))
                .transpose()?,
            error: reply.filled()?,
            metadata: spec.metadata,
            session_id: reply.filled()?,
            message_id: reply.filled()?,
            progress: reply.float()?,
            audience,
            target_node,
        };
        Ok(Owned { owner, value })
    }
}

impl FromReply for Task {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Self::read_owned(reply).map(|owned| owned.value)
    }
}

/// A text that may be missing or empty.
pub(crate) fn some_text(reply: &mut Reader) -> Result<Option<String>, Malformed> {
    Ok(reply.optional_text()?.filter(|text| !text.is_empty()))
}

pub(crate) fn some_instant(reply: &mut Reader) -> Result<Option<UnixMillis>, Malformed> {
    some_text(reply)?
        .map(|text| text.parse().map(UnixMillis).map_err(|_| Malformed(format!("time {text:?}"))))
        .transpose()
}

outcomes! {
    /// What became of a write to a task.
    Written: "Done."
    "There is no such task." NotFound = "not_found",
    "The task, or the node that runs it, belongs to somebody else." Forbidden = "forbidden",
    "The claim is over: nothing was changed." Fenced = "fenced",
    "The task's status does not allow it." Status(String) = "state" | "ended",
    "The task's message is complete." Settled = "settled",
}
