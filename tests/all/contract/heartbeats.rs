//! Heartbeats, alone and in batches, and the health of one node.

use serde_json::{Value, json};

use super::{HEARTBEAT_FIELDS, caller};
use crate::harness::{field_names, is_timestamp, registration, unique};

#[test]
fn a_heartbeat_is_answered_in_full() {
    let (_hub, client) = caller();
    let id = client.new_node("beating");
    let answer = client.post(&format!("/nodes/{id}/heartbeat"), &json!({}));
    let body = answer.has_fields(HEARTBEAT_FIELDS);
    assert_eq!(body["success"], true);
    assert_eq!(body["node_id"], id);
    assert!(body["message"].is_string());
    assert!(is_timestamp(&body["timestamp"]));
    for field in ["renewed", "revoked", "cancelled"] {
        assert_eq!(body[field], json!([]), "{field}");
    }
    assert_eq!(body["drain"], false);
    assert_eq!(body["inbox"], 0);
    assert!(body["leader"].is_null() || body["leader"].is_string());
    assert!(body["term"].is_u64());
    assert_eq!(client.node(&id)["last_heartbeat"], body["timestamp"]);
}

#[test]
fn the_hub_sets_the_pace() {
    let (_hub, client) = caller();
    let id = client.new_node("paced");
    let mut paces = Vec::new();
    for _ in 0..20 {
        let pace = client.beat(&id, &json!({}))["next_heartbeat_ms"].as_u64().unwrap();
        assert!((1..=10_000).contains(&pace), "{pace}");
        paces.push(pace);
    }
    paces.dedup();
    assert!(paces.len() > 1, "without jitter all nodes of a restarted hub beat at once: {paces:?}");
}

#[test]
fn metrics_are_stored_and_omitted_ones_become_zero() {
    let (_hub, client) = caller();
    let id = client.new_node("measured");
    let body = json!({
        "cpu_usage": 12.5, "memory_usage": "37.25", "disk_usage": 100, "running_tasks": 3,
        "something_else": true,
    });
    client.beat(&id, &body);
    let node = client.node(&id);
    assert_eq!(node["cpu_usage"].as_f64(), Some(12.5));
    assert_eq!(node["memory_usage"].as_f64(), Some(37.25));
    assert_eq!(node["disk_usage"].as_f64(), Some(100.0));
    assert_eq!(node["running_tasks"], 3);

    client.beat(&id, &json!({"cpu_usage": 1, "memory_usage": null}));
    let node = client.node(&id);
    assert_eq!(node["cpu_usage"].as_f64(), Some(1.0));
    for field in ["memory_usage", "disk_usage"] {
        assert_eq!(node[field].as_f64(), Some(0.0), "{field}");
    }
    assert_eq!(node["running_tasks"], 0);
}

#[test]
fn a_heartbeat_brings_an_offline_node_back_and_leaves_others_where_they_are() {
    let (_hub, client) = caller();
    let id = client.new_node("states");
    let set = |status: &str| {
        client.patch(&format!("/nodes/{id}"), &json!({"status": status})).ok();
    };
    let status = || client.node(&id)["status"].clone();

    client.post_empty(&format!("/nodes/{id}/shutdown")).ok();
    client.beat(&id, &json!({}));
    assert_eq!(status(), "online");
    client.beat(&id, &json!({"status": "busy"}));
    assert_eq!(status(), "busy");
    client.beat(&id, &json!({"status": "online"}));
    assert_eq!(status(), "online");
    for stays in ["maintenance", "error"] {
        set(stays);
        client.beat(&id, &json!({}));
        assert_eq!(status(), stays);
        client.beat(&id, &json!({"status": "online"}));
        assert_eq!(status(), stays);
        set("online");
    }
}

#[test]
fn a_node_in_maintenance_is_told_to_drain() {
    let (_hub, client) = caller();
    let id = client.new_node("draining");
    assert_eq!(client.beat(&id, &json!({}))["drain"], false);
    client.patch(&format!("/nodes/{id}"), &json!({"status": "maintenance"})).ok();
    assert_eq!(client.beat(&id, &json!({}))["drain"], true);
    client.patch(&format!("/nodes/{id}"), &json!({"status": "online"})).ok();
    assert_eq!(client.beat(&id, &json!({}))["drain"], false);
}

#[test]
fn an_older_incarnation_is_fenced_off() {
    let (_hub, client) = caller();
    let body = registration(&unique("twice"));
    let old = client.post("/nodes/register", &body).ok()["node_info"].clone();
    let new = client.post("/nodes/register", &body).ok()["node_info"].clone();
    let id = old["node_id"].as_str().unwrap();
    let path = format!("/nodes/{id}/heartbeat");

    client.beat(id, &json!({"cpu_usage": 10, "incarnation": new["incarnation"]}));
    let before = client.node(id);
    let stale = json!({"cpu_usage": 90, "incarnation": old["incarnation"]});
    client.post(&path, &stale).problem(409, "fenced");
    assert_eq!(client.node(id), before, "a fenced heartbeat changes nothing");
    // Who sends none is not checked.
    client.beat(id, &json!({"cpu_usage": 20}));
}

