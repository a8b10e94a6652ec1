//! The routes that the host answers itself (`contract.md` §7). A test of the host compares them with
//! those that it has.

use reef_api::Word;
use reef_web::Code;
use reef_web::auth::Access;
use reef_web::openapi::{Api, Line, schema};
use serde_json::json;

const MESSAGE_STREAM: &str = "/api/v1/sessions/{sid}/messages/{mid}/stream";
const LOG_STREAM: &str = "/api/v1/tasks/{id}/log/stream";
const CLUSTER_STREAM: &str = "/api/v1/events/stream";

/// Method, path, access.
const LINES: &[(&str, &str, Access)] = &[
    ("GET", MESSAGE_STREAM, Access::Read),
    ("GET", LOG_STREAM, Access::Read),
    ("GET", CLUSTER_STREAM, Access::Read),
    ("GET", "/healthz", Access::Open),
    ("GET", "/metrics", Access::Read),
    ("GET", "/debug", Access::LedgerAdmin),
    ("GET", "/problems/{code}", Access::Open),
    ("GET", "/openapi.json", Access::Open),
    ("GET", "/docs", Access::Open),
    ("GET", "/redoc", Access::Open),
    ("GET", "/", Access::Open),
    ("GET", "/ui/{asset}", Access::Open),
    ("POST", "/ui/session", Access::Open),
    ("DELETE", "/ui/session", Access::Open),
    ("GET", "/ui/act", Access::Open),
    ("POST", "/ui/act", Access::Open),
    ("DELETE", "/ui/act", Access::Open),
    ("POST", "/ui/sign-in-links", Access::Read),
];

pub(crate) fn lines() -> Vec<Line> {
    let body_max = |method, path| if (method, path) == ("POST", "/ui/act") { 4096 } else { 0 };
    let line = |&(method, path, access)| {
        let body_max = body_max(method, path);
        Line { method, path, access, body_max }
    };
    LINES.iter().map(line).collect()
}

pub(crate) fn describe(api: &mut Api) {
    streams(api);
    operating(api);
    pages(api);
}

const FRAMES: &str = "Server-sent events: `id` is the cursor to resume from, `event` the type, \
    `data` the event as JSON on one line. A comment every 15 s keeps proxies awake. `retry` says \
    how long to wait before coming back, which is how a host that stops says good-bye.";

const CLUSTER_CURSOR: &str = "^(0|[0-9]{1,15}-[0-9]{1,15})$";
const CURSOR_OR_NONE: &str = "^(0|[0-9]{1,15}-[0-9]{1,15})?$";
const MESSAGE_CURSOR: &str =
    "^([0-9]{1,15}(-[0-9]{1,15})?|evt_[A-Za-z0-9_-][A-Za-z0-9._@-]{0,99}_[0-9]{1,15})$";

/// Problems of reading a stream.
const STREAM_PROBLEMS: [Code; 8] = [
    Code::InvalidParameter,
    Code::Unauthenticated,
    Code::Forbidden,
    Code::MethodNotAllowed,
    Code::RateLimited,
    Code::Internal,
    Code::StoreUnavailable,
    Code::Overloaded,
];

fn streams(api: &mut Api) {
    let cursor = "Where to resume: what `id` said last. `0` is the beginning.";
    api.group("Streams");
    api.get(MESSAGE_STREAM, "stream_message", "Read a message while it is written")
        .says(&format!(
            "{FRAMES}\n\nResuming gives every later event once, in order. Where the log no longer \
             reaches back, an event `snapshot` comes first: `{{\"message\", \"sequence\"}}`. The \
             stream ends after `message_end`; with `gone` when the message was removed. `last_id` \
             may also be an event's id or a bare sequence number."
        ))
        .query(
            "last_id",
            cursor,
            json!({
                "type": "string", "default": "0", "pattern": MESSAGE_CURSOR,
            }),
        )
        .header(
            "Last-Event-ID",
            "The same, as browsers send it.",
            json!({
                "type": "string", "pattern": MESSAGE_CURSOR,
            }),
        )
        .answers_text("text/event-stream", "Events until the message is complete.")
        .answers_empty(204, "The cursor is at the end of a complete message: do not come back.")
        .refuses(&STREAM_PROBLEMS)
        .refuses(&[Code::NotFound, Code::ValidationFailed]);
    api.get(LOG_STREAM, "stream_task_log", "Follow a task's log")
        .says(&format!(
            "{FRAMES}\n\nEach `line` is one of the log's. Where lines have given way to later ones, an event \
             `snapshot` comes first: `{{\"gap\": {{\"from\", \"to\"}}}}`. The stream waits for a task that has \
             yet to run, and ends with it: `end` says its `status`; with `gone` when the task was removed."
        ))
        .query("last_id", cursor, json!({ "type": "string", "pattern": CLUSTER_CURSOR }))
        .header(
            "Last-Event-ID",
            "The same, as browsers send it; an empty one is none.",
            json!({ "type": "string", "pattern": CURSOR_OR_NONE }),
        )
        .answers_text("text/event-stream", "Lines until the task has ended.")
        .answers_empty(204, "The cursor is at the end of a log whose task has ended: do not come back.")
        .refuses(&STREAM_PROBLEMS)
        .refuses(&[Code::NotFound, Code::ValidationFailed]);
    api.get(CLUSTER_STREAM, "stream_cluster_events", "Follow the cluster's events")
        .says(FRAMES)
        .query("last_id", cursor, json!({ "type": "string", "pattern": CLUSTER_CURSOR }))
        .header(
            "Last-Event-ID",
            "The same, as browsers send it.",
            json!({
                "type": "string", "pattern": CLUSTER_CURSOR,
            }),
        )
        .answers_text("text/event-stream", "Events, without end.")
        .refuses(&STREAM_PROBLEMS);
}

