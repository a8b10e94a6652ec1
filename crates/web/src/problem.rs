//! Errors as `application/problem+json` (RFC 9457, `api.md` §1). The only place where an error
//! has a status code.

use reef_domain::{FieldError, Invalid};
use reef_store::{StoreError, quota};
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;

use crate::http::Response;
use crate::rate::RateLimit;

/// What went wrong, as a caller's program tells it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The request is no HTTP that can be read.
    MalformedRequest,
    /// The body is not JSON.
    MalformedJson,
    /// A query, header or path value cannot be read.
    InvalidParameter,
    /// A registration breaks a rule of `api.md` §2.
    InvalidRegistration,
    /// There is not enough money for it.
    InsufficientBalance,
    /// No key, or one that is unknown, expired or revoked.
    Unauthenticated,
    /// Somebody else's resource, or a scope is missing.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// The path exists, this method does not.
    MethodNotAllowed,
    /// The body did not come in time.
    RequestTimeout,
    /// The state does not allow it.
    Conflict,
    /// A stale incarnation, term or claim token.
    Fenced,
    /// The same idempotency key is still being worked on.
    InProgress,
    /// Too many messages wait in an inbox.
    InboxFull,
    /// The agent has as much of something as one agent may have.
    QuotaExceeded,
    /// The body is too large.
    PayloadTooLarge,
    /// The body is not said to be JSON.
    UnsupportedMediaType,
    /// The request is for a host that the hub is not called by.
    Misdirected,
    /// JSON that breaks the schema.
    ValidationFailed,
    /// The idempotency key was used for another request.
    IdempotencyMismatch,
    /// Too many requests.
    RateLimited,
    /// A fault of ours.
    Internal,
    /// Took too long.
    DeadlineExceeded,
    /// Redis cannot be reached or does not answer.
    StoreUnavailable,
    /// All the memory that Redis may use is in use.
    StoreFull,
    /// The host has more requests under way than it can take.
    Overloaded,
}

impl Code {
    /// All of them.
    pub const ALL: [Self; 26] = [
        Self::MalformedRequest,
        Self::MalformedJson,
        Self::InvalidParameter,
        Self::InvalidRegistration,
        Self::InsufficientBalance,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::Conflict,
        Self::Fenced,
        Self::InProgress,
        Self::InboxFull,
        Self::QuotaExceeded,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::Misdirected,
        Self::ValidationFailed,
        Self::IdempotencyMismatch,
        Self::RateLimited,
        Self::Internal,
        Self::DeadlineExceeded,
        Self::StoreUnavailable,
        Self::StoreFull,
        Self::Overloaded,
    ];

