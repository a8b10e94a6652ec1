//! What `openapi.json` says of these routes.

mod history;
mod limits;
mod logs;
mod schedules;
mod turns;
mod usage;

use reef_api::Word as _;
use reef_api::bulk::{Bulk, BulkAction, BulkBody, BulkStatus};
use reef_api::find::TaskFilter;
use reef_api::flow::{
    AfterBody, BatchAnswer, BatchedTask, Group, GroupBody, GroupChanged, GroupStatus, On,
    ParentBody,
};
use reef_api::task::{
    ClaimedTask, RetryBody, SubmittedTask, Task, TaskClaimAnswer, TaskClaimBody, TaskCleanupAnswer,
    TaskCleanupBody, TaskFailBody, TaskProgressAnswer, TaskRemoved, TaskStats, TaskStatus,
    WhyAnswer,
};
use reef_api::wait::{
    ApprovalBody, OnExpire, SignalAnswer, SignalBody, SignalList, TakeSignalsBody, Until, Wait,
    WaitKind, WaitOptionBody, WaitStarted, WaitState,
};
use reef_domain::json::Json;
use reef_domain::limits::{
    APPROVALS_MAX, ASSIGNEES_MAX, BACK_OFF_MS_MAX, BACK_OFF_MS_MIN, BATCH_TASKS_MAX, BULK_MOST_MAX,
    BULK_REASON_CHARS_MAX, CLAIM_LEASE_MS, CLAIM_LEASE_MS_DEFAULT, COMMENT_CHARS_MAX,
    CONCURRENT_TASKS_MAX, FAIRNESS_KEY_CHARS_MAX, FIND_TEXT_CHARS_MAX, FOLLOWED_MAX, ID_CHARS_MAX,
    PAGE_DEFAULT, QUESTION_CHARS_MAX, RETRY_FACTOR_MAX, RETRY_MS_MAX, SIGNAL_NAME_CHARS_MAX,
    TASK_DELAY_MS_MAX, TASK_KEPT_MS_MAX, TASK_LIMITS_MAX, TASK_NAME_CHARS_MAX, TASK_RETRIES_MAX,
    USER_CHARS_MAX, WAIT_FOR_MS_MAX, WAIT_MS_MAX, WAIT_OPTION_CHARS_MAX, WAIT_OPTIONS_MAX,
};
use reef_domain::task::{PRIORITY_MAX, TASK_TYPES};
use reef_web::Code;
use reef_web::openapi::schema::{
    audience, between, default, filter, labels, labels_asked_for, list_of, name, named, new_id,
    number_cursor, object, one_of, optional_object, own_id, point_in_time, priority, task_labels,
    text, timeout,
};
use reef_web::openapi::{Api, schema};
use serde_json::{Value, json};

use crate::{claims, edits, flows, owners, waits};

/// Describes the routes.
pub fn describe(api: &mut Api) {
    schemas(api);
    api.group("Tasks");
    submitting(api);
    running(api);
    one_task(api);
    logs::routes(api);
    history::dead(api);
    api.group("Groups");
    flows(api);
    api.group("Limits");
    limits::routes(api);
    turns::routes(api);
    api.group("Schedules");
    schedules::routes(api);
    api.group("Usage");
    usage::routes(api);
    history::routes(api);
    api.group("Waits");
    waits(api);
    api.group("Bulk");
    bulk(api);
}

