//! What `openapi.json` says of the history, of tries, and of dead letters.

use reef_api::Word as _;
use reef_api::history::{
    Attempt, Attempts, DeadByError, DeadGroup, History, HistoryPoint, Outcome, Series, TaskTotals,
};
use reef_api::task::{TaskRedriveAnswer, TaskRedriveBody, TaskRedriveFilter};
use reef_domain::limits::{PAGE_DEFAULT, REDRIVE_MAX};
use reef_web::Code;
use reef_web::openapi::Api;
use reef_web::openapi::schema::{id, list_of, number_cursor, one_of, point_in_time};
use serde_json::{Value, json};

/// The key of what dead letters have in common.
pub(super) fn error_key() -> Value {
    json!({ "type": "string", "pattern": "^([0-9a-f]{16})?$" })
}

/// Describes the history.
pub(super) fn routes(api: &mut Api) {
    let says = format!(
        "By minutes, which are kept for 3 days, or by hours, for 90. At most 1440 points. Counts are 0 where \
         nothing happened; what the monitor looks at is absent where it did not. A quantile is estimated within a \
         part of its histogram, whose bounds are three times apart. `tokens_in`, `tokens_out` and `cost` are for \
         those who see everybody's. Series: {}.",
        Series::names().join(", ")
    );
    let one = format!("({})", Series::names().join("|"));
    api.get("/api/v1/history", "show_history", "Show what has happened, by minutes or hours")
        .says(&says)
        .query(
            "from",
            "When it begins; left out, three hours, or a week, before `to`.",
            point_in_time(),
        )
        .query("to", "When it ends; left out, now.", point_in_time())
        .query(
            "step",
            "How long a point is, in seconds.",
            json!({ "type": "string", "enum": ["60", "3600"], "default": "60" }),
        )
        .query(
            "series",
            "What it shows, with commas between; left out, all.",
            json!({ "type": "string", "pattern": format!("^({one}(,{one})*)?$") }),
        )
        .answers::<History>("What has happened, oldest first.");
    api.answer::<HistoryPoint>();
    api.answer::<TaskTotals>();
}

/// Describes the tries of a task.
pub(super) fn attempts(api: &mut Api) {
    api.get("/api/v1/tasks/{id}/attempts", "list_attempts", "List the tries of a task")
        .says(
            "The last 20, oldest first: which node had it, from when to when, and how that ended.",
        )
        .answers::<Attempts>("The tries.")
        .refuses(&[Code::NotFound]);
    api.answer::<Attempt>().set("outcome", one_of(&Outcome::names()));
}

/// Describes dead letters.
pub(super) fn dead(api: &mut Api) {
    let by_error =
        json!({ "anyOf": [list_of("Task"), { "$ref": "#/components/schemas/DeadByError" }] });
    api.get("/api/v1/tasks/dead", "list_dead_tasks", "List tasks that failed for good")
        .says(
            "With `group=error` by what went wrong: tasks of one name whose errors begin with the same line, but \
             for numbers, ids and what is quoted. How many there are, the last of them, and the `key` by which they \
             are found and tried again.",
        )
        .query("group", "`error`: by what went wrong.", json!({ "type": "string", "enum": ["error", ""] }))
        .pages(PAGE_DEFAULT, number_cursor())
        .answers_schema("The tasks; or groups of them.", by_error);
    api.answer::<DeadByError>();
    api.answer::<DeadGroup>();
    api.post("/api/v1/tasks/dead/redrive", "redrive_tasks", "Try dead tasks again")
        .says("Those that are named, or those that the filter lets through; `{}` lets all through.")
        .takes::<TaskRedriveBody>()
        .example(json!({ "filter": { "status": "timeout" }, "dry_run": true }))
        .answers::<TaskRedriveAnswer>("Which were, or would be, put back.");
    api.body::<TaskRedriveBody>()
        .set(
            "task_ids",
            json!({
                "minItems": 1, "maxItems": REDRIVE_MAX, "items": id(),
            }),
        )
        .set("dry_run", json!({ "default": false }))
        .whole(json!({ "anyOf": [
            { "required": ["task_ids"], "properties": { "task_ids": { "type": "array" } } },
            { "required": ["filter"], "properties": { "filter": { "type": "object" } } },
        ] }));
    api.body::<TaskRedriveFilter>()
        .set("status", one_of(&["", "failed", "timeout"]))
        .set("error_key", error_key());
}
