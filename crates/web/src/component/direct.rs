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
use crate::route::{App, log, request_id};

/// How far a request has come.
pub enum Step {
    /// It is answered.
    Answer(Response),
    /// It goes on when Redis has replied to all of these.
    Ask(Vec<Command>),
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

/// A command's reply, once it is there, and who waits for it.
#[derive(Default)]
struct Slot {
    reply: Option<Result<Vec<Reply>, RedisError>>,
    waker: Option<Waker>,
}

type SharedSlot = Rc<RefCell<Slot>>;

thread_local! {
    static APP: RefCell<Option<Result<Rc<App<Platform>>, String>>> = const { RefCell::new(None) };
    static UNDER_WAY: RefCell<Option<LocalBoxFuture<'static, Response>>> =
        const { RefCell::new(None) };
    /// Commands that the host does not know of yet.
    static ASKED: RefCell<Vec<(SharedSlot, Command)>> = const { RefCell::new(Vec::new()) };
    /// Where the replies belong to what the host was asked for.
    static AWAITED: RefCell<Vec<SharedSlot>> = const { RefCell::new(Vec::new()) };
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
        let slot = SharedSlot::default();
        ASKED.with_borrow_mut(|asked| asked.push((Rc::clone(&slot), command)));
        poll_fn(|context| {
            let mut slot = slot.borrow_mut();
            match slot.reply.take() {
                Some(reply) => Poll::Ready(reply),
                None => {
                    slot.waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
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

/// Goes on with the request under way: the replies to what it has asked for, in that order.
pub fn resume(replies: impl ExactSizeIterator<Item = Result<Vec<u8>, Failure>>) -> Step {
    let awaited = AWAITED.take();
    let Some(under_way) = UNDER_WAY.take().filter(|_| awaited.len() == replies.len()) else {
        return refuse(&Request::default(), "nobody waits for these replies".to_owned());
    };
    for (slot, reply) in awaited.into_iter().zip(replies) {
        let reply = match reply {
            Ok(packed) => unpack_reply(packed)
                .ok_or_else(|| RedisError::Unavailable("its reply could not be read".to_owned())),
            Err(failure) => Err(failure.into()),
        };
        let mut slot = slot.borrow_mut();
        slot.reply = Some(reply);
        // Where several are awaited at once, only those that are woken are looked at.
        if let Some(waker) = slot.waker.take() {
            drop(slot);
            waker.wake();
        }
    }
    go_on(under_way)
}

fn go_on(mut under_way: LocalBoxFuture<'static, Response>) -> Step {
    let done = under_way.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let asked = ASKED.take();
    match done {
        Poll::Ready(response) => Step::Answer(response),
        Poll::Pending if asked.is_empty() => {
            refuse(&Request::default(), "a handler waits for something but Redis".to_owned())
        }
        Poll::Pending => {
            let (awaited, commands) = asked.into_iter().unzip();
            AWAITED.set(awaited);
            UNDER_WAY.set(Some(under_way));
            Step::Ask(commands)
        }
    }
}

fn refuse(request: &Request, reason: String) -> Step {
    let id = request_id(request);
    let problem = Problem::internal(reason);
    if let Some(internal) = &problem.internal {
        log(&id, request, problem.code, internal);
    }
    Step::Answer(problem.into_response(&id).with("x-request-id", id))
}

fn read(head: Vec<u8>, body: Vec<u8>) -> Option<Request> {
    let head = Packed::read(head)?;
    let mut items = head.iter();
    let mut text = || String::from_utf8(items.next()?.to_vec()).ok();
    let (method, target) = (text()?, text()?);
    let headers = Headers::from(items.collect::<Packed>());
    Some(Request { method, target, headers, body })
}
