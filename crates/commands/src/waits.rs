//! `reef waits`: what tasks wait for that is no node, and how people decide it. `reef approvals` is the
//! part of it that people need most.

use clap::{Args, Subcommand};
use reef_api::wait::{Wait, WaitAnswerBody, WaitKind};
use reef_api::{TaskId, WaitId, Word as _};
use reef_client::Answer;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::table::{columns, facts, or_empty, plain, shortened, shown};
use crate::{Context, EXIT_CODES, time};

/// Shown above the group's `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef waits list --kind approval
  reef waits approve WAIT --comment 'Invoice checked.'
  reef waits reject WAIT
";

/// `reef waits`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Waits {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List what is open: of your tasks, and what you may answer
    #[command(before_help = "Examples:\n  reef waits list --kind approval\n  reef waits list --task TASK\n", after_help = EXIT_CODES)]
    List(ListArgs),
    /// Show one, with all that whoever decides has to know
    #[command(before_help = "Examples:\n  reef waits show WAIT\n", after_help = EXIT_CODES)]
    Show(WaitArgs),
    /// Answer `approve`
    #[command(before_help = "Examples:\n  reef waits approve WAIT --value '{\"amount\": 100}'\n", after_help = EXIT_CODES)]
    Approve(AnswerArgs),
    /// Answer `reject`
    #[command(before_help = "Examples:\n  reef waits reject WAIT --comment 'Not this month.'\n", after_help = EXIT_CODES)]
    Reject(AnswerArgs),
    /// Answer with one of the options
    #[command(before_help = "Examples:\n  reef waits answer WAIT later\n", after_help = EXIT_CODES)]
    Answer(DecideArgs),
}

#[derive(Debug, Args)]
struct WaitArgs {
    /// The wait's id
    wait: WaitId,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Only those for an approval, a signal, a time (sleep) or tasks
    #[arg(long, value_parser = WaitKind::names())]
    kind: Option<String>,
    /// Only those that this agent may answer
    #[arg(long, value_name = "AGENT")]
    assignee: Option<String>,
    /// All that are kept of one task, open or not
    #[arg(long, value_name = "TASK", conflicts_with_all = ["assignee", "limit", "cursor"])]
    task: Option<TaskId>,
    /// Most of them, 1 to 1000
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Go on where an earlier list ended
    #[arg(long)]
    cursor: Option<String>,
}

#[derive(Debug, Args)]
struct AnswerArgs {
    /// The wait's id
    wait: WaitId,
    /// What the task is told besides: any JSON
    #[arg(long, value_name = "JSON")]
    value: Option<String>,
    /// The same for people
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
}

#[derive(Debug, Args)]
struct DecideArgs {
    #[command(flatten)]
    answer: AnswerArgs,
    /// One of the options that `reef waits show` lists
    decision: String,
}

/// Shown above the `--help` of `reef approvals`.
pub(crate) const APPROVAL_EXAMPLES: &str = "\
Examples:
  reef approvals list
  reef approvals show WAIT
  reef approvals approve WAIT --comment 'Invoice checked.'
";

/// `reef approvals`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Approvals {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(subcommand)]
    verb: ApprovalVerb,
}

#[derive(Debug, Subcommand)]
enum ApprovalVerb {
    /// List what somebody has to decide: of your tasks, and what you may answer
    #[command(before_help = "Examples:\n  reef approvals list\n  reef approvals list --assignee alice\n", after_help = EXIT_CODES)]
    List(ApprovalListArgs),
    /// Show one, with all that whoever decides has to know
    #[command(before_help = "Examples:\n  reef approvals show WAIT\n", after_help = EXIT_CODES)]
    Show(WaitArgs),
    /// Answer `approve`
    #[command(before_help = "Examples:\n  reef approvals approve WAIT --value '{\"amount\": 100}'\n", after_help = EXIT_CODES)]
    Approve(AnswerArgs),
    /// Answer `reject`
    #[command(before_help = "Examples:\n  reef approvals reject WAIT --comment 'Not this month.'\n", after_help = EXIT_CODES)]
    Reject(AnswerArgs),
}

#[derive(Debug, Args)]
struct ApprovalListArgs {
    /// Only those that this agent may answer
    #[arg(long, value_name = "AGENT")]
    assignee: Option<String>,
    /// Most of them, 1 to 1000
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Go on where an earlier list ended
    #[arg(long)]
    cursor: Option<String>,
}

