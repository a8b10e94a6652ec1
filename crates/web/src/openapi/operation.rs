//! One route as `openapi.json` has it.

use std::collections::BTreeMap;

use reef_domain::limits::{AUDIT_REASON_CHARS_MAX, IDEMPOTENCY_KEY_CHARS_MAX, PAGE_MAX};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Api, Line, problems, schema};
use crate::auth::Access;
use crate::problem::Code;
use crate::trail;

/// What a route takes, as far as problems follow from it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Takes {
    pub(super) path: bool,
    pub(super) query: bool,
    pub(super) body: bool,
}

/// A route that is described.
#[derive(Debug, Serialize)]
pub struct Operation {
    /// What its table says.
    #[serde(skip)]
    pub line: Line,
    /// What generated clients call it.
    #[serde(rename = "operationId")]
    pub id: &'static str,
    summary: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    tags: [&'static str; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<Value>,
    #[serde(rename = "requestBody", skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    responses: BTreeMap<String, Value>,
    security: Vec<Value>,
    /// The component, or `host` for what is there under the Reef host only.
    #[serde(rename = "x-reef-served-by")]
    server: &'static str,
    #[serde(rename = "x-reef-body-bytes-max", skip_serializing_if = "Option::is_none")]
    body_max: Option<usize>,
    #[serde(skip)]
    takes: Takes,
    #[serde(skip)]
    pages: bool,
    #[serde(skip)]
    codes: Vec<Code>,
}

impl Operation {
    pub(super) fn new(
        line: Line,
        server: &'static str,
        group: &'static str,
        (id, summary): (&'static str, &'static str),
    ) -> Self {
        let parameters: Vec<Value> = path_parameters(line.path).collect();
        let takes = Takes { path: !parameters.is_empty(), ..Takes::default() };
        let mut operation = Self {
            id,
            summary,
            description: String::new(),
            tags: [group],
            parameters,
            body: None,
            responses: BTreeMap::new(),
            security: security(line.access),
            server,
            body_max: None,
            takes,
            pages: false,
            codes: Vec::new(),
            line,
        };
        if operation.line.method == "POST" && server != HOST {
            operation.parameters.push(json!({ "$ref": "#/components/parameters/IdempotencyKey" }));
        }
        if operation.line.method != "GET" && server != HOST {
            operation.parameters.push(json!({ "$ref": "#/components/parameters/Prefer" }));
        }
        if trail::when(operation.line.method, operation.line.path).is_some() {
            operation.parameters.push(json!({ "$ref": "#/components/parameters/ReefReason" }));
            operation.parameters.push(json!({ "$ref": "#/components/parameters/ReefVia" }));
        }
        operation.settle();
        operation
    }

    /// Its problems by the names that stand for them in the document.
    pub fn problems(&self) -> impl Iterator<Item = (String, Value)> {
        problems::by_status(&self.all_codes())
            .into_values()
            .map(|codes| (problems::name(&codes), problems::response(&codes)))
    }

    /// The group under which it is shown.
    #[must_use]
    pub fn group(&self) -> &'static str {
        self.tags[0]
    }

    /// Works out the problems anew: what the route takes has changed.
    fn settle(&mut self) {
        self.responses.retain(|status, _| status.starts_with('2'));
        let problems = problems::by_status(&self.all_codes());
        self.responses.extend(problems.into_iter().map(|(status, codes)| {
            let name = problems::name(&codes);
            (status.to_string(), json!({ "$ref": format!("#/components/responses/{name}") }))
        }));
    }

    fn all_codes(&self) -> Vec<Code> {
        let mut codes = self.codes.clone();
        codes.extend(problems::of_the_edge(&self.line));
        if self.server != HOST {
            codes.extend(problems::usual(&self.line, &self.takes));
        }
        codes
    }

    fn answer_headers(&self) -> Vec<&'static str> {
        let mut headers = vec!["X-Request-Id"];
        if self.pages {
            headers.push("Link");
        }
        if self.server != HOST {
            headers.push("RateLimit");
        }
        if self.line.method == "POST" && self.server != HOST {
            headers.push("Idempotent-Replayed");
        }
        if self.line.method != "GET" && self.server != HOST {
            headers.extend(["Preference-Applied", "Reef-Durability"]);
        }
        headers
    }
}

/// Who serves what no component does.
pub const HOST: &str = "host";