    /// Reads the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    /// The name of `api.md` §1.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.describe().0
    }

    /// The status code.
    #[must_use]
    pub fn status(self) -> u16 {
        self.describe().1
    }

    /// A short title, the same for every problem of this code.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.describe().2
    }

    /// What a caller can do about it.
    #[must_use]
    pub fn advice(self) -> &'static str {
        self.describe().3
    }

    /// Name, status, title, advice.
    fn describe(self) -> (&'static str, u16, &'static str, &'static str) {
        match self {
            Self::MalformedRequest => (
                "malformed_request",
                400,
                "The request cannot be read",
                "Send HTTP/1.1 with one Host header and a body that is as long, or chunked, as the \
                 headers say.",
            ),
            Self::MalformedJson => (
                "malformed_json",
                400,
                "The body is not JSON",
                "Send one JSON value in UTF-8. The detail says where reading it failed.",
            ),
            Self::InvalidParameter => (
                "invalid_parameter",
                400,
                "A parameter cannot be read",
                "Look at errors: it names the query parameter or header and what it accepts.",
            ),
            Self::InvalidRegistration => (
                "invalid_registration",
                400,
                "The registration was refused",
                "Look at errors: a hostname must not be blank, platform is macos, windows or \
                 linux, arch is x64, arm64, x86 or arm, and a node has at least one skill.",
            ),
            Self::InsufficientBalance => (
                "insufficient_balance",
                400,
                "There is not enough money",
                "Look at the available balance: what is held for intents and holds does not count.",
            ),
            Self::Unauthenticated => (
                "unauthenticated",
                401,
                "A key is needed",
                "Send Authorization: Bearer <key> or X-API-Key: <key>. The admin key of a local \
                 hub lies in .reef/admin.key.",
            ),
            Self::Forbidden => (
                "forbidden",
                403,
                "This key may not do that",
                "Use a key of the owner, or one with the scope that the detail names. A page of another \
                 origin may change nothing unless cors_origins names it.",
            ),
            Self::NotFound => (
                "not_found",
                404,
                "There is no such thing",
                "Check the path and the id. A node that the hub has forgotten registers again.",
            ),
            Self::MethodNotAllowed => (
                "method_not_allowed",
                405,
                "This path has other methods",
                "The Allow header lists them.",
            ),
            Self::RequestTimeout => (
                "request_timeout",
                408,
                "The body did not come",
                "Nothing was done. Send the whole body without a pause of seconds.",
            ),
            Self::Conflict => (
                "conflict",
                409,
                "The state does not allow it",
                "Read the resource again and decide anew.",
            ),
            Self::Fenced => (
                "fenced",
                409,
                "The token is stale",
                "Somebody else took over in the meantime, and nothing was changed. Stop what the \
                 token stood for; a node registers again, a leader campaigns again.",
            ),
            Self::InProgress => (
                "in_progress",
                409,
                "The same request is under way",
                "Wait for its answer, then repeat the request with the same Idempotency-Key.",
            ),
            Self::InboxFull => (
                "inbox_full",
                409,
                "The inbox is full",
                "Nothing was dropped. Try again once the agent has acknowledged some messages.",
            ),
            Self::QuotaExceeded => (
                "quota_exceeded",
                409,
                "An agent may not have more of it",
                "Nothing was done. Let go of some first: the detail says of what, how much one agent \
                 may have, and which variable of the hub sets it.",
            ),
            Self::PayloadTooLarge => (
                "payload_too_large",
                413,
                "The body is too large",
                "Send at most 1 MiB, a content block at most 8 MiB; split batches.",
            ),
            Self::UnsupportedMediaType => (
                "unsupported_media_type",
                415,
                "The body is not JSON",
                "Send Content-Type: application/json, or none, and no Content-Encoding.",
            ),
            Self::Misdirected => (
                "misdirected",
                421,
                "The hub has another name",
                "Call the hub by localhost or its address, or have the operator set the variable \
                 allowed_hosts to the name.",
            ),
            Self::ValidationFailed => (
                "validation_failed",
                422,
                "A field breaks a rule",
                "Look at errors: it names each field and what it accepts.",
            ),
            Self::IdempotencyMismatch => (
                "idempotency_mismatch",
                422,
                "The idempotency key was used before",
                "A repeat must say the same: the order of fields and white space do not matter. Use a new key for a new request.",
            ),
            Self::RateLimited => (
                "rate_limited",
                429,
                "Too many requests",
                "Try again after the time that Retry-After names.",
            ),
            Self::Internal => (
                "internal",
                500,
                "A fault of the hub",
                "Tell the operator the request_id: the details are in the log under it.",
            ),
            Self::DeadlineExceeded => (
                "deadline_exceeded",
                504,
                "That took too long",
                "Try again. Tell the operator the request_id if it stays so.",
            ),
            Self::StoreUnavailable => (
                "store_unavailable",
                503,
                "Redis cannot be reached",
                "Try again after the time that Retry-After names. Whether the change was made is \
                 unknown: repeat it with the same Idempotency-Key.",
            ),
            Self::StoreFull => (
                "store_full",
                503,
                "Redis is full",
                "Nothing was done. Reading works, and so does what frees memory. The operator gives \
                 Redis more memory (maxmemory), or removes what is not needed.",
            ),
            Self::Overloaded => (
                "overloaded",
                503,
                "Too many requests are under way",
                "Nothing was done. Try again after the time that Retry-After names.",
            ),
        }
    }
}

