//! Bodies that break a rule: which status, and which field is blamed.

use serde_json::{Value, json};

use super::caller;
use super::registration::assert_old_refusal;
use crate::harness::{Client, registration, unique};

/// Registers with one field changed (or taken out, for `null`).
fn register_with(client: &Client, field: &str, value: &Value) -> crate::harness::Answer {
    let mut body = registration(&unique("wrong"));
    match value {
        Value::Null => drop(body.as_object_mut().unwrap().remove(field)),
        value => body[field] = value.clone(),
    }
    client.post("/nodes/register", &body)
}

/// Checks that the field is blamed, or the element of it that is wrong.
#[track_caller]
fn assert_blames(problem: &Value, field: &str) {
    let element = format!("{field}[");
    let blamed = problem["errors"].as_array().unwrap().iter().any(|error| {
        let name = error["field"].as_str().unwrap_or_default();
        name == field || name.starts_with(&element)
    });
    assert!(blamed, "{field} is not blamed: {problem}");
}

#[test]
fn a_registration_that_makes_no_sense_is_a_400() {
    let (_hub, client) = caller();
    for (field, value) in [
        ("hostname", json!("")),
        ("hostname", json!("  \t ")),
        ("platform", json!("beos")),
        ("platform", json!("Linux")),
        ("platform", json!("")),
        ("arch", json!("sparc")),
        ("available_skills", json!([])),
        ("available_skills", json!(["fine", " "])),
        ("available_skills", json!([""])),
    ] {
        let answer = register_with(&client, field, &value);
        let problem = answer.problem(400, "invalid_registration");
        assert_blames(&problem, field);
        assert_old_refusal(&problem);
    }
}

#[test]
fn a_registration_that_breaks_the_schema_is_a_422() {
    let (_hub, client) = caller();
    let long = |length| json!("x".repeat(length));
    let many: Vec<_> = (0..101).map(|n| format!("s{n}")).collect();
    for (field, value) in [
        ("hostname", Value::Null),
        ("platform", Value::Null),
        ("arch", Value::Null),
        ("available_skills", Value::Null),
        ("hostname", json!(7)),
        ("hostname", long(256)),
        ("platform", json!(["linux"])),
        ("available_skills", json!("build")),
        ("available_skills", json!(many)),
        ("available_skills", json!([long(129)])),
        ("tags", json!([long(129)])),
        ("tags", json!({"a": "b"})),
        ("ip_address", long(65)),
        ("tailscale_ip", long(65)),
        ("port", json!(65536)),
        ("port", json!(-1)),
        ("port", json!("abc")),
        ("max_concurrent_tasks", json!(0)),
        ("max_concurrent_tasks", json!(101)),
        ("max_concurrent_tasks", json!(5.5)),
        ("max_concurrent_tasks", json!("abc")),
        ("max_concurrent_tasks", json!(true)),
        ("node_id", json!(12)),
    ] {
        let answer = register_with(&client, field, &value);
        let problem = answer.problem(422, "validation_failed");
        assert_blames(&problem, field);
    }
}

#[test]
fn the_limits_themselves_are_allowed() {
    let (_hub, client) = caller();
    let many: Vec<_> = (0..100).map(|n| format!("s{n}")).collect();
    for (field, value) in [
        ("hostname", json!(format!("{:x<255}", unique("edge")))),
        ("available_skills", json!(many)),
        ("available_skills", json!(["x".repeat(128)])),
        ("tags", json!(many)),
        ("ip_address", json!("x".repeat(64))),
        ("port", json!(0)),
        ("port", json!(65535)),
        ("max_concurrent_tasks", json!(1)),
        ("max_concurrent_tasks", json!(100)),
    ] {
        let node = register_with(&client, field, &value).ok()["node_info"].clone();
        assert_eq!(node[field], value);
    }
}

#[test]
fn all_faults_are_named_at_once_and_the_schema_goes_first() {
    let (_hub, client) = caller();
    let body = json!({"hostname": " ", "platform": "beos", "arch": "x64", "available_skills": []});
    let answer = client.post("/nodes/register", &body);
    for field in ["hostname", "platform", "available_skills"] {
        answer.problem_with(400, "invalid_registration", field);
    }
    let mut body = body;
    body["max_concurrent_tasks"] = json!(0);
    client.post("/nodes/register", &body).problem_with(
        422,
        "validation_failed",
        "max_concurrent_tasks",
    );
}

