//! `POST /mcp`: the bridge, with this host as its hub. What it asks goes the way of every request to a
//! component, with the caller's own key; so keys, scopes, owners, limits and repeats are as ever.

use std::time::Instant;

use bytes::Bytes;
use http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, HOST, LINK, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use reef_bridge::hub::cursor_of_link;
use reef_bridge::mcp::{self, Headers, Reef, Reply, Transport};
use reef_bridge::tools::Selection;
use reef_bridge::{Hub, Problem as BridgeProblem, Response};
use reef_domain::limits::BLOCK_BYTES_MAX;
use reef_web::{Code, Problem};
use url::form_urlencoded;

use super::super::hosts::text;
use super::super::{Answer, X_REQUEST_ID, problem, whole};
use super::{Asked, Service, Target};
use crate::metrics::Refusal;

/// The one address that clients of MCP know.
pub(super) const PATH: &str = "/mcp";

/// What a request within a request takes over from it.
const TAKEN_OVER: [HeaderName; 5] = [
    AUTHORIZATION,
    HOST,
    X_REQUEST_ID,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("traceparent"),
];

impl Service {
    /// Answers a client of MCP, and says whether a success proves that its key is good.
    pub(super) async fn answer_mcp(
        &self,
        parts: Parts,
        incoming: &mut Incoming,
        asked: &Asked<'_>,
    ) -> (Answer, bool) {
        if parts.method != Method::POST {
            let detail = "There are no sessions and no streams here: each message is a POST.";
            let mut answer = asked.leave(Problem::new(Code::MethodNotAllowed, detail));
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return (answer, false);
        }
        let selection = match selected(parts.uri.query().unwrap_or_default()) {
            Ok(selection) => selection,
            Err(refused) => return (asked.leave(refused), false),
        };
        // A call may bring a content block.
        let body = match self.read_body(incoming, BLOCK_BYTES_MAX, &parts, asked).await {
            Ok(body) => body,
            Err(refused) => return (asked.refuse(Refusal::Body, refused), false),
        };
        let hub = Within { service: self, outer: &parts.headers, asked };
        let headers = Headers {
            version: header(&parts.headers, "mcp-protocol-version"),
            method: header(&parts.headers, "mcp-method"),
            name: header(&parts.headers, "mcp-name"),
        };
        let offer = Reef::new(hub, selection);
        let reply = mcp::answer(&offer, Transport::Http(headers), &body.bytes).await;
        let admitted = reply.admitted;
        (answered(reply), admitted)
    }
}

/// A header's text; an empty one where it is none.
fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default())
}

/// Which toolsets the address names.
fn selected(query: &str) -> Result<Selection, Problem> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let named = pairs.find(|(name, _)| name == "toolsets").map(|(_, value)| value);
    Selection::parse(&named.unwrap_or_default())
        .map_err(|error| Problem::new(Code::InvalidParameter, error))
}

fn answered(reply: Reply) -> Answer {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let body = reply.body.map(|body| body.to_string()).unwrap_or_default();
    let mut answer = whole(status, "application/json", body);
    let headers = answer.headers_mut();
    if status == StatusCode::ACCEPTED {
        headers.remove(CONTENT_TYPE);
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(pause) = reply.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(pause));
    }
    answer
}

/// This host, as a hub for one caller.
struct Within<'a> {
    service: &'a Service,
    outer: &'a HeaderMap,
    asked: &'a Asked<'a>,
}

impl Hub for Within<'_> {
    async fn call(&self, request: reef_bridge::Request) -> Response {
        let target = match request.target() {
            Ok(target) => target,
            Err(problem) => return Response::of_problem(problem.status, &problem.to_value()),
        };
        let Some((parts, body)) = self.inner(&request, &target) else {
            let problem = BridgeProblem::of_arguments("An argument cannot be sent as a header.");
            return Response::of_problem(problem.status, &problem.to_value());
        };
        read(Box::pin(self.dispatch(parts, body)).await).await
    }
}

impl Within<'_> {
    /// The request as a component gets it; `None` where a key is no header.
    fn inner(&self, request: &reef_bridge::Request, target: &str) -> Option<(Parts, Bytes)> {
        let mut inner = Request::builder().method(request.method.as_str()).uri(target);
        let headers = inner.headers_mut()?;
        for name in TAKEN_OVER {
            if let Some(value) = self.outer.get(&name) {
                headers.insert(name, value.clone());
            }
        }
        let named = [
            ("idempotency-key", &request.idempotency_key),
            ("x-claim-token", &request.claim_token),
        ];
        for (name, value) in named {
            if let Some(value) = value {
                headers.insert(name, HeaderValue::from_str(value).ok()?);
            }
        }
        let body = request.body.as_ref().map(|body| Bytes::from(body.to_string()));
        if body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let (parts, ()) = inner.body(()).ok()?.into_parts();
        Some((parts, body.unwrap_or_default()))
    }

    /// The way of a request to a component.
    async fn dispatch(&self, parts: Parts, body: Bytes) -> Answer {
        let started = Instant::now();
        let (uri, method) = (parts.uri.clone(), parts.method.clone());
        let Some(found) = self.service.routes.find(uri.path()) else {
            return problem::only_a_monitor(self.asked.id_text());
        };
        let endpoint = &found.route().target;
        let Target::Component(component) = &endpoint.target else {
            return problem::no_route(self.asked.id_text());
        };
        let answer = self.service.hand_over(component, &found, parts, &body, self.asked).await;
        if answer.status().is_success() {
            self.service.streams.note_change(&method, uri.path());
        }
        endpoint.metrics.record(&method, answer.status(), started.elapsed());
        answer
    }
}

/// A component's answer, as the bridge reads it.
async fn read(answer: Answer) -> Response {
    let (head, body) = answer.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        Err(error) => {
            tracing::error!(%error, "a component's answer has broken off");
            let problem = BridgeProblem::new(500, "internal", "The answer has broken off.");
            return Response::of_problem(problem.status, &problem.to_value());
        }
    };
    let retry_after = text(&head.headers, RETRY_AFTER.as_str());
    Response {
        status: head.status.as_u16(),
        body,
        retry_after: retry_after.and_then(|seconds| seconds.parse().ok()),
        next_cursor: text(&head.headers, LINK.as_str()).and_then(cursor_of_link),
    }
}
