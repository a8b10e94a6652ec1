//! What `openapi.json` says of locks.

use reef_api::lock::{
    Lock, LockAcquireBody, LockAcquired, LockReleaseBody, LockReleased, LockRenewBody,
};
use reef_domain::limits::{COUNTER_MAX, LOCK_TTL_MS, LOCK_TTL_MS_DEFAULT, PAGE_DEFAULT};
use reef_web::Code;
use reef_web::openapi::schema::{between, default, list_of, number_cursor};
use reef_web::openapi::{Api, schema};
use serde_json::{Value, json};

/// Describes the routes.
pub(super) fn routes(api: &mut Api) {
    api.group("Locks");
    api.get("/api/v1/locks", "list_locks", "List the locks that somebody holds")
        .says("The latest change of holder first.")
        .pages(PAGE_DEFAULT, number_cursor())
        .answers_schema("The locks.", list_of("Lock"));
    api.get("/api/v1/locks/{name}", "show_lock", "Who holds a lock")
        .answers::<Lock>("The lock.")
        .refuses(&[Code::NotFound]);
    api.post("/api/v1/locks/{name}/acquire", "acquire_lock", "Take a lock that nobody holds")
        .says(
            "Whoever holds it renews it. `term` grows with every change of holder, and fences earlier \
             ones. `holder` is a name of one process of the caller. A holder that lost the lock early \
             may not know of it for `former_ttl_ms`.",
        )
        .takes::<LockAcquireBody>()
        .example(json!({ "holder": "nightly-7f3a" }))
        .answers::<LockAcquired>("Whether it is held by whoever asked, and who holds it.")
        .refuses(&[Code::Conflict]);
    api.post("/api/v1/locks/{name}/renew", "renew_lock", "Keep a lock")
        .takes::<LockRenewBody>()
        .example(json!({ "holder": "nightly-7f3a", "term": 1 }))
        .answers::<Lock>("The lock.")
        .refuses(&[Code::Fenced]);
    api.post("/api/v1/locks/{name}/release", "release_lock", "Hand a lock back")
        .takes::<LockReleaseBody>()
        .example(json!({ "holder": "nightly-7f3a", "term": 1 }))
        .answers::<LockReleased>("Nobody holds it.")
        .refuses(&[Code::Fenced]);
}

pub(super) fn schemas(api: &mut Api) {
    let ttl = || -> Value {
        default(between(*LOCK_TTL_MS.start(), *LOCK_TTL_MS.end()), LOCK_TTL_MS_DEFAULT)
    };
    api.body::<LockAcquireBody>()
        .require(&["holder"])
        .set("holder", schema::id())
        .set("ttl_ms", ttl());
    api.body::<LockRenewBody>()
        .require(&["holder", "term"])
        .set("holder", schema::id())
        .set("term", between(0, COUNTER_MAX))
        .set("ttl_ms", ttl());
    api.body::<LockReleaseBody>()
        .require(&["holder", "term"])
        .set("holder", schema::id())
        .set("term", between(0, COUNTER_MAX));
}
