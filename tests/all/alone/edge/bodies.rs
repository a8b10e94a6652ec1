//! Bodies at the host: large ones without a key, bad ones, and those that never come.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use super::half;
use crate::harness::{Hub, raw, unique};

#[test]
fn large_bodies_of_nobody_are_refused_and_are_in_nobodys_way() {
    let hub = Hub::start();
    let nobody = hub.anonymous();
    let head =
        "POST /api/v1/nodes/register HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n";
    // They were all kept once, until there was room for no other.
    let _halves: Vec<_> = (0..200)
        .map(|_| {
            let mut stream = half(&nobody, head);
            let _ = stream.write_all(&[b' '; 66_000]);
            stream
        })
        .collect();
    let text = "x".repeat(100_000);
    let agent = hub.admin().new_agent();
    let made = json!({"name": "large", "parameters": {"text": text}});
    agent.client.post("/tasks", &made).ok();
}

#[test]
fn a_large_body_of_nobody_is_answered_before_it_has_come_and_the_answer_arrives() {
    let hub = Hub::start();
    let body = vec![b' '; 8 << 20];
    for client in [hub.anonymous(), hub.anonymous().with_key("nonsense")] {
        let answer = client.send("POST", "/tasks", Some(&body));
        answer.problem(401, "unauthenticated");
        assert_eq!(answer.header("connection"), Some("close"), "{answer}");
    }
    hub.admin().send("POST", "/tasks", Some(&body)).problem(413, "payload_too_large");
}

#[test]
fn one_senders_large_bodies_have_a_share_of_the_room() {
    let hub = Hub::start();
    let (greedy, other) = (hub.admin().new_agent(), hub.admin().new_agent());
    let head = format!(
        "POST /api/v1/messages/m/content HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {}\r\n\
         Content-Length: 8000000\r\n\r\n",
        greedy.key
    );
    let piece = vec![b' '; 7_900_000];
    let _held: Vec<_> = (0..40)
        .map(|_| {
            let mut stream = half(&greedy.client, &head);
            let _ = stream.write_all(&piece);
            stream
        })
        .collect();
    let text = "x".repeat(900_000);
    let made = json!({"name": "large", "parameters": {"text": text}});
    other.client.post("/tasks", &made).ok();
}

#[test]
fn a_body_that_is_not_as_it_says_is_a_400() {
    let hub = Hub::start();
    let client = hub.admin();
    let node = client.new_node("chunks");
    let key = hub.admin_key();
    let ask = |rest: &str| {
        let request = format!(
            "POST /api/v1/nodes/{node}/heartbeat HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\n\
             Connection: close\r\n{rest}"
        );
        raw(client.address(), request.as_bytes())
    };
    for rest in [
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n2\r\n{}xx0\r\n\r\n",
    ] {
        ask(rest).problem(400, "malformed_request");
    }
    // Two ways to say where a body ends are a way to smuggle a request.
    for rest in [
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "Transfer-Encoding: gzip, chunked, x\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "Content-Length: x\r\n\r\n{}",
    ] {
        assert_eq!(ask(rest).status, 400, "{rest:?}");
    }
    assert_eq!(ask("Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}").status, 100);
    client.beat(&node, &json!({}));
}

/// Some clients send an empty body in pieces, and the routes of the page look at none.
#[test]
fn a_connection_stays_open_unless_the_answer_says_that_it_does_not() {
    let hub = Hub::start();
    let key = hub.admin_key();
    let last = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    for (path, body, may_close) in [
        ("/ui/session", ["Content-Length: 0\r\n\r\n", ""], false),
        ("/ui/session", ["Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ""], false),
        ("/ui/session", ["Transfer-Encoding: chunked\r\n\r\n", "0\r\n\r\n"], true),
        ("/ui/session", ["Content-Length: 2\r\n\r\n", "{}"], true),
        ("/ui/session", ["Content-Length: 2\r\n\r\n", ""], true),
        ("/ui/act", ["Transfer-Encoding: chunked\r\n\r\n", "0\r\n\r\n"], false),
        ("/api/v1/sessions", ["Content-Length: 2\r\n\r\n", "{}"], false),
    ] {
        let [begin, end] = body;
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\n\
             Content-Type: application/json\r\n{begin}"
        );
        let mut stream = half(&hub.anonymous(), &head);
        stream.write_all(end.as_bytes()).unwrap();
        let first = read_head(&mut stream);
        assert!(first.starts_with("HTTP/1.1 200"), "{path} {body:?}: {first}");
        if first.contains("connection: close\r\n") {
            assert!(may_close, "{path} {body:?}: {first}");
            continue;
        }
        assert!(!end.is_empty() || begin.contains("0\r\n"), "{path} {body:?}: {first}");
        stream.write_all(last.as_bytes()).unwrap();
        let mut rest = String::new();
        stream.read_to_string(&mut rest).unwrap();
        assert!(rest.contains("HTTP/1.1 200"), "{path} {body:?}: {first}{rest}");
    }
}

/// What comes until the head of an answer has ended.
fn read_head(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let mut piece = [0; 1];
    while !read.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut piece).unwrap();
        read.extend(piece);
    }
    String::from_utf8(read).unwrap()
}

#[test]
fn a_forgotten_redis_allow_is_named() {
    let hub = Hub::options().variable("redis_allow", "redis://elsewhere.example:1").start();
    let answer = hub.admin().get("/nodes");
    let problem = answer.problem(503, "store_unavailable");
    assert!(problem["detail"].as_str().unwrap().contains("redis_allow"), "{problem}");
    hub.admin()
        .post("/nodes/register", &crate::harness::registration(&unique("x")))
        .problem(503, "store_unavailable");
}
