//! `reef groups`: tasks that were submitted together.

use clap::{Args, Subcommand};
use reef_api::GroupId;
use reef_api::flow::{Group, GroupChanged};
use reef_client::Request;

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::table::{facts, or_empty, shown};
use crate::tasks::print_page;
use crate::{Context, EXIT_CODES, time};

/// Shown above the group's `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef groups show GROUP
  reef groups tasks GROUP
  reef groups cancel GROUP
";

/// `reef groups`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Groups {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show how the tasks of a group stand
    #[command(before_help = "Examples:\n  reef groups show GROUP\n", after_help = EXIT_CODES)]
    Show(GroupArgs),
    /// List the tasks of a group, in the order in which they were submitted
    #[command(before_help = "Examples:\n  reef groups tasks GROUP --limit 20\n", after_help = EXIT_CODES)]
    Tasks(TasksArgs),
    /// Cancel what has not ended of a group
    #[command(before_help = "Examples:\n  reef groups cancel GROUP\n", after_help = EXIT_CODES)]
    Cancel(GroupArgs),
    /// Try again what did not complete of a group
    #[command(before_help = "Examples:\n  reef groups retry GROUP\n", after_help = EXIT_CODES)]
    Retry(GroupArgs),
}

#[derive(Debug, Args)]
struct GroupArgs {
    /// The group's id
    group: GroupId,
}

#[derive(Debug, Args)]
struct TasksArgs {
    /// The group's id
    group: GroupId,
    #[command(flatten)]
    page: crate::tasks::PageArgs,
}

impl Groups {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Show(GroupArgs { group }) => {
                cx.out.answer(&cx.hub.group(&group).send().await?, |group| details(&group))
            }
            Verb::Tasks(TasksArgs { group, page }) => {
                print_page(cx, cx.hub.group_tasks(&group), page).await
            }
            Verb::Cancel(GroupArgs { group }) => {
                change(cx, cx.hub.cancel_group(&group), "cancelled").await
            }
            Verb::Retry(GroupArgs { group }) => {
                change(cx, cx.hub.retry_group(&group), "tried again").await
            }
        }
    }
}

async fn change(cx: &Context, request: Request<GroupChanged>, done: &str) -> Result<(), Failure> {
    let answer = request.once().send().await?;
    cx.out.answer(&answer, |GroupChanged { group_id, changed, .. }| {
        format!("{}: {changed} tasks are {done}", shown(group_id))
    })
}

/// How a group stands.
pub(crate) fn details(group: &Group) -> String {
    let seals = if group.sealed { "" } else { ", takes further tasks" };
    facts([
        ("group", group.group_id.to_string()),
        ("name", group.name.clone()),
        ("status", format!("{}{seals}", group.status)),
        ("tasks", group.total.to_string()),
        ("open", group.open.to_string()),
        ("completed", group.completed.to_string()),
        ("failed", group.failed.to_string()),
        ("cancelled", group.cancelled.to_string()),
        ("out of time", group.timeout.to_string()),
        ("first failure", or_empty(group.first_failure.as_ref())),
        ("made by", or_empty(group.parent.as_ref())),
        ("made", time::of(group.created_at)),
        ("ended", group.ended_at.map(time::of).unwrap_or_default()),
    ])
}
