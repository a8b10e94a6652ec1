//! What a worker asks of its hub.

use std::time::Duration;

use reef_client::{Error, Hub, Request};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::machine::{Facts, Figures};
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
    pub(crate) id: String,
    /// Fences a worker that another one has replaced. Unknown to whoever has not registered itself.
    pub(crate) incarnation: Option<u64>,
}

/// The answer to a registration, as far as it matters.
#[derive(Debug, Deserialize)]
struct Registered {
    node_id: String,
    node_info: NodeInfo,
}

#[derive(Debug, Deserialize)]
struct NodeInfo {
    incarnation: u64,
}

/// A claim that a heartbeat renews.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Listed {
    pub(crate) task_id: String,
    pub(crate) token: String,
}

/// The answer to a heartbeat, as far as it matters.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Beaten {
    pub(crate) next_heartbeat_ms: u64,
    pub(crate) renewed: Vec<String>,
    pub(crate) revoked: Vec<String>,
    pub(crate) cancelled: Vec<String>,
    pub(crate) drain: bool,
    pub(crate) inbox: u64,
    pub(crate) leader: Option<String>,
    pub(crate) term: u64,
}

/// The answer to a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Campaigned {
    pub(crate) is_leader: bool,
    pub(crate) leader: Option<String>,
    pub(crate) term: u64,
    pub(crate) ttl_ms: u64,
    /// For how long a leader before may not know that it leads no longer.
    #[serde(default)]
    pub(crate) former_ttl_ms: u64,
}

/// The answer to a claim.
#[derive(Debug, Deserialize)]
struct Claimed {
    /// Each by itself: what cannot be read of one must not cost the others.
    tasks: Vec<Box<RawValue>>,
}

/// The answer to a progress report, as far as it matters.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Standing {
    pub(crate) cancelled: bool,
}

/// How the work on a task has ended, for the hub.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum End {
    Complete {
        result: Value,
        #[serde(skip_serializing_if = "Option::is_none")]
        content: Option<Map<String, Value>>,
    },
    Fail {
        error: String,
        retryable: bool,
    },
}

pub(crate) async fn register(
    hub: &Hub,
    registration: &Registration,
    node_id: Option<&str>,
) -> Result<Node, Error> {
    let Registration { facts, skills, tags, slots } = registration;
    let body = json!({
        "hostname": facts.hostname,
        "platform": facts.platform,
        "arch": facts.arch,
        "available_skills": skills,
        "tags": tags,
        "max_concurrent_tasks": slots,
        "node_id": node_id,
    });
    let answer: Registered =
        hub.post(["nodes", "register"]).json(&body).once().timeout(SOON).fetch().await?;
    Ok(Node { id: answer.node_id, incarnation: Some(answer.node_info.incarnation) })
}

pub(crate) async fn beat(
    hub: &Hub,
    node: &Node,
    figures: Figures,
    running: usize,
    claims: &[Listed],
) -> Result<Beaten, Error> {
    heartbeat(hub, node, figures, running, claims).fetch().await
}

/// A heartbeat, to be sent.
pub(crate) fn heartbeat(
    hub: &Hub,
    node: &Node,
    figures: Figures,
    running: usize,
    claims: &[Listed],
) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(flatten)]
        figures: Figures,
        running_tasks: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        incarnation: Option<u64>,
        claims: &'a [Listed],
    }
    let body = Body { figures, running_tasks: running, incarnation: node.incarnation, claims };
    hub.post(["nodes", &node.id, "heartbeat"]).json(&body).timeout(SOON)
}

/// Takes the leadership, or renews it. Without an idempotency key: an old answer that came again
/// would speak of a lease that may be over.
pub(crate) async fn campaign(
    hub: &Hub,
    node: &Node,
    ttl: Duration,
    limit: Duration,
) -> Result<Campaigned, Error> {
    let Node { id, incarnation } = node;
    let body = json!({"node_id": id, "incarnation": incarnation, "ttl_ms": millis(ttl)});
    let request = hub.post(["cluster", "leader", "campaign"]).json(&body);
    request.timeout(limit.min(SOON)).fetch().await
}

/// Hands the leadership back.
pub(crate) async fn resign(hub: &Hub, node_id: &str, term: u64) -> Result<(), Error> {
    let body = json!({"node_id": node_id, "term": term});
    let request = hub.post(["cluster", "leader", "resign"]).json(&body).once();
    request.timeout(SOON).send().await.map(|_| ())
}

/// Claims up to `limit` tasks, waiting up to `wait` for the first. An answer that is lost on its
/// way is asked for again for as long as `lease`, after which what it holds is nobody's.
pub(crate) async fn claim(
    hub: &Hub,
    node_id: &str,
    limit: usize,
    lease: Duration,
    wait: Duration,
) -> Result<Vec<Task>, Error> {
    let body = json!({
        "node_id": node_id,
        "limit": limit,
        "lease_ms": millis(lease),
        "wait_ms": millis(wait),
    });
    let request = hub.post(["tasks", "claim"]).json(&body).once();
    let answer: Claimed = request.timeout(wait + POLL_SLACK).patient(lease + wait).fetch().await?;
    let mut tasks = Vec::with_capacity(answer.tasks.len());
    for task in &answer.tasks {
        match Task::read(task.get()) {
            Ok(task) => tasks.push(task),
            Err(error) => tracing::error!(%error, "a claimed task is left to its lease"),
        }
    }
    Ok(tasks)
}

/// Renews a lease, and says how far the task is if that is known.
pub(crate) async fn progress(
    hub: &Hub,
    task: &Task,
    share: Option<f64>,
    lease: Duration,
) -> Result<Standing, Error> {
    let body = json!({"token": task.token(), "progress": share, "lease_ms": millis(lease)});
    hub.post(["tasks", task.id(), "progress"]).json(&body).timeout(SOON).fetch().await
}

/// Ends a task, asking for up to `patience` while the hub is away.
pub(crate) async fn end(
    hub: &Hub,
    task: &Task,
    end: &End,
    patience: Duration,
) -> Result<(), Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        token: &'a str,
        #[serde(flatten)]
        end: &'a End,
    }
    let verb = match end {
        End::Complete { .. } => "complete",
        End::Fail { .. } => "fail",
    };
    let request = hub.post(["tasks", task.id(), verb]).json(&Body { token: task.token(), end });
    let key = format!("{}.{}.{verb}", task.id(), task.token());
    request.idempotency_key(key).patient(patience).send().await.map(|_| ())
}

/// Asks for no more tasks.
pub(crate) async fn drain(hub: &Hub, node_id: &str) -> Result<(), Error> {
    let body = json!({"status": "maintenance"});
    hub.patch(["nodes", node_id]).json(&body).timeout(SOON).send().await.map(|_| ())
}

/// Says good-bye: the hub takes back at once what the node still holds.
pub(crate) async fn shut_down(hub: &Hub, node_id: &str) -> Result<(), Error> {
    hub.post(["nodes", node_id, "shutdown"]).timeout(SOON).send().await.map(|_| ())
}

/// Whether the message has text already.
pub(crate) async fn has_text(hub: &Hub, message_id: &str, patience: Duration) -> bool {
    let message = hub.get(["messages", message_id]).patient(patience).fetch::<Value>().await;
    let text = message.ok().and_then(|message| Some(!message.get("text")?.as_str()?.is_empty()));
    text.unwrap_or(false)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Whether an answer says this.
pub(crate) fn is(error: &Error, code: &str) -> bool {
    error.problem().is_some_and(|problem| problem.code == code)
}
