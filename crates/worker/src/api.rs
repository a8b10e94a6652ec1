//! What a worker asks of its hub.

use std::time::Duration;

use reef_api::heartbeat::{HeartbeatAnswer, HeartbeatBody, HeldClaim};
use reef_api::leader::{CampaignAnswer, CampaignBody};
use reef_api::limit::PenaltyBody;
use reef_api::node::{self, NodeChange, NodeStatus};
use reef_api::task::{TaskClaimBody, TaskProgressAnswer, TaskProgressBody};
use reef_api::usage::UsageBody;
use reef_api::{Code, Money, NodeId, Token};
use reef_client::{Error, Hub, Request};
use reef_domain::limits::PENALTY_MS_MAX;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::machine::{Facts, Figures};
use crate::output::{Busy, Report};
use crate::task::Task;

/// How long a registration or a heartbeat may take. A hub answers in 2 s, if only to say that it
/// cannot, so whatever takes longer is asked again while leases still run.
const SOON: Duration = Duration::from_secs(5);
/// How much longer than its wait a long poll may take.
const POLL_SLACK: Duration = Duration::from_secs(15);

/// What this worker registers as.
#[derive(Debug, Clone)]
pub(crate) struct Registration {
    pub(crate) facts: Facts,
    pub(crate) skills: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) slots: u32,
}

/// The node as the hub knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) id: NodeId,
    /// Fences a worker that another one has replaced. Unknown to whoever has not registered itself.
    pub(crate) incarnation: Option<i64>,
}

/// How the work on a task has ended, for the hub.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum End {
    Complete {
        result: Value,
        #[serde(skip_serializing_if = "Option::is_none")]
        content: Option<Map<String, Value>>,
        /// What it costs whoever pays for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        amount: Option<Money>,
    },
    Fail {
        error: String,
        retryable: bool,
    },
    Snooze {
        error: String,
        /// Always true.
        snooze: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_in_ms: Option<i64>,
    },
}

impl End {
    /// The hub counts this as no try, ten times in a row.
    pub(crate) fn snooze(error: String, after: Option<Duration>) -> Self {
        Self::Snooze { error, snooze: true, retry_in_ms: after.map(in_millis) }
    }
}

pub(crate) async fn register(
    hub: &Hub,
    registration: &Registration,
    node_id: Option<&NodeId>,
) -> Result<Node, Error> {
    let Registration { facts, skills, tags, slots } = registration;
    let form = node::Registration {
        hostname: Some(facts.hostname.clone()),
        platform: Some(facts.platform.to_string()),
        arch: Some(facts.arch.to_string()),
        available_skills: Some(skills.clone()),
        tags: Some(tags.clone()),
        max_concurrent_tasks: Some((*slots).into()),
        node_id: node_id.cloned(),
        ..node::Registration::default()
    };
    let answer = hub.register_node(&form).once().timeout(SOON).fetch().await?;
    let incarnation = Some(answer.node_info.incarnation);
    Ok(Node { id: answer.node_id.into_owned(), incarnation })
}

/// A heartbeat, to be sent.
pub(crate) fn heartbeat(
    hub: &Hub,
    node: &Node,
    figures: Figures,
    running: usize,
    claims: &[HeldClaim],
) -> Request<HeartbeatAnswer<'static>> {
    let Figures { cpu_usage, memory_usage, disk_usage } = figures;
    let body = HeartbeatBody {
        cpu_usage: Some(cpu_usage),
        memory_usage: Some(memory_usage),
        disk_usage: Some(disk_usage),
        running_tasks: i64::try_from(running).ok(),
        claims: Some(claims.to_vec()),
        incarnation: node.incarnation,
        ..HeartbeatBody::default()
    };
    hub.beat(&node.id, &body).timeout(SOON)
}

/// Takes the leadership, or renews it.
pub(crate) async fn campaign(
    hub: &Hub,
    node: &Node,
    ttl: Duration,
    limit: Duration,
) -> Result<CampaignAnswer, Error> {
    let Node { id, incarnation } = node.clone();
    let body = CampaignBody { node_id: Some(id), ttl_ms: Some(in_millis(ttl)), incarnation };
    hub.campaign(&body).timeout(limit.min(SOON)).fetch().await
}

/// Hands the leadership back.
pub(crate) async fn resign(hub: &Hub, node_id: &NodeId, term: i64) -> Result<(), Error> {
    hub.resign(node_id, term).once().timeout(SOON).send().await.map(|_| ())
}

