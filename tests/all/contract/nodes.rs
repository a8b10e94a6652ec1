//! One node: reading, changing, shutting down, deleting.

use serde_json::{Value, json};

use super::{NODE_FIELDS, caller};
use crate::harness::{registration, unique};

#[test]
fn a_node_is_answered_with_every_field_in_order() {
    let (_hub, client) = caller();
    let id = client.new_node("one");
    let answer = client.get(&format!("/nodes/{id}"));
    assert_eq!(answer.has_fields(NODE_FIELDS)["node_id"], id);
}

#[test]
fn an_unknown_node_is_a_404_on_every_route() {
    let (_hub, client) = caller();
    let id = unique("nobody");
    client.get(&format!("/nodes/{id}")).problem(404, "not_found");
    client.get(&format!("/nodes/{id}/health")).problem(404, "not_found");
    client.patch(&format!("/nodes/{id}"), &json!({"tags": []})).problem(404, "not_found");
    client.delete(&format!("/nodes/{id}")).problem(404, "not_found");
    client.post_empty(&format!("/nodes/{id}/shutdown")).problem(404, "not_found");
    client.post(&format!("/nodes/{id}/heartbeat"), &json!({})).problem(404, "not_found");
}

#[test]
fn a_malformed_id_is_a_422_on_every_route() {
    let (_hub, client) = caller();
    let long = "a".repeat(129);
    for id in ["a%7Bb", "a%7Bb%7D", "a:b", "a%3Ab", "%40external", "@x", ".x", "a%20b", &long] {
        for (method, tail) in [
            ("GET", ""),
            ("GET", "/health"),
            ("PATCH", ""),
            ("DELETE", ""),
            ("POST", "/shutdown"),
            ("POST", "/heartbeat"),
        ] {
            let body = matches!(method, "PATCH" | "POST").then_some(&b"{}"[..]);
            let answer = client.send(method, &format!("/nodes/{id}{tail}"), body);
            answer.problem_with(422, "validation_failed", "node_id");
        }
    }
}

#[test]
fn a_path_that_is_no_utf8_is_a_400() {
    let (_hub, client) = caller();
    client.get("/nodes/%E5").problem(400, "invalid_parameter");
    client.get("/nodes/skills/%E5").problem(400, "invalid_parameter");
}

#[test]
fn patch_changes_what_it_names_and_nothing_else() {
    let (_hub, client) = caller();
    let id = client.new_node("patched");
    client.beat(&id, &json!({"cpu_usage": 33.5, "running_tasks": 1}));
    let mut expected = client.node(&id);
    for (field, value) in [
        ("status", json!("busy")),
        ("status", json!("error")),
        ("status", json!("maintenance")),
        ("status", json!("online")),
        ("available_skills", json!(["paint", "cook"])),
        ("tags", json!(["west"])),
        ("tags", json!([])),
        ("max_concurrent_tasks", json!(42)),
        ("total_tasks_processed", json!(12)),
        ("successful_tasks", json!(10)),
        ("failed_tasks", json!(2)),
        ("average_execution_time", json!(1.25)),
    ] {
        let answer = client.patch(&format!("/nodes/{id}"), &json!({field: value}));
        let changed = answer.has_fields(NODE_FIELDS);
        expected[field] = value;
        assert_eq!(changed, expected, "{field}");
        assert_eq!(client.node(&id), expected, "{field}");
    }
}

#[test]
fn patch_ignores_what_is_not_its_own() {
    let (_hub, client) = caller();
    let id = client.new_node("fixed");
    let before = client.node(&id);
    let body = json!({
        "hostname": "other", "platform": "macos", "node_id": "other", "incarnation": 99,
        "registered_at": "2020-01-01T00:00:00.000Z", "cpu_usage": 99, "nonsense": 1,
    });
    assert_eq!(client.patch(&format!("/nodes/{id}"), &body).ok(), before);
}

#[test]
fn patch_refuses_what_makes_no_sense() {
    let (_hub, client) = caller();
    let id = client.new_node("unpatched");
    let before = client.node(&id);
    for (field, value) in [
        ("status", json!("asleep")),
        ("status", json!(3)),
        ("max_concurrent_tasks", json!(0)),
        ("max_concurrent_tasks", json!(101)),
        ("total_tasks_processed", json!(-1)),
        ("successful_tasks", json!("x")),
        ("failed_tasks", json!(1.5)),
        ("average_execution_time", json!(-0.1)),
        ("tags", json!("west")),
        ("available_skills", json!([])),
    ] {
        let answer = client.patch(&format!("/nodes/{id}"), &json!({field: value}));
        answer.problem_with(422, "validation_failed", field);
    }
    assert_eq!(client.node(&id), before);
}

