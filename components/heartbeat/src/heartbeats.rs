//! Heartbeats, one or many, and what they say about a node.

use reef_domain::heartbeat::{Claim, Heartbeat, SelfStatus};
use reef_domain::limits::{HEARTBEAT_BATCH_MAX, HEARTBEAT_SCRIPT_MAX};
use reef_domain::node::Status;
use reef_domain::time::UnixMillis;
use reef_domain::{Invalid, NodeId, id};
use reef_store::heartbeat::{Beat, BeatOutcome, Beats};
use reef_store::node::Get;
use reef_store::task::ClaimState;
use reef_store::{Answered, Redis};
use reef_web::extract::{array, lax_float, lax_int, object, object_of};
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Context, Problem, Response};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct HeartbeatBody {
    /// Processor load in percent.
    #[serde(default, deserialize_with = "lax_float")]
    cpu_usage: Option<f64>,
    /// Memory in use in percent.
    #[serde(default, deserialize_with = "lax_float")]
    memory_usage: Option<f64>,
    /// Disk in use in percent.
    #[serde(default, deserialize_with = "lax_float")]
    disk_usage: Option<f64>,
    /// Tasks that the node runs by its own count.
    #[serde(default, deserialize_with = "lax_int")]
    running_tasks: Option<i64>,
    /// What the node says of itself; left out, it takes work.
    status: Option<String>,
    /// Tasks that it holds; their leases are renewed.
    claims: Option<Vec<ClaimBody>>,
    /// As registration answered it; a node that registered again since fences this one.
    #[serde(default, deserialize_with = "lax_int")]
    incarnation: Option<i64>,
    /// Only in a batch.
    node_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "HeldClaim"))]
pub(crate) struct ClaimBody {
    /// The task.
    task_id: String,
    /// The token that came with the claim.
    token: String,
}

impl HeartbeatBody {
    /// Omitted metrics become 0, as in the older service.
    fn check(self) -> Result<Heartbeat, Invalid> {
        let mut invalid = Invalid::new();
        let status = self.status.as_deref().and_then(|text| {
            let status = SelfStatus::parse(text);
            invalid.require(status.is_some(), "status", "must be online or busy");
            status
        });
        let claims = self.claims.unwrap_or_default().into_iter();
        let heartbeat = Heartbeat {
            cpu_usage: self.cpu_usage.unwrap_or_default(),
            memory_usage: self.memory_usage.unwrap_or_default(),
            disk_usage: self.disk_usage.unwrap_or_default(),
            running_tasks: self.running_tasks.unwrap_or_default(),
            status,
            incarnation: self.incarnation,
            claims: claims.map(|c| Claim { task_id: c.task_id, token: c.token }).collect(),
        };
        match heartbeat.validate() {
            Ok(heartbeat) => invalid.finish(heartbeat),
            Err(more) => {
                invalid.extend(more);
                Err(invalid)
            }
        }
    }
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct HeartbeatAnswer<'a> {
    success: bool,
    message: &'static str,
    node_id: &'a str,
    timestamp: UnixMillis,
    next_heartbeat_ms: i64,
    renewed: Vec<&'a str>,
    revoked: Vec<&'a str>,
    cancelled: Vec<&'a str>,
    drain: bool,
    inbox: i64,
    leader: Option<&'a str>,
    term: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct HeartbeatFailure<'a> {
    success: bool,
    status: u16,
    code: &'static str,
    message: &'a str,
    node_id: Option<&'a str>,
}

/// `POST /nodes/{id}/heartbeat`
pub(crate) async fn beat<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let node_id = cx.node_id()?;
    let heartbeat = object::<HeartbeatBody>(cx.request)?.check()?;
    let node_id = node_id.as_str();
    let answered = take(cx, &[(node_id, &heartbeat)], 0).await?;
    let beats = &answered.value;
    let outcome = beats.outcomes.first();
    let outcome = outcome.ok_or_else(|| Problem::internal("a heartbeat without an outcome"))?;
    let answer = accepted(cx, node_id, &heartbeat, beats, outcome);
    mark_replayed(answer.map(|answer| Response::json(&answer)), answered.replayed)
}

