//! Tasks as those see them who submit and watch them.

use reef_api::task::{
    SubmittedTask, TaskBody, TaskCleanupAnswer, TaskCleanupBody, TaskRemoved, TaskStats,
    TaskStatus, WhyAnswer, WhyNodes, WhySkill,
};
use reef_api::{SessionId, Word as _};
use reef_domain::Invalid;
use reef_domain::json::Json;
use reef_domain::limits::{BODY_BYTES_MAX, CLASSES_MAX, PAGE_DEFAULT, WAIT_MS_MAX};
use reef_domain::task::{Submission, check_task_id};
use reef_store::Redis;
use reef_store::task::{
    AskWhy, Cancel, Count, Found, Get, List, ListWaiting, Obstacles, Page, Remove, Retry, Submit,
    Submitted, Task, Written, clean_up as forget_old, settle_message,
};
use reef_web::extract::{json_object, object, optional_object, refuse_read_only};
use reef_web::once::made_id;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response, page};

/// Steps of 100 that one clean-up takes: it stays well inside a request's time.
const CLEANUP_STEPS: usize = 1000;

/// Days after which ended tasks are forgotten, where the caller names none.
const CLEANUP_DAYS: f64 = 30.0;

/// There is no such task.
pub(crate) fn unknown_task(task_id: &str) -> Problem {
    Problem::new(Code::NotFound, format!("There is no task {task_id}."))
}

fn is_end(status: &str) -> bool {
    TaskStatus::parse(status).is_some_and(TaskStatus::is_end)
}

/// The value of a write to a task, or why there is none.
pub(crate) fn written<T>(outcome: Written<T>, task_id: &str) -> Result<T, Problem> {
    let conflict = |detail: String| Err(Problem::new(Code::Conflict, detail));
    match outcome {
        Written::Ok(value) => Ok(value),
        Written::NotFound => Err(unknown_task(task_id)),
        Written::Forbidden => Err(Problem::foreign("task")),
        Written::Fenced => Err(Problem::new(
            Code::Fenced,
            format!("This token does not hold the task {task_id} any more."),
        )),
        Written::Status(status) if is_end(&status) => {
            conflict(format!("The task {task_id} has ended: {status}."))
        }
        Written::Status(status) if status == "unsettled" => conflict(format!(
            "The message of the task {task_id} has yet to hear of its end; try again in a moment."
        )),
        Written::Status(status) => conflict(format!("The task {task_id} is {status}.")),
        Written::Settled => conflict(format!(
            "The message of the task {task_id} is complete; submit the task anew."
        )),
    }
}

/// Tells a task's message of its end. The task has ended whatever happens here; what fails, the
/// monitor repeats.
pub(crate) async fn tell_message<R: Redis>(cx: &Context<'_, R>, task: &Task) {
    if task.message_id.is_none() || !task.status.is_end() {
        return;
    }
    let ttl_ms = cx.config.settings.message_ttl_ms;
    if let Err(error) = settle_message(cx.store, &task.task_id, ttl_ms).await {
        eprintln!("task={} its message could not be told of its end: {error}", task.task_id);
    }
}

/// `POST /tasks`, with what it keeps as it is.
pub(crate) type SubmitBody = TaskBody<Json>;

fn submission(body: &mut SubmitBody) -> Result<Submission, Invalid> {
    let mut invalid = Invalid::new();
    let submission = Submission::read(body, &mut invalid)?;
    check_task_id(&mut invalid, body.task_id.as_deref().filter(|given| !given.is_empty()));
    invalid.finish(submission)
}

/// Fields of a task that only the hub decides.
pub(crate) const READ_ONLY: [&str; 15] = [
    "status",
    "assigned_node",
    "submitted_at",
    "scheduled_at",
    "started_at",
    "completed_at",
    "retry_count",
    "result",
    "error",
    "session_id",
    "message_id",
    "progress",
    "token",
    "owner",
    "routable",
];

