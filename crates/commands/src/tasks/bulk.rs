//! `reef tasks bulk`: many tasks are changed at once.

use clap::{Args, Subcommand};
use reef_api::BulkId;
use reef_api::Word as _;
use reef_api::bulk::{Bulk, BulkAction, BulkBody, BulkStatus};
use reef_client::Answer;

use super::find::FilterArgs;
use super::work::priority;
use crate::failure::Failure;
use crate::table::facts;
use crate::{Context, EXIT_CODES, time};

#[derive(Debug, Subcommand)]
pub(crate) enum BulkVerb {
    /// Cancel those that have not ended
    #[command(before_help = "Examples:\n  reef tasks bulk cancel --label team=red --dry-run\n  reef tasks bulk cancel --label team=red --most 40 --reason 'wrong prompt'\n", after_help = EXIT_CODES)]
    Cancel(ChangeArgs),
    /// Try those again that have failed, run out of time or been cancelled
    #[command(before_help = "Examples:\n  reef tasks bulk retry --status failed --error 'rate limit' --dry-run\n", after_help = EXIT_CODES)]
    Retry(ChangeArgs),
    /// Forget those that have ended
    #[command(before_help = "Examples:\n  reef tasks bulk remove --status completed --until 2026-01-01T00:00:00Z --dry-run\n", after_help = EXIT_CODES)]
    Remove(ChangeArgs),
    /// Give those that wait another priority
    #[command(before_help = "Examples:\n  reef tasks bulk set-priority low --name index --dry-run\n", after_help = EXIT_CODES)]
    SetPriority(PriorityArgs),
    /// Show how far such a change is
    #[command(before_help = "Examples:\n  reef tasks bulk show BULK\n", after_help = EXIT_CODES)]
    Show(BulkArgs),
    /// Stop such a change; what it has done stays
    #[command(before_help = "Examples:\n  reef tasks bulk stop BULK\n", after_help = EXIT_CODES)]
    Stop(BulkArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// Change none if there are more than these: what --dry-run has found
    #[arg(long, value_name = "N", required_unless_present = "dry_run")]
    most: Option<i64>,
    /// Why, for whoever asks later
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    reason: Option<String>,
    /// Say how many would be changed, and change none
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PriorityArgs {
    /// critical, high, normal or low
    #[arg(value_parser = ["critical", "high", "normal", "low"])]
    priority: String,
    #[command(flatten)]
    change: ChangeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct BulkArgs {
    /// The change's id
    bulk: BulkId,
}

pub(crate) async fn run(cx: &Context, verb: BulkVerb) -> Result<(), Failure> {
    match verb {
        BulkVerb::Cancel(args) => change(cx, BulkAction::Cancel, None, args).await,
        BulkVerb::Retry(args) => change(cx, BulkAction::Retry, None, args).await,
        BulkVerb::Remove(args) => change(cx, BulkAction::Remove, None, args).await,
        BulkVerb::SetPriority(PriorityArgs { priority: word, change: args }) => {
            change(cx, BulkAction::SetPriority, priority(Some(&word)), args).await
        }
        BulkVerb::Show(BulkArgs { bulk }) => print(cx, &cx.hub.bulk(&bulk).send().await?),
        BulkVerb::Stop(BulkArgs { bulk }) => {
            print(cx, &cx.hub.stop_bulk(&bulk).once().send().await?)
        }
    }
}

async fn change(
    cx: &Context,
    action: BulkAction,
    priority: Option<i64>,
    args: ChangeArgs,
) -> Result<(), Failure> {
    let ChangeArgs { filter, most, reason, dry_run } = args;
    let body = BulkBody {
        action: Some(action.as_str().to_owned()),
        filter: Some(filter.read()?),
        priority,
        most,
        dry_run: Some(dry_run),
        reason,
    };
    print(cx, &cx.hub.start_bulk(&body).once().send().await?)
}

fn print(cx: &Context, answer: &Answer<Bulk>) -> Result<(), Failure> {
    cx.out.answer(answer, |bulk| details(&bulk))
}

fn details(bulk: &Bulk) -> String {
    let is_counted = bulk.status.is_any(&[BulkStatus::Counted]);
    let sample: Vec<&str> = bulk.sample.iter().map(|id| id.as_str()).collect();
    let count = |count: i64| if bulk.dry_run { String::new() } else { count.to_string() };
    facts([
        ("bulk", bulk.bulk_id.to_string()),
        ("action", bulk.action.to_string()),
        ("status", bulk.status.to_string()),
        ("matched", bulk.matched.to_string()),
        ("such as", if is_counted { sample.join(" ") } else { String::new() }),
        ("done", count(bulk.done)),
        ("skipped", count(bulk.skipped)),
        ("failed", count(bulk.failed)),
        ("reason", bulk.reason.clone()),
        ("began", time::of(bulk.created_at)),
        ("ended", bulk.ended_at.map(time::of).unwrap_or_default()),
    ])
}