/// Claims up to `limit` tasks, waiting up to `wait` for the first. An answer that is lost on its
/// way is asked for again for as long as `lease`, after which what it holds is nobody's.
pub(crate) async fn claim(
    hub: &Hub,
    node_id: &NodeId,
    limit: usize,
    lease: Duration,
    wait: Duration,
) -> Result<Vec<Task>, Error> {
    let body = TaskClaimBody {
        node_id: Some(node_id.clone()),
        limit: i64::try_from(limit).ok(),
        lease_ms: Some(in_millis(lease)),
        wait_ms: Some(in_millis(wait)),
        ..TaskClaimBody::default()
    };
    // Each is read by itself: what cannot be read of one must not cost the others.
    let request = hub.claim::<Box<RawValue>>(&body).once();
    let answer = request.timeout(wait + POLL_SLACK).patient(lease + wait).fetch().await?;
    let mut tasks = Vec::with_capacity(answer.tasks.len());
    for task in &answer.tasks {
        match Task::read(task.get()) {
            Ok(task) => tasks.push(task),
            Err(error) => tracing::error!(%error, "a claimed task is left to its lease"),
        }
    }
    Ok(tasks)
}

/// Renews a lease, and says how far the task is, and what it has used, if that is known.
pub(crate) async fn progress(
    hub: &Hub,
    task: &Task,
    report: Report,
    lease: Duration,
) -> Result<TaskProgressAnswer, Error> {
    let body = TaskProgressBody {
        token: Some(task.token().clone()),
        progress: report.share,
        lease_ms: Some(in_millis(lease)),
        usage: Some(report.usage).filter(|usage| !usage.is_empty()),
        checkpoint: report.checkpoint,
    };
    hub.progress(&task.id().into(), &body).timeout(SOON).fetch().await
}

/// Ends a task, asking for up to `patience` while the hub is away.
pub(crate) async fn end(
    hub: &Hub,
    task: &Task,
    end: &End,
    usage: &[UsageBody],
    patience: Duration,
) -> Result<(), Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        token: &'a Token,
        #[serde(flatten)]
        end: &'a End,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        usage: &'a [UsageBody],
    }
    let verb = match end {
        End::Complete { .. } => "complete",
        End::Fail { .. } | End::Snooze { .. } => "fail",
    };
    let request =
        hub.post(["tasks", task.id(), verb]).json(&Body { token: task.token(), end, usage });
    let key = format!("{}.{}.{verb}", task.id(), task.token());
    request.idempotency_key(key).patient(patience).send().await.map(|_| ())
}

/// Lets a task wait, asking for up to `patience` while the hub is away. `number` tells the waits of one
/// claim apart. Returns what came, if that was there already.
pub(crate) async fn wait(
    hub: &Hub,
    task: &Task,
    wait: &Map<String, Value>,
    usage: &[UsageBody],
    number: u32,
    patience: Duration,
) -> Result<Option<Value>, Error> {
    let mut body = wait.clone();
    body.insert("token".to_owned(), task.token().as_str().into());
    if !usage.is_empty() {
        body.insert("usage".to_owned(), serde_json::json!(usage));
    }
    let request = hub.post(["tasks", task.id(), "wait"]).json(&body).answering::<Value>();
    let key = format!("{}.{}.wait.{number}", task.id(), task.token());
    let answer = request.idempotency_key(key).patient(patience).fetch().await?;
    let is_ready = answer.get("ready").and_then(Value::as_bool).unwrap_or(false);
    Ok(is_ready.then(|| answer.get("resume").cloned().unwrap_or_default()))
}

/// Lets nothing begin for a time under a limit that a running task is under.
pub(crate) async fn shut_limit(hub: &Hub, task: &Task, busy: &Busy) -> Result<(), Error> {
    let body = PenaltyBody {
        retry_after_ms: Some(busy.retry_after_ms.clamp(1, PENALTY_MS_MAX)),
        task_id: Some(task.id().into()),
        token: Some(task.token().clone()),
        ..PenaltyBody::default()
    };
    let limit = busy.limit.as_str().into();
    hub.penalise(&limit, &body).once().timeout(SOON).send().await.map(|_| ())
}

/// Asks for no more tasks.
pub(crate) async fn drain(hub: &Hub, node_id: &NodeId) -> Result<(), Error> {
    let status = Some(NodeStatus::Maintenance.into());
    let change = NodeChange { status, ..NodeChange::default() };
    hub.change_node(node_id, &change).timeout(SOON).send().await.map(|_| ())
}

/// Says good-bye: the hub takes back at once what the node still holds.
pub(crate) async fn shut_down(hub: &Hub, node_id: &NodeId) -> Result<(), Error> {
    hub.shut_down_node(node_id).timeout(SOON).send().await.map(|_| ())
}

/// Whether the message has text already.
pub(crate) async fn has_text(hub: &Hub, message_id: &str, patience: Duration) -> bool {
    let message = hub.message(&message_id.into()).patient(patience).fetch().await;
    message.is_ok_and(|message| !message.text.is_empty())
}

pub(crate) fn in_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// So many milliseconds, as a hub has answered them.
pub(crate) fn millis(count: i64) -> Duration {
    Duration::from_millis(u64::try_from(count).unwrap_or_default())
}

/// Whether an answer says this.
pub(crate) fn is(error: &Error, code: Code) -> bool {
    error.problem().is_some_and(|problem| problem.code == code)
}
