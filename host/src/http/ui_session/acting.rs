//! The right of a page to act: a second cookie, beside the one by which it reads.
//!
//! `POST /ui/act` makes it of a key that is sent again, or of the code of a new sign-in link; so whoever
//! finds a page open reads, and no more. It is good for an hour, each act that is carried out renews it,
//! and after twelve hours it ends. Like the other it is a text that says until when it is good and for
//! which key, and that only a host with the admin key can make.
//!
//! A cookie is sent by browsers on behalf of whatever page asks them to, so that it is not enough: what
//! acts must also come from the hub's own page, which browsers vouch for, and bring a token that only
//! that page has read.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, HOST, ORIGIN, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use reef_domain::access::{ADMIN as ADMINS, Scope, Scopes};
use reef_web::auth::{Caller, unknown_key};
use reef_web::edge::{self, Provenance};
use reef_web::stand_in::{self, Kind};
use reef_web::{Code, Problem, Request, extract};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;

use super::cookies::{Cookie, Cookies, is_https};
use super::{Holder, UiSessions, now, rfc3339};
use crate::http::client::{bearer, credential};
use crate::http::{Answer, problem, whole};
use crate::sse::EventStreams;

/// Where the right is given, shown and taken away.
pub(in crate::http) const PATH: &str = "/ui/act";
/// The largest body that it takes: a key.
pub(in crate::http) const BODY_BYTES_MAX: usize = 4096;

/// The header by which a page shows that it has read the answer of [`PATH`].
const CSRF: HeaderName = HeaderName::from_static("x-reef-csrf");
/// The header by which components hear that a page acts.
pub(super) const VIA: HeaderName = HeaderName::from_static("reef-via");

const VERSION: &str = "a1";
/// How long it is good without being used.
const LIFETIME: Duration = Duration::from_secs(3600);
/// How long it is good however much it is used.
const LONGEST: Duration = Duration::from_secs(12 * 3600);
/// How much of its time must have passed for it to be renewed.
const RENEWED_AFTER: Duration = Duration::from_secs(300);

/// What a page has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Right {
    holder: Holder,
    /// Tells it from others of the same key, and stays the same when it is renewed.
    nonce: String,
    /// When it was given, in seconds since 1970.
    born: u64,
    expires: u64,
}

/// Why a text is no right to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lapse {
    Unknown,
    Over,
}