#[test]
fn patch_to_online_brings_an_offline_node_back_and_invents_no_heartbeat() {
    let (_hub, client) = caller();
    let id = client.new_node("back");
    client.post_empty(&format!("/nodes/{id}/shutdown")).ok();
    let off = client.node(&id);
    let on = client.patch(&format!("/nodes/{id}"), &json!({"status": "online"})).ok();
    assert_eq!(on["status"], "online");
    assert_eq!(on["last_heartbeat"], off["last_heartbeat"]);
    assert_eq!(client.get(&format!("/nodes/{id}/health")).ok()["healthy"], true);
}

#[test]
fn two_writers_do_not_undo_each_other() {
    const ROUNDS: usize = 25;
    let (_hub, client) = caller();
    let id = client.new_node("shared");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 1..=ROUNDS {
                client.patch(&format!("/nodes/{id}"), &json!({"total_tasks_processed": n})).ok();
            }
        });
        scope.spawn(|| {
            for n in 1..=ROUNDS {
                client.patch(&format!("/nodes/{id}"), &json!({"tags": [n.to_string()]})).ok();
            }
        });
        for n in 1..=ROUNDS {
            client.beat(&id, &json!({"cpu_usage": n, "running_tasks": n}));
        }
    });
    let node = client.node(&id);
    assert_eq!(node["total_tasks_processed"], ROUNDS);
    assert_eq!(node["tags"], json!([ROUNDS.to_string()]));
    assert_eq!(node["cpu_usage"].as_f64(), Some(ROUNDS as f64));
    assert_eq!(node["running_tasks"], ROUNDS);
}

#[test]
fn shutdown_takes_a_node_offline_and_keeps_when_it_was_last_heard() {
    let (_hub, client) = caller();
    let id = client.new_node("ending");
    client.beat(&id, &json!({"cpu_usage": 5}));
    let before = client.node(&id);
    let answer = client.post_empty(&format!("/nodes/{id}/shutdown"));
    let body = answer.has_fields(&["success", "message", "node_id"]);
    assert_eq!(body["success"], true);
    assert_eq!(body["node_id"], id);
    let after = client.node(&id);
    assert_eq!(after["status"], "offline");
    assert_eq!(after["last_heartbeat"], before["last_heartbeat"]);
    // Said twice, with a body or without, it is as true as once.
    client.post(&format!("/nodes/{id}/shutdown"), &json!({})).ok();
    assert_eq!(client.node(&id), after);
}

#[test]
fn a_deleted_node_leaves_nothing_and_its_hostname_is_free() {
    let (_hub, client) = caller();
    let skill = unique("deleted");
    let mut body = registration(&unique("gone"));
    body["available_skills"] = json!([skill]);
    body["tags"] = json!([skill]);
    let first = client.post("/nodes/register", &body).ok();
    let id = first["node_id"].as_str().unwrap();

    let answer = client.delete(&format!("/nodes/{id}"));
    assert_eq!(answer.has_fields(&["success", "node_id"])["node_id"], id);
    client.get(&format!("/nodes/{id}")).problem(404, "not_found");
    client.post(&format!("/nodes/{id}/heartbeat"), &json!({})).problem(404, "not_found");
    client.delete(&format!("/nodes/{id}")).problem(404, "not_found");
    assert_eq!(client.get(&format!("/nodes/skills/{skill}")).list(), Vec::<Value>::new());
    assert_eq!(client.get(&format!("/nodes?tag={skill}")).list(), Vec::<Value>::new());

    let again = client.post("/nodes/register", &body).ok();
    assert_eq!(again["registered"], true);
}

#[test]
fn a_registration_after_a_deletion_still_fences_the_older_one() {
    let (_hub, client) = caller();
    let hostname = unique("reborn");
    let mut body = registration(&hostname);
    body["node_id"] = json!(unique("same"));
    let first = client.post("/nodes/register", &body).ok()["node_info"].clone();
    let id = first["node_id"].as_str().unwrap();
    client.delete(&format!("/nodes/{id}")).ok();
    let second = client.post("/nodes/register", &body).ok()["node_info"].clone();
    assert_eq!(second["node_id"], id);
    assert!(second["incarnation"].as_u64() > first["incarnation"].as_u64(), "{first} {second}");
}
