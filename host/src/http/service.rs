//! One request: routing, limits, the call into a component.

mod mcp;
mod relayed;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONNECTION, ORIGIN, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Incoming};
use reef_runtime::{Body, CallError, Component};
use reef_web::auth::{Access, Caller};
use reef_web::config::AuthMode;
use reef_web::{Code, Problem, cors, edge};

use super::body::{BodyReader, Sender, WholeBody};
use super::client::{self, Client};
use super::connections::{Room, UnderWay};
use super::durability::{Durable, Write};
use super::headers::{self, request_id_text};
use super::hosts::{self, Hosts};
use super::own::{Own, OwnRoutes};
use super::peers::{Outcome, Peers, Standing};
use super::relay::Relay;
use super::shares::{self, Shares};
use super::sign_in_link;
use super::stall;
use super::ui_session::{self, Settled, UiSessions, acting};
use super::{Answer, AnswerBody, X_REQUEST_ID, problem, streams, whole};
use crate::long_poll::LongPolls;
use crate::manifest::StaticResponse;
use crate::manifest::routes::{RouteMatch, Routes};
use crate::metrics::{self, Refusal, RouteMetrics};
use crate::sse::{EventStreams, Feed, Visitor};

/// Answers requests.
#[derive(Debug)]
pub(crate) struct Service {
    routes: Routes<Endpoint>,
    own: OwnRoutes,
    streams: Arc<EventStreams>,
    long_polls: LongPolls,
    /// Where what no component here answers goes.
    relay: Option<Relay>,
    sessions: UiSessions,
    hosts: Hosts,
    peers: Peers,
    shares: Arc<Shares>,
    bodies: BodyReader,
    durable: Durable,
    own_metrics: RouteMetrics,
    mcp_metrics: RouteMetrics,
    message_metrics: RouteMetrics,
    log_metrics: RouteMetrics,
    events_metrics: RouteMetrics,
    relay_metrics: RouteMetrics,
    unknown_metrics: RouteMetrics,
}

/// What lies behind a route of the manifest.
#[derive(Debug)]
pub(crate) struct Endpoint {
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

/// What a request is told, and under which route it is counted.
type Counted<'s> = (Answer, &'s RouteMetrics);

impl Service {
    /// Over the manifest's routes and the host's own; `hosts` says by which hosts it is called.
    pub(crate) fn new(
        routes: Routes<Endpoint>,
        own: OwnRoutes,
        streams: Arc<EventStreams>,
        long_polls: LongPolls,
        (hosts, relay): (Hosts, Option<Relay>),
    ) -> Self {
        Self {
            routes,
            own,
            sessions: UiSessions::new(streams.config().clone()),
            peers: Peers::new(streams.config().anonymous_rate),
            shares: Shares::new(cores()),
            hosts,
            durable: Durable::new(streams.config().durability, &streams.config().settings.keys),
            streams,
            long_polls,
            relay,
            bodies: BodyReader::default(),
            own_metrics: RouteMetrics::new("own"),
            mcp_metrics: RouteMetrics::new(mcp::PATH),
            message_metrics: RouteMetrics::new("/api/v1/sessions/:sid/messages/:mid/stream"),
            log_metrics: RouteMetrics::new("/api/v1/tasks/:id/log/stream"),
            events_metrics: RouteMetrics::new("/api/v1/events/stream"),
            relay_metrics: RouteMetrics::new("relayed"),
            unknown_metrics: RouteMetrics::new("unknown"),
        }
    }

    /// The manifest's routes.
    pub(crate) fn routes(&self) -> &Routes<Endpoint> {
        &self.routes
    }

    /// What lets the requests of a client act by its certificate, which goes by this name.
    pub(crate) fn credential_of(&self, name: &str) -> Option<HeaderValue> {
        client::credential_of(self.streams.config().admin_key.as_deref(), name)
    }

