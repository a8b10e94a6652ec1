//! What browsers are told about pages of other origins: by components and by the host alike.

use crate::config::Config;

/// A header of an answer.
pub type Header = (&'static str, String);

/// The origin of a browser's request, if the settings allow it to read.
#[must_use]
pub fn allowed_origin<'a>(config: &Config, origin: Option<&'a str>) -> Option<&'a str> {
    let allowed = &config.cors_origins;
    origin.filter(|origin| allowed.iter().any(|one| one == "*" || one == origin))
}

/// The headers of the answer (a 204) to a browser's question whether it may send a request; `None`
/// where nothing of the kind was asked, or it may not.
#[must_use]
pub fn preflight(
    config: &Config,
    method: &str,
    origin: Option<&str>,
    asked_method: Option<&str>,
) -> Option<Vec<Header>> {
    if method != "OPTIONS" || asked_method.is_none_or(str::is_empty) {
        return None;
    }
    allowed_origin(config, origin)?;
    let mut headers = vec![
        ("access-control-allow-methods", "GET, POST, PUT, PATCH, DELETE".to_owned()),
        (
            "access-control-allow-headers",
            "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Prefer, Reef-Reason, Reef-Via, X-API-Key, \
             X-Claim-Token, X-Request-Id"
                .to_owned(),
        ),
        ("access-control-max-age", "600".to_owned()),
    ];
    headers.extend(self::headers(config, origin));
    Some(headers)
}

/// The headers that let a page of an allowed origin read an answer.
#[must_use]
pub fn headers(config: &Config, origin: Option<&str>) -> Vec<Header> {
    if config.cors_origins.is_empty() {
        return Vec::new();
    }
    // Also for other origins, lest a cache serves their answer to an allowed one.
    let mut headers = vec![("vary", "Origin".to_owned())];
    if let Some(origin) = allowed_origin(config, origin) {
        let exposed = "Idempotent-Replayed, Link, Preference-Applied, RateLimit, Reef-Durability, Reef-Pending, \
             Reef-Scanned, Retry-After, X-Request-Id";
        headers.push(("access-control-allow-origin", origin.to_owned()));
        headers.push(("access-control-expose-headers", exposed.to_owned()));
    }
    headers
}
