//! What callers send by mistake, and what must not be taken for something else.

use serde_json::{Value, json};

use super::{caller, hub};
use crate::harness::{Answer, Client, raw, unique};

/// What `gzip` makes of `{}`.
const GZIPPED: &[u8] =
    &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0xae, 5, 0, 0x43, 0xbf, 0xa6, 0xa3, 2, 0, 0, 0];

#[test]
fn a_compressed_body_is_refused_and_told_what_is_taken() {
    let (_hub, client) = caller();
    let node = client.new_node("gzip");
    let path = format!("/nodes/{node}/heartbeat");
    for coding in ["gzip", "GZIP", "br", "identity, gzip", "unknown"] {
        let answer = client.with("content-encoding", coding).send("POST", &path, Some(GZIPPED));
        answer.problem(415, "unsupported_media_type");
        assert_eq!(answer.header("accept-encoding"), Some("identity"), "{answer}");
    }
    client.with("content-encoding", "identity").post(&path, &json!({})).ok();
}

#[test]
fn a_query_that_is_no_utf8_or_says_two_things_is_refused() {
    let (_hub, client) = caller();
    for (path, field) in [
        ("/nodes?skill=%ff", "skill"),
        ("/nodes?tag=a%C3%28", "tag"),
        ("/tasks?user_id=%ED%A0%80", "user_id"),
        ("/sessions?user_id=%80", "user_id"),
        ("/cluster/events?unknown=%fe", "unknown"),
        ("/nodes?limit=1&limit=2", "limit"),
        ("/tasks?status=failed&status=running", "status"),
        ("/agents?cursor=&cursor=", "cursor"),
    ] {
        client.get(path).problem_with(400, "invalid_parameter", field);
    }
    client.get("/nodes?skill=%F0%9F%90%9F&limit=1").list();
}

#[test]
fn parameters_that_cannot_be_meant_are_refused_on_every_list() {
    let (_hub, client) = caller();
    for path in [
        "/nodes",
        "/nodes/online",
        "/nodes/available",
        "/nodes/skills/x",
        "/tasks",
        "/tasks/pending",
        "/tasks/dead",
        "/sessions",
        "/agents",
        "/entries",
        "/entries/seals",
        "/audit",
        "/cluster/events",
        "/cluster/leader/history",
    ] {
        for limit in ["0", "-1", "1001", "1.5", "x", "99999999999999999999", "%201", "1e2", "+"] {
            let answer = client.get(&format!("{path}?limit={limit}"));
            answer.problem_with(400, "invalid_parameter", "limit");
        }
    }
    for path in [
        "/nodes",
        "/nodes/online",
        "/nodes/available",
        "/nodes/skills/x",
        "/tasks",
        "/tasks/pending",
        "/tasks/dead",
        "/sessions",
        "/agents",
        "/entries",
        "/entries/seals",
        "/audit",
    ] {
        for cursor in ["1", "-1", "x", "1.000000", "9999999999999999999999.abcdef", "%00", "."] {
            let answer = client.get(&format!("{path}?cursor={cursor}"));
            answer.problem_with(400, "invalid_parameter", "cursor");
        }
    }
    for (path, field) in [
        ("/nodes?status=sleeping", "status"),
        ("/tasks?status=sleeping", "status"),
        ("/sessions?status=sleeping", "status"),
        ("/entries?order=random", "order"),
        ("/audit?order=random", "order"),
        ("/audit?chain=random", "chain"),
        ("/audit/seals", "chain"),
    ] {
        client.get(path).problem_with(400, "invalid_parameter", field);
    }
}

/// The cursor of an answer's `Link`.
#[track_caller]
fn cursor(answer: &Answer) -> String {
    let link = answer.header("link").unwrap_or_else(|| panic!("{answer}: no Link"));
    let (_, rest) = link.split_once("cursor=").unwrap();
    rest.split_once('>').unwrap().0.to_owned()
}

#[test]
fn a_cursor_is_good_for_its_own_list_alone() {
    let (_hub, client) = caller();
    for _ in 0..2 {
        client.new_node("paged");
        let task = json!({"name": "paged", "required_skills": [unique("nobody")]});
        client.post("/tasks", &task).ok();
        client.post("/sessions", &json!({})).ok();
    }
    let session = || {
        let made = client.post("/sessions", &json!({})).ok();
        let path = format!("/sessions/{}/messages", made["session_id"].as_str().unwrap());
        client.post(&path, &json!({"content": "hello"})).ok();
        path
    };
    let (one, other) = (session(), session());
    let lists = ["/nodes", "/nodes/available", "/tasks", "/sessions", &*one, &*other];
    for from in lists {
        let cursor = cursor(&client.get(&format!("{from}?limit=1")));
        for to in lists {
            let answer = client.get(&format!("{to}?limit=1&cursor={cursor}"));
            if to == from {
                answer.ok();
            } else {
                answer.problem_with(400, "invalid_parameter", "cursor");
            }
        }
    }
}