/// `POST /tasks`
pub(crate) async fn submit<R: Redis>(cx: &Context<'_, R>) -> Answer {
    refuse_read_only(cx.request, &READ_ONLY)?;
    let mut body: SubmitBody = object(cx.request)?;
    let mut submission = submission(&mut body)?;
    let default = &cx.config.settings.task_audience;
    submission.wants.audience.get_or_insert_with(|| default.clone());
    let parameters = json_object("parameters", body.parameters.take(), BODY_BYTES_MAX)?;
    let metadata = json_object("metadata", body.metadata.take(), BODY_BYTES_MAX)?;
    let made = made_id("task", cx.once.as_ref(), false);
    let task_id = body.task_id.as_ref().filter(|given| !given.is_empty()).unwrap_or(&made);
    let call = Submit {
        task_id,
        submission: &submission,
        parameters: &parameters,
        metadata: &metadata,
        shown_in: None,
        owner: cx.caller.name(),
        quotas: cx.quotas(),
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = match answered.value {
        Submitted::Ok { routable, task: Some(task) } => {
            Ok(Response::json(&SubmittedTask { task: *task, routable }))
        }
        Submitted::Ok { .. } => Err(Problem::internal("a task without a message became a draft")),
        refused => Err(not_submitted(&refused, task_id)),
    };
    mark_replayed(answer, answered.replayed)
}

/// Why a task was not taken.
pub(crate) fn not_submitted(refused: &Submitted, task_id: &str) -> Problem {
    match refused {
        Submitted::TooManyClasses => Problem::new(
            Code::Conflict,
            format!("Tasks with {CLASSES_MAX} different sets of required skills wait already."),
        ),
        _ => Problem::new(Code::Conflict, format!("The task id {task_id} is in use.")),
    }
}

/// Answers a page of tasks.
pub(crate) fn paged<R>(cx: &Context<'_, R>, found: &Page) -> Response {
    let next = found.next.map(|number| number.to_string());
    page::with_next(Response::json(&found.tasks), cx.request, next)
}

/// `GET /tasks`. A page may be short when filters are combined; its `Link` says where to go on.
pub(crate) async fn list<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let query = cx.query();
    let given = ["status", "status_filter"].map(|name| query.get(name).map(|text| (name, text)));
    let (name, status) = given.into_iter().flatten().next().unwrap_or_default();
    if !status.is_empty() && TaskStatus::parse(status).is_none() {
        let rule = format!("must be one of {}", TaskStatus::names().join(", "));
        return Err(Problem::parameter(name, &rule));
    }
    let session_id = query.get("session_id").map(SessionId::from);
    let call = List {
        status,
        node_id: query.get("assigned_node").unwrap_or_default(),
        user_id: query.get("user_id").unwrap_or_default(),
        session_id: session_id.as_ref(),
        owner: cx.caller.writer().as_argument(),
        limit: page::limit(&query, PAGE_DEFAULT)?,
        below: page::number_cursor(&query)?,
    };
    Ok(paged(cx, &cx.store.call(&call).await?))
}

/// `GET /tasks/pending`: what waits for a node, in the order of claiming.
pub(crate) async fn list_waiting<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let query = cx.query();
    let call = ListWaiting {
        owner: cx.caller.writer().as_argument(),
        limit: page::limit(&query, PAGE_DEFAULT)?,
        after: page::number_cursor(&query)?,
    };
    Ok(paged(cx, &cx.store.call(&call).await?))
}

/// `GET /tasks/stats`
pub(crate) async fn count<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let counts = cx.store.call(&Count { kept_ms: cx.config.settings.task_kept_ms }).await?;
    Ok(Response::json(&TaskStats {
        total: counts.total,
        by_status: counts.by_status,
        waiting: counts.waiting,
        delayed: counts.delayed,
        dead: counts.dead,
        skill_sets: counts.classes,
        fenced: counts.fenced,
        ended: counts.ended,
        ended_bytes: counts.ended_bytes,
        oldest_end: counts.oldest_end,
        overdue: counts.overdue,
    }))
}

/// `GET /tasks/{id}`. `wait_ms` is the host's: it asks again once the task has ended.
pub(crate) async fn show<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let task_id = cx.id("id", "task_id")?;
    let query = cx.query();
    let wait_ms = query.get("wait_ms").map_or(Ok(0), str::parse::<i64>);
    if !wait_ms.is_ok_and(|wait_ms| (0..=WAIT_MS_MAX).contains(&wait_ms)) {
        return Err(Problem::parameter("wait_ms", "must be a whole number from 0 to 30000"));
    }
    match cx.store.call(&Get { task_id: &task_id }).await? {
        Some(Found { owner, runner, task }) if cx.caller.may_see(&[&owner, &runner]) => {
            Ok(Response::json(&task).pending(!task.status.is_end()))
        }
        _ => Err(unknown_task(&task_id)),
    }
}