/// The header by which a repeat of a request changes nothing.
#[must_use]
pub fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A repeat with the same key and the same body changes nothing and gets the \
                        first answer again, with `Idempotent-Replayed: true`. Kept for 24 h, for \
                        each caller and path apart.",
        "schema": { "type": "string", "pattern": format!("^[ -~]{{1,{IDEMPOTENCY_KEY_CHARS_MAX}}}$") },
    })
}

/// The header that says how safe a write shall be.
#[must_use]
pub fn prefer() -> Value {
    json!({
        "name": "Prefer",
        "in": "header",
        "description": "`durability=memory`, `disk`, `replica` or `replica-disk` (the last two with \
                        `;n=` replicas, 1 if it is left out): how safe the write shall be when its \
                        answer comes. With `handling=strict` one that is less safe is a `503`; it \
                        is made all the same. Other preferences are passed over.",
        "schema": { "type": "string" },
        "example": "durability=disk, handling=strict",
    })
}

/// The header that says why something is done, for the audit.
#[must_use]
pub fn reason() -> Value {
    json!({
        "name": "Reef-Reason",
        "in": "header",
        "description": format!(
            "Why, for the audit: at most {AUDIT_REASON_CHARS_MAX} characters in one line. UTF-8, or as RFC 8187 \
             writes it in ASCII: `UTF-8''%C3%A9t%C3%A9`."
        ),
        "schema": {
            "type": "string", "maxLength": AUDIT_REASON_CHARS_MAX, "pattern": "^([!-~]([ -~]*[!-~])?)?$",
        },
        "example": "the provider has shut its gate",
    })
}

/// The header that says what a request comes from, for the audit.
#[must_use]
pub fn via() -> Value {
    json!({
        "name": "Reef-Via",
        "in": "header",
        "description": "`cli` or `page`, for the audit; all else counts as `api`.",
        "schema": { "type": "string" },
    })
}

fn security(access: Access) -> Vec<Value> {
    match access.scope() {
        None => Vec::new(),
        Some(scope) => {
            let scopes = [scope.to_string()];
            vec![json!({ "bearer": scopes }), json!({ "apiKey": scopes })]
        }
    }
}

/// The segments of a path that are ids, in order; what one is an id of stands before it.
fn path_parameters(path: &str) -> impl Iterator<Item = Value> {
    path.split('/')
        .scan("", |before, segment| {
            let noun = std::mem::replace(before, segment);
            Some((noun, segment))
        })
        .filter_map(|(noun, segment)| {
            let name = segment.strip_prefix('{')?.strip_suffix('}')?;
            let what = match noun {
                "content" => "content block".to_owned(),
                "inbox" => "agent whose inbox it is".to_owned(),
                plural => plural.strip_suffix('s').unwrap_or(plural).to_owned(),
            };
            Some(json!({
                "name": name,
                "in": "path",
                "required": true,
                "description": format!("Id of the {what}."),
                "schema": schema::id(),
            }))
        })
}

/// A route while it is being described.
#[derive(Debug)]
pub struct Describe<'a>(pub(super) &'a mut Api);

