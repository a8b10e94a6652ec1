//! What goes wrong at the edge: unknown routes, wrong methods, bodies that cannot be read.

use serde_json::json;

use super::hub;
use crate::harness::{Client, raw, registration, unique};

const MIB: usize = 1 << 20;

#[test]
fn an_unknown_route_is_a_problem_wherever_it_lies() {
    let hub = hub();
    for path in [
        "/nope",
        "/nodes/some-node/nope",
        "/nodes/some-node/health/nope",
        "/nodes/skills",
        "/nodes/skills/a/b",
        "/cluster",
        "/cluster/nope",
        "/cluster/leader/nope",
        "/heartbeats/nope",
        "//nope",
        "//api",
        "//api/v1",
        "//api/v2/nodes",
    ] {
        let answer = hub.client.get(path);
        // `skills` is no id, and says so where it is taken for one.
        if answer.status == 422 && path == "/nodes/skills" {
            answer.problem(422, "validation_failed");
        } else {
            answer.problem(404, "not_found");
        }
    }
}

#[test]
fn a_wrong_method_is_told_the_right_ones() {
    let hub = hub();
    for (method, path, allowed) in [
        ("DELETE", "/nodes/register", &["POST"][..]),
        ("POST", "/nodes", &["GET"]),
        ("POST", "/nodes/online", &["GET"]),
        ("PUT", "/nodes/available", &["GET"]),
        ("POST", "/nodes/skills/build", &["GET"]),
        ("PUT", "/nodes/some-node", &["GET", "PATCH", "DELETE"]),
        ("POST", "/nodes/some-node", &["GET", "PATCH", "DELETE"]),
        ("GET", "/nodes/some-node/shutdown", &["POST"]),
        ("GET", "/nodes/some-node/heartbeat", &["POST"]),
        ("DELETE", "/nodes/some-node/health", &["GET"]),
        ("GET", "/heartbeats", &["POST"]),
        ("POST", "/cluster/health", &["GET"]),
        ("PUT", "/cluster/state", &["GET"]),
        ("GET", "/cluster/check-heartbeat", &["POST"]),
        ("POST", "/cluster/leader", &["GET"]),
        ("GET", "/cluster/leader/campaign", &["POST"]),
        ("GET", "/cluster/leader/resign", &["POST"]),
        ("DELETE", "/cluster/leader/history", &["GET"]),
        ("POST", "/cluster/events", &["GET"]),
        ("POST", "//health", &["GET"]),
        ("PUT", "/sessions", &["GET", "POST"]),
        ("PATCH", "/sessions/some-session", &["GET", "DELETE"]),
        ("PATCH", "/sessions/some-session/messages", &["GET", "POST", "DELETE"]),
        ("DELETE", "/sessions/some-session/messages/some-message", &["PUT"]),
        ("PUT", "/messages/some-message", &["GET"]),
        ("GET", "/messages/some-message/append", &["POST"]),
        ("PUT", "/messages/some-message/tasks/some-task", &["PATCH"]),
        ("PUT", "/inbox/some-agent", &["GET", "POST"]),
        ("GET", "/inbox/some-agent/receive", &["POST"]),
    ] {
        let answer = hub.client.send(method, path, None);
        answer.problem(405, "method_not_allowed");
        let allow = answer.header("allow").unwrap_or_else(|| panic!("{answer}: no Allow"));
        let mut named: Vec<_> = allow.split(',').map(str::trim).collect();
        named.retain(|method| !matches!(*method, "HEAD" | "OPTIONS"));
        named.sort_unstable();
        let mut allowed = allowed.to_vec();
        allowed.sort_unstable();
        assert_eq!(named, allowed, "{answer}");
    }
}

#[test]
fn a_body_that_is_no_json_is_a_400() {
    let hub = hub();
    let id = hub.client.new_node("malformed");
    let client = hub.client.with("content-type", "application/json");
    for path in ["/nodes/register".to_owned(), format!("/nodes/{id}/heartbeat")] {
        for body in [
            &b"{\"hostname\": \"x\""[..],
            b"{\"hostname\": }",
            b"{'hostname': 'x'}",
            b"hello",
            b"{} {}",
            b"{\"hostname\": \"\xff\xfe\"}",
            b"{\"cpu_usage\": 01}",
        ] {
            client.send("POST", &path, Some(body)).problem(400, "malformed_json");
        }
    }
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let hub = hub();
    let client = hub.client.with("content-type", "application/json");
    let body = format!("{{\"hostname\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let answer = client.send("POST", "/nodes/register", Some(body.as_bytes()));
    assert!(matches!(answer.status, 400 | 422), "{answer}");
    hub.client.get("/nodes?limit=1").ok();
}

#[test]
fn a_body_over_a_mebibyte_is_too_large() {
    let hub = hub();
    let body = |size: usize| {
        let mut body = registration(&unique("padded"));
        body["padding"] = json!("");
        let padding = size - body.to_string().len();
        body["padding"] = json!("x".repeat(padding));
        body
    };
    hub.client.post("/nodes/register", &body(MIB)).ok();
    for size in [MIB + 1, 2 * MIB] {
        let answer = hub.client.post("/nodes/register", &body(size));
        answer.problem(413, "payload_too_large");
    }
}

#[test]
fn a_body_that_is_announced_too_large_is_not_waited_for() {
    let hub = hub();
    let key = hub.key.as_deref().map(|key| format!("X-API-Key: {key}\r\n")).unwrap_or_default();
    let request = format!(
        "POST /api/v1/nodes/register HTTP/1.1\r\nHost: localhost\r\n{key}Connection: close\r\n\
         Content-Length: 99999999999\r\n\r\n{{"
    );
    raw(hub.anonymous.address(), request.as_bytes()).problem(413, "payload_too_large");
}

#[test]
fn a_body_may_come_in_chunks() {
    let hub = hub();
    let id = hub.client.new_node("chunked");
    let key = hub.key.as_deref().map(|key| format!("X-API-Key: {key}\r\n")).unwrap_or_default();
    let request = format!(
        "POST /api/v1/nodes/{id}/heartbeat HTTP/1.1\r\nHost: localhost\r\n{key}Connection: close\r\n\
         Transfer-Encoding: chunked\r\n\r\n5\r\n{{\"cpu\r\n9\r\n_usage\":3\r\n1\r\n}}\r\n0\r\n\r\n"
    );
    raw(hub.anonymous.address(), request.as_bytes()).ok();
    assert_eq!(hub.client.node(&id)["cpu_usage"].as_f64(), Some(3.0));
}

#[test]
fn a_body_that_is_not_called_json_is_a_415() {
    let hub = hub();
    let body = registration(&unique("typed")).to_string();
    let send = |client: &Client| client.send("POST", "/nodes/register", Some(body.as_bytes()));
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "json"] {
        let answer = send(&hub.client.with("content-type", kind));
        answer.problem(415, "unsupported_media_type");
    }
    for kind in ["application/json", "application/json; charset=utf-8", "Application/JSON"] {
        send(&hub.client.with("content-type", kind)).ok();
    }
    send(&hub.client).ok();
}

