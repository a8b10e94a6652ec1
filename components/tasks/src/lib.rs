//! The task queue: `contract.md` §5. It hands tasks to nodes that have the skills for them, and keeps
//! those that wait for something else.

mod bulk;
mod claims;
mod dead_letters;
mod edits;
mod fairness;
mod finding;
mod flows;
mod history;
mod limits;
mod logs;
#[cfg(feature = "openapi")]
mod openapi;
mod owners;
mod schedules;
mod usage;
mod waits;
mod why;

use reef_domain::limits::BLOCK_BYTES_MAX;
use reef_store::Redis;
use reef_web::{Route, route};

#[cfg(feature = "openapi")]
pub use openapi::describe;

/// The route table. A result may bring a content block, and so has a larger body.
#[must_use]
pub fn routes<R: Redis>() -> Vec<Route<R>> {
    vec![
        route!(POST "/api/v1/tasks", Write, owners::submit),
        route!(GET "/api/v1/tasks", Read, finding::list),
        route!(GET "/api/v1/tasks/pending", Read, owners::list_waiting),
        route!(GET "/api/v1/tasks/stats", Read, owners::count),
        route!(POST "/api/v1/tasks/batch", Write, flows::submit),
        route!(POST "/api/v1/tasks/claim", Write, claims::claim),
        route!(POST "/api/v1/tasks/cleanup", Admin, owners::clean_up),
        route!(GET "/api/v1/tasks/dead", Read, dead_letters::list),
        route!(POST "/api/v1/tasks/dead/redrive", Write, dead_letters::redrive),
        route!(GET "/api/v1/tasks/{id}", Read, owners::show),
        route!(PATCH "/api/v1/tasks/{id}", Write, edits::edit),
        route!(DELETE "/api/v1/tasks/{id}", Write, owners::remove),
        route!(GET "/api/v1/tasks/{id}/why", Read, why::explain),
        route!(GET "/api/v1/tasks/{id}/attempts", Read, history::attempts),
        route!(POST "/api/v1/tasks/{id}/progress", Write, claims::progress),
        route!(GET "/api/v1/tasks/{id}/log", Read, logs::read),
        route!(POST "/api/v1/tasks/{id}/log", Write, logs::write),
        route!(POST "/api/v1/tasks/{id}/complete", Write, claims::complete, BLOCK_BYTES_MAX),
        route!(POST "/api/v1/tasks/{id}/fail", Write, claims::fail),
        route!(POST "/api/v1/tasks/{id}/cancel", Write, owners::cancel),
        route!(POST "/api/v1/tasks/{id}/retry", Write, owners::retry),
        route!(POST "/api/v1/tasks/{id}/wait", Write, waits::begin),
        route!(POST "/api/v1/tasks/{id}/signal", Write, waits::signal),
        route!(POST "/api/v1/tasks/{id}/signals/take", Write, waits::take_signals),
        route!(GET "/api/v1/groups/{id}", Read, flows::show),
        route!(GET "/api/v1/groups/{id}/tasks", Read, flows::tasks),
        route!(POST "/api/v1/groups/{id}/cancel", Write, flows::cancel),
        route!(POST "/api/v1/groups/{id}/retry", Write, flows::retry),
        route!(GET "/api/v1/limits", Read, limits::list),
        route!(GET "/api/v1/limits/{name}", Read, limits::show),
        route!(PUT "/api/v1/limits/{name}", Admin, limits::put),
        route!(DELETE "/api/v1/limits/{name}", Admin, limits::remove),
        route!(POST "/api/v1/limits/{name}/penalty", Write, limits::penalise),
        route!(GET "/api/v1/queue", Read, limits::queue),
        route!(PUT "/api/v1/queue", Admin, limits::pause),
        route!(GET "/api/v1/fairness", Read, fairness::show),
        route!(PUT "/api/v1/fairness", Admin, fairness::put),
        route!(GET "/api/v1/schedules", Read, schedules::list),
        route!(GET "/api/v1/schedules/{id}", Read, schedules::show),
        route!(PUT "/api/v1/schedules/{id}", Write, schedules::put),
        route!(DELETE "/api/v1/schedules/{id}", Write, schedules::remove),
        route!(POST "/api/v1/schedules/{id}/pause", Write, schedules::pause),
        route!(POST "/api/v1/schedules/{id}/resume", Write, schedules::resume),
        route!(POST "/api/v1/schedules/{id}/trigger", Write, schedules::trigger),
        route!(POST "/api/v1/schedules/{id}/backfill", Write, schedules::backfill),
        route!(GET "/api/v1/usage", Read, usage::show),
        route!(GET "/api/v1/history", Read, history::show),
        route!(GET "/api/v1/prices", Read, usage::list_prices),
        route!(PUT "/api/v1/prices/{model}", Admin, usage::put_price),
        route!(DELETE "/api/v1/prices/{model}", Admin, usage::remove_price),
        route!(GET "/api/v1/budgets", Read, usage::list_budgets),
        route!(GET "/api/v1/budgets/{scope}/{id}", Read, usage::show_budget),
        route!(PUT "/api/v1/budgets/{scope}/{id}", Write, usage::put_budget),
        route!(DELETE "/api/v1/budgets/{scope}/{id}", Write, usage::remove_budget),
        route!(POST "/api/v1/bulk", Write, bulk::start),
        route!(GET "/api/v1/bulk/{id}", Read, bulk::show),
        route!(POST "/api/v1/bulk/{id}/stop", Write, bulk::stop),
        route!(GET "/api/v1/waits", Read, waits::list),
        route!(GET "/api/v1/waits/{wid}", Read, waits::show),
        route!(POST "/api/v1/waits/{wid}/answer", Approve, waits::answer),
    ]
}

#[cfg(target_family = "wasm")]
reef_web::component!(crate::routes);
