//! Agents, their keys and their money: `api.md` §6.

mod agents;
mod keys;

use reef_store::Redis;
use reef_web::{Route, route};

/// The route table.
#[must_use]
pub fn routes<R: Redis>() -> Vec<Route<R>> {
    vec![
        route!(POST "/api/v1/agents/register", Open, agents::register),
        route!(GET "/api/v1/agents", LedgerRead, agents::list),
        route!(GET "/api/v1/agents/{id}", LedgerRead, agents::show),
        route!(POST "/api/v1/auth/keys", LedgerWrite, keys::create),
        route!(GET "/api/v1/auth/keys", LedgerRead, keys::list),
        route!(DELETE "/api/v1/auth/keys/{key_id}", LedgerWrite, keys::revoke),
        route!(POST "/api/v1/auth/keys/{key_id}/rotate", LedgerWrite, keys::rotate),
        route!(GET "/api/v1/auth/me", LedgerRead, keys::me),
    ]
}

#[cfg(target_family = "wasm")]
reef_web::component!(crate::routes);
