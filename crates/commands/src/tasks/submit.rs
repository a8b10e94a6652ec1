//! `reef tasks submit`: a task, or one that answers in a session.

use clap::Args;
use serde_json::{Map, Value, json};

use super::watch::{self, WatchArgs};
use crate::Context;
use crate::failure::Failure;
use crate::table::{facts, text};

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
    node: Option<String>,
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
    delay_ms: Option<u64>,
    /// Whose it is
    #[arg(long, conflicts_with = "session")]
    user: Option<String>,
    /// An id for it; else the hub makes one
    #[arg(long, value_name = "ID", conflicts_with = "session")]
    task_id: Option<String>,
    /// Answer in this session, in a message that is written as the answer comes
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,
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
    let request = match &args.session {
        Some(session) => cx.hub.post(["sessions", session, "tasks"]).json(&session_task(&args)),
        None => cx.hub.post(["tasks"]).json(&task(&args)?),
    };
    let answer = request.once().send().await?;
    let submitted: Value = answer.json()?;
    if submitted.get("routable") == Some(&Value::Bool(false)) {
        cx.out.note("no worker has these skills yet; it waits for one");
    }
    if args.wait {
        // What is printed is the end, so that programs read one answer.
        let task = text(&submitted, "task_id");
        cx.out.note(&format!("submitted as {task}"));
        return watch::run(cx, &WatchArgs::of(task)).await;
    }
    cx.out.answer(&answer, |task| {
        facts([
            ("task", text(&task, "task_id")),
            ("status", text(&task, "status")),
            ("session", text(&task, "session_id")),
            ("message", text(&task, "message_id")),
        ])
    })
}

/// `any` and `owner` stand alone; agents are listed.
fn audience(args: &SubmitArgs) -> Value {
    match args.audience.as_slice() {
        [] => Value::Null,
        [word] if word == "any" || word == "owner" => word.as_str().into(),
        agents => json!(agents),
    }
}

fn priority(args: &SubmitArgs) -> Option<u8> {
    Some(match args.priority.as_deref()? {
        "critical" => 0,
        "high" => 1,
        "low" => 3,
        _ => 2,
    })
}

fn task(args: &SubmitArgs) -> Result<Value, Failure> {
    let parameters: Option<Map<String, Value>> = match &args.parameters {
        Some(text) => Some(serde_json::from_str(text).map_err(|error| {
            Failure::Usage(format!("--parameters must be a JSON object: {error}"))
        })?),
        None => None,
    };
    Ok(json!({
        "name": args.name,
        "description": args.description,
        "required_skills": args.skills,
        "optional_skills": args.optional_skills,
        "affinity_tags": args.tags,
        "target_node": args.node,
        "audience": audience(args),
        "parameters": parameters,
        "priority": priority(args),
        "timeout": args.timeout,
        "max_retries": args.max_retries,
        "delay_ms": args.delay_ms,
        "user_id": args.user,
        "task_id": args.task_id,
    }))
}

fn session_task(args: &SubmitArgs) -> Value {
    json!({
        "task_description": args.name,
        "workflow": args.workflow,
        "max_iterations": args.max_iterations,
        "required_skills": args.skills,
        "priority": priority(args),
        "timeout": args.timeout,
        "audience": audience(args),
        "target_node": args.node,
    })
}