async fn take<R: Redis>(
    cx: &Context<'_, R>,
    heartbeats: &[(&str, &Heartbeat)],
    part: usize,
) -> Result<Answered<Beats>, Problem> {
    let call = Beat {
        heartbeats,
        writer: cx.caller.writer(),
        key_ttl_ms: cx.config.settings.heartbeat_key_ttl_ms,
    };
    let once = cx.once.as_ref().map(|once| once.part(part));
    Ok(cx.store.call_once(&call, once.as_ref()).await?)
}

fn accepted<'a, R>(
    cx: &Context<'_, R>,
    node_id: &'a str,
    heartbeat: &'a Heartbeat,
    beats: &'a Beats,
    outcome: &'a BeatOutcome,
) -> Result<HeartbeatAnswer<'a>, Problem> {
    let (status, inbox, states) = match outcome {
        BeatOutcome::Ok { status, inbox, claims } => (status, *inbox, claims),
        BeatOutcome::NotFound => return Err(Problem::unknown_node(node_id)),
        BeatOutcome::Forbidden => return Err(Problem::foreign("node")),
        BeatOutcome::Fenced => return Err(Problem::replaced_node(node_id)),
    };
    let timeout = cx.config.settings.heartbeat_timeout;
    let of_state = |wanted: ClaimState| {
        let claims = heartbeat.claims.iter().zip(states);
        claims
            .filter(|(_, state)| **state == wanted)
            .map(|(claim, _)| claim.task_id.as_str())
            .collect()
    };
    Ok(HeartbeatAnswer {
        success: true,
        message: "心跳更新成功",
        node_id,
        timestamp: beats.now,
        next_heartbeat_ms: timeout.next_heartbeat_ms(beats.nodes, beats.jitter),
        renewed: of_state(ClaimState::Renewed),
        revoked: of_state(ClaimState::Revoked),
        cancelled: of_state(ClaimState::Cancelled),
        drain: status == Status::Maintenance.as_str(),
        inbox,
        leader: beats.leader.as_deref(),
        term: beats.term,
        status: None,
    })
}

/// `POST /heartbeats`: one result for each entry, in order. An entry that cannot be taken fails
/// alone.
pub(crate) async fn beat_many<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let entries: Vec<Box<RawValue>> = array(cx.request)?;
    if entries.len() > HEARTBEAT_BATCH_MAX {
        return Err(Problem::field("body", "must not list more than 1000 heartbeats"));
    }
    let entries: Vec<Entry> = entries.iter().map(|raw| Entry::read(raw)).collect();
    let good: Vec<(&str, &Heartbeat)> = entries.iter().filter_map(Entry::good).collect();
    let mut answered = Vec::with_capacity(1);
    for (part, some) in in_parts(&good).into_iter().enumerate() {
        answered.push(take(cx, some, part).await?);
    }
    let replayed = answered.iter().any(|part| part.replayed);
    let mut outcomes = answered
        .iter()
        .flat_map(|part| part.value.outcomes.iter().map(|outcome| (&part.value, outcome)));
    let mut results = Vec::with_capacity(entries.len());
    for entry in &entries {
        results.push(match entry {
            Entry::Bad { node_id, problem } => failure(node_id.as_deref(), problem)?,
            Entry::Good { node_id, heartbeat } => {
                let (beats, outcome) = outcomes
                    .next()
                    .ok_or_else(|| Problem::internal("a heartbeat without an outcome"))?;
                match accepted(cx, node_id, heartbeat, beats, outcome) {
                    Ok(answer) => to_raw(&HeartbeatAnswer { status: Some(200), ..answer })?,
                    Err(problem) => failure(Some(node_id), &problem)?,
                }
            }
        });
    }
    mark_replayed(Ok(Response::json(&results)), replayed)
}

