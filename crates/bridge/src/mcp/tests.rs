use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use serde_json::{Value, json};

use super::*;
use crate::tools::{self, Selection};
use crate::{Caller, Hub, Request, Response};

/// A hub that answers at once and remembers what it was asked.
struct Fixed {
    answers: fn(&Request) -> (u16, Value),
    asked: Mutex<Vec<Request>>,
}

impl Hub for Fixed {
    async fn call(&self, request: Request) -> Response {
        let (status, body) = (self.answers)(&request);
        self.asked.lock().unwrap().push(request);
        Response { status, body: body.to_string().into_bytes(), ..Response::default() }
    }
}

fn is(request: &Request, path: &str) -> bool {
    request.path.join("/") == path
}

/// Alice, with all scopes but admin; her claim of t2 was lost.
fn alice(request: &Request) -> (u16, Value) {
    let me = json!({"auth": {"agent_id": "alice", "scopes": ["read", "write", "trade"]}});
    if is(request, "auth/me") {
        (200, me)
    } else if is(request, "nodes/alice/heartbeat") {
        let claims = json!([{"task_id": "t1", "lease_expires_in_ms": 900_000}]);
        let lost = json!([{"task_id": "t2", "reason": "lease_expired"}]);
        (200, json!({"claims": claims, "lost_claims": lost, "inbox": 2, "next_heartbeat_ms": 1}))
    } else if is(request, "tasks/claim") {
        (200, json!({"tasks": [{"task_id": "t1", "token": "x"}]}))
    } else if is(request, "tasks/t2/progress") {
        (409, json!({"code": "fenced", "detail": "Not yours any more.", "status": 409}))
    } else {
        (404, json!({"code": "not_found", "detail": "Nothing there.", "status": 404}))
    }
}

fn stranger(_: &Request) -> (u16, Value) {
    (401, json!({"code": "unauthenticated", "detail": "Send a key.", "status": 401}))
}

/// Nothing here waits for anything, so that the first poll is the last.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn ask(answers: fn(&Request) -> (u16, Value), transport: Transport<'_>, message: &[u8]) -> Reply {
    let hub = Fixed { answers, asked: Mutex::default() };
    now(answer(&Reef::new(hub, Selection::default()), transport, message))
}

fn handshake(message: &Value) -> Reply {
    ask(alice, Transport::Http(Headers::default()), message.to_string().as_bytes())
}

fn stateless(method: &str, mut params: Value) -> Reply {
    params["_meta"] = meta();
    let message = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
    let name = params["name"].as_str().or(params["uri"].as_str());
    let headers = Headers { version: Some(LATEST), method: Some(method), name };
    ask(alice, Transport::Http(headers), message.to_string().as_bytes())
}

fn meta() -> Value {
    json!({"io.modelcontextprotocol/protocolVersion": LATEST,
        "io.modelcontextprotocol/clientCapabilities": {}})
}

fn code(reply: &Reply) -> (u16, i64) {
    let body = reply.body.as_ref().unwrap();
    (reply.status, body["error"]["code"].as_i64().unwrap_or_default())
}

#[test]
fn a_client_of_any_revision_is_greeted_in_its_own() {
    for (asked, spoken) in
        [("2025-11-25", "2025-11-25"), ("2024-11-05", "2024-11-05"), ("2099-01-01", "2025-11-25")]
    {
        let reply = handshake(&json!({"jsonrpc": "2.0", "id": "a", "method": "initialize",
            "params": {"protocolVersion": asked, "capabilities": {}, "clientInfo": {}}}));
        let result = &reply.body.unwrap()["result"];
        assert_eq!(result["protocolVersion"], spoken);
        assert!(result.get("resultType").is_none() && result["serverInfo"]["name"] == "reef");
    }
    let reply = stateless("server/discover", json!({}));
    let result = &reply.body.unwrap()["result"];
    assert_eq!(result["supportedVersions"][0], LATEST);
    assert_eq!(
        (&result["resultType"], &result["cacheScope"]),
        (&json!("complete"), &json!("private"))
    );
    let note = handshake(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    assert_eq!((note.status, note.body), (202, None));
}

#[test]
fn what_is_no_request_is_told_so() {
    let raw = |text: &str| code(&ask(alice, Transport::Http(Headers::default()), text.as_bytes()));
    assert_eq!(raw("nonsense"), (400, -32700));
    for bad in [
        "[]",
        r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
        "7",
        r#"{"id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":5}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
    ] {
        assert_eq!(raw(bad), (400, -32600), "{bad}");
    }
    assert_eq!(raw(r#"{"jsonrpc":"2.0","id":1,"method":"no/such"}"#), (200, -32601));
    assert_eq!(code(&stateless("no/such", json!({}))), (404, -32601));
    assert_eq!(code(&stateless("initialize", json!({}))), (404, -32601));
    assert_eq!(code(&stateless("tools/call", json!({"name": "no_such"}))), (200, -32602));
}

#[test]
fn headers_must_say_what_the_body_says() {
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "get_täsk", "_meta": meta()}});
    let send = |version: Option<&str>, method: Option<&str>, name: Option<&str>| {
        let headers = Headers { version, method, name };
        code(&ask(alice, Transport::Http(headers), message.to_string().as_bytes()))
    };
    let (version, method) = (Some(LATEST), Some("tools/call"));
    // Let through: there is no such tool.
    assert_eq!(send(version, method, Some(" get_täsk ")), (200, -32602));
    assert_eq!(send(version, method, Some("=?base64?Z2V0X3TDpHNr?=")), (200, -32602));
    for (version, method, name) in [
        (None, method, Some("get_täsk")),
        (Some("2025-11-25"), method, Some("get_täsk")),
        (version, None, Some("get_täsk")),
        (version, Some("TOOLS/CALL"), Some("get_täsk")),
        (version, method, None),
        (version, method, Some("other")),
    ] {
        assert_eq!(send(version, method, name), (400, -32020), "{version:?} {method:?} {name:?}");
    }
}

