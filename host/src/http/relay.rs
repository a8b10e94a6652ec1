//! A hub elsewhere, for a monitor that serves its page: requests go there, and its answers come back.
//!
//! A page that has signed in here has a cookie, which only this host can read. What goes to the hub in
//! its place stands for its key in this one request, to the letter, and for minutes
//! ([`Kind::Relayed`](reef_web::stand_in::Kind)): whoever reads it on the way can do nothing else with
//! it. It is sent only where the hub is known to have the same admin key, without which it would mean
//! nothing there. Keys that callers send go on as they are.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, ORIGIN, REFERER, SET_COOKIE,
    TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use reef_client::Trust;
use reef_domain::limits::{BODY_BYTES_UNASKED, WAIT_MS_MAX};
use reef_web::stand_in::{self, ADMIN, StandIn};
use reef_web::{Code, Problem, Request};
use reqwest::redirect::Policy;
use tokio::time::{Instant, Sleep, sleep, timeout};
use url::{Position, Url};

use super::client::bearer;
use super::shares::Caller;
use super::{Answer, AnswerBody};
use crate::config::HubElsewhere;
use crate::places::{Place, Places};

/// How long the hub may take to take a connection, to begin its answer, and between two pieces of it.
const CONNECT: Duration = Duration::from_secs(3);
const ANSWER: Duration = Duration::from_millis(WAIT_MS_MAX.unsigned_abs() + 5000);
const PAUSE: Duration = Duration::from_secs(15);
/// Requests that are under way at once, and of these, those of one caller.
const UNDER_WAY: usize = 128;
const OF_ONE: usize = 32;
/// Most bytes of an answer: several times the largest page of a list.
const ANSWER_BYTES: u64 = 64 << 20;
/// How long it is believed that the hub has the same admin key, and that it has another.
const SAME_FOR: Duration = Duration::from_secs(60);
const OTHER_FOR: Duration = Duration::from_secs(5);

/// Headers that are between two ends of a connection, or between a browser and this host.
const KEPT_BACK: [HeaderName; 16] = [
    CONNECTION,
    CONTENT_LENGTH,
    COOKIE,
    EXPECT,
    HOST,
    ORIGIN,
    REFERER,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("forwarded"),
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-reef-csrf"),
    // What comes back is passed on as it is.
    HeaderName::from_static("accept-encoding"),
];
/// The same by how they begin.
const KEPT_BACK_ALL: [&str; 4] = ["spin-", "sec-", "x-forwarded-", "proxy-"];

/// What stands in a request as this host has settled it.
const OURS: [HeaderName; 3] = [
    AUTHORIZATION,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("reef-via"),
];

/// The way to a hub elsewhere.
#[derive(Debug)]
pub(crate) struct Relay {
    hub: Url,
    client: reqwest::Client,
    admin_key: Option<String>,
    room: Arc<Places<Caller>>,
    /// Whether the hub has the same admin key, and until when that is believed.
    is_same: Mutex<Option<(bool, Instant)>>,
}

impl Relay {
    /// # Errors
    /// TLS cannot be used on this machine, or not as asked.
    pub(crate) fn new(hub: &HubElsewhere, admin_key: Option<String>) -> anyhow::Result<Self> {
        let trust = Trust { ca: hub.ca.clone(), identity: None };
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            // Where the hub points to is the caller's to decide.
            .redirect(Policy::none())
            .no_proxy()
            .tls_backend_preconfigured(trust.config(hub.url.scheme())?)
            .build()
            .context("no client for the hub")?;
        let (room, is_same) = (Places::new(OF_ONE, UNDER_WAY), Mutex::default());
        Ok(Self { hub: hub.url.clone(), client, admin_key, room, is_same })
    }

    /// Whether a path is the hub's.
    pub(super) fn has(path: &str) -> bool {
        path == "/health" || path.starts_with("/api/")
    }

