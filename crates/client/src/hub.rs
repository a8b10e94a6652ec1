//! An address and a key.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use url::{Host, Url};

use crate::{Error, Request, Secret, StreamRequest, Trust};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long an unused connection is kept: below the hub's 75 s, so that a request never goes out
/// on a connection that is just being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(50);

/// A hub: where it is, and the key that its requests carry. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Hub {
    /// Ends with a slash.
    base: Url,
    client: reqwest::Client,
    trust: Trust,
    /// What the hub's audit is told beside what is changed.
    via: Option<&'static str>,
    reason: Option<HeaderValue>,
}

/// A text as a header takes it: as it is, or as RFC 8187 writes it.
fn in_ascii(text: &str) -> String {
    let is_plain = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    // What looks coded would be decoded.
    if is_plain && !text.get(..7).is_some_and(|head| head.eq_ignore_ascii_case("UTF-8''")) {
        return text.to_owned();
    }
    let mut coded = "UTF-8''".to_owned();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            coded.push(char::from(byte));
        } else {
            coded.push_str(&format!("%{byte:02X}"));
        }
    }
    coded
}

impl Hub {
    /// A hub at an address such as `http://127.0.0.1:8888`. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the address is none of `http` or `https`, or has a password in it.
    pub fn new(url: &str, key: Option<Secret>) -> Result<Self, Error> {
        Self::trusting(url, key, Trust::default())
    }

