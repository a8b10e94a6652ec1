//! `reef tasks list`, `show`, `why`, `dead`, `stats`: tasks as they are now.

use clap::Args;
use reef_api::TaskId;
use reef_api::task::{Task, TaskStatus, WhySkill};
use reef_api::time::UnixMillis;
use reef_api::usage::{TaskBudget, TaskUsage, Used};
use reef_client::Request;
use reef_domain::shown::in_line;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::Context;
use crate::failure::Failure;
use crate::table::{columns, facts, or_empty, raw, shortened, shown};
use crate::time;

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    filter: super::find::FilterArgs,
    #[command(flatten)]
    page: PageArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DeadArgs {
    /// By what went wrong: how many failed alike, and the key that redrive takes
    #[arg(long)]
    by_error: bool,
    #[command(flatten)]
    page: PageArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PageArgs {
    /// Most tasks, 1 to 1000
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Go on where an earlier list ended
    #[arg(long)]
    cursor: Option<String>,
}

pub(crate) async fn list(cx: &Context, args: ListArgs) -> Result<(), Failure> {
    let filter = args.filter.read()?;
    let labels = filter.labels.map(|labels| {
        let pairs: Vec<String> =
            labels.iter().map(|(key, value)| format!("{key}:{value}")).collect();
        pairs.join(",")
    });
    let request = cx
        .hub
        .tasks()
        .maybe_query("status", filter.status)
        .maybe_query("name", filter.name)
        .maybe_query("label", labels)
        .maybe_query("assigned_node", filter.assigned_node)
        .maybe_query("user_id", filter.user_id)
        .maybe_query("session_id", filter.session_id)
        .maybe_query("since", filter.since)
        .maybe_query("until", filter.until)
        .maybe_query("error~", filter.error)
        .maybe_query("error_key", filter.error_key);
    print_page(cx, request, args.page).await
}

pub(crate) async fn dead(cx: &Context, args: DeadArgs) -> Result<(), Failure> {
    if !args.by_error {
        return print_page(cx, cx.hub.dead_tasks(), args.page).await;
    }
    let request = cx.hub.dead_by_error();
    let request = request.maybe_query("limit", args.page.limit);
    let answer = request.maybe_query("cursor", args.page.cursor).send().await?;
    let found = cx.out.read(&answer)?;
    if !cx.out.is_json() && found.groups.is_empty() {
        cx.out.note("no tasks");
    } else {
        cx.out.shown(&answer, || {
            let rows = found.groups.iter().map(|group| {
                let moment = |at: Option<UnixMillis>| at.map(time::of).unwrap_or_default();
                [
                    group.key.clone(),
                    group.count.to_string(),
                    moment(group.first_at),
                    moment(group.last_at),
                    shortened(&group.name),
                    shortened(&group.error),
                ]
            });
            columns(["key", "tasks", "first", "last", "name", "error"], rows)
        })?;
    }
    cx.out.tell_next(&answer);
    Ok(())
}

/// Lists the tries of a task.
pub(crate) async fn attempts(cx: &Context, task: &TaskId) -> Result<(), Failure> {
    let answer = cx.hub.attempts(task).send().await?;
    let found = cx.out.read(&answer)?;
    if !cx.out.is_json() && found.attempts.is_empty() {
        cx.out.note("no node has had it yet");
        return Ok(());
    }
    cx.out.shown(&answer, || {
        let rows = found.attempts.iter().map(|one| {
            [
                one.attempt.to_string(),
                one.node_id.to_string(),
                time::of(one.from),
                one.to.map(time::of).unwrap_or_default(),
                one.outcome.to_string(),
                or_empty(one.tokens_in.map(|input| input + one.tokens_out.unwrap_or_default())),
                or_empty(one.cost),
                shortened(one.error.as_deref().unwrap_or_default()),
            ]
        });
        columns(["try", "node", "from", "to", "outcome", "tokens", "cost", "error"], rows)
    })
}

/// Prints a page of tasks.
pub(crate) async fn print_page(
    cx: &Context,
    request: Request<Vec<Task>>,
    page: PageArgs,
) -> Result<(), Failure> {
    let request = request.maybe_query("limit", page.limit).maybe_query("cursor", page.cursor);
    let answer = request.send().await?;
    let tasks = cx.out.read(&answer)?;
    if !cx.out.is_json() && tasks.is_empty() {
        cx.out.note("no tasks");
    } else {
        cx.out.shown(&answer, || {
            let rows = tasks.iter().map(|task| {
                [
                    task.task_id.to_string(),
                    status(task),
                    priority(task.priority),
                    task.required_skills.join(" "),
                    or_empty(task.assigned_node.as_ref()),
                    time::of(task.submitted_at),
                    shortened(&task.name),
                ]
            });
            columns(["task", "status", "priority", "skills", "node", "submitted", "name"], rows)
        })?;
    }
    cx.out.tell_next(&answer);
    Ok(())
}

pub(crate) async fn show(cx: &Context, task: &TaskId) -> Result<(), Failure> {
    let answer = cx.hub.task(task).send().await?;
    cx.out.answer(&answer, |task| details(&task))
}

pub(crate) async fn why(cx: &Context, task: &TaskId) -> Result<(), Failure> {
    let answer = cx.hub.why(task).send().await?;
    cx.out.answer(&answer, |why| {
        let mut lines = vec![shown(why.message)];
        if !why.skills.is_empty() {
            let rows = why.skills.into_iter().map(|WhySkill { skill, nodes, online }| {
                [skill, nodes.to_string(), online.to_string()]
            });
            lines.push(String::new());
            lines.push(columns(["skill", "nodes", "online"], rows));
        }
        lines.join("\n")
    })
}

pub(crate) async fn stats(cx: &Context) -> Result<(), Failure> {
    let answer = cx.hub.get(["tasks", "stats"]).send().await?;
    cx.out.answer(&answer, |stats| {
        let stats = stats.as_object().cloned().unwrap_or_default();
        let rows = stats.iter().flat_map(|(name, count)| match count.as_object() {
            None => vec![[name.replace('_', " "), count.to_string()]],
            Some(counts) => {
                let row =
                    |(of, count): (&String, &Value)| [format!("{name} {of}"), count.to_string()];
                counts.iter().map(row).collect()
            }
        });
        columns(["tasks", "count"], rows)
    })
}

/// Everything about one task that people want to see.
pub(crate) fn details(task: &Task) -> String {
    let moment = |at: Option<UnixMillis>| at.map(time::of).unwrap_or_default();
    let head = facts([
        ("task", task.task_id.to_string()),
        ("name", shortened(&task.name)),
        ("status", status(task)),
        ("priority", priority(task.priority)),
        ("skills", task.required_skills.join(" ")),
        ("for node", or_empty(task.target_node.as_ref())),
        ("node", or_empty(task.assigned_node.as_ref())),
        ("tries", tries(task)),
        ("waits for", or_empty(task.wait_id.as_ref())),
        ("group", or_empty(task.group_id.as_ref())),
        ("labels", labels_of(task)),
        ("session", or_empty(task.session_id.as_ref())),
        ("message", or_empty(task.message_id.as_ref())),
        ("submitted", time::of(task.submitted_at)),
        ("kept until", moment(task.scheduled_at)),
        ("started", moment(task.started_at)),
        ("ended", moment(task.completed_at)),
        ("used", task.usage.as_ref().map(used).unwrap_or_default()),
        ("may use", task.budget.as_ref().map(may_use).unwrap_or_default()),
        ("pays", task.charge.as_ref().map(|it| format!("at most {}", it.max)).unwrap_or_default()),
        ("error", or_empty(task.error.as_ref())),
    ]);
    let result = task.result.as_ref().map(|result| shown_result(result)).unwrap_or_default();
    let parts = [head, result];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// What all its tries have used.
fn used(usage: &TaskUsage) -> String {
    let Used { input, output, cost, .. } = usage.used;
    format!("{cost}, {} tokens", input.saturating_add(output))
}

fn may_use(budget: &TaskBudget) -> String {
    let cost = budget.cost.map(|cost| cost.to_string());
    let tokens = budget.tokens.map(|tokens| format!("{tokens} tokens"));
    let bounds: Vec<_> = [cost, tokens].into_iter().flatten().collect();
    bounds.join(", ")
}

/// A result: what a workflow has found is meant to be read, a text is shown as it is, all else as JSON.
fn shown_result(result: &RawValue) -> String {
    match serde_json::from_str(result.get()) {
        Ok(Value::String(text)) => in_line(&text).into_owned(),
        Ok(Value::Object(found)) if found.get("text").is_some_and(Value::is_string) => {
            raw(&Value::Object(found), "text")
        }
        _ => in_line(result.get()).into_owned(),
    }
}

/// The status, and how far it is while it runs.
fn status(task: &Task) -> String {
    let Task { status, progress, .. } = task;
    if status.is_any(&[TaskStatus::Running]) && *progress > 0.0 {
        return format!("{status} {:.0} %", progress * 100.0);
    }
    status.to_string()
}

fn priority(priority: i64) -> String {
    match priority {
        0 => "critical".to_owned(),
        1 => "high".to_owned(),
        2 => "normal".to_owned(),
        3 => "low".to_owned(),
        other => other.to_string(),
    }
}

fn labels_of(task: &Task) -> String {
    let pairs: Vec<String> =
        task.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join(" ")
}

/// Which try it is at, where there was more than one.
fn tries(task: &Task) -> String {
    match task.retry_count {
        0 => String::new(),
        again => format!("{again} of {} used up", task.max_retries),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_task_is_shown_with_what_matters() {
        let read = |task: Value| serde_json::from_value::<Task>(task).unwrap();
        let task = json!({
            "task_id": "t1", "name": "resize", "status": "running", "progress": 0.4, "priority": 1,
            "required_skills": ["python", "gpu"], "retry_count": 1, "max_retries": 3,
            "result": null, "error": null,
        });
        let shown = details(&read(task));
        for part in ["running 40 %", "high", "python gpu", "1 of 3 used up"] {
            assert!(shown.contains(part), "{shown}");
        }
        assert!(!shown.contains("error"), "{shown}");
        let answered =
            json!({"status": "completed", "result": {"text": "All is well.", "calls": 1}});
        assert!(details(&read(answered)).ends_with("\n\nAll is well."));
    }
}
