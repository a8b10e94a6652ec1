//! The link by which a browser signs in to the page without a key being typed: good once, and for a
//! minute.
//!
//! Its code stands in the address's fragment, which browsers send to nobody and the page takes away
//! at once, and is exchanged for a cookie by `POST /ui/session`, where it stands in a key's place.
//! Redis keeps its SHA-256 and which key it is for, so that any host takes a link of any other.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use reef_redis::Connection;
use reef_store::Store;
use reef_store::sign_in_link::{Make, Take, Taken};
use reef_web::once::digest_of;
use reef_web::{Code, Problem};

use super::ui_session::Holder;

/// Where links are made.
pub(super) const PATH: &str = "/ui/sign-in-links";
/// How long a link is good: to open it, and not to find it later.
pub(crate) const LIFETIME: Duration = Duration::from_secs(60);

const PREFIX: &str = "reef_link_";
/// Where the code stands in the page's address; `ui/access.js` reads it.
const FRAGMENT: &str = "#sign-in=";
/// What to do about a link that is good no more.
const ANOTHER: &str = "Make another on the hub's machine: `reef page --sign-in-link`.";

/// Makes the code of a link for a key.
///
/// # Errors
/// The problem to answer with.
pub(super) async fn make(store: &Store<Connection>, holder: &Holder) -> Result<String, Problem> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| Problem::internal(error.to_string()))?;
    let Holder { key_id, digest } = holder;
    let code = format!("{PREFIX}{key_id}.{}", URL_SAFE_NO_PAD.encode(random));
    let life_ms = i64::try_from(LIFETIME.as_millis()).unwrap_or(i64::MAX);
    let made = Make { key_id, digest, code: &digest_of(&code), life_ms };
    store.call(&made).await?;
    Ok(code)
}

/// The code that a request brings in a key's place.
pub(super) fn code_of(headers: &HeaderMap) -> Option<&str> {
    let (scheme, code) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let code = code.trim();
    (scheme.eq_ignore_ascii_case("bearer") && code.starts_with(PREFIX)).then_some(code)
}

/// Whose key a code signs in with. It is used up by that.
///
/// # Errors
/// The problem to answer with; its words say what to do.
pub(super) async fn take(store: &Store<Connection>, code: &str) -> Result<Holder, Problem> {
    let unknown = || refused("This sign-in link is not known, or another was made since.");
    let rest = code.strip_prefix(PREFIX).and_then(|rest| rest.rsplit_once('.'));
    let (key_id, _) = rest.ok_or_else(unknown)?;
    // What is no key's id has no business in the name of a key of Redis.
    let is_plain = key_id.len() <= 64
        && key_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if !is_plain {
        return Err(unknown());
    }
    match store.call(&Take { key_id, code: &digest_of(code) }).await? {
        Taken::Ok { digest } => Ok(Holder { key_id: key_id.into(), digest }),
        Taken::Used => Err(refused("This sign-in link has been used: it is good once.")),
        Taken::Expired => Err(refused("This sign-in link was good for a minute, which is over.")),
        Taken::Unknown => Err(unknown()),
    }
}

fn refused(why: &str) -> Problem {
    Problem::new(Code::Unauthenticated, format!("{why} {ANOTHER}"))
}

/// The link with this code, to a page at this address.
pub(crate) fn link(page: &str, code: &str) -> String {
    format!("{page}{FRAGMENT}{code}")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_code_is_told_from_a_key() {
        let headers = |value: &'static str| {
            HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(value))])
        };
        assert_eq!(code_of(&headers("bearer reef_link_admin.x")), Some("reef_link_admin.x"));
        for other in ["Bearer reef_0123abcd_x", "Basic reef_link_admin.x", "reef_link_admin.x"] {
            assert_eq!(code_of(&headers(other)), None, "{other}");
        }
        // Nothing of it is sent to a server.
        let link = link("http://127.0.0.1:8888/", "reef_link_admin.x");
        assert_eq!(url::Url::parse(&link).unwrap().fragment(), Some("sign-in=reef_link_admin.x"));
    }
}