    /// The same, where `trust` says which certificates are believed and shown.
    ///
    /// # Errors
    /// As [`Hub::new`], and if a file of `trust` cannot be used.
    pub fn trusting(url: &str, key: Option<Secret>, trust: Trust) -> Result<Self, Error> {
        let base = read_address(url)?;
        let mut headers = HeaderMap::new();
        if let Some(key) = key {
            headers.insert(AUTHORIZATION, key.bearer()?);
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("reef/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tcp_nodelay(true)
            // The key is for this hub, not for where it may point to.
            .redirect(reqwest::redirect::Policy::none())
            .tls_backend_preconfigured(trust.config(base.scheme())?);
        if is_loopback(&base) {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| Error::Invalid(error.to_string()))?;
        Ok(Self { base, client, trust, via: None, reason: None })
    }

    /// The same hub, called with another key or with none.
    ///
    /// # Errors
    /// As [`Hub::trusting`].
    pub fn with_key(&self, key: Option<Secret>) -> Result<Self, Error> {
        let hub = Self::trusting(self.base.as_str(), key, self.trust.clone())?;
        Ok(Self { via: self.via, reason: self.reason.clone(), ..hub })
    }

    /// The same hub, whose audit is told where what is changed comes from (`cli`), and why, if somebody says.
    /// At most 500 characters in one line; the hub refuses others.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the reason cannot be sent.
    pub fn on_behalf(mut self, via: &'static str, reason: Option<&str>) -> Result<Self, Error> {
        let coded = |reason: &str| {
            HeaderValue::try_from(in_ascii(reason))
                .map_err(|error| Error::Invalid(error.to_string()))
        };
        self.via = Some(via);
        self.reason = reason.map(coded).transpose()?;
        Ok(self)
    }

    /// The headers that the audit reads.
    pub(crate) fn said(&self) -> impl Iterator<Item = (&'static str, HeaderValue)> {
        let via = self.via.map(|via| ("reef-via", HeaderValue::from_static(via)));
        via.into_iter().chain(self.reason.clone().map(|reason| ("reef-reason", reason)))
    }

    /// The address, as it is shown to people.
    #[must_use]
    pub fn address(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// Whether the hub runs on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        is_loopback(&self.base)
    }

    /// `GET /api/v1/…`. The path is given in segments, such as `["nodes", node_id]`, so that
    /// whatever an id holds cannot name another resource.
    pub fn get<S: AsRef<str>>(&self, path: impl IntoIterator<Item = S>) -> Request {
        self.request(Method::GET, path)
    }

    /// `GET /…`: a route of the hub's host beside the contract, such as `["readyz"]`. Other hosts,
    /// such as Spin, may not have it.
    pub fn get_own<S: AsRef<str>>(&self, path: impl IntoIterator<Item = S>) -> Request {
        Request::new(self.clone(), Method::GET, self.url_below(&[], path))
    }

    /// `POST /…`, as [`Hub::get_own`].
    pub fn post_own<S: AsRef<str>>(&self, path: impl IntoIterator<Item = S>) -> Request {
        Request::new(self.clone(), Method::POST, self.url_below(&[], path))
    }

    /// `POST /api/v1/…`.
    pub fn post<S: AsRef<str>>(&self, path: impl IntoIterator<Item = S>) -> Request {
        self.request(Method::POST, path)
    }

    /// `PUT /api/v1/…`.
    pub fn put<S: AsRef<str>>(&self, path: impl IntoIterator<Item = S>) -> Request {
        self.request(Method::PUT, path)
    }

    /// `PATCH /api/v1/…`.
    pub fn patch<S: AsRef<str>>(&self, path: impl IntoIterator<Item = S>) -> Request {
        self.request(Method::PATCH, path)
    }

    /// `DELETE /api/v1/…`.
    pub fn delete<S: AsRef<str>>(&self, path: impl IntoIterator<Item = S>) -> Request {
        self.request(Method::DELETE, path)
    }

    /// The event stream `GET /api/v1/…`, such as `["events", "stream"]`.
    pub fn stream<S: AsRef<str>>(&self, path: impl IntoIterator<Item = S>) -> StreamRequest {
        StreamRequest::new(self.clone(), self.url(path))
    }

    fn request<S: AsRef<str>>(&self, method: Method, path: impl IntoIterator<Item = S>) -> Request {
        Request::new(self.clone(), method, self.url(path))
    }

    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// The address below `/api/v1` that these segments name.
    fn url<S: AsRef<str>>(&self, path: impl IntoIterator<Item = S>) -> Result<Url, Error> {
        self.url_below(&["api", "v1"], path)
    }

    fn url_below<S: AsRef<str>>(
        &self,
        base: &[&str],
        path: impl IntoIterator<Item = S>,
    ) -> Result<Url, Error> {
        let mut url = self.base.clone();
        let mut segments =
            url.path_segments_mut().map_err(|()| Error::Invalid("not an address".to_owned()))?;
        segments.pop_if_empty().extend(base);
        for segment in path {
            let segment = segment.as_ref();
            // These would name the parent, or a list instead of one of its members.
            if matches!(segment, "" | "." | "..") {
                return Err(Error::Invalid(format!("{segment:?} is not an id")));
            }
            segments.push(segment);
        }
        drop(segments);
        Ok(url)
    }

    /// Why a request has got no answer.
    pub(crate) fn unreachable(&self, error: &reqwest::Error, waited: Duration) -> Error {
        let reason = if error.is_timeout() && !error.is_connect() {
            format!("no answer within {} s", waited.as_secs_f32().round())
        } else if error.is_timeout() {
            "the connection was not accepted in time".to_owned()
        } else {
            root_cause(error)
        };
        self.no_answer(reason, !error.is_connect())
    }

    /// There is no answer, for this reason.
    pub(crate) fn no_answer(&self, reason: String, may_have_arrived: bool) -> Error {
        Error::Unreachable { hub: self.address().to_owned(), reason, may_have_arrived }
    }
}

fn read_address(text: &str) -> Result<Url, Error> {
    let invalid = |why: &str| Error::Invalid(format!("the hub's address {why}"));
    let mut url = Url::parse(text.trim()).map_err(|_| {
        invalid(&format!("must look like http://127.0.0.1:8888, and {text:?} does not"))
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid("must begin with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("must not hold a password: a key is given apart from it"));
    }
    url.set_query(None);
    url.set_fragment(None);
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// The innermost reason, which is the one that helps: the outer ones say that there was an error.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(segments: &[&str]) -> Result<String, Error> {
        let hub = Hub::new("http://hub:1/reef", None).unwrap();
        hub.url(segments).map(|url| url.as_str().to_owned())
    }

    #[test]
    fn a_reason_goes_out_in_ascii_and_says_what_it_said() {
        for (said, sent) in [
            ("gate shut, 100%", "gate shut, 100%"),
            ("检", "UTF-8''%E6%A3%80"),
            ("a\u{1b}b", "UTF-8''a%1Bb"),
            ("utf-8''x", "UTF-8''utf%2D8%27%27x"),
        ] {
            assert_eq!(in_ascii(said), sent);
        }
    }

    #[test]
    fn a_path_names_what_its_segments_say() {
        assert_eq!(path(&["nodes", "a@b"]).unwrap(), "http://hub:1/reef/api/v1/nodes/a@b");
        let odd = path(&["nodes", "a/../b?c#d%"]).unwrap();
        assert_eq!(odd, "http://hub:1/reef/api/v1/nodes/a%2F..%2Fb%3Fc%23d%25");
        for bad in ["", ".", ".."] {
            assert!(matches!(path(&["nodes", bad]), Err(Error::Invalid(_))), "{bad}");
        }
    }

    #[test]
    fn an_address_is_checked_before_anything_is_sent() {
        for good in ["http://127.0.0.1:8888", "http://[::1]:1/", "https://localhost/x"] {
            assert!(Hub::new(good, None).unwrap().is_local(), "{good}");
        }
        assert!(!Hub::new("http://10.0.0.1:8888", None).unwrap().is_local());
        for bad in ["", "127.0.0.1:8888", "redis://h", "http://me:secret@h", "http://"] {
            let error = Hub::new(bad, None).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn the_key_is_not_shown_by_what_holds_it() {
        let key = Secret::new("sesame").unwrap();
        let hub = Hub::new("http://127.0.0.1:1", Some(key)).unwrap();
        assert!(!format!("{hub:?}").contains("sesame"));
    }
}