/// An error on its way to a caller.
#[derive(Debug, Clone)]
pub struct Problem {
    /// What went wrong.
    pub code: Code,
    /// One plain sentence. Never a stack, a text of Redis or a key.
    pub detail: String,
    /// Which fields.
    pub errors: Vec<FieldError>,
    /// Headers beside the content type.
    pub headers: Vec<(&'static str, String)>,
    /// Members that old clients expect beside the standard ones, in order.
    pub members: Vec<(&'static str, Value)>,
    /// For the log, never for the caller.
    pub internal: Option<Box<str>>,
}

impl Problem {
    /// A problem with a sentence.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let headers = match code {
            Code::Unauthenticated => vec![("www-authenticate", "Bearer".to_owned())],
            Code::StoreUnavailable | Code::Overloaded => vec![("retry-after", "1".to_owned())],
            Code::StoreFull => vec![("retry-after", "10".to_owned())],
            _ => Vec::new(),
        };
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            headers,
            members: Vec::new(),
            internal: None,
        }
    }

    /// A problem with fields; the sentence is made of them.
    #[must_use]
    pub fn fields(code: Code, invalid: &Invalid) -> Self {
        Self { errors: invalid.errors().to_vec(), ..Self::new(code, invalid.to_string()) }
    }

    /// One field of a body or path that breaks a rule.
    #[must_use]
    pub fn field(field: &str, message: &str) -> Self {
        Self::fields(Code::ValidationFailed, &Invalid::one(field, message))
    }

    /// A query parameter or header that cannot be read.
    #[must_use]
    pub fn parameter(name: &str, message: &str) -> Self {
        Self::fields(Code::InvalidParameter, &Invalid::one(name, message))
    }

    /// There is no such node.
    #[must_use]
    pub fn unknown_node(node_id: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no node {node_id}."))
    }

    /// The node has registered anew since the incarnation that a request names.
    #[must_use]
    pub fn replaced_node(node_id: &str) -> Self {
        let detail = format!("The node {node_id} has registered again since this incarnation.");
        Self::new(Code::Fenced, detail)
    }

    /// The resource belongs to somebody else.
    #[must_use]
    pub fn foreign(what: &str) -> Self {
        Self::new(Code::Forbidden, format!("This {what} belongs to somebody else."))
    }

    /// An agent has as much of something as it may; `name` is a quota's.
    #[must_use]
    pub fn over_quota(name: &str, bound: &str) -> Self {
        let what = quota::find(name).map_or("of this", |quota| quota.what);
        Self::new(
            Code::QuotaExceeded,
            format!(
                "One agent may have {bound} {what}, and this would be more. The variable {name} sets it."
            ),
        )
    }

    /// A key has asked for more than it may (`api.md` §1).
    #[must_use]
    pub fn rate_limited(group: &str, rate: RateLimit) -> Self {
        let seconds = (rate.wait_ms.max(1) - 1) / 1000 + 1;
        let detail = format!("This agent may send {} requests a second to {group}.", rate.limit);
        Self::new(Code::RateLimited, detail).with("retry-after", seconds.to_string())
    }

    /// The body is larger than the route takes.
    #[must_use]
    pub fn too_large(body_max: usize) -> Self {
        let detail = format!("The body must not be larger than {body_max} bytes.");
        Self::new(Code::PayloadTooLarge, detail)
    }

    /// The body stopped coming.
    #[must_use]
    pub fn body_timeout() -> Self {
        Self::new(Code::RequestTimeout, "The body did not come in time.")
    }

    /// A fault of ours; what it is goes into the log.
    #[must_use]
    pub fn internal(internal: impl Into<String>) -> Self {
        let detail = "The hub has met a fault of its own. The log has the details.";
        Self { internal: Some(internal.into().into()), ..Self::new(Code::Internal, detail) }
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The answer.
    #[must_use]
    pub fn into_response(self, request_id: &str) -> Response {
        let body = Body {
            kind: format!("/problems/{}", self.code.as_str()),
            title: self.code.title(),
            status: self.code.status(),
            detail: &self.detail,
            code: self.code.as_str(),
            request_id,
            errors: &self.errors,
            members: &self.members,
        };
        let response = Response::with_json(self.code.status(), "application/problem+json", &body);
        self.headers
            .into_iter()
            .fold(response, |response, (name, value)| response.with(name, value))
    }
}

#[derive(serde::Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    #[serde(flatten, serialize_with = "members_in_order")]
    members: &'a [(&'static str, Value)],
}

fn members_in_order<S: Serializer>(
    members: &[(&'static str, Value)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(members.len()))?;
    for (name, value) in members {
        map.serialize_entry(name, value)?;
    }
    map.end()
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        Self::fields(Code::ValidationFailed, &invalid)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        use reef_store::RedisError;
        match error {
            StoreError::IdempotencyMismatch => Self::new(
                Code::IdempotencyMismatch,
                "This Idempotency-Key was used for another request.",
            ),
            StoreError::Redis(RedisError::NotAllowed) => Self {
                internal: Some("the manifest does not allow the address in redis_url".into()),
                ..Self::new(
                    Code::StoreUnavailable,
                    "The components may not connect to the address in redis_url. Set the variable \
                     redis_allow to the same without user, password and path.",
                )
            },
            StoreError::Altered => Self {
                internal: Some("the ledger was altered: see `reef ledger verify`".into()),
                ..Self::new(
                    Code::Conflict,
                    "What this would move is not what the journal says of it. Nothing was moved; \
                     whoever runs the hub is told.",
                )
            },
            StoreError::Quota { name, bound } => Self::over_quota(&name, &bound),
            StoreError::Redis(RedisError::Full(text)) => Self {
                internal: Some(text.into()),
                ..Self::new(
                    Code::StoreFull,
                    "All the memory that Redis may use is in use. Nothing was written.",
                )
            },
            StoreError::Redis(RedisError::Unavailable(text)) => Self {
                internal: Some(text.into()),
                ..Self::new(Code::StoreUnavailable, "Redis cannot be reached or does not answer.")
            },
            other => Self::internal(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_read_back() {
        for code in Code::ALL {
            assert_eq!(Code::parse(code.as_str()), Some(code));
            assert!((400..600).contains(&code.status()));
        }
    }

    #[test]
    fn a_problem_names_its_field_and_nothing_internal() {
        let problem = Problem {
            internal: Some("secret".into()),
            ..Problem::field("cpu_usage", "must be between 0 and 100")
        };
        let response = problem.into_response("req-1");
        assert_eq!(response.status, 422);
        let text = String::from_utf8(response.body).unwrap();
        assert_eq!(
            text,
            r#"{"type":"/problems/validation_failed","title":"A field breaks a rule","status":422,"detail":"cpu_usage: must be between 0 and 100","code":"validation_failed","request_id":"req-1","errors":[{"field":"cpu_usage","message":"must be between 0 and 100"}]}"#
        );
    }
}
