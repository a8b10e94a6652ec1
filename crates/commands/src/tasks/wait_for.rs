//! `reef tasks wait-for`: waits for the end of several tasks.

use std::time::{Duration, Instant};

use clap::Args;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use reef_api::TaskId;
use reef_api::task::{Task, TaskStatus};
use reef_client::Answer;

use super::watch::{PAUSE, WAIT_MS, ask, millis};
use crate::Context;
use crate::failure::Failure;
use crate::messages::seconds;
use crate::table::shown;

/// Most tasks that are waited for at once: each has a connection of its own.
const TASKS_MAX: usize = 100;

#[derive(Debug, Args)]
pub(crate) struct WaitForArgs {
    /// Which tasks, at most 100
    #[arg(value_name = "TASK", required = true)]
    tasks: Vec<TaskId>,
    /// Until one of them has ended
    #[arg(long)]
    any: bool,
    /// Give up waiting after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
}

pub(crate) async fn run(cx: &Context, args: WaitForArgs) -> Result<(), Failure> {
    let WaitForArgs { tasks, any, timeout } = args;
    if tasks.len() > TASKS_MAX {
        let words = format!("at most {TASKS_MAX} tasks are waited for at once; see `reef groups`");
        return Err(Failure::Usage(words));
    }
    let deadline = timeout.map(|timeout| Instant::now() + timeout);
    let ends: FuturesUnordered<_> = tasks.iter().map(|task| ended(cx, task, deadline)).collect();
    let (mut ends, mut open, mut bad) = (ends, 0, 0);
    while let Some(end) = ends.next().await {
        let answer = end?;
        let Task { task_id, status, .. } = answer.lenient()?.value;
        if !status.is_end() {
            open += 1;
            continue;
        }
        bad += usize::from(!status.is_any(&[TaskStatus::Completed]));
        cx.out.answer(&answer, |_| format!("{} is {}", shown(task_id), shown(status)))?;
        if any {
            break;
        }
    }
    if open > 0 {
        return Err(Failure::Failed(format!("{open} of {} tasks have not ended", tasks.len())));
    }
    if bad > 0 {
        return Err(Failure::Failed(format!("{bad} of the tasks were not completed")));
    }
    Ok(())
}

/// A task once it has ended, or as it is when the time is over.
async fn ended(
    cx: &Context,
    task: &TaskId,
    deadline: Option<Instant>,
) -> Result<Answer<Task>, Failure> {
    loop {
        let asked = Instant::now();
        let left = deadline.map(|deadline| deadline.saturating_duration_since(asked));
        let wait_ms = left.map_or(WAIT_MS, |left| millis(left).min(WAIT_MS));
        let answer = ask(cx, task, wait_ms).await?;
        let is_over = deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if answer.lenient()?.value.status.is_end() || is_over {
            return Ok(answer);
        }
        if asked.elapsed() < PAUSE {
            tokio::time::sleep(PAUSE.min(left.unwrap_or(PAUSE))).await;
        }
    }
}
