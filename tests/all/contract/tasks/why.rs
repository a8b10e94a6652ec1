//! `GET /tasks/{id}/why`: what stands between a task and a node.

use serde_json::{Value, json};

use super::super::caller;
use super::Desk;
use crate::harness::unique;

#[test]
fn each_obstacle_has_its_word() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let other = unique("other");
    let id = desk.submit(json!({"required_skills": [desk.skill, other]}));
    let fields = ["task_id", "status", "reason", "message", "due_at", "ahead", "nodes", "skills"];
    let ask = || client.get(&format!("/tasks/{id}/why")).has_fields(&fields);
    let says = |reason: &str, able: i64, online: i64, free: i64| -> Value {
        let why = ask();
        assert_eq!(why["reason"], reason, "{why}");
        assert_eq!(why["nodes"], json!({"able": able, "online": online, "free": free}), "{why}");
        assert!(why["message"].as_str().is_some_and(|text| text.ends_with('.')), "{why}");
        why
    };
    let why = says("no_node_with_skill", 0, 0, 0);
    assert!(why["message"].as_str().unwrap().contains(&desk.skill));
    assert_eq!(why["skills"][0], json!({"skill": desk.skill, "nodes": 0, "online": 0}));
    desk.node(1);
    let why = says("no_node_with_skill", 0, 0, 0);
    let message = why["message"].as_str().unwrap();
    assert!(message.contains(&other) && !message.contains(&desk.skill), "{message}");
    desk.node_with(json!({"available_skills": [other]}));
    says("no_node_with_all_skills", 0, 0, 0);

    let node = desk.node_with(json!({
        "available_skills": [other, desk.skill], "max_concurrent_tasks": 1,
    }));
    let why = says("waiting_for_claim", 1, 1, 1);
    assert_eq!((&why["status"], &why["due_at"]), (&json!("pending"), &Value::Null));
    assert_eq!(why["skills"][1], json!({"skill": other, "nodes": 2, "online": 2}));
    client.beat(&node, &json!({"running_tasks": 1}));
    says("all_full", 1, 1, 0);
    client.patch(&format!("/nodes/{node}"), &json!({"status": "maintenance"})).ok();
    says("no_node_online", 1, 0, 0);

    client.patch(&format!("/nodes/{node}"), &json!({"status": "online"})).ok();
    client.beat(&node, &json!({"running_tasks": 0}));
    let held = desk.claim_one(&node);
    assert_eq!(says("running", 1, 1, 0)["status"], "running");
    desk.post(&held, "complete", json!({})).ok();
    assert_eq!(says("ended", 1, 1, 1)["status"], "completed");
}