impl Describe<'_> {
    fn change(self, change: impl FnOnce(&mut Operation)) -> Self {
        // The route that was begun last is the one that is described.
        if let Some(operation) = self.0.operations.last_mut() {
            change(operation);
            operation.settle();
        }
        self
    }

    /// What there is to know besides, in Markdown.
    pub fn says(self, description: &str) -> Self {
        self.change(|operation| description.clone_into(&mut operation.description))
    }

    /// Says more of a segment of the path, or that it is no id.
    pub fn segment(self, name: &str, what: &str, schema: Value) -> Self {
        self.change(|operation| {
            let found = operation.parameters.iter_mut().find(|one| {
                one.get("in").is_some_and(|place| place == "path")
                    && one.get("name").is_some_and(|known| known == name)
            });
            if let Some(Value::Object(parameter)) = found {
                parameter.insert("description".to_owned(), what.into());
                parameter.insert("schema".to_owned(), schema);
            }
        })
    }

    /// A parameter of the query, which may always be left out.
    pub fn query(self, name: &str, what: &str, schema: Value) -> Self {
        self.change(|operation| {
            operation.takes.query = true;
            operation.parameters.push(json!({
                "name": name, "in": "query", "description": what, "schema": schema,
            }));
        })
    }

    /// A parameter of the query without which there is no answer.
    pub fn needs_query(self, name: &str, what: &str, schema: Value) -> Self {
        self.change(|operation| {
            operation.takes.query = true;
            operation.parameters.push(json!({
                "name": name, "in": "query", "required": true, "description": what,
                "schema": schema,
            }));
        })
    }

    /// A header, which may always be left out.
    pub fn header(self, name: &str, what: &str, schema: Value) -> Self {
        self.change(|operation| {
            operation.parameters.push(json!({
                "name": name, "in": "header", "description": what, "schema": schema,
            }));
        })
    }

    /// `limit`, and nothing to go on by.
    pub fn limit(self, default: i64, max: i64) -> Self {
        self.query(
            "limit",
            "Most entries to answer.",
            json!({ "type": "integer", "minimum": 1, "maximum": max, "default": default }),
        )
    }

    /// `limit` and `cursor`, and the `Link` that leads on.
    pub fn pages(self, default: i64, cursor: Value) -> Self {
        let what = "From the `Link` of the page before, unchanged.";
        let paged = self.limit(default, PAGE_MAX).query("cursor", what, cursor);
        paged.change(|operation| operation.pages = true)
    }

    /// `cursor` alone, where pages have the size that the hub gives them, and the `Link` that leads
    /// on.
    pub fn continues(self, cursor: Value) -> Self {
        let what = "From the `Link` of the page before, unchanged.";
        self.query("cursor", what, cursor).change(|operation| operation.pages = true)
    }

    /// A body that must be there.
    pub fn takes<T: JsonSchema>(self) -> Self {
        let schema = self.0.reader.subschema_for::<T>().to_value();
        self.takes_body(true, schema)
    }

    /// A body that may be left out.
    pub fn may_take<T: JsonSchema>(self) -> Self {
        let schema = self.0.reader.subschema_for::<T>().to_value();
        self.takes_body(false, schema)
    }

    /// A body of a schema that no type stands for.
    pub fn takes_schema(self, schema: Value) -> Self {
        self.takes_body(true, schema)
    }

    /// A body of a schema that no type stands for, which may be left out.
    pub fn may_take_schema(self, schema: Value) -> Self {
        self.takes_body(false, schema)
    }

    fn takes_body(self, required: bool, schema: Value) -> Self {
        self.change(|operation| {
            operation.takes.body = true;
            operation.body_max = Some(operation.line.body_max);
            operation.body = Some(json!({
                "required": required,
                "content": { "application/json": { "schema": schema } },
            }));
        })
    }

    /// An example of the body.
    pub fn example(self, example: Value) -> Self {
        self.change(|operation| {
            let media = operation.body.as_mut().and_then(|body| {
                body.get_mut("content")?.get_mut("application/json")?.as_object_mut()
            });
            if let Some(media) = media {
                media.insert("example".to_owned(), example);
            }
        })
    }

    /// The answer to a success.
    pub fn answers<T: JsonSchema>(self, what: &str) -> Self {
        let schema = self.0.writer.subschema_for::<T>().to_value();
        self.answers_with(what, "application/json", &schema)
    }

    /// The answer to a success, of a schema that no type stands for.
    pub fn answers_schema(self, what: &str, schema: Value) -> Self {
        self.answers_with(what, "application/json", &schema)
    }

    /// An answer that is a text of some media type.
    pub fn answers_text(self, media_type: &str, what: &str) -> Self {
        self.answers_with(what, media_type, &json!({ "type": "string" }))
    }

    /// An answer without a body.
    pub fn answers_empty(self, status: u16, what: &str) -> Self {
        self.change(|operation| {
            operation.responses.insert(status.to_string(), json!({ "description": what }));
        })
    }

    fn answers_with(self, what: &str, media_type: &str, schema: &Value) -> Self {
        self.change(|operation| {
            let headers = operation
                .answer_headers()
                .into_iter()
                .map(|name| (name, json!({ "$ref": format!("#/components/headers/{name}") })));
            let response = json!({
                "description": what,
                "headers": headers.collect::<BTreeMap<_, _>>(),
                "content": { media_type: { "schema": schema } },
            });
            operation.responses.insert("200".to_owned(), response);
        })
    }

    /// Problems that follow neither from the table nor from what the route takes.
    pub fn refuses(self, codes: &[Code]) -> Self {
        self.change(|operation| operation.codes.extend(codes))
    }

    /// Who may call, where the table does not say it.
    pub fn secured_by(self, schemes: &[&str]) -> Self {
        self.change(|operation| {
            let alone = schemes.iter().map(|scheme| json!({ *scheme: Vec::<&str>::new() }));
            operation.security = alone.collect();
        })
    }
}
