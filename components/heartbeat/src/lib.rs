//! Liveness, health, leadership and locks: `contract.md` §3. Also answers what no other component does.

mod cluster;
mod heartbeats;
mod leadership;
mod locks;
#[cfg(feature = "openapi")]
mod openapi;

use reef_store::Redis;
use reef_web::{Route, route};

#[cfg(feature = "openapi")]
pub use openapi::describe;

/// The route table.
#[must_use]
pub fn routes<R: Redis>() -> Vec<Route<R>> {
    vec![
        route!(POST "/api/v1/nodes/{id}/heartbeat", Write, heartbeats::beat),
        route!(POST "/api/v1/heartbeats", Write, heartbeats::beat_many),
        route!(GET "/api/v1/nodes/{id}/health", Read, heartbeats::node_health),
        route!(GET "/api/v1/cluster/health", Read, cluster::health),
        route!(GET "/api/v1/cluster/state", Read, cluster::state),
        route!(GET "/api/v1/cluster/durability", Read, cluster::durability),
        route!(GET "/api/v1/cluster/events", Read, cluster::events),
        route!(GET "/api/v1/cluster/monitor", Read, cluster::monitor),
        route!(POST "/api/v1/cluster/check-heartbeat", Write, cluster::check_heartbeat),
        route!(GET "/api/v1/cluster/leader", Read, leadership::show),
        route!(POST "/api/v1/cluster/leader/campaign", Write, leadership::campaign),
        route!(POST "/api/v1/cluster/leader/resign", Write, leadership::resign),
        route!(GET "/api/v1/cluster/leader/history", Read, leadership::history),
        route!(GET "/api/v1/locks", Read, locks::list),
        route!(GET "/api/v1/locks/{name}", Read, locks::show),
        route!(POST "/api/v1/locks/{name}/acquire", Write, locks::acquire),
        route!(POST "/api/v1/locks/{name}/renew", Write, locks::renew),
        route!(POST "/api/v1/locks/{name}/release", Write, locks::release),
        route!(GET "/health", Open, cluster::service_health),
        route!(GET "/readyz", Open, cluster::ready),
    ]
}

#[cfg(target_family = "wasm")]
reef_web::component!(crate::routes);
