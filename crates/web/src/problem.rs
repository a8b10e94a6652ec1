//! Errors as `application/problem+json` (RFC 9457, `contract.md` §1).

use reef_api::problem::FieldError;
use reef_api::{NodeId, Word};
use reef_domain::Invalid;
use reef_store::{StoreError, quota};
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;

use crate::auth::unknown_key;
use crate::http::Response;
use crate::rate::RateLimit;

pub use reef_api::Code;

/// An error on its way to a caller.
#[derive(Debug, Clone)]
pub struct Problem {
    /// What went wrong.
    pub code: Code,
    /// One plain sentence. Never a stack, a text of Redis or a key.
    pub detail: String,
    pub errors: Vec<FieldError>,
    /// Headers beside the content type.
    pub headers: Vec<(&'static str, String)>,
    /// Members that old clients expect beside the standard ones, in order.
    pub members: Vec<(&'static str, Value)>,
    /// For the log, never for the caller.
    pub internal: Option<Box<str>>,
}

impl Problem {
    /// The same of a part of the body: `prefix` comes before the name of each field.
    #[must_use]
    pub fn within(mut self, prefix: &str) -> Self {
        if self.errors.is_empty() {
            return self;
        }
        for error in &mut self.errors {
            error.field.insert_str(0, prefix);
        }
        let said = self.errors.iter().map(|error| format!("{}: {}", error.field, error.message));
        self.detail = said.collect::<Vec<_>>().join("; ");
        self
    }

    /// A problem with a sentence.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let headers = match code {
            Code::Unauthenticated => vec![("www-authenticate", "Bearer".to_owned())],
            Code::StoreUnavailable
            | Code::StoreResharding
            | Code::Overloaded
            | Code::HubUnavailable
            | Code::DurabilityNotReached => {
                vec![("retry-after", "1".to_owned())]
            }
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
    pub fn unknown_node(node_id: &NodeId) -> Self {
        Self::new(Code::NotFound, format!("There is no node {node_id}."))
    }

    /// The node has registered anew since the incarnation that a request names.
    #[must_use]
    pub fn replaced_node(node_id: &NodeId) -> Self {
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
        let what = quota::what(name).unwrap_or("of this");
        Self::new(
            Code::QuotaExceeded,
            format!(
                "One agent may have {bound} {what}, and this would be more. The variable {name} sets it."
            ),
        )
    }

    /// A key has asked for more than it may (`contract.md` §1).
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
            kind: format!("/problems/{}", self.code),
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
            StoreError::NotAdmitted => unknown_key(),
            StoreError::Quota { name, bound } => Self::over_quota(&name, &bound),
            StoreError::Redis(RedisError::Full(text)) => Self {
                internal: Some(text.into()),
                ..Self::new(
                    Code::StoreFull,
                    "All the memory that Redis may use is in use. Nothing was written.",
                )
            },
            StoreError::Redis(RedisError::Resharding(text)) => Self {
                internal: Some(text.into()),
                ..Self::new(
                    Code::StoreResharding,
                    "Redis moves these keys to another node at the moment; nothing was done.",
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
