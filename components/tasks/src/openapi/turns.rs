//! What `openapi.json` says of tasks of which there is to be one.

use reef_api::Word as _;
use reef_api::task::{UniqueBody, UniqueScope, UniqueThen, UniqueWhile};
use reef_domain::limits::{TASK_DELAY_MS_MAX, UNIQUE_KEY_CHARS_MAX, UNIQUE_TTL_MS_MAX};
use reef_web::openapi::Api;
use reef_web::openapi::schema::{between, default, name, one_of};

/// Describes what they take and answer.
pub(super) fn schemas(api: &mut Api) {
    api.body::<UniqueBody>()
        .require(&["key"])
        .set("key", name(1, UNIQUE_KEY_CHARS_MAX))
        .set("scope", default(one_of(&UniqueScope::names()), "owner"))
        .set("while", one_of(&UniqueWhile::names()))
        .set("ttl_ms", between(1, UNIQUE_TTL_MS_MAX))
        .set("then", default(one_of(&UniqueThen::names()), "return"))
        .set("debounce_ms", between(1, TASK_DELAY_MS_MAX))
        .set("most_ms", between(1, TASK_DELAY_MS_MAX));
}
