//! `reef tasks cancel`, `retry` and `rm`: tasks that are named, or those that a filter matches.

use clap::Args;
use reef_api::TaskId;
use reef_api::bulk::BulkAction;
use reef_api::find::TaskFilter;
use reef_client::Answer;
use serde_json::Value;

use super::bulk::{How, change_many};
use super::find::FilterArgs;
use crate::Context;
use crate::failure::Failure;
use crate::output::error as say_error;
use crate::table::{shown, text};

#[derive(Debug, Args)]
pub(crate) struct ManyArgs {
    /// Which tasks; else those that a filter matches
    #[arg(value_name = "TASK")]
    tasks: Vec<TaskId>,
    #[command(flatten)]
    filter: FilterArgs,
    /// All of yours; for the admin, of everybody
    #[arg(long, conflicts_with = "tasks")]
    all: bool,
    #[command(flatten)]
    how: How,
}

pub(crate) async fn run(cx: &Context, action: BulkAction, args: ManyArgs) -> Result<(), Failure> {
    let ManyArgs { tasks, filter, all, how } = args;
    let filter = filter.read()?;
    let filters = filter != TaskFilter::default();
    if !tasks.is_empty() {
        if filters || how.most.is_some() || how.dry_run || how.no_wait {
            let words = "tasks that are named are changed at once: a filter, --most, --dry-run and \
                         --no-wait are for those that are looked for";
            return Err(Failure::Usage(words.to_owned()));
        }
        return change_each(cx, action, &tasks).await;
    }
    if !filters && !all {
        let words =
            "name tasks, or say which with a filter such as --label team=red; --all means all";
        return Err(Failure::Usage(words.to_owned()));
    }
    change_many(cx, action, None, filter, how).await
}

/// Changes one after the other. What cannot be done with one of several is said, and the others are
/// changed all the same.
async fn change_each(cx: &Context, action: BulkAction, tasks: &[TaskId]) -> Result<(), Failure> {
    let mut failed = 0;
    for task in tasks {
        let request = match action {
            BulkAction::Cancel => cx.hub.cancel_task(task).answering::<Value>().once(),
            BulkAction::Retry => cx.hub.retry_task(task).answering::<Value>().once(),
            _ => cx.hub.remove_task(task).answering::<Value>(),
        };
        match request.send().await {
            Ok(answer) => print(cx, task, &answer)?,
            Err(error) if tasks.len() == 1 || error.is_transient() => return Err(error.into()),
            Err(error) => {
                say_error(&format!("{task}: {error}"));
                failed += 1;
            }
        }
    }
    match failed {
        0 => Ok(()),
        failed => Err(Failure::Failed(format!("{failed} of {} tasks are as before", tasks.len()))),
    }
}

fn print(cx: &Context, task: &TaskId, answer: &Answer<Value>) -> Result<(), Failure> {
    cx.out.answer(answer, |now| {
        let status = text(&now, "status");
        let status = if status.is_empty() { "removed" } else { &status };
        format!("{} is {status}", shown(task))
    })
}
