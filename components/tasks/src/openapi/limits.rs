//! What `openapi.json` says of limits and pauses.

use reef_api::Word as _;
use reef_api::limit::{
    Limit, LimitBody, LimitRemoved, LimitStanding, PenaltyAnswer, PenaltyBody, QueueBody,
    QueueState, Rate, RateBody, RateUnit, ShutBy, TaskLimitBody,
};
use reef_domain::limits::{
    LABEL_CHARS_MAX, LIMIT_CONCURRENCY_MAX, LIMIT_COUNT_MAX, LIMIT_KEY_CHARS_MAX,
    LIMIT_NOTE_CHARS_MAX, LIMIT_PER_MS_MAX, LIMIT_RATES_MAX, PAGE_DEFAULT, PAUSED_SKILLS_MAX,
    PENALTY_MS_MAX,
};
use reef_domain::task::TASK_TYPES;
use reef_web::Code;
use reef_web::openapi::schema::{between, default, list_of, name, number_cursor, one_of};
use reef_web::openapi::{Api, schema};
use serde_json::{Value, json};

/// A schema that stands by itself, and not for a member whose type is known.
fn text_of(mut schema: Value) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("type".to_owned(), json!("string"));
    }
    schema
}

/// Describes the routes.
pub(super) fn routes(api: &mut Api) {
    let key = text_of(name(0, LIMIT_KEY_CHARS_MAX));
    api.get("/api/v1/limits", "list_limits", "List the limits, newest first")
        .pages(PAGE_DEFAULT, number_cursor())
        .answers_schema("The limits.", list_of("Limit"));
    api.get("/api/v1/limits/{name}", "show_limit", "Show a limit and how it stands")
        .query("key", "How it stands for this key.", key)
        .query(
            "owner",
            "Where each owner has a limit of its own: whose; left out, the caller's.",
            json!({ "type": "string" }),
        )
        .answers::<LimitStanding>("The limit, what runs under it, and what keeps it shut.")
        .refuses(&[Code::NotFound]);
    api.put("/api/v1/limits/{name}", "set_limit", "Make a limit, or set it anew")
        .says(
            "What is left out is as for a new one. What runs goes on, also where the new numbers are \
             lower.",
        )
        .takes::<LimitBody>()
        .example(json!({
            "concurrency": 8, "rates": [{ "count": 50, "per_ms": 60_000 }],
            "note": "The provider's plan.",
        }))
        .answers::<Limit>("The limit.")
        .refuses(&[Code::Conflict]);
    api.delete("/api/v1/limits/{name}", "remove_limit", "Remove a limit")
        .says("What was under it is under none.")
        .answers::<LimitRemoved>("It is gone.")
        .refuses(&[Code::NotFound]);
    api.post("/api/v1/limits/{name}/penalty", "shut_limit", "Say that a provider refuses")
        .says(
            "Nothing begins under the limit, or under the key of it that the task counts against, \
             until the time is over. For whoever runs a task under it; an admin may name a key.",
        )
        .takes::<PenaltyBody>()
        .example(json!({ "retry_after_ms": 20_000, "task_id": "task_7", "token": "…" }))
        .answers::<PenaltyAnswer>("Until when nothing begins.")
        .refuses(&[Code::NotFound, Code::Conflict, Code::Fenced]);
    api.get("/api/v1/queue", "show_queue", "Show what is paused")
        .answers::<QueueState>("What is kept back.");
    api.put("/api/v1/queue", "pause_queue", "Pause the queue, some skills or types, or resume")
        .says("What runs goes on; what is submitted waits.")
        .takes::<QueueBody>()
        .example(json!({ "paused_skills": ["gpu"] }))
        .answers::<QueueState>("What is kept back.");
}

/// Describes what they take and answer.
pub(super) fn schemas(api: &mut Api) {
    api.body::<TaskLimitBody>()
        .require(&["name"])
        .set("name", schema::id())
        .set("key", name(0, LIMIT_KEY_CHARS_MAX))
        .set("cost", default(between(1, LIMIT_COUNT_MAX), 1))
        .set("tokens", default(between(0, LIMIT_COUNT_MAX), 0));
    api.body::<RateBody>()
        .require(&["count", "per_ms"])
        .set("count", between(1, LIMIT_COUNT_MAX))
        .set("per_ms", between(1, LIMIT_PER_MS_MAX))
        .set("unit", default(one_of(&RateUnit::names()), "tasks"));
    api.body::<LimitBody>()
        .set("concurrency", between(1, LIMIT_CONCURRENCY_MAX))
        .set("rates", json!({ "maxItems": LIMIT_RATES_MAX }))
        .set("note", name(0, LIMIT_NOTE_CHARS_MAX));
    api.body::<PenaltyBody>()
        .require(&["retry_after_ms"])
        .set("retry_after_ms", between(0, PENALTY_MS_MAX))
        .set("task_id", schema::id())
        .set("key", name(0, LIMIT_KEY_CHARS_MAX))
        .set("owner", schema::id());
    api.body::<QueueBody>()
        .set(
            "paused_skills",
            json!({ "maxItems": PAUSED_SKILLS_MAX, "items": text_of(name(1, LABEL_CHARS_MAX)) }),
        )
        .set(
            "paused_types",
            json!({ "maxItems": TASK_TYPES.len(), "items": text_of(one_of(&TASK_TYPES)) }),
        );
    api.answer::<Rate>().set("unit", one_of(&RateUnit::names()));
    api.answer::<LimitStanding>().set("shut_by", one_of(&ShutBy::names()));
}
