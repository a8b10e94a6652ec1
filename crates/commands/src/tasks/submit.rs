//! `reef tasks submit`: a task, or one that answers in a session.

use clap::Args;
use reef_api::flow::AfterBody;
use reef_api::limit::TaskLimitBody;
use reef_api::task::{SessionTaskAnswer, SessionTaskBody, SubmittedTask, TaskBody, TaskStatus};
use reef_api::wait::ApprovalBody;
use reef_api::{AgentId, GroupId, MessageId, NodeId, Open, SessionId, TaskId};
use reef_client::Request;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::watch::{self, WatchArgs};
use crate::Context;
use crate::failure::Failure;
use crate::table::{facts, or_empty, shown};

#[derive(Debug, Args)]
pub(crate) struct SubmitArgs {
    /// The task's name; with --session, what is asked
    name: String,
    /// A skill that its worker must have; repeatable
    #[arg(long = "skill", value_name = "SKILL")]
    skills: Vec<String>,
    /// A skill that its worker should have; repeatable
    #[arg(long = "optional-skill", value_name = "SKILL", conflicts_with = "session")]
    optional_skills: Vec<String>,
    /// A tag that its worker should have; repeatable
    #[arg(long = "tag", value_name = "TAG", conflicts_with = "session")]
    tags: Vec<String>,
    /// Whose nodes may run it: any, owner, or an agent; repeatable for several agents
    #[arg(long, value_name = "WHOSE")]
    audience: Vec<String>,
    /// The one node that may run it
    #[arg(long, value_name = "NODE")]
    node: Option<NodeId>,
    /// What it is about
    #[arg(long, value_name = "TEXT", conflicts_with = "session")]
    description: Option<String>,
    /// What its worker has to know: a JSON object
    #[arg(long, value_name = "JSON", conflicts_with = "session")]
    parameters: Option<String>,
    /// critical, high, normal or low
    #[arg(long, value_parser = ["critical", "high", "normal", "low"])]
    priority: Option<String>,
    /// How long it may run, in seconds
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<f64>,
    /// How often it is tried again
    #[arg(long, value_name = "N", conflicts_with = "session")]
    max_retries: Option<u32>,
    /// How long it is kept back
    #[arg(long, value_name = "MS", conflicts_with = "session")]
    delay_ms: Option<i64>,
    /// How long it is kept after it has completed
    #[arg(long, value_name = "MS", conflicts_with = "session")]
    keep_completed_ms: Option<i64>,
    /// How long it is kept after it has failed, run out of time or been cancelled
    #[arg(long, value_name = "MS", conflicts_with = "session")]
    keep_failed_ms: Option<i64>,
    /// A label, by which it is found; repeatable
    #[arg(long = "label", value_name = "KEY=VALUE", conflicts_with = "session")]
    labels: Vec<String>,
    /// A limit that it is under, for one key or for all; repeatable
    #[arg(long = "under", value_name = "LIMIT[=KEY]", conflicts_with = "session")]
    limits: Vec<String>,
    /// Whose it is
    #[arg(long, conflicts_with = "session")]
    user: Option<String>,
    /// A task that it follows: it waits until that has completed; repeatable
    #[arg(long, value_name = "TASK", conflicts_with = "session")]
    after: Vec<String>,
    /// The group that it joins
    #[arg(long, value_name = "GROUP", conflicts_with = "session")]
    group: Option<GroupId>,
    /// Ask this first: no worker gets it until somebody has answered
    #[arg(long, value_name = "QUESTION", conflicts_with = "session")]
    approval: Option<String>,
    /// An agent that may answer, beside you; repeatable
    #[arg(long = "assignee", value_name = "AGENT", requires = "approval")]
    assignees: Vec<AgentId>,
    /// An id for it; else the hub makes one
    #[arg(long, value_name = "ID", conflicts_with = "session")]
    task_id: Option<TaskId>,
    /// Answer in this session, in a message that is written as the answer comes
    #[arg(long, value_name = "SESSION")]
    session: Option<SessionId>,
    /// How the answer is found: simple, planner or critic
    #[arg(long, requires = "session", value_parser = ["simple", "planner", "critic"])]
    workflow: Option<String>,
    /// Most steps of a plan, or rounds of critique
    #[arg(long, value_name = "N", requires = "session")]
    max_iterations: Option<u32>,
    /// Wait for its end, like `reef tasks watch`
    #[arg(long)]
    wait: bool,
}

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
                },
            )
            .await
        }
        None => {
            let request = cx.hub.submit_task(&task(&args)?);
            submit(cx, &args, request, |SubmittedTask { task, routable }| Submitted {
                task_id: task.task_id,
                message_id: task.message_id,
                status: task.status,
                routable,
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
}

async fn submit<T: DeserializeOwned>(
    cx: &Context,
    args: &SubmitArgs,
    request: Request<T>,
    read: impl FnOnce(T) -> Submitted,
) -> Result<(), Failure> {
    let answer = request.once().send().await?;
    let Submitted { task_id, message_id, status, routable } = read(answer.json()?);
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

/// `any` and `owner` stand alone; agents are listed.
fn audience(args: &SubmitArgs) -> Option<Value> {
    match args.audience.as_slice() {
        [] => None,
        [word] if word == "any" || word == "owner" => Some(word.as_str().into()),
        agents => Some(agents.into()),
    }
}

/// A priority by its word.
pub(crate) fn priority(word: Option<&str>) -> Option<i64> {
    Some(match word? {
        "critical" => 0,
        "high" => 1,
        "low" => 3,
        _ => 2,
    })
}

/// Parameters as they are typed.
pub(crate) fn parameters(text: Option<&str>) -> Result<Option<Map<String, Value>>, Failure> {
    text.map(serde_json::from_str)
        .transpose()
        .map_err(|error| Failure::Usage(format!("--parameters must be a JSON object: {error}")))
}

fn task(args: &SubmitArgs) -> Result<TaskBody<Map<String, Value>>, Failure> {
    Ok(TaskBody {
        name: Some(args.name.clone()),
        description: args.description.clone(),
        required_skills: Some(args.skills.clone()),
        optional_skills: Some(args.optional_skills.clone()),
        affinity_tags: Some(args.tags.clone()),
        target_node: args.node.clone(),
        audience: audience(args),
        parameters: parameters(args.parameters.as_deref())?,
        labels: super::find::labels(&args.labels)?,
        priority: priority(args.priority.as_deref()),
        timeout: args.timeout,
        max_retries: args.max_retries.map(i64::from),
        delay_ms: args.delay_ms,
        keep_completed_ms: args.keep_completed_ms,
        keep_failed_ms: args.keep_failed_ms,
        user_id: args.user.clone(),
        task_id: args.task_id.clone(),
        after: (!args.after.is_empty()).then(|| {
            let after =
                |task: &String| AfterBody { task: Some(task.clone()), ..AfterBody::default() };
            args.after.iter().map(after).collect()
        }),
        group_id: args.group.clone(),
        limits: (!args.limits.is_empty()).then(|| args.limits.iter().map(|it| under(it)).collect()),
        approval: args.approval.as_ref().map(|question| ApprovalBody {
            question: Some(question.clone()),
            assignees: (!args.assignees.is_empty()).then(|| args.assignees.clone()),
            ..ApprovalBody::default()
        }),
        ..TaskBody::default()
    })
}

fn under(text: &str) -> TaskLimitBody {
    let (name, key) = match text.split_once('=') {
        Some((name, key)) => (name, Some(key.to_owned())),
        None => (text, None),
    };
    TaskLimitBody { name: Some(name.into()), key, ..TaskLimitBody::default() }
}

fn session_task(args: &SubmitArgs) -> SessionTaskBody {
    SessionTaskBody {
        task_description: Some(args.name.clone()),
        workflow: args.workflow.clone(),
        max_iterations: args.max_iterations.map(i64::from),
        required_skills: Some(args.skills.clone()),
        priority: priority(args.priority.as_deref()),
        timeout: args.timeout,
        audience: audience(args),
        target_node: args.node.clone(),
    }
}
