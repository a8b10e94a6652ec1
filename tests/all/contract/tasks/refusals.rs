//! What is no good, and what says so.

use serde_json::{Value, json};

use super::super::caller;
use super::{Desk, Held};
use crate::harness::unique;

#[test]
fn bad_tasks_are_refused_by_field() {
    let (_hub, client) = caller();
    let long = "x".repeat(256);
    let labels = vec!["x"; 101];
    for (field, body) in [
        ("name", json!({})),
        ("name", json!({"name": " "})),
        ("name", json!({"name": long})),
        ("task_type", json!({"name": "n", "task_type": "nightly"})),
        ("required_skills", json!({"name": "n", "required_skills": labels})),
        ("required_skills[1]", json!({"name": "n", "required_skills": ["a", " "]})),
        ("optional_skills[0]", json!({"name": "n", "optional_skills": [long]})),
        ("affinity_tags[0]", json!({"name": "n", "affinity_tags": [""]})),
        ("priority", json!({"name": "n", "priority": 4})),
        ("priority", json!({"name": "n", "priority": -1})),
        ("priority", json!({"name": "n", "priority": 1.5})),
        ("timeout", json!({"name": "n", "timeout": -1})),
        ("timeout", json!({"name": "n", "timeout": 0})),
        ("timeout", json!({"name": "n", "timeout": 604_801})),
        ("timeout", json!({"name": "n", "timeout": "soon"})),
        ("max_retries", json!({"name": "n", "max_retries": -1})),
        ("max_retries", json!({"name": "n", "max_retries": 101})),
        ("delay_ms", json!({"name": "n", "delay_ms": -1})),
        ("keep_completed_ms", json!({"name": "n", "keep_completed_ms": -1})),
        ("keep_failed_ms", json!({"name": "n", "keep_failed_ms": 31_536_000_001_i64})),
        ("user_id", json!({"name": "n", "user_id": "u".repeat(129)})),
        ("task_id", json!({"name": "n", "task_id": "a{b}"})),
        ("task_id", json!({"name": "n", "task_id": "a:b"})),
        ("task_id", json!({"name": "n", "task_id": "@mine"})),
        ("task_id", json!({"name": "n", "task_id": "x".repeat(129)})),
        ("parameters", json!({"name": "n", "parameters": [1]})),
        ("metadata", json!({"name": "n", "metadata": "text"})),
    ] {
        client.post("/tasks", &body).problem_with(422, "validation_failed", field);
    }
    // Words that are routes beside a task's.
    for word in ["claim", "pending", "stats", "dead", "cleanup"] {
        let body = json!({"name": "n", "task_id": word});
        client.post("/tasks", &body).problem_with(422, "validation_failed", "task_id");
    }
    client.send("POST", "/tasks", Some(b"{\"name\":")).problem(400, "malformed_json");
}

#[test]
fn bad_claims_are_refused_by_field() {
    let (_hub, client) = caller();
    let node = client.new_node("claimer");
    for (field, fields) in [
        ("node_id", json!({"node_id": null})),
        ("node_id", json!({"node_id": "a:b"})),
        ("limit", json!({"limit": 0})),
        ("limit", json!({"limit": 101})),
        ("limit", json!({"limit": "all"})),
        ("lease_ms", json!({"lease_ms": 99})),
        ("lease_ms", json!({"lease_ms": 3_600_001})),
        ("wait_ms", json!({"wait_ms": -1})),
        ("wait_ms", json!({"wait_ms": 30_001})),
    ] {
        let mut body = json!({"node_id": node});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        client.post("/tasks/claim", &body).problem_with(422, "validation_failed", field);
    }
    let unknown = json!({"node_id": unique("unknown")});
    client.post("/tasks/claim", &unknown).problem(404, "not_found");
    // It does not wait for a node that is not there.
    let unknown = json!({"node_id": unique("unknown"), "wait_ms": 30_000});
    client.post("/tasks/claim", &unknown).problem(404, "not_found");
}

#[test]
fn bad_questions_are_refused_by_parameter() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let id = desk.submit(json!({}));
    for (parameter, path) in [
        ("status", "/tasks?status=sleeping".to_owned()),
        ("limit", "/tasks?limit=0".to_owned()),
        ("limit", "/tasks?limit=1001".to_owned()),
        ("cursor", "/tasks?cursor=nonsense".to_owned()),
        ("cursor", "/tasks/pending?cursor=-1".to_owned()),
        ("limit", "/tasks/dead?limit=x".to_owned()),
        ("wait_ms", format!("/tasks/{id}?wait_ms=-1")),
        ("wait_ms", format!("/tasks/{id}?wait_ms=30001")),
        ("wait_ms", format!("/tasks/{id}?wait_ms=soon")),
    ] {
        client.get(&path).problem_with(400, "invalid_parameter", parameter);
    }
    client.get("/tasks/a%3Ab").problem(422, "validation_failed");
}

