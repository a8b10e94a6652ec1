//! One request: routing, limits, the call into a component.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::EXPECT;
use http::request::Parts;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use reef_runtime::{Body, CallError, Component};
use reef_web::auth::Access;
use reef_web::{Code, Problem};

use super::body::{BodyReader, Unread};
use super::headers::{self, request_id_text};
use super::own::{Own, OwnRoutes};
use super::ui_session::{self, UiSessions};
use super::{Answer, AnswerBody, X_REQUEST_ID, problem, streams, whole};
use crate::long_poll::{LongPolls, Wait};
use crate::manifest::StaticResponse;
use crate::manifest::routes::{RouteMatch, Routes};
use crate::metrics::RouteMetrics;
use crate::sse::{EventStreams, Feed};

/// Answers requests.
#[derive(Debug)]
pub(crate) struct Service {
    routes: Routes<Endpoint>,
    own: OwnRoutes,
    streams: Arc<EventStreams>,
    long_polls: LongPolls,
    sessions: UiSessions,
    bodies: BodyReader,
    own_metrics: RouteMetrics,
    message_metrics: RouteMetrics,
    events_metrics: RouteMetrics,
    unknown_metrics: RouteMetrics,
}

/// What lies behind a route of the manifest.
#[derive(Debug)]
pub(crate) struct Endpoint {
    /// What answers.
    pub(crate) target: Target,
    /// Counts the answers.
    pub(crate) metrics: RouteMetrics,
}

/// What answers.
#[derive(Debug)]
pub(crate) enum Target {
    /// A component.
    Component(Component),
    /// Always the same.
    Static(StaticResponse),
}

/// The request cannot be answered, because its client does not keep to HTTP or is gone; the
/// connection is closed.
#[derive(Debug, thiserror::Error)]
#[error("the request's body could not be read")]
pub(crate) struct Unanswerable;

impl Service {
    /// Over the manifest's routes and the host's own.
    pub(crate) fn new(
        routes: Routes<Endpoint>,
        own: OwnRoutes,
        streams: Arc<EventStreams>,
        long_polls: LongPolls,
    ) -> Self {
        Self {
            routes,
            own,
            sessions: UiSessions::new(streams.config().clone()),
            streams,
            long_polls,
            bodies: BodyReader::new(),
            own_metrics: RouteMetrics::new("own"),
            message_metrics: RouteMetrics::new("/api/v1/sessions/:sid/messages/:mid/stream"),
            events_metrics: RouteMetrics::new("/api/v1/events/stream"),
            unknown_metrics: RouteMetrics::new("unknown"),
        }
    }

    /// The manifest's routes.
    pub(crate) fn routes(&self) -> &Routes<Endpoint> {
        &self.routes
    }

    /// Answers one request.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Answer, Unanswerable> {
        let started = Instant::now();
        let method = request.method().clone();
        let (mut parts, incoming) = request.into_parts();
        let id = headers::settle_request_id(&mut parts.headers);
        self.sessions.settle(&method, &mut parts.headers);

        let (mut answer, metrics) = if let Some(own) = Own::of(parts.uri.path()) {
            let answer = match self.admit(own, &parts).await {
                Ok(()) => self.own.answer(own, &method, request_id_text(&id)).await,
                Err(problem) => problem::answer(problem, request_id_text(&id)),
            };
            (answer, &self.own_metrics)
        } else if parts.uri.path() == ui_session::PATH {
            let answer = self.sessions.answer(&self.streams, &parts, request_id_text(&id)).await;
            (answer, &self.own_metrics)
        } else if let Some(feed) = EventStreams::find(parts.uri.path()) {
            let metrics = match feed {
                Ok(Feed::Cluster) => &self.events_metrics,
                _ => &self.message_metrics,
            };
            let answer = streams::answer(&self.streams, feed, &parts, request_id_text(&id)).await;
            (answer, metrics)
        } else {
            // The match borrows from the path, and the parts go to the component.
            let uri = parts.uri.clone();
            match self.routes.find(uri.path()) {
                Some(found) => {
                    let answer = self.endpoint(&found, parts, incoming, &id, peer).await?;
                    (answer, &found.route().target.metrics)
                }
                None if self.routes.iter().next().is_none() => {
                    (problem::only_a_monitor(request_id_text(&id)), &self.unknown_metrics)
                }
                None => (problem::no_route(request_id_text(&id)), &self.unknown_metrics),
            }
        };