    /// Sends a request to the hub, and passes its answer on.
    ///
    /// # Errors
    /// The problem to answer with.
    pub(super) async fn pass_on(
        &self,
        mut parts: Parts,
        body: Bytes,
        caller: Caller,
    ) -> Result<Answer, Problem> {
        let place = self.room.take(caller);
        let place =
            place.ok_or_else(|| Problem::new(Code::Overloaded, "Too much is under way."))?;
        let mut url = self.hub.clone();
        url.set_path(parts.uri.path());
        url.set_query(parts.uri.query());
        // What `..` is in it has been followed by now.
        if !Self::has(url.path()) {
            return Err(Problem::new(Code::NotFound, "There is no such route."));
        }
        keep_back(&mut parts.headers);
        self.settle_credential(&mut parts, &url, &body).await?;
        let request = self.client.request(parts.method, url).headers(parts.headers).body(body);
        let answer = self.send(request).await?;
        if answer.content_length().is_some_and(|length| length > ANSWER_BYTES) {
            return Err(no_answer("It answers more than can be passed on."));
        }
        let (mut head, body) = Response::from(answer).into_parts();
        keep_back_answers(&mut head.headers);
        let body =
            Relayed { body, left: ANSWER_BYTES, pause: Box::pin(sleep(PAUSE)), _place: place };
        let mut passed = Answer::new(AnswerBody::Relayed(body));
        *passed.status_mut() = head.status;
        *passed.headers_mut() = head.headers;
        Ok(passed)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response, Problem> {
        match timeout(ANSWER, request.send()).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                let error = anyhow::Error::new(error.without_url());
                tracing::warn!(hub = %self.shown(), "the hub does not answer: {error:#}");
                Err(no_answer("It cannot be reached, or breaks off."))
            }
            Err(_) => Err(no_answer("It takes too long.")),
        }
    }

    /// The hub's address without what may be secret in it.
    fn shown(&self) -> String {
        self.hub.origin().ascii_serialization()
    }

    /// What stands for a key within this host becomes what stands for it in this request.
    async fn settle_credential(
        &self,
        parts: &mut Parts,
        url: &Url,
        body: &Bytes,
    ) -> Result<(), Problem> {
        let brought = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let brought = brought.and_then(|text| text.split_once(' ')).map(|(_, text)| text.trim());
        let Some(text) = brought.filter(|text| stand_in::stays_within(text)) else { return Ok(()) };
        let once = parts.headers.get("idempotency-key").map(|key| ("idempotency-key", key));
        let request = Request {
            method: parts.method.as_str().to_owned(),
            target: url[Position::BeforePath..Position::AfterQuery].to_owned(),
            headers: once.map(|(name, key)| (name, key.as_bytes())).into_iter().collect(),
            body: body.to_vec(),
        };
        let read = self.admin_key.as_deref().and_then(|secret| {
            let StandIn { key_id, digest, .. } = stand_in::read(secret, text, &request)?;
            bearer(&stand_in::relay(secret, &key_id, &digest, &request))
        });
        parts.headers.remove(AUTHORIZATION);
        let Some(signed) = read else { return Ok(()) };
        // A hub looks who sends a large body before it has read it, and so before it can be checked.
        if body.len() > BODY_BYTES_UNASKED {
            return Err(Problem::too_large(BODY_BYTES_UNASKED));
        }
        if !self.has_same_key().await? {
            let detail = format!(
                "The hub at {} has another admin key than this monitor, or is older, so that nobody can \
                 sign in here: set the same variable admin_key for both, or send a key.",
                self.shown()
            );
            return Err(Problem::new(Code::Conflict, detail));
        }
        parts.headers.insert(AUTHORIZATION, signed);
        Ok(())
    }

    /// Whether the hub takes for the admin's what was made with our admin key. Only what is good for
    /// this very question is sent to find out.
    async fn has_same_key(&self) -> Result<bool, Problem> {
        let Some(secret) = self.admin_key.as_deref() else { return Ok(false) };
        let known = *self.is_same.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((is_same, _)) = known.filter(|(_, until)| Instant::now() < *until) {
            return Ok(is_same);
        }
        let mut url = self.hub.clone();
        url.set_path("/api/v1/auth/me");
        let asked = Request {
            method: "GET".to_owned(),
            target: url.path().to_owned(),
            ..Request::default()
        };
        let signed = stand_in::relay(secret, &ADMIN.into(), "", &asked);
        let status = self.send(self.client.get(url).bearer_auth(signed)).await?.status();
        let (is_same, time) = match status {
            StatusCode::OK => (true, SAME_FOR),
            StatusCode::UNAUTHORIZED => (false, OTHER_FOR),
            _ => return Err(no_answer("It does not say who calls.")),
        };
        let known = Some((is_same, Instant::now() + time));
        *self.is_same.lock().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(is_same)
    }
}

