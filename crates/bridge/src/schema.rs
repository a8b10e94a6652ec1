//! JSON Schemas of arguments: made from Rust types, and what arguments are checked against, so that a
//! rule stands once.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

/// The schema of a type, without what only some tools understand.
#[must_use]
pub fn of<T: JsonSchema>() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    tidy(&mut schema);
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

/// Whatever is optional may be left out, which says as much as `null` and takes less room; formats and
/// titles say nothing that a model needs.
fn tidy(schema: &mut Value) {
    let Value::Object(members) = schema else { return };
    members.remove("title");
    members.remove("format");
    if members.get("default") == Some(&Value::Null) {
        members.remove("default");
    }
    if let Some(Value::Array(types)) = members.get_mut("type") {
        types.retain(|name| name != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            members.insert("type".to_owned(), one);
        }
    }
    if let Some(Value::Array(words)) = members.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    // An optional part: what it is if it is there.
    if let Some(Value::Array(either)) = members.get("anyOf")
        && let [one, null] = either.as_slice()
        && null.get("type").is_some_and(|name| name == "null")
        && let Value::Object(one) = one.clone()
    {
        members.remove("anyOf");
        for (name, value) in one {
            members.entry(name).or_insert(value);
        }
    }
    for (name, member) in members.iter_mut() {
        match (name.as_str(), member) {
            ("properties", Value::Object(properties)) => properties.values_mut().for_each(tidy),
            (_, member) => tidy(member),
        }
    }
}

/// What in a value breaks a schema of [`of`]: fields and rules.
#[must_use]
pub fn broken(schema: &Map<String, Value>, value: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    check(schema, value, "arguments", &mut found);
    found
}

fn check(schema: &Map<String, Value>, value: &Value, at: &str, found: &mut Vec<(String, String)>) {
    let mut complain = |rule: String| found.push((at.to_owned(), rule));
    if let Some(name) = schema.get("type").and_then(Value::as_str)
        && !is_of_type(name, value)
    {
        return complain(format!("must be of type {name}"));
    }
    if let Some(Value::Array(words)) = schema.get("enum")
        && !words.contains(value)
    {
        let words: Vec<_> = words.iter().map(Value::to_string).collect();
        return complain(format!("must be one of {}", words.join(", ")));
    }
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    let (size, of_what, least, most) = match value {
        Value::Number(number) => (number.as_f64(), "", bound("minimum"), bound("maximum")),
        Value::String(text) => {
            (count(text.chars().count()), " characters", bound("minLength"), bound("maxLength"))
        }
        Value::Array(items) => (count(items.len()), " items", bound("minItems"), bound("maxItems")),
        _ => (None, "", None, None),
    };
    if let Some(size) = size {
        if let Some(least) = least.filter(|least| size < *least) {
            complain(format!("must be at least {least}{of_what}"));
        }
        if let Some(most) = most.filter(|most| size > *most) {
            complain(format!("must be at most {most}{of_what}"));
        }
    }
    match value {
        Value::Array(items) => {
            if let Some(Value::Object(each)) = schema.get("items") {
                for (index, item) in items.iter().enumerate() {
                    check(each, item, &format!("{at}[{index}]"), found);
                }
            }
        }
        Value::Object(members) => check_members(schema, members, at, found),
        _ => {}
    }
}

fn check_members(
    schema: &Map<String, Value>,
    members: &Map<String, Value>,
    at: &str,
    found: &mut Vec<(String, String)>,
) {
    let path =
        |name: &str| if at == "arguments" { name.to_owned() } else { format!("{at}.{name}") };
    let Some(Value::Object(properties)) = schema.get("properties") else { return };
    let required = schema.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        if members.get(name).is_none_or(Value::is_null) {
            found.push((path(name), "is required".to_owned()));
        }
    }
    for (name, member) in members {
        match properties.get(name) {
            // `null` is "not given", as everywhere in the contract.
            _ if member.is_null() => {}
            Some(Value::Object(schema)) => check(schema, member, &path(name), found),
            Some(_) => {}
            None => {
                let known: Vec<_> = properties.keys().map(String::as_str).collect();
                let rule = format!("is unknown; there are {}", known.join(", "));
                found.push((path(name), rule));
            }
        }
    }
}

fn is_of_type(name: &str, value: &Value) -> bool {
    match name {
        "string" => value.is_string(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

#[allow(clippy::cast_precision_loss, reason = "bounds are far below where it matters")]
fn count(size: usize) -> Option<f64> {
    Some(size as f64)
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde_json::json;

    use super::*;

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema is looked at")]
    struct Example {
        /// How many.
        #[schemars(range(min = 1, max = 5))]
        limit: Option<i64>,
        #[schemars(length(min = 1, max = 3))]
        name: String,
        skills: Option<Vec<String>>,
        content: Value,
    }

    #[test]
    fn a_schema_is_as_short_as_it_can_be() {
        let schema = Value::Object(of::<Example>());
        let limit =
            json!({"type": "integer", "description": "How many.", "minimum": 1, "maximum": 5});
        assert_eq!(schema["properties"]["limit"], limit);
        assert_eq!(schema["required"], json!(["name", "content"]));
        assert!(schema.get("$schema").is_none() && schema.get("title").is_none());
    }

    #[test]
    fn what_breaks_a_rule_is_named() {
        let schema = of::<Example>();
        let found = |value: Value| broken(&schema, &value);
        assert_eq!(found(json!({"name": "a", "content": 1, "limit": null})), []);
        let of =
            |value: Value| found(value).into_iter().map(|(field, _)| field).collect::<Vec<_>>();
        assert_eq!(of(json!({"name": "abcd", "content": {}, "limit": 6})), ["limit", "name"]);
        assert_eq!(of(json!({"name": "", "skills": ["a", 1]})), ["content", "name", "skills[1]"]);
        assert_eq!(of(json!({"name": "a", "content": 1, "colour": 1})), ["colour"]);
        assert_eq!(of(json!([])), ["arguments"]);
        let (_, rule) = found(json!({"name": "a", "content": 1, "limit": 1.5})).remove(0);
        assert_eq!(rule, "must be of type integer");
    }
}
