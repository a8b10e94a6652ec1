//! Every route there is, from the components' own tables.

use reef_web::Route;
use reef_web::auth::Access;

use crate::contract::Subject;
use crate::harness::Blocking;

/// A route that can be asked for.
#[derive(Clone, Debug)]
pub struct Known {
    pub method: &'static str,
    /// As it is in the table.
    pub pattern: &'static str,
    /// With an example in each place, as the tests' client takes it.
    pub path: String,
    pub access: Access,
}

impl Known {
    fn new(method: &'static str, pattern: &'static str, access: Access) -> Self {
        let filled: Vec<String> = pattern.split('/').map(example_of).collect();
        let path = filled.join("/");
        let path = match path.strip_prefix("/api/v1") {
            Some(below) => below.to_owned(),
            None => format!("/{path}"),
        };
        Self { method, pattern, path, access }
    }
}

fn example_of(segment: &str) -> String {
    match segment.strip_prefix('{') {
        Some(name) => format!("some-{}", name.trim_end_matches('}')),
        None => segment.to_owned(),
    }
}

/// The routes of all components.
pub fn routes() -> Vec<Known> {
    let tables: [Vec<Route<Blocking>>; 6] = [
        register::routes(),
        heartbeat::routes(),
        messages::routes(),
        sessions::routes(),
        tasks::routes(),
        ledger::routes(),
    ];
    let all = tables.into_iter().flatten();
    all.map(|route| Known::new(route.method, route.path, route.access)).collect()
}

/// The host's own routes that are not open to all; Spin has none of them.
pub fn host_routes(hub: &Subject) -> Vec<Known> {
    if !hub.has_host {
        return Vec::new();
    }
    [
        "/metrics",
        "/api/v1/events/stream",
        "/api/v1/sessions/{sid}/messages/{mid}/stream",
        "/api/v1/tasks/{id}/log/stream",
    ]
    .map(|pattern| Known::new("GET", pattern, Access::Read))
    .to_vec()
}
