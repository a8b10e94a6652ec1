//! What is done for a task: a command, or a workflow.

use std::time::Duration;

use reef_client::Hub;
use tokio::time::sleep;

use crate::api;
use crate::command::Handler;
use crate::lease::Lease;
use crate::outcome::{Ended, Orders};
use crate::output::Outlet;
use crate::task::Task;
use crate::workflow::{Workflow, Workflows};

/// How long is asked for what the message holds, before it is taken for empty.
const LOOK_PATIENCE: Duration = Duration::from_secs(20);

/// What this worker can do.
#[derive(Debug)]
pub(crate) struct Executor {
    pub(crate) handler: Option<Handler>,
    pub(crate) workflows: Option<Workflows>,
}

impl Executor {
    /// Does it, to its end. A task that asks for a workflow gets it; all others are the command's.
    pub(crate) async fn run(
        &self,
        hub: &Hub,
        task: &Task,
        lease: &Lease,
        outlet: Outlet,
        orders: Orders,
    ) -> Ended {
        if let (Some(workflows), Some(workflow)) = (&self.workflows, Workflow::of(task)) {
            let work = work_out(workflows, workflow, hub, task, outlet);
            let limit = task.timeout();
            return tokio::select! {
                biased;
                order = orders.ordered() => Ended::Stopped(order.reason),
                ended = work => ended,
                () = elapsed(limit) => {
                    let seconds = limit.unwrap_or_default().as_secs_f64();
                    Ended::retryable(format!("it took longer than its timeout of {seconds} s"))
                }
            };
        }
        match &self.handler {
            Some(handler) => handler.run(task, lease, outlet, orders).await,
            None => {
                Ended::retryable("the task names no workflow, and its worker runs nothing else")
            }
        }
    }
}

async fn work_out(
    workflows: &Workflows,
    workflow: Workflow,
    hub: &Hub,
    task: &Task,
    outlet: Outlet,
) -> Ended {
    let has_text = match task.message_id() {
        Some(message_id) => api::has_text(hub, message_id, LOOK_PATIENCE).await,
        None => false,
    };
    workflows.run(workflow, task, &outlet, has_text).await
}

/// Completes after the limit, if there is one.
pub(crate) async fn elapsed(limit: Option<Duration>) {
    match limit {
        Some(limit) => sleep(limit).await,
        None => std::future::pending().await,
    }
}
