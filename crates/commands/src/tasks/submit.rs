//! `reef tasks submit`: a task, or one that answers in a session.

use clap::Args;
use reef_api::flow::AfterBody;
use reef_api::task::{SessionTaskAnswer, SessionTaskBody, SubmittedTask, TaskBody, TaskStatus};
use reef_api::usage::ChargeBody;
use reef_api::{AgentId, GroupId, MessageId, Money, Open, SessionId, TaskId};
use reef_client::Request;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::unique::UniqueArgs;
use super::watch::{self, WatchArgs};
use super::work::{WorkArgs, priority};
use crate::Context;
use crate::failure::Failure;
use crate::table::{facts, or_empty, shown};
use crate::usage::money;

#[derive(Debug, Args)]
pub(crate) struct SubmitArgs {
    /// The task's name; with --session, what is asked
    name: String,
    #[command(flatten)]
    work: WorkArgs,
    /// How long it is kept back
    #[arg(long, value_name = "MS")]
    delay_ms: Option<i64>,
    /// A task that it follows: it waits until that has completed; repeatable
    #[arg(long, value_name = "TASK")]
    after: Vec<String>,
    /// The group that it joins
    #[arg(long, value_name = "GROUP")]
    group: Option<GroupId>,
    /// What whoever completes it is paid at most: it is reserved from now on
    #[arg(long, value_name = "AMOUNT", value_parser = money)]
    pay: Option<Money>,
    /// Who is paid; else the owner of the node that completes it
    #[arg(long, value_name = "AGENT", requires = "pay")]
    pay_to: Option<AgentId>,
    /// Who pays; for an admin
    #[arg(long, value_name = "AGENT", requires = "pay")]
    pay_from: Option<AgentId>,
    #[command(flatten)]
    unique: UniqueArgs,
    /// An id for it; else the hub makes one
    #[arg(long, value_name = "ID")]
    task_id: Option<TaskId>,
    /// Answer in this session, in a message that is written as the answer comes
    #[arg(long, value_name = "SESSION", conflicts_with_all = NOT_IN_A_SESSION)]
    session: Option<SessionId>,
    /// How the answer is found: simple, planner or critic
    #[arg(long, requires = "session", value_parser = ["simple", "planner", "critic"])]
    workflow: Option<String>,
    /// Most steps of a plan, or rounds of critique
    #[arg(long, value_name = "N", requires = "session")]
    max_iterations: Option<u32>,
    /// While other tasks of the session are unfinished: parallel (beside them), enqueue (after them), reject,
    /// interrupt (in their place) or rollback (and their messages are marked); else as the session says
    #[arg(long, value_name = "WHAT", requires = "session",
        value_parser = ["parallel", "enqueue", "reject", "interrupt", "rollback"])]
    if_busy: Option<String>,
    /// Wait for its end, like `reef tasks watch`
    #[arg(long)]
    wait: bool,
}

/// What a task that answers in a session cannot have.
const NOT_IN_A_SESSION: [&str; 21] = [
    "optional_skills",
    "tags",
    "description",
    "parameters",
    "max_retries",
    "delay_ms",
    "keep_completed_ms",
    "keep_failed_ms",
    "labels",
    "limits",
    "user",
    "after",
    "group",
    "approval",
    "task_id",
    "budget",
    "budget_tokens",
    "on_exceed",
    "pay",
    "unique",
    "fairness_key",
];

pub(crate) async fn run(cx: &Context, args: SubmitArgs) -> Result<(), Failure> {
    match &args.session {
        Some(session) => {
            let request = cx.hub.submit_session_task(session, &session_task(&args));
            submit(
                cx,
                &args,
                request,
                |SessionTaskAnswer { task_id, message_id, status, .. }| Submitted {
                    task_id,
                    message_id: Some(message_id),
                    status,
                    routable: true,
                    deduplicated: false,
                },
            )
            .await
        }
        None => {
            let request = cx.hub.submit_task(&task(&args)?);
            submit(cx, &args, request, |SubmittedTask { task, routable, deduplicated }| Submitted {
                task_id: task.task_id,
                message_id: task.message_id,
                status: task.status,
                routable,
                deduplicated,
            })
            .await
        }
    }
}

/// What is said of a task that was submitted.
struct Submitted {
    task_id: TaskId,
    message_id: Option<MessageId>,
    status: Open<TaskStatus>,
    routable: bool,
    deduplicated: bool,
}

async fn submit<T: DeserializeOwned>(
    cx: &Context,
    args: &SubmitArgs,
    request: Request<T>,
    read: impl FnOnce(T) -> Submitted,
) -> Result<(), Failure> {
    let answer = request.once().send().await?;
    let Submitted { task_id, message_id, status, routable, deduplicated } = read(answer.json()?);
    if deduplicated {
        cx.out.note("there is one already, which is shown; nothing was submitted");
    }
    if !routable {
        cx.out.note("no worker has these skills yet; it waits for one");
    }
    if args.wait {
        // What is printed is the end, so that programs read one answer.
        cx.out.note(&format!("submitted as {}", shown(&task_id)));
        return watch::run(cx, &WatchArgs::of(task_id)).await;
    }
    cx.out.shown(&answer, || {
        facts([
            ("task", task_id.to_string()),
            ("status", status.to_string()),
            ("session", or_empty(args.session.as_ref())),
            ("message", or_empty(message_id)),
        ])
    })
}

fn task(args: &SubmitArgs) -> Result<TaskBody<Map<String, Value>>, Failure> {
    Ok(TaskBody {
        delay_ms: args.delay_ms,
        task_id: args.task_id.clone(),
        after: (!args.after.is_empty()).then(|| {
            let after =
                |task: &String| AfterBody { task: Some(task.clone()), ..AfterBody::default() };
            args.after.iter().map(after).collect()
        }),
        group_id: args.group.clone(),
        charge: args.pay.map(|max| ChargeBody {
            max: Some(max),
            to: args.pay_to.clone(),
            from: args.pay_from.clone(),
        }),
        unique: args.unique.body(),
        ..args.work.body(&args.name)?
    })
}

fn session_task(args: &SubmitArgs) -> SessionTaskBody {
    SessionTaskBody {
        task_description: Some(args.name.clone()),
        workflow: args.workflow.clone(),
        max_iterations: args.max_iterations.map(i64::from),
        required_skills: Some(args.work.skills.clone()),
        priority: priority(args.work.priority.as_deref()),
        timeout: args.work.timeout,
        audience: args.work.audience(),
        target_node: args.work.node.clone(),
        if_busy: args.if_busy.clone(),
    }
}
