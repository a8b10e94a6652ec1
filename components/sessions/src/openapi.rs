//! What `openapi.json` says of these routes.

use reef_api::Word as _;
use reef_api::session::{Session, SessionAnswer, SessionBody, SessionClosed, SessionStatus};
use reef_api::task::{
    ClaimedTask, SessionTaskAnswer, SessionTaskBody, SubmittedTask, Task, TaskClaimAnswer,
    TaskClaimBody, TaskCleanupAnswer, TaskCleanupBody, TaskFailBody, TaskProgressAnswer,
    TaskProgressBody, TaskRedriveAnswer, TaskRedriveBody, TaskRedriveFilter, TaskRemoved,
    TaskStats, TaskStatus, WhyAnswer,
};
use reef_domain::json::Json;
use reef_domain::limits::{
    AUDIENCE_MAX, CLAIM_LEASE_MS, CLAIM_LEASE_MS_DEFAULT, CONCURRENT_TASKS_MAX, ITERATIONS_MAX,
    PAGE_DEFAULT, REDRIVE_MAX, TASK_DELAY_MS_MAX, TASK_KEPT_MS_MAX, TASK_NAME_CHARS_MAX,
    TASK_RETRIES_MAX, TASK_TIMEOUT_MS_MAX, USER_CHARS_MAX, WAIT_MS_MAX,
};
use reef_domain::task::{PRIORITY_DEFAULT, PRIORITY_MAX, TASK_TYPES, TIMEOUT_DEFAULT, WORKFLOWS};
use reef_web::Code;
use reef_web::openapi::schema::{
    between, default, filter, labels, list_of, name, named, new_id, number_cursor, object, one_of,
    optional_object, own_id,
};
use reef_web::openapi::{Api, schema};
use serde_json::{Value, json};

use crate::{claims, tasks};

/// Describes the routes.
pub fn describe(api: &mut Api) {
    schemas(api);
    sessions(api);
    api.group("Tasks");
    submitting(api);
    running(api);
    one_task(api);
    dead(api);
}

fn sessions(api: &mut Api) {
    api.group("Sessions");
    api.post("/api/v1/sessions", "create_session", "Begin a session")
        .may_take::<SessionBody<Json>>()
        .example(json!({ "user_id": "ada" }))
        .answers::<SessionAnswer>("The session, as it is if it was there.");
    api.get("/api/v1/sessions", "list_sessions", "List sessions, newest first")
        .query("user_id", "Only those of this user.", json!({ "type": "string" }))
        .query("status", "Only those in this status.", filter(&SessionStatus::names()))
        .pages(PAGE_DEFAULT, number_cursor())
        .answers_schema("The sessions.", list_of("Session"));
    api.get("/api/v1/sessions/{sid}", "show_session", "Show a session")
        .answers::<Session>("The session.")
        .refuses(&[Code::NotFound]);
    api.delete("/api/v1/sessions/{sid}", "close_session", "Close a session")
        .says("Its messages stay until they expire; no new ones can be sent.")
        .answers::<SessionClosed>("It is closed.")
        .refuses(&[Code::NotFound, Code::Conflict]);
    api.post("/api/v1/sessions/{sid}/tasks", "submit_session_task", "Submit a task that is shown")
        .says(
            "Its progress and result appear in a message of the session. Whoever claims it needs \
             the given skills and one with the workflow's name.",
        )
        .takes::<SessionTaskBody>()
        .example(json!({ "task_description": "Summarise the log of today." }))
        .answers::<SessionTaskAnswer>("The task and its message.")
        .refuses(&[Code::NotFound, Code::Conflict]);
}

fn submitting(api: &mut Api) {
    api.post("/api/v1/tasks", "submit_task", "Submit a task")
        .says("A task whose skills no node has is taken too, with `routable: false`.")
        .takes::<tasks::SubmitBody>()
        .example(json!({ "name": "index", "required_skills": ["python"], "priority": 1 }))
        .answers::<SubmittedTask>("The task.")
        .refuses(&[Code::Conflict]);
    let text = || json!({ "type": "string" });
    api.get("/api/v1/tasks", "list_tasks", "List tasks, newest first")
        .query("status", "Only those in this status.", filter(&TaskStatus::names()))
        .query("status_filter", "The same; `status` comes first.", filter(&TaskStatus::names()))
        .query("assigned_node", "Only those of this node.", text())
        .query("user_id", "Only those for this user.", text())
        .query("session_id", "Only those of this session.", text())
        .pages(PAGE_DEFAULT, number_cursor())
        .answers_schema(
            "The tasks; a page may be short when filters are combined.",
            list_of("Task"),
        );
    api.get("/api/v1/tasks/pending", "list_waiting_tasks", "List what waits for a node")
        .says("In the order of claiming.")
        .pages(PAGE_DEFAULT, number_cursor())
        .answers_schema("The tasks.", list_of("Task"));
    api.get("/api/v1/tasks/stats", "count_tasks", "Count tasks")
        .answers::<TaskStats>("Counts by status, and of the queue.");
    api.post("/api/v1/tasks/cleanup", "clean_up_tasks", "Forget old tasks")
        .says("Those that wait or run stay.")
        .query(
            "days",
            "The same as in the body.",
            json!({
                "type": "number", "minimum": 0, "maximum": 36_500,
            }),
        )
        .may_take::<TaskCleanupBody>()
        .answers::<TaskCleanupAnswer>("How many were forgotten.");
}

