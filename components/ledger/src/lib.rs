//! Agents, their keys and their money: `api.md` §6.

#[cfg(feature = "openapi")]
mod openapi;

use reef_store::Redis;
use reef_web::Route;

#[cfg(feature = "openapi")]
pub use openapi::describe;

/// The route table.
#[must_use]
pub fn routes<R: Redis>() -> Vec<Route<R>> {
    vec![]
}

#[cfg(target_family = "wasm")]
reef_web::component!(crate::routes);
