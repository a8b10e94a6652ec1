//! What `openapi.json` says of logs of tasks.

use reef_api::Word as _;
use reef_api::task::{
    LogLevel, LogStream, TaskLog, TaskLogBody, TaskLogLine, TaskLogLineBody, TaskLogWritten,
    TaskStatus,
};
use reef_domain::limits::{COUNTER_MAX, LOG_BATCH_MAX, LOG_TEXT_CHARS_MAX, PAGE_DEFAULT, PAGE_MAX};
use reef_web::Code;
use reef_web::openapi::Api;
use reef_web::openapi::schema::{between, one_of, point_in_time, text};
use serde_json::json;

/// Describes the routes.
pub(super) fn routes(api: &mut Api) {
    let cursor = "^(0|[0-9]{1,15}-[0-9]{1,15})$";
    api.post("/api/v1/tasks/{id}/log", "write_task_log", "Write to a task's log")
        .says(
            "For whoever runs it. The last 2000 lines, at most 1 MiB, are kept for 7 days after the last one, \
             and no longer than the task.",
        )
        .takes::<TaskLogBody>()
        .example(json!({ "token": "…", "lines": [{ "text": "epoch 1 of 3" }], "seq": 0 }))
        .answers::<TaskLogWritten>("They are in the log.")
        .refuses(&[Code::NotFound, Code::Fenced]);
    api.get("/api/v1/tasks/{id}/log", "read_task_log", "Read a task's log")
        .says("What its owner and whoever runs it may see. To follow it, read its stream, or ask again behind `cursor`.")
        .query(
            "after",
            "`0`, or the `id` of the line after which to begin.",
            json!({ "type": "string", "default": "0", "pattern": cursor }),
        )
        .query("tail", "So many of the last lines; not beside `after`.", between(1, PAGE_MAX))
        .limit(PAGE_DEFAULT, PAGE_MAX)
        .answers::<TaskLog>("Lines, oldest first.")
        .refuses(&[Code::NotFound]);
}

/// Describes what they take and answer.
pub(super) fn schemas(api: &mut Api) {
    api.body::<TaskLogBody>()
        .require(&["token", "lines"])
        .set("token", json!({ "minLength": 1 }))
        .set("lines", json!({ "minItems": 1, "maxItems": LOG_BATCH_MAX }))
        .set("seq", between(0, COUNTER_MAX));
    api.body::<TaskLogLineBody>()
        .require(&["text"])
        .set("at", point_in_time())
        .set("level", one_of(&LogLevel::names()))
        .set("stream", one_of(&LogStream::names()))
        .set("text", text(0, LOG_TEXT_CHARS_MAX));
    api.answer::<TaskLogWritten>();
    api.answer::<TaskLog>().set("status", one_of(&TaskStatus::names()));
    api.answer::<TaskLogLine>()
        .set("level", one_of(&LogLevel::names()))
        .set("stream", one_of(&LogStream::names()));
}
