//! Messages of JSON-RPC, and what each revision of the protocol puts around them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::offer::{About, Fault};
use super::{LISTS_TTL_MS, READ_TTL_MS};

/// The revision in which each request stands for itself.
pub const LATEST: &str = "2026-07-28";
/// Those that begin with `initialize`, newest first.
const HANDSHAKES: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
/// All of them.
const SUPPORTED: [&str; 5] = [LATEST, HANDSHAKES[0], HANDSHAKES[1], HANDSHAKES[2], HANDSHAKES[3]];

const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const META_SERVER: &str = "io.modelcontextprotocol/serverInfo";

/// How a message has come.
#[derive(Debug, Clone, Copy)]
pub enum Transport<'a> {
    /// As a POST with these headers.
    Http(Headers<'a>),
    /// As a line on standard input.
    Pipe,
}

/// What the headers of a POST say of its body. One that is no text is given as an empty one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Headers<'a> {
    /// `MCP-Protocol-Version`
    pub version: Option<&'a str>,
    /// `Mcp-Method`
    pub method: Option<&'a str>,
    /// `Mcp-Name`
    pub name: Option<&'a str>,
}

/// Which rules a message follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Era {
    /// Those of [`LATEST`].
    Stateless,
    /// Those before.
    Handshake,
}

/// A message that can be answered.
#[derive(Debug)]
pub(super) struct Message {
    /// None for a notification.
    pub(super) id: Option<Value>,
    pub(super) method: String,
    pub(super) params: Map<String, Value>,
    pub(super) era: Era,
}

/// The id of a message, as far as it can be read.
pub(super) fn id_of(message: &[u8]) -> Value {
    let message: Value = serde_json::from_slice(message).unwrap_or_default();
    let id = message.get("id").cloned().unwrap_or_default();
    if is_id(&id) { id } else { Value::Null }
}

fn is_id(id: &Value) -> bool {
    id.is_string() || id.is_number()
}

