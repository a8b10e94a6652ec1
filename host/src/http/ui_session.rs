//! The cookie by which a browser page reads: `EventSource` cannot send a key.
//!
//! `POST /ui/session` with a key sets it, `DELETE /ui/session` takes it away. It says until when
//! it is good, and proves by a code that only the holder of the key could make, so that any host
//! with the same key accepts it, none has to remember it, and the key cannot be had from it. It is
//! good for reading only, and not sent by requests that other sites cause.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use http::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, COOKIE, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use reef_web::auth::{Caller, authenticate};
use reef_web::{Code, Config, Problem};
use serde_json::json;
use sha2::Sha256;

use super::{Answer, problem, streams, whole};

/// Where the cookie is set and taken away.
pub(super) const PATH: &str = "/ui/session";
const NAME: &str = "reef_session";
const VERSION: &str = "v1";
/// How long a cookie is good: a working day.
const LIFETIME: Duration = Duration::from_secs(12 * 3600);

/// Makes and reads the cookies.
#[derive(Debug)]
pub(crate) struct UiSessions {
    config: Config,
}

impl UiSessions {
    /// Under the settings that say which key is good.
    pub(crate) fn new(config: Config) -> Self {
        Self { config }
    }

    /// Answers a request for [`PATH`].
    pub(super) fn answer(&self, parts: &Parts, request_id: &str) -> Answer {
        let made = match parts.method {
            Method::POST => self.make(parts),
            Method::DELETE => Ok((String::new(), Duration::ZERO)),
            _ => {
                let problem = Problem::new(
                    Code::MethodNotAllowed,
                    "A session is made by POST and ended by DELETE.",
                );
                let mut answer = problem::answer(problem, request_id);
                answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST, DELETE"));
                return answer;
            }
        };
        match made.and_then(|(token, lifetime)| cookie(parts, &token, lifetime)) {
            Ok((cookie, body)) => {
                let mut answer = whole(StatusCode::OK, "application/json", body);
                answer.headers_mut().insert(SET_COOKIE, cookie);
                answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
                answer
            }
            Err(problem) => problem::answer(problem, request_id),
        }
    }

    fn make(&self, parts: &Parts) -> Result<(String, Duration), Problem> {
        match (authenticate(&streams::plain(parts), &self.config)?, &self.config.admin_key) {
            (Caller::Admin, Some(key)) => Ok((token(key, now() + LIFETIME.as_secs()), LIFETIME)),
            (Caller::Admin | Caller::Anonymous, _) => Err(Problem::new(
                Code::Unauthenticated,
                "Send the key for which the session is wanted: Authorization: Bearer <key>.",
            )),
        }
    }

