//! Schemas that recur.

use reef_domain::id::{MADE_PREFIXES, RESERVED};
use reef_domain::limits::{
    AUDIENCE_MAX, COUNTER_MAX, ID_CHARS_MAX, LABEL_CHARS_MAX, LABELS_MAX, TASK_LABEL_KEY_CHARS_MAX,
    TASK_LABEL_VALUE_CHARS_MAX, TASK_LABELS_MAX, TASK_TIMEOUT_MS_MAX,
};
use reef_domain::name::HIDDEN_CLASS;
use reef_domain::task::{PRIORITY_DEFAULT, PRIORITY_MAX, TIMEOUT_DEFAULT};
use serde_json::{Value, json};

/// An id (`contract.md` §1).
#[must_use]
pub fn id() -> Value {
    json!({
        "type": "string",
        "pattern": format!("^[A-Za-z0-9_-][A-Za-z0-9._@-]{{0,{}}}$", ID_CHARS_MAX - 1),
        "not": { "enum": RESERVED },
    })
}

/// An id that the caller may leave to the hub: an empty one is none.
#[must_use]
pub fn own_id() -> Value {
    json!({
        "pattern": format!("^([A-Za-z0-9_-][A-Za-z0-9._@-]{{0,{}}})?$", ID_CHARS_MAX - 1),
        "not": { "enum": RESERVED },
    })
}

/// The same for something new: what looks like an id that the hub makes is refused.
#[must_use]
pub fn new_id() -> Value {
    let made = format!("^({})_[0-9A-Fa-f]{{32}}(_|$)", MADE_PREFIXES.join("|"));
    let others = "^(node_.*_[0-9A-Fa-f]{8}|key_[0-9A-Za-z]{8})$";
    let mut schema = own_id();
    if let Some(schema) = schema.as_object_mut() {
        let refused = [
            json!({ "enum": RESERVED }),
            json!({ "type": "string", "pattern": made }),
            json!({ "type": "string", "pattern": others }),
        ];
        schema.insert("not".to_owned(), json!({ "anyOf": refused }));
    }
    schema
}

/// The key and the value of a task's label, as parts of a pattern.
fn label_parts() -> (String, String) {
    let edge = format!(r"[^,\s\u200c\u200d{HIDDEN_CLASS}]");
    let key = format!("[A-Za-z0-9._/-]{{1,{TASK_LABEL_KEY_CHARS_MAX}}}");
    (key, format!("({edge}([^,{HIDDEN_CLASS}]*{edge})?)?"))
}

/// Labels of a task, by their keys.
#[must_use]
pub fn task_labels() -> Value {
    let (key, value) = label_parts();
    json!({
        "maxProperties": TASK_LABELS_MAX,
        "propertyNames": { "pattern": format!("^{key}$") },
        "additionalProperties": {
            "type": "string",
            "maxLength": TASK_LABEL_VALUE_CHARS_MAX,
            "pattern": format!("^{value}$"),
        },
    })
}

/// Labels as they stand in a query: `key:value`, with commas between; an empty one asks for none.
#[must_use]
pub fn labels_asked_for() -> Value {
    let (key, value) = label_parts();
    let pattern = format!("^({key}:{value}(,{key}:{value}){{0,{}}})?$", TASK_LABELS_MAX - 1);
    json!({ "type": "string", "pattern": pattern })
}

/// A point in time, in UTC, with or without milliseconds.
const POINT_IN_TIME: &str = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\
                             T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{3})?Z";

/// A point in time; an empty one is none.
#[must_use]
pub fn point_in_time() -> Value {
    json!({ "type": "string", "pattern": format!("^({POINT_IN_TIME})?$") })
}

/// A point in time that must be there.
#[must_use]
pub fn some_point_in_time() -> Value {
    json!({ "type": "string", "pattern": format!("^{POINT_IN_TIME}$") })
}

/// Words of which one is to be used; `null` stays possible where it was.
#[must_use]
pub fn one_of(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

/// Words by which a list is filtered: an empty one is no filter.
#[must_use]
pub fn filter(words: &[&str]) -> Value {
    let mut words = words.to_vec();
    words.push("");
    one_of(&words)
}

/// A cursor that is a number, and the mark of its list: an empty one is the beginning.
#[must_use]
pub fn number_cursor() -> Value {
    json!({ "type": "string", "pattern": "^([1-9][0-9]{0,14}[.][0-9a-f]{6})?$" })
}

/// A list of skills or tags.
#[must_use]
pub fn labels() -> Value {
    json!({
        "maxItems": LABELS_MAX,
        "items": {
            "type": "string", "minLength": 1, "maxLength": LABEL_CHARS_MAX, "pattern": name_pattern(),
        },
    })
}

/// A text of so many characters.
#[must_use]
pub fn text(min: usize, max: usize) -> Value {
    json!({ "minLength": min, "maxLength": max })
}

/// A name of so many characters.
#[must_use]
pub fn name(min: usize, max: usize) -> Value {
    json!({ "minLength": min, "maxLength": max, "pattern": name_pattern() })
}

/// What `reef_domain::name` takes for one; an empty text is for the bounds of its length.
fn name_pattern() -> String {
    let edge = format!(r"[^\s\u200c\u200d{HIDDEN_CLASS}]");
    format!("^({edge}([^{HIDDEN_CLASS}]*{edge})?)?$")
}

/// A number within bounds.
#[must_use]
pub fn between(min: impl Into<Value>, max: impl Into<Value>) -> Value {
    json!({ "minimum": min.into(), "maximum": max.into() })
}

/// A task's priority.
#[must_use]
pub fn priority() -> Value {
    default(between(0, PRIORITY_MAX), PRIORITY_DEFAULT)
}

/// Whose nodes may run a task.
#[must_use]
pub fn audience(or_none: bool) -> Value {
    let mut kinds = vec![
        json!({ "enum": ["any", "owner"] }),
        json!({ "type": "array", "minItems": 1, "maxItems": AUDIENCE_MAX, "items": id() }),
    ];
    if or_none {
        kinds.push(json!({ "type": "null" }));
    }
    json!({ "anyOf": kinds })
}

/// A task's longest run, in seconds.
#[must_use]
pub fn timeout() -> Value {
    let longest = TASK_TIMEOUT_MS_MAX / 1000;
    json!({ "exclusiveMinimum": 0, "maximum": longest, "default": TIMEOUT_DEFAULT })
}

/// A count of things.
#[must_use]
pub fn count() -> Value {
    between(0, COUNTER_MAX)
}

/// An object that is passed on as it is.
#[must_use]
pub fn object() -> Value {
    json!({ "type": "object" })
}

/// The same, where `null` means that none was given.
#[must_use]
pub fn optional_object() -> Value {
    json!({ "type": ["object", "null"] })
}

/// A default.
#[must_use]
pub fn default(mut schema: Value, value: impl Into<Value>) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("default".to_owned(), value.into());
    }
    schema
}

/// A reference to a schema that has a name.
#[must_use]
pub fn named(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// A list of what has a name.
#[must_use]
pub fn list_of(name: &str) -> Value {
    json!({ "type": "array", "items": named(name) })
}