fn bulk(api: &mut Api) {
    api.post("/api/v1/bulk", "start_bulk", "Change many tasks at once")
        .says(
            "Counts what would be changed first. With `dry_run` that is all; otherwise it is changed if it \
             is no more than `most`. Tasks that are submitted later are not caught. What takes longer than \
             some seconds goes on after the answer.",
        )
        .takes::<BulkBody>()
        .example(json!({
            "action": "cancel", "filter": { "labels": { "team": "red" } }, "dry_run": true,
        }))
        .answers::<Bulk>("How far it is.")
        .refuses(&[Code::Conflict]);
    api.get("/api/v1/bulk/{id}", "show_bulk", "Show a change of many tasks")
        .answers::<Bulk>("How far it is.")
        .refuses(&[Code::NotFound]);
    api.post("/api/v1/bulk/{id}/stop", "stop_bulk", "Stop a change of many tasks")
        .says("What it has done stays.")
        .answers::<Bulk>("How far it was.")
        .refuses(&[Code::NotFound, Code::Conflict]);
    api.body::<BulkBody>()
        .require(&["action", "filter"])
        .set("action", one_of(&BulkAction::names()))
        .set("priority", between(0, PRIORITY_MAX))
        .set("most", between(0, BULK_MOST_MAX))
        .set("dry_run", json!({ "default": false }))
        .set("reason", text(0, BULK_REASON_CHARS_MAX));
    api.body::<TaskFilter>()
        .set("status", filter(&TaskStatus::names()))
        .set("name", text(0, TASK_NAME_CHARS_MAX))
        .set("labels", task_labels())
        .set("assigned_node", text(0, ID_CHARS_MAX))
        .set("user_id", text(0, USER_CHARS_MAX))
        .set("session_id", text(0, ID_CHARS_MAX))
        .set("since", point_in_time())
        .set("until", point_in_time())
        .set("error", text(0, FIND_TEXT_CHARS_MAX))
        .set("error_key", history::error_key());
    api.answer::<Bulk>()
        .set("action", one_of(&BulkAction::names()))
        .set("status", one_of(&BulkStatus::names()));
}

const WAIT_SAID: &str = "How long to wait for its end; under the host only.";

fn wait_ms() -> Value {
    json!({ "type": "integer", "minimum": 0, "maximum": WAIT_MS_MAX, "default": 0 })
}

fn submitting(api: &mut Api) {
    api.post("/api/v1/tasks", "submit_task", "Submit a task")
        .says("A task whose skills no node has is taken too, with `routable: false`.")
        .takes::<owners::SubmitBody>()
        .example(json!({ "name": "index", "required_skills": ["python"], "priority": 1 }))
        .answers::<SubmittedTask>("The task.")
        .refuses(&[Code::NotFound, Code::Conflict]);
    let text = || json!({ "type": "string" });
    api.get("/api/v1/tasks", "list_tasks", "List tasks, newest first")
        .query("status", "Only those in this status.", filter(&TaskStatus::names()))
        .query("status_filter", "The same; `status` comes first.", filter(&TaskStatus::names()))
        .query("assigned_node", "Only those of this node.", text())
        .query("user_id", "Only those for this user.", text())
        .query("session_id", "Only those of this session.", text())
        .query(
            "name",
            "Only those of this name.",
            json!({ "type": "string", "maxLength": TASK_NAME_CHARS_MAX }),
        )
        .query(
            "label",
            "Only those with all of these labels: `key:value`, with commas between.",
            labels_asked_for(),
        )
        .query("since", "Only those that were submitted then or later.", point_in_time())
        .query("until", "Only those that were submitted before.", point_in_time())
        .query(
            "error~",
            "Only those with this text in `error`. A page ends when it has looked at 2000 tasks; \
             `Reef-Scanned` says at how many it has.",
            json!({ "type": "string", "maxLength": FIND_TEXT_CHARS_MAX }),
        )
        .query("error_key", "Only dead letters that failed alike.", history::error_key())
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
        .takes::<claims::ProgressBody>()
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
        .says(
            "With tries left it is `pending` again, after `retry_in_ms` or as its `retry` says. With \
             `snooze` that is no try; the first ten in a row are not counted.",
        )
        .takes::<TaskFailBody>()
        .example(json!({ "token": "…", "error": "no such file" }))
        .answers::<Task>("The task.")
        .refuses(&held);
}

fn one_task(api: &mut Api) {
    api.get("/api/v1/tasks/{id}", "show_task", "Show a task, or wait for its end")
        .query("wait_ms", WAIT_SAID, wait_ms())
        .answers::<Task>("The task.")
        .refuses(&[Code::NotFound]);
    api.patch("/api/v1/tasks/{id}", "edit_task", "Change a task that waits")
        .says(
            "One that is `pending`, `scheduled` or `waiting`. It keeps its place among those of its \
             priority. `if_status` refuses the edit in another status.",
        )
        .takes::<edits::EditBody>()
        .example(json!({ "priority": 0, "labels": { "team": "red" } }))
        .answers::<SubmittedTask>("The task.")
        .refuses(&[Code::NotFound, Code::Conflict, Code::QuotaExceeded]);
    api.delete("/api/v1/tasks/{id}", "remove_task", "Forget a task that has ended")
        .answers::<TaskRemoved>("It is gone.")
        .refuses(&[Code::NotFound, Code::Conflict]);
    api.get("/api/v1/tasks/{id}/why", "explain_task", "Why a task is not running")
        .answers::<WhyAnswer>("The first obstacle, in a word and in a sentence.")
        .refuses(&[Code::NotFound]);
    history::attempts(api);
    api.post("/api/v1/tasks/{id}/cancel", "cancel_task", "Call a task off")
        .says("Whoever runs it learns it with the next heartbeat or progress.")
        .answers::<Task>("The task.")
        .refuses(&[Code::NotFound, Code::Conflict]);
    api.post("/api/v1/tasks/{id}/retry", "retry_task", "Try a task again that has ended")
        .answers::<Task>("The task.")
        .refuses(&[Code::NotFound, Code::Conflict]);
}

