//! What an answer says that is no success: the codes of problems, and fields that break a rule.

use serde::{Deserialize, Serialize};

/// A code's line: its name in Rust and on the wire, the status code, a title that is the same for
/// every problem of the code, and what a caller can do about it.
macro_rules! codes {
    ($($code:ident = $name:literal, $status:literal, $title:literal, $advice:literal;)*) => {
        crate::word::words! {
            /// What went wrong, as a caller's program tells it apart (`contract.md` §1).
            Code {
                $(#[doc = $title] $code = $name,)*
            }
        }

        impl Code {
            /// The status code.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$code => $status,)* }
            }

            /// A short title, the same for every problem of this code.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$code => $title,)* }
            }

            /// What a caller can do about it.
            #[must_use]
            pub fn advice(self) -> &'static str {
                match self { $(Self::$code => $advice,)* }
            }
        }
    };
}

codes! {
    MalformedRequest = "malformed_request", 400, "The request cannot be read",
        "Send HTTP/1.1 with one Host header and a body that is as long, or chunked, as the \
         headers say.";
    MalformedJson = "malformed_json", 400, "The body is not JSON",
        "Send one JSON value in UTF-8. The detail says where reading it failed.";
    InvalidParameter = "invalid_parameter", 400, "A parameter cannot be read",
        "Look at errors: it names the query parameter or header and what it accepts.";
    InvalidRegistration = "invalid_registration", 400, "The registration was refused",
        "Look at errors: a hostname must not be blank, platform is macos, windows or linux, \
         arch is x64, arm64, x86 or arm, and a node has at least one skill.";
    InsufficientBalance = "insufficient_balance", 400, "There is not enough money",
        "Look at the available balance: what is held for intents and holds does not count.";
    Unauthenticated = "unauthenticated", 401, "A key is needed",
        "Send Authorization: Bearer <key> or X-API-Key: <key>. The admin key of a local hub \
         lies in .reef/admin.key.";
    Forbidden = "forbidden", 403, "This key may not do that",
        "Use a key of the owner, or one with the scope that the detail names. A page of another \
         origin may change nothing unless cors_origins names it.";
    ActRequired = "act_required", 403, "This page may only read",
        "Nothing was done. Give the page the right to act: POST /ui/act with the key again. It lasts an \
         hour, is renewed by use, and ends after twelve.";
    NotFound = "not_found", 404, "There is no such thing",
        "Check the path and the id. A node that the hub has forgotten registers again.";
    MethodNotAllowed = "method_not_allowed", 405, "This path has other methods",
        "The Allow header lists them.";
    RequestTimeout = "request_timeout", 408, "The body did not come",
        "Nothing was done. Send the whole body without a pause of seconds.";
    Conflict = "conflict", 409, "The state does not allow it",
        "Read the resource again and decide anew.";
    Fenced = "fenced", 409, "The token is stale",
        "Somebody else took over in the meantime, and nothing was changed. Stop what the token \
         stood for; a node registers again, a leader campaigns again.";
    InProgress = "in_progress", 409, "The same request is under way",
        "Wait for its answer, then repeat the request with the same Idempotency-Key.";
    InboxFull = "inbox_full", 409, "The inbox is full",
        "Nothing was dropped. Try again once the agent has acknowledged some messages.";
    SignalsFull = "signals_full", 409, "The task has too many signals",
        "Nothing was dropped. Try again once the task has taken some.";
    QuotaExceeded = "quota_exceeded", 409, "An agent may not have more of it",
        "Nothing was done. Let go of some first: the detail says of what, how much one agent \
         may have, and which variable of the hub sets it.";
    BudgetExhausted = "budget_exhausted", 409, "A budget is used up",
        "Nothing was done. Whoever has set the budget raises it (PUT /api/v1/budgets/{scope}/{id}), or its \
         next day or month begins.";
    PayloadTooLarge = "payload_too_large", 413, "The body is too large",
        "Send at most 1 MiB, a content block at most 8 MiB; split batches.";
    UnsupportedMediaType = "unsupported_media_type", 415, "The body is not JSON",
        "Send Content-Type: application/json, or none, and no Content-Encoding.";
    Misdirected = "misdirected", 421, "The hub has another name",
        "Call the hub by localhost or its address, or have the operator set the variable \
         allowed_hosts to the name.";
    ValidationFailed = "validation_failed", 422, "A field breaks a rule",
        "Look at errors: it names each field and what it accepts.";
    IdempotencyMismatch = "idempotency_mismatch", 422, "The idempotency key was used before",
        "A repeat must say the same: the order of fields and white space do not matter. Use a \
         new key for a new request.";
    RateLimited = "rate_limited", 429, "Too many requests",
        "Try again after the time that Retry-After names.";
    Internal = "internal", 500, "A fault of the hub",
        "Tell the operator the request_id: the details are in the log under it.";
    HubUnavailable = "hub_unavailable", 502, "The hub behind this monitor gives no answer",
        "Whether the change was made is unknown: repeat it with the same Idempotency-Key after the time \
         that Retry-After names. The operator looks whether the hub runs that --hub-url names.";
    DeadlineExceeded = "deadline_exceeded", 504, "That took too long",
        "Try again. Tell the operator the request_id if it stays so.";
    StoreUnavailable = "store_unavailable", 503, "Redis cannot be reached",
        "Try again after the time that Retry-After names. Whether the change was made is \
         unknown: repeat it with the same Idempotency-Key.";
    StoreFull = "store_full", 503, "Redis is full",
        "Nothing was done. Reading works, and so does what frees memory. The operator gives \
         Redis more memory (maxmemory), or removes what is not needed.";
    StoreResharding = "store_resharding", 503, "Redis moves these keys",
        "Nothing was done. Try again after the time that Retry-After names: part of the keys is on \
         its way to another node of the Redis Cluster.";
    DurabilityNotReached = "durability_not_reached", 503, "The write is not as safe as was asked",
        "The change is made. Repeat the request with the same Idempotency-Key: the first answer \
         comes again, and is waited for anew. GET /api/v1/cluster/durability says what the hub's \
         store can give.";
    Overloaded = "overloaded", 503, "Too many requests are under way",
        "Nothing was done. Try again after the time that Retry-After names.";
}

/// A field that breaks a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FieldError {
    /// The field as the caller wrote it: `cpu_usage`, `available_skills[2]`.
    pub field: String,
    /// One sentence for a person: what would have been accepted.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::word::Word;

    #[test]
    fn names_are_distinct_and_read_back() {
        for &code in Code::ALL {
            assert_eq!(Code::parse(code.as_str()), Some(code));
            assert!((400..600).contains(&code.status()));
        }
    }
}
