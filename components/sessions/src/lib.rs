//! Sessions: `contract.md` §5. A session groups the messages of one conversation; a task of a session
//! shows itself in one of them.

mod conversations;
#[cfg(feature = "openapi")]
mod openapi;
mod session_tasks;

use reef_store::Redis;
use reef_web::{Route, route};

#[cfg(feature = "openapi")]
pub use openapi::describe;

/// The route table.
#[must_use]
pub fn routes<R: Redis>() -> Vec<Route<R>> {
    vec![
        route!(POST "/api/v1/sessions", Write, conversations::create),
        route!(GET "/api/v1/sessions", Read, conversations::list),
        route!(GET "/api/v1/sessions/{sid}", Read, conversations::show),
        route!(DELETE "/api/v1/sessions/{sid}", Write, conversations::close),
        route!(POST "/api/v1/sessions/{sid}/tasks", Write, session_tasks::submit),
    ]
}

#[cfg(target_family = "wasm")]
reef_web::component!(crate::routes);