fn flows(api: &mut Api) {
    api.post("/api/v1/tasks/batch", "submit_batch", "Submit several tasks at once")
        .says(
            "All or none. A task may follow earlier ones of the batch (`after`), which it then waits \
             for; all may form a `group`; the running task that makes them may be their `parent`.",
        )
        .takes::<flows::SubmitBody>()
        .example(json!({
            "tasks": [
                { "name": "fetch", "required_skills": ["web"] },
                { "name": "summarise", "required_skills": ["llm"], "after": [{ "task": "#0" }] },
            ],
            "group": { "name": "daily" },
        }))
        .answers::<BatchAnswer>("The tasks, and their group.")
        .refuses(&[Code::Conflict, Code::Fenced]);
    api.get("/api/v1/groups/{id}", "show_group", "Show a group of tasks, or wait for its end")
        .query("wait_ms", WAIT_SAID, wait_ms())
        .answers::<Group>("How many tasks it has, and how they stand.")
        .refuses(&[Code::NotFound]);
    api.get("/api/v1/groups/{id}/tasks", "list_group_tasks", "List the tasks of a group")
        .says("In the order in which they were submitted.")
        .pages(PAGE_DEFAULT, number_cursor())
        .answers_schema("The tasks.", list_of("Task"))
        .refuses(&[Code::NotFound]);
    api.post("/api/v1/groups/{id}/cancel", "cancel_group", "Cancel what has not ended of a group")
        .says("It takes no further tasks.")
        .answers::<GroupChanged>("How many tasks were cancelled.")
        .refuses(&[Code::NotFound]);
    api.post(
        "/api/v1/groups/{id}/retry",
        "retry_group",
        "Try again what did not complete of a group",
    )
    .says("Also what failed because of what it follows, in the order of submission.")
    .answers::<GroupChanged>("How many tasks are tried again.")
    .refuses(&[Code::NotFound]);
}

fn waits(api: &mut Api) {
    let held = [Code::NotFound, Code::Conflict, Code::Fenced];
    api.post("/api/v1/tasks/{id}/wait", "wait_for", "Let a task wait, without a slot and a lease")
        .says(
            "For an `approval`, a `signal` or a `sleep`. Whoever held it lets go: the token is stale. \
             Once what it waits for has come, it is `pending` in its old place, and its next claim \
             brings `checkpoint` and `resume`. A signal that is there already lets the claim go on \
             (`ready`). Time that it waits is no part of its `timeout`.",
        )
        .takes::<waits::BeginBody>()
        .example(json!({ "token": "…", "kind": "approval", "question": "Pay 120 EUR to ACME?" }))
        .answers::<WaitStarted>("That it waits; or that what it was to wait for has come.")
        .refuses(&held);
    api.post("/api/v1/tasks/{id}/signal", "signal_task", "Send a signal to a task")
        .says(
            "For the task's owner. One that waits for it goes on; otherwise it is kept until the task \
             waits for it, or takes it.",
        )
        .takes::<SignalBody<Json>>()
        .example(json!({ "name": "paid", "payload": { "invoice": 7 } }))
        .answers::<SignalAnswer>("How many signals the task has got and not taken.")
        .refuses(&[Code::NotFound, Code::Conflict, Code::SignalsFull, Code::QuotaExceeded]);
    api.post("/api/v1/tasks/{id}/signals/take", "take_signals", "Take the signals of a task")
        .says("For whoever runs it: `signals` of an answer to progress says that there are some.")
        .takes::<TakeSignalsBody>()
        .example(json!({ "token": "…" }))
        .answers::<SignalList>("Those that it had not taken.")
        .refuses(&held);
    api.get("/api/v1/waits", "list_waits", "List what tasks wait for, newest first")
        .says("Those that are open and that the caller owns or may answer.")
        .query("kind", "Only those of this kind.", filter(&WaitKind::names()))
        .query("assignee", "Only those that this agent may answer.", json!({ "type": "string" }))
        .query(
            "task_id",
            "All that are kept of this task, latest first, open or not; for its owner.",
            json!({ "type": "string" }),
        )
        .pages(PAGE_DEFAULT, number_cursor())
        .answers_schema("The waits.", list_of("Wait"))
        .refuses(&[Code::NotFound]);
    api.get("/api/v1/waits/{wid}", "show_wait", "Show a wait, or wait for its end")
        .query("wait_ms", WAIT_SAID, wait_ms())
        .answers::<Wait>("The wait.")
        .refuses(&[Code::NotFound]);
    api.post("/api/v1/waits/{wid}/answer", "answer_wait", "Decide what a task waits for")
        .says(
            "For the task's owner, its assignees and the admin, with a key that has the scope \
             `approve`. An option is decided once as many have answered it as were asked for; \
             `reject` decides at once. The first decision stands.",
        )
        .takes::<waits::AnswerBody>()
        .example(json!({ "decision": "approve", "comment": "Invoice checked." }))
        .answers::<Wait>("The wait.")
        .refuses(&[Code::NotFound, Code::Conflict]);
}