/// `DELETE /tasks/{id}`
pub(crate) async fn remove<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let task_id = cx.id("id", "task_id")?;
    // Afterwards nobody could tell its message.
    if let Some(found) = cx.store.call(&Get { task_id: &task_id }).await? {
        tell_message(cx, &found.task).await;
    }
    let call = Remove { task_id: &task_id, writer: cx.caller.writer() };
    written(cx.store.call(&call).await?, &task_id)?;
    Ok(Response::json(&TaskRemoved { success: true, task_id }))
}

/// `POST /tasks/{id}/cancel`
pub(crate) async fn cancel<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let task_id = cx.id("id", "task_id")?;
    let call = Cancel { task_id: &task_id, writer: cx.caller.writer() };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = written(answered.value, &task_id);
    if let Ok(task) = &answer {
        tell_message(cx, task).await;
    }
    mark_replayed(answer.map(|task| Response::json(&task)), answered.replayed)
}

/// `POST /tasks/{id}/retry`
pub(crate) async fn retry<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let task_id = cx.id("id", "task_id")?;
    let call = Retry { task_id: &task_id, writer: cx.caller.writer() };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = written(answered.value, &task_id);
    mark_replayed(answer.map(|task| Response::json(&task)), answered.replayed)
}

/// `POST /tasks/cleanup`
pub(crate) async fn clean_up<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let body: TaskCleanupBody = optional_object(cx.request)?;
    let query = cx.query();
    let in_query = query.get("days").map(str::parse::<f64>).transpose();
    let in_query = in_query.map_err(|_| Problem::parameter("days", "must be a number"))?;
    let days = body.days.or(in_query).unwrap_or(CLEANUP_DAYS);
    let mut invalid = Invalid::new();
    invalid.within("days", days, &(0.0..=36_500.0));
    invalid.finish(())?;
    #[allow(clippy::cast_possible_truncation, reason = "checked to be at most a century")]
    let age_ms = (days * 86_400_000.0) as i64;
    let answered = forget_old(cx.store, age_ms, CLEANUP_STEPS, cx.once.as_ref()).await?;
    let response = Response::json(&TaskCleanupAnswer { deleted: answered.value });
    mark_replayed(Ok(response), answered.replayed)
}

/// `GET /tasks/{id}/why`
pub(crate) async fn why<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let task_id = cx.id("id", "task_id")?;
    let found = cx.store.call(&AskWhy { task_id: &task_id }).await?;
    let obstacles = found.filter(|found| cx.caller.may_see(&[&found.owner]));
    let obstacles = obstacles.ok_or_else(|| unknown_task(&task_id))?;
    let (reason, message) = explain(&obstacles);
    let skills = obstacles.skills.into_iter();
    Ok(Response::json(&WhyAnswer {
        task_id,
        status: obstacles.status,
        reason: reason.into(),
        message,
        due_at: obstacles.due,
        ahead: obstacles.ahead,
        nodes: WhyNodes { able: obstacles.able, online: obstacles.online, free: obstacles.free },
        skills: skills.map(|(skill, nodes, online)| WhySkill { skill, nodes, online }).collect(),
    }))
}

