//! What is offered over the protocol, and how it fails.

use std::future::Future;

use serde_json::{Map, Value, json};

use super::Reply;
use crate::Problem;

/// Tools, resources and prompts, as the protocol shows them.
pub trait Offer: Sync {
    /// Who was let in.
    type Guest: Send + Sync;

    /// Name, version and instructions, as every client is told them.
    fn about(&self) -> About;

    /// Lets a client in.
    fn admit(&self) -> impl Future<Output = Result<Self::Guest, Refused>> + Send;

    /// The tools that a guest may call.
    fn tools(&self, guest: &Self::Guest) -> Vec<Value>;

    /// Calls a tool.
    fn call(
        &self,
        guest: &Self::Guest,
        call: Call<'_>,
    ) -> impl Future<Output = Result<Map<String, Value>, Fault>> + Send;

    /// What can be read by an address, or by one that is filled in first.
    fn resources(&self, templates: bool) -> Vec<Value>;

    /// Reads what an address names.
    fn read(
        &self,
        guest: &Self::Guest,
        uri: &str,
    ) -> impl Future<Output = Result<Vec<Value>, Fault>> + Send;

    /// Texts to begin with.
    fn prompts(&self) -> Vec<Value>;

    /// One of them, filled in.
    ///
    /// # Errors
    /// There is none of this name.
    fn prompt(&self, name: &str, params: &Map<String, Value>) -> Result<Map<String, Value>, Fault>;
}

/// What a server says of itself.
#[derive(Debug, Clone)]
pub struct About {
    pub name: &'static str,
    pub title: &'static str,
    pub version: &'static str,
    pub instructions: &'static str,
    pub capabilities: Value,
}

/// A call of a tool.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    pub name: &'a str,
    pub arguments: Option<&'a Map<String, Value>>,
    /// All that came with it.
    pub params: &'a Map<String, Value>,
}

impl<'a> Call<'a> {
    pub(super) fn read(params: &'a Map<String, Value>) -> Result<Self, Fault> {
        let name = params.get("name").and_then(Value::as_str);
        let name = name.ok_or_else(|| Fault::params("name: is required and must be a text"))?;
        let arguments = match params.get("arguments") {
            None | Some(Value::Null) => None,
            Some(Value::Object(arguments)) => Some(arguments),
            Some(_) => return Err(Fault::params("arguments: must be an object")),
        };
        Ok(Self { name, arguments, params })
    }
}

/// Somebody is not let in.
#[derive(Debug, Clone)]
pub struct Refused(pub Problem);

impl Refused {
    pub(super) fn reply(&self, id: Value) -> Reply {
        let Self(problem) = self;
        let mut fault = Fault::new(problem.status, -32603, problem.advise());
        fault.data = Some(json!({"problem": problem.to_value()}));
        let reply = fault.reply(id, true);
        Reply { retry_after: problem.retry_after, admitted: false, ..reply }
    }
}

/// An error of the protocol. What a tool could not do is none: a model has to read that.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    status: u16,
    code: i64,
    message: String,
    data: Option<Value>,
}

impl Fault {
    fn new(status: u16, code: i64, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), data: None }
    }

    /// With details for programs.
    #[must_use]
    pub fn with(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }

    /// The message is no JSON.
    pub(super) fn parse() -> Self {
        Self::new(400, -32700, "The message is no JSON.")
    }

    /// The message is no request of JSON-RPC.
    pub(super) fn request(message: &str) -> Self {
        Self::new(400, -32600, message)
    }

    /// `_meta` lacks what each request brings.
    pub(super) fn meta(message: &str) -> Self {
        Self::new(400, -32602, message)
    }

    /// A header does not say what the body says.
    pub(super) fn header(message: &str) -> Self {
        Self::new(400, -32020, message)
    }

    /// A revision that is not spoken here.
    pub(super) fn version(requested: &str, supported: &[&str]) -> Self {
        let fault = Self::new(400, -32022, "This revision of the protocol is not spoken here.");
        fault.with(json!({"supported": supported, "requested": requested}))
    }

    pub(super) fn no_such_method(method: &str) -> Self {
        let shown: String = method.chars().take(100).collect();
        Self::new(404, -32601, format!("There is no method {shown:?}."))
    }

    /// The client has not said that it can do what this needs.
    #[must_use]
    pub fn capability(name: &str) -> Self {
        let fault = Self::new(400, -32021, format!("This needs a client that can do {name}."));
        fault.with(json!({"requiredCapabilities": {name: {}}}))
    }

    /// Parameters that cannot be used.
    #[must_use]
    pub fn params(message: impl Into<String>) -> Self {
        Self::new(200, -32602, message)
    }

    /// An address that names nothing.
    #[must_use]
    pub fn no_such_resource(uri: &str) -> Self {
        Self::params("There is no such resource.").with(json!({"uri": uri}))
    }

    /// The hub's problem.
    #[must_use]
    pub fn of(problem: &Problem) -> Self {
        let fault = Self::new(200, -32603, problem.advise());
        fault.with(json!({"problem": problem.to_value()}))
    }

    /// Handshakes had a code of its own for resources that are not there.
    pub(super) fn before_2026(mut self) -> Self {
        let is_missing = self.data.as_ref().is_some_and(|data| data.get("uri").is_some());
        if self.code == -32602 && is_missing {
            self.code = -32002;
        }
        self
    }

    /// `has_status`: the status says what went wrong, not only whether the message arrived.
    pub(super) fn reply(&self, id: Value, has_status: bool) -> Reply {
        let error = match &self.data {
            Some(data) => json!({"code": self.code, "message": self.message, "data": data}),
            None => json!({"code": self.code, "message": self.message}),
        };
        let body = json!({"jsonrpc": "2.0", "id": id, "error": error});
        let status = if has_status { self.status } else { 200 };
        Reply { status, body: Some(body), retry_after: None, admitted: true }
    }
}