    /// Turns a good cookie into the key that it stands for, for a request that reads and brings
    /// no key of its own. The cookie itself goes no further in any case.
    pub(super) fn settle(&self, method: &Method, headers: &mut HeaderMap) {
        let Some(token) = take(headers) else { return };
        let reads = matches!(*method, Method::GET | Method::HEAD);
        if !reads || headers.contains_key(AUTHORIZATION) || headers.contains_key("x-api-key") {
            return;
        }
        if let Some(key) = &self.config.admin_key
            && is_good(key, &token, now())
            && let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {key}"))
        {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
    }
}

/// `Set-Cookie`, and what the page learns.
fn cookie(
    parts: &Parts,
    token: &str,
    lifetime: Duration,
) -> Result<(HeaderValue, String), Problem> {
    let seconds = lifetime.as_secs();
    // Whoever ends TLS in front of us says so; a browser would not send such a cookie over HTTP.
    let is_https = parts.headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
    let secure = if is_https { "; Secure" } else { "" };
    let text =
        format!("{NAME}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    let value =
        HeaderValue::from_str(&text).map_err(|error| Problem::internal(error.to_string()))?;
    Ok((value, json!({ "success": true, "expires_in": seconds }).to_string()))
}

/// `v1.<expiry in seconds since 1970>.<code>`
fn token(key: &str, expires: u64) -> String {
    let code = mac(key, expires).map(|mac| mac.finalize().into_bytes());
    let code = code.map(|code| URL_SAFE_NO_PAD.encode(code)).unwrap_or_default();
    format!("{VERSION}.{expires}.{code}")
}

fn is_good(key: &str, token: &str, now: u64) -> bool {
    let mut parts = token.splitn(3, '.');
    let (Some(VERSION), Some(expires), Some(code)) = (parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let (Ok(expires), Ok(code)) = (expires.parse::<u64>(), URL_SAFE_NO_PAD.decode(code)) else {
        return false;
    };
    let is_ours = mac(key, expires).is_some_and(|mac| mac.verify_slice(&code).is_ok());
    is_ours && now < expires && expires <= now + LIFETIME.as_secs()
}

fn mac(key: &str, expires: u64) -> Option<Hmac<Sha256>> {
    // A key of any length will do, so that this never fails.
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()?;
    mac.update(format!("reef ui session {VERSION} {expires}").as_bytes());
    Some(mac)
}

/// The host's clock: a browser's cookie is the one thing that it decides about.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Takes our cookie out of the headers and leaves those of others.
fn take(headers: &mut HeaderMap) -> Option<String> {
    let all: Vec<&str> = headers.get_all(COOKIE).iter().filter_map(|v| v.to_str().ok()).collect();
    let all = all.join("; ");
    let (ours, others): (Vec<&str>, Vec<&str>) = all
        .split(';')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .partition(|pair| pair.split('=').next() == Some(NAME));
    let token = ours.first()?.split_once('=')?.1.to_owned();
    headers.remove(COOKIE);
    if let (false, Ok(rest)) = (others.is_empty(), HeaderValue::from_str(&others.join("; "))) {
        headers.insert(COOKIE, rest);
    }
    Some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions() -> UiSessions {
        let get = |name: &str| if name == "admin_key" { "reef_k".into() } else { String::new() };
        UiSessions::new(Config::read(get).unwrap())
    }

    fn parts(method: Method, headers: &[(&'static str, &str)]) -> Parts {
        let mut request = http::Request::new(());
        *request.method_mut() = method;
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
        }
        request.into_parts().0
    }

    #[test]
    fn a_token_is_good_for_its_key_and_time() {
        let good = token("k", 1000);
        assert!(is_good("k", &good, 999) && !is_good("k", &good, 1000));
        assert!(!is_good("other", &good, 999));
        let longer = good.replace("1000", "2000");
        let forged = [longer.as_str(), "v1.1000.", "v1..", "", "v2.1000.x", "v1.1000"];
        assert!(forged.iter().all(|token| !is_good("k", token, 999)));
        assert!(!is_good("k", &token("k", u64::MAX), 999));
        assert!(!good.contains("reef_"));
    }

    #[test]
    fn a_key_becomes_a_cookie_that_reads() {
        let made = sessions().answer(&parts(Method::POST, &[("x-api-key", "reef_k")]), "r");
        assert_eq!(made.status(), StatusCode::OK);
        let cookie = made.headers()[SET_COOKIE].to_str().unwrap().to_owned();
        assert!(cookie.contains("; HttpOnly; SameSite=Strict; Max-Age=43200"), "{cookie}");
        assert!(!cookie.contains("reef_k;") && !cookie.contains("Secure"));
        let pair = format!("a=b; {}", cookie.split(';').next().unwrap());

        let mut reads = parts(Method::GET, &[("cookie", &pair)]).headers;
        sessions().settle(&Method::GET, &mut reads);
        assert_eq!(
            (&reads[AUTHORIZATION], &reads[COOKIE]),
            (&"Bearer reef_k".parse().unwrap(), &"a=b".parse().unwrap())
        );

        let mut writes = parts(Method::POST, &[("cookie", &pair)]).headers;
        sessions().settle(&Method::POST, &mut writes);
        assert!(!writes.contains_key(AUTHORIZATION));

        let own = [("cookie", pair.as_str()), ("authorization", "Bearer x")];
        let mut own = parts(Method::GET, &own).headers;
        sessions().settle(&Method::GET, &mut own);
        assert_eq!(own[AUTHORIZATION], "Bearer x");
    }

    #[test]
    fn without_a_good_key_there_is_no_cookie() {
        for (method, headers, status) in [
            (Method::POST, &[][..], 401),
            (Method::POST, &[("x-api-key", "reef_x")][..], 401),
            (Method::GET, &[("x-api-key", "reef_k")][..], 405),
        ] {
            let answer = sessions().answer(&parts(method, headers), "r");
            assert_eq!(answer.status(), status);
            assert!(!answer.headers().contains_key(SET_COOKIE));
        }
    }

    #[test]
    fn a_session_can_be_ended_and_tls_is_minded() {
        let asked = parts(Method::DELETE, &[("x-forwarded-proto", "https")]);
        let ended = sessions().answer(&asked, "r");
        let cookie = ended.headers()[SET_COOKIE].to_str().unwrap();
        assert!(cookie.starts_with("reef_session=;") && cookie.ends_with("Max-Age=0; Secure"));
    }
}