fn operating(api: &mut Api) {
    api.group("Operating");
    api.get("/healthz", "check_host", "Whether the host's process serves")
        .answers_schema(
            "It does.",
            json!({
                "type": "object",
                "required": ["status", "service"],
                "properties": { "status": { "const": "healthy" }, "service": { "const": "reef" } },
            }),
        )
        .refuses(&[Code::MethodNotAllowed]);
    api.get("/metrics", "read_metrics", "Figures for Prometheus")
        .answers_text("text/plain; version=0.0.4; charset=utf-8", "All figures.")
        .refuses(&[
            Code::Unauthenticated,
            Code::Forbidden,
            Code::MethodNotAllowed,
            Code::RateLimited,
            Code::StoreUnavailable,
        ]);
    debug(api);
    api.get("/problems/{code}", "explain_problem", "What a problem means and what to do")
        .segment("code", "`code` of a problem.", schema::one_of(&Code::names()))
        .answers_text(HTML, "A page for people.")
        .refuses(&[Code::NotFound, Code::MethodNotAllowed]);
}

const HTML: &str = "text/html; charset=utf-8";

fn pages(api: &mut Api) {
    api.group("Pages");
    api.get("/openapi.json", "read_openapi", "This document")
        .answers_schema(
            "OpenAPI 3.1.",
            json!({
                "type": "object",
                "required": ["openapi", "info", "paths"],
            }),
        )
        .refuses(&[Code::MethodNotAllowed]);
    for (path, id, what) in [
        ("/docs", "show_docs", "This document, to read and to try"),
        ("/redoc", "show_redoc", "The same page as `/docs`"),
        ("/", "show_dashboard", "The dashboard"),
    ] {
        api.get(path, id, what)
            .answers_text(HTML, "A page for people, which loads nothing from elsewhere.")
            .refuses(&[Code::MethodNotAllowed]);
    }
    api.get("/ui/{asset}", "load_asset", "What those pages load")
        .segment(
            "asset",
            "Name of a file.",
            json!({ "type": "string", "pattern": "^[a-z-]+\\.[a-z]+$" }),
        )
        .answers_text("text/javascript; charset=utf-8", "A script, style sheet or picture.")
        .refuses(&[Code::NotFound, Code::MethodNotAllowed]);
    let done = json!({ "type": "object" });
    api.post("/ui/session", "begin_ui_session", "A cookie with which a browser may read")
        .says(
            "`EventSource` cannot send a key. The cookie is good for reading only, for 12 h. In the \
             place of a key the code of a sign-in link is taken, once.",
        )
        .secured_by(&["bearer", "apiKey"])
        .answers_schema("`Set-Cookie` has it.", done.clone())
        .refuses(&[
            Code::Unauthenticated,
            Code::MethodNotAllowed,
            Code::Conflict,
            Code::RateLimited,
            Code::StoreUnavailable,
            Code::Internal,
        ]);
    api.delete("/ui/session", "end_ui_session", "Take that cookie away")
        .answers_schema("It is gone.", done)
        .refuses(&[Code::MethodNotAllowed]);
    acting(api);
    api.post("/ui/sign-in-links", "make_sign_in_link", "A code with which a browser signs in once")
        .says(
            "The page at `/#sign-in=<code>` exchanges it at `POST /ui/session`. It is good once, for \
             a minute, and until another is made with the same key.",
        )
        .answers_schema(
            "The code.",
            json!({
                "type": "object",
                "required": ["success", "code", "expires_in"],
                "properties": {
                    "success": { "const": true },
                    "code": { "type": "string", "pattern": "^reef_link_[A-Za-z0-9_.-]+$" },
                    "expires_in": { "type": "integer", "description": "Seconds." },
                },
            }),
        )
        .refuses(&[
            Code::Unauthenticated,
            Code::Forbidden,
            Code::MethodNotAllowed,
            Code::Conflict,
            Code::RateLimited,
            Code::StoreUnavailable,
            Code::StoreFull,
            Code::StoreResharding,
            Code::Internal,
        ]);
}