    /// Answers one request.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        client: &Client,
        under_way: &UnderWay,
    ) -> Answer {
        let started = Instant::now();
        let (mut parts, mut incoming) = request.into_parts();
        let method = parts.method.clone();
        let is_h2 = parts.version == Version::HTTP_2;
        let id = headers::settle_request_id(&mut parts.headers);
        let origin = parts.headers.get(ORIGIN).cloned();
        let has_body = !incoming.is_end_stream();
        let mut asked = Asked {
            id: &id,
            client,
            under_way,
            has_body,
            caller: shares::Caller::Peer(under_way.peer()),
        };
        let (mut answer, metrics) = self.dispatch(parts, &mut incoming, &mut asked).await;
        if is_h2 {
            // There it means nothing.
            answer.headers_mut().remove(CONNECTION);
            stall::hear_out(incoming);
        } else if has_body {
            let is_last = answer.headers().get(CONNECTION).is_some_and(|value| value == "close");
            // A connection on which something is left to read is closed after the answer; a client
            // that is not told so sends its next request over it.
            if is_last || !stall::is_read_out(&mut incoming).await {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                under_way.linger();
            }
        }
        self.finish(&mut answer, id, origin.as_ref());
        metrics.record(&method, answer.status(), started.elapsed());
        answer
    }

    /// What every answer says.
    fn finish(&self, answer: &mut Answer, id: HeaderValue, origin: Option<&HeaderValue>) {
        let headers = answer.headers_mut();
        headers.entry(X_REQUEST_ID).or_insert(id);
        headers.entry(X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
        // What the hub says holds for a moment and one caller, unless a route knows better.
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        let config = self.streams.config();
        if !config.cors_origins.is_empty() {
            let origin = origin.and_then(|origin| origin.to_str().ok());
            problem::insert(headers, cors::headers(config, origin));
        }
    }

    async fn dispatch(
        &self,
        mut parts: Parts,
        incoming: &mut Incoming,
        asked: &mut Asked<'_>,
    ) -> Counted<'_> {
        if let Err(refused) = self.hosts.check(self.streams.config(), &mut parts) {
            let reason = match refused.code {
                Code::Misdirected => Refusal::Host,
                Code::Forbidden => Refusal::Origin,
                _ => Refusal::Malformed,
            };
            return (asked.refuse(reason, refused), &self.unknown_metrics);
        }
        if let Some(answer) = self.preflight(&parts) {
            return (answer, &self.unknown_metrics);
        }
        let settled = client::refuse_stand_ins(&parts.headers)
            .and_then(|()| self.sessions.settle(&mut parts, asked.client.is_tls));
        let settled = match settled {
            Ok(settled) => settled,
            Err(refused) => return (asked.refuse(Refusal::Page, refused), &self.unknown_metrics),
        };
        asked.client.vouch(&mut parts.headers);
        let own = Own::of(parts.uri.path());
        if let Some(own) = own.filter(|own| own.is_open()) {
            // These cost little and say that the hub is there, so they are answered in any case.
            let room = asked.under_way.stay_nameless();
            let mut answer = Box::pin(self.own.answer(own, &parts, asked.id_text())).await;
            if room == Room::None || !incoming.is_end_stream() {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            return (answer, &self.own_metrics);
        }
        let peer = asked.under_way.peer();
        let standing = match self.peers.admit(peer, &parts.headers) {
            Ok(standing) => standing,
            Err(refused) => return (asked.refuse(Refusal::Rate, refused), &self.unknown_metrics),
        };
        asked.caller = shares::Caller::of(standing, peer);
        let room = match standing {
            Standing::Anonymous => asked.under_way.stay_nameless(),
            Standing::Unproven(_) => Room::Found,
            Standing::Proven(_) => {
                asked.under_way.name();
                Room::Found
            }
        };
        if room == Room::None {
            return (asked.refuse(Refusal::Connections, problem::no_room()), &self.unknown_metrics);
        }
        let (mut answer, metrics, looks_at_key) =
            self.route(parts, incoming, &settled, asked).await;
        let outcome = match answer.status() {
            StatusCode::UNAUTHORIZED => Outcome::Refused,
            status if status.is_success() && looks_at_key => Outcome::Good,
            _ => Outcome::Unknown,
        };
        self.peers.settle(peer, standing, outcome);
        if let Standing::Unproven(_) = standing {
            if outcome == Outcome::Good {
                asked.under_way.name();
            } else if asked.under_way.stay_nameless() == Room::None {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
        }
        settled.renew(&mut answer);
        (answer, metrics)
    }

    /// The answer to a browser's question whether it may send a request.
    fn preflight(&self, parts: &Parts) -> Option<Answer> {
        if parts.method != Method::OPTIONS {
            return None;
        }
        let header = |name: &str| hosts::text(&parts.headers, name);
        let asked = header("access-control-request-method");
        let config = self.streams.config();
        let headers = cors::preflight(config, "OPTIONS", header("origin"), asked)?;
        let mut answer = Response::new(AnswerBody::whole(""));
        *answer.status_mut() = StatusCode::NO_CONTENT;
        problem::insert(answer.headers_mut(), headers);
        Some(answer)
    }

    /// Answers a request that was let in; and says whether a success proves that its key is good.
    async fn route(
        &self,
        parts: Parts,
        incoming: &mut Incoming,
        settled: &Settled,
        asked: &Asked<'_>,
    ) -> (Answer, &RouteMetrics, bool) {
        let id = asked.id_text();
        if let Some(own) = Own::of(parts.uri.path()) {
            let _turn = self.shares.take(asked.caller).await;
            let answer = match Box::pin(self.admit(&parts, own.access())).await {
                Ok(()) => Box::pin(self.own.answer(own, &parts, id)).await,
                Err(problem) => problem::answer(problem, id),
            };
            (answer, &self.own_metrics, true)
        } else if parts.uri.path() == ui_session::PATH {
            // A link's code is no key that could come again.
            let is_link = sign_in_link::code_of(&parts.headers).is_some();
            let looks_at_key = parts.method == Method::POST && !is_link;
            let is_tls = asked.client.is_tls;
            let answer = self.sessions.answer(&self.streams, &parts, &settled.cookies, is_tls, id);
            (Box::pin(answer).await, &self.own_metrics, looks_at_key)
        } else if parts.uri.path() == acting::PATH {
            let answer = Box::pin(self.answer_act(&parts, incoming, settled, asked)).await;
            (answer, &self.own_metrics, false)
        } else if parts.uri.path() == sign_in_link::PATH {
            let answer = Box::pin(self.sessions.answer_link(&self.streams, &parts, id)).await;
            (answer, &self.own_metrics, true)
        } else if parts.uri.path() == mcp::PATH {
            let (answer, looks_at_key) = Box::pin(self.answer_mcp(parts, incoming, asked)).await;
            (answer, &self.mcp_metrics, looks_at_key)
        } else if let Some(feed) = EventStreams::find(parts.uri.path()) {
            let metrics = match feed {
                Ok(Feed::Cluster) => &self.events_metrics,
                Ok(Feed::Log { .. }) => &self.log_metrics,
                _ => &self.message_metrics,
            };
            // To find where a stream begins takes as much as other requests do; to follow it, little.
            let _turn = self.shares.take(asked.caller).await;
            let visitor = Visitor { peer: asked.under_way.peer(), leaves_in: settled.leaves_in };
            // What is rare has its future elsewhere, so that those of all other requests are small.
            let answer = Box::pin(streams::answer(&self.streams, feed, &parts, visitor, id)).await;
            (answer, metrics, true)
        } else if let Some(relay) = self.relay.as_ref().filter(|_| Relay::has(parts.uri.path())) {
            let passed_on = self.relay(relay, parts, incoming, asked);
            let (answer, looks_at_key) = Box::pin(passed_on).await;
            (answer, &self.relay_metrics, looks_at_key)
        } else {
            // The match borrows from the path, and the parts go to the component.
            let uri = parts.uri.clone();
            match self.routes.find(uri.path()) {
                Some(found) => {
                    let is_asked = matches!(found.route().target.target, Target::Component(_))
                        && parts.method != Method::OPTIONS;
                    let method = parts.method.clone();
                    let answer = self.endpoint(&found, parts, incoming, asked).await;
                    if answer.status().is_success() {
                        self.streams.note_change(&method, uri.path());
                    }
                    (answer, &found.route().target.metrics, is_asked)
                }
                None if self.routes.iter().next().is_none() => {
                    (problem::only_a_monitor(id), &self.unknown_metrics, false)
                }
                None => (problem::no_route(id), &self.unknown_metrics, false),
            }
        }
    }

    /// Gives a page the right to act, shows it, and takes it away.
    async fn answer_act(
        &self,
        parts: &Parts,
        incoming: &mut Incoming,
        settled: &Settled,
        asked: &Asked<'_>,
    ) -> Answer {
        let (id, of) = (asked.id_text(), (&settled.cookies, asked.client.is_tls));
        match self.read_body(incoming, acting::BODY_BYTES_MAX, parts, asked).await {
            Ok(body) => self.sessions.answer_act(&self.streams, parts, &body.bytes, of, id).await,
            Err(refused) => asked.refuse(Refusal::Body, refused),
        }
    }

    /// Whether the caller may see one of the host's own routes that is not open to all.
    async fn admit(&self, parts: &Parts, access: Access) -> Result<(), Problem> {
        let caller = self.streams.identify(&streams::plain(parts)).await?;
        caller.authorize(access, self.streams.config().auth_mode)
    }

    /// Answers what a route of the manifest takes.
    async fn endpoint(
        &self,
        found: &RouteMatch<'_, '_, Endpoint>,
        parts: Parts,
        incoming: &mut Incoming,
        asked: &Asked<'_>,
    ) -> Answer {
        let component = match &found.route().target.target {
            Target::Component(component) => component,
            Target::Static(fixed) => return static_answer(fixed),
        };
        let most = edge::body_max(parts.method.as_str(), parts.uri.path());
        match self.read_body(incoming, most, &parts, asked).await {
            Ok(body) => self.hand_over(component, found, parts, &body.bytes, asked).await,
            Err(refused) => asked.refuse(Refusal::Body, refused),
        }
    }

    async fn read_body(
        &self,
        incoming: &mut Incoming,
        most: usize,
        parts: &Parts,
        asked: &Asked<'_>,
    ) -> Result<WholeBody, Problem> {
        let sender = || Box::pin(self.sender(parts, asked));
        self.bodies.read(incoming, most, sender).await
    }

    /// Calls a component, more than once if the request waits for something.
    async fn hand_over(
        &self,
        component: &Component,
        found: &RouteMatch<'_, '_, Endpoint>,
        mut parts: Parts,
        body: &Bytes,
        asked: &Asked<'_>,
    ) -> Answer {
        let waiter = self.long_polls.holder(&parts, body, asked.under_way.peer());
        let is_about_durability = Durable::is_asked(&parts);
        let mut write = self.durable.begin(&mut parts);
        headers::strip(&mut parts.headers);
        if component.is_direct() {
            headers::add_address(&mut parts.headers, asked.client.address);
        } else {
            headers::add_spins(&mut parts.headers, &parts.uri, found, asked.client);
        }
        let answer = match waiter {
            None => {
                let _turn = self.shares.take(asked.caller).await;
                let request = Request::from_parts(parts, body.clone());
                component.handle_noting(request, write.as_ref().map(Write::touched)).await
            }
            Some(Err(refused)) => return asked.refuse(Refusal::Waits, refused),
            Some(Ok((wait, _place))) => {
                let ask = || async {
                    let _turn = self.shares.take(asked.caller).await;
                    let request = Request::from_parts(parts.clone(), body.clone());
                    let touched = write.as_ref().map(Write::touched);
                    collected(component.handle_noting(request, touched).await?).await
                };
                let answer = Box::pin(self.long_polls.answer(&wait, ask)).await;
                write.iter_mut().for_each(Write::has_waited);
                answer.map(|answer| answer.map(|bytes| Body::Full(Full::new(bytes))))
            }
        };
        let answer = match answer {
            Ok(answer) => answer.map(AnswerBody::Whole),
            Err(error) => return call_failed(component, &error, asked.id_text()),
        };
        match write {
            Some(write) => self.durable.finish(write, answer, asked.id_text()).await,
            None if is_about_durability => {
                let redis = self.streams.store().redis();
                Box::pin(self.durable.tell(redis, answer, asked.id_text())).await
            }
            None => answer,
        }
    }

    /// Whose a large body is; only those who may send anything send a large one.
    async fn sender(&self, parts: &Parts, asked: &Asked<'_>) -> Result<Sender, Problem> {
        match self.streams.recognize(&streams::plain(parts)).await? {
            Caller::Admin => Ok(Sender::Admin),
            Caller::Agent(agent) => Ok(Sender::Agent(agent.agent_id)),
            Caller::Invited(_) => Ok(Sender::Peer(asked.under_way.peer())),
            Caller::Anonymous if self.streams.config().auth_mode == AuthMode::Open => {
                Ok(Sender::Peer(asked.under_way.peer()))
            }
            Caller::Anonymous => {
                Err(Problem::new(Code::Unauthenticated, "A body of this size needs a key."))
            }
        }
    }
}

/// What is known of a request beside what it says.
struct Asked<'a> {
    id: &'a HeaderValue,
    client: &'a Client,
    under_way: &'a UnderWay,
    has_body: bool,
    /// Whose share of the requests under way it takes.
    caller: shares::Caller,
}

impl Asked<'_> {
    fn id_text(&self) -> &str {
        request_id_text(self.id)
    }

    /// Answers with a problem, and leaves the body unread.
    fn leave(&self, problem: Problem) -> Answer {
        if self.has_body {
            problem::last_answer(problem, self.id_text())
        } else {
            problem::answer(problem, self.id_text())
        }
    }

    /// Refuses the request. Where it has a body, that is left unread, and the connection cannot be
    /// used again.
    fn refuse(&self, reason: Refusal, problem: Problem) -> Answer {
        metrics::refusal(reason).increment(1);
        if reason == Refusal::Connections {
            problem::last_answer(problem, self.id_text())
        } else {
            self.leave(problem)
        }
    }
}

/// A component's answer with all of its body.
async fn collected(answer: Response<Body>) -> Result<Response<Bytes>, CallError> {
    let (head, body) = answer.into_parts();
    let body = body.collect().await.map_err(|error| CallError::BadResponse(error.to_string()))?;
    Ok(Response::from_parts(head, body.to_bytes()))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
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
