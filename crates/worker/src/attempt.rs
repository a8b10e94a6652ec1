//! One claim, from the moment it is ours to the moment the hub knows how it ended.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use reef_api::Code;
use reef_api::usage::UsageBody;
use reef_client::{Error, Hub};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::api::{self, End};
use crate::beats::Pulse;
use crate::claims::{Claims, Held};
use crate::command::GRACE;
use crate::executor::Executor;
use crate::lease::Lease;
use crate::log::TaskLog;
use crate::moment::{Moment, sleep_until};
use crate::outcome::{Ended, Orders, Reason, Stopper, stopper};
use crate::output::{self, Report};
use crate::relay::Relay;
use crate::task::Task;

/// How often progress is told at most.
const PROGRESS_PAUSE: Duration = Duration::from_millis(200);
/// The pause between two tries to renew a lease.
const RENEW_PAUSE: Duration = Duration::from_millis(500);
/// How long an end is told while the hub is away. The token keeps a late one from doing harm, and
/// a hub that was away has not counted that time.
const END_PATIENCE: Duration = Duration::from_secs(600);
/// How long an end waits for a heartbeat that is on its way.
const BEAT_PATIENCE: Duration = Duration::from_secs(1);

/// What all attempts share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) hub: Hub,
    pub(crate) executor: Executor,
    pub(crate) claims: Claims,
    pub(crate) pulse: Pulse,
    /// Commands' lines go to the logs of their tasks.
    pub(crate) logs: bool,
}

/// Runs a task that was claimed with a lease that is certainly ours.
pub(crate) async fn run(shared: Arc<Shared>, task: Task, lease: Lease) {
    let Shared { hub, executor, claims, pulse, logs } = &*shared;
    let log = logs.then(TaskLog::new);
    let (stopper, orders) = stopper();
    let held = Held {
        task_id: task.id().into(),
        lease: lease.clone(),
        stopper: stopper.clone(),
        is_over: false,
    };
    claims.add(task.token(), held);
    tracing::info!(task = task.id(), attempt = task.attempt(), "started");
    let (progress, progress_told) = watch::channel(Report::default());
    let work = async {
        let work = Work {
            hub,
            executor,
            lease: &lease,
            progress: &progress,
            stopper: &stopper,
            orders,
            log,
        };
        let ended = work.run(&task).await;
        claims.end(task.token());
        // A heartbeat that still counts this task must not arrive after its end: the hub would
        // keep its place occupied until the next one.
        pulse.settle(BEAT_PATIENCE).await;
        let usage = progress.borrow().usage.clone();
        conclude(hub, &task, ended, &usage).await
    };
    let reason = tokio::select! {
        reason = work => reason,
        never = keep(hub, &task, &lease, &stopper, progress_told) => match never {},
        never = watch_lease(&lease, &stopper) => match never {},
    };
    claims.remove(task.token());
    if matches!(reason, Some(Reason::Cancelled | Reason::Lost | Reason::OverBudget)) {
        // The hub counts it as running until it hears otherwise.
        pulse.beat_now(BEAT_PATIENCE).await;
    }
}

/// What the work on a claim needs.
struct Work<'a> {
    hub: &'a Hub,
    executor: &'a Executor,
    lease: &'a Lease,
    progress: &'a watch::Sender<Report>,
    stopper: &'a Stopper,
    orders: Orders,
    log: Option<TaskLog>,
}

impl Work<'_> {
    /// Does the work, again where it was to wait for what had come already. Where it ends as
    /// [`Ended::Waits`], the wait has begun and the claim is over.
    async fn run(&self, task: &Task) -> Ended {
        let mut now = task.clone();
        for number in 0.. {
            let ended = self.perform(&now).await;
            let Ended::Waits(wait) = &ended else { return ended };
            let usage = self.progress.borrow().usage.clone();
            match api::wait(self.hub, task, wait, &usage, number, END_PATIENCE).await {
                Ok(None) => return ended,
                Ok(Some(resume)) => now = now.resumed(wait.get("checkpoint"), resume),
                Err(Error::Problem(problem)) if matches!(problem.status, 400 | 413 | 422) => {
                    return Ended::fatal(format!("the hub does not take the wait: {problem}"));
                }
                Err(error) if api::is(&error, Code::Fenced) => return Ended::Stopped(Reason::Lost),
                Err(error) => return Ended::retryable(format!("the task cannot wait: {error}")),
            }
        }
        Ended::retryable("the task has waited too often")
    }

    /// Does the work once and brings what it says to the hub.
    async fn perform(&self, task: &Task) -> Ended {
        let Self { hub, executor, lease, progress, stopper, orders, log } = self;
        if let Some(part) = task.unreadable() {
            return Ended::fatal(format!("the task cannot be run as it is: {part}"));
        }
        let (outlet, outputs) = output::channel(log.clone());
        let relay = async {
            tokio::select! {
                relayed = Relay::new(hub, task, progress).run(outputs) => {
                    if relayed.is_err() {
                        stopper.stop(Reason::Lost, Duration::ZERO);
                    }
                }
                _ = orders.ordered() => {}
            }
        };
        let work = async {
            let ended = executor.run(hub, task, lease, outlet, orders.clone()).await;
            if let Some(log) = log {
                log.close();
            }
            ended
        };
        let bring = async {
            if let Some(log) = log {
                log.open();
                tokio::select! {
                    () = log.bring(hub, task) => {}
                    // The token is no good any more, or about to be.
                    _ = orders.ordered() => {}
                }
            }
        };
        // The log is opened before the command is started.
        let ((), ended, ()) = tokio::join!(bring, work, relay);
        match orders.current() {
            // What it said may not all have arrived.
            Some(order) => Ended::Stopped(order.reason),
            None => ended,
        }
    }
}