#[test]
fn a_place_beyond_a_log_is_a_gap_and_says_where_to_go_on() {
    let (_hub, client) = caller();
    client.new_node("eventful");
    let ahead = "9999999999999-0";
    let told = client.get(&format!("/cluster/events?after={ahead}")).ok();
    assert_eq!(told["events"], json!([]));
    assert_eq!(told["gap"]["from"], ahead);
    assert_eq!(told["gap"]["to"], told["next"]);
    client.new_node("later");
    let next = told["next"].as_str().unwrap();
    let told = client.get(&format!("/cluster/events?after={next}")).ok();
    assert_eq!(told["gap"], Value::Null, "{told}");
    assert!(!told["events"].as_array().unwrap().is_empty());

    let session = client.post("/sessions", &json!({})).ok();
    let session = session["session_id"].as_str().unwrap();
    let sent = client.post(&format!("/sessions/{session}/messages"), &json!({"content": "x"})).ok();
    let message = format!("/messages/{}", sent["assistant_message_id"].as_str().unwrap());
    let told = client.get(&format!("{message}/events?after=99")).ok();
    assert_eq!(told, json!({"events": [], "next": 1, "gap": {"from": 99, "to": 1}}));
    client.post(&format!("{message}/append"), &json!({"delta": "y"})).ok();
    let told = client.get(&format!("{message}/events?after=1")).ok();
    assert_eq!((&told["gap"], told["events"].as_array().unwrap().len()), (&Value::Null, 1));
    client.get(&format!("{message}/events?after={}", i64::MAX)).ok();
}

#[test]
fn white_space_is_no_body() {
    let (_hub, client) = caller();
    for body in [" ", "\r\n", "\t \n"] {
        let made = client.send("POST", "/sessions", Some(body.as_bytes())).ok();
        assert_eq!(made["status"], "active");
    }
    client.send("POST", "/tasks", Some(b" ")).problem_with(422, "validation_failed", "body");
}

