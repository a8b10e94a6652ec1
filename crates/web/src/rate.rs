//! What a caller may still ask for.

use crate::http::Response;

/// What a key may still ask for, as the `RateLimit` headers say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests a second.
    pub limit: i64,
    /// Requests that may follow at once.
    pub left: i64,
    /// Milliseconds to wait; 0 for a request that was let through.
    pub wait_ms: i64,
}

impl RateLimit {
    /// Adds the headers (draft-ietf-httpapi-ratelimit-headers, and the single ones of its earlier
    /// versions, which more clients know).
    #[must_use]
    pub fn tell(self, response: Response) -> Response {
        let Self { limit, left, .. } = self;
        response
            .with("ratelimit-policy", format!("\"key\";q={limit};w=1"))
            .with("ratelimit", format!("\"key\";r={left};t=1"))
            .with("ratelimit-limit", limit.to_string())
            .with("ratelimit-remaining", left.to_string())
            .with("ratelimit-reset", "1")
    }
}