#[test]
fn a_task_that_is_not_there_is_not_found() {
    let (_hub, client) = caller();
    let id = unique("task");
    for path in ["", "/why", "?wait_ms=5000"] {
        client.get(&format!("/tasks/{id}{path}")).problem(404, "not_found");
    }
    client.delete(&format!("/tasks/{id}")).problem(404, "not_found");
    let body = json!({"token": "1-x"});
    for verb in ["progress", "complete", "fail", "cancel", "retry"] {
        client.post(&format!("/tasks/{id}/{verb}"), &body).problem(404, "not_found");
    }
}

#[test]
fn bad_reports_are_refused_and_change_nothing() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(1);
    desk.submit(json!({}));
    let held = desk.claim_one(&node);
    let before = desk.task(&held.id);
    for verb in ["progress", "complete", "fail"] {
        let path = format!("/tasks/{}/{verb}", held.id);
        for body in [json!({}), json!({"token": null}), json!({"token": ""})] {
            client.post(&path, &body).problem_with(422, "validation_failed", "token");
        }
        client.post(&path, &json!([])).problem(422, "validation_failed");
    }
    for (verb, field, fields) in [
        ("progress", "progress", json!({"progress": 1.1})),
        ("progress", "progress", json!({"progress": -0.1})),
        ("progress", "lease_ms", json!({"lease_ms": 50})),
        ("complete", "content.content_type", json!({"content": {"content_type": "smell"}})),
        ("fail", "retryable", json!({"retryable": "maybe"})),
    ] {
        desk.post(&held, verb, fields).problem_with(422, "validation_failed", field);
    }
    let huge = json!({"result": "x".repeat((1 << 20) + 1)});
    desk.post(&held, "complete", huge).problem(413, "payload_too_large");
    assert_eq!(desk.task(&held.id), before);
}

#[test]
fn a_token_that_does_not_hold_the_task_changes_nothing() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let (node, next) = (desk.node(1), desk.node(1));
    desk.submit(json!({}));
    let fenced = || client.get("/tasks/stats").ok()["fenced"].as_u64().unwrap();
    let refuse = |held: &Held, before: &Value| {
        for (verb, fields) in [
            ("progress", json!({"progress": 0.9})),
            ("complete", json!({"result": "late"})),
            ("fail", json!({"error": "late"})),
        ] {
            desk.post(held, verb, fields).problem(409, "fenced");
            assert_eq!(&desk.task(&held.id), before, "{verb}");
        }
    };
    let counted = fenced();
    let stale = desk.claim_one(&node);
    let forged = Held { token: "1-forged".to_owned(), ..stale.clone() };
    refuse(&forged, &desk.task(&stale.id));

    // Given back, and waiting again.
    client.post_empty(&format!("/nodes/{node}/shutdown")).ok();
    refuse(&stale, &desk.task(&stale.id));
    // In another's hands.
    let held = desk.claim_one(&next);
    assert_ne!(held.token, stale.token);
    refuse(&stale, &desk.task(&stale.id));
    // Done.
    desk.post(&held, "complete", json!({"result": "in time"})).ok();
    refuse(&stale, &desk.task(&stale.id));
    refuse(&held, &desk.task(&stale.id));
    assert_eq!(desk.task(&stale.id)["result"], "in time");
    assert!(fenced() >= counted + 15, "fenced attempts are counted");
}

#[test]
fn bad_redrives_are_refused_by_field() {
    let (_hub, client) = caller();
    for (field, body) in [
        ("task_ids", json!({})),
        ("task_ids", json!({"task_ids": []})),
        ("task_ids", json!({"task_ids": vec!["t"; 1001]})),
        ("task_ids[1]", json!({"task_ids": ["good", "b:d"]})),
        ("filter.status", json!({"filter": {"status": "completed"}})),
    ] {
        let answer = client.post("/tasks/dead/redrive", &body);
        answer.problem_with(422, "validation_failed", field);
    }
    for days in [json!(-1), json!(36_501)] {
        let answer = client.post("/tasks/cleanup", &json!({"days": days}));
        answer.problem_with(422, "validation_failed", "days");
    }
}
