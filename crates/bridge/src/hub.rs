//! Requests of the contract, and who answers them.

use std::future::Future;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Problem;

/// What a segment of a path or a query may hold as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Answers requests of the contract on behalf of one caller.
pub trait Hub: Sync {
    /// Answers a request, whatever happens: what keeps an answer away is a problem, too.
    fn call(&self, request: Request) -> impl Future<Output = Response> + Send;
}

/// The methods of the contract's routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// As it goes over the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A request below `/api/v1`. The path is given in segments, so that whatever an id holds cannot
/// name another resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub method: Method,
    pub path: Vec<String>,
    pub query: Vec<(&'static str, String)>,
    pub body: Option<Value>,
    /// The header `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// The header `X-Claim-Token`: under which claim a message is written.
    pub claim_token: Option<String>,
    /// How long the hub may wait before it answers, in milliseconds.
    pub wait_ms: u64,
}

impl Request {
    fn new<S: Into<String>>(method: Method, path: impl IntoIterator<Item = S>) -> Self {
        let path = path.into_iter().map(Into::into).collect();
        Self {
            method,
            path,
            query: Vec::new(),
            body: None,
            idempotency_key: None,
            claim_token: None,
            wait_ms: 0,
        }
    }

    /// Reads.
    #[must_use]
    pub fn get<S: Into<String>>(path: impl IntoIterator<Item = S>) -> Self {
        Self::new(Method::Get, path)
    }

    /// Writes.
    #[must_use]
    pub fn post<S: Into<String>>(path: impl IntoIterator<Item = S>, body: &impl Serialize) -> Self {
        Self::new(Method::Post, path).with_body(body)
    }

    /// Changes.
    #[must_use]
    pub fn patch<S: Into<String>>(
        path: impl IntoIterator<Item = S>,
        body: &impl Serialize,
    ) -> Self {
        Self::new(Method::Patch, path).with_body(body)
    }

    /// Sets.
    #[must_use]
    pub fn put<S: Into<String>>(path: impl IntoIterator<Item = S>, body: &impl Serialize) -> Self {
        Self::new(Method::Put, path).with_body(body)
    }

    /// Removes.
    #[must_use]
    pub fn delete<S: Into<String>>(path: impl IntoIterator<Item = S>) -> Self {
        Self::new(Method::Delete, path)
    }

    fn with_body(self, body: &impl Serialize) -> Self {
        // What is serialized here are plain values, which JSON can always say.
        Self { body: serde_json::to_value(body).ok(), ..self }
    }

    /// Adds a parameter to the query, if there is one.
    #[must_use]
    pub fn query(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// Sends it under this key, so that a repeat has no further effect.
    #[must_use]
    pub fn once(self, key: Option<&str>) -> Self {
        Self { idempotency_key: key.map(str::to_owned), ..self }
    }

    /// Writes under a claim, if there is one.
    #[must_use]
    pub fn under(self, claim_token: Option<String>) -> Self {
        Self { claim_token, ..self }
    }

    /// The answer may take so much longer.
    #[must_use]
    pub fn waiting(self, wait_ms: u64) -> Self {
        Self { wait_ms, ..self }
    }

    /// Path and query as they go over the wire.
    ///
    /// # Errors
    /// A segment would name the parent, or a list instead of one of its members.
    pub fn target(&self) -> Result<String, Problem> {
        let mut target = "/api/v1".to_owned();
        for segment in &self.path {
            if matches!(segment.as_str(), "" | "." | "..") {
                return Err(Problem::of_arguments(&format!("{segment:?} is not an id.")));
            }
            target.push('/');
            target.extend(utf8_percent_encode(segment, PLAIN));
        }
        for (index, (name, value)) in self.query.iter().enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            target.push_str(name);
            target.push('=');
            target.extend(utf8_percent_encode(value, PLAIN));
        }
        Ok(target)
    }
}

/// What a hub answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub body: Vec<u8>,
    /// The header `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
    /// With which `cursor` a list goes on.
    pub next_cursor: Option<String>,
}

impl Response {
    /// A problem in place of an answer.
    #[must_use]
    pub fn of_problem(status: u16, problem: &Value) -> Self {
        let body = serde_json::to_vec(problem).unwrap_or_default();
        Self { status, body, ..Self::default() }
    }

    /// What the answer says, read as a type.
    ///
    /// # Errors
    /// The problem that came instead.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if !(200..300).contains(&self.status) {
            return Err(Problem::read(self));
        }
        serde_json::from_slice(&self.body).map_err(|_| Problem::unreadable())
    }
}

/// The value of `cursor` in `Link: <…?cursor=X>; rel="next"`.
#[must_use]
pub fn cursor_of_link(link: &str) -> Option<String> {
    let next = link.split(',').find(|one| one.contains("rel=\"next\""))?;
    let (target, _) = next.split_once('<')?.1.split_once('>')?;
    let (_, query) = target.split_once('?')?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "cursor").map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_one_segment() {
        let request = Request::get(["nodes", "a/../b?c#d%é"]).query("limit", Some(5));
        assert_eq!(request.target().unwrap(), "/api/v1/nodes/a%2F..%2Fb%3Fc%23d%25%C3%A9?limit=5");
        for bad in ["", ".", ".."] {
            assert!(Request::get(["nodes", bad]).target().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_list_says_how_it_goes_on() {
        let link = r#"</api/v1/nodes?limit=2&cursor=a%3Db>; rel="next""#;
        assert_eq!(cursor_of_link(link).as_deref(), Some("a=b"));
        for other in ["", "</x>; rel=\"prev\"", "</x>; rel=\"next\"", "rel=\"next\""] {
            assert_eq!(cursor_of_link(other), None, "{other}");
        }
    }
}