impl Message {
    /// Reads a message; an error has the message's id, if there is one.
    pub(super) fn read(bytes: &[u8], transport: Transport<'_>) -> Result<Self, (Value, Fault)> {
        let message = serde_json::from_slice(bytes).map_err(|_| (Value::Null, Fault::parse()))?;
        let Value::Object(mut message) = message else {
            let fault = Fault::request("A message is one object: there are no batches.");
            return Err((Value::Null, fault));
        };
        let id = message.remove("id");
        let known = id.clone().filter(is_id).unwrap_or_default();
        let refuse = |words: &str| Err((known.clone(), Fault::request(words)));
        if message.get("jsonrpc").is_none_or(|version| version != "2.0") {
            return refuse("jsonrpc must be \"2.0\".");
        }
        if id.as_ref().is_some_and(|id| !is_id(id)) {
            return refuse("id must be a text or a number.");
        }
        let Some(Value::String(method)) = message.remove("method") else {
            return refuse("method must be a text: nothing was asked that could be answered.");
        };
        let params = match message.remove("params") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(params)) => params,
            Some(_) => return refuse("params must be an object."),
        };
        let era = era(&method, &params, transport);
        let message = Self { id, method, params, era };
        if era == Era::Stateless && message.id.is_some() {
            message.check(transport).map_err(|fault| (known, fault))?;
        }
        Ok(message)
    }

    /// What each request of [`LATEST`] brings.
    fn check(&self, transport: Transport<'_>) -> Result<(), Fault> {
        let meta = self.params.get("_meta").and_then(Value::as_object);
        let meta = meta.ok_or_else(|| Fault::meta("_meta: is required and must be an object"))?;
        let version = meta.get(META_VERSION).and_then(Value::as_str);
        let version = version.ok_or_else(|| Fault::meta("_meta lacks the protocolVersion"))?;
        if !meta.get(META_CAPABILITIES).is_some_and(Value::is_object) {
            return Err(Fault::meta("_meta lacks the clientCapabilities"));
        }
        if let Transport::Http(headers) = transport
            && headers.version.map(str::trim) != Some(version)
        {
            return Err(Fault::header("MCP-Protocol-Version is not the version of the body."));
        }
        if version != LATEST {
            return Err(Fault::version(version, &SUPPORTED));
        }
        match transport {
            Transport::Http(headers) => self.check_names(headers),
            Transport::Pipe => Ok(()),
        }
    }

    fn check_names(&self, headers: Headers<'_>) -> Result<(), Fault> {
        if headers.method.map(str::trim) != Some(self.method.as_str()) {
            return Err(Fault::header("Mcp-Method is not the method of the body."));
        }
        let field = match self.method.as_str() {
            "tools/call" | "prompts/get" => "name",
            "resources/read" => "uri",
            _ => return Ok(()),
        };
        let named = self.params.get(field).and_then(Value::as_str);
        let given = headers.name.map(|name| decoded(name.trim()));
        match (named, given) {
            (Some(named), Some(given)) if named == given => Ok(()),
            // That it is missing is for the method to say.
            (None, None) => Ok(()),
            _ => Err(Fault::header(&format!("Mcp-Name is not the {field} of the body."))),
        }
    }

    /// The answer to what every client begins with, if this is that.
    pub(super) fn greeting(&self, about: &About) -> Option<Map<String, Value>> {
        let server = json!({"name": about.name, "title": about.title, "version": about.version});
        let greeting = match (self.era, self.method.as_str()) {
            (Era::Stateless, "server/discover") => json!({
                "supportedVersions": SUPPORTED,
                "capabilities": about.capabilities,
                "instructions": about.instructions,
                "_meta": {META_SERVER: server},
            }),
            (Era::Handshake, "initialize") => {
                let asked = self.params.get("protocolVersion").and_then(Value::as_str);
                let spoken = HANDSHAKES.iter().find(|known| asked == Some(**known));
                json!({
                    "protocolVersion": spoken.unwrap_or(&HANDSHAKES[0]),
                    "capabilities": about.capabilities,
                    "serverInfo": server,
                    "instructions": about.instructions,
                })
            }
            (Era::Handshake, "ping") => json!({}),
            _ => return None,
        };
        match greeting {
            Value::Object(greeting) => Some(greeting),
            _ => None,
        }
    }

    /// A text among the parameters.
    pub(super) fn text(&self, name: &str) -> Result<&str, Fault> {
        let text = self.params.get(name).and_then(Value::as_str);
        text.ok_or_else(|| Fault::params(format!("{name}: is required and must be a text")))
    }

    /// What each result of [`LATEST`] says beside what was asked for.
    pub(super) fn finish(&self, mut result: Map<String, Value>) -> Value {
        if self.era == Era::Stateless {
            result.entry("resultType").or_insert_with(|| "complete".into());
            let ttl_ms = match self.method.as_str() {
                "resources/read" => Some(READ_TTL_MS),
                "tools/call" | "prompts/get" => None,
                _ => Some(LISTS_TTL_MS),
            };
            if let Some(ttl_ms) = ttl_ms {
                result.insert("ttlMs".to_owned(), ttl_ms.into());
                // What is listed depends on the key.
                result.insert("cacheScope".to_owned(), "private".into());
            }
        }
        Value::Object(result)
    }
}

/// Some clients of the handshakes name a newer revision in their header than they speak: only the
/// headers and members that each request of [`LATEST`] brings tell its clients.
fn era(method: &str, params: &Map<String, Value>, transport: Transport<'_>) -> Era {
    let has_version = params.get("_meta").is_some_and(|meta| meta.get(META_VERSION).is_some());
    let names_method = match transport {
        Transport::Http(headers) => headers.method.is_some() && headers.version == Some(LATEST),
        Transport::Pipe => false,
    };
    if has_version || names_method || method == "server/discover" {
        Era::Stateless
    } else {
        Era::Handshake
    }
}

/// A header's text, which may be written as `=?base64?…?=`.
fn decoded(text: &str) -> String {
    let coded = text.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?="));
    let bytes = coded.and_then(|coded| STANDARD.decode(coded).ok());
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_else(|| text.to_owned())
}
