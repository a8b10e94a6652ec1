//! `reef tasks edit`: a task that waits is changed, or the priority of many.

use clap::Args;
use reef_api::TaskId;
use reef_api::bulk::BulkAction;
use reef_api::task::{SubmittedTask, TaskEditBody};
use serde_json::{Map, Value};

use super::bulk::{How, change_many};
use super::find::{Filters, labels};
use super::work::{parameters, priority};
use crate::Context;
use crate::failure::Failure;
use crate::table::shown;

#[derive(Debug, Args)]
pub(crate) struct EditArgs {
    /// The task's id; else those that a filter matches
    #[arg(required_unless_present = "filters", conflicts_with_all = ["filters", "most", "dry_run", "no_wait"])]
    task: Option<TaskId>,
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    how: How,
    /// What it is called
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// What it is about
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A skill that its worker must have, in place of those that it asks for; repeatable
    #[arg(long = "skill", value_name = "SKILL")]
    skills: Vec<String>,
    /// What its worker has to know: a JSON object
    #[arg(long, value_name = "JSON")]
    parameters: Option<String>,
    /// critical, high, normal or low
    #[arg(long, value_parser = ["critical", "high", "normal", "low"])]
    priority: Option<String>,
    /// How long it may run, in seconds
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<f64>,
    /// How often it is tried again
    #[arg(long, value_name = "N")]
    max_retries: Option<u32>,
    /// How long it is kept back from now on; 0: no longer
    #[arg(long, value_name = "MS")]
    delay_ms: Option<i64>,
    /// A label, in place of those that it has; repeatable
    #[arg(long = "label", value_name = "KEY=VALUE")]
    labels: Vec<String>,
    /// Only while it is pending, scheduled or waiting
    #[arg(long, value_name = "STATUS", value_parser = ["pending", "scheduled", "waiting"])]
    if_status: Option<String>,
}

/// Sets the priority of many: nothing else of them can be changed at once.
async fn edit_many(
    cx: &Context,
    filters: &Filters,
    how: How,
    body: &TaskEditBody<Map<String, Value>>,
) -> Result<(), Failure> {
    let priority = body.priority;
    let only = TaskEditBody::<Map<String, Value>> { priority, ..TaskEditBody::default() };
    if priority.is_none() || serde_json::to_value(body)? != serde_json::to_value(only)? {
        let words = "of many tasks --priority can be changed, and nothing else";
        return Err(Failure::Usage(words.to_owned()));
    }
    change_many(cx, BulkAction::SetPriority, priority, filters.read()?, how).await
}

pub(crate) async fn run(cx: &Context, args: EditArgs) -> Result<(), Failure> {
    let body = TaskEditBody::<Map<String, Value>> {
        name: args.name,
        description: args.description,
        required_skills: (!args.skills.is_empty()).then_some(args.skills),
        parameters: parameters(args.parameters.as_deref())?,
        priority: priority(args.priority.as_deref()),
        timeout: args.timeout,
        max_retries: args.max_retries.map(i64::from),
        delay_ms: args.delay_ms,
        labels: labels(&args.labels)?,
        if_status: args.if_status,
        ..TaskEditBody::default()
    };
    let Some(task) = args.task else {
        return edit_many(cx, &args.filters, args.how, &body).await;
    };
    let answer = cx.hub.edit_task(&task, &body).once().send().await?;
    cx.out.answer(&answer, |SubmittedTask { task, routable, .. }| {
        let may = if routable { "" } else { "; no worker has these skills yet" };
        format!("{} is changed and {}{may}", shown(task.task_id), shown(task.status))
    })
}