#[test]
fn a_request_id_is_echoed_or_made() {
    let hub = hub();
    let echoed = |id: &str| {
        let answer = hub.client.with("x-request-id", id).get("/nodes?limit=1");
        answer.header("x-request-id").unwrap().to_owned()
    };
    for id in ["42", "a/b:c{d}", &"r".repeat(128)] {
        assert_eq!(echoed(id), *id);
    }
    for id in ["", &"r".repeat(129), "with space", "ümlaut"] {
        assert_ne!(echoed(id), *id);
    }
    let made = || hub.client.get("/nodes?limit=1").header("x-request-id").unwrap().to_owned();
    assert_ne!(made(), made());
    // Problems name it too, which `problem` checks.
    let answer = hub.client.with("x-request-id", "trace-me").get("/nope");
    assert_eq!(answer.problem(404, "not_found")["request_id"], "trace-me");
}

#[test]
fn head_is_get_without_the_body() {
    let hub = hub();
    let id = hub.client.new_node("headed");
    for path in [format!("/nodes/{id}"), "/cluster/state".to_owned()] {
        let head = hub.client.send("HEAD", &path, None);
        assert_eq!(head.status, 200, "{head}");
        assert_eq!(head.body, b"");
    }
    let get = hub.client.get(&format!("/nodes/{id}"));
    let head = hub.client.send("HEAD", &format!("/nodes/{id}"), None);
    assert_eq!(head.header("content-length"), get.header("content-length"));
    assert_eq!(hub.client.send("HEAD", &format!("/nodes/{}", unique("no")), None).status, 404);
}

#[test]
fn a_trailing_slash_is_the_same_route() {
    let hub = hub();
    let id = hub.client.new_node("slashed");
    assert_eq!(hub.client.get(&format!("/nodes/{id}/")).ok(), hub.client.node(&id));
    hub.client.get("/cluster/state/").ok();
    hub.client.get("/nodes/?limit=1").ok();
    hub.client.post(&format!("/nodes/{id}/heartbeat/"), &json!({})).ok();
}

#[test]
fn an_empty_id_is_nobodys() {
    let hub = hub();
    let answer = hub.client.post("/nodes//heartbeat", &json!({}));
    assert!(matches!(answer.status, 404 | 422), "{answer}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
}

#[test]
fn forged_platform_headers_mean_nothing() {
    let hub = hub();
    let id = hub.client.new_node("real");
    let mut client = hub.client.clone();
    for (name, value) in [
        ("spin-path-match-id", "evil"),
        ("spin-path-match-node-id", "evil"),
        ("spin-full-url", "http://evil/api/v1/nodes/evil"),
        ("spin-path-info", "/evil"),
        ("spin-matched-route", "/evil"),
    ] {
        client = client.with(name, value);
    }
    assert_eq!(client.node(&id)["node_id"], id);
    assert_eq!(client.beat(&id, &json!({}))["node_id"], id);
}

#[test]
fn what_is_no_http_is_refused_and_hurts_nobody() {
    let hub = hub();
    let address = hub.anonymous.address();
    for request in [
        &b"GARBAGE\r\n\r\n"[..],
        b"GET /api/v1/nodes HTTP/1.1\r\nHost: localhost\r\nno colon here\r\n\r\n",
        b"POST /api/v1/nodes/register HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
    ] {
        assert_eq!(raw(address, request).status, 400);
    }
    hub.anonymous.get("//health").ok();
}

#[test]
fn braces_in_a_raw_path_are_a_problem() {
    let hub = hub();
    let key = hub.key.as_deref().map(|key| format!("X-API-Key: {key}\r\n")).unwrap_or_default();
    for id in ["a{b}", "{}", "a:b"] {
        let request = format!(
            "GET /api/v1/nodes/{id} HTTP/1.1\r\nHost: localhost\r\n{key}Connection: close\r\n\r\n"
        );
        let answer = raw(hub.anonymous.address(), request.as_bytes());
        // An HTTP server may refuse such a target before it reaches a route.
        if answer.status != 400 {
            answer.problem_with(422, "validation_failed", "node_id");
        }
        assert_eq!(answer.header("content-length"), Some(&*answer.body.len().to_string()));
    }
}