/// The first thing that keeps a task from running: a word for programs, a sentence for people.
fn explain(obstacles: &Obstacles) -> (&'static str, String) {
    let Obstacles { status, due, able, able_of_all, online, free, skills, ahead, .. } = obstacles;
    let Obstacles { target, target_status, .. } = obstacles;
    if let (Some(node), "pending", None) = (target, status.as_str(), due)
        && (*able == 0 || *online == 0)
    {
        return match target_status {
            None => ("no_node", format!("It is for the node {node}, which is not registered.")),
            Some(_) if *able == 0 => (
                "target_node_unfit",
                format!(
                    "It is for the node {node}, which lacks a skill or is not of its audience."
                ),
            ),
            Some(_) => {
                ("no_node_online", format!("It is for the node {node}, which is not online."))
            }
        };
    }
    let missing = |of: fn(&(String, i64, i64)) -> i64| {
        let names =
            skills.iter().filter(move |skill| of(skill) == 0).map(|(name, ..)| name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    let unknown = missing(|(_, nodes, _)| *nodes);
    let asleep = missing(|(_, _, online)| *online);
    match (status.as_str(), due) {
        ("running", _) => ("running", "It is running.".to_owned()),
        ("scheduled", Some(due)) => ("delayed", format!("It is kept back until {due}.")),
        ("pending", Some(due)) => {
            ("waiting_for_retry", format!("Its last try failed; it waits for retry until {due}."))
        }
        (status, _) if is_end(status) => ("ended", format!("It has ended: {status}.")),
        _ if !unknown.is_empty() => {
            ("no_node_with_skill", format!("No node has the skill {unknown}."))
        }
        _ if *able == 0 && skills.is_empty() && able_of_all.is_none_or(|nodes| nodes == 0) => {
            ("no_node", "No node is registered.".to_owned())
        }
        _ if *able == 0 && able_of_all.is_some_and(|nodes| nodes > 0) => (
            "no_node_in_audience",
            "Nodes have its skills, but none of them is one of its audience's.".to_owned(),
        ),
        _ if *able == 0 => (
            "no_node_with_all_skills",
            "Each of its skills is there, but no node has all of them.".to_owned(),
        ),
        _ if !asleep.is_empty() => {
            ("no_node_online", format!("No node with the skill {asleep} is online."))
        }
        _ if *online == 0 => ("no_node_online", "No node that could run it is online.".to_owned()),
        _ if *free == 0 => {
            ("all_full", format!("All {online} online nodes that could run it are full."))
        }
        _ => (
            "waiting_for_claim",
            format!(
                "It waits for one of {free} nodes with room to claim it; {ahead} tasks are before it."
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use reef_domain::time::UnixMillis;

    use super::*;

    fn obstacles() -> Obstacles {
        Obstacles {
            owner: String::new(),
            status: TaskStatus::Pending.into(),
            due: None,
            ahead: 0,
            able: 1,
            able_of_all: None,
            online: 1,
            free: 1,
            target: None,
            target_status: None,
            skills: vec![("gpu".into(), 1, 1)],
        }
    }

    #[test]
    fn the_first_obstacle_is_named() {
        let gpu = |nodes, online| vec![("gpu".to_owned(), nodes, online)];
        let for_node = |status: Option<&str>| Obstacles {
            able: i64::from(status.is_some()),
            online: 0,
            free: 0,
            target: Some("n".into()),
            target_status: status.map(str::to_owned),
            ..obstacles()
        };
        for (obstacles, reason) in [
            (obstacles(), "waiting_for_claim"),
            (Obstacles { free: 0, ..obstacles() }, "all_full"),
            (Obstacles { online: 0, free: 0, ..obstacles() }, "no_node_online"),
            (Obstacles { able: 0, online: 0, ..obstacles() }, "no_node_with_all_skills"),
            (Obstacles { able: 0, skills: gpu(0, 0), ..obstacles() }, "no_node_with_skill"),
            (Obstacles { able: 0, skills: Vec::new(), ..obstacles() }, "no_node"),
            (
                Obstacles { able: 0, able_of_all: Some(1), skills: Vec::new(), ..obstacles() },
                "no_node_in_audience",
            ),
            (for_node(Some("offline")), "no_node_online"),
            (for_node(None), "no_node"),
            (Obstacles { able: 0, ..for_node(Some("online")) }, "target_node_unfit"),
            (Obstacles { due: Some(UnixMillis(0)), ..obstacles() }, "waiting_for_retry"),
            (Obstacles { status: TaskStatus::Timeout.into(), ..obstacles() }, "ended"),
        ] {
            assert_eq!(explain(&obstacles).0, reason, "{obstacles:?}");
        }
        let missing = Obstacles { able: 0, skills: gpu(0, 0), ..obstacles() };
        assert_eq!(explain(&missing).1, "No node has the skill gpu.");
    }
}