impl Right {
    fn new(holder: Holder, now: u64) -> Result<Self, Problem> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| Problem::internal(error.to_string()))?;
        let nonce = URL_SAFE_NO_PAD.encode(random);
        Ok(Self { holder, nonce, born: now, expires: now + LIFETIME.as_secs() })
    }

    /// `a1.<given>.<expiry>.<nonce>.<key id>.<digest>.<code>`, times in seconds since 1970.
    fn token(&self, secret: &str) -> String {
        let Self { holder: Holder { key_id, digest }, nonce, born, expires } = self;
        let code = self.mac(secret).map(|mac| URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()));
        let code = code.unwrap_or_default();
        format!("{VERSION}.{born}.{expires}.{nonce}.{key_id}.{digest}.{code}")
    }

    fn read(secret: &str, token: &str, now: u64) -> Result<Self, Lapse> {
        let right = Self::genuine(secret, token).ok_or(Lapse::Unknown)?;
        let end = right.born.saturating_add(LONGEST.as_secs());
        if now < right.expires && right.expires <= end { Ok(right) } else { Err(Lapse::Over) }
    }

    fn genuine(secret: &str, token: &str) -> Option<Self> {
        let parts: Vec<&str> = token.split('.').collect();
        let [VERSION, born, expires, nonce, key_id, digest, code] = parts[..] else { return None };
        let holder = Holder { key_id: key_id.into(), digest: digest.to_owned() };
        let (born, expires) = (born.parse().ok()?, expires.parse().ok()?);
        let right = Self { holder, nonce: nonce.to_owned(), born, expires };
        let code = URL_SAFE_NO_PAD.decode(code).ok()?;
        right.mac(secret)?.verify_slice(&code).ok()?;
        Some(right)
    }

    /// What the page shows beside the cookie. It is the same after a renewal, so that what is under
    /// way is not refused.
    fn csrf(&self, secret: &str) -> String {
        let mac = self.csrf_mac(secret).map(|mac| mac.finalize().into_bytes());
        mac.map(|code| URL_SAFE_NO_PAD.encode(code)).unwrap_or_default()
    }

    fn is_shown_by(&self, secret: &str, csrf: &[u8]) -> bool {
        let given = URL_SAFE_NO_PAD.decode(csrf).ok();
        let checked = given.zip(self.csrf_mac(secret)).map(|(given, mac)| mac.verify_slice(&given));
        checked.is_some_and(|checked| checked.is_ok())
    }

    /// The same for longer, where it is time to.
    fn renewed(&self, now: u64) -> Option<Self> {
        let end = self.born.saturating_add(LONGEST.as_secs());
        let expires = (now + LIFETIME.as_secs()).min(end);
        let is_due = expires.saturating_sub(self.expires) >= RENEWED_AFTER.as_secs();
        is_due.then(|| Self { expires, ..self.clone() })
    }

    fn mac(&self, secret: &str) -> Option<Hmac<Sha256>> {
        self.mac_of(secret, &format!("reef ui act {VERSION} {}", self.expires))
    }

    fn csrf_mac(&self, secret: &str) -> Option<Hmac<Sha256>> {
        self.mac_of(secret, &format!("reef ui csrf {VERSION}"))
    }

    fn mac_of(&self, secret: &str, what: &str) -> Option<Hmac<Sha256>> {
        // A key of any length will do, so that this never fails.
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
        let Self { holder: Holder { key_id, digest }, nonce, born, .. } = self;
        mac.update(format!("{what} {born} {nonce} {key_id} {digest}").as_bytes());
        Some(mac)
    }

    /// What a page is told of it.
    fn told(&self, secret: &str, caller: &Caller) -> Value {
        let (agent_id, scopes) = match caller {
            Caller::Agent(agent) => (agent.agent_id.as_str(), agent.scopes),
            _ => (ADMINS, Scopes::ALL),
        };
        json!({
            "success": true,
            "acting": true,
            "csrf": self.csrf(secret),
            "expires_at": rfc3339(self.expires),
            "ends_at": rfc3339(self.born.saturating_add(LONGEST.as_secs())),
            "agent_id": agent_id,
            "scopes": scopes.names(),
        })
    }
}

/// What may be in the body of `POST /ui/act`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    key: Option<String>,
}

impl UiSessions {
    /// Lets a request act by its cookie, and says what the cookie becomes, if that is something else.
    ///
    /// # Errors
    /// 403: it does not come from the hub's own page (`forbidden`), or the page has no right to act, or
    /// has it no more (`act_required`).
    pub(super) fn act(
        &self,
        headers: &mut HeaderMap,
        cookies: &Cookies,
        is_https: bool,
    ) -> Result<Option<HeaderValue>, Problem> {
        edge::check_own_page(&self.config, provenance(headers), is_https)?;
        let (secret, now) = (self.config.admin_key.as_deref().unwrap_or_default(), now());
        let token = cookies.act.as_deref().ok_or_else(|| {
            required("This page may only read. POST /ui/act with a key lets it act for an hour.")
        })?;
        let right = Right::read(secret, token, now).map_err(|lapse| match lapse {
            Lapse::Over => required("The right of this page to act is over: POST /ui/act again."),
            Lapse::Unknown => required("This is no right to act on this hub: POST /ui/act again."),
        })?;
        let Some(given) = headers.remove(CSRF) else {
            return Err(forbidden("X-Reef-Csrf is missing: it is `csrf` of POST or GET /ui/act."));
        };
        if !right.is_shown_by(secret, given.as_bytes()) {
            return Err(forbidden("X-Reef-Csrf is not the one of this right to act: GET /ui/act."));
        }
        let Holder { key_id, digest } = &right.holder;
        let stand_in = credential(Kind::Act, secret, key_id, digest).ok_or_else(unknown_key)?;
        headers.insert(AUTHORIZATION, stand_in);
        headers.insert(VIA, HeaderValue::from_static("page"));
        let renewed = right.renewed(now);
        renewed.map(|right| set(&right, secret, now, is_https)).transpose()
    }

    /// Whether a request that changes something and brings no key wants to do so by a cookie. Where
    /// nobody needs a key, what brings only the cookie for reading is anybody's.
    pub(super) fn wants_to_act(headers: &HeaderMap, cookies: &Cookies, reads: bool) -> bool {
        cookies.act.is_some() || headers.contains_key(CSRF) || reads
    }