#[test]
fn a_repeat_is_known_by_what_it_says_and_not_by_how_it_is_written() {
    let (_hub, client) = caller();
    let key = unique("key");
    let send = |body: &str| {
        client.with("idempotency-key", &key).send("POST", "/tasks", Some(body.as_bytes()))
    };
    let first =
        send(r#"{"name":"once","delay_ms":2592000000,"parameters":{"a":[1,2],"b":"é"}}"#).ok();
    let again = "{ \"parameters\" : {\"b\":\"\\u00e9\", \"a\":[1, 2]},\n\"delay_ms\":2592000000,\"name\":\"once\"}";
    let answer = send(again);
    assert_eq!(answer.header("idempotent-replayed"), Some("true"), "{answer}");
    assert_eq!(answer.ok()["task_id"], first["task_id"]);
    client.post_empty(&format!("/tasks/{}/cancel", first["task_id"].as_str().unwrap())).ok();
    for other in [
        r#"{"name":"once","delay_ms":2592000000,"parameters":{"a":[2,1],"b":"é"}}"#,
        r#"{"name":"once","delay_ms":2592000000,"parameters":{"a":[1,2],"b":"é","c":null}}"#,
        r#"{"name":"once","delay_ms":2591999999,"parameters":{"a":[1,2],"b":"é"}}"#,
    ] {
        send(other).problem(422, "idempotency_mismatch");
    }
}

#[test]
fn what_only_the_hub_decides_is_refused_and_not_ignored() {
    let (_hub, client) = caller();
    let refused =
        |client: &Client, method: &str, path: &str, body: Value, field: &str, value: Value| {
            let mut body = body;
            body[field] = value;
            let answer = client.send_json(method, path, &body);
            answer.problem_with(422, "validation_failed", field);
        };
    for field in [
        "scheduled_at",
        "status",
        "progress",
        "token",
        "result",
        "error",
        "assigned_node",
        "started_at",
        "retry_count",
        "session_id",
    ] {
        let value = json!("2030-01-01T00:00:00Z");
        refused(&client, "POST", "/tasks", json!({"name": "x"}), field, value);
    }
    let skills = [unique("nobody")];
    let made =
        json!({"name": "x", "required_skills": skills, "scheduled_at": null, "status": null});
    client.post("/tasks", &made).ok();
    refused(&client, "POST", "/sessions", json!({}), "status", json!("closed"));
    let session = client.post("/sessions", &json!({})).ok();
    let tasks = format!("/sessions/{}/tasks", session["session_id"].as_str().unwrap());
    let task = json!({"task_description": "x"});
    for field in ["task_id", "message_id", "scheduled_at"] {
        refused(&client, "POST", &tasks, task.clone(), field, json!("x"));
    }
}

#[test]
fn progress_says_how_long_the_claim_holds() {
    let (_hub, client) = caller();
    let skill = unique("skill");
    let node = client.new_node_with("leased", &[&skill])["node_id"].as_str().unwrap().to_owned();
    client.post("/tasks", &json!({"name": "x", "required_skills": [skill], "timeout": 10})).ok();
    let claimed = client.post("/tasks/claim", &json!({"node_id": node})).ok();
    let task = &claimed["tasks"][0];
    let path = format!("/tasks/{}/progress", task["task_id"].as_str().unwrap());
    let ask = |lease_ms: i64| {
        let body = json!({"token": task["token"], "lease_ms": lease_ms});
        client.post(&path, &body).ok()["lease_ms"].as_i64().unwrap()
    };
    assert_eq!(ask(2000), 2000);
    // The timeout and 5 s of grace, less what has passed.
    let left = ask(3_600_000);
    assert!((1..=15_000).contains(&left), "{left}");
}

#[test]
fn a_write_from_a_page_of_another_origin_is_refused() {
    let (hub, client) = caller();
    let node = client.new_node("browsed");
    let path = format!("/nodes/{node}/heartbeat");
    let own = format!("http://{}", hub.anonymous.address());
    for headers in [
        &[("origin", "http://evil.example")][..],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", own.as_str()), ("sec-fetch-site", "cross-site")],
    ] {
        let from =
            headers.iter().fold(client.clone(), |from, (name, value)| from.with(name, value));
        from.post(&path, &json!({})).problem(403, "forbidden");
        from.send("DELETE", &format!("/nodes/{node}"), None).problem(403, "forbidden");
        from.patch(&format!("/nodes/{node}"), &json!({"tags": []})).problem(403, "forbidden");
        from.get(&format!("/nodes/{node}")).ok();
    }
    client.with("origin", &own).with("sec-fetch-site", "same-origin").post(&path, &json!({})).ok();
    client.with("sec-fetch-site", "none").post(&path, &json!({})).ok();
}

#[test]
fn answers_are_not_stored_and_not_guessed_at() {
    let (_hub, client) = caller();
    let node = client.new_node("plain");
    for path in [format!("/nodes/{node}"), "/agents".to_owned(), "/nope".to_owned()] {
        let answer = client.get(&path);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{answer}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer}");
    }
}

#[test]
fn a_large_body_is_announced_by_whom_may_send_it() {
    let hub = hub();
    let address = hub.anonymous.address();
    let ask = |path: &str, key: &str, length: usize| {
        // The body never comes, so that whoever waits for it does not answer.
        let request = format!(
            "POST /api/v1{path} HTTP/1.1\r\nHost: {address}\r\n{key}Connection: close\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        raw(address, request.as_bytes())
    };
    let key = hub.key.as_deref().map(|key| format!("X-API-Key: {key}\r\n")).unwrap_or_default();
    ask("/tasks", &key, 3 << 20).problem(413, "payload_too_large");
    ask("/messages/m/content", &key, 9 << 20).problem(413, "payload_too_large");
    let wrong = "X-API-Key: reef_aB3dEf7h_0123456789abcdefABCDEF_-01234567\r\n";
    ask("/tasks", wrong, 100_000).problem(401, "unauthenticated");
    if hub.wants_keys {
        ask("/tasks", "", 100_000).problem(401, "unauthenticated");
    }
}

#[test]
fn a_body_that_never_comes_is_not_waited_for_long() {
    let hub = hub();
    let address = hub.anonymous.address();
    let key = hub.key.as_deref().map(|key| format!("X-API-Key: {key}\r\n")).unwrap_or_default();
    for head in ["Content-Length: 10", "Transfer-Encoding: chunked", "Content-Length: 100000"] {
        let request = format!(
            "POST /api/v1/tasks HTTP/1.1\r\nHost: {address}\r\n{key}Connection: close\r\n{head}\r\n\r\n"
        );
        raw(address, request.as_bytes()).problem(408, "request_timeout");
    }
}
