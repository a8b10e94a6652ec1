//! Fair shares of the queue: `fairness_key`, and the weights that an admin sets.

use serde_json::{Value, json};

use super::super::caller;
use super::Desk;
use crate::harness::unique;

#[test]
fn a_task_says_of_which_share_it_is() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(100);
    let tenant = unique("tenant");
    let many: Vec<String> = (0..30)
        .map(|_| desk.submit(json!({"fairness_key": tenant, "fairness_weight": 0.5})))
        .collect();
    let other = desk.submit(json!({"fairness_key": unique("tenant")}));
    let shown = desk.task(&many[29]);
    assert_eq!((&shown["fairness_key"], &shown["fairness_weight"]), (&json!(tenant), &json!(0.5)));
    assert_eq!(desk.task(&other).get("fairness_weight"), None);
    let why = |id: &str| client.get(&format!("/tasks/{id}/why")).ok();
    assert!(why(&many[29])["fair_delay_ms"].as_i64().unwrap() > 1000, "{}", why(&many[29]));
    assert_eq!(why(&other).get("fair_delay_ms"), None);
    // An edit leaves it there.
    client.patch(&format!("/tasks/{}", many[29]), &json!({"description": "later"})).ok();
    assert_eq!(desk.task(&many[29])["fairness_key"], json!(tenant));
    let ran: Vec<String> = desk.claim(&node).into_iter().map(|held| held.id).collect();
    assert_eq!(ran.len(), 31);
    assert!(ran.iter().position(|id| *id == other).unwrap() < 30, "it waits for all of the other");
}

#[test]
fn an_admin_sets_weights() {
    let (_hub, client) = caller();
    let before = client.get("/fairness").ok();
    let key = unique("tenant");
    let body = json!({"weights": {key.clone(): 2.5, "x=y": 1}});
    let set = client.send_json("PUT", "/fairness", &body).ok();
    assert_eq!(set["weights"][&key], 2.5);
    assert_eq!(client.get("/fairness").ok(), set);
    let none: Value = client.send_json("PUT", "/fairness", &json!({"weights": {}})).ok();
    assert_eq!(none, json!({"weights": {}}));
    for (body, field) in [
        (json!({}), "weights"),
        (json!({"weights": {"a": 0}}), "weights.a"),
        (json!({"weights": {" ": 1}}), "weights"),
    ] {
        let put = client.send_json("PUT", "/fairness", &body);
        put.problem_with(422, "validation_failed", field);
    }
    client.send_json("PUT", "/fairness", &before).ok();
}

#[test]
fn what_does_not_fit_is_refused() {
    let (_hub, client) = caller();
    for (fields, field) in [
        (json!({"fairness_key": ""}), "fairness_key"),
        (json!({"fairness_key": "k".repeat(65)}), "fairness_key"),
        (json!({"fairness_weight": 1}), "fairness_weight"),
        (json!({"fairness_key": "k", "fairness_weight": 0}), "fairness_weight"),
        (json!({"fairness_key": "k", "fairness_weight": 1001}), "fairness_weight"),
    ] {
        let mut body = json!({"name": "work"});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        client.post("/tasks", &body).problem_with(422, "validation_failed", field);
    }
}
