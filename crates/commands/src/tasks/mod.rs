//! `reef tasks`: work for the fleet.

mod batch;
mod bulk;
mod edit;
mod find;
mod logs;
mod many;
mod show;
mod submit;
mod unique;
mod wait_for;
mod watch;
mod work;

use clap::{Args, Subcommand};
use reef_api::TaskId;
use reef_api::bulk::BulkAction;
use reef_api::task::{TaskRedriveAnswer, TaskRedriveBody, TaskRedriveFilter};

pub(crate) use self::bulk::{How, change_many};
pub(crate) use self::show::{PageArgs, print_page};
pub(crate) use self::work::WorkArgs;
use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::table::shown;
use crate::{Context, EXIT_CODES};

/// Shown above the group's `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef tasks submit resize --skill python --parameters '{\"width\": 100}' --wait
  reef tasks find --label team=red --status running
  reef tasks why TASK        says why it is not running
";

/// `reef tasks`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Tasks {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Queue a task for a worker that has the skills
    #[command(before_help = "Examples:\n  reef tasks submit resize --skill python --parameters '{\"width\": 100}' --wait\n  reef tasks submit 'Why is the sky blue?' --session s1 --workflow critic\n", after_help = EXIT_CODES)]
    Submit(Box<submit::SubmitArgs>),
    /// Queue several tasks at once, of which some may follow others
    #[command(before_help = "Examples:\n  reef tasks batch flow.json\n", after_help = EXIT_CODES)]
    Batch(batch::BatchArgs),
    /// Send a signal to a task, which it waits for or takes
    #[command(before_help = "Examples:\n  reef tasks signal TASK paid --payload '{\"invoice\": 7}'\n", after_help = EXIT_CODES)]
    Signal(batch::SignalArgs),
    /// Change a task that waits, or the priority of those that a filter matches
    #[command(before_help = "Examples:\n  reef tasks edit TASK --priority critical\n  reef tasks edit TASK --skill gpu --delay-ms 0\n  reef tasks edit --filter label=team=red --priority low --dry-run\n", after_help = EXIT_CODES)]
    Edit(Box<edit::EditArgs>),
    /// List tasks, newest first: all, or those that are looked for
    #[command(visible_alias = "find", before_help = "Examples:\n  reef tasks list --status running\n  reef tasks list --status pending --limit 10\n  reef tasks find --label team=red --error 'rate limit'\n", after_help = EXIT_CODES)]
    List(show::ListArgs),
    /// Change many tasks at once: cancel, retry, remove, set-priority
    #[command(subcommand, before_help = "Examples:\n  reef tasks bulk cancel --label team=red --dry-run\n  reef tasks bulk cancel --label team=red --most 12 --reason 'wrong model'\n", after_help = EXIT_CODES, disable_help_subcommand = true)]
    Bulk(bulk::BulkVerb),
    /// Show a task as it is now
    #[command(before_help = "Examples:\n  reef tasks show TASK\n", after_help = EXIT_CODES)]
    Show(TaskArgs),
    /// Say why a task is not running
    #[command(before_help = "Examples:\n  reef tasks why TASK\n", after_help = EXIT_CODES)]
    Why(TaskArgs),
    /// Wait for the end of a task; exit code 0 only if it was completed
    #[command(before_help = "Examples:\n  reef tasks watch TASK\n  reef tasks watch TASK --timeout 60 --json\n", after_help = EXIT_CODES)]
    Watch(watch::WatchArgs),
    /// Print what a task has said, and with -f what it says until its end
    #[command(before_help = "Examples:\n  reef tasks logs TASK --tail 20\n  reef tasks logs TASK -f\n", after_help = EXIT_CODES)]
    Logs(logs::LogsArgs),
    /// Wait for the end of several tasks; exit code 0 only if all were completed
    #[command(before_help = "Examples:\n  reef tasks wait-for TASK TASK --timeout 60\n  reef tasks wait-for TASK TASK --any\n", after_help = EXIT_CODES)]
    WaitFor(wait_for::WaitForArgs),
    /// Cancel tasks; commands that run for them are stopped
    #[command(before_help = "Examples:\n  reef tasks cancel TASK\n  reef tasks cancel --label team=red --dry-run\n  reef tasks cancel --label team=red --most 12 --reason 'wrong model'\n", after_help = EXIT_CODES)]
    Cancel(many::ManyArgs),
    /// Queue tasks again that have failed, run out of time or been cancelled
    #[command(before_help = "Examples:\n  reef tasks retry TASK\n  reef tasks retry --status failed --error 'rate limit' --dry-run\n", after_help = EXIT_CODES)]
    Retry(many::ManyArgs),
    /// Forget tasks that have ended
    #[command(before_help = "Examples:\n  reef tasks rm TASK\n  reef tasks rm --status cancelled --until 2026-01-01T00:00:00Z --dry-run\n", after_help = EXIT_CODES)]
    Rm(many::ManyArgs),
    /// List tasks that went wrong and have no tries left
    #[command(before_help = "Examples:\n  reef tasks dead\n  reef tasks dead --by-error\n", after_help = EXIT_CODES)]
    Dead(show::DeadArgs),
    /// List the tries of a task: which node had it, and how that ended
    #[command(before_help = "Examples:\n  reef tasks attempts TASK\n", after_help = EXIT_CODES)]
    Attempts(TaskArgs),
    /// Queue dead tasks again: those that are named, or those that a filter lets through
    #[command(before_help = "Examples:\n  reef tasks redrive TASK TASK\n  reef tasks redrive --status timeout --dry-run\n  reef tasks redrive --error-key 5f1d0c2e9ab34760\n  reef tasks redrive --all\n", after_help = EXIT_CODES)]
    Redrive(RedriveArgs),
    /// Count tasks
    #[command(before_help = "Examples:\n  reef tasks stats\n", after_help = EXIT_CODES)]
    Stats,
}

