//! Event streams, from a request to an answer.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use reef_web::{Problem, Request};

use super::{Answer, AnswerBody, problem, whole};
use crate::sse::{EventStreams, Feed, Outcome, Visitor};

/// Answers a request for a stream.
pub(super) async fn answer(
    streams: &EventStreams,
    feed: Result<Feed, Problem>,
    parts: &Parts,
    visitor: Visitor,
    request_id: &str,
) -> Answer {
    match streams.join(feed, &plain(parts), visitor).await {
        // The answer to a HEAD ends with its head, and so must the reader.
        Ok(Outcome::Stream(_)) if parts.method == Method::HEAD => stream(AnswerBody::whole("")),
        Ok(Outcome::Stream(body)) => stream(AnswerBody::Events(body)),
        Ok(Outcome::Ended) => {
            let mut answer = whole(StatusCode::NO_CONTENT, "text/event-stream", "");
            answer.headers_mut().remove(CONTENT_TYPE);
            answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            answer
        }
        Err(problem) => {
            if let Some(internal) = &problem.internal {
                tracing::warn!(request_id, internal, "a stream could not be joined");
            }
            problem::answer(problem, request_id)
        }
    }
}

fn stream(body: AnswerBody) -> Answer {
    let mut answer = Response::new(body);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that would else collect the events before they pass them on.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    answer
}

/// The request as components see theirs.
pub(super) fn plain(parts: &Parts) -> Request {
    let header = |(name, value): (&http::HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), value.as_bytes().to_vec())
    };
    Request {
        method: parts.method.as_str().to_owned(),
        target: parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
        headers: parts.headers.iter().map(header).collect(),
        body: Vec::new(),
    }
}
