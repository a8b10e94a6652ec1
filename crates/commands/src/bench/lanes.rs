//! What each connection of `reef bench` asks, and what is made and removed for it.

use std::time::Instant;

use futures_util::future::join_all;
use reef_api::heartbeat::HeartbeatBody;
use reef_api::message::{AppendBody, MessageBody, MessageCompleteBody};
use reef_api::node::Registration;
use reef_api::session::SessionBody;
use reef_api::task::{TaskBody, TaskClaimBody, TaskCompleteBody};
use reef_api::{MessageId, NodeId, SessionId, TaskId, Token};
use reef_client::{Error, Hub};
use serde::Deserialize;
use serde_json::Value;

use super::{Tally, What};
use crate::failure::Failure;

/// How much is appended at once, as a model's words come.
const PIECE: &str = "a few words, as they come from a model that is not in a hurry .\n";
/// How many pieces a message takes before another takes its place.
const PIECES: u32 = 1000;

/// All connections, and what was made for them.
pub(super) struct Lanes {
    pub(super) lanes: Vec<Lane>,
    hub: Hub,
    /// A name that nobody else has.
    name: String,
    nodes: Vec<NodeId>,
    session: Option<SessionId>,
}

/// One connection.
pub(super) struct Lane {
    hub: Hub,
    kind: Kind,
}

enum Kind {
    Idle,
    Beats(NodeId),
    Tasks { node: NodeId, skill: String, open: Option<TaskId> },
    Append { session: SessionId, message: Option<MessageId>, pieces: u32 },
}

/// What of a claimed task matters here.
#[derive(Debug, Deserialize)]
struct Claimed {
    token: Token,
}

/// Either the request's failure, or one that ends everything.
type Step = Result<Result<(), Error>, Failure>;

impl Lanes {
    pub(super) fn new(hub: &Hub, connections: u32) -> Self {
        let name = format!("bench-{}", uuid::Uuid::now_v7().simple());
        let lane = |_| Lane { hub: hub.clone(), kind: Kind::Idle };
        let lanes = (0..connections).map(lane).collect();
        Self { lanes, hub: hub.clone(), name, nodes: Vec::new(), session: None }
    }

    /// Makes what the load needs.
    pub(super) async fn set_up(&mut self, what: What) -> Result<(), Failure> {
        match what {
            What::Heartbeats => {
                for n in 0..self.lanes.len() {
                    let node = self.register(&format!("{}-{n}", self.name)).await?;
                    if let Some(lane) = self.lanes.get_mut(n) {
                        lane.kind = Kind::Beats(node);
                    }
                }
            }
            What::Tasks => {
                let node = self.register(&self.name.clone()).await?;
                for lane in &mut self.lanes {
                    let (node, skill) = (node.clone(), self.name.clone());
                    lane.kind = Kind::Tasks { node, skill, open: None };
                }
            }
            What::Append => {
                let session: SessionId = self.name.as_str().into();
                let body =
                    SessionBody { session_id: Some(session.clone()), ..SessionBody::default() };
                self.hub.create_session(&body).once().send().await?;
                self.session = Some(session.clone());
                for lane in &mut self.lanes {
                    let session = session.clone();
                    lane.kind = Kind::Append { session, message: None, pieces: 0 };
                }
            }
        }
        Ok(())
    }

    /// A node that only this load's tasks reach.
    async fn register(&mut self, hostname: &str) -> Result<NodeId, Failure> {
        let slots = i64::try_from(self.lanes.len()).unwrap_or(1);
        let form = Registration {
            hostname: Some(hostname.to_owned()),
            platform: Some(std::env::consts::OS.to_owned()),
            arch: reef_worker::arch_of_this_machine().map(str::to_owned),
            available_skills: Some(vec![self.name.clone()]),
            max_concurrent_tasks: Some(slots),
            tags: Some(vec!["reef-bench".to_owned()]),
            ..Registration::default()
        };
        let node = self.hub.register_node(&form).once().fetch().await?.node_id.into_owned();
        self.nodes.push(node.clone());
        Ok(node)
    }

    /// Removes what was made, and says what could not be.
    pub(super) async fn remove(&mut self) -> Vec<String> {
        let mut left = Vec::new();
        let ends = join_all(self.lanes.iter_mut().map(Lane::end)).await;
        left.extend(ends.into_iter().flatten());
        for node in &self.nodes {
            if let Err(error) = self.hub.remove_node(node).send().await {
                left.push(format!("the node {node} is still there: {error}"));
            }
        }
        if let Some(session) = &self.session {
            if let Err(error) = self.hub.close_session(session).send().await {
                left.push(format!("the session {session} is still open: {error}"));
            }
            let emptied = self.hub.clean_up_messages(session).query("keep_days", 0).send().await;
            if emptied.is_err() {
                left.push(format!(
                    "the messages of the session {session} are kept as long as all: only an admin's \
                     key removes them"
                ));
            }
        }
        left
    }
}