fn running(api: &mut Api) {
    let held = [Code::NotFound, Code::Conflict, Code::Fenced];
    api.post("/api/v1/tasks/claim", "claim_tasks", "Take tasks for a node")
        .says(
            "The most urgent, then oldest, tasks whose required skills the node has, never past its \
             free capacity. Each comes under a `token` and a lease; heartbeats and progress renew \
             it. `wait_ms` waits for one under the host; under Spin it is as 0.",
        )
        .takes::<TaskClaimBody>()
        .example(json!({ "node_id": "gpu-1", "wait_ms": 30_000 }))
        .answers::<TaskClaimAnswer>("Tasks with tokens; none: `reason` may say why.")
        .refuses(&[Code::NotFound, Code::Conflict]);
    api.post("/api/v1/tasks/{id}/progress", "report_progress", "Say how far a task is")
        .says("Renews the lease. `cancelled` says that the task is not wanted any more.")
        .takes::<TaskProgressBody>()
        .example(json!({ "token": "…", "progress": 0.5 }))
        .answers::<TaskProgressAnswer>("How the claim stands.")
        .refuses(&held);
    api.post("/api/v1/tasks/{id}/complete", "complete_task", "End a task well")
        .says("`result` is any value up to 1 MiB; `content` is a content block for its message.")
        .takes::<claims::CompleteBody>()
        .example(json!({ "token": "…", "result": { "lines": 42 } }))
        .answers::<Task>("The task.")
        .refuses(&held);
    api.post("/api/v1/tasks/{id}/fail", "fail_task", "End a try badly")
        .says("With tries left it is `pending` again after a back-off that doubles.")
        .takes::<TaskFailBody>()
        .example(json!({ "token": "…", "error": "no such file" }))
        .answers::<Task>("The task.")
        .refuses(&held);
}

fn one_task(api: &mut Api) {
    api.get("/api/v1/tasks/{id}", "show_task", "Show a task, or wait for its end")
        .query(
            "wait_ms",
            "How long to wait for its end; under the host only.",
            json!({
                "type": "integer", "minimum": 0, "maximum": WAIT_MS_MAX, "default": 0,
            }),
        )
        .answers::<Task>("The task.")
        .refuses(&[Code::NotFound]);
    api.delete("/api/v1/tasks/{id}", "remove_task", "Forget a task that has ended")
        .answers::<TaskRemoved>("It is gone.")
        .refuses(&[Code::NotFound, Code::Conflict]);
    api.get("/api/v1/tasks/{id}/why", "explain_task", "Why a task is not running")
        .answers::<WhyAnswer>("The first obstacle, in a word and in a sentence.")
        .refuses(&[Code::NotFound]);
    api.post("/api/v1/tasks/{id}/cancel", "cancel_task", "Call a task off")
        .says("Whoever runs it learns it with the next heartbeat or progress.")
        .answers::<Task>("The task.")
        .refuses(&[Code::NotFound, Code::Conflict]);
    api.post("/api/v1/tasks/{id}/retry", "retry_task", "Try a task again that has ended")
        .answers::<Task>("The task.")
        .refuses(&[Code::NotFound, Code::Conflict]);
}

fn dead(api: &mut Api) {
    api.get("/api/v1/tasks/dead", "list_dead_tasks", "List tasks that failed for good")
        .pages(PAGE_DEFAULT, number_cursor())
        .answers_schema("The tasks.", list_of("Task"));
    api.post("/api/v1/tasks/dead/redrive", "redrive_tasks", "Try dead tasks again")
        .says("Those that are named, or those that the filter lets through; `{}` lets all through.")
        .takes::<TaskRedriveBody>()
        .example(json!({ "filter": { "status": "timeout" }, "dry_run": true }))
        .answers::<TaskRedriveAnswer>("Which were, or would be, put back.");
}

