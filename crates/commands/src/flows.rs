//! `reef flows`: tasks that were submitted together, as a whole.

use clap::{Args, Subcommand};
use reef_api::GroupId;
use reef_api::flow::{Followed, Group, On};
use reef_api::task::{Task, TaskStatus};
use reef_client::Kept;
use serde::Serialize;

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::groups;
use crate::table::{columns, or_empty, shortened, shown};
use crate::{Context, EXIT_CODES, time};

/// Shown above the group's `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef flows show GROUP
  reef flows show GROUP --dot | dot -Tsvg > flow.svg
";

/// How many tasks of a group are asked for at once.
const PAGE: usize = 1000;

/// `reef flows`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Flows {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show a group and its tasks
    #[command(before_help = EXAMPLES, after_help = EXIT_CODES)]
    Show(ShowArgs),
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// The group's id
    group: GroupId,
    /// Print a graph in the language of Graphviz
    #[arg(long, conflicts_with = "json")]
    dot: bool,
    /// Most tasks, 1 to 10000
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

/// A group with its tasks, each as the hub has answered it.
#[derive(Debug, Serialize)]
struct Flow {
    group: Kept<Group>,
    tasks: Vec<Kept<Task>>,
}

impl Flows {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        let Verb::Show(args) = self.verb;
        let group = cx.hub.group(&args.group).answering::<Kept<Group>>().fetch().await?;
        let (tasks, is_whole) = tasks(cx, &args).await?;
        let flow = Flow { group, tasks };
        let text = if cx.out.is_json() {
            serde_json::to_string(&flow)?
        } else if args.dot {
            flow.dot()
        } else {
            flow.text()
        };
        cx.out.line(&text)?;
        if !is_whole {
            cx.out.note(&format!("there are more tasks than --limit {}", args.limit));
        }
        Ok(())
    }
}

/// The tasks in the order of their submission, and whether these are all.
async fn tasks(cx: &Context, args: &ShowArgs) -> Result<(Vec<Kept<Task>>, bool), Failure> {
    let wanted = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let (mut tasks, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let limit = PAGE.min(wanted - tasks.len());
        let request = cx.hub.group_tasks(&args.group).answering::<Vec<Kept<Task>>>();
        let request = request.query("limit", limit).maybe_query("cursor", cursor.as_deref());
        let answer = request.send().await?;
        tasks.extend(answer.value()?);
        cursor = answer.next_cursor().map(str::to_owned);
        if cursor.is_none() || tasks.len() >= wanted {
            return Ok((tasks, cursor.is_none()));
        }
    }
}

impl Flow {
    fn text(&self) -> String {
        let rows = self.tasks.iter().map(|task| {
            let Task { task_id, status, assigned_node, started_at, completed_at, after, .. } =
                &task.value;
            let moment = |at: &Option<_>| at.map(time::of).unwrap_or_default();
            [
                task_id.to_string(),
                status.to_string(),
                or_empty(assigned_node.as_ref()),
                moment(started_at),
                moment(completed_at),
                followed(after),
                shortened(&task.value.name),
            ]
        });
        let tasks = columns(["task", "status", "node", "started", "ended", "after", "name"], rows);
        format!("{}\n\n{tasks}", groups::details(&self.group.value))
    }

    /// A graph: whoever has made the group, the group, its tasks.
    fn dot(&self) -> String {
        let group = &self.group.value;
        let label = if group.name.is_empty() { group.group_id.as_str() } else { &group.name };
        let mut lines = vec![
            "digraph flow {".to_owned(),
            "  rankdir=LR;".to_owned(),
            "  node [shape=box, style=filled, fillcolor=white];".to_owned(),
            format!("  group [shape=folder, label={}];", text(&[label, &group.status.to_string()])),
        ];
        if let Some(parent) = &group.parent {
            lines.push(format!("  {} -> group;", text(&[parent.as_str()])));
        }
        for task in &self.tasks {
            let Task { task_id, name, status, .. } = &task.value;
            let id = text(&[task_id.as_str()]);
            let label = text(&[&shortened(name), status.as_str()]);
            let color = match status.known() {
                Some(TaskStatus::Completed) => "palegreen",
                Some(TaskStatus::Failed | TaskStatus::Timeout) => "lightcoral",
                Some(TaskStatus::Cancelled) => "lightgray",
                Some(TaskStatus::Running) => "lightblue",
                _ => "white",
            };
            lines.push(format!("  {id} [label={label}, fillcolor={color}];"));
            let followed: Vec<_> =
                task.value.after.iter().filter_map(|it| it.task.as_ref()).collect();
            if followed.is_empty() {
                lines.push(format!("  group -> {id};"));
            }
            for what in followed {
                lines.push(format!("  {} -> {id};", text(&[what.as_str()])));
            }
        }
        lines.push("}".to_owned());
        lines.join("\n")
    }
}

/// What a task follows, and how that is to end where not well.
fn followed(after: &[Followed]) -> String {
    let one = |it: &Followed| {
        let what = match (&it.task, &it.group) {
            (Some(task), _) => task.to_string(),
            (None, group) => format!("group:{}", or_empty(group.as_ref())),
        };
        if it.on == On::Completed { what } else { format!("{what} ({})", it.on) }
    };
    after.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Lines of text in Graphviz's quotes. What would end them, or is an escape there, is written out.
fn text(lines: &[&str]) -> String {
    let quoted = |line: &&str| shown(line).replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", lines.iter().map(quoted).collect::<Vec<_>>().join("\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        assert_eq!(text(&["a\"; x [label=\\N", "b\n"]), r#""a\"; x [label=\\N\nb\\n""#);
    }
}