/// Splits a batch into what one script settles: a claim weighs as much as a heartbeat.
fn in_parts<'a>(heartbeats: &'a [(&'a str, &'a Heartbeat)]) -> Vec<&'a [(&'a str, &'a Heartbeat)]> {
    let mut weight = 0;
    heartbeats
        .chunk_by(|(_, this), (_, next)| {
            weight += 1 + this.claims.len();
            let fits = weight + 1 + next.claims.len() <= HEARTBEAT_SCRIPT_MAX;
            if !fits {
                weight = 0;
            }
            fits
        })
        .collect()
}

/// One entry of a batch.
enum Entry {
    Good { node_id: String, heartbeat: Heartbeat },
    Bad { node_id: Option<String>, problem: Problem },
}

impl Entry {
    fn read(raw: &RawValue) -> Self {
        let body: HeartbeatBody = match object_of(raw.get()) {
            Ok(body) => body,
            Err(problem) => return Self::Bad { node_id: None, problem },
        };
        let node_id = body.node_id.clone();
        let known = node_id.as_deref().unwrap_or_default();
        if NodeId::parse(known).is_err() {
            return Self::Bad { node_id, problem: Problem::field("node_id", id::RULE) };
        }
        match body.check() {
            Ok(heartbeat) => Self::Good { node_id: known.to_owned(), heartbeat },
            Err(invalid) => Self::Bad { node_id, problem: invalid.into() },
        }
    }

    fn good(&self) -> Option<(&str, &Heartbeat)> {
        match self {
            Self::Good { node_id, heartbeat } => Some((node_id, heartbeat)),
            Self::Bad { .. } => None,
        }
    }
}

fn failure(node_id: Option<&str>, problem: &Problem) -> Result<Box<RawValue>, Problem> {
    to_raw(&HeartbeatFailure {
        success: false,
        status: problem.code.status(),
        code: problem.code.as_str(),
        message: &problem.detail,
        node_id,
    })
}

fn to_raw(value: &impl Serialize) -> Result<Box<RawValue>, Problem> {
    serde_json::value::to_raw_value(value).map_err(|e| Problem::internal(e.to_string()))
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct NodeHealth<'a> {
    node_id: &'a str,
    hostname: &'a str,
    healthy: bool,
    status: &'a str,
    last_heartbeat: UnixMillis,
    time_since_heartbeat: f64,
    is_timeout: bool,
    cpu_usage: f64,
    memory_usage: f64,
    disk_usage: f64,
    running_tasks: i64,
    max_concurrent_tasks: i64,
    available_capacity: i64,
}

/// `GET /nodes/{id}/health`
pub(crate) async fn node_health<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let node_id = cx.node_id()?;
    let sighting = cx.store.call(&Get { node_id: node_id.as_str() }).await?;
    let sighting = sighting.ok_or_else(|| Problem::unknown_node(node_id.as_str()))?;
    let node = &sighting.node;
    let is_timeout = sighting.silent_ms > cx.config.settings.heartbeat_timeout.as_millis();
    let since_ms = (sighting.now.0 - node.last_heartbeat.0).max(0);
    #[allow(clippy::cast_precision_loss, reason = "exact for 285 000 years of milliseconds")]
    let time_since_heartbeat = since_ms as f64 / 1000.0;
    Ok(Response::json(&NodeHealth {
        node_id: &node.node_id,
        hostname: &node.hostname,
        healthy: node.status == Status::Online.as_str() && !is_timeout,
        status: &node.status,
        last_heartbeat: node.last_heartbeat,
        time_since_heartbeat,
        is_timeout,
        cpu_usage: node.cpu_usage,
        memory_usage: node.memory_usage,
        disk_usage: node.disk_usage,
        running_tasks: node.running_tasks,
        max_concurrent_tasks: node.max_concurrent_tasks,
        available_capacity: node.max_concurrent_tasks - node.running_tasks,
    }))
}
