//! The cookie by which a browser page reads: `EventSource` cannot send a key.
//!
//! `POST /ui/session` with a key, or with the code of a [sign-in link](sign_in_link), sets it,
//! `DELETE /ui/session` takes it away. It says until when
//! it is good and with which key it was made, and proves so by a code that only the holder of the
//! admin key could make: any host with the same admin key accepts it, none has to remember it, and
//! the key cannot be had from it. It is good for reading only, as long as its key is, and not sent
//! by requests that other sites cause. What changes something needs [another](acting).

pub(super) mod acting;
mod cookies;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use http::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, SET_COOKIE};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use reef_api::KeyId;
use reef_api::time::UnixMillis;
use reef_redis::Connection;
use reef_store::Store;
use reef_web::auth::{Access, Caller};
use reef_web::config::AuthMode;
use reef_web::edge;
use reef_web::stand_in::{ADMIN, Kind};
use reef_web::{Code, Config, Problem};
use serde_json::json;
use sha2::Sha256;

use self::cookies::{Cookie, is_https};
use super::client::{credential, has_key};
use super::sign_in_link;
use super::streams::plain;
use super::{Answer, problem, whole};
use crate::sse::EventStreams;

pub(super) use self::cookies::Cookies;

/// Where the cookie is set and taken away.
pub(super) const PATH: &str = "/ui/session";
const VERSION: &str = "v2";
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

    /// Answers a request for [`PATH`]. Who signs in or out acts no more.
    pub(super) async fn answer(
        &self,
        streams: &EventStreams,
        parts: &Parts,
        cookies: &Cookies,
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
        let is_https = is_https(&parts.headers, is_tls);
        let set = made.and_then(|(token, lifetime)| {
            let acted = cookies.act.as_ref();
            let ended = acted.map(|_| Cookie::Act.set("", Duration::ZERO, is_https)).transpose()?;
            Ok((Cookie::Session.set(&token, lifetime, is_https)?, ended, lifetime.as_secs()))
        });
        match set {
            Ok((cookie, ended, seconds)) => {
                let body = json!({ "success": true, "expires_in": seconds }).to_string();
                let mut answer = whole(StatusCode::OK, "application/json", body);
                let headers = answer.headers_mut();
                headers.insert(SET_COOKIE, cookie);
                if let Some(ended) = ended {
                    headers.append(SET_COOKIE, ended);
                }
                headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
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

    /// Turns a page's cookie into what stands for its key, for a request that brings no key of its own:
    /// one that reads, or one that acts and may. The cookies themselves go no further in any case.
    ///
    /// # Errors
    /// 403: it would act by a cookie, and may not.
    pub(super) fn settle(&self, parts: &mut Parts, is_tls: bool) -> Result<Settled, Problem> {
        let Parts { method, uri, headers, .. } = parts;
        let is_https = is_https(headers, is_tls);
        let mut settled =
            Settled { cookies: Cookies::take(headers, is_https), leaves_in: None, renewed: None };
        if has_key(headers) {
            return Ok(settled);
        }
        if settled.cookies != Cookies::default() {
            // What a page does is said by who knows it.
            headers.remove(acting::VIA);
        }
        let session = self.session(&settled.cookies);
        if matches!(*method, Method::GET | Method::HEAD) {
            if let Some((Holder { key_id, digest }, left)) = session
                && let Some(secret) = &self.config.admin_key
                && let Some(credential) = credential(Kind::Cookie, secret, &key_id, &digest)
            {
                headers.insert(AUTHORIZATION, credential);
                settled.leaves_in = Some(left);
            }
        } else if edge::is_write(method.as_str()) && uri.path().starts_with("/api/") {
            let reads = session.is_some() && self.config.auth_mode == AuthMode::Keys;
            if Self::wants_to_act(headers, &settled.cookies, reads) {
                settled.renewed = self.act(headers, &settled.cookies, is_https)?;
            }
        }
        Ok(settled)
    }

    /// Whose session it is, and for how long.
    fn session(&self, cookies: &Cookies) -> Option<(Holder, Duration)> {
        let (token, secret) = (cookies.session.as_ref()?, self.config.admin_key.as_ref()?);
        let now = now();
        let holder = holder_of(secret, token, now)?;
        let expires: u64 = token.split('.').nth(1)?.parse().ok()?;
        Some((holder, Duration::from_secs(expires.saturating_sub(now))))
    }
}

/// What came of the cookies of a request.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) cookies: Cookies,
    /// For how long the session is good by which it reads.
    pub(super) leaves_in: Option<Duration>,
    /// What the right to act becomes by a request that is carried out.
    renewed: Option<HeaderValue>,
}

impl Settled {
    /// Renews the right to act, unless the request was refused.
    pub(super) fn renew(self, answer: &mut Answer) {
        let is_refused =
            matches!(answer.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        if let Some(cookie) = self.renewed.filter(|_| !is_refused) {
            answer.headers_mut().append(SET_COOKIE, cookie);
        }
    }
}

/// Whose key a session was made with.
#[derive(Debug, Clone, PartialEq, Eq)]
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

fn rfc3339(seconds: u64) -> UnixMillis {
    UnixMillis(i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
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

    /// What a request with a session's cookie, and perhaps another, brings on.
    fn settled(
        caller: &Caller,
        method: Method,
        headers: &[(&'static str, &str)],
        cookie: &str,
    ) -> Result<HeaderMap, Problem> {
        let token = sessions().make(&Holder::of(caller).unwrap(), now()).unwrap();
        let pair = format!("a=b; reef_session={token}; {cookie}");
        let mut parts = parts(method, headers);
        parts.uri = "/api/v1/nodes".parse().unwrap();
        parts.headers.insert("cookie", HeaderValue::from_str(&pair).unwrap());
        sessions().settle(&mut parts, false)?;
        assert_eq!(parts.headers["cookie"], "a=b");
        Ok(parts.headers)
    }

    #[test]
    fn a_cookie_reads_and_does_nothing_else() {
        let stands_for = |key_id: &str, digest: &str| {
            let stand_in = stand_in::make(Kind::Cookie, "reef_k", &key_id.into(), digest);
            format!("Bearer {stand_in}")
        };
        let reads = |caller: &Caller| settled(caller, Method::GET, &[], "").unwrap();
        assert_eq!(reads(&Caller::Admin)[AUTHORIZATION], *stands_for(ADMIN, ""));
        assert_eq!(reads(&agent())[AUTHORIZATION], *stands_for("key_1", "d1"));
        let own = [("authorization", "Bearer x")];
        let own = settled(&agent(), Method::GET, &own, "").unwrap();
        assert_eq!(own[AUTHORIZATION], "Bearer x");
        let page = [("origin", "http://h"), ("host", "h")];
        for method in [Method::POST, Method::DELETE, Method::PATCH] {
            let refused = settled(&agent(), method, &page, "").unwrap_err();
            assert_eq!(refused.code, Code::ActRequired);
        }
    }

    #[test]
    fn the_right_to_act_takes_a_token_and_the_hubs_own_page() {
        let (cookie, csrf) = acting::given(&sessions(), &holder("key_1"), now());
        let page = [("origin", "http://h"), ("host", "h"), ("x-reef-csrf", csrf.as_str())];
        let acts = settled(&agent(), Method::POST, &page, &cookie).unwrap();
        assert!(acts[AUTHORIZATION].to_str().unwrap().starts_with("Bearer reef-act."));
        assert!(acts["reef-via"] == "page" && !acts.contains_key("x-reef-csrf"));
        // To read there is the other one.
        let reads = settled(&agent(), Method::GET, &page, &cookie).unwrap();
        assert!(reads[AUTHORIZATION].to_str().unwrap().starts_with("Bearer reef-stand-in."));
        let refused = |page: &[(&'static str, &str)], cookie: &str| {
            settled(&agent(), Method::POST, page, cookie).unwrap_err().code
        };
        let (other, _) = acting::given(&sessions(), &holder("key_1"), now());
        let (old, old_csrf) = acting::given(&sessions(), &holder("key_1"), now() - 3601);
        let old_page = [page[0], page[1], ("x-reef-csrf", old_csrf.as_str())];
        for (page, cookie, code) in [
            (&page[..2], &*cookie, Code::Forbidden),
            (&page[1..], &cookie, Code::Forbidden),
            (&page[..], &other, Code::Forbidden),
            (&old_page, &old, Code::ActRequired),
            (&page, "reef_act=", Code::ActRequired),
            (&page, "reef_act=a1.1.2.x.key_1.d1.y", Code::ActRequired),
        ] {
            assert_eq!(refused(page, cookie), code, "{page:?} {cookie}");
        }
    }

    #[test]
    fn without_a_key_there_is_no_session() {
        let refused = Holder::of(&Caller::Anonymous).unwrap_err();
        assert_eq!(refused.code, Code::Unauthenticated);
        let unsigned = UiSessions::new(Config::read(|_| String::new()).unwrap());
        assert_eq!(unsigned.make(&Holder::admin(), 0).unwrap_err().code, Code::Conflict);
    }

    #[test]
    fn a_cookie_shows_no_key() {
        assert!(!sessions().make(&Holder::admin(), 0).unwrap().contains("reef_k"));
    }
}
