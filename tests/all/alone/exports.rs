//! Components answer alike whichever way they are called: by Reef's own interface, or through
//! wasi:http as under Spin (`--no-direct`).

use serde_json::{Value, json};

use crate::harness::{Answer, Client, Hub, is_timestamp, raw, registration};

/// Values that differ from hub to hub: times, ids that the server makes, and the jittered pace of
/// heartbeats.
fn is_incidental(field: &str, value: &Value) -> bool {
    let made = ["msg_", "cnt_", "sess_", "evt_"];
    let is_id = value
        .as_str()
        .is_some_and(|text| text.len() > 20 && made.iter().any(|prefix| text.starts_with(prefix)));
    is_timestamp(value) || is_id || field == "next_heartbeat_ms" || field == "time_since_heartbeat"
}

/// The incidental values of a document, as they are written.
fn incidental(field: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        // As text, since an id may stand within another value; a number only in its place.
        Value::String(text) if is_incidental(field, value) => found.push(text.clone()),
        _ if is_incidental(field, value) => found.push(format!("\"{field}\":{value}")),
        Value::Array(items) => items.iter().for_each(|item| incidental(field, item, found)),
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| incidental(name, member, found));
        }
        _ => {}
    }
}

/// What must be the same: status, headers and the body to the byte, incidental values apart.
fn essence(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let mut body = String::from_utf8_lossy(&answer.body).into_owned();
    let mut found = Vec::new();
    incidental("", &serde_json::from_str(&body).unwrap_or_default(), &mut found);
    let masked = !found.is_empty();
    for value in found {
        body = body.replace(&value, "_");
    }
    let mut headers = answer.headers.clone();
    // The length of a number may differ with the number.
    headers.retain(|(name, _)| name != "date" && !(masked && name == "content-length"));
    headers.sort_unstable();
    (answer.status, headers, body)
}

