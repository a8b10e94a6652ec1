//! `reef tasks batch` and `signal`: flows of tasks.

use std::path::PathBuf;

use clap::Args;
use reef_api::TaskId;
use reef_api::flow::{BatchAnswer, BatchBody};
use reef_api::wait::{SignalAnswer, SignalBody};
use serde_json::value::RawValue;

use crate::Context;
use crate::failure::Failure;
use crate::table::{columns, shown};

#[derive(Debug, Args)]
pub(crate) struct BatchArgs {
    /// The body of POST /tasks/batch as JSON: tasks, and perhaps a group; - for standard input
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct SignalArgs {
    /// The task's id
    task: TaskId,
    /// What the signal is called
    name: String,
    /// What it brings: any JSON
    #[arg(long, value_name = "JSON")]
    payload: Option<String>,
}

pub(crate) async fn submit(cx: &Context, args: &BatchArgs) -> Result<(), Failure> {
    let text = if args.file.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(&args.file)
    };
    let name = args.file.display();
    let text = text.map_err(|error| Failure::Usage(format!("{name} cannot be read: {error}")))?;
    let body: BatchBody<Box<RawValue>> = serde_json::from_str(&text)
        .map_err(|error| Failure::Usage(format!("{name} is no batch: {error}")))?;
    let answer = cx.hub.submit_batch(&body).once().send().await?;
    cx.out.answer(&answer, |BatchAnswer { group_id, tasks, on_end }| {
        let rows = tasks.into_iter().chain(on_end).map(|task| {
            let may = if task.routable { "" } else { "no worker has its skills yet" };
            [task.task_id.to_string(), task.status.to_string(), may.to_owned()]
        });
        let tasks = columns(["task", "status", ""], rows);
        match group_id {
            Some(group_id) => format!("group  {}\n\n{tasks}", shown(group_id)),
            None => tasks,
        }
    })
}

pub(crate) async fn signal(cx: &Context, args: SignalArgs) -> Result<(), Failure> {
    let payload = args.payload.as_deref().map(serde_json::from_str::<Box<RawValue>>).transpose();
    let payload =
        payload.map_err(|error| Failure::Usage(format!("--payload must be JSON: {error}")))?;
    let body = SignalBody { name: Some(args.name), payload };
    let answer = cx.hub.signal_task(&args.task, &body).once().send().await?;
    cx.out.answer(&answer, |SignalAnswer { task_id, queued, .. }| match queued {
        0 => format!("{} goes on", shown(task_id)),
        queued => format!("{} has {queued} signals that it has not taken", shown(task_id)),
    })
}
