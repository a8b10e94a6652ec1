//! The adapter to the Reef host (`wit/hub.wit`): a request is a future that the host moves on from
//! one reply of Redis to the next. Nothing else is ever waited for, so there is no executor.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use futures_util::future::LocalBoxFuture;
use reef_domain::shown::in_line;
use reef_store::packed::{Packed, unpack_reply};
use reef_store::{Redis, RedisError, Reply};

use super::{Platform, Routes, load};
use crate::http::{Headers, Request, Response};
use crate::problem::Problem;
use crate::route::{App, request_id};

/// How far a request has come.
pub enum Step {
    /// It is answered.
    Answer(Response),
    /// It goes on when Redis has replied.
    Ask(Command),
}

/// A command for the server at an address: its name and its arguments.
pub struct Command {
    pub address: String,
    pub words: Packed,
}

/// Why a command has no reply.
pub enum Failure {
    /// The manifest does not allow the server.
    NotAllowed,
    /// What the server or the connection said.
    Other(String),
}

impl From<Failure> for RedisError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotAllowed => Self::NotAllowed,
            Failure::Other(text) => Self::from_text(&text),
        }
    }
}

/// What the request under way and the host tell each other.
struct Exchange {
    asked: Option<Command>,
    replied: Option<Result<Vec<Reply>, RedisError>>,
}

thread_local! {
    static APP: RefCell<Option<Result<Rc<App<Platform>>, String>>> = const { RefCell::new(None) };
    static UNDER_WAY: RefCell<Option<LocalBoxFuture<'static, Response>>> =
        const { RefCell::new(None) };
    static EXCHANGE: RefCell<Exchange> = const { RefCell::new(Exchange { asked: None, replied: None }) };
}

/// Redis, asked by returning to the host.
pub struct HostRedis {
    address: String,
}

impl Redis for HostRedis {
    async fn execute(&self, command: &str, args: Vec<Vec<u8>>) -> Result<Vec<Reply>, RedisError> {
        let length = args.iter().map(|arg| 4 + arg.len()).sum::<usize>();
        let mut words = Packed::with_capacity(4 + command.len() + length);
        words.push(command.as_bytes());
        args.iter().for_each(|arg| words.push(arg));
        let command = Command { address: self.address.clone(), words };
        EXCHANGE.set(Exchange { asked: Some(command), replied: None });
        poll_fn(|_| match EXCHANGE.with_borrow_mut(|exchange| exchange.replied.take()) {
            Some(reply) => Poll::Ready(reply),
            None => Poll::Pending,
        })
        .await
    }
}

/// Takes the variables, before the first request.
pub fn start(routes: Routes, variables: Vec<(String, String)>) {
    let variable = |name: &str| {
        let found = variables.iter().find(|(key, _)| key == name);
        found.map_or_else(String::new, |(_, value)| value.clone())
    };
    let redis = |address| Platform::Host(HostRedis { address });
    let app = load(routes, variable, redis).map(Rc::new).map_err(|error| {
        let reason = error.to_string();
        eprintln!("the component's variables cannot be used: {}", in_line(&reason));
        reason
    });
    APP.set(Some(app));
}

/// Takes a request: its head is packed as the interface says.
pub fn handle(head: Vec<u8>, body: Vec<u8>) -> Step {
    let request = read(head, body);
    let app = APP.with_borrow(Clone::clone);
    let app = app.unwrap_or_else(|| Err("the component was not started".to_owned()));
    match (request, app) {
        (Some(request), Ok(app)) => go_on(Box::pin(async move { app.answer(&request).await })),
        (request, Err(reason)) => refuse(&request.unwrap_or_default(), reason),
        (None, _) => refuse(&Request::default(), "the request could not be read".to_owned()),
    }
}

/// Goes on with the request under way.
pub fn resume(reply: Result<Vec<u8>, Failure>) -> Step {
    let reply = match reply {
        Ok(packed) => unpack_reply(packed)
            .ok_or_else(|| RedisError::Unavailable("its reply could not be read".to_owned())),
        Err(failure) => Err(failure.into()),
    };
    EXCHANGE.set(Exchange { asked: None, replied: Some(reply) });
    match UNDER_WAY.take() {
        Some(under_way) => go_on(under_way),
        None => refuse(&Request::default(), "no request is under way".to_owned()),
    }
}

fn go_on(mut under_way: LocalBoxFuture<'static, Response>) -> Step {
    if let Poll::Ready(response) = under_way.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    {
        return Step::Answer(response);
    }
    match EXCHANGE.with_borrow_mut(|exchange| exchange.asked.take()) {
        Some(command) => {
            UNDER_WAY.set(Some(under_way));
            Step::Ask(command)
        }
        None => refuse(&Request::default(), "a handler waits for something but Redis".to_owned()),
    }
}

fn refuse(request: &Request, reason: String) -> Step {
    let id = request_id(request);
    Step::Answer(Problem::internal(reason).into_response(&id).with("x-request-id", id))
}

fn read(head: Vec<u8>, body: Vec<u8>) -> Option<Request> {
    let head = Packed::read(head)?;
    let mut items = head.iter();
    let mut text = || String::from_utf8(items.next()?.to_vec()).ok();
    let (method, target) = (text()?, text()?);
    let headers = Headers::from(items.collect::<Packed>());
    Some(Request { method, target, headers, body })
}
