//! Sessions and tasks: `contract.md` §5. A session groups the messages of one conversation; the queue
//! hands tasks to nodes that have the skills for them.

mod claims;
mod conversations;
mod dead_letters;
#[cfg(feature = "openapi")]
mod openapi;
mod session_tasks;
mod tasks;

use reef_domain::limits::BLOCK_BYTES_MAX;
use reef_store::Redis;
use reef_web::{Route, route};

#[cfg(feature = "openapi")]
pub use openapi::describe;

/// The route table. A result may bring a content block, and so has a larger body.
#[must_use]
pub fn routes<R: Redis>() -> Vec<Route<R>> {
    vec![
        route!(POST "/api/v1/sessions", Write, conversations::create),
        route!(GET "/api/v1/sessions", Read, conversations::list),
        route!(GET "/api/v1/sessions/{sid}", Read, conversations::show),
        route!(DELETE "/api/v1/sessions/{sid}", Write, conversations::close),
        route!(POST "/api/v1/sessions/{sid}/tasks", Write, session_tasks::submit),
        route!(POST "/api/v1/tasks", Write, tasks::submit),
        route!(GET "/api/v1/tasks", Read, tasks::list),
        route!(GET "/api/v1/tasks/pending", Read, tasks::list_waiting),
        route!(GET "/api/v1/tasks/stats", Read, tasks::count),
        route!(POST "/api/v1/tasks/claim", Write, claims::claim),
        route!(POST "/api/v1/tasks/cleanup", Admin, tasks::clean_up),
        route!(GET "/api/v1/tasks/dead", Read, dead_letters::list),
        route!(POST "/api/v1/tasks/dead/redrive", Write, dead_letters::redrive),
        route!(GET "/api/v1/tasks/{id}", Read, tasks::show),
        route!(DELETE "/api/v1/tasks/{id}", Write, tasks::remove),
        route!(GET "/api/v1/tasks/{id}/why", Read, tasks::why),
        route!(POST "/api/v1/tasks/{id}/progress", Write, claims::progress),
        route!(POST "/api/v1/tasks/{id}/complete", Write, claims::complete, BLOCK_BYTES_MAX),
        route!(POST "/api/v1/tasks/{id}/fail", Write, claims::fail),
        route!(POST "/api/v1/tasks/{id}/cancel", Write, tasks::cancel),
        route!(POST "/api/v1/tasks/{id}/retry", Write, tasks::retry),
    ]
}

#[cfg(target_family = "wasm")]
reef_web::component!(crate::routes);
