//! The cookie by which a browser page reads: `EventSource` cannot send a key.
//!
//! `POST /ui/session` with a key, or with the code of a [sign-in link](sign_in_link), sets it,
//! `DELETE /ui/session` takes it away. It says until when
//! it is good and with which key it was made, and proves so by a code that only the holder of the
//! admin key could make: any host with the same admin key accepts it, none has to remember it, and
//! the key cannot be had from it. It is good for reading only, as long as its key is, and not sent
//! by requests that other sites cause.

use reef_api::KeyId;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use http::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, COOKIE, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use reef_redis::Connection;
use reef_store::Store;
use reef_web::auth::{Access, Caller};
use reef_web::stand_in::Kind;
use reef_web::{Code, Config, Problem};
use serde_json::json;
use sha2::Sha256;

use super::client::{bearer, credential, has_key};
use super::sign_in_link;
use super::streams::plain;
use super::{Answer, problem, whole};
use crate::sse::EventStreams;

/// Where the cookie is set and taken away.
pub(super) const PATH: &str = "/ui/session";
const NAME: &str = "reef_session";
const VERSION: &str = "v2";
/// In place of a key's id, for the admin key.
const ADMIN: &str = "admin";
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
    pub(super) async fn answer(
        &self,
        streams: &EventStreams,
        parts: &Parts,
        is_tls: bool,
        request_id: &str,
    ) -> Answer {
        let made = match parts.method {
            Method::POST => {
                let token = self.holder(streams, parts).await;
                token.and_then(|holder| self.make(&holder, now())).map(|token| (token, LIFETIME))
            }
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
        match made.and_then(|(token, lifetime)| cookie(parts, is_tls, &token, lifetime)) {
            Ok((cookie, body)) => {
                let mut answer = whole(StatusCode::OK, "application/json", body);
                answer.headers_mut().insert(SET_COOKIE, cookie);
                answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
                answer
            }
            Err(problem) => problem::answer(problem, request_id),
        }
    }

    /// Answers a request for [`sign_in_link::PATH`]: with the code of a link for whoever calls.
    pub(super) async fn answer_link(
        &self,
        streams: &EventStreams,
        parts: &Parts,
        request_id: &str,
    ) -> Answer {
        if parts.method != Method::POST {
            let problem = Problem::new(Code::MethodNotAllowed, "A sign-in link is made by POST.");
            let mut answer = problem::answer(problem, request_id);
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return answer;
        }
        match self.make_link(streams, parts).await {
            Ok(code) => {
                let seconds = sign_in_link::LIFETIME.as_secs();
                let body = json!({ "success": true, "code": code, "expires_in": seconds });
                whole(StatusCode::OK, "application/json", body.to_string())
            }
            Err(problem) => problem::answer(problem, request_id),
        }
    }

    async fn make_link(&self, streams: &EventStreams, parts: &Parts) -> Result<String, Problem> {
        let caller = streams.identify(&plain(parts)).await?;
        caller.authorize(Access::Read, self.config.auth_mode)?;
        let holder = Holder::of(&caller)?;
        // So that whoever asks hears it, and not whoever opens the link.
        self.secret()?;
        sign_in_link::make(streams.store(), &holder).await
    }

    /// Whose session a request asks for.
    async fn holder(&self, streams: &EventStreams, parts: &Parts) -> Result<Holder, Problem> {
        match sign_in_link::code_of(&parts.headers) {
            Some(code) => sign_in_link::take(streams.store(), code).await,
            None => Holder::of(&streams.identify(&plain(parts)).await?),
        }
    }

    /// The token of a session with a key.
    fn make(&self, holder: &Holder, now: u64) -> Result<String, Problem> {
        Ok(token(self.secret()?, holder, now + LIFETIME.as_secs()))
    }

    fn secret(&self) -> Result<&str, Problem> {
        self.config.admin_key.as_deref().ok_or_else(|| {
            Problem::new(
                Code::Conflict,
                "This hub has no admin key, by which it could sign the sessions of browsers. Set \
                 the variable admin_key.",
            )
        })
    }

    /// Turns a good cookie into what stands for its key, for a request that reads and brings no
    /// key of its own, and says how long it stays good. The cookie itself goes no further in any
    /// case.
    pub(super) fn settle(&self, method: &Method, headers: &mut HeaderMap) -> Option<Duration> {
        let token = take(headers)?;
        let reads = matches!(*method, Method::GET | Method::HEAD);
        if !reads || has_key(headers) {
            return None;
        }
        let secret = self.config.admin_key.as_ref()?;
        let now = now();
        let Holder { key_id, digest } = holder_of(secret, &token, now)?;
        let expires: u64 = token.split('.').nth(1)?.parse().ok()?;
        let credential = match key_id.as_str() {
            ADMIN => bearer(secret),
            _ => credential(Kind::Cookie, secret, &key_id, &digest),
        };
        headers.insert(AUTHORIZATION, credential?);
        Some(Duration::from_secs(expires.saturating_sub(now)))
    }
}

