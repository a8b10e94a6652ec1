//! Heartbeats: they keep the node alive, renew the claims, and bring what the hub has to say.
//! Workers and agents send the same.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use reef_api::heartbeat::HeartbeatAnswer;
use reef_api::{Code, NodeId};
use reef_client::{Error, Hub};
use tokio::sync::{Mutex, Notify, watch};
use tokio::time::{Instant, sleep, timeout};

use crate::WorkerError;
use crate::api::{self, Node, Registration, millis};
use crate::attempt::Shared;
use crate::identity::Identity;
use crate::machine::{Figures, Meter};
use crate::moment::Moment;
use crate::outcome::Reason;

/// The pauses between heartbeats that are not answered: short, because leases run on.
const PAUSE_MIN: Duration = Duration::from_millis(250);
pub(crate) const PAUSE_MAX: Duration = Duration::from_secs(3);
/// What the pace may be, whatever a hub says.
const PACE_MIN: Duration = Duration::from_millis(50);
pub(crate) const PACE_MAX: Duration = Duration::from_secs(60);

/// What the last heartbeat has brought about the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) leader: Option<NodeId>,
    pub(crate) term: i64,
    /// This node is in maintenance.
    pub(crate) drain: bool,
}

/// What others know and want of the heartbeats.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    /// Told only when it changes.
    pub(crate) seen: watch::Sender<Seen>,
    /// Held while a heartbeat is on its way.
    flight: Mutex<()>,
    wanted: Notify,
    answered: watch::Sender<u64>,
}

impl Pulse {
    /// Waits until no heartbeat is on its way, but no longer than this.
    pub(crate) async fn settle(&self, patience: Duration) {
        let _ = timeout(patience, self.flight.lock()).await;
    }

    /// Has a heartbeat sent at once, and waits for its answer, but no longer than this.
    pub(crate) async fn beat_now(&self, patience: Duration) {
        self.settle(patience).await;
        let mut answered = self.answered.subscribe();
        self.wanted.notify_one();
        let _ = timeout(patience, answered.changed()).await;
    }
}

/// What sends the heartbeats.
pub(crate) struct Beats {
    pub(crate) shared: Arc<Shared>,
    pub(crate) registration: Registration,
    pub(crate) identity: Identity,
    /// Nothing where this system keeps its figures to itself.
    pub(crate) meter: Option<Meter>,
    pub(crate) node: watch::Sender<Node>,
    /// The longest pause between two heartbeats, where the hub asks for none that is shorter.
    pub(crate) pace_max: Duration,
}

impl Beats {
    /// Sends heartbeats until this node must not go on.
    pub(crate) async fn run(mut self) -> WorkerError {
        let mut pauses = pauses();
        let mut is_draining = false;
        loop {
            let pause = match self.beat().await {
                Ok(answer) => {
                    pauses = self::pauses();
                    if answer.drain != is_draining {
                        is_draining = answer.drain;
                        tracing::info!(is_draining, "the hub says whether this node takes tasks");
                    }
                    let pace = millis(answer.next_heartbeat_ms);
                    pace.min(self.pace_max).max(PACE_MIN)
                }
                Err(error) if api::is(&error, Code::Fenced) => return WorkerError::replaced(),
                Err(error) if api::is(&error, Code::NotFound) => {
                    tracing::warn!("the hub does not know this node: registering again");
                    match self.register_again().await {
                        Ok(()) => Duration::ZERO,
                        Err(error) => self.failed(&error, &mut pauses),
                    }
                }
                Err(error) => self.failed(&error, &mut pauses),
            };
            tokio::select! {
                () = sleep(pause) => {}
                () = self.shared.pulse.wanted.notified() => {}
            }
        }
    }

    fn failed(&self, error: &Error, pauses: &mut impl Iterator<Item = Duration>) -> Duration {
        tracing::warn!(%error, "no heartbeat");
        pauses.next().unwrap_or(PAUSE_MAX)
    }

    async fn beat(&mut self) -> Result<HeartbeatAnswer<'static>, Error> {
        let figures = self.meter.as_mut().map_or(Figures::UNKNOWN, Meter::read);
        let node = self.node.borrow().clone();
        let Shared { hub, claims, pulse, .. } = &*self.shared;
        let flight = pulse.flight.lock().await;
        // Counted while nobody can end a task unseen.
        let (listed, running) = claims.list();
        let asked = Moment::now();
        let answer = api::heartbeat(hub, &node, figures, running, &listed).fetch().await?;
        claims.renew(&listed, &answer.renewed, asked);
        claims.stop(&listed, &answer.revoked, Reason::Lost);
        claims.stop(&listed, &answer.cancelled, Reason::Cancelled);
        drop(flight);
        let leader = answer.leader.as_deref().cloned();
        let seen = Seen { leader, term: answer.term, drain: answer.drain };
        pulse.seen.send_if_modified(|last| {
            let is_new = *last != seen;
            *last = seen;
            is_new
        });
        pulse.answered.send_modify(|count| *count = count.wrapping_add(1));
        Ok(answer)
    }

    async fn register_again(&mut self) -> Result<(), Error> {
        let node_id = self.node.borrow().id.clone();
        let node = api::register(&self.shared.hub, &self.registration, Some(&node_id)).await?;
        tracing::info!(node = %node.id, "registered");
        self.identity.keep(&node.id);
        self.node.send_replace(node);
        Ok(())
    }
}

/// Registers for the first time, while the hub may still be starting.
///
/// # Errors
/// The hub does not take the node, or was not there for as long as `patience`.
pub(crate) async fn register(
    hub: &Hub,
    registration: &Registration,
    identity: &mut Identity,
    patience: Duration,
) -> Result<Node, Error> {
    let deadline = Instant::now() + patience;
    let mut pauses = pauses();
    loop {
        let error = match api::register(hub, registration, identity.node_id()).await {
            Ok(node) => {
                identity.keep(&node.id);
                return Ok(node);
            }
            Err(error) => error,
        };
        let pause = pauses.next().unwrap_or(PAUSE_MAX);
        if !error.is_transient() || Instant::now() + pause > deadline {
            return Err(error);
        }
        tracing::warn!(%error, "not registered yet");
        sleep(pause).await;
    }
}

/// Growing pauses, jittered, so that a fleet that lost its hub does not come back at once.
pub(crate) fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_min_delay(PAUSE_MIN)
        .with_max_delay(PAUSE_MAX)
        .with_jitter()
        .without_max_times()
        .build()
}