    /// Answers a request for [`PATH`].
    pub(in crate::http) async fn answer_act(
        &self,
        streams: &EventStreams,
        parts: &Parts,
        body: &[u8],
        of: (&Cookies, bool),
        request_id: &str,
    ) -> Answer {
        let (cookies, is_tls) = of;
        let is_https = is_https(&parts.headers, is_tls);
        let answered = match parts.method {
            Method::GET | Method::HEAD => self.show(streams, parts, cookies, is_https).await,
            Method::POST => self.begin(streams, parts, body, is_https).await,
            Method::DELETE => self.check_page(parts, is_https).and_then(|()| {
                let done = json!({ "success": true, "acting": false });
                Ok((done, Some(Cookie::Act.set("", Duration::ZERO, is_https)?)))
            }),
            _ => {
                let detail = "The right to act is got by POST, shown by GET and ended by DELETE.";
                let refused = Problem::new(Code::MethodNotAllowed, detail);
                let mut answer = problem::answer(refused, request_id);
                let allowed = HeaderValue::from_static("GET, HEAD, POST, DELETE");
                answer.headers_mut().insert(ALLOW, allowed);
                return answer;
            }
        };
        match answered {
            Ok((body, cookie)) => {
                let mut answer = whole(StatusCode::OK, "application/json", body.to_string());
                answer.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
                answer
            }
            Err(refused) => problem::answer(refused, request_id),
        }
    }

    /// A program says nothing of pages, and has the key; what says something must be the hub's page.
    fn check_page(&self, parts: &Parts, is_https: bool) -> Result<(), Problem> {
        let said = provenance(&parts.headers);
        // Browsers do not say from where a page of the same origin reads.
        let is_ours = said.fetch_site.is_none_or(|site| site == b"same-origin");
        let may_lack_origin = !edge::is_write(parts.method.as_str()) && is_ours;
        match said {
            Provenance { origin: None, fetch_site: None, .. } => Ok(()),
            Provenance { origin: None, .. } if may_lack_origin => Ok(()),
            said => edge::check_own_page(&self.config, said, is_https),
        }
    }

    async fn begin(
        &self,
        streams: &EventStreams,
        parts: &Parts,
        body: &[u8],
        is_https: bool,
    ) -> Result<(Value, Option<HeaderValue>), Problem> {
        self.check_page(parts, is_https)?;
        if body.len() > BODY_BYTES_MAX {
            return Err(Problem::too_large(BODY_BYTES_MAX));
        }
        let mut parts = parts.clone();
        let content_type = parts.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        let request = Request {
            headers: content_type.map(|it| ("content-type", it)).into_iter().collect(),
            body: body.to_vec(),
            ..Request::default()
        };
        let asked: Asked = extract::optional_object(&request)?;
        if let Some(key) = asked.key {
            let key = key.trim();
            let is_a_clients = !stand_in::stays_within(key);
            let key = bearer(key).filter(|_| is_a_clients).ok_or_else(unknown_key)?;
            parts.headers.remove("x-api-key");
            parts.headers.insert(AUTHORIZATION, key);
        }
        let secret = self.secret()?;
        let holder = self.holder(streams, &parts).await?;
        let caller = self.caller(streams, &holder).await?;
        if matches!(&caller, Caller::Agent(agent) if only_reads(agent.scopes)) {
            return Err(forbidden("This key has the scope read alone, which changes nothing."));
        }
        let now = now();
        let right = Right::new(holder, now)?;
        let cookie = set(&right, secret, now, is_https)?;
        Ok((right.told(secret, &caller), Some(cookie)))
    }

    async fn show(
        &self,
        streams: &EventStreams,
        parts: &Parts,
        cookies: &Cookies,
        is_https: bool,
    ) -> Result<(Value, Option<HeaderValue>), Problem> {
        self.check_page(parts, is_https)?;
        let none = json!({ "success": true, "acting": false });
        let secret = self.config.admin_key.as_deref().unwrap_or_default();
        let right = cookies.act.as_deref().map(|token| Right::read(secret, token, now()));
        let Some(Ok(right)) = right else { return Ok((none, None)) };
        match self.caller(streams, &right.holder).await {
            Ok(caller) => Ok((right.told(secret, &caller), None)),
            Err(it) if matches!(it.code, Code::Unauthenticated | Code::Forbidden) => {
                Ok((none, Some(Cookie::Act.set("", Duration::ZERO, is_https)?)))
            }
            Err(problem) => Err(problem),
        }
    }

