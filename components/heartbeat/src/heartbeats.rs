//! Heartbeats, one or many, and what they say about a node.

use std::borrow::Cow;

use reef_api::NodeId;
use reef_api::heartbeat::{HeartbeatAnswer, HeartbeatBody, HeartbeatFailure};
use reef_api::node::{NodeHealth, NodeStatus};
use reef_domain::heartbeat::{self, Heartbeat};
use reef_domain::limits::{HEARTBEAT_BATCH_MAX, HEARTBEAT_SCRIPT_MAX};
use reef_domain::{Invalid, id};
use reef_store::heartbeat::{Beat, BeatOutcome, Beats};
use reef_store::node::Get;
use reef_store::task::ClaimState;
use reef_store::{Answered, Redis};
use reef_web::extract::{array, object, object_of};
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Context, Problem, Response};
use serde::Serialize;
use serde_json::value::RawValue;

/// `POST /nodes/{id}/heartbeat`
pub(crate) async fn beat<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let node_id = cx.node_id()?;
    let heartbeat = heartbeat::check(object(cx.request)?)?;
    let answered = take(cx, &[(&node_id, &heartbeat)], 0).await?;
    let beats = &answered.value;
    let outcome = beats.outcomes.first();
    let outcome = outcome.ok_or_else(|| Problem::internal("a heartbeat without an outcome"))?;
    let answer = accepted(cx, &node_id, &heartbeat, beats, outcome);
    mark_replayed(answer.map(|answer| Response::json(&answer)), answered.replayed)
}

async fn take<R: Redis>(
    cx: &Context<'_, R>,
    heartbeats: &[(&NodeId, &Heartbeat)],
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
    node_id: &'a NodeId,
    heartbeat: &'a Heartbeat,
    beats: &'a Beats,
    outcome: &'a BeatOutcome,
) -> Result<HeartbeatAnswer<'a>, Problem> {
    let (status, inbox, states, held, lost) = match outcome {
        BeatOutcome::Ok { status, inbox, claims, held, lost } => {
            (status, *inbox, claims, held, lost)
        }
        BeatOutcome::NotFound => return Err(Problem::unknown_node(node_id)),
        BeatOutcome::Forbidden => return Err(Problem::foreign("node")),
        BeatOutcome::Fenced => return Err(Problem::replaced_node(node_id)),
    };
    let timeout = cx.config.settings.heartbeat_timeout;
    let of_state = |wanted: ClaimState| {
        let claims = heartbeat.claims.iter().zip(states);
        claims
            .filter(|(_, state)| **state == wanted)
            .map(|(claim, _)| Cow::Borrowed(&claim.task_id))
            .collect()
    };
    Ok(HeartbeatAnswer {
        success: true,
        message: "心跳更新成功".into(),
        node_id: Cow::Borrowed(node_id),
        timestamp: beats.now,
        next_heartbeat_ms: timeout.next_heartbeat_ms(beats.nodes, beats.jitter),
        renewed: of_state(ClaimState::Renewed),
        revoked: of_state(ClaimState::Revoked),
        cancelled: of_state(ClaimState::Cancelled),
        claims: heartbeat.renew_all.then(|| held.clone()),
        lost_claims: heartbeat.renew_all.then(|| lost.clone()),
        drain: *status == NodeStatus::Maintenance,
        inbox,
        leader: beats.leader.as_ref().map(Cow::Borrowed),
        term: beats.term,
        status: None,
    })
}

/// `POST /heartbeats`: one result for each entry, in order. An entry that cannot be taken fails
/// alone.
pub(crate) async fn beat_many<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let entries: Vec<Box<RawValue>> = array(cx.request)?;
    let mut invalid = Invalid::new();
    invalid.at_most_items("body", &entries, HEARTBEAT_BATCH_MAX);
    invalid.finish(())?;
    let entries: Vec<Entry> = entries.iter().map(|raw| Entry::read(raw)).collect();
    let good: Vec<(&NodeId, &Heartbeat)> = entries.iter().filter_map(Entry::good).collect();
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
            Entry::Bad { node_id, problem } => failure(node_id.as_ref(), problem)?,
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

/// Splits a batch into what one script settles.
fn in_parts<'a>(
    heartbeats: &'a [(&'a NodeId, &'a Heartbeat)],
) -> Vec<&'a [(&'a NodeId, &'a Heartbeat)]> {
    let mut weight = 0;
    heartbeats
        .chunk_by(|(_, this), (_, next)| {
            weight += this.weight();
            let fits = weight + next.weight() <= HEARTBEAT_SCRIPT_MAX;
            if !fits {
                weight = 0;
            }
            fits
        })
        .collect()
}

/// One entry of a batch.
enum Entry {
    Good { node_id: NodeId, heartbeat: Heartbeat },
    Bad { node_id: Option<NodeId>, problem: Problem },
}

impl Entry {
    fn read(raw: &RawValue) -> Self {
        let mut body: HeartbeatBody = match object_of(raw.get()) {
            Ok(body) => body,
            Err(problem) => return Self::Bad { node_id: None, problem },
        };
        let node_id = match body.node_id.take() {
            Some(node_id) if id::is_valid(node_id.as_str()) => node_id,
            node_id => return Self::Bad { node_id, problem: Problem::field("node_id", id::RULE) },
        };
        match heartbeat::check(body) {
            Ok(heartbeat) => Self::Good { node_id, heartbeat },
            Err(invalid) => Self::Bad { node_id: Some(node_id), problem: invalid.into() },
        }
    }

    fn good(&self) -> Option<(&NodeId, &Heartbeat)> {
        match self {
            Self::Good { node_id, heartbeat } => Some((node_id, heartbeat)),
            Self::Bad { .. } => None,
        }
    }
}

fn failure(node_id: Option<&NodeId>, problem: &Problem) -> Result<Box<RawValue>, Problem> {
    to_raw(&HeartbeatFailure {
        success: false,
        status: problem.code.status(),
        code: problem.code.into(),
        message: Cow::Borrowed(&problem.detail),
        node_id: node_id.map(Cow::Borrowed),
    })
}

fn to_raw(value: &impl Serialize) -> Result<Box<RawValue>, Problem> {
    serde_json::value::to_raw_value(value).map_err(|e| Problem::internal(e.to_string()))
}

/// `GET /nodes/{id}/health`
pub(crate) async fn node_health<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let node_id = cx.node_id()?;
    let sighting = cx.store.call(&Get { node_id: &node_id }).await?;
    let sighting = sighting.ok_or_else(|| Problem::unknown_node(&node_id))?;
    let node = sighting.node;
    let is_timeout = sighting.silent_ms > cx.config.settings.heartbeat_timeout.as_millis();
    let since_ms = (sighting.now.0 - node.last_heartbeat.0).max(0);
    #[allow(clippy::cast_precision_loss, reason = "exact for 285 000 years of milliseconds")]
    let time_since_heartbeat = since_ms as f64 / 1000.0;
    Ok(Response::json(&NodeHealth {
        node_id: node.node_id,
        hostname: node.hostname,
        healthy: node.status == NodeStatus::Online && !is_timeout,
        status: node.status,
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
