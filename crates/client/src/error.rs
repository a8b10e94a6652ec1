//! What can go wrong, told apart by what a caller does next.

use std::fmt;
use std::time::Duration;

use reef_api::problem::FieldError;
use reef_api::{Code, Open};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Why there is no answer that could be used. No variant holds the key.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The hub has understood the request and does not fulfil it.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// No answer came: nobody listens, the connection broke, or it took too long.
    #[error("{hub} cannot be reached: {reason}")]
    Unreachable {
        /// The hub's address.
        hub: String,
        /// Why, in a few words.
        reason: String,
        /// The request may have had its effect: it was at least partly sent.
        may_have_arrived: bool,
    },
    /// Something answered that is not a hub, or not one that this program understands.
    #[error("the answer is not understood: {0}")]
    Malformed(String),
    /// The request cannot be sent as it is: nothing was sent.
    #[error("{0}")]
    Invalid(String),
    /// A stream was cut, and within the time that its reader gave it could not be resumed.
    #[error("the stream was cut and could not be resumed within {} s: {reason}", tried_for.as_secs_f32().round())]
    Cut {
        /// How long that was tried.
        tried_for: Duration,
        /// What the last try brought.
        reason: Box<Error>,
    },
}

impl Error {
    /// The problem, if the hub answered with one.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }

    /// Whether the same request may succeed a little later without anybody's doing.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Problem(problem) => {
                matches!(problem.status, 429 | 502 | 503 | 504) || problem.code == Code::InProgress
            }
            Self::Malformed(_) | Self::Invalid(_) | Self::Cut { .. } => false,
        }
    }

    /// Whether the request may have had its effect although no success was answered.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        match self {
            Self::Unreachable { may_have_arrived, .. } => *may_have_arrived,
            // A limit is checked before anything is done. Whoever does not answer in time, on the
            // other hand, may still do what was asked.
            Self::Problem(problem) => problem.status >= 500,
            Self::Malformed(_) | Self::Cut { .. } => true,
            Self::Invalid(_) => false,
        }
    }
}

/// An answer that is not a success (RFC 9457).
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Problem {
    /// The status code of the answer.
    #[serde(skip)]
    pub status: u16,
    /// Which problem it is, e.g. `not_found`; empty if something else than a hub has answered,
    /// such as a proxy in front of it.
    pub code: Open<Code>,
    /// The kind of problem in a few words.
    pub title: String,
    /// What is wrong, in one sentence.
    pub detail: String,
    /// Under which id the hub's log knows the request.
    pub request_id: String,
    /// The fields that break a rule.
    pub errors: Vec<FieldError>,
    /// What the problem says beside that, such as `expected`.
    #[serde(flatten)]
    pub members: Map<String, Value>,
    /// When the hub asks to be asked again.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

impl Default for Problem {
    fn default() -> Self {
        Self {
            status: 0,
            code: Open::default(),
            title: String::new(),
            detail: String::new(),
            request_id: String::new(),
            errors: Vec::new(),
            members: Map::new(),
            retry_after: None,
        }
    }
}

impl Problem {
    /// Reads an answer. Whatever it is, its status says what it means.
    pub(crate) fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let mut problem: Self = serde_json::from_slice(body).unwrap_or_default();
        problem.status = status.as_u16();
        if problem.title.is_empty() {
            problem.title = status.canonical_reason().unwrap_or("unknown").to_owned();
        }
        if problem.detail.is_empty() {
            problem.detail =
                format!("The answer was {} {}.", status.as_u16(), problem.title.to_lowercase());
        }
        problem.retry_after = retry_after(headers);
        problem
    }

    /// What a stream says about something that was removed while it was read: the same as the
    /// answer to the next request for it.
    pub(crate) fn gone(data: &[u8]) -> Self {
        let problem = Self::read(StatusCode::NOT_FOUND, &HeaderMap::new(), data);
        let status = problem.code.known().map_or(problem.status, Code::status);
        Self { status, ..problem }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

/// The pause that an answer asks for. Hubs give seconds; a date, which the field may also be, is
/// left to the caller's own back-off.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Problem {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "2".parse().unwrap());
        Problem::read(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes())
    }

    #[test]
    fn a_problem_keeps_what_it_says() {
        let body = r#"{"type":"/problems/conflict","title":"T","status":409,"detail":"D.",
            "code":"conflict","request_id":"r","expected":7,
            "errors":[{"field":"a.b","message":"is required"}]}"#;
        let problem = read(409, body);
        assert_eq!((problem.status, problem.code.known()), (409, Some(Code::Conflict)));
        assert_eq!(problem.members["expected"], 7);
        assert_eq!(problem.errors[0].field, "a.b");
        assert_eq!(problem.retry_after, Some(Duration::from_secs(2)));
        assert_eq!(problem.to_string(), "D.");
    }

    #[test]
    fn whatever_else_answers_is_known_by_its_status() {
        for body in ["<html>Bad gateway</html>", "", "[1]", r#"{"code":5}"#] {
            let problem = read(502, body);
            assert_eq!(problem.to_string(), "The answer was 502 bad gateway.", "{body}");
            assert_eq!(problem.code.as_str(), "");
            assert!(Error::Problem(Box::new(problem)).is_transient());
        }
    }
}
