//! `reef tasks watch`: waits for the end of a task.

use std::time::{Duration, Instant};

use clap::Args;
use reef_api::TaskId;
use reef_api::task::{Task, TaskStatus};
use reef_client::Answer;

use super::show::details;
use crate::Context;
use crate::failure::Failure;
use crate::messages::seconds;

/// How long the hub is asked to wait each time.
pub(super) const WAIT_MS: u64 = 30_000;
/// How much longer than its wait an answer may take.
const SLACK: Duration = Duration::from_secs(10);
/// How long a hub may be away before the wait is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// The pause after an answer that did not wait, as from a hub without long polls.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// The task's id
    task: TaskId,
    /// Give up waiting after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
}

impl WatchArgs {
    /// Waits for as long as it takes.
    pub(crate) fn of(task: TaskId) -> Self {
        Self { task, timeout: None }
    }
}

pub(crate) async fn run(cx: &Context, args: &WatchArgs) -> Result<(), Failure> {
    let deadline = args.timeout.map(|timeout| Instant::now() + timeout);
    loop {
        let asked = Instant::now();
        let left = deadline.map(|deadline| deadline.saturating_duration_since(asked));
        let wait_ms = left.map_or(WAIT_MS, |left| millis(left).min(WAIT_MS));
        let answer = ask(cx, &args.task, wait_ms).await?;
        let task = answer.lenient()?.value;
        let status = &task.status;
        match status.known() {
            Some(status) if !status.is_end() => {}
            Some(TaskStatus::Completed) => return cx.out.answer(&answer, |task| details(&task)),
            _ => {
                cx.out.answer(&answer, |task| details(&task))?;
                return Err(Failure::Failed(format!("the task {} has ended: {status}", args.task)));
            }
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            let words = format!("the task {} is still {status}", args.task);
            return Err(Failure::Failed(words));
        }
        let pause = PAUSE.min(left.unwrap_or(PAUSE));
        if asked.elapsed() < PAUSE {
            tokio::time::sleep(pause).await;
        }
    }
}

/// Asks for a task, and waits for its end for so long.
pub(super) async fn ask(
    cx: &Context,
    task: &TaskId,
    wait_ms: u64,
) -> Result<Answer<Task>, Failure> {
    let request = cx.hub.task(task).query("wait_ms", wait_ms);
    let timeout = Duration::from_millis(wait_ms) + SLACK;
    Ok(request.timeout(timeout).patient(timeout + PATIENCE).send().await?)
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