#[test]
fn a_heartbeat_out_of_range_is_a_422_and_changes_nothing() {
    let (_hub, client) = caller();
    let id = client.new_node("ranges");
    client.beat(&id, &json!({"cpu_usage": 40}));
    let before = client.node(&id);
    for (field, value) in [
        ("cpu_usage", json!(101)),
        ("cpu_usage", json!(100.01)),
        ("cpu_usage", json!(-1)),
        ("cpu_usage", json!("abc")),
        ("cpu_usage", json!(true)),
        ("memory_usage", json!(101)),
        ("memory_usage", json!("")),
        ("disk_usage", json!(-0.5)),
        ("disk_usage", json!([50])),
        ("running_tasks", json!(-1)),
        ("running_tasks", json!(5.5)),
        ("running_tasks", json!("many")),
        ("status", json!("offline")),
        ("status", json!("maintenance")),
        ("status", json!("asleep")),
        ("incarnation", json!("first")),
        ("claims", json!("none")),
    ] {
        let answer = client.post(&format!("/nodes/{id}/heartbeat"), &json!({field: value}));
        answer.problem_with(422, "validation_failed", field);
    }
    assert_eq!(client.node(&id), before);
}

#[test]
fn a_body_that_is_required_is_missed_by_name() {
    let (_hub, client) = caller();
    let id = client.new_node("bodiless");
    for (method, path) in [
        ("POST", "/nodes/register".to_owned()),
        ("POST", format!("/nodes/{id}/heartbeat")),
        ("POST", "/heartbeats".to_owned()),
        ("POST", "/cluster/leader/campaign".to_owned()),
        ("POST", "/cluster/leader/resign".to_owned()),
        ("PATCH", format!("/nodes/{id}")),
    ] {
        let answer = client.send(method, &path, None);
        answer.problem_with(422, "validation_failed", "body");
    }
}

#[test]
fn a_body_of_another_shape_is_a_422() {
    let (_hub, client) = caller();
    let id = client.new_node("shapes");
    for path in ["/nodes/register".to_owned(), format!("/nodes/{id}/heartbeat")] {
        for body in [json!([]), json!("text"), json!(5), json!(true)] {
            client.post(&path, &body).problem(422, "validation_failed");
        }
    }
    for body in [json!({}), json!("text"), json!(5)] {
        client.post("/heartbeats", &body).problem(422, "validation_failed");
    }
}

#[test]
fn a_campaign_needs_an_id_and_a_sensible_time() {
    let (_hub, client) = caller();
    for (field, body) in [
        ("node_id", json!({})),
        ("node_id", json!({"node_id": "a{b"})),
        ("node_id", json!({"node_id": 5})),
        ("ttl_ms", json!({"node_id": "n", "ttl_ms": 99})),
        ("ttl_ms", json!({"node_id": "n", "ttl_ms": 600_001})),
        ("ttl_ms", json!({"node_id": "n", "ttl_ms": "soon"})),
        ("incarnation", json!({"node_id": "n", "incarnation": -1})),
        ("incarnation", json!({"node_id": "n", "incarnation": "first"})),
    ] {
        let answer = client.post("/cluster/leader/campaign", &body);
        answer.problem_with(422, "validation_failed", field);
    }
    for (field, body) in [
        ("node_id", json!({"term": 1})),
        ("term", json!({"node_id": "n"})),
        ("term", json!({"node_id": "n", "term": "x"})),
    ] {
        let answer = client.post("/cluster/leader/resign", &body);
        answer.problem_with(422, "validation_failed", field);
    }
}

#[test]
fn a_check_needs_a_sensible_timeout() {
    let (_hub, client) = caller();
    for timeout in [json!(0), json!(-5), json!(86401), json!("soon"), json!(true)] {
        let body = json!({"timeout_seconds": timeout});
        let answer = client.post("/cluster/check-heartbeat", &body);
        answer.problem_with(422, "validation_failed", "timeout_seconds");
    }
}