#[derive(Debug, Args)]
struct TaskArgs {
    /// The task's id
    task: TaskId,
}

#[derive(Debug, Args)]
struct RedriveArgs {
    /// Which tasks
    #[arg(value_name = "TASK", conflicts_with_all = ["status", "user", "error_key", "all"], required_unless_present_any = ["status", "user", "error_key", "all"])]
    tasks: Vec<TaskId>,
    /// Those that have ended so: failed or timeout
    #[arg(long)]
    status: Option<String>,
    /// Those of this user
    #[arg(long)]
    user: Option<String>,
    /// Those that failed alike: a key of `reef tasks dead --by-error`
    #[arg(long, value_name = "KEY")]
    error_key: Option<String>,
    /// All of them
    #[arg(long)]
    all: bool,
    /// Say what would be queued, and do nothing
    #[arg(long)]
    dry_run: bool,
}

impl Tasks {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Submit(args) => submit::run(cx, *args).await,
            Verb::Batch(args) => batch::submit(cx, &args).await,
            Verb::Signal(args) => batch::signal(cx, args).await,
            Verb::Edit(args) => edit::run(cx, *args).await,
            Verb::Bulk(verb) => bulk::run(cx, verb).await,
            Verb::List(args) => show::list(cx, args).await,
            Verb::Show(TaskArgs { task }) => show::show(cx, &task).await,
            Verb::Why(TaskArgs { task }) => show::why(cx, &task).await,
            Verb::Watch(args) => watch::run(cx, &args).await,
            Verb::Logs(args) => logs::run(cx, args).await,
            Verb::WaitFor(args) => wait_for::run(cx, args).await,
            Verb::Cancel(args) => many::run(cx, BulkAction::Cancel, args).await,
            Verb::Retry(args) => many::run(cx, BulkAction::Retry, args).await,
            Verb::Attempts(TaskArgs { task }) => show::attempts(cx, &task).await,
            Verb::Rm(args) => many::run(cx, BulkAction::Remove, args).await,
            Verb::Dead(args) => show::dead(cx, args).await,
            Verb::Redrive(args) => redrive(cx, args).await,
            Verb::Stats => show::stats(cx).await,
        }
    }
}

async fn redrive(cx: &Context, args: RedriveArgs) -> Result<(), Failure> {
    let filter =
        TaskRedriveFilter { status: args.status, user_id: args.user, error_key: args.error_key };
    let body = TaskRedriveBody {
        filter: args.tasks.is_empty().then_some(filter),
        task_ids: Some(args.tasks).filter(|tasks| !tasks.is_empty()),
        dry_run: Some(args.dry_run),
    };
    let answer = cx.hub.redrive_tasks(&body).once().send().await?;
    cx.out.answer(&answer, |TaskRedriveAnswer { task_ids, dry_run, .. }| {
        let verb = if dry_run { "would wait" } else { "wait" };
        let mut lines = vec![format!("{} {verb} again", task_ids.len())];
        lines.extend(task_ids.into_iter().map(|id| format!("  {}", shown(id))));
        lines.join("\n")
    })
}