fn schemas(api: &mut Api) {
    task_schemas(api);
    limits::schemas(api);
    schedules::schemas(api);
    usage::schemas(api);
    logs::schemas(api);
    wait_schemas(api);
    let lease =
        || default(between(*CLAIM_LEASE_MS.start(), *CLAIM_LEASE_MS.end()), CLAIM_LEASE_MS_DEFAULT);
    api.body::<TaskClaimBody>()
        .require(&["node_id"])
        .set("node_id", schema::id())
        .set("task_id", schema::id())
        .set("limit", default(between(1, CONCURRENT_TASKS_MAX), 1))
        .set("lease_ms", lease())
        .set("wait_ms", default(between(0, WAIT_MS_MAX), 0));
    api.body::<claims::ProgressBody>()
        .require(&["token"])
        .set("token", json!({ "minLength": 1 }))
        .set("progress", between(0, 1))
        .set("lease_ms", between(*CLAIM_LEASE_MS.start(), *CLAIM_LEASE_MS.end()))
        .set("usage", usage::reports());
    api.body::<claims::CompleteBody>()
        .require(&["token"])
        .set("usage", usage::reports())
        .set("token", json!({ "minLength": 1 }))
        .set("content", json!({ "anyOf": [named("NewContentBlock"), { "type": "null" }] }));
    api.body::<TaskFailBody>()
        .require(&["token"])
        .set("token", json!({ "minLength": 1 }))
        .set("retryable", json!({ "default": true }))
        .set("retry_in_ms", between(0, RETRY_MS_MAX))
        .set("snooze", json!({ "default": false }))
        .set("usage", usage::reports());
    api.body::<TaskCleanupBody>().set("days", default(between(0, 36_500), 30));
}