fn no_answer(why: &str) -> Problem {
    Problem::new(
        Code::HubUnavailable,
        format!("The hub behind this monitor gives no answer. {why}"),
    )
}

fn keep_back(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        // This host has said them, whatever the caller says of its connection.
        .filter(|name| !OURS.contains(name))
        .collect();
    let begins = |name: &HeaderName| KEPT_BACK_ALL.iter().any(|it| name.as_str().starts_with(it));
    let kept_back: Vec<HeaderName> = headers.keys().filter(|name| begins(name)).cloned().collect();
    for name in KEPT_BACK.into_iter().chain(named).chain(kept_back) {
        headers.remove(name);
    }
}

/// An answer may neither set cookies here nor speak for this host to browsers.
fn keep_back_answers(headers: &mut HeaderMap) {
    let length = headers.get(CONTENT_LENGTH).cloned();
    keep_back(headers);
    headers.remove(SET_COOKIE);
    headers.remove("alt-svc");
    headers.remove("strict-transport-security");
    let is_cors = |name: &&HeaderName| name.as_str().starts_with("access-control-");
    let cors: Vec<HeaderName> = headers.keys().filter(is_cors).cloned().collect();
    for name in cors {
        headers.remove(name);
    }
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, length);
    }
}

/// The body of a hub's answer on its way through.
pub(crate) struct Relayed {
    body: reqwest::Body,
    left: u64,
    /// Ends when the hub has said nothing for too long.
    pause: Pin<Box<Sleep>>,
    /// The request is under way until the answer is.
    _place: Place<Caller>,
}

impl Body for Relayed {
    type Data = Bytes;
    type Error = anyhow::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<anyhow::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) else {
            ready!(this.pause.as_mut().poll(cx));
            return Poll::Ready(Some(Err(anyhow!("the hub breaks off within its answer"))));
        };
        this.pause.as_mut().reset(Instant::now() + PAUSE);
        let Some(frame) = frame else { return Poll::Ready(None) };
        let frame =
            frame.map_err(|error| anyhow::Error::new(error.without_url())).and_then(|frame| {
                let length = frame.data_ref().map_or(0, Bytes::len);
                let length = u64::try_from(length).unwrap_or(u64::MAX);
                ensure!(length <= this.left, "the hub answers more than can be passed on");
                this.left -= length;
                Ok(frame)
            });
        Poll::Ready(Some(frame))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn what_is_between_a_browser_and_this_host_stays_here() {
        let given = [
            ("connection", "x-hop, close, reef-via, Authorization"),
            ("x-hop", "1"),
            ("cookie", "reef_act=1; other=2"),
            ("host", "monitor.example"),
            ("origin", "https://monitor.example"),
            ("sec-fetch-site", "same-origin"),
            ("x-forwarded-for", "10.0.0.1"),
            ("spin-client-addr", "10.0.0.1"),
            ("proxy-authorization", "Basic x"),
            ("x-reef-csrf", "t"),
            ("transfer-encoding", "chunked"),
            ("idempotency-key", "k"),
            ("reef-via", "page"),
            ("authorization", "Bearer x"),
        ];
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        keep_back(&mut headers);
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["authorization", "idempotency-key", "reef-via"]);
    }

    #[test]
    fn an_answer_sets_no_cookies_and_keeps_its_length() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("set-cookie", "reef_act=1"),
            ("access-control-allow-origin", "*"),
            ("content-length", "5"),
            ("connection", "close"),
            ("link", "<x>; rel=\"next\""),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        keep_back_answers(&mut headers);
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["content-length", "link"]);
    }
}
