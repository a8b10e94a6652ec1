//! `reef tasks bulk`: many tasks are changed at once. Whatever else changes many goes through
//! [`change_many`], too: it looks first, and says what it would hit.

use std::io::IsTerminal as _;
use std::time::Duration;

use clap::{Args, Subcommand};
use reef_api::BulkId;
use reef_api::Word as _;
use reef_api::bulk::{Bulk, BulkAction, BulkBody, BulkStatus};
use reef_api::find::TaskFilter;
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

/// The pause between two looks at a change that goes on.
const PAUSE: Duration = Duration::from_millis(300);
/// How long a hub may be away meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    how: How,
}

/// How many tasks are changed at once, and why.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct How {
    /// Change none if there are more than these: what --dry-run has found
    #[arg(long, value_name = "N")]
    pub(crate) most: Option<i64>,
    /// Why, for whoever asks later
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Say how many would be changed, and change none
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not wait until all are changed
    #[arg(long)]
    pub(crate) no_wait: bool,
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
    change_many(cx, action, priority, args.filter.read()?, args.how).await
}

/// Changes the tasks that a filter matches. Where nobody has said how many that may be, or why, it is
/// counted first, and whoever sits there is asked. Waits for its end, and fails where a task could not
/// be changed.
pub(crate) async fn change_many(
    cx: &Context,
    action: BulkAction,
    priority: Option<i64>,
    filter: TaskFilter,
    how: How,
) -> Result<(), Failure> {
    let How { most, reason, dry_run, no_wait } = how;
    let body = BulkBody {
        action: Some(action.as_str().to_owned()),
        filter: Some(filter),
        priority,
        most: None,
        dry_run: Some(true),
        reason: None,
    };
    if dry_run {
        let body = BulkBody { most, reason, ..body };
        let answer = cx.hub.start_bulk(&body).once().send().await?;
        return print(cx, &ended(cx, answer).await?);
    }
    let (most, reason) = match (most, reason) {
        (Some(most), Some(reason)) => (most, reason),
        (most, reason) => match agree(cx, &body, most, reason).await? {
            Some(agreed) => agreed,
            None => return Ok(()),
        },
    };
    let body = BulkBody { most: Some(most), reason: Some(reason), dry_run: Some(false), ..body };
    let answer = cx.hub.start_bulk(&body).once().send().await?;
    let answer = if no_wait { answer } else { ended(cx, answer).await? };
    print(cx, &answer)?;
    judge(&answer.lenient()?.value)
}

/// Waits until it has ended.
async fn ended(cx: &Context, mut answer: Answer<Bulk>) -> Result<Answer<Bulk>, Failure> {
    loop {
        let Bulk { bulk_id, status, .. } = answer.lenient()?.value;
        if !status.is_any(&[BulkStatus::Counting, BulkStatus::Running]) {
            return Ok(answer);
        }
        tokio::time::sleep(PAUSE).await;
        answer = cx.hub.bulk(&bulk_id).patient(PATIENCE).send().await?;
    }
}

fn judge(bulk: &Bulk) -> Result<(), Failure> {
    if bulk.failed > 0 {
        let words = format!("{} of {} tasks could not be changed", bulk.failed, bulk.matched);
        return Err(Failure::Failed(words));
    }
    if bulk.status.is_any(&[BulkStatus::Stopped, BulkStatus::Refused]) {
        return Err(Failure::Failed(format!("the change was {}", bulk.status)));
    }
    Ok(())
}

/// Counts what would be changed, and asks whether it shall be. Says how many may be, and why; nothing
/// where there is nothing to be changed, or nobody wants to.
async fn agree(
    cx: &Context,
    body: &BulkBody,
    most: Option<i64>,
    reason: Option<String>,
) -> Result<Option<(i64, String)>, Failure> {
    let counted = cx.hub.start_bulk(body).once().send().await?;
    let counted = ended(cx, counted).await?;
    let Bulk { matched, sample, action, .. } = counted.lenient()?.value;
    if matched == 0 {
        if cx.out.is_json() {
            print(cx, &counted)?;
        }
        cx.out.note("no task matches");
        return Ok(None);
    }
    let names = sample.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(" ");
    let words = format!("{action} would change {matched} tasks, such as {names}");
    if let Some(most) = most.filter(|most| matched > *most) {
        return Err(Failure::Failed(format!("{words}: more than --most {most}")));
    }
    if cx.out.is_json() || !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(format!(
            "{words}; with --most {matched} --reason TEXT it does"
        )));
    }
    cx.out.note(&words);
    let reason = match reason {
        Some(reason) => reason,
        None => asked(cx, "Why?").await?,
    };
    let typed = asked(cx, &format!("Type {matched} to go on:")).await?;
    if reason.is_empty() || typed != matched.to_string() {
        return Err(Failure::Failed("nothing was changed".to_owned()));
    }
    Ok(Some((matched, reason)))
}

/// What somebody types.
async fn asked(cx: &Context, question: &str) -> Result<String, Failure> {
    cx.out.note(question);
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line.trim().to_owned())
    });
    let unread = |error: &dyn std::fmt::Display| {
        Failure::Failed(format!("standard input cannot be read: {error}"))
    };
    read.await.map_err(|error| unread(&error))?.map_err(|error| unread(&error))
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