/// One request: method, path, body.
type Request = (&'static str, String, Option<Vec<u8>>);

/// Every component, every method, good and bad. The ids are fixed, so each needs a hub of its own.
fn requests() -> Vec<Request> {
    let json = |body: Value| Some(serde_json::to_vec(&body).unwrap());
    let mut node = registration("host-1");
    node["node_id"] = json!("n1");
    let nodes = [
        ("POST", "/nodes/register", json(node.clone())),
        ("POST", "/nodes/register", json(node)),
        ("POST", "/nodes/register", json(json!({"hostname": "", "platform": "dos"}))),
        ("POST", "/nodes/register", Some(b"{\"hostname\": ".to_vec())),
        ("POST", "/nodes/register", Some(vec![0xff, 0xfe, 0x00, 0x80])),
        ("POST", "/nodes/register", Some(vec![b' '; (1 << 20) + 1])),
        ("POST", "/nodes/register", None),
        ("GET", "/nodes?limit=1&status_filter=online", None),
        ("GET", "/nodes?limit=x", None),
        ("GET", "/nodes/n1", None),
        ("HEAD", "/nodes/n1", None),
        ("GET", "/nodes/n1/", None),
        ("GET", "/nodes/none", None),
        ("GET", "/nodes/a%7Bb", None),
        ("GET", "/nodes/skills/%E2%9C%93%20x", None),
        ("PATCH", "/nodes/n1", json(json!({"tags": ["ü", "b"]}))),
        ("PUT", "/nodes/n1", json(json!({}))),
        ("OPTIONS", "/nodes/n1", None),
        ("POST", "/nodes/n1/heartbeat", json(json!({"cpu_usage": 12.5}))),
        ("POST", "/nodes/n1/heartbeat", json(json!({"cpu_usage": 101}))),
        ("POST", "/heartbeats", json(json!([{"node_id": "n1"}, {"node_id": "none"}]))),
        ("GET", "/nodes/n1/health", None),
        ("GET", "/cluster/health", None),
        ("POST", "/cluster/leader/campaign", json(json!({"node_id": "n1", "ttl_ms": 600_000}))),
        ("POST", "/cluster/leader/resign", json(json!({"node_id": "n1", "term": 7}))),
        ("POST", "/cluster/check-heartbeat", json(json!({}))),
        ("POST", "/nodes/n1/shutdown", None),
        ("DELETE", "/nodes/n1", None),
        ("DELETE", "/nodes/n1", None),
    ];
    let large = json!({"content_type": "text", "text": {"text": "x".repeat(3 << 20)}});
    let messages = [
        ("POST", "/sessions", json(json!({"session_id": "s1", "metadata": {"a": [1, "ü"]}}))),
        ("GET", "/sessions/s1", None),
        ("PUT", "/sessions/s1/messages/m1", json(json!({"role": "assistant"}))),
        ("POST", "/messages/m1/append", json(json!({"delta": "\u{1F980}\n\u{0}\""}))),
        ("POST", "/messages/m1/append", json(json!({"delta": 5}))),
        ("POST", "/messages/m1/tasks", json(json!({"task_id": "t1", "task_type": "other"}))),
        ("PATCH", "/messages/m1/tasks/t1", json(json!({"status": "processing"}))),
        ("PATCH", "/messages/m1/tasks/none", json(json!({"status": "completed"}))),
        ("POST", "/messages/m1/content", json(large)),
        ("POST", "/messages/m1/content", Some(vec![b' '; (8 << 20) + 1])),
        ("GET", "/messages/m1", None),
        ("HEAD", "/messages/m1", None),
        ("GET", "/messages/m1/events?after=1", None),
        ("POST", "/messages/m1/complete", None),
        ("POST", "/messages/m1/append", json(json!({"delta": "late"}))),
        ("POST", "/inbox/a1", json(json!({"from": "me", "content": {"k": "v"}}))),
        ("POST", "/inbox/a1/receive", json(json!({"limit": 101}))),
        ("GET", "/inbox/a1", None),
        ("DELETE", "/sessions/s1/messages?keep_days=0", None),
        ("DELETE", "/sessions/s1", None),
        ("GET", "/nothing/here", None),
    ];
    let owned = |(method, path, body): (&'static str, &str, _)| (method, path.to_owned(), body);
    nodes.into_iter().map(owned).chain(messages.map(owned)).collect()
}

fn answers(client: &Client) -> Vec<Answer> {
    let client = client.with("x-request-id", "the-same").with("content-type", "application/json");
    let client = client.with("spin-full-url", "http://forged.example/");
    let send = |(method, path, body): Request| client.send(method, &path, body.as_deref());
    requests().into_iter().map(send).collect()
}

#[test]
fn components_answer_alike_by_either_export() {
    let (direct, standard) = (Hub::start(), Hub::options().arg("--no-direct").start());
    let (left, right) = (answers(&direct.admin()), answers(&standard.admin()));
    for (left, right) in left.iter().zip(&right) {
        assert_eq!(essence(left), essence(right), "{left}");
    }
    // Only the direct interface keeps instances for later calls.
    let keeps = [&direct, &standard].map(|hub| {
        let metrics = hub.admin().get("//metrics").text();
        let idle = "reef_component_idle_instances{component=\"register\"} ";
        let idle = metrics.lines().find_map(|line| line.strip_prefix(idle));
        idle.unwrap_or_else(|| panic!("{metrics}")) != "0"
    });
    assert_eq!(keeps, [true, false]);
    let seen = |status: u16| left.iter().any(|answer| answer.status == status);
    for status in [200, 400, 404, 405, 409, 413, 422] {
        assert!(seen(status), "no request is answered by a {status}");
    }

    let anonymous = [&direct, &standard].map(|hub| hub.anonymous().with("x-request-id", "one"));
    let [left, right] = anonymous.map(|client| client.get("/nodes"));
    left.problem(401, "unauthenticated");
    assert_eq!(essence(&left), essence(&right));

    // In pieces whose lengths nobody has told beforehand.
    let [left, right] = [&direct, &standard].map(|hub| {
        let head = format!(
            "POST /api/v1/nodes/none/heartbeat HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
             x-request-id: two\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n",
            hub.admin_key()
        );
        raw(hub.admin().address(), &[head.as_bytes(), b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"].concat())
    });
    left.problem(404, "not_found");
    assert_eq!(essence(&left), essence(&right));
}
