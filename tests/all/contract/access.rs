//! Who may call: keys, and the routes that need none.

use serde_json::json;

use super::hub;
use crate::harness::{Answer, registration, unique};

/// Every route that is not open to all, with a body that would be refused for other reasons.
const ROUTES: &[(&str, &str)] = &[
    ("POST", "/nodes/register"),
    ("GET", "/nodes"),
    ("GET", "/nodes/online"),
    ("GET", "/nodes/available"),
    ("GET", "/nodes/skills/build"),
    ("GET", "/nodes/some-node"),
    ("PATCH", "/nodes/some-node"),
    ("DELETE", "/nodes/some-node"),
    ("POST", "/nodes/some-node/shutdown"),
    ("POST", "/nodes/some-node/heartbeat"),
    ("GET", "/nodes/some-node/health"),
    ("POST", "/heartbeats"),
    ("GET", "/cluster/health"),
    ("GET", "/cluster/state"),
    ("GET", "/cluster/leader"),
    ("GET", "/cluster/leader/history"),
    ("GET", "/cluster/events"),
    ("POST", "/cluster/check-heartbeat"),
    ("POST", "/cluster/leader/campaign"),
    ("POST", "/cluster/leader/resign"),
    ("POST", "/sessions"),
    ("GET", "/sessions"),
    ("GET", "/sessions/some-session"),
    ("DELETE", "/sessions/some-session"),
    ("POST", "/sessions/some-session/messages"),
    ("GET", "/sessions/some-session/messages"),
    ("DELETE", "/sessions/some-session/messages"),
    ("PUT", "/sessions/some-session/messages/some-message"),
    ("GET", "/messages/some-message"),
    ("GET", "/messages/some-message/content/some-content"),
    ("GET", "/messages/some-message/events"),
    ("POST", "/messages/some-message/append"),
    ("POST", "/messages/some-message/content"),
    ("POST", "/messages/some-message/tasks"),
    ("PATCH", "/messages/some-message/tasks/some-task"),
    ("POST", "/messages/some-message/complete"),
    ("POST", "/inbox/some-agent"),
    ("GET", "/inbox/some-agent"),
    ("POST", "/inbox/some-agent/receive"),
    ("POST", "/inbox/some-agent/ack"),
    ("GET", "/inbox/some-agent/dead"),
    ("POST", "/inbox/some-agent/dead/redrive"),
];

#[track_caller]
fn assert_unauthenticated(answer: &Answer) {
    answer.problem(401, "unauthenticated");
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    assert!(challenge.starts_with("Bearer"), "{answer}: {challenge}");
}

/// A body that breaks every schema: who is not known must not learn that.
fn nonsense(method: &str) -> Option<&'static [u8]> {
    matches!(method, "POST" | "PUT" | "PATCH").then_some(b"[\"nonsense\"]")
}

#[test]
fn without_a_key_every_route_is_closed_where_keys_are_wanted() {
    let hub = hub();
    for (method, path) in ROUTES {
        let answer = hub.anonymous.send(method, path, nonsense(method));
        if hub.wants_keys {
            assert_unauthenticated(&answer);
        } else {
            assert_ne!(answer.status, 401, "{answer}");
        }
    }
}

#[test]
fn a_wrong_key_is_refused_on_every_route_and_in_every_mode() {
    let hub = hub();
    for (method, path) in ROUTES {
        let wrong = hub.anonymous.with_key("reef_abcdefgh_0123456789abcdef0123456789abcdef");
        assert_unauthenticated(&wrong.send(method, path, nonsense(method)));
    }
    for (name, value) in [
        ("x-api-key", "nonsense"),
        ("x-api-key", ""),
        ("authorization", "Bearer "),
        ("authorization", "Bearer"),
        ("authorization", "Basic YWRtaW46YWRtaW4="),
        ("authorization", "nonsense"),
    ] {
        assert_unauthenticated(&hub.anonymous.with(name, value).get("/nodes?limit=1"));
    }
}

#[test]
fn both_headers_carry_a_key() {
    let hub = hub();
    // With a given hub the key is known from the environment only, and an open one has none.
    let Some(key) = hub.key.as_deref() else {
        hub.anonymous.get("/nodes?limit=1").ok();
        return;
    };
    hub.anonymous.with("x-api-key", key).get("/nodes?limit=1").ok();
    hub.anonymous.with("authorization", &format!("Bearer {key}")).get("/nodes?limit=1").ok();
    hub.anonymous.with("authorization", &format!("bearer {key}")).get("/nodes?limit=1").ok();
    let almost = &key[..key.len() - 1];
    assert_unauthenticated(&hub.anonymous.with_key(almost).get("/nodes?limit=1"));
    assert_unauthenticated(&hub.anonymous.with_key(&format!("{key}x")).get("/nodes?limit=1"));
}

#[test]
fn who_is_not_known_does_not_learn_whether_a_body_was_right() {
    let hub = hub();
    let wrong = hub.anonymous.with_key("nonsense");
    for body in [&b"{\"unterminated\": "[..], b"\xff\xfe", b"", b"{}"] {
        assert_unauthenticated(&wrong.send("POST", "/nodes/register", Some(body)));
    }
    assert_unauthenticated(&wrong.get("/nodes/a%7Bb"));
    let hostname = unique("intruder");
    assert_unauthenticated(&wrong.post("/nodes/register", &registration(&hostname)));
    let answer = hub.client.post("/nodes/register", &registration(&hostname));
    assert_eq!(answer.ok()["registered"], true, "the refused one registered nothing");
}

#[test]
fn an_answer_never_shows_a_key() {
    let hub = hub();
    let secret = "reef_sesame00_opensesameopensesameopensesame";
    let answers = [
        hub.anonymous.with_key(secret).get("/nodes"),
        hub.anonymous.with("x-api-key", secret).post("/nodes/register", &json!({})),
    ];
    for answer in answers {
        assert!(!answer.text().contains("sesame"), "{answer}");
        let headers = answer.headers.iter();
        assert!(headers.clone().all(|(_, value)| !value.contains("sesame")), "{answer}");
    }
}