#[test]
fn a_request_that_stands_for_itself_says_who_speaks_and_how() {
    let send = |meta: Value, version: &str| {
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": "server/discover",
            "params": {"_meta": meta}});
        let method = Some("server/discover");
        let headers = Headers { version: Some(version), method, name: None };
        ask(alice, Transport::Http(headers), message.to_string().as_bytes())
    };
    let version = "io.modelcontextprotocol/protocolVersion";
    let capabilities = "io.modelcontextprotocol/clientCapabilities";
    assert_eq!(code(&send(Value::Null, LATEST)), (400, -32602));
    assert_eq!(code(&send(json!({capabilities: {}}), LATEST)), (400, -32602));
    assert_eq!(code(&send(json!({version: LATEST}), LATEST)), (400, -32602));
    let newer = send(json!({version: "2030-01-01", capabilities: {}}), "2030-01-01");
    assert_eq!(code(&newer), (400, -32022));
    assert_eq!(newer.body.unwrap()["error"]["data"]["requested"], "2030-01-01");
}

#[test]
fn nobody_hears_anything_without_a_key_over_http() {
    let message = br#"{"jsonrpc":"2.0","id":3,"method":"ping"}"#;
    let refused = ask(stranger, Transport::Http(Headers::default()), message);
    assert!(refused.status == 401 && !refused.admitted);
    assert_eq!(refused.body.unwrap()["id"], 3);
    assert_eq!(ask(stranger, Transport::Pipe, message).body.unwrap()["result"], json!({}));
    let list = br#"{"jsonrpc":"2.0","id":3,"method":"tools/list"}"#;
    assert_eq!(code(&ask(stranger, Transport::Pipe, list)).1, -32603);
}

#[test]
fn a_call_says_how_long_claims_hold_and_what_was_lost() {
    let claimed = stateless("tools/call", json!({"name": "claim_task", "arguments": {}}));
    let result = &claimed.body.unwrap()["result"];
    let content = &result["structuredContent"];
    assert_eq!(content["tasks"][0]["lease_expires_in_ms"], 900_000);
    assert_eq!(content["agent"]["lost_claims"][0]["task_id"], "t2");
    assert_eq!(content["agent"]["unread"], 2);
    let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, *content);

    let arguments = json!({"task_id": "t2", "token": "old"});
    let fenced = stateless("tools/call", json!({"name": "update_task", "arguments": arguments}));
    let result = &fenced.body.unwrap()["result"];
    assert_eq!(result["isError"], true);
    assert_eq!(result["structuredContent"]["problem"]["code"], "fenced");
    assert!(result["content"][0]["text"].as_str().unwrap().contains("do not repeat this call"));
}

#[test]
fn one_heartbeat_says_that_the_agent_lives() {
    let hub = Fixed { answers: alice, asked: Mutex::default() };
    let caller = now(Caller::identify(&hub)).unwrap();
    now(tools::call(&hub, &caller, &Selection::default(), "claim_task", Map::new())).unwrap();
    let asked = hub.asked.into_inner().unwrap();
    let paths: Vec<_> = asked.iter().map(|request| request.path.join("/")).collect();
    assert_eq!(paths, ["auth/me", "tasks/claim", "nodes/alice/heartbeat"]);
}

#[test]
fn arguments_that_break_the_schema_are_named_and_nothing_is_sent() {
    let hub = Fixed { answers: alice, asked: Mutex::default() };
    let reef = Reef::new(hub, Selection::default());
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "claim_task", "arguments": {"limit": 9, "lease": 5}}});
    let headers = Transport::Http(Headers::default());
    let reply = now(answer(&reef, headers, message.to_string().as_bytes()));
    let result = &reply.body.unwrap()["result"];
    assert_eq!(result["isError"], true);
    let errors = result["structuredContent"]["problem"]["errors"].as_array().unwrap();
    let fields: Vec<_> = errors.iter().map(|it| it["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["lease", "limit"]);
}
