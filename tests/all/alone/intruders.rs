//! What outsiders tried who wanted to break in, and what they meet.

use serde_json::{Value, json};

use crate::harness::{Client, Hub, PATIENCE, eventually, registration, unique};

/// Registers a node under this id.
fn register(client: &Client, node: &str) -> crate::harness::Answer {
    let mut body = registration(node);
    body["node_id"] = json!(node);
    body["available_skills"] = json!(["dig"]);
    client.post("/nodes/register", &body)
}

fn mail(from: &str) -> Value {
    json!({"from": from, "content": "private"})
}

#[test]
fn who_takes_the_id_of_a_removed_node_sees_nothing_of_its_tasks() {
    let hub = Hub::start();
    let (alice, mallory) = (hub.admin().new_agent().client, hub.admin().new_agent().client);
    register(&alice, "n1").ok();
    let secret = json!({"name": "n", "required_skills": ["dig"], "audience": "owner",
        "parameters": {"password": "hunter2"}});
    alice.post("/tasks", &secret).ok();
    let claimed = alice.post("/tasks/claim", &json!({"node_id": "n1"})).ok()["tasks"][0].clone();
    let path = format!("/tasks/{}", claimed["task_id"].as_str().unwrap());
    let done = json!({"token": claimed["token"], "result": {"key": "secret"}});
    alice.post(&format!("{path}/complete"), &done).ok();
    alice.delete("/nodes/n1").ok();
    register(&mallory, "n1").ok();
    mallory.get(&path).problem(404, "not_found");
    alice.get(&path).ok();
}

#[test]
fn mail_under_a_removed_nodes_name_stays_its_owners() {
    let hub = Hub::start();
    let admin = hub.admin();
    let (alice, bob, mallory) = (admin.new_agent(), admin.new_agent(), admin.new_agent().client);
    for owner in [&alice.client, &admin] {
        let node = unique("gpu");
        let inbox = format!("/inbox/{node}");
        register(owner, &node).ok();
        bob.client.post(&inbox, &mail(&bob.id)).ok();
        for _ in 0..2 {
            owner.delete(&format!("/nodes/{node}")).ok();
            register(&mallory, &node).problem_with(403, "forbidden", "node_id");
            register(owner, &node).ok();
        }
        assert_eq!(owner.get(&inbox).ok()["depth"], 1);
        mallory.get(&inbox).problem(404, "not_found");
    }
}

#[test]
fn mail_of_a_removed_agent_is_nobodys() {
    let hub = Hub::start();
    let admin = hub.admin();
    let (bob, mallory) = (admin.new_agent(), admin.new_agent().client);
    register(&mallory, "dave").ok();
    admin.post("/agents/register", &json!({"agent_id": "dave"})).ok();
    bob.client.post("/inbox/dave", &mail(&bob.id)).ok();
    admin.delete("/agents/dave").ok();
    mallory.get("/inbox/dave").problem(404, "not_found");
    mallory.post("/inbox/dave/receive", &json!({})).problem(403, "forbidden");
}

#[test]
fn a_registration_that_is_refused_keeps_no_name() {
    let hub = Hub::start();
    let admin = hub.admin();
    let alice = admin.new_agent().client;
    let invite = admin.post("/invites", &json!({"uses": 1})).ok()["invite"].clone();
    let invited = admin.with_key(invite.as_str().unwrap());
    let first = json!({"agent_id": "first", "wallet_address": "wallet"});
    invited.post("/agents/register", &first).ok();
    invited.post("/agents/register", &json!({"agent_id": "free"})).problem(401, "unauthenticated");
    register(&alice, "free").ok();
    let taken = json!({"agent_id": "free-too", "wallet_address": "wallet"});
    admin.post("/agents/register", &taken).problem(409, "conflict");
    register(&alice, "free-too").ok();
}

