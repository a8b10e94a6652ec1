//! A request and an answer as plain records: what every platform can give and take.

use reef_store::packed::Packed;
use serde::Serialize;

/// Headers in order, in one buffer. A name that occurs twice is listed twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Packed);

impl Headers {
    /// Appends one.
    pub fn push(&mut self, name: &str, value: &[u8]) {
        self.0.push(name.as_bytes());
        self.0.push(value);
    }

    /// The first one of a name, whose case does not matter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let mut pairs = self.pairs();
        let found = pairs.find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()));
        found.map(|(_, value)| value)
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.pairs().map(|(name, value)| (std::str::from_utf8(name).unwrap_or_default(), value))
    }

    fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut items = self.0.iter();
        std::iter::from_fn(move || Some((items.next()?, items.next()?)))
    }

    /// Names and values in turn.
    #[must_use]
    pub fn into_packed(self) -> Packed {
        self.0
    }
}

impl From<Packed> for Headers {
    /// Names and values in turn.
    fn from(packed: Packed) -> Self {
        Self(packed)
    }
}

impl<K: AsRef<str>, V: AsRef<[u8]>> FromIterator<(K, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut headers = Self::default();
        pairs.into_iter().for_each(|(name, value)| headers.push(name.as_ref(), value.as_ref()));
        headers
    }
}

/// A request whose body has been read whole.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query as they stand in the request line.
    pub target: String,
    /// The headers.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// The path, still percent-encoded, without a trailing slash.
    #[must_use]
    pub fn path(&self) -> &str {
        let path = self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path);
        match path.strip_suffix('/') {
            Some("") | None => path,
            Some(shorter) => shorter,
        }
    }

    /// The query, still percent-encoded.
    #[must_use]
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// The first header of a name.
    #[must_use]
    pub fn raw_header(&self, name: &str) -> Option<&[u8]> {
        self.headers.get(name)
    }

    /// The first header of a name, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.raw_header(name).and_then(|value| std::str::from_utf8(value).ok())
    }
}

/// The header of an answer which says that there is nothing yet: no task to claim, no end of a task.
/// A host that keeps the request asks again when something has happened.
pub const PENDING: &str = "reef-pending";

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers, without `content-length`: whoever sends the answer knows it.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// 200 with a JSON body. Every success is a 200 (`contract.md` §1).
    #[must_use]
    pub fn json(value: &impl Serialize) -> Self {
        Self::with_json(200, "application/json", value)
    }

    /// Any status with a JSON body of any type. A value that cannot be written is a fault of ours.
    pub(crate) fn with_json(status: u16, content_type: &str, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self { status, headers: Headers::default(), body }
                .with("content-type", content_type),
            Err(error) => {
                eprintln!("an answer cannot be written as JSON: {error}");
                let problem =
                    br#"{"title":"Internal Server Error","status":500,"code":"internal"}"#;
                Self { status: 500, headers: Headers::default(), body: problem.to_vec() }
                    .with("content-type", "application/problem+json")
            }
        }
    }

    /// An answer without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Headers::default(), body: Vec::new() }
    }

    /// Says with [`PENDING`] whether there is nothing yet.
    #[must_use]
    pub fn pending(self, is_pending: bool) -> Self {
        if is_pending { self.with(PENDING, "1") } else { self }
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.headers.push(name, value.as_ref().as_bytes());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_is_no_success() {
        let unwritable = std::collections::BTreeMap::from([(vec![1], 1)]);
        let response = Response::json(&unwritable);
        assert_eq!(response.status, 500);
        let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(body["code"], "internal");
    }

    #[test]
    fn a_trailing_slash_is_no_part_of_the_path() {
        for (target, path, query) in [
            ("/api/v1/nodes/?limit=1", "/api/v1/nodes", "limit=1"),
            ("/", "/", ""),
            ("/a?b?c", "/a", "b?c"),
        ] {
            let request = Request { target: target.into(), ..Request::default() };
            assert_eq!((request.path(), request.query()), (path, query));
        }
    }
}
