//! What `openapi.json` says of these routes.

use reef_api::Word as _;
use reef_api::session::{
    IfBusy, Session, SessionAnswer, SessionBody, SessionClosed, SessionStatus,
};
use reef_api::task::{SessionTaskAnswer, SessionTaskBody};
use reef_domain::json::Json;
use reef_domain::limits::{ITERATIONS_MAX, PAGE_DEFAULT, USER_CHARS_MAX};
use reef_domain::task::WORKFLOWS;
use reef_web::Code;
use reef_web::openapi::schema::{
    audience, between, default, filter, labels, list_of, name, number_cursor, object, one_of,
    optional_object, own_id, priority, timeout,
};
use reef_web::openapi::{Api, schema};
use serde_json::json;

/// Describes the routes.
pub fn describe(api: &mut Api) {
    schemas(api);
    sessions(api);
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

fn schemas(api: &mut Api) {
    api.answer::<Session>()
        .set("status", one_of(&SessionStatus::names()))
        .set("metadata", object())
        .set("audience", audience(true))
        .set("if_busy", one_of(&IfBusy::names()));
    api.body::<SessionBody<Json>>()
        .set("user_id", name(0, USER_CHARS_MAX))
        .set("metadata", optional_object())
        .set("session_id", own_id())
        .set("audience", audience(true))
        .set("if_busy", default(one_of(&IfBusy::names()), "parallel"));
    api.body::<SessionTaskBody>()
        .require(&["task_description"])
        .set("task_description", json!({ "minLength": 1, "pattern": r"\S" }))
        .set("workflow", default(one_of(&WORKFLOWS), "simple"))
        .set("max_iterations", default(between(1, ITERATIONS_MAX), 3))
        .set("required_skills", labels())
        .set("priority", priority())
        .set("timeout", timeout())
        .set("target_node", schema::id())
        .set("audience", audience(true))
        .set("if_busy", one_of(&IfBusy::names()));
}
