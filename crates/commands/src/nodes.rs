//! `reef nodes`: who is registered, and what they shall do.

use clap::{Args, Subcommand};
use reef_client::Answer;
use serde_json::{Value, json};

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::table::{columns, facts, list, text, time};
use crate::{Context, EXIT_CODES};

/// Shown above the group's `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef nodes list --skill gpu
  reef nodes drain gpu-1         it gets no more tasks; `resume` ends that
";

/// `reef nodes`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Nodes {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List nodes, newest registration first
    #[command(before_help = "Examples:\n  reef nodes list --status online\n  reef nodes list --skill gpu --json\n", after_help = EXIT_CODES)]
    List(ListArgs),
    /// Show one node as it is now
    #[command(before_help = "Examples:\n  reef nodes show gpu-1\n", after_help = EXIT_CODES)]
    Show(NodeArgs),
    /// Give a node no more tasks; what it has, it finishes, and it does not lead
    #[command(before_help = "Examples:\n  reef nodes drain gpu-1\n", after_help = EXIT_CODES)]
    Drain(NodeArgs),
    /// Let a drained node take tasks again
    #[command(before_help = "Examples:\n  reef nodes resume gpu-1\n", after_help = EXIT_CODES)]
    Resume(NodeArgs),
    /// Forget a node; its tasks go back into the queue. One that is alive registers again
    #[command(before_help = "Examples:\n  reef nodes remove gpu-1\n", after_help = EXIT_CODES)]
    Remove(NodeArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Those that are online, offline, busy, maintenance or error
    #[arg(long)]
    status: Option<String>,
    /// Those with this skill
    #[arg(long)]
    skill: Option<String>,
    /// Those with this tag
    #[arg(long)]
    tag: Option<String>,
    /// Most nodes, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
    /// Go on where an earlier list ended
    #[arg(long)]
    cursor: Option<String>,
}

#[derive(Debug, Args)]
struct NodeArgs {
    /// The node's id
    node: String,
}

impl Nodes {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::List(args) => list_all(cx, args).await,
            Verb::Show(NodeArgs { node }) => {
                let answer = cx.hub.get(["nodes", &node]).send().await?;
                cx.out.answer(&answer, |node| details(&node))
            }
            Verb::Drain(NodeArgs { node }) => set_status(cx, &node, "maintenance").await,
            Verb::Resume(NodeArgs { node }) => set_status(cx, &node, "online").await,
            Verb::Remove(NodeArgs { node }) => {
                let answer = cx.hub.delete(["nodes", &node]).send().await?;
                cx.out.answer(&answer, |gone| format!("{} is removed", text(&gone, "node_id")))
            }
        }
    }
}

async fn list_all(cx: &Context, args: ListArgs) -> Result<(), Failure> {
    let request = cx.hub.get(["nodes"]).query("limit", args.limit);
    let request = request.maybe_query("status", args.status).maybe_query("skill", args.skill);
    let request = request.maybe_query("tag", args.tag).maybe_query("cursor", args.cursor);
    let answer: Answer = request.send().await?;
    let nodes = cx.out.read_list(&answer, None)?;
    if !cx.out.is_json() && nodes.is_empty() {
        cx.out.note("no nodes");
    } else {
        cx.out.shown(&answer, || rows(&nodes))?;
    }
    cx.out.tell_next(&answer);
    Ok(())
}

/// A table of nodes.
pub(crate) fn rows(nodes: &[Value]) -> String {
    let rows = nodes.iter().map(|node| {
        [
            text(node, "node_id"),
            text(node, "status"),
            tasks(node),
            percent(node, "cpu_usage"),
            percent(node, "memory_usage"),
            percent(node, "disk_usage"),
            time(node, "last_heartbeat"),
            list(node, "available_skills"),
        ]
    });
    columns(["node", "status", "tasks", "cpu", "memory", "disk", "heard of", "skills"], rows)
}

/// What it does, of what it can.
fn tasks(node: &Value) -> String {
    format!("{}/{}", text(node, "running_tasks"), text(node, "max_concurrent_tasks"))
}

fn percent(node: &Value, name: &str) -> String {
    node.get(name).and_then(Value::as_f64).map(|it| format!("{it:.0} %")).unwrap_or_default()
}

fn details(node: &Value) -> String {
    facts([
        ("node", text(node, "node_id")),
        ("hostname", text(node, "hostname")),
        ("platform", format!("{} {}", text(node, "platform"), text(node, "arch"))),
        ("status", text(node, "status")),
        ("skills", list(node, "available_skills")),
        ("tags", list(node, "tags")),
        ("tasks", tasks(node)),
        ("cpu", percent(node, "cpu_usage")),
        ("memory", percent(node, "memory_usage")),
        ("disk", percent(node, "disk_usage")),
        ("heard of", time(node, "last_heartbeat")),
        ("registered", time(node, "registered_at")),
        ("incarnation", text(node, "incarnation")),
        ("done", text(node, "total_tasks_processed")),
        ("failed", text(node, "failed_tasks")),
    ])
}

async fn set_status(cx: &Context, node: &str, status: &str) -> Result<(), Failure> {
    let request = cx.hub.patch(["nodes", node]).json(&json!({"status": status}));
    let answer = request.repeatable().send().await?;
    cx.out.answer(&answer, |node| {
        let rest = match node.get("running_tasks").and_then(Value::as_i64) {
            Some(running @ 1..) if status == "maintenance" => {
                format!("; it finishes {running} task(s)")
            }
            _ => String::new(),
        };
        format!("{} is {}{rest}", text(&node, "node_id"), text(&node, "status"))
    })
}
