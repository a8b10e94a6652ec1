//! `Idempotency-Key`: a repeat gets the first answer, and the effect happens once.

use serde_json::{Value, json};

use super::caller;
use crate::harness::{Answer, Client, race, registration, unique};

pub(super) fn keyed(client: &Client, key: &str) -> Client {
    client.with("idempotency-key", key)
}

pub(super) fn is_replay(answer: &Answer) -> bool {
    answer.header("idempotent-replayed") == Some("true")
}

/// Sends the same request twice under a new key: the second answer must be the first one.
#[track_caller]
pub(super) fn assert_replayed(client: &Client, path: &str, body: &Value) -> Value {
    let client = keyed(client, &unique("key"));
    let first = client.post(path, body);
    assert!(!is_replay(&first), "{first}");
    let second = client.post(path, body);
    assert!(is_replay(&second), "{second}");
    assert_eq!(second.status, first.status, "{second}");
    assert_eq!(second.text(), first.text());
    first.json()
}

#[test]
fn a_repeated_registration_registers_once() {
    let (_hub, client) = caller();
    let body = registration(&unique("once"));
    let first = assert_replayed(&client, "/nodes/register", &body);
    let node = client.node(first["node_id"].as_str().unwrap());
    assert_eq!(node["incarnation"], first["node_info"]["incarnation"]);
    assert_eq!(first["registered"], true);
}

#[test]
fn every_post_can_be_repeated() {
    let (_hub, client) = caller();
    let id = client.new_node("repeat");
    let beat = json!({"cpu_usage": 3});
    assert_replayed(&client, &format!("/nodes/{id}/heartbeat"), &beat);
    let batch = json!([{"node_id": id, "cpu_usage": 4}]);
    assert_replayed(&client, "/heartbeats", &batch);
    assert_replayed(&client, "/cluster/check-heartbeat", &json!({}));
    let campaign = json!({"node_id": id, "ttl_ms": 100});
    assert_replayed(&client, "/cluster/leader/campaign", &campaign);
    assert_replayed(&client, &format!("/nodes/{id}/shutdown"), &json!({}));
}

#[test]
fn the_largest_batch_can_be_repeated() {
    let (_hub, client) = caller();
    let id = client.new_node("largest");
    let batch = vec![json!({"node_id": id, "cpu_usage": 4}); 1000];
    assert_replayed(&client, "/heartbeats", &Value::from(batch));
}

#[test]
fn a_repeated_heartbeat_is_no_second_sign_of_life() {
    let (_hub, client) = caller();
    let id = client.new_node("stale");
    let path = format!("/nodes/{id}/heartbeat");
    let repeating = keyed(&client, &unique("key"));
    repeating.post(&path, &json!({"cpu_usage": 3})).ok();
    client.beat(&id, &json!({"cpu_usage": 50}));
    let before = client.node(&id);
    assert!(is_replay(&repeating.post(&path, &json!({"cpu_usage": 3}))));
    assert_eq!(client.node(&id), before);
}

#[test]
fn another_request_under_the_same_key_is_refused() {
    let (_hub, client) = caller();
    let client = keyed(&client, &unique("key"));
    let first = registration(&unique("first"));
    client.post("/nodes/register", &first).ok();
    let other = registration(&unique("other"));
    client.post("/nodes/register", &other).problem(422, "idempotency_mismatch");
    // The first is still there to be repeated.
    assert!(is_replay(&client.post("/nodes/register", &first)));
}

#[test]
fn a_key_belongs_to_its_route() {
    let (_hub, client) = caller();
    let id = client.new_node("routes");
    let client = keyed(&client, &unique("key"));
    let beat = client.post(&format!("/nodes/{id}/heartbeat"), &json!({}));
    assert!(!is_replay(&beat) && beat.status == 200, "{beat}");
    let shutdown = client.post(&format!("/nodes/{id}/shutdown"), &json!({}));
    assert!(!is_replay(&shutdown) && shutdown.status == 200, "{shutdown}");
    assert_eq!(client.node(&id)["status"], "offline");
}

#[test]
fn the_same_route_with_another_id_is_another_request() {
    let (_hub, client) = caller();
    let (first, second) = (client.new_node("a"), client.new_node("b"));
    let keyed = keyed(&client, &unique("key"));
    keyed.post(&format!("/nodes/{first}/heartbeat"), &json!({"cpu_usage": 9})).ok();
    let answer = keyed.post(&format!("/nodes/{second}/heartbeat"), &json!({"cpu_usage": 9}));
    // Either it is a request of its own or it is refused; the first node's answer it is not.
    if answer.status == 200 {
        assert_eq!(answer.json()["node_id"], second);
        assert_eq!(client.node(&second)["cpu_usage"].as_f64(), Some(9.0));
    } else {
        answer.problem(422, "idempotency_mismatch");
    }
}

#[test]
fn what_the_state_did_not_allow_is_repeated_as_well() {
    let (_hub, client) = caller();
    let id = unique("later");
    let path = format!("/nodes/{id}/heartbeat");
    let repeating = keyed(&client, &unique("key"));
    repeating.post(&path, &json!({})).problem(404, "not_found");
    let mut body = registration(&unique("later"));
    body["node_id"] = json!(id);
    client.post("/nodes/register", &body).ok();
    let again = repeating.post(&path, &json!({}));
    again.problem(404, "not_found");
    assert!(is_replay(&again), "{again}");
}

#[test]
fn what_was_never_understood_is_not_remembered() {
    let (_hub, client) = caller();
    let client = keyed(&client, &unique("key"));
    let hostname = unique("corrected");
    let mut body = registration(&hostname);
    body["max_concurrent_tasks"] = json!(0);
    client.post("/nodes/register", &body).problem(422, "validation_failed");
    let answer = client.post("/nodes/register", &registration(&hostname));
    assert_eq!(answer.ok()["registered"], true);
}

#[test]
fn repeats_at_the_same_moment_have_one_effect() {
    const CALLERS: usize = 12;
    let (_hub, client) = caller();
    let client = keyed(&client, &unique("key"));
    let body = registration(&unique("at-once"));
    let answers = race(CALLERS, |_| client.post("/nodes/register", &body));
    let first = answers[0].ok();
    assert!(answers.iter().all(|answer| answer.json() == first));
    assert_eq!(answers.iter().filter(|answer| !is_replay(answer)).count(), 1);
}

#[test]
fn a_key_has_a_form() {
    let (_hub, client) = caller();
    let id = client.new_node("form");
    let path = format!("/nodes/{id}/heartbeat");
    for key in ["", &"k".repeat(256), "schlüssel"] {
        let answer = keyed(&client, key).post(&path, &json!({}));
        answer.problem_with(400, "invalid_parameter", "Idempotency-Key");
    }
    let tail = unique("");
    for key in [format!("{tail:k>255}"), format!("with spaces and {{braces}} {tail}")] {
        keyed(&client, &key).post(&path, &json!({})).ok();
        assert!(is_replay(&keyed(&client, &key).post(&path, &json!({}))), "{key}");
    }
}
