//! Agents, their keys and their money: `contract.md` §6. And the audit, which nobody else could read: §9.

mod access;
mod agents;
mod audit;
mod entries;
mod holds;
mod intents;
mod invites;
mod keys;
mod money;
#[cfg(feature = "openapi")]
mod openapi;
mod positions;

use reef_store::Redis;
use reef_web::{Route, route};

#[cfg(feature = "openapi")]
pub use openapi::describe;

/// The route table.
#[must_use]
pub fn routes<R: Redis>() -> Vec<Route<R>> {
    vec![
        // Agents and keys.
        route!(POST "/api/v1/agents/register", Admission, agents::register),
        route!(GET "/api/v1/agents", LedgerRead, agents::list),
        route!(GET "/api/v1/agents/{id}", LedgerRead, agents::show),
        route!(PATCH "/api/v1/agents/{id}", LedgerAdmin, agents::set_status),
        route!(DELETE "/api/v1/agents/{id}", LedgerAdmin, agents::remove),
        route!(POST "/api/v1/invites", LedgerAdmin, invites::create),
        route!(GET "/api/v1/invites", LedgerAdmin, invites::list),
        route!(DELETE "/api/v1/invites/{id}", LedgerAdmin, invites::revoke),
        route!(POST "/api/v1/auth/keys", LedgerWrite, keys::create),
        route!(GET "/api/v1/auth/keys", LedgerRead, keys::list),
        route!(DELETE "/api/v1/auth/keys/{key_id}", LedgerWrite, keys::revoke),
        route!(POST "/api/v1/auth/keys/{key_id}/rotate", LedgerWrite, keys::rotate),
        route!(GET "/api/v1/auth/me", LedgerRead, keys::me),
        // Money.
        route!(POST "/api/v1/deposit", Trade, money::deposit),
        route!(POST "/api/v1/withdraw", Trade, money::withdraw),
        route!(POST "/api/v1/transfer", Trade, money::transfer),
        route!(GET "/api/v1/balance/{agent}", LedgerRead, money::show_balance),
        route!(POST "/api/v1/holds", Trade, holds::place),
        route!(GET "/api/v1/holds", LedgerRead, holds::list),
        route!(GET "/api/v1/holds/{id}", LedgerRead, holds::show),
        route!(POST "/api/v1/holds/{id}/post", Trade, holds::post),
        route!(POST "/api/v1/holds/{id}/void", Trade, holds::void),
        route!(POST "/api/v1/intents", Trade, intents::submit),
        route!(GET "/api/v1/intents", LedgerRead, intents::list),
        route!(GET "/api/v1/intents/{id}", LedgerRead, intents::show),
        route!(DELETE "/api/v1/intents/{id}", Trade, intents::cancel),
        route!(POST "/api/v1/intents/{id}/match", LedgerAdmin, intents::make_match),
        route!(GET "/api/v1/positions/{id}", LedgerRead, positions::list),
        route!(POST "/api/v1/positions/{id}/close", Trade, positions::close),
        route!(POST "/api/v1/positions/{id}/mark", LedgerAdmin, positions::mark),
        route!(GET "/api/v1/entries", LedgerRead, entries::list),
        route!(GET "/api/v1/entries/seals", LedgerAdmin, entries::list_seals),
        route!(GET "/api/v1/entries/audit", LedgerAdmin, entries::audit),
        route!(GET "/api/v1/entries/index", LedgerAdmin, entries::index),
        route!(GET "/api/v1/audit", LedgerAdmin, audit::list),
        route!(GET "/api/v1/audit/seals", LedgerAdmin, audit::list_seals),
    ]
}

#[cfg(target_family = "wasm")]
reef_web::component!(crate::routes);
