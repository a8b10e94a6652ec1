//! Errors of the host, in the shape that the components give theirs.

use http::header::CONNECTION;
use http::{HeaderName, HeaderValue, StatusCode};
use reef_web::{Code, Problem};

use super::{Answer, whole};

/// A problem as an answer.
pub(super) fn answer(problem: Problem, request_id: &str) -> Answer {
    let response = problem.into_response(request_id);
    let status = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = whole(status, "application/problem+json", response.body);
    for (name, value) in response.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) =
            (name, HeaderValue::from_maybe_shared(bytes::Bytes::from(value)))
        {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

/// No route answers the path.
pub(super) fn no_route(request_id: &str) -> Answer {
    answer(Problem::new(Code::NotFound, "There is no such route."), request_id)
}

/// This host runs no components.
pub(super) fn only_a_monitor(request_id: &str) -> Answer {
    let detail = "This host is a monitor: it serves event streams, the page, metrics and the \
                  reference. Ask the host that runs the components: Spin, `reef serve` or `reef up`.";
    answer(Problem::new(Code::NotFound, detail), request_id)
}

/// The body is larger than any route takes. What is left of it is not read, so the connection
/// cannot be used again.
pub(super) fn too_large(request_id: &str) -> Answer {
    let problem = Problem::new(Code::PayloadTooLarge, "The body is larger than any route takes.");
    let mut answer = answer(problem, request_id);
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// More is asked of this host than it can hold.
pub(super) fn overloaded(request_id: &str) -> Answer {
    answer(Problem::new(Code::Overloaded, "Too many requests are under way."), request_id)
}