#[test]
fn claims_that_are_no_longer_held_are_revoked_by_name() {
    let (_hub, client) = caller();
    let id = client.new_node("claiming");
    let claims = json!([{"task_id": "task_a", "token": "1"}, {"task_id": "task_b", "token": "2"}]);
    let body = client.beat(&id, &json!({"claims": claims}));
    assert_eq!(body["renewed"], json!([]));
    assert_eq!(body["revoked"], json!(["task_a", "task_b"]));
}

#[test]
fn a_batch_answers_each_entry_in_order() {
    let (_hub, client) = caller();
    let (first, second) = (client.new_node("batch"), client.new_node("batch"));
    let ghost = unique("ghost");
    let again = registration(&unique("batch"));
    let old = client.post("/nodes/register", &again).ok()["node_info"].clone();
    client.post("/nodes/register", &again).ok();

    let batch = json!([
        {"node_id": first, "cpu_usage": 11},
        {"node_id": ghost},
        {"node_id": second, "cpu_usage": 101},
        {"node_id": old["node_id"], "incarnation": old["incarnation"]},
        {"cpu_usage": 1},
        {"node_id": "a{b"},
        "not an object",
        {"node_id": second, "status": "busy"},
    ]);
    let answer = client.post("/heartbeats", &batch);
    let results = answer.list();
    let statuses: Vec<_> = results.iter().map(|result| result["status"].as_u64()).collect();
    let expected = [200, 404, 422, 409, 422, 422, 422, 200].map(Some);
    assert_eq!(statuses, expected, "{answer}");

    let fine = &results[0];
    let names = field_names(&fine.to_string());
    for field in HEARTBEAT_FIELDS {
        assert!(names.iter().any(|name| name == field), "{field}: {fine}");
    }
    assert_eq!((&fine["success"], &fine["node_id"]), (&json!(true), &json!(first)));
    for (result, code) in [(&results[1], "not_found"), (&results[3], "fenced")] {
        assert_eq!(result["success"], false, "{result}");
        assert_eq!(result["code"], code, "{result}");
        assert!(result["message"].is_string(), "{result}");
    }
    assert_eq!(results[1]["node_id"], ghost);
    assert_eq!(client.node(&first)["cpu_usage"].as_f64(), Some(11.0));
    let second = client.node(&second);
    assert_eq!(second["status"], "busy");
    assert_eq!(second["cpu_usage"].as_f64(), Some(0.0), "the bad entry changed nothing");
}

#[test]
fn a_batch_has_a_size() {
    let (_hub, client) = caller();
    let id = client.new_node("bulk");
    let batch = |count: usize| Value::from(vec![json!({"node_id": id, "cpu_usage": 1}); count]);
    assert_eq!(client.post("/heartbeats", &batch(0)).list().len(), 0);
    let results = client.post("/heartbeats", &batch(1000)).list();
    assert_eq!(results.len(), 1000);
    assert!(results.iter().all(|result| result["success"] == true));
    client.post("/heartbeats", &batch(1001)).problem(422, "validation_failed");
}

#[test]
fn health_tells_whether_a_node_can_be_counted_on() {
    let (_hub, client) = caller();
    let id = client.new_node("healthy");
    client.beat(
        &id,
        &json!({"cpu_usage": 7.5, "memory_usage": 8, "disk_usage": 9, "running_tasks": 2}),
    );
    let answer = client.get(&format!("/nodes/{id}/health"));
    let health = answer.has_fields(&[
        "node_id",
        "hostname",
        "healthy",
        "status",
        "last_heartbeat",
        "time_since_heartbeat",
        "is_timeout",
        "cpu_usage",
        "memory_usage",
        "disk_usage",
        "running_tasks",
        "max_concurrent_tasks",
        "available_capacity",
    ]);
    let node = client.node(&id);
    for field in ["node_id", "hostname", "status", "last_heartbeat", "cpu_usage", "running_tasks"] {
        assert_eq!(health[field], node[field], "{field}");
    }
    assert_eq!(health["healthy"], true);
    assert_eq!(health["is_timeout"], false);
    assert_eq!(health["available_capacity"], 3);
    let age = health["time_since_heartbeat"].as_f64().unwrap();
    assert!((0.0..30.0).contains(&age), "{answer}");
}

#[test]
fn only_online_is_healthy() {
    let (_hub, client) = caller();
    let id = client.new_node("unwell");
    for status in ["busy", "maintenance", "error", "offline", "online"] {
        client.patch(&format!("/nodes/{id}"), &json!({"status": status})).ok();
        let health = client.get(&format!("/nodes/{id}/health")).ok();
        assert_eq!(health["healthy"], status == "online", "{health}");
    }
}

#[test]
fn more_running_than_allowed_shows_as_negative_capacity() {
    let (_hub, client) = caller();
    let id = client.new_node("overfull");
    client.beat(&id, &json!({"running_tasks": 50}));
    let health = client.get(&format!("/nodes/{id}/health")).ok();
    assert_eq!(health["running_tasks"], 50);
    // As the older service told it.
    assert_eq!(health["available_capacity"], -45);
}
