//! `auth_mode=open`: anonymous callers may do all that is not about money.

use serde_json::json;

use crate::harness::{Hub, registration, unique};

#[test]
fn anonymous_callers_are_served() {
    let hub = Hub::options().open().start();
    let client = hub.anonymous();
    let id = client.new_node("anonymous");
    client.beat(&id, &json!({}));
    client.patch(&format!("/nodes/{id}"), &json!({"tags": ["x"]})).ok();
    client.post("/cluster/leader/campaign", &json!({"node_id": id})).ok();
    client.post_empty("/cluster/check-heartbeat").ok();
    client.post("/cluster/check-heartbeat", &json!({"timeout_seconds": 60})).ok();
    client.post_empty(&format!("/nodes/{id}/shutdown")).ok();
    client.delete(&format!("/nodes/{id}")).ok();
}

#[test]
fn anonymous_callers_write_messages_and_send_mail() {
    let hub = Hub::options().open().start();
    let client = hub.anonymous();
    let opened = client.post("/sessions", &json!({"user_id": "u"})).ok();
    let messages = format!("/sessions/{}/messages", opened["session_id"].as_str().unwrap());
    let sent = client.post(&messages, &json!({"content": "hello"})).ok();
    let message = format!("/messages/{}", sent["assistant_message_id"].as_str().unwrap());
    client.post(&format!("{message}/append"), &json!({"delta": "hi"})).ok();
    client.post_empty(&format!("{message}/complete")).ok();
    assert_eq!(client.get(&message).ok()["text"], "hi");
    assert_eq!(client.get(&messages).ok()["count"], 2);
    client.post("/inbox/someone", &json!({"from": "me", "content": "x"})).ok();
    let received = client.post_empty("/inbox/someone/receive").ok();
    let receipts = json!({"receipts": [received["messages"][0]["receipt"]]});
    assert_eq!(client.post("/inbox/someone/ack", &receipts).ok()["acknowledged"], 1);
}

#[test]
fn a_wrong_key_is_refused_and_not_taken_for_nobody() {
    let hub = Hub::options().open().start();
    let wrong = hub.anonymous().with_key("nonsense");
    wrong.get("/nodes").problem(401, "unauthenticated");
    wrong.post("/nodes/register", &registration(&unique("x"))).problem(401, "unauthenticated");
}

#[test]
fn idempotency_keys_of_anonymous_callers_are_their_own() {
    let hub = Hub::options().open().start();
    let body = registration(&unique("scoped"));
    let send = |client: crate::harness::Client| {
        client.with("idempotency-key", "the-same").post("/nodes/register", &body)
    };
    let anonymous = send(hub.anonymous());
    assert_eq!(anonymous.ok()["registered"], true);
    let admin = send(hub.admin());
    assert_eq!(admin.header("idempotent-replayed"), None, "another caller's answer");
    assert_eq!(admin.ok()["registered"], false);
}
