//! The agent: keeps this machine registered with a hub, sends heartbeats with its real figures,
//! and follows the leader or campaigns to be it.
//!
//! What it promises: the command of `--on-elected` runs only while the leadership is certainly
//! ours, by this machine's own clock. It is stopped before the lease can run out, when the hub says
//! that somebody else leads, and, by its guards, when the agent itself is killed or paused.

mod args;
mod campaign;
mod hook;
mod once;

use std::sync::Arc;
use std::time::Duration;

use reef_api::{Code, NodeId};
use reef_client::{Error, Hub};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::WorkerError;
use crate::api::{self, Registration};
use crate::attempt::Shared;
use crate::beats::{self, Beats, Pulse, Seen};
use crate::claims::Claims;
use crate::executor::Executor;
use crate::identity::{Identity, IdentityError};
use crate::machine::{Facts, Meter};
use crate::setup::seconds;
use crate::worker::Signals;

use campaign::Campaign;
use hook::Hooks;

pub use args::{AgentArgs, DETAILS, EXAMPLES, Machine};
pub use once::{Once, beat_once};

/// How long a good-bye may take.
const FAREWELL: Duration = Duration::from_secs(4);
/// What a hub takes for the leader's lease, in seconds. It would take less, but the command must
/// have the time to end.
const TTL_SECONDS: std::ops::RangeInclusive<f64> = 0.5..=600.0;
/// The pace that may be asked for, in seconds.
const INTERVAL_SECONDS: std::ops::RangeInclusive<f64> = 0.05..=3600.0;

/// Registers, sends heartbeats, follows or campaigns, until SIGTERM or SIGINT.
///
/// # Errors
/// [`WorkerError`].
pub async fn run(args: AgentArgs, hub: Hub) -> Result<(), WorkerError> {
    let mut signals = Signals::listen().map_err(failed)?;
    let (beats, campaign) = tokio::select! {
        ready = start(&args, hub) => ready?,
        _ = signals.next() => return Err(WorkerError::Interrupted),
    };
    let (shared, node) = (Arc::clone(&beats.shared), beats.node.subscribe());
    let (stop, stopped) = watch::channel(false);
    let mut campaigning = std::pin::pin!(async {
        match campaign {
            Some(campaign) => campaign.run(stopped).await,
            None => until(stopped).await,
        }
    });
    let mut beating = std::pin::pin!(beats.run());
    let mut telling = std::pin::pin!(tell(shared.pulse.seen.subscribe()));
    tokio::select! {
        // Whoever has replaced us leads as the same node. What is dropped here ends at once.
        error = &mut beating => return Err(error),
        name = signals.next() => tracing::info!("{name}: leaving; a second one leaves at once"),
        () = &mut campaigning => {}
        () = &mut telling => {}
    }
    stop.send_replace(true);
    let left = tokio::select! {
        () = &mut campaigning => true,
        error = &mut beating => return Err(error),
        _ = signals.next() => false,
    };
    let node_id = node.borrow().id.clone();
    match timeout(FAREWELL, api::shut_down(&shared.hub, &node_id)).await {
        Ok(Ok(())) => tracing::info!("gone"),
        Ok(Err(error)) => tracing::warn!(%error, "the hub does not know that this node is gone"),
        Err(_) => tracing::warn!("the hub does not know that this node is gone"),
    }
    if left { Ok(()) } else { Err(WorkerError::Interrupted) }
}

async fn start(args: &AgentArgs, hub: Hub) -> Result<(Beats, Option<Campaign>), WorkerError> {
    // Before anything is sent, so that a mistake costs nothing.
    let ttl = within("--leader-ttl", args.leader_ttl.unwrap_or(30.0), TTL_SECONDS)?;
    let pace_max = match args.interval {
        Some(interval) => within("--interval", interval, INTERVAL_SECONDS)?,
        None => beats::PACE_MAX,
    };
    let patience = seconds("--start-timeout", args.start_timeout)?;
    let registration = args.machine.registration()?;
    let mut identity = args.machine.identity(&registration)?;
    let node = beats::register(&hub, &registration, &mut identity, patience).await?;
    args.machine.compare(&node.id);
    tracing::info!(node = %node.id, hub = hub.address(), "registered");

    let executor = Executor { handler: None, workflows: None };
    let (claims, pulse) = (Claims::default(), Pulse::default());
    let shared = Arc::new(Shared { hub, executor, claims, pulse, logs: false });
    let (node, node_seen) = watch::channel(node);
    let campaign = if args.campaign {
        let hooks = Hooks::new(args);
        Some(Campaign::new(Arc::clone(&shared), node_seen, ttl, hooks))
    } else {
        None
    };
    let meter = Meter::new();
    if let Err(error) = &meter {
        tracing::warn!(%error, "this machine's figures cannot be read");
    }
    Ok((Beats { shared, registration, identity, meter: meter.ok(), node, pace_max }, campaign))
}

impl Machine {
    fn registration(&self) -> Result<Registration, WorkerError> {
        let facts = Facts::gather(self.hostname.as_deref());
        let facts = facts.map_err(|error| WorkerError::Usage(error.to_string()))?;
        let (skills, tags) = (self.skills.clone(), self.tags.clone());
        Ok(Registration { facts, skills, tags, slots: self.slots })
    }

    /// Who this machine is: an id that was given, or else the one that was kept.
    fn identity(&self, registration: &Registration) -> Result<Identity, WorkerError> {
        let mut identity = Identity::open(&self.state_dir, &registration.facts.hostname)
            .map_err(|error: IdentityError| WorkerError::Failed(error.to_string()))?;
        if let Some(node_id) = &self.node_id {
            identity.keep(node_id);
        }
        Ok(identity)
    }

    /// A hub knows a machine by its hostname and keeps the id that it had first.
    fn compare(&self, actual: &NodeId) {
        if let Some(wanted) = self.node_id.as_ref().filter(|wanted| *wanted != actual) {
            tracing::warn!("the hub knows this machine as {actual}, not as {wanted}");
        }
    }
}

/// Logs who leads, whenever that changes.
async fn tell(mut seen: watch::Receiver<Seen>) {
    let mut last = (None, 0);
    loop {
        let Seen { leader, term, .. } = seen.borrow_and_update().clone();
        if (&leader, term) != (&last.0, last.1) {
            match &leader {
                Some(leader) => tracing::info!(leader = leader.as_str(), term, "the leader"),
                None => tracing::info!("nobody leads"),
            }
            last = (leader, term);
        }
        if seen.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

/// Completes when the agent shall end.
async fn until(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

fn within(
    flag: &str,
    value: f64,
    bounds: std::ops::RangeInclusive<f64>,
) -> Result<Duration, WorkerError> {
    if !bounds.contains(&value) {
        let words = format!("{flag} must be between {} and {}", bounds.start(), bounds.end());
        return Err(WorkerError::Usage(words));
    }
    seconds(flag, value)
}

fn failed(error: std::io::Error) -> WorkerError {
    WorkerError::Failed(error.to_string())
}

/// Says in the log why something was not done that is tried again.
fn put_off(error: &Error, what: &str) {
    if api::is(error, Code::NotFound) {
        // The next heartbeat registers again.
        tracing::info!("the hub does not know this node yet");
    } else {
        tracing::warn!(%error, "{what}");
    }
}
