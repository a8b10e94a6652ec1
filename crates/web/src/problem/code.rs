//! The codes of problems: name, status, title, and what a caller can do about it.

/// What went wrong, as a caller's program tells it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The request is no HTTP that can be read.
    MalformedRequest,
    /// The body is not JSON.
    MalformedJson,
    /// A query, header or path value cannot be read.
    InvalidParameter,
    /// A registration breaks a rule of `contract.md` §2.
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

    /// The name of `contract.md` §1.
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
}
