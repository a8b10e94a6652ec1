//! Calls on tasks: `lua/task/`.

mod change;
mod claim;
mod run;
mod settle;
mod show;
mod submit;

use std::borrow::Cow;

use reef_api::task::{RetryPolicy, Seconds};
use reef_api::usage::{TaskBudget, TaskCharge, TaskUsage};
use reef_api::{LimitId, NodeId, TaskId};
use reef_domain::Money;
use reef_domain::filter::Filter;
use reef_domain::json::Json;
use reef_domain::label::Labels;
use reef_domain::limit::Under;
use reef_domain::task::{Audience, Wants};
use reef_domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

pub use self::change::*;
pub use self::claim::*;
pub use self::run::*;
pub use self::settle::*;
pub use self::show::*;
pub use self::submit::*;
use crate::message::Owned;
use crate::node::Writer;
use crate::script::{Argument, Arguments, FromReply, Malformed, Reader, outcomes, rows};
use crate::steps::Page;
use crate::tasklog::{LogOf, LogRight};
use crate::usage::task_usage;
use crate::wait::WaitSpec;
use reef_api::flow::BatchedTask;
pub use reef_api::task::Task;
use reef_api::wait::Signal;

include!(concat!(env!("OUT_DIR"), "/calls_task.rs"));

/// What a task is, apart from what changes: stored as JSON that no script looks into. `J` is its free
/// JSON, as it comes or as it is read.
#[derive(Debug, Serialize, Deserialize)]
pub struct Spec<'a, J> {
    task_type: Cow<'a, str>,
    name: Cow<'a, str>,
    description: Cow<'a, str>,
    parameters: J,
    metadata: J,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep_completed_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep_failed_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    labels: Labels,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry: Option<RetryPolicy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    budget: Option<TaskBudget>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    charge: Option<TaskCharge>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fairness_key: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fairness_weight: Option<f64>,
}

impl Argument for Spec<'_, &Json> {
    fn append(&self, arguments: &mut Arguments) {
        arguments.json(self);
    }
}

impl Argument for &Filter {
    fn append(&self, arguments: &mut Arguments) {
        arguments.json(self);
    }
}

/// What a task wants, as the scripts read it (`read_wants`): required skills, optional skills, tags;
/// the agents whose nodes may run it, where not everybody's may; the node that it is for; the limits that it
/// is under.
#[derive(Default, Deserialize)]
#[serde(default)]
struct StoredWants(
    Vec<String>,
    Vec<String>,
    Vec<String>,
    Vec<String>,
    Option<NodeId>,
    Vec<(LimitId, String, i64, i64)>,
);

/// What a task of this owner wants, to be stored. What says nothing is left out, so that tasks that want
/// the same share a class, whichever version of the hub has taken them.
fn wants_json(wants: &Wants, owner: &str) -> String {
    let Wants { required_skills, optional_skills, affinity_tags, audience, target_node, limits } =
        wants;
    let agents = audience.as_ref().and_then(|audience| audience.agents(owner));
    let mut all = vec![json!(required_skills), json!(optional_skills), json!(affinity_tags)];
    if agents.is_some() || target_node.is_some() || !limits.is_empty() {
        all.push(json!(agents.unwrap_or_default()));
    }
    if target_node.is_some() || !limits.is_empty() {
        all.push(json!(target_node));
    }
    if !limits.is_empty() {
        let rows =
            limits.iter().map(|Under { name, key, cost, tokens }| json!([name, key, cost, tokens]));
        all.push(rows.collect());
    }
    Value::from(all).to_string()
}

/// Reads a row, owner first.
fn read_owned(reply: &mut Reader) -> Result<Owned<Task>, Malformed> {
    let bad = |what: &str, error: serde_json::Error| Malformed(format!("{what}: {error}"));
    let task_id = FromReply::read(reply)?;
    let owner = reply.text()?;
    let status = FromReply::read(reply)?;
    let spec = reply.text()?;
    let spec: Spec<'_, Box<RawValue>> =
        serde_json::from_str(&spec).map_err(|error| bad("spec", error))?;
    let wants = reply.text()?;
    let StoredWants(required_skills, optional_skills, affinity_tags, agents, target_node, limits) =
        serde_json::from_str(&wants).map_err(|error| bad("wants", error))?;
    let audience = match agents {
        agents if agents.is_empty() => Audience::Any,
        agents => Audience::of_agents(agents, &owner),
    };
    let limits = limits.into_iter();
    let limits = limits.map(|(name, key, cost, tokens)| Under { name, key, cost, tokens }.shown());
    let value = Task {
        task_id,
        task_type: spec.task_type.into_owned(),
        name: spec.name.into_owned(),
        description: spec.description.into_owned(),
        required_skills,
        optional_skills,
        status,
        priority: reply.int()?,
        assigned_node: reply.filled()?.map(NodeId::from),
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
        session_id: FromReply::read(reply)?,
        message_id: FromReply::read(reply)?,
        progress: reply.float()?,
        audience: json!(audience),
        target_node,
        limits: limits.collect(),
        wait_id: FromReply::read(reply)?,
        group_id: FromReply::read(reply)?,
        usage: read_usage(reply)?,
        paid: reply.optional_int()?.and_then(Money::from_micros),
        after: Vec::new(),
        keep_completed_ms: spec.keep_completed_ms,
        keep_failed_ms: spec.keep_failed_ms,
        labels: spec.labels,
        retry: spec.retry,
        budget: spec.budget,
        charge: spec.charge,
        fairness_key: spec.fairness_key.map(Cow::into_owned),
        fairness_weight: spec.fairness_weight,
    };
    Ok(Owned { owner, value })
}

fn read_usage(reply: &mut Reader) -> Result<Option<TaskUsage>, Malformed> {
    let text = reply.filled()?;
    text.map(|text| {
        let models =
            serde_json::from_str(&text).map_err(|error| Malformed(format!("usage: {error}")))?;
        Ok(task_usage(models))
    })
    .transpose()
}

impl FromReply for Task {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        read_owned(reply).map(|owned| owned.value)
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
    "What it follows has ended otherwise than it asks." Dependency = "dependency",
    "It was to be paid for, and that is over." Priced = "priced",
    "It may not cost so many millionths." Over(String) = "over",
    "Nobody pays for it." Unpaid = "unpaid",
}

rows! {
    Signal { name, payload, sent_at }
}
