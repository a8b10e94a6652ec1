//! Sessions: `api.md` §5. A session groups the messages of one conversation.

mod handlers;

use reef_store::Redis;
use reef_web::{Route, route};

/// The route table.
#[must_use]
pub fn routes<R: Redis>() -> Vec<Route<R>> {
    vec![
        route!(POST "/api/v1/sessions", Write, handlers::create),
        route!(GET "/api/v1/sessions", Read, handlers::list),
        route!(GET "/api/v1/sessions/{sid}", Read, handlers::show),
        route!(DELETE "/api/v1/sessions/{sid}", Write, handlers::close),
    ]
}

#[cfg(target_family = "wasm")]
reef_web::component!(crate::routes);
