//! Messages that are written while they are read, and inboxes: `contract.md` §4.

mod conversation;
mod inbox;
#[cfg(feature = "openapi")]
mod openapi;
mod proposals;
mod writing;

use reef_domain::limits::BLOCK_BYTES_MAX;
use reef_store::Redis;
use reef_web::{Route, route};

#[cfg(feature = "openapi")]
pub use openapi::describe;

/// The route table. What may carry a content block takes a larger body.
#[must_use]
pub fn routes<R: Redis>() -> Vec<Route<R>> {
    vec![
        route!(POST "/api/v1/sessions/{sid}/messages", Write, conversation::send),
        route!(GET "/api/v1/sessions/{sid}/messages", Read, conversation::list),
        route!(DELETE "/api/v1/sessions/{sid}/messages", Admin, conversation::clean_up),
        route!(PUT "/api/v1/sessions/{sid}/messages/{mid}", Write, conversation::open),
        route!(GET "/api/v1/messages/{mid}", Read, conversation::show),
        route!(GET "/api/v1/messages/{mid}/content/{cid}", Read, conversation::show_block),
        route!(GET "/api/v1/messages/{mid}/events", Read, conversation::events),
        route!(POST "/api/v1/messages/{mid}/append", Write, writing::append),
        route!(POST "/api/v1/messages/{mid}/content", Write, writing::add_block, BLOCK_BYTES_MAX),
        route!(POST "/api/v1/messages/{mid}/tasks", Write, writing::start_task),
        route!(
            PATCH "/api/v1/messages/{mid}/tasks/{tid}", Write, writing::update_task, BLOCK_BYTES_MAX
        ),
        route!(POST "/api/v1/messages/{mid}/complete", Write, writing::complete),
        route!(POST "/api/v1/inbox/{agent}", Write, inbox::send),
        route!(GET "/api/v1/inbox/{agent}", Read, inbox::look),
        route!(POST "/api/v1/inbox/{agent}/receive", Write, inbox::receive),
        route!(POST "/api/v1/inbox/{agent}/ack", Write, inbox::acknowledge),
        route!(
            POST "/api/v1/inbox/{agent}/proposals/{msg_id}/accept", Write, proposals::accept
        ),
        route!(GET "/api/v1/inboxes", Read, inbox::list),
        route!(GET "/api/v1/inbox/{agent}/dead", Read, inbox::list_dead),
        route!(POST "/api/v1/inbox/{agent}/dead/redrive", Write, inbox::redrive),
    ]
}

#[cfg(target_family = "wasm")]
reef_web::component!(crate::routes);
