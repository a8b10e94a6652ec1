//! Nodes: `contract.md` §2. Agents register here and are found by status, skill and tag.

mod handlers;
#[cfg(feature = "openapi")]
mod openapi;

use reef_store::Redis;
use reef_web::{Route, route};

#[cfg(feature = "openapi")]
pub use openapi::describe;

/// The route table. Paths that stand beside `{id}` are reserved words that no id may be.
#[must_use]
pub fn routes<R: Redis>() -> Vec<Route<R>> {
    vec![
        route!(POST "/api/v1/nodes/register", Write, handlers::register),
        route!(GET "/api/v1/nodes", Read, handlers::list),
        route!(GET "/api/v1/nodes/online", Read, handlers::list_online),
        route!(GET "/api/v1/nodes/available", Read, handlers::list_available),
        route!(GET "/api/v1/nodes/skills/{skill}", Read, handlers::list_by_skill),
        route!(GET "/api/v1/nodes/{id}", Read, handlers::show),
        route!(PATCH "/api/v1/nodes/{id}", Write, handlers::update),
        route!(DELETE "/api/v1/nodes/{id}", Write, handlers::remove),
        route!(POST "/api/v1/nodes/{id}/shutdown", Write, handlers::shutdown),
    ]
}

#[cfg(target_family = "wasm")]
reef_web::component!(crate::routes);
