//! Errors of the host, in the shape that the components give theirs.

use http::header::CONNECTION;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use reef_web::{Code, Problem};

use super::{Answer, whole};

/// A problem as an answer.
pub(super) fn answer(problem: Problem, request_id: &str) -> Answer {
    let response = problem.into_response(request_id);
    let status = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = whole(status, "application/problem+json", response.body);
    insert(answer.headers_mut(), response.headers.iter());
    answer
}

/// Sets headers.
pub(super) fn insert<N: AsRef<[u8]>, V: AsRef<[u8]>>(
    headers: &mut HeaderMap,
    given: impl IntoIterator<Item = (N, V)>,
) {
    for (name, value) in given {
        let name = HeaderName::from_bytes(name.as_ref());
        let value = HeaderValue::from_bytes(value.as_ref());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.insert(name, value);
        }
    }
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

/// A problem after which the connection cannot be used again.
pub(super) fn last_answer(problem: Problem, request_id: &str) -> Answer {
    let mut answer = answer(problem, request_id);
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// There is no room for another connection.
pub(super) fn no_room() -> Problem {
    Problem::new(
        Code::Overloaded,
        "Too many connections are open, here or from your address. Use fewer, or a key.",
    )
}

/// The whole answer to a connection for which there is no room, before it has said anything.
pub(super) fn no_room_for_connection() -> Vec<u8> {
    raw(no_room())
}

/// The whole answer to a connection without TLS where TLS is wanted.
pub(super) fn wants_tls() -> Vec<u8> {
    let detail = "This port speaks HTTPS only: write https:// in front of its address.";
    raw(Problem::new(Code::MalformedRequest, detail))
}

/// A problem as it goes over the wire, where no request has been read.
fn raw(problem: Problem) -> Vec<u8> {
    let id = uuid::Uuid::now_v7().to_string();
    let response = problem.into_response(&id);
    let status = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut head = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\nx-request-id: {id}\r\n\
         cache-control: no-store\r\nx-content-type-options: nosniff\r\ncontent-length: {}\r\n",
        response.body.len()
    )
    .into_bytes();
    for (name, value) in response.headers.iter() {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value);
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head.extend_from_slice(&response.body);
    head
}

/// More is asked of this host than it can hold.
pub(super) fn overloaded(request_id: &str) -> Answer {
    answer(Problem::new(Code::Overloaded, "Too many requests are under way."), request_id)
}