/// Whose key a session was made with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Holder {
    /// The key's id, or [`ADMIN`].
    pub(super) key_id: KeyId,
    /// SHA-256 of the key; the admin's is not needed.
    pub(super) digest: String,
}

impl Holder {
    /// Whoever holds the admin key.
    fn admin() -> Self {
        Self { key_id: ADMIN.into(), digest: String::new() }
    }

    fn of(caller: &Caller) -> Result<Self, Problem> {
        match caller {
            Caller::Admin => Ok(Self::admin()),
            Caller::Agent(agent) => {
                Ok(Self { key_id: agent.key_id.clone(), digest: agent.digest.clone() })
            }
            Caller::Anonymous | Caller::Invited(_) => Err(Problem::new(
                Code::Unauthenticated,
                "Send the key for which the session is wanted: Authorization: Bearer <key>.",
            )),
        }
    }
}

/// Makes a sign-in link for the admin, to a page at this address.
///
/// # Errors
/// Why there is none, in one sentence.
pub(crate) async fn admin_link(store: &Store<Connection>, page: &str) -> Result<String, String> {
    let made = sign_in_link::make(store, &Holder::admin()).await;
    made.map(|code| sign_in_link::link(page, &code)).map_err(|problem| problem.detail)
}

/// `Set-Cookie`, and what the page learns.
fn cookie(
    parts: &Parts,
    is_tls: bool,
    token: &str,
    lifetime: Duration,
) -> Result<(HeaderValue, String), Problem> {
    let seconds = lifetime.as_secs();
    // Whoever ends TLS in front of us says so; a browser would not send such a cookie over HTTP.
    let is_https =
        is_tls || parts.headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
    let secure = if is_https { "; Secure" } else { "" };
    let text =
        format!("{NAME}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    let value =
        HeaderValue::from_str(&text).map_err(|error| Problem::internal(error.to_string()))?;
    Ok((value, json!({ "success": true, "expires_in": seconds }).to_string()))
}

/// `v2.<expiry in seconds since 1970>.<key id>.<digest>.<code>`
fn token(secret: &str, holder: &Holder, expires: u64) -> String {
    let Holder { key_id, digest } = holder;
    let code = mac(secret, holder, expires).map(|mac| mac.finalize().into_bytes());
    let code = code.map(|code| URL_SAFE_NO_PAD.encode(code)).unwrap_or_default();
    format!("{VERSION}.{expires}.{key_id}.{digest}.{code}")
}

/// Who holds a token, while it is good.
fn holder_of(secret: &str, token: &str, now: u64) -> Option<Holder> {
    let parts: Vec<&str> = token.split('.').collect();
    let [VERSION, expires, key_id, digest, code] = parts[..] else { return None };
    let expires: u64 = expires.parse().ok()?;
    let code = URL_SAFE_NO_PAD.decode(code).ok()?;
    let holder = Holder { key_id: key_id.into(), digest: digest.to_owned() };
    mac(secret, &holder, expires)?.verify_slice(&code).ok()?;
    (now < expires && expires <= now + LIFETIME.as_secs()).then_some(holder)
}

fn mac(secret: &str, holder: &Holder, expires: u64) -> Option<Hmac<Sha256>> {
    // A key of any length will do, so that this never fails.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    let Holder { key_id, digest } = holder;
    mac.update(format!("reef ui session {VERSION} {expires} {key_id} {digest}").as_bytes());
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
    use reef_web::stand_in;

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

    fn holder(key_id: &str) -> Holder {
        Holder { key_id: key_id.into(), digest: "d1".to_owned() }
    }

    #[test]
    fn a_token_is_good_for_its_key_and_time() {
        let good = token("k", &holder("key_1"), 1000);
        assert_eq!(holder_of("k", &good, 999), Some(holder("key_1")));
        assert_eq!(holder_of("k", &good, 1000), None);
        assert_eq!(holder_of("other", &good, 999), None);
        let forged = [
            good.replace("1000", "2000"),
            good.replace("key_1", "admin"),
            good.replace("d1", "d2"),
            "v2.1000.key_1.d1.".to_owned(),
            "v2..".to_owned(),
            String::new(),
        ];
        for token in forged {
            assert_eq!(holder_of("k", &token, 999), None, "{token}");
        }
        assert_eq!(holder_of("k", &token("k", &holder("key_1"), u64::MAX), 999), None);
    }

    fn agent() -> Caller {
        Caller::Agent(reef_web::auth::Agent {
            agent_id: "alice".into(),
            key_id: "key_1".into(),
            digest: "d1".into(),
            scopes: reef_domain::access::Scopes::OF_FIRST_KEY,
            minds_owners: true,
        })
    }

    /// What a request with a session's cookie brings on.
    fn settled(caller: &Caller, method: Method, headers: &[(&'static str, &str)]) -> HeaderMap {
        let token = sessions().make(&Holder::of(caller).unwrap(), now()).unwrap();
        let pair = format!("a=b; {NAME}={token}");
        let mut headers = parts(method.clone(), headers).headers;
        headers.insert("cookie", HeaderValue::from_str(&pair).unwrap());
        sessions().settle(&method, &mut headers);
        assert_eq!(headers[COOKIE], "a=b");
        headers
    }

    #[test]
    fn a_cookie_reads_and_does_nothing_else() {
        let reads = settled(&Caller::Admin, Method::GET, &[]);
        assert_eq!(reads[AUTHORIZATION], "Bearer reef_k");
        let stand_in =
            format!("Bearer {}", stand_in::make(Kind::Cookie, "reef_k", &"key_1".into(), "d1"));
        assert_eq!(settled(&agent(), Method::GET, &[])[AUTHORIZATION], *stand_in);
        assert!(!settled(&agent(), Method::POST, &[]).contains_key(AUTHORIZATION));
        let own = settled(&agent(), Method::GET, &[("authorization", "Bearer x")]);
        assert_eq!(own[AUTHORIZATION], "Bearer x");
    }

    #[test]
    fn without_a_key_there_is_no_session() {
        let refused = Holder::of(&Caller::Anonymous).unwrap_err();
        assert_eq!(refused.code, Code::Unauthenticated);
        let unsigned = UiSessions::new(Config::read(|_| String::new()).unwrap());
        assert_eq!(unsigned.make(&Holder::admin(), 0).unwrap_err().code, Code::Conflict);
    }

    #[test]
    fn a_cookie_shows_no_key_and_minds_tls() {
        let (value, _) = cookie(&parts(Method::POST, &[]), false, "t", LIFETIME).unwrap();
        let text = value.to_str().unwrap();
        assert_eq!(text, "reef_session=t; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200");
        let tls = parts(Method::DELETE, &[("x-forwarded-proto", "https")]);
        let (ended, _) = cookie(&tls, false, "", Duration::ZERO).unwrap();
        let text = ended.to_str().unwrap();
        assert!(text.starts_with("reef_session=;") && text.ends_with("Max-Age=0; Secure"));
        let (direct, _) = cookie(&parts(Method::POST, &[]), true, "t", LIFETIME).unwrap();
        assert!(direct.to_str().unwrap().ends_with("; Secure"));
        assert!(!sessions().make(&Holder::admin(), 0).unwrap().contains("reef_k"));
    }
}