fn schemas(api: &mut Api) {
    task_schemas(api);
    api.answer::<Session>()
        .set("status", one_of(&SessionStatus::names()))
        .set("metadata", object())
        .set("audience", audience(true));
    api.body::<SessionBody<Json>>()
        .set("user_id", name(0, USER_CHARS_MAX))
        .set("metadata", optional_object())
        .set("session_id", own_id())
        .set("audience", audience(true));
    api.body::<SessionTaskBody>()
        .require(&["task_description"])
        .set("task_description", json!({ "minLength": 1, "pattern": r"\S" }))
        .set("workflow", default(one_of(&WORKFLOWS), "simple"))
        .set("max_iterations", default(between(1, ITERATIONS_MAX), 3))
        .set("required_skills", labels())
        .set("priority", priority())
        .set("timeout", timeout())
        .set("target_node", schema::id())
        .set("audience", audience(true));
    let lease =
        || default(between(*CLAIM_LEASE_MS.start(), *CLAIM_LEASE_MS.end()), CLAIM_LEASE_MS_DEFAULT);
    api.body::<TaskClaimBody>()
        .require(&["node_id"])
        .set("node_id", schema::id())
        .set("task_id", schema::id())
        .set("limit", default(between(1, CONCURRENT_TASKS_MAX), 1))
        .set("lease_ms", lease())
        .set("wait_ms", default(between(0, WAIT_MS_MAX), 0));
    api.body::<TaskProgressBody>()
        .require(&["token"])
        .set("token", json!({ "minLength": 1 }))
        .set("progress", between(0, 1))
        .set("lease_ms", between(*CLAIM_LEASE_MS.start(), *CLAIM_LEASE_MS.end()));
    api.body::<claims::CompleteBody>()
        .require(&["token"])
        .set("token", json!({ "minLength": 1 }))
        .set("content", json!({ "anyOf": [named("NewContentBlock"), { "type": "null" }] }));
    api.body::<TaskFailBody>()
        .require(&["token"])
        .set("token", json!({ "minLength": 1 }))
        .set("retryable", json!({ "default": true }));
    api.body::<TaskRedriveBody>()
        .set(
            "task_ids",
            json!({
                "minItems": 1, "maxItems": REDRIVE_MAX, "items": schema::id(),
            }),
        )
        .set("dry_run", json!({ "default": false }))
        .whole(json!({ "anyOf": [
            { "required": ["task_ids"], "properties": { "task_ids": { "type": "array" } } },
            { "required": ["filter"], "properties": { "filter": { "type": "object" } } },
        ] }));
    api.body::<TaskRedriveFilter>().set("status", one_of(&["", "failed", "timeout"]));
    api.body::<TaskCleanupBody>().set("days", default(between(0, 36_500), 30));
}

fn priority() -> Value {
    default(between(0, PRIORITY_MAX), PRIORITY_DEFAULT)
}

/// Whose nodes may run a task.
fn audience(or_none: bool) -> Value {
    let mut kinds = vec![
        json!({ "enum": ["any", "owner"] }),
        json!({ "type": "array", "minItems": 1, "maxItems": AUDIENCE_MAX, "items": schema::id() }),
    ];
    if or_none {
        kinds.push(json!({ "type": "null" }));
    }
    json!({ "anyOf": kinds })
}

fn timeout() -> Value {
    let longest = TASK_TIMEOUT_MS_MAX / 1000;
    json!({ "exclusiveMinimum": 0, "maximum": longest, "default": TIMEOUT_DEFAULT })
}

fn task_schemas(api: &mut Api) {
    api.body::<tasks::SubmitBody>()
        .require(&["name"])
        .set("name", name(1, TASK_NAME_CHARS_MAX))
        .set("task_type", default(one_of(&TASK_TYPES), "batch"))
        .set("required_skills", labels())
        .set("optional_skills", labels())
        .set("affinity_tags", labels())
        .set("audience", audience(true))
        .set("target_node", schema::id())
        .set("priority", priority())
        .set("parameters", optional_object())
        .set("timeout", timeout())
        .set("max_retries", default(between(0, TASK_RETRIES_MAX), 3))
        .set("delay_ms", default(between(0, TASK_DELAY_MS_MAX), 0))
        .set("keep_completed_ms", between(0, TASK_KEPT_MS_MAX))
        .set("keep_failed_ms", between(0, TASK_KEPT_MS_MAX))
        .set("user_id", name(0, USER_CHARS_MAX))
        .set("task_id", new_id())
        .set("metadata", optional_object());
    for task in [Api::answer::<Task>, Api::answer::<SubmittedTask>, Api::answer::<ClaimedTask>] {
        task(api)
            .set("status", one_of(&TaskStatus::names()))
            .set("task_type", one_of(&TASK_TYPES))
            .set("priority", between(0, PRIORITY_MAX))
            .set("progress", between(0, 1))
            .set("parameters", object())
            .set("metadata", object());
    }
}
