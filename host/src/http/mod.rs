//! The HTTP side: from a connection to an answer.
//!
//! - [`listener`]: accepts connections, and drains them.
//! - [`tls`]: its certificate, and those of clients.
//! - [`client`]: who is at the other end of a connection.
//! - [`connections`]: how many there may be, and which must give way.
//! - [`peers`]: what one address may ask for without a good key.
//! - [`shares`]: how many requests of one caller are under way while others call, too.
//! - [`hosts`]: by which hosts this one is called, and from which pages.
//! - [`body`]: reads a request's body, within bounds.
//! - [`service`]: one request: routing, limits, the call into a component.
//! - [`headers`]: what is changed about a request's headers on the way.
//! - [`own`]: the routes that the host answers itself.
//! - [`relay`]: a hub elsewhere, for a monitor that serves its page.
//! - [`durability`]: writes that shall be safer than their answer makes them.
//! - [`problem`]: errors of the host, in the shape that the components give theirs.
//! - [`streams`]: event streams, from a request to an answer.
//! - [`sign_in_link`]: the link by which a browser signs in once.
//! - [`ui_session`]: the cookie by which a browser page reads, and the one by which it acts.
//! - [`stall`]: cuts clients that take nothing.
//! - [`sending`]: answers on their way out, and streams of HTTP/2 that nobody takes.

mod answer_body;
mod body;
mod client;
mod connections;
mod durability;
mod headers;
pub(crate) mod hosts;
pub(crate) mod listener;
pub(crate) mod own;
pub(crate) mod peers;
mod problem;
pub(crate) mod relay;
mod sending;
pub(crate) mod service;
mod shares;
mod sign_in_link;
mod stall;
mod streams;
pub(crate) mod tls;
pub(crate) mod ui_session;

pub(crate) use answer_body::AnswerBody;
use bytes::Bytes;
use http::HeaderValue;
use http::header::{CONTENT_TYPE, HeaderName};

/// An answer on its way out.
pub(crate) type Answer = http::Response<AnswerBody>;

/// The header that ties an answer to the log.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A whole answer; hyper adds the `content-length`, and leaves the body away for a HEAD.
fn whole(status: http::StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = http::Response::new(AnswerBody::whole(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}