impl Approvals {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        match self.verb {
            ApprovalVerb::List(ApprovalListArgs { assignee, limit, cursor }) => {
                let kind = Some(WaitKind::Approval.as_str().to_owned());
                list(cx, ListArgs { kind, assignee, task: None, limit, cursor }).await
            }
            ApprovalVerb::Show(args) => show(cx, &args.wait).await,
            ApprovalVerb::Approve(args) => decide(cx, args, "approve").await,
            ApprovalVerb::Reject(args) => decide(cx, args, "reject").await,
        }
    }
}

impl Waits {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::List(args) => list(cx, args).await,
            Verb::Show(args) => show(cx, &args.wait).await,
            Verb::Approve(args) => decide(cx, args, "approve").await,
            Verb::Reject(args) => decide(cx, args, "reject").await,
            Verb::Answer(args) => decide(cx, args.answer, &args.decision).await,
        }
    }
}

async fn list(cx: &Context, args: ListArgs) -> Result<(), Failure> {
    let request = cx
        .hub
        .waits()
        .maybe_query("kind", args.kind)
        .maybe_query("assignee", args.assignee)
        .maybe_query("task_id", args.task)
        .maybe_query("limit", args.limit)
        .maybe_query("cursor", args.cursor);
    let answer: Answer<Vec<Wait>> = request.send().await?;
    let waits = cx.out.read(&answer)?;
    if !cx.out.is_json() && waits.is_empty() {
        cx.out.note("nothing is waited for");
    } else {
        cx.out.shown(&answer, || {
            let rows = waits.iter().map(|wait| {
                [
                    wait.wait_id.to_string(),
                    wait.kind.to_string(),
                    wait.state.to_string(),
                    wait.task_id.to_string(),
                    time::of(wait.asked_at),
                    shortened(what(wait)),
                ]
            });
            columns(["wait", "kind", "state", "task", "since", "what"], rows)
        })?;
    }
    cx.out.tell_next(&answer);
    Ok(())
}

async fn show(cx: &Context, wait: &WaitId) -> Result<(), Failure> {
    cx.out.answer(&cx.hub.wait(wait).send().await?, |wait| details(&wait))
}

/// What it is about, in a line.
fn what(wait: &Wait) -> &str {
    wait.question.as_deref().or(wait.name.as_deref()).unwrap_or_default()
}

async fn decide(cx: &Context, args: AnswerArgs, decision: &str) -> Result<(), Failure> {
    let value = args.value.as_deref().map(serde_json::from_str::<Box<RawValue>>).transpose();
    let value = value.map_err(|error| Failure::Usage(format!("--value must be JSON: {error}")))?;
    let body = WaitAnswerBody { decision: Some(decision.to_owned()), value, comment: args.comment };
    let answer = cx.hub.answer_wait(&args.wait, &body).once().send().await?;
    cx.out.answer(&answer, |wait| {
        format!("{} of the task {} is {}", shown(&wait.wait_id), shown(&wait.task_id), wait.state)
    })
}

/// Everything about one wait that people want to see.
fn details(wait: &Wait) -> String {
    let moment = |at: Option<reef_api::time::UnixMillis>| at.map(time::of).unwrap_or_default();
    let option = |option: &reef_api::wait::WaitOption| match option.label.as_str() {
        "" => option.value.clone(),
        label => format!("{} ({label})", option.value),
    };
    let head = facts([
        ("wait", wait.wait_id.to_string()),
        ("task", wait.task_id.to_string()),
        ("kind", wait.kind.to_string()),
        ("state", wait.state.to_string()),
        ("owner", wait.owner.clone()),
        ("for", or_empty(wait.name.as_ref())),
        ("question", or_empty(wait.question.as_ref())),
        ("options", wait.options.iter().map(option).collect::<Vec<_>>().join(", ")),
        (
            "who may answer",
            wait.assignees.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(" "),
        ),
        ("since", time::of(wait.asked_at)),
        ("until", moment(wait.expires_at)),
        ("ended", moment(wait.ended_at)),
        ("details", wait.details.as_ref().map(|json| plain(json)).unwrap_or_default()),
    ]);
    let rows = wait.answers.iter().map(|answer| {
        let value = answer.value.as_ref().map_or(Value::Null, |json| Value::from(plain(json)));
        let value = value.as_str().unwrap_or_default().to_owned();
        let at = time::short(&answer.at);
        [answer.by.clone(), answer.decision.clone(), value, or_empty(answer.comment.as_ref()), at]
    });
    if wait.answers.is_empty() {
        return head;
    }
    format!("{head}\n\n{}", columns(["by", "decision", "value", "comment", "at"], rows))
}