impl Lane {
    /// Asks once.
    pub(super) async fn step(&mut self, tally: &mut Tally) -> Step {
        let hub = &self.hub;
        match &mut self.kind {
            Kind::Idle => Ok(Ok(())),
            Kind::Beats(node) => {
                let body = HeartbeatBody::default();
                timed(tally, "heartbeat", hub.beat(node, &body).send()).await.map(just)
            }
            Kind::Tasks { node, skill, open } => {
                let begun = Instant::now();
                let body = TaskBody::<Value> {
                    name: Some("reef bench".to_owned()),
                    required_skills: Some(vec![skill.clone()]),
                    keep_completed_ms: Some(0),
                    keep_failed_ms: Some(0),
                    ..TaskBody::default()
                };
                let task = match timed(tally, "submit", hub.submit_task(&body).fetch()).await? {
                    Ok(submitted) => submitted.task.task_id,
                    Err(error) => return Ok(Err(error)),
                };
                *open = Some(task.clone());
                let done = run(hub, node, &task, tally).await?;
                if done.is_ok() {
                    *open = None;
                    tally.count("all three", begun.elapsed())?;
                }
                Ok(done)
            }
            Kind::Append { session, message, pieces } => {
                if let Some(full) = message.take_if(|_| *pieces >= PIECES) {
                    complete(hub, &full).await;
                }
                let message = match message {
                    Some(message) => message,
                    None => {
                        let body = MessageBody {
                            content: Some("reef bench".to_owned()),
                            ..MessageBody::default()
                        };
                        *pieces = 0;
                        match hub.send_message(session, &body).once().fetch().await {
                            Ok(sent) => message.insert(sent.assistant_message_id),
                            Err(error) => return Ok(Err(error)),
                        }
                    }
                };
                *pieces += 1;
                let body = AppendBody { delta: Some(PIECE.to_owned()), producer: None };
                timed(tally, "append", hub.append(message, &body).send()).await.map(just)
            }
        }
    }

    /// Ends what it has begun; says what could not be.
    async fn end(&mut self) -> Option<String> {
        match std::mem::replace(&mut self.kind, Kind::Idle) {
            Kind::Tasks { open: Some(task), .. } => {
                let error = self.hub.cancel_task(&task).once().send().await.err()?;
                // It may have ended after all.
                let has_ended = error.problem().is_some_and(|it| matches!(it.status, 404 | 409));
                (!has_ended).then(|| format!("the task {task} is still there: {error}"))
            }
            Kind::Append { message: Some(message), .. } => {
                complete(&self.hub, &message).await;
                None
            }
            _ => None,
        }
    }
}

/// Claims a task and completes it.
async fn run(hub: &Hub, node: &NodeId, task: &TaskId, tally: &mut Tally) -> Step {
    let body = TaskClaimBody {
        node_id: Some(node.clone()),
        task_id: Some(task.clone()),
        ..TaskClaimBody::default()
    };
    let claimed = match timed(tally, "claim", hub.claim::<Claimed>(&body).fetch()).await? {
        Ok(answer) => answer.tasks.into_iter().next(),
        Err(error) => return Ok(Err(error)),
    };
    let Some(Claimed { token }) = claimed else {
        return Ok(Err(Error::Malformed("a task of this load is not to be had".to_owned())));
    };
    let body = TaskCompleteBody::<Value, Value> {
        token: Some(token),
        result: Some(Value::Null),
        content: None,
        usage: None,
        amount: None,
    };
    let request = hub.post(["tasks", task.as_str(), "complete"]).json(&body);
    timed(tally, "complete", request.send()).await.map(just)
}

async fn complete(hub: &Hub, message: &MessageId) {
    // What stays open is closed with its session.
    let _ = hub.complete_message(message, &MessageCompleteBody::default()).send().await;
}

/// Counts how long a success took.
async fn timed<T>(
    tally: &mut Tally,
    kind: &'static str,
    request: impl Future<Output = Result<T, Error>>,
) -> Result<Result<T, Error>, Failure> {
    let begun = Instant::now();
    let answer = request.await;
    if answer.is_ok() {
        tally.count(kind, begun.elapsed())?;
    }
    Ok(answer)
}

fn just<T>(answer: Result<T, Error>) -> Result<(), Error> {
    answer.map(|_| ())
}
