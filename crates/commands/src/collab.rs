//! `reef collab`: work that agents ask each other to take on. A proposal is mail; accepting it queues
//! its sub-tasks and answers the proposer.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use reef_api::mail::{AcceptBody, MailAnswer, MailBody, Priority};
use reef_api::node::Node;
use reef_domain::proposal;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::table::{columns, shown};
use crate::{Context, EXIT_CODES};

/// Shown above the group's `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef collab partners --skill python --except cpu-1
  reef collab propose gpu-1 --from cpu-1 --idea 'Tidy the index' --task sweep --task mop
  reef collab accept gpu-1 MSG_ID
";

/// Value from which on a proposal is urgent, where nothing else is said.
const URGENT_VALUE: i64 = 7;

/// `reef collab`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Collab {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List nodes that are online and could be asked
    #[command(before_help = "Examples:\n  reef collab partners --skill python --except cpu-1\n", after_help = EXIT_CODES)]
    Partners(PartnersArgs),
    /// Ask an agent to take work on
    #[command(before_help = "Examples:\n  reef collab propose gpu-1 --from cpu-1 --idea 'Tidy the index' --task sweep --task mop\n", after_help = EXIT_CODES)]
    Propose(ProposeArgs),
    /// Accept a proposal: acknowledge it, queue its sub-tasks, answer the proposer, all once
    #[command(before_help = "Examples:\n  reef collab accept gpu-1 MSG_ID\n", after_help = EXIT_CODES)]
    Accept(AcceptArgs),
}

#[derive(Debug, Args)]
struct PartnersArgs {
    /// Only nodes that have it
    #[arg(long)]
    skill: Option<String>,
    /// Leave this node out: the one that asks
    #[arg(long, value_name = "NODE")]
    except: Option<String>,
}

#[derive(Debug, Args)]
struct ProposeArgs {
    /// Who is asked
    agent: String,
    /// Who asks, and gets the answer
    #[arg(long, value_name = "AGENT")]
    from: String,
    /// What it is about
    #[arg(long)]
    idea: String,
    /// A sub-task by its name; repeatable
    #[arg(long = "task", value_name = "NAME")]
    tasks: Vec<String>,
    /// JSON file with an array of sub-tasks: names, or objects with the fields of a task
    #[arg(long, value_name = "FILE")]
    tasks_file: Option<PathBuf>,
    /// How hard it is
    #[arg(long, value_name = "1-10", default_value_t = 5, value_parser = clap::value_parser!(i64).range(1..=10))]
    difficulty: i64,
    /// What it is worth; 7 and more is sent with high priority
    #[arg(long, value_name = "1-10", default_value_t = 5, value_parser = clap::value_parser!(i64).range(1..=10))]
    value: i64,
}

#[derive(Debug, Args)]
struct AcceptArgs {
    /// Whose inbox the proposal is in
    agent: String,
    /// The proposal
    #[arg(value_name = "MSG_ID")]
    message: String,
    /// Who is to do it, if it is not AGENT
    #[arg(long, value_name = "AGENT")]
    executor: Option<String>,
}

impl Collab {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Partners(args) => partners(cx, args).await,
            Verb::Propose(args) => propose(cx, args).await,
            Verb::Accept(args) => accept(cx, args).await,
        }
    }
}

async fn partners(cx: &Context, args: PartnersArgs) -> Result<(), Failure> {
    let request = match &args.skill {
        Some(skill) => cx.hub.get(["nodes", "skills", skill]),
        None => cx.hub.get(["nodes", "online"]),
    };
    // As the hub wrote them: programs get what it answers.
    let (mut all, mut cursor) = (Vec::<Box<RawValue>>::new(), None);
    loop {
        let request = request.clone().maybe_query("cursor", cursor.as_deref());
        let answer = request.send().await?;
        all.extend(answer.json::<Vec<Box<RawValue>>>()?);
        cursor = answer.next_cursor().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    let mut nodes = Vec::with_capacity(all.len());
    for raw in all {
        let node: Node = serde_json::from_str(raw.get())
            .map_err(|error| Failure::Failed(format!("the hub answered no node: {error}")))?;
        if args.except.as_deref() != Some(node.node_id.as_str()) {
            nodes.push((raw, node));
        }
    }
    if cx.out.is_json() {
        let nodes: Vec<&str> = nodes.iter().map(|(raw, _)| raw.get()).collect();
        return Ok(cx.out.line(&format!("[{}]", nodes.join(",")))?);
    }
    if nodes.is_empty() {
        cx.out.note("nobody could be asked");
        return Ok(());
    }
    let rows = nodes.iter().map(|(_, node)| {
        let free = (node.max_concurrent_tasks - node.running_tasks).max(0);
        let skills = node.skills().join(" ");
        [node.node_id.to_string(), node.hostname.clone(), free.to_string(), skills]
    });
    Ok(cx.out.line(&columns(["node", "hostname", "free", "skills"], rows))?)
}

async fn propose(cx: &Context, args: ProposeArgs) -> Result<(), Failure> {
    let mut tasks: Vec<Value> = args.tasks.into_iter().map(Value::from).collect();
    if let Some(file) = &args.tasks_file {
        tasks.extend(read_tasks(file)?);
    }
    if tasks.is_empty() {
        let sentence = "a proposal needs sub-tasks: give --task NAME or --tasks-file FILE";
        return Err(Failure::Usage(sentence.to_owned()));
    }
    let content = json!({
        "idea": args.idea,
        "task_count": tasks.len(),
        "tasks": tasks,
        "difficulty": args.difficulty,
        "value": args.value,
        "status": "pending",
    });
    let priority = if args.value >= URGENT_VALUE { Priority::High } else { Priority::Medium };
    let body = MailBody {
        from: Some(args.from),
        topic: Some(proposal::TOPIC.to_owned()),
        priority: Some(priority.into()),
        content: Some(to_raw_value(&content)?),
        metadata: None,
    };
    let answer = cx.hub.send_mail(&args.agent, &body).once().send().await?;
    cx.out.answer(&answer, |MailAnswer { msg_id, depth }| {
        format!("proposed as {}; {depth} waiting", shown(msg_id))
    })
}

fn read_tasks(file: &Path) -> Result<Vec<Value>, Failure> {
    let unreadable = |error: String| Failure::Usage(format!("{}: {error}", file.display()));
    let content = std::fs::read_to_string(file).map_err(|error| unreadable(error.to_string()))?;
    serde_json::from_str(&content)
        .map_err(|error| unreadable(format!("no JSON array of sub-tasks: {error}")))
}

async fn accept(cx: &Context, args: AcceptArgs) -> Result<(), Failure> {
    let body = AcceptBody { executor: args.executor };
    let answer = cx.hub.accept(&args.agent, &args.message, &body).once().send().await?;
    cx.out.answer(&answer, |done| {
        let mut lines = vec![format!("accepted for {}", shown(done.executor))];
        lines.extend(done.task_ids.into_iter().map(|id| format!("task   {}", shown(id))));
        lines.extend(done.reply_id.map(|id| format!("reply  {}", shown(id))));
        lines.join("\n")
    })
}
