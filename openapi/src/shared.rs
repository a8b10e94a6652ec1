//! What all routes share: who may call, headers, problems, and schemas that no type stands for.

use reef_api::Word;
use reef_domain::message::{CONTENT_TYPES, ContentType};
use reef_web::Code;
use reef_web::openapi::{Api, schema};
use serde_json::{Map, Value, json};

const ABOUT: &str = "\
**Rules for every route.** JSON in and out, in UTF-8; every success is a `200`. Unknown fields of a \
request are ignored, and `null` for an optional field means that it is not given. Whole numbers and \
fractions in a body may also be sent as texts (`\"5\"`), as clients of the older services do; send \
numbers. Times are RFC 3339 in UTC with milliseconds, by the clock of Redis.

**Errors** are `application/problem+json` (RFC 9457). `code` is for programs, `detail` for people, \
`type` is the address of a page that says what to do, and `errors` names the fields.

**Repeating safely.** Every `POST` takes an `Idempotency-Key`; `PUT`, `PATCH` and `DELETE` can be \
repeated as they are. After a `503` or a broken connection repeat the request with the same key.

**Lists** answer `Link: <...>; rel=\"next\"` while there is more.

`x-reef-served-by` names the component that answers a route; what `host` answers is there under \
`reef up`, `reef serve` and `reef monitor`, and not under Spin alone.";

pub(crate) fn info() -> Value {
    json!({
        "title": "Reef",
        "summary": "A coordination hub for fleets of AI agents.",
        "description": ABOUT,
        "version": env!("CARGO_PKG_VERSION"),
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
    })
}

pub(crate) fn security_schemes() -> Value {
    json!({
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "A key as `Authorization: Bearer <key>`. The admin key of a local hub \
                            lies in `.reef/admin.key`.",
        },
        "apiKey": {
            "type": "apiKey",
            "in": "header",
            "name": "X-API-Key",
            "description": "The same keys in the header of the older services.",
        },
    })
}

pub(crate) fn headers() -> Value {
    let text = |what: &str| json!({ "description": what, "schema": { "type": "string" } });
    json!({
        "X-Request-Id": text("Under which id the log knows the request: yours, if you sent one."),
        "Allow": text("Which methods the path has."),
        "Link": text("Where the next page is, while there is one: `<...>; rel=\"next\"`."),
        "RateLimit": text("What is left of a key's rate, if it has one."),
        "Idempotent-Replayed": {
            "description": "This is the first answer again.",
            "schema": { "const": "true" },
        },
        "Reef-Durability": text(
            "How safe the write is known to be: `memory`, `disk`, `replica`, `replica-disk` (with \
             `;n=` for more than one replica); `unknown`, where a connection broke meanwhile; \
             `server` under Spin: as safe as the Redis is set to be.",
        ),
        "Preference-Applied": text("Which wish of `Prefer` was met."),
        "WWW-Authenticate": { "description": "How to authenticate.", "schema": { "const": "Bearer" } },
        "Retry-After": {
            "description": "Seconds after which to try again.",
            "schema": { "type": "integer", "minimum": 1 },
        },
    })
}

/// Defines the schemas of what scripts and the edge render.
pub(crate) fn define_schemas(api: &mut Api) {
    api.define("Problem", json!({
        "type": "object",
        "description": "What went wrong (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "properties": {
            "type": {
                "type": "string",
                "pattern": "^/problems/[a-z_]+$",
                "description": "A page that says what to do.",
            },
            "title": { "type": "string", "description": "The same for every problem of this code." },
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": { "type": "string", "description": "One plain sentence." },
            "code": { "type": "string", "enum": Code::names(), "description": "For programs." },
            "request_id": { "type": "string", "description": "Under which the log has more." },
            "errors": {
                "type": "array",
                "description": "Which fields break which rule.",
                "items": {
                    "type": "object",
                    "required": ["field", "message"],
                    "properties": {
                        "field": { "type": "string" },
                        "message": { "type": "string" },
                    },
                },
            },
        },
    }));
    let kinds = || CONTENT_TYPES.iter();
    api.define(
        "NewContentBlock",
        json!({
            "description": "A block to be added: its type, and an object under the type's name.",
            "oneOf": kinds().map(new_block).collect::<Vec<_>>(),
        }),
    );
    let objects: Map<String, Value> = kinds()
        .map(|kind| {
            (
                kind.name.to_owned(),
                json!({
                    "type": "object",
                    "description": "The content; without its bulk if there is a `ref`.",
                    "properties": members(kind),
                }),
            )
        })
        .collect();
    let mut properties = json!({
        "content_id": schema::id(),
        "content_type": schema::one_of(&kinds().map(|kind| kind.name).collect::<Vec<_>>()),
        "is_placeholder": {
            "type": "boolean",
            "description": "A task's result will stand here.",
        },
        "task_id": schema::id(),
        "ref": {
            "type": "string",
            "description": "Where the whole block is, if it is larger than 10 000 bytes.",
        },
    });
    if let Some(properties) = properties.as_object_mut() {
        properties.extend(objects);
    }
    api.define(
        "ContentBlock",
        json!({
            "type": "object",
            "description": "A block of a message. Its content is the object under the type's name.",
            "required": ["content_id", "content_type", "is_placeholder"],
            "properties": properties,
        }),
    );
}

fn members(kind: &ContentType) -> Map<String, Value> {
    kind.members()
        .iter()
        .map(|member| {
            let schema = match () {
                () if ContentType::is_number(member) => {
                    json!({ "type": ["number", "null"], "minimum": 0 })
                }
                () if *member == "json" => json!({ "description": "Any value but `null`." }),
                () => json!({ "type": ["string", "null"] }),
            };
            ((*member).to_owned(), schema)
        })
        .collect()
}

/// The block of one type, as it is sent.
fn new_block(kind: &ContentType) -> Value {
    let mut members = members(kind);
    let must_be = |name: &str| match name {
        "json" => json!({ "not": { "type": "null" }, "description": "Any value but `null`." }),
        _ => json!({ "type": "string" }),
    };
    let content = if kind.is_media() {
        for name in ["url", "data"] {
            members.insert(name.to_owned(), must_be(name));
        }
        json!({
            "type": "object",
            "properties": members,
            "anyOf": [{ "required": ["url"] }, { "required": ["data"] }],
        })
    } else {
        members.insert(kind.bulk().to_owned(), must_be(kind.bulk()));
        json!({ "type": "object", "properties": members, "required": [kind.bulk()] })
    };
    json!({
        "type": "object",
        "title": kind.name,
        "required": ["content_type", kind.name],
        "properties": {
            "content_type": { "const": kind.name },
            "content_id": nullable(schema::new_id()),
            "task_id": nullable(schema::id()),
            kind.name: content,
        },
    })
}

fn nullable(mut schema: Value) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("type".to_owned(), json!(["string", "null"]));
    }
    schema
}