/// The right of a page to act.
fn acting(api: &mut Api) {
    let told = |required: &[&str]| {
        json!({
            "type": "object",
            "required": required,
            "properties": {
                "success": { "const": true },
                "acting": { "type": "boolean", "description": "Whether the page may act." },
                "csrf": {
                    "type": "string",
                    "description": "What the page sends as `X-Reef-Csrf` with each change.",
                },
                "expires_at": {
                    "type": "string",
                    "description": "Until when the right is good where it is not used, by the host's \
                                    clock.",
                },
                "ends_at": {
                    "type": "string",
                    "description": "Until when it is good at most.",
                },
                "agent_id": {
                    "type": "string",
                    "description": "In whose name the page acts; `@admin` by an admin key.",
                },
                "scopes": {
                    "type": "array",
                    "items": { "type": "string" },
                    "description": "What that key allows.",
                },
            },
        })
    };
    let all = ["success", "acting", "csrf", "expires_at", "ends_at", "agent_id", "scopes"];
    api.post("/ui/act", "begin_ui_act", "A cookie with which a page may act")
        .says(
            "Takes the key again, in the body or as a header, or the code of a sign-in link. The cookie \
             is good for an hour, is renewed by use, and ends after 12 h. What changes something by it \
             comes from the hub's own page (`Sec-Fetch-Site: same-origin`, `Origin`), with the header \
             `X-Reef-Csrf`; else it is `403`: `act_required` where there is no such right, or no more, \
             `forbidden` for the rest.",
        )
        .secured_by(&["bearer", "apiKey"])
        .may_take_schema(json!({
            "type": "object",
            "description": "`key`: the key, or the code of a link; nothing where a header has it.",
        }))
        .answers_schema("`Set-Cookie` has it.", told(&all))
        .refuses(&[
            Code::Unauthenticated,
            Code::Forbidden,
            Code::MalformedJson,
            Code::UnsupportedMediaType,
            Code::ValidationFailed,
            Code::PayloadTooLarge,
            Code::MethodNotAllowed,
            Code::Conflict,
            Code::RateLimited,
            Code::StoreUnavailable,
            Code::Internal,
        ]);
    api.get("/ui/act", "show_ui_act", "Whether a page may act, and its token")
        .says("For a page that was loaded again.")
        .answers_schema("What it may.", told(&["success", "acting"]))
        .refuses(&[
            Code::Forbidden,
            Code::MethodNotAllowed,
            Code::RateLimited,
            Code::StoreUnavailable,
            Code::Internal,
        ]);
    api.delete("/ui/act", "end_ui_act", "Take that cookie away")
        .answers_schema("It is gone.", told(&["success", "acting"]))
        .refuses(&[Code::Forbidden, Code::MethodNotAllowed]);
}

fn debug(api: &mut Api) {
    let object = || json!({ "type": "object" });
    api.get("/debug", "read_debug", "What whoever helps from afar wants to know of this host")
        .says(
            "For administrators. How the host is set, and where (secrets masked), how it is, what its \
             Redis says of itself, its metrics, and the last 1000 lines of its log. At most some MB. \
             Keys, passwords and whatever else is known to be secret are left out of all of it.",
        )
        .answers_schema(
            "All of it.",
            json!({
                "type": "object",
                "required": [
                    "success", "at", "up_seconds", "host", "configuration", "variables", "readiness",
                    "redis", "metrics", "log", "log_lines_dropped",
                ],
                "properties": {
                    "success": { "const": true },
                    "at": { "type": "string", "description": "By the host's clock." },
                    "up_seconds": { "type": "integer" },
                    "host": object(),
                    "configuration": object(),
                    "variables": object(),
                    "readiness": object(),
                    "redis": object(),
                    "metrics": { "type": "string", "description": "What `GET /metrics` answers." },
                    "log": { "type": "array", "items": { "type": "string" } },
                    "log_lines_dropped": { "type": "integer" },
                },
            }),
        )
        .refuses(&[
            Code::Unauthenticated,
            Code::Forbidden,
            Code::MethodNotAllowed,
            Code::RateLimited,
            Code::StoreUnavailable,
        ]);
}