/// Tells the hub how the task ended, if it is for us to tell. Returns why it was stopped.
async fn conclude(hub: &Hub, task: &Task, ended: Ended, usage: &[UsageBody]) -> Option<Reason> {
    let id = task.id();
    let end = match ended {
        Ended::Stopped(reason) => {
            tracing::warn!(task = id, ?reason, "stopped");
            return Some(reason);
        }
        Ended::Waits(wait) => {
            let kind = wait.get("kind").map(ToString::to_string).unwrap_or_default();
            tracing::info!(task = id, kind, "waits");
            return None;
        }
        Ended::Completed { result, content, amount } => {
            tracing::info!(task = id, "completed");
            End::Complete { result, content, amount }
        }
        Ended::Snoozed { error, after } => {
            tracing::info!(task = id, error, ?after, "put off");
            End::snooze(error, after)
        }
        Ended::Failed { error, retryable } => {
            tracing::warn!(task = id, error, retryable, "failed");
            End::Fail { error, retryable }
        }
    };
    let told = async {
        match api::end(hub, task, &end, usage, END_PATIENCE).await {
            Err(Error::Problem(problem)) if matches!(problem.status, 400 | 413 | 422) => {
                let error = format!("the hub does not take the result: {problem}");
                tracing::warn!(task = id, error);
                let end = End::Fail { error, retryable: false };
                api::end(hub, task, &end, &[], END_PATIENCE).await
            }
            told => told,
        }
    };
    match told.await {
        Ok(()) => None,
        Err(error) if api::is(&error, Code::Fenced) => {
            tracing::warn!(task = id, "the claim was lost before: what it did has no effect");
            Some(Reason::Lost)
        }
        Err(error) => {
            tracing::warn!(task = id, %error, "its end cannot be told");
            Some(Reason::Lost)
        }
    }
}

/// Renews the lease where no heartbeat does, and tells how far the task is.
async fn keep(
    hub: &Hub,
    task: &Task,
    lease: &Lease,
    stopper: &Stopper,
    mut progress: watch::Receiver<Report>,
) -> Infallible {
    let mut kept = None;
    loop {
        let renew_at = lease.renew_at();
        tokio::select! {
            Ok(()) = progress.changed() => {}
            () = sleep_until(renew_at) => if lease.renew_at() > renew_at {
                continue;
            },
        }
        let mut report = progress.borrow_and_update().clone();
        if report.checkpoint == kept {
            report.checkpoint = None;
        }
        let checkpoint = report.checkpoint.clone();
        let asked = Moment::now();
        let pause = match api::progress(hub, task, report, lease.length()).await {
            Ok(standing) => {
                kept = checkpoint.or(kept);
                lease.renew(asked);
                if standing.cancelled {
                    stopper.stop(Reason::Cancelled, GRACE);
                } else if standing.wait_id.is_some() {
                    stopper.stop(Reason::OverBudget, GRACE);
                }
                PROGRESS_PAUSE
            }
            Err(error) if error.is_transient() => {
                // What was not told is told with the next try.
                progress.mark_changed();
                RENEW_PAUSE
            }
            Err(error) => {
                tracing::warn!(task = task.id(), %error, "the lease is not renewed");
                stopper.stop(Reason::Lost, Duration::ZERO);
                std::future::pending().await
            }
        };
        sleep(pause).await;
    }
}

/// Stops the task in time when nothing renews its lease.
async fn watch_lease(lease: &Lease, stopper: &Stopper) -> Infallible {
    loop {
        let stop_at = lease.stop_at();
        sleep_until(stop_at).await;
        if lease.stop_at() == stop_at {
            let left = lease.kill_at().left();
            stopper.stop(Reason::LeaseEnding, left);
            return std::future::pending().await;
        }
    }
}

/// Makes sure that a claim whose answer took its time is still ours, before anything is done.
pub(crate) async fn confirm(hub: &Hub, task: &Task, length: Duration) -> Option<Lease> {
    let confirmed = timeout(length, async {
        loop {
            let asked = Moment::now();
            match api::progress(hub, task, Report::default(), length).await {
                Ok(standing) => return (!standing.cancelled).then(|| Lease::new(length, asked)),
                Err(error) if error.is_transient() => sleep(RENEW_PAUSE).await,
                Err(error) => {
                    tracing::warn!(task = task.id(), %error, "the claim is no longer ours");
                    return None;
                }
            }
        }
    });
    confirmed.await.ok().flatten()
}