    /// Who holds a key, as it is now.
    async fn caller(&self, streams: &EventStreams, holder: &Holder) -> Result<Caller, Problem> {
        let Holder { key_id, digest } = holder;
        let stand_in = stand_in::make(Kind::Cookie, self.secret()?, key_id, digest);
        let request = Request {
            method: "GET".to_owned(),
            headers: [("authorization", format!("Bearer {stand_in}"))].into_iter().collect(),
            ..Request::default()
        };
        streams.recognize(&request).await
    }
}

/// What a browser says of the page that a request comes from.
fn provenance(headers: &HeaderMap) -> Provenance<'_> {
    let header = |name: HeaderName| headers.get(name).map(HeaderValue::as_bytes);
    let fetch_site = header(HeaderName::from_static("sec-fetch-site"));
    Provenance { host: header(HOST), origin: header(ORIGIN), fetch_site }
}

fn only_reads(scopes: Scopes) -> bool {
    scopes.without(Scope::Read).is_empty()
}

fn set(right: &Right, secret: &str, now: u64, is_https: bool) -> Result<HeaderValue, Problem> {
    let left = Duration::from_secs(right.expires.saturating_sub(now));
    Cookie::Act.set(&right.token(secret), left, is_https)
}

fn required(detail: &str) -> Problem {
    Problem::new(Code::ActRequired, detail)
}

fn forbidden(detail: &str) -> Problem {
    Problem::new(Code::Forbidden, detail)
}

/// The pair of a cookie that was made at this time, and its token.
#[cfg(test)]
pub(super) fn given(sessions: &UiSessions, holder: &Holder, at: u64) -> (String, String) {
    let (secret, right) = (sessions.secret().unwrap(), Right::new(holder.clone(), at).unwrap());
    (format!("reef_act={}", right.token(secret)), right.csrf(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn right(born: u64) -> Right {
        Right::new(Holder { key_id: "key_1".into(), digest: "d1".into() }, born).unwrap()
    }

    #[test]
    fn a_right_is_good_for_an_hour_and_cannot_be_made_by_others() {
        let right = right(1000);
        let token = right.token("k");
        assert_eq!(Right::read("k", &token, 1000), Ok(right.clone()));
        assert_eq!(Right::read("k", &token, 4599), Ok(right.clone()));
        assert_eq!(Right::read("k", &token, 4600), Err(Lapse::Over));
        for forged in [
            token.replace(".1000.", ".2000."),
            token.replace(".4600.", ".9000."),
            token.replace("key_1", "admin"),
            token.replace(".d1.", ".d2."),
            token.replace("a1.", "v2."),
            token.replace(&right.nonce, "x"),
            format!("{token}.x"),
            String::new(),
        ] {
            assert_eq!(Right::read("k", &forged, 1000), Err(Lapse::Unknown), "{forged}");
        }
        assert_eq!(Right::read("other", &token, 1000), Err(Lapse::Unknown));
    }

    #[test]
    fn use_renews_it_until_it_has_lasted_long_enough() {
        let first = right(0);
        assert_eq!(first.renewed(299), None);
        let mut last = first.clone();
        for now in (0..LONGEST.as_secs()).step_by(600) {
            let token = last.token("k");
            last = Right::read("k", &token, now).unwrap();
            last = last.renewed(now).unwrap_or(last);
            // What the page has read is good all the time.
            assert_eq!(last.csrf("k"), first.csrf("k"));
        }
        assert_eq!(last.expires, LONGEST.as_secs());
        assert_eq!(Right::read("k", &last.token("k"), LONGEST.as_secs()), Err(Lapse::Over));
        // Nor can it be stretched by whoever has made it.
        let stretched = Right { expires: LONGEST.as_secs() + 1, ..last };
        assert_eq!(Right::read("k", &stretched.token("k"), 1), Err(Lapse::Over));
    }

    #[test]
    fn a_token_belongs_to_one_right_of_one_key() {
        let (one, other) = (right(5), right(5));
        assert!(one.is_shown_by("k", one.csrf("k").as_bytes()));
        for bad in [other.csrf("k"), one.csrf("other"), one.token("k"), String::new()] {
            assert!(!one.is_shown_by("k", bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn a_key_that_only_reads_does_not_act() {
        for (names, is_so) in
            [("read", true), ("", true), ("read write", false), ("approve", false)]
        {
            assert_eq!(only_reads(Scopes::stored(names)), is_so, "{names}");
        }
    }
}