fn wait_schemas(api: &mut Api) {
    api.body::<WaitOptionBody>()
        .require(&["value"])
        .set("value", name(1, WAIT_OPTION_CHARS_MAX))
        .set("label", name(0, WAIT_OPTION_CHARS_MAX));
    let options = || json!({ "minItems": 1, "maxItems": WAIT_OPTIONS_MAX });
    let assignees = || json!({ "maxItems": ASSIGNEES_MAX, "items": schema::id() });
    let question = || json!({ "minLength": 1, "maxLength": QUESTION_CHARS_MAX, "pattern": r"\S" });
    let on_expire = || default(one_of(&OnExpire::names()), "reject");
    api.body::<ApprovalBody<Json>>()
        .require(&["question"])
        .set("question", question())
        .set("options", options())
        .set("assignees", assignees())
        .set("approvals", default(between(1, APPROVALS_MAX), 1))
        .set("expires_in_ms", between(1, WAIT_FOR_MS_MAX))
        .set("on_expire", on_expire());
    api.body::<waits::BeginBody>()
        .require(&["token", "kind"])
        .set("token", json!({ "minLength": 1 }))
        .set("kind", one_of(&WaitKind::names()))
        .set("usage", usage::reports())
        .set("question", question())
        .set("options", options())
        .set("assignees", assignees())
        .set("approvals", default(between(1, APPROVALS_MAX), 1))
        .set("by_other", json!({ "default": false }))
        .set("expires_in_ms", between(1, WAIT_FOR_MS_MAX))
        .set("on_expire", on_expire())
        .set("name", name(1, SIGNAL_NAME_CHARS_MAX))
        .set("for_ms", between(1, WAIT_FOR_MS_MAX))
        .set("task_ids", json!({ "maxItems": FOLLOWED_MAX, "items": schema::id() }))
        .set("group_id", schema::id())
        .set("until", default(one_of(&Until::names()), "ended"));
    flow_schemas(api);
    api.body::<SignalBody<Json>>().require(&["name"]).set("name", name(1, SIGNAL_NAME_CHARS_MAX));
    api.body::<TakeSignalsBody>().require(&["token"]).set("token", json!({ "minLength": 1 }));
    api.body::<waits::AnswerBody>()
        .require(&["decision"])
        .set("decision", text(1, WAIT_OPTION_CHARS_MAX))
        .set("comment", text(0, COMMENT_CHARS_MAX));
    api.answer::<Wait>()
        .set("kind", one_of(&WaitKind::names()))
        .set("state", one_of(&WaitState::names()));
}

fn flow_schemas(api: &mut Api) {
    api.body::<AfterBody>()
        .set("task", json!({ "pattern": "^(#[0-9]+|[A-Za-z0-9_-][A-Za-z0-9._@-]*)$" }))
        .set("group", schema::id())
        .set("on", default(one_of(&On::names()), "completed"));
    api.body::<GroupBody<Json>>()
        .set("group_id", own_id())
        .set("name", name(0, TASK_NAME_CHARS_MAX))
        .set("sealed", json!({ "default": true }));
    api.body::<ParentBody>()
        .require(&["task_id", "token"])
        .set("task_id", schema::id())
        .set("token", json!({ "minLength": 1 }));
    api.body::<flows::SubmitBody>()
        .require(&["tasks"])
        .set("tasks", json!({ "minItems": 1, "maxItems": 10 * BATCH_TASKS_MAX }))
        .set("atomic", json!({ "default": true }));
    api.answer::<Group>().set("status", one_of(&GroupStatus::names()));
    api.answer::<BatchedTask>().set("status", one_of(&TaskStatus::names()));
}

fn task_schemas(api: &mut Api) {
    turns::schemas(api);
    api.body::<owners::SubmitBody>()
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
        .set("after", json!({ "maxItems": FOLLOWED_MAX }))
        .set("group_id", own_id())
        .set("limits", json!({ "maxItems": TASK_LIMITS_MAX }))
        .set("task_id", new_id())
        .set("fairness_key", name(1, FAIRNESS_KEY_CHARS_MAX))
        .set("fairness_weight", turns::weight())
        .set("labels", task_labels())
        .set("metadata", optional_object());
    api.body::<edits::EditBody>()
        .set("name", name(1, TASK_NAME_CHARS_MAX))
        .set("task_type", one_of(&TASK_TYPES))
        .set("required_skills", labels())
        .set("optional_skills", labels())
        .set("affinity_tags", labels())
        .set("priority", between(0, PRIORITY_MAX))
        .set("parameters", optional_object())
        .set("timeout", timeout())
        .set("max_retries", between(0, TASK_RETRIES_MAX))
        .set("delay_ms", between(0, TASK_DELAY_MS_MAX))
        .set("labels", task_labels())
        .set("metadata", optional_object())
        .set("if_status", one_of(&["pending", "scheduled", "waiting"]));
    api.body::<RetryBody>()
        .set("first_ms", default(between(1, RETRY_MS_MAX), BACK_OFF_MS_MIN))
        .set("factor", default(between(1, i64::from(RETRY_FACTOR_MAX)), 2))
        .set("most_ms", default(between(1, RETRY_MS_MAX), BACK_OFF_MS_MAX))
        .set("jitter", json!({ "minimum": 0, "maximum": 1, "default": 0.5 }));
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
