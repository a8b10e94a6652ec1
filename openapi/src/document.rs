//! The document as a whole.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::anyhow;
use reef_store::{Redis, RedisError, Reply};
use reef_web::openapi::{Api, HOST, Line, Operation, idempotency_key, prefer, reason, via};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

use crate::{host, shared};

/// Route tables are made for a Redis; this one is never asked.
struct NoRedis;

impl Redis for NoRedis {
    async fn execute(&self, _: &str, _: Vec<Vec<u8>>) -> Result<Vec<Reply>, RedisError> {
        Err(RedisError::Unavailable("there is none".to_owned()))
    }
}

fn lines(routes: &[reef_web::Route<NoRedis>]) -> Vec<Line> {
    routes.iter().map(Line::from).collect()
}

/// The text of `openapi.json`.
///
/// # Errors
/// A route that nobody describes, or a description that fits no route or no type.
pub(crate) fn render() -> anyhow::Result<String> {
    let mut api = Api::default();
    shared::define_schemas(&mut api);
    api.serve("register", lines(&register::routes()), register::describe);
    api.serve("heartbeat", lines(&heartbeat::routes()), heartbeat::describe);
    api.serve("sessions", lines(&sessions::routes()), sessions::describe);
    api.serve("tasks", lines(&tasks::routes()), tasks::describe);
    api.serve("messages", lines(&messages::routes()), messages::describe);
    api.serve("ledger", lines(&ledger::routes()), ledger::describe);
    api.serve(HOST, host::lines(), host::describe);
    let (operations, mut schemas) = api.finish().map_err(|faults| anyhow!(faults))?;
    for schema in schemas.values_mut() {
        hide_internal(schema);
    }
    let problems: BTreeMap<_, _> = operations.iter().flat_map(Operation::problems).collect();
    let document = Document {
        openapi: "3.1.0",
        info: shared::info(),
        servers: json!([{ "url": "/", "description": "The hub that serves this document." }]),
        tags: tags(&operations),
        paths: Paths(&operations),
        components: json!({
            "securitySchemes": shared::security_schemes(),
            "parameters": {
                "IdempotencyKey": idempotency_key(), "Prefer": prefer(), "ReefReason": reason(),
                "ReefVia": via(),
            },
            "headers": shared::headers(),
            "responses": problems,
            "schemas": schemas,
        }),
    };
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    Ok(text)
}

/// Types are described for those who read the code; where they point to what callers do not have,
/// the name of the schema says enough.
fn hide_internal(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else { return };
    let is_internal = schema.get("description").and_then(Value::as_str);
    if is_internal.is_some_and(|text| text.contains("contract.md")) {
        schema.remove("description");
    }
}

#[derive(serde::Serialize)]
struct Document<'a> {
    openapi: &'static str,
    info: Value,
    servers: Value,
    tags: Value,
    paths: Paths<'a>,
    components: Value,
}

/// The groups, in the order of the routes.
fn tags(operations: &[Operation]) -> Value {
    let mut seen = BTreeSet::new();
    let names = operations.iter().map(Operation::group).filter(|name| seen.insert(*name));
    names.map(|name| json!({ "name": name })).collect()
}

/// Operations by path and method, in the order of the tables.
struct Paths<'a>(&'a [Operation]);

impl Serialize for Paths<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut paths: Vec<(&str, BTreeMap<String, &Operation>)> = Vec::new();
        for operation in self.0 {
            let method = operation.line.method.to_ascii_lowercase();
            match paths.iter_mut().find(|(path, _)| *path == operation.line.path) {
                Some((_, methods)) => {
                    methods.insert(method, operation);
                }
                None => paths.push((operation.line.path, BTreeMap::from([(method, operation)]))),
            }
        }
        let mut map = serializer.serialize_map(Some(paths.len()))?;
        for (path, methods) in &paths {
            map.serialize_entry(path, methods)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_knows_how_large_a_body_may_be() {
        let all = [
            lines(&register::routes()),
            lines(&heartbeat::routes()),
            lines(&sessions::routes()),
            lines(&tasks::routes()),
            lines(&messages::routes()),
            lines(&ledger::routes()),
        ];
        for line in all.into_iter().flatten() {
            let known = reef_web::edge::body_max(line.method, line.path);
            assert_eq!(known, line.body_max, "{} {}", line.method, line.path);
        }
    }
}
