//! `POST /nodes/register`: who a node is, and what a second registration changes.

use serde_json::{Value, json};

use super::{NODE_FIELDS, caller};
use crate::harness::{field_names, is_timestamp, race, registration, unique};

/// The fields of the answer, in order.
const FIELDS: &[&str] = &["success", "node_id", "message", "registered", "node_info"];

#[test]
fn a_new_node_is_answered_in_full_with_defaults() {
    let (_hub, client) = caller();
    let hostname = unique("fresh");
    let answer = client.post("/nodes/register", &registration(&hostname));
    let body = answer.has_fields(FIELDS);
    assert_eq!(body["success"], true);
    assert_eq!(body["registered"], true);
    assert!(body["message"].as_str().is_some_and(|text| !text.is_empty()));
    let text = answer.text();
    let (_, node) = text.split_once("\"node_info\":").unwrap();
    assert_eq!(field_names(node.strip_suffix('}').unwrap()), NODE_FIELDS);

    let node = &body["node_info"];
    assert_eq!(node["node_id"], body["node_id"]);
    for (field, expected) in [
        ("hostname", json!(hostname)),
        ("platform", json!("linux")),
        ("arch", json!("x64")),
        ("status", json!("online")),
        ("available_skills", json!(["build"])),
        ("max_concurrent_tasks", json!(5)),
        ("running_tasks", json!(0)),
        ("ip_address", json!("")),
        ("tailscale_ip", json!("")),
        ("port", json!(18789)),
        ("total_tasks_processed", json!(0)),
        ("successful_tasks", json!(0)),
        ("failed_tasks", json!(0)),
        ("tags", json!([])),
    ] {
        assert_eq!(node[field], expected, "{field}: {answer}");
    }
    for field in ["cpu_usage", "memory_usage", "disk_usage", "average_execution_time"] {
        assert_eq!(node[field].as_f64(), Some(0.0), "{field}: {answer}");
    }
    assert!(is_timestamp(&node["registered_at"]), "{answer}");
    assert!(is_timestamp(&node["last_heartbeat"]), "{answer}");
    assert!(node["incarnation"].as_u64().is_some_and(|it| it >= 1), "{answer}");
}

#[test]
fn a_made_id_begins_with_the_first_label_of_the_hostname() {
    let (_hub, client) = caller();
    let tail = unique("x");
    for (hostname, label) in [
        (format!("db.{tail}.example"), "db"),
        (format!("a-rather-long-hostname-{tail}"), "a-rather-long-ho"),
    ] {
        let answer = client.post("/nodes/register", &registration(&hostname));
        let id = answer.ok()["node_id"].as_str().unwrap().to_owned();
        let digits = id.strip_prefix(&format!("node_{label}_"));
        let digits = digits.unwrap_or_else(|| panic!("{id} for {hostname}"));
        assert!(digits.len() == 8 && digits.bytes().all(|it| it.is_ascii_hexdigit()), "{id}");
    }
}

#[test]
fn every_given_field_is_kept() {
    let (_hub, client) = caller();
    let id = unique("own");
    let body = json!({
        "hostname": unique("full"), "platform": "macos", "arch": "arm64",
        "available_skills": ["render", "图像"], "ip_address": "10.1.2.3",
        "tailscale_ip": "100.64.0.7", "port": 4242, "max_concurrent_tasks": 17,
        "tags": ["gpu", "东"], "node_id": id, "unheard_of": {"a": 1},
    });
    let node = client.post("/nodes/register", &body).ok()["node_info"].clone();
    for (field, value) in body.as_object().unwrap() {
        if field != "unheard_of" {
            assert_eq!(node[field], *value, "{field}");
        }
    }
    assert_eq!(node, client.node(&id));
}

#[test]
fn null_means_not_given_and_numbers_may_be_text() {
    let (_hub, client) = caller();
    let mut body = registration(&unique("lax"));
    for field in ["ip_address", "tailscale_ip", "port", "max_concurrent_tasks", "tags", "node_id"] {
        body[field] = Value::Null;
    }
    let node = client.post("/nodes/register", &body).ok()["node_info"].clone();
    assert_eq!(node["port"], 18789);
    assert_eq!(node["max_concurrent_tasks"], 5);

    for seven in [json!(7), json!(7.0), json!("7")] {
        body["max_concurrent_tasks"] = seven.clone();
        let node = client.post("/nodes/register", &body).ok()["node_info"].clone();
        assert_eq!(node["max_concurrent_tasks"], 7, "{seven}");
    }
}

