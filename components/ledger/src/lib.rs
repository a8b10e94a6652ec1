//! Agents, their keys and their money: `api.md` §6.

use reef_store::Redis;
use reef_web::Route;

/// The route table.
#[must_use]
pub fn routes<R: Redis>() -> Vec<Route<R>> {
    vec![]
}

#[cfg(target_family = "wasm")]
reef_web::component!(crate::routes);
