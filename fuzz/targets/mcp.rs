//! Messages of MCP with their headers, arguments of tools, and what a hub answers: whatever they are,
//! there is one answer in the protocol's form, and no request leaves the place that it is meant for.
#![no_main]

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use libfuzzer_sys::fuzz_target;
use reef_api::agent::Scope;
use reef_api::word::Word as _;
use reef_bridge::mcp::{Headers, Reef, Transport, answer};
use reef_bridge::tools::{self, Selection};
use reef_bridge::{Caller, Hub, Request, Response};
use serde_json::{Value, json};

/// More than any tool asks of a hub, with the renewals before and after it.
const REQUESTS_MAX: usize = 12;

/// A hub that answers alike whatever it is asked, but for whose key it is.
struct Fixed<'a> {
    answer: &'a [u8],
    asked: Mutex<Cell<usize>>,
}

impl Hub for Fixed<'_> {
    async fn call(&self, request: Request) -> Response {
        let asked = self.asked.lock().unwrap();
        asked.set(asked.get() + 1);
        assert!(asked.get() <= REQUESTS_MAX, "{request:?}");
        if let Ok(target) = request.target() {
            let path = target.split_once('?').map_or(&*target, |(path, _)| path);
            assert_eq!(path.matches('/').count(), 2 + request.path.len(), "{target}");
            assert!(path.starts_with("/api/v1/") && !path.contains("/../"), "{target}");
        }
        if request.path == ["auth", "me"] {
            let me = json!({"auth": {"agent_id": "alice", "scopes": Scope::names()}});
            let body = me.to_string().into_bytes();
            return Response { status: 200, body, ..Response::default() };
        }
        let (status, body) = self.answer.split_at_checked(3).unwrap_or_default();
        let status = std::str::from_utf8(status).ok().and_then(|text| text.parse().ok());
        Response { status: status.unwrap_or(200), body: body.to_vec(), ..Response::default() }
    }
}

/// Nothing here waits for anything, so that the first poll is the last.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

// A line with the headers, a line with a hub's answer, and the message.
fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.splitn(3, |byte| *byte == b'\n');
    let [names, hub_says, message] = [(); 3].map(|()| lines.next().unwrap_or_default());
    let names = String::from_utf8_lossy(names);
    let mut names = names.split('\t').map(|name| Some(name).filter(|name| !name.is_empty()));
    let [version, method, name] = [(); 3].map(|()| names.next().flatten());
    let hub = || Fixed { answer: hub_says, asked: Mutex::default() };
    let selection = Selection::parse("all").unwrap();
    let read: Option<Value> = serde_json::from_slice(message).ok();
    for transport in [Transport::Http(Headers { version, method, name }), Transport::Pipe] {
        let reply = now(answer(&Reef::new(hub(), selection.clone()), transport, message));
        assert!(matches!(reply.status, 200 | 202 | 400 | 404) && reply.admitted, "{reply:?}");
        let Some(body) = &reply.body else {
            assert_eq!(reply.status, 202);
            continue;
        };
        assert_eq!(body["jsonrpc"], "2.0");
        assert!(body.get("result").is_some() != body.get("error").is_some(), "{body}");
        let sent = read.as_ref().and_then(|read| read.get("id"));
        let id = sent.filter(|id| id.is_string() || id.is_number());
        assert_eq!(body["id"], *id.unwrap_or(&Value::Null));
    }
    let Some(Value::Object(arguments)) = read else { return };
    let mut caller = Caller::default().with_scopes(Scope::ALL.iter().copied());
    caller.agent = Some("alice".to_owned());
    for tool in tools::all() {
        let (hub, name) = (hub(), tool.about.name);
        let called = tools::call(&hub, &caller, &selection, name, arguments.clone());
        let outcome = now(called).unwrap();
        assert_eq!(outcome.failure.is_some(), outcome.value.contains_key("problem"));
    }
});
