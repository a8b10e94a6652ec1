//! `reef tasks list`, `show`, `why`, `dead`, `stats`: tasks as they are now.

use clap::Args;
use reef_client::{Answer, Request};
use serde_json::Value;

use crate::Context;
use crate::failure::Failure;
use crate::table::{brief, columns, facts, list as list_of, text, time};

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Those that are pending, scheduled, running, completed, failed, cancelled or timeout
    #[arg(long)]
    status: Option<String>,
    /// Those that this node has or had
    #[arg(long, value_name = "NODE_ID")]
    node: Option<String>,
    /// Those of this user
    #[arg(long)]
    user: Option<String>,
    /// Those of this session
    #[arg(long)]
    session: Option<String>,
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
    let request = cx
        .hub
        .get(["tasks"])
        .maybe_query("status", args.status)
        .maybe_query("assigned_node", args.node)
        .maybe_query("user_id", args.user)
        .maybe_query("session_id", args.session);
    print_page(cx, request, args.page).await
}

pub(crate) async fn dead(cx: &Context, args: PageArgs) -> Result<(), Failure> {
    print_page(cx, cx.hub.get(["tasks", "dead"]), args).await
}

async fn print_page(cx: &Context, request: Request, page: PageArgs) -> Result<(), Failure> {
    let request = request.maybe_query("limit", page.limit).maybe_query("cursor", page.cursor);
    let answer: Answer = request.send().await?;
    let tasks = cx.out.read_list(&answer, None)?;
    if !cx.out.is_json() && tasks.is_empty() {
        cx.out.note("no tasks");
    } else {
        cx.out.shown(&answer, || {
            let rows = tasks.iter().map(|task| {
                [
                    text(task, "task_id"),
                    status(task),
                    priority(task),
                    list_of(task, "required_skills"),
                    text(task, "assigned_node"),
                    time(task, "submitted_at"),
                    brief(task, "name"),
                ]
            });
            columns(["task", "status", "priority", "skills", "node", "submitted", "name"], rows)
        })?;
    }
    cx.out.tell_next(&answer);
    Ok(())
}

pub(crate) async fn show(cx: &Context, task: &str) -> Result<(), Failure> {
    let answer = cx.hub.get(["tasks", task]).send().await?;
    cx.out.answer(&answer, |task| details(&task))
}

pub(crate) async fn why(cx: &Context, task: &str) -> Result<(), Failure> {
    let answer = cx.hub.get(["tasks", task, "why"]).send().await?;
    cx.out.answer(&answer, |why| {
        let mut lines = vec![text(&why, "message")];
        let skills = why.get("skills").and_then(Value::as_array).cloned().unwrap_or_default();
        if !skills.is_empty() {
            let rows = skills
                .iter()
                .map(|skill| [text(skill, "skill"), text(skill, "nodes"), text(skill, "online")]);
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
        let rows = stats.iter().map(|(name, count)| [name.replace('_', " "), count.to_string()]);
        columns(["tasks", "count"], rows)
    })
}

/// Everything about one task that people want to see.
pub(crate) fn details(task: &Value) -> String {
    let head = facts([
        ("task", text(task, "task_id")),
        ("name", brief(task, "name")),
        ("status", status(task)),
        ("priority", priority(task)),
        ("skills", list_of(task, "required_skills")),
        ("for node", text(task, "target_node")),
        ("node", text(task, "assigned_node")),
        ("tries", tries(task)),
        ("session", text(task, "session_id")),
        ("message", text(task, "message_id")),
        ("submitted", time(task, "submitted_at")),
        ("kept until", time(task, "scheduled_at")),
        ("started", time(task, "started_at")),
        ("ended", time(task, "completed_at")),
        ("error", text(task, "error")),
    ]);
    let result = match task.get("result") {
        None | Some(Value::Null) => String::new(),
        // What a workflow has found is meant to be read.
        Some(result) => match result.get("text").and_then(Value::as_str) {
            Some(text) => text.to_owned(),
            None => text(task, "result"),
        },
    };
    let parts = [head, result];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// The status, and how far it is while it runs.
fn status(task: &Value) -> String {
    let status = text(task, "status");
    let progress = task.get("progress").and_then(Value::as_f64).unwrap_or(0.0);
    if status == "running" && progress > 0.0 {
        return format!("{status} {:.0} %", progress * 100.0);
    }
    status
}

fn priority(task: &Value) -> String {
    match task.get("priority").and_then(Value::as_u64) {
        Some(0) => "critical".to_owned(),
        Some(1) => "high".to_owned(),
        Some(2) => "normal".to_owned(),
        Some(3) => "low".to_owned(),
        _ => text(task, "priority"),
    }
}

/// Which try it is at, where there was more than one.
fn tries(task: &Value) -> String {
    match task.get("retry_count").and_then(Value::as_u64) {
        None | Some(0) => String::new(),
        Some(again) => format!("{} of {} used up", again, text(task, "max_retries")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_task_is_shown_with_what_matters() {
        let task = json!({
            "task_id": "t1", "name": "resize", "status": "running", "progress": 0.4, "priority": 1,
            "required_skills": ["python", "gpu"], "retry_count": 1, "max_retries": 3,
            "result": null, "error": null,
        });
        let shown = details(&task);
        for part in ["running 40 %", "high", "python gpu", "1 of 3 used up"] {
            assert!(shown.contains(part), "{shown}");
        }
        assert!(!shown.contains("error"), "{shown}");
        let answered =
            json!({"status": "completed", "result": {"text": "All is well.", "calls": 1}});
        assert!(details(&answered).ends_with("\n\nAll is well."));
    }
}