        let answer_headers = answer.headers_mut();
        if !answer_headers.contains_key(X_REQUEST_ID) {
            answer_headers.insert(X_REQUEST_ID, id);
        }
        metrics.record(&method, answer.status(), started.elapsed());
        Ok(answer)
    }

    /// Whether the caller may see one of the host's own routes.
    async fn admit(&self, own: Own<'_>, parts: &Parts) -> Result<(), Problem> {
        if own.is_open() {
            return Ok(());
        }
        let caller = self.streams.identify(&streams::plain(parts)).await?;
        caller.authorize(Access::Read, self.streams.config().auth_mode)
    }

    /// Answers what a route of the manifest takes.
    async fn endpoint(
        &self,
        found: &RouteMatch<'_, '_, Endpoint>,
        mut parts: Parts,
        incoming: Incoming,
        id: &HeaderValue,
        peer: SocketAddr,
    ) -> Result<Answer, Unanswerable> {
        let component = match &found.route().target.target {
            Target::Component(component) => component,
            Target::Static(fixed) => return Ok(static_answer(fixed)),
        };
        let waits = parts.headers.contains_key(EXPECT);
        let body = match self.bodies.read(incoming, waits).await {
            Ok(body) => body,
            Err(Unread::TooLarge) => return Ok(problem::too_large(request_id_text(id))),
            Err(Unread::NoRoom) => return Ok(problem::overloaded(request_id_text(id))),
            Err(Unread::Broken) => return Err(Unanswerable),
        };
        headers::strip(&mut parts.headers);
        if !component.is_direct() {
            headers::add_spins(&mut parts.headers, &parts.uri, found, peer);
        }
        let answer = match Wait::of(&parts, &body.bytes) {
            None => {
                let request = Request::from_parts(parts, body.bytes.clone());
                component.handle(request).await
            }
            Some(wait) => {
                let ask = || async {
                    let request = Request::from_parts(parts.clone(), body.bytes.clone());
                    collected(component.handle(request).await?).await
                };
                let answer = self.long_polls.answer(&wait, ask).await;
                answer.map(|answer| answer.map(|bytes| Body::Full(Full::new(bytes))))
            }
        };
        Ok(match answer {
            Ok(answer) => answer.map(AnswerBody::Whole),
            Err(error) => call_failed(component, &error, request_id_text(id)),
        })
    }
}

/// A component's answer with all of its body.
async fn collected(answer: Response<Body>) -> Result<Response<Bytes>, CallError> {
    let (head, body) = answer.into_parts();
    let body = body.collect().await.map_err(|error| CallError::BadResponse(error.to_string()))?;
    Ok(Response::from_parts(head, body.to_bytes()))
}

fn static_answer(fixed: &StaticResponse) -> Answer {
    let mut answer = whole(fixed.status, "text/plain; charset=utf-8", fixed.body.clone());
    answer.headers_mut().extend(fixed.headers.clone());
    answer
}

/// The details go into the log, under the id that the answer carries.
fn call_failed(component: &Component, error: &CallError, request_id: &str) -> Answer {
    tracing::error!(component = component.id(), request_id, %error, "a call has failed");
    let problem = match error {
        CallError::Deadline => {
            Problem::new(Code::DeadlineExceeded, "The request took longer than it may.")
        }
        CallError::Overloaded => return problem::overloaded(request_id),
        CallError::Trap(_) | CallError::BadResponse(_) => Problem::internal(error.to_string()),
    };
    problem::answer(problem, request_id)
}
