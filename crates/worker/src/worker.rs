//! The worker as a whole: registers, claims, runs, drains.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use reef_api::Code;
use reef_client::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::WorkerError;
use crate::api::{self, Node};
use crate::attempt::{self, Shared};
use crate::command::GRACE;
use crate::lease::Lease;
use crate::moment::Moment;
use crate::outcome::Reason;
use crate::task::Task;

/// How long a claim waits for a task: as long as a hub allows.
const WAIT: Duration = Duration::from_secs(30);
/// An answer that came as soon as this leaves the lease as good as new; a later one is confirmed
/// before anything is done.
const FRESH: Duration = Duration::from_secs(1);
/// The pause after an empty answer that did not wait, as from a hub without long polls.
const IDLE_PAUSE: Duration = Duration::from_secs(1);
/// The pause after a claim that was refused.
const REFUSED_PAUSE: Duration = Duration::from_secs(2);
/// How long a worker that was told twice to stop says good-bye.
const HASTE: Duration = Duration::from_secs(2);

/// A claim on its way: the tasks, and when they were asked for.
type Claiming = Pin<Box<dyn Future<Output = (Vec<Task>, Moment)>>>;

/// A registered worker. It lives on one thread, within a `LocalSet`: it waits more than it works,
/// and so a machine can hold many.
pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) node: watch::Receiver<Node>,
    pub(crate) slots: usize,
    pub(crate) lease: Duration,
    pub(crate) drain_timeout: Duration,
    running: JoinSet<()>,
    claiming: Option<Claiming>,
}

/// The signals that end a worker.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(crate) fn listen() -> std::io::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { terminate, interrupt: signal(SignalKind::interrupt())? })
    }

    /// The name of the next one.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            Some(()) = self.terminate.recv() => "SIGTERM",
            Some(()) = self.interrupt.recv() => "SIGINT",
            else => std::future::pending().await,
        }
    }
}

impl Worker {
    pub(crate) fn new(
        shared: Arc<Shared>,
        node: watch::Receiver<Node>,
        slots: usize,
        lease: Duration,
        drain_timeout: Duration,
    ) -> Self {
        let running = JoinSet::new();
        Self { shared, node, slots, lease, drain_timeout, running, claiming: None }
    }

    /// Works until a signal ends it, or `beats` says that it must not go on.
    pub(crate) async fn run(
        mut self,
        signals: &mut Signals,
        beats: impl Future<Output = WorkerError>,
    ) -> Result<(), WorkerError> {
        let mut beats = std::pin::pin!(beats);
        let ended = tokio::select! {
            biased;
            error = &mut beats => Err(error),
            name = signals.next() => Ok(name),
            never = self.work() => match never {},
        };
        let name = match ended {
            Ok(name) => name,
            Err(error) => {
                // Whoever took the name has got our claims, too, or the hub gives them away.
                self.shared.claims.stop_all(Reason::Lost, Duration::ZERO);
                self.finish(GRACE).await;
                return Err(error);
            }
        };
        tracing::info!(
            "{name}: finishing {} task(s); a second one stops at once",
            self.running.len()
        );
        let drained = tokio::select! {
            biased;
            _ = signals.next() => false,
            () = self.drain() => true,
            error = &mut beats => return Err(error),
        };
        if !drained {
            self.shared.claims.stop_all(Reason::Leaving, Duration::ZERO);
            let _ = timeout(HASTE, self.finish(HASTE)).await;
        }
        // Whatever is left goes back to the queue, without costing a try.
        let node_id = self.node.borrow().id.clone();
        match timeout(HASTE * 2, api::shut_down(&self.shared.hub, &node_id)).await {
            Ok(Ok(())) => tracing::info!("gone"),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the hub does not know that this node is gone")
            }
            Err(_) => tracing::warn!("the hub does not know that this node is gone"),
        }
        if drained { Ok(()) } else { Err(WorkerError::Interrupted) }
    }

    /// Claims tasks and runs them.
    async fn work(&mut self) -> std::convert::Infallible {
        loop {
            if self.claiming.is_none() && self.running.len() < self.slots {
                self.claiming = Some(Box::pin(self.claim()));
            }
            self.step().await;
        }
    }

    /// Waits for whatever comes next: tasks, or the end of one.
    async fn step(&mut self) {
        let claimed = async {
            match &mut self.claiming {
                Some(claiming) => claiming.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            (tasks, asked) = claimed => {
                self.claiming = None;
                let lease = (asked.elapsed() < FRESH).then(|| Lease::new(self.lease, asked));
                for task in tasks {
                    self.start(task, lease.as_ref());
                }
            }
            Some(ended) = self.running.join_next() => if let Err(error) = ended {
                tracing::error!(%error, "a task was left behind");
            },
        }
    }

    /// Runs a task beside the others.
    fn start(&mut self, task: Task, lease: Option<&Lease>) {
        let shared = Arc::clone(&self.shared);
        // Each task has a lease of its own.
        let lease = lease.map(Lease::detached);
        let length = self.lease;
        self.running.spawn_local(async move {
            let lease = match lease {
                Some(lease) => Some(lease),
                None => attempt::confirm(&shared.hub, &task, length).await,
            };
            if let Some(lease) = lease {
                attempt::run(shared, task, lease).await;
            }
        });
    }

    /// Claims as many tasks as there is room for. Pauses where there is no use in asking again.
    fn claim(&self) -> impl Future<Output = (Vec<Task>, Moment)> + use<> {
        let (hub, node, lease) = (self.shared.hub.clone(), self.node.clone(), self.lease);
        let limit = self.slots - self.running.len();
        async move {
            let asked = Moment::now();
            let node_id = node.borrow().id.clone();
            let tasks = match api::claim(&hub, &node_id, limit, lease, WAIT).await {
                Ok(tasks) => tasks,
                Err(error) => {
                    refused(&error);
                    sleep(REFUSED_PAUSE).await;
                    return (Vec::new(), asked);
                }
            };
            if tasks.is_empty() && asked.elapsed() < IDLE_PAUSE {
                sleep(IDLE_PAUSE).await;
            }
            (tasks, asked)
        }
    }

    /// Takes nothing new and waits for what runs, for as long as it may take.
    async fn drain(&mut self) {
        let node_id = self.node.borrow().id.clone();
        let deadline = Instant::now() + self.drain_timeout;
        if !self.running.is_empty() {
            // A claim that is waiting could still be given a task.
            let _ = timeout(HASTE, api::drain(&self.shared.hub, &node_id)).await;
        }
        let finished = async {
            while !self.running.is_empty() {
                self.step().await;
            }
        };
        if tokio::time::timeout_at(deadline, finished).await.is_err() {
            tracing::warn!("stopping {} task(s) that take too long", self.running.len());
            self.shared.claims.stop_all(Reason::Leaving, GRACE);
            self.finish(GRACE + HASTE).await;
        }
    }

    /// Waits for tasks that were stopped.
    async fn finish(&mut self, patience: Duration) {
        let all = async { while self.running.join_next().await.is_some() {} };
        if timeout(patience, all).await.is_err() {
            self.running.shutdown().await;
        }
    }
}

fn refused(error: &Error) {
    if api::is(error, Code::NotFound) {
        // The next heartbeat registers again.
        tracing::info!("the hub does not know this node yet");
    } else {
        tracing::warn!(%error, "no tasks can be claimed");
    }
}
