//! Ids that the hub makes: callers find things by them and bring none (contract.md §1).

use serde_json::json;

use super::hub;
use super::idempotency::keyed;
use crate::harness::{registration, unique};

/// Ids as the hub might make them.
fn made() -> Vec<String> {
    let hex = format!("{:032x}", u128::from_str_radix("5eed", 16).unwrap());
    let made = ["sess", "msg", "task", "cnt", "evt", "agent", "hold", "set"];
    let mut made: Vec<String> = made.iter().map(|prefix| format!("{prefix}_{hex}")).collect();
    made.extend([format!("task_{hex}_1"), "node_gpu-1_0a1b2c3d".into(), "key_aB3dEf7h".into()]);
    made
}

#[test]
fn nobody_brings_an_id_that_the_hub_might_make() {
    let hub = hub();
    let client = &hub.client;
    let session = client.post_empty("/sessions").ok()["session_id"].clone();
    let messages = format!("/sessions/{}/messages", session.as_str().unwrap());
    let sent = client.post(&messages, &json!({"content": "x"})).ok();
    let message = format!("/messages/{}", sent["assistant_message_id"].as_str().unwrap());
    for id in made() {
        for (field, path, body) in [
            ("session_id", "/sessions", json!({"session_id": id})),
            ("message_id", &messages, json!({"content": "x", "message_id": id})),
            ("task_id", "/tasks", json!({"name": "x", "task_id": id})),
            ("agent_id", "/agents/register", json!({"agent_id": id})),
            (
                "content_id",
                &format!("{message}/content"),
                json!({"content_type": "text", "text": {"text": "x"}, "content_id": id}),
            ),
            ("task_id", &format!("{message}/tasks"), json!({"task_type": "x", "task_id": id})),
        ] {
            client.post(path, &body).problem_with(422, "validation_failed", field);
        }
        let answer = client.send_json("PUT", &format!("{messages}/{id}"), &json!({"role": "user"}));
        answer.problem_with(422, "validation_failed", "message_id");
        let mut body = registration(&unique("host"));
        body["node_id"] = json!(id);
        let answer = client.post("/nodes/register", &body);
        answer.problem_with(422, "validation_failed", "node_id");
    }
}

#[test]
fn what_the_hub_has_made_is_found_under_its_id() {
    let hub = hub();
    let client = &hub.client;
    let session = client.post_empty("/sessions").ok()["session_id"].clone();
    let again = client.post("/sessions", &json!({"session_id": session})).ok();
    assert_eq!(again["session_id"], session);
    let messages = format!("/sessions/{}/messages", session.as_str().unwrap());
    let sent = client.post(&messages, &json!({"content": "x"})).ok();
    let message = sent["assistant_message_id"].as_str().unwrap();
    let path = format!("{messages}/{message}");
    let loaded = client.send_json("PUT", &path, &json!({"role": "assistant"})).ok();
    assert_eq!(loaded["message_id"], message);
    // A task of the queue may be shown in a message.
    let delayed = json!({"name": "x", "delay_ms": 3_600_000});
    let task = client.post("/tasks", &delayed).ok()["task_id"].clone();
    let shown = json!({"task_type": "x", "task_id": task});
    assert_eq!(client.post(&format!("/messages/{message}/tasks"), &shown).ok()["task_id"], task);
    client.post_empty(&format!("/tasks/{}/cancel", task.as_str().unwrap())).ok();
    // A known machine keeps its id, and one that was forgotten comes back under it.
    let body = registration(&unique("host"));
    let node = client.post("/nodes/register", &body).ok()["node_id"].clone();
    let mut again = body.clone();
    again["node_id"] = node.clone();
    assert_eq!(client.post("/nodes/register", &again).ok()["registered"], false);
    client.delete(&format!("/nodes/{}", node.as_str().unwrap())).ok();
    let back = client.post("/nodes/register", &again).ok();
    assert_eq!((&back["node_id"], &back["registered"]), (&node, &json!(true)));
    let mut body = registration(&unique("other"));
    body["node_id"] = json!("node_gpu-1_0a1b2c3d");
    // Of a hostname that is known the id is not looked at.
    let mut known = body.clone();
    known["node_id"] = json!(null);
    let id = client.post("/nodes/register", &known).ok()["node_id"].clone();
    assert_eq!(client.post("/nodes/register", &body).ok()["node_id"], id);
}

#[test]
fn what_an_idempotency_key_makes_cannot_be_told_beforehand() {
    use sha2::{Digest, Sha256};
    let hub = hub();
    let key = unique("order");
    let caller = if hub.wants_keys { "@admin" } else { "@anonymous" };
    let session = keyed(&hub.client, &key).post_empty("/sessions").ok()["session_id"].clone();
    // What the caller, the route and the key alone would make of it.
    let mut sha = Sha256::new();
    for part in [caller, "POST", "/api/v1/sessions", &key] {
        sha.update((part.len() as u64).to_be_bytes());
        sha.update(part);
    }
    let digest: String = sha.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_ne!(session, json!(format!("sess_{}", &digest[..32])));
    let again = keyed(&hub.client, &key).post_empty("/sessions").ok()["session_id"].clone();
    assert_eq!(again, session);
}