#[test]
fn tasks_that_come_due_have_no_more_sets_of_skills_than_others() {
    let hub = Hub::options().variable("quota_classes", "4").start();
    let alice = hub.admin().new_agent();
    let mut last = Value::Null;
    for n in 0..8 {
        let body = json!({"name": "n", "required_skills": [format!("s{n}")], "delay_ms": 300});
        last = alice.client.post("/tasks", &body).ok()["task_id"].clone();
    }
    let mut redis = hub.private_redis();
    let classes = |redis: &mut redis::Connection| -> i64 {
        let key = format!("reef:usage:{}", alice.id);
        let count: Option<i64> = redis::cmd("HGET").arg(key).arg("classes").query(redis).unwrap();
        count.unwrap_or_default()
    };
    eventually("the first come due", PATIENCE, || (classes(&mut redis) == 4).then_some(()));
    // What found no place waits for one, and gets it once there is room.
    let waiting = alice.client.get("/tasks/pending").list();
    assert_eq!(waiting.len(), 4, "{waiting:?}");
    for task in waiting {
        let path = format!("/tasks/{}/cancel", task["task_id"].as_str().unwrap());
        alice.client.post_empty(&path).ok();
    }
    let path = format!("/tasks/{}", last.as_str().unwrap());
    eventually("the last comes due", PATIENCE, || {
        assert!(classes(&mut redis) <= 4);
        (alice.client.get(&path).ok()["status"] == "pending").then_some(())
    });
}

#[test]
fn a_send_that_is_repeated_or_refused_is_not_counted() {
    let hub = Hub::options().variable("quota_mail_bytes", "1000").start();
    let alice = hub.admin().new_agent();
    let inbox = format!("/inbox/{}", alice.id);
    let letter = |text: &str| json!({"from": alice.id, "content": text.repeat(700)});
    let first = alice.client.with("Idempotency-Key", "first");
    let sent = first.post(&inbox, &letter("x")).ok();
    // The quota is used up, and a repeat gets the first answer all the same.
    alice.client.post(&inbox, &letter("y")).problem(409, "quota_exceeded");
    assert_eq!(first.post(&inbox, &letter("x")).ok()["msg_id"], sent["msg_id"]);
    for _ in 0..3 {
        first.post(&inbox, &letter("z")).problem(422, "idempotency_mismatch");
    }
    let taken = alice.client.post(&format!("{inbox}/receive"), &json!({})).ok();
    let receipts = json!({"receipts": [taken["messages"][0]["receipt"]]});
    alice.client.post(&format!("{inbox}/ack"), &receipts).ok();
    alice.client.post(&inbox, &letter("y")).ok();
}

#[test]
fn json_within_texts_is_not_taken_for_json() {
    let hub = Hub::start();
    let client = hub.admin();
    let hidden = json!({"$serde_json::private::RawValue": "[[[[1]]]]"});
    let session = client.post_empty("/sessions").ok()["session_id"].as_str().unwrap().to_owned();
    let sent = client.post(&format!("/sessions/{session}/messages"), &json!({"content": "x"})).ok();
    let message = format!("/messages/{}", sent["assistant_message_id"].as_str().unwrap());
    let block = json!({"content_type": "json", "json": {"json": hidden}});
    let started = json!({"task_type": "x", "anything": hidden});
    let proposal = json!({"tasks": [{"name": "n", "parameters": hidden}]});
    for (path, body) in [
        ("/tasks".to_owned(), json!({"name": "n", "parameters": hidden})),
        ("/sessions".to_owned(), json!({"metadata": {"deep": [hidden]}})),
        (format!("{message}/content"), block),
        (format!("{message}/tasks"), started),
        (
            "/inbox/bob".to_owned(),
            json!({"from": "boss", "topic": "task_proposal", "content": proposal}),
        ),
    ] {
        let refused = client.post(&path, &body).problem(422, "validation_failed");
        assert!(refused["detail"].as_str().unwrap().contains("reserved"), "{path}: {refused}");
    }
    // As deep as JSON may be is deep enough to be refused where a level is added to it.
    let deepest = format!("{}{}", "[".repeat(64), "]".repeat(64));
    let body = format!(r#"{{"task_type":"x","anything":{deepest}}}"#);
    client.send("POST", &format!("{message}/tasks"), Some(body.as_bytes()))
        .problem(422, "validation_failed");
}

#[test]
fn cursors_and_incarnations_that_were_never_given_are_refused() {
    let hub = Hub::start();
    let client = hub.admin();
    for cursor in ["1-18446744073709551615", "18446744073709551615-0"] {
        let stream = client.stream(&format!("/events/stream?last_id={cursor}"));
        assert_eq!(stream.status, 400, "{cursor}");
    }
    register(&client, "n").ok();
    let body = json!({"node_id": "n", "incarnation": 999_999});
    client.post("/cluster/leader/campaign", &body).problem(409, "fenced");
    let beat = json!({"incarnation": 999_999});
    client.post("/nodes/n/heartbeat", &beat).problem(409, "fenced");
}
