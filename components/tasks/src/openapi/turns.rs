//! What `openapi.json` says of tasks of which there is to be one, and of fair shares.

use reef_api::Word as _;
use reef_api::fairness::{Fairness, FairnessBody};
use reef_api::task::{UniqueBody, UniqueScope, UniqueThen, UniqueWhile};
use reef_domain::limits::{
    FAIR_WEIGHTS_MAX, FAIRNESS_KEY_CHARS_MAX, FAIRNESS_WEIGHT, TASK_DELAY_MS_MAX,
    UNIQUE_KEY_CHARS_MAX, UNIQUE_TTL_MS_MAX,
};
use reef_web::openapi::Api;
use reef_web::openapi::schema::{between, default, name, one_of};
use serde_json::{Value, json};

/// A weight.
pub(super) fn weight() -> Value {
    json!({ "minimum": FAIRNESS_WEIGHT.start(), "maximum": FAIRNESS_WEIGHT.end() })
}

/// Describes the routes.
pub(super) fn routes(api: &mut Api) {
    api.get("/api/v1/fairness", "show_fairness", "Show the weights of keys of fairness")
        .answers::<Fairness>("The weights.");
    api.put("/api/v1/fairness", "set_fairness", "Set the weights of keys of fairness")
        .says("In place of those that tasks bring. Tasks that wait keep their places.")
        .takes::<FairnessBody>()
        .example(json!({ "weights": { "acme": 3 } }))
        .answers::<Fairness>("The weights.");
}

/// Describes what they take and answer.
pub(super) fn schemas(api: &mut Api) {
    let (least, most) = (FAIRNESS_WEIGHT.start(), FAIRNESS_WEIGHT.end());
    let each = json!({ "type": "number", "minimum": least, "maximum": most });
    api.body::<FairnessBody>().require(&["weights"]).set(
        "weights",
        json!({
            "maxProperties": FAIR_WEIGHTS_MAX,
            "propertyNames": name(1, FAIRNESS_KEY_CHARS_MAX),
            "additionalProperties": each,
        }),
    );
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
