//! `reef nodes`: who is registered, and what they shall do.

use clap::{Args, Subcommand};
use reef_api::NodeId;
use reef_api::node::{Node, NodeChange, NodeStatus};

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::table::{columns, facts, shown};
use crate::{Context, EXIT_CODES, time};

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
    node: NodeId,
}

impl Nodes {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::List(args) => list_all(cx, args).await,
            Verb::Show(NodeArgs { node }) => {
                cx.out.answer(&cx.hub.node(&node).send().await?, |node| details(&node))
            }
            Verb::Drain(NodeArgs { node }) => set_status(cx, &node, NodeStatus::Maintenance).await,
            Verb::Resume(NodeArgs { node }) => set_status(cx, &node, NodeStatus::Online).await,
            Verb::Remove(NodeArgs { node }) => {
                let answer = cx.hub.remove_node(&node).send().await?;
                cx.out.answer(&answer, |gone| format!("{} is removed", shown(gone.node_id)))
            }
        }
    }
}

async fn list_all(cx: &Context, args: ListArgs) -> Result<(), Failure> {
    let request = cx.hub.nodes().query("limit", args.limit);
    let request = request.maybe_query("status", args.status).maybe_query("skill", args.skill);
    let request = request.maybe_query("tag", args.tag).maybe_query("cursor", args.cursor);
    let answer = request.send().await?;
    let nodes = cx.out.read(&answer)?;
    if !cx.out.is_json() && nodes.is_empty() {
        cx.out.note("no nodes");
    } else {
        cx.out.shown(&answer, || rows(nodes.iter()))?;
    }
    cx.out.tell_next(&answer);
    Ok(())
}

/// A table of nodes.
pub(crate) fn rows<'a>(nodes: impl Iterator<Item = &'a Node>) -> String {
    let rows = nodes.map(|node| {
        [
            node.node_id.to_string(),
            node.status.to_string(),
            tasks(node),
            percent(node.cpu_usage),
            percent(node.memory_usage),
            percent(node.disk_usage),
            time::of(node.last_heartbeat),
            node.skills().join(" "),
        ]
    });
    columns(["node", "status", "tasks", "cpu", "memory", "disk", "heard of", "skills"], rows)
}

/// What it does, of what it can.
fn tasks(node: &Node) -> String {
    format!("{}/{}", node.running_tasks, node.max_concurrent_tasks)
}

fn percent(share: f64) -> String {
    format!("{share:.0} %")
}

fn details(node: &Node) -> String {
    let kind = [&node.platform, &node.arch].map(|it| it.as_deref().unwrap_or_default());
    facts([
        ("node", node.node_id.to_string()),
        ("hostname", node.hostname.clone()),
        ("platform", kind.join(" ")),
        ("status", node.status.to_string()),
        ("skills", node.skills().join(" ")),
        ("tags", node.labels().join(" ")),
        ("tasks", tasks(node)),
        ("cpu", percent(node.cpu_usage)),
        ("memory", percent(node.memory_usage)),
        ("disk", percent(node.disk_usage)),
        ("heard of", time::of(node.last_heartbeat)),
        ("registered", time::of(node.registered_at)),
        ("incarnation", node.incarnation.to_string()),
        ("done", node.total_tasks_processed.to_string()),
        ("failed", node.failed_tasks.to_string()),
    ])
}

async fn set_status(cx: &Context, node: &NodeId, status: NodeStatus) -> Result<(), Failure> {
    let change = NodeChange { status: Some(status.into()), ..NodeChange::default() };
    let answer = cx.hub.change_node(node, &change).repeatable().send().await?;
    cx.out.answer(&answer, |node| {
        let rest = match node.running_tasks {
            running @ 1.. if status == NodeStatus::Maintenance => {
                format!("; it finishes {running} task(s)")
            }
            _ => String::new(),
        };
        format!("{} is {}{rest}", shown(node.node_id), shown(node.status))
    })
}