#[test]
fn a_second_registration_keeps_who_the_node_is_and_replaces_the_rest() {
    let (_hub, client) = caller();
    let hostname = unique("again");
    let mut first = registration(&hostname);
    first["tags"] = json!(["blue"]);
    first["ip_address"] = json!("10.0.0.1");
    first["max_concurrent_tasks"] = json!(9);
    let first = client.post("/nodes/register", &first).ok()["node_info"].clone();
    let id = first["node_id"].as_str().unwrap();
    client.beat(id, &json!({"cpu_usage": 61.5, "running_tasks": 2}));
    client.patch(&format!("/nodes/{id}"), &json!({"total_tasks_processed": 8})).ok();
    client.post_empty(&format!("/nodes/{id}/shutdown")).ok();

    let second = json!({
        "hostname": hostname, "platform": "windows", "arch": "arm",
        "available_skills": ["paint"], "node_id": unique("ignored"),
    });
    let answer = client.post("/nodes/register", &second).has_fields(FIELDS);
    assert_eq!(answer["success"], true);
    assert_eq!(answer["registered"], false);
    assert_eq!(answer["node_id"], id);
    let again = &answer["node_info"];
    // Kept.
    for field in ["node_id", "hostname", "platform", "arch", "registered_at", "tags"] {
        assert_eq!(again[field], first[field], "{field}");
    }
    assert_eq!(again["cpu_usage"].as_f64(), Some(61.5));
    assert_eq!(again["total_tasks_processed"], 8);
    // Replaced.
    assert_eq!(again["status"], "online");
    assert_eq!(again["available_skills"], json!(["paint"]));
    assert_eq!(again["ip_address"], "");
    assert_eq!(again["max_concurrent_tasks"], 5);
    assert!(again["incarnation"].as_u64() > first["incarnation"].as_u64());

    let tagged = json!({
        "hostname": hostname, "platform": "linux", "arch": "x64",
        "available_skills": ["paint"], "tags": ["red"],
    });
    let third = client.post("/nodes/register", &tagged).ok();
    assert_eq!(third["node_info"]["tags"], json!(["red"]));
}

#[test]
fn many_registrations_of_one_hostname_at_once_make_one_node() {
    const CALLERS: usize = 16;
    let (_hub, client) = caller();
    let mut body = registration(&unique("race"));
    let skill = unique("raced");
    body["available_skills"] = json!([skill]);
    let answers = race(CALLERS, |_| client.post("/nodes/register", &body).ok());
    assert!(answers.iter().all(|answer| answer["node_id"] == answers[0]["node_id"]));
    let made = answers.iter().filter(|answer| answer["registered"] == true).count();
    assert_eq!(made, 1, "{answers:?}");
    let mut incarnations: Vec<_> =
        answers.iter().map(|answer| answer["node_info"]["incarnation"].as_u64().unwrap()).collect();
    incarnations.sort_unstable();
    incarnations.dedup();
    assert_eq!(incarnations.len(), CALLERS, "each registration has an incarnation of its own");
    assert_eq!(client.get(&format!("/nodes/skills/{skill}")).list().len(), 1);
}

#[test]
fn an_id_that_cannot_be_had_is_refused_in_the_old_way_and_the_new() {
    let (_hub, client) = caller();
    let taken = client.new_node("taken");
    let too_long = "a".repeat(129);
    for id in [
        &taken,
        "online",
        "available",
        "skills",
        "register",
        "a{b}",
        "a:b",
        "a b",
        "@external",
        ".hidden",
        "Bär",
        &too_long,
    ] {
        let hostname = unique("refused");
        let mut body = registration(&hostname);
        body["node_id"] = json!(id);
        let answer = client.post("/nodes/register", &body);
        let problem = answer.problem_with(400, "invalid_registration", "node_id");
        assert_old_refusal(&problem);
        // Nothing of it stays: the hostname is still free.
        let answer = client.post("/nodes/register", &registration(&hostname)).ok();
        assert_eq!(answer["registered"], true, "{id}");
    }
}

#[test]
fn an_id_of_the_longest_kind_and_an_empty_one_are_fine() {
    let (_hub, client) = caller();
    let longest = format!("{:a<128}", unique("long.id_@x"));
    let mut body = registration(&unique("longest"));
    body["node_id"] = json!(longest);
    assert_eq!(client.post("/nodes/register", &body).ok()["node_id"], longest);
    assert_eq!(client.node(&longest)["node_id"], longest);

    let mut body = registration(&unique("empty"));
    body["node_id"] = json!("");
    let id = client.post("/nodes/register", &body).ok()["node_id"].clone();
    assert!(id.as_str().is_some_and(|id| id.starts_with("node_empty-")), "{id}");
}

/// A refused registration carries what the older clients look for.
#[track_caller]
pub fn assert_old_refusal(problem: &Value) {
    assert_eq!(problem["success"], false, "{problem}");
    assert_eq!(problem["node_id"], Value::Null, "{problem}");
    assert!(problem.as_object().unwrap().contains_key("node_id"), "{problem}");
    assert_eq!(problem["registered"], false, "{problem}");
    assert!(problem["message"].as_str().is_some_and(|it| it.contains("验证失败")), "{problem}");
}
