//! Tasks for one node, claims of one task, and nodes that renew whatever they hold.

use serde_json::{Value, json};

use super::super::caller;
use super::{Desk, held};
use crate::harness::{PATIENCE, eventually, unique};

/// Far shorter than a test's patience, longer than the test needs to renew it.
const LEASE_MS: i64 = 1500;

fn ids(claims: &Value) -> Vec<&str> {
    claims.as_array().unwrap().iter().map(|claim| claim["task_id"].as_str().unwrap()).collect()
}

#[test]
fn a_task_for_one_node_is_no_other_nodes_to_claim() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let (mine, other) = (desk.node(5), desk.node(5));
    let task = desk.submit_with(json!({"target_node": mine}));
    assert_eq!((&task["target_node"], &task["routable"]), (&json!(mine), &json!(true)));
    let urgent = desk.submit(json!({"target_node": mine, "priority": 0}));
    let anybodys = desk.submit(json!({}));
    let got: Vec<_> = desk.claim(&other).into_iter().map(|held| held.id).collect();
    assert_eq!(got, [anybodys]);
    let got: Vec<_> = desk.claim(&mine).into_iter().map(|held| held.id).collect();
    assert_eq!(got, [urgent.as_str(), task["task_id"].as_str().unwrap()]);
}

#[test]
fn a_task_waits_for_its_node_and_says_so() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = unique("target");
    desk.node(5);
    let task = desk.submit_with(json!({"target_node": node}));
    assert_eq!(task["routable"], json!(false));
    let id = task["task_id"].as_str().unwrap();
    let why = || {
        let why = client.get(&format!("/tasks/{id}/why")).ok();
        let names_it = why["message"].as_str().unwrap().contains(&node);
        assert!(names_it || why["reason"] == "waiting_for_claim", "{why}");
        why["reason"].as_str().unwrap().to_owned()
    };
    assert_eq!(why(), "no_node");
    let register = |skills: &[&str]| {
        desk.node_with(json!({
            "node_id": node, "hostname": node, "available_skills": skills,
            "max_concurrent_tasks": 1,
        }))
    };
    assert_eq!(register(&["nothing"]), node);
    assert_eq!(why(), "target_node_unfit");
    register(&[desk.skill.as_str()]);
    assert_eq!(why(), "waiting_for_claim");
    client.post_empty(&format!("/nodes/{node}/shutdown")).ok();
    assert_eq!(why(), "no_node_online");
    client.beat(&node, &json!({}));
    assert_eq!(desk.claim_one(&node).id, id);
}

#[test]
fn bad_targets_are_named() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    for bad in ["@x", "a b", "online"] {
        let body = json!({"name": "t", "target_node": bad});
        client.post("/tasks", &body).problem_with(422, "validation_failed", "target_node");
        let node = desk.node(1);
        let claim = json!({"node_id": node, "task_id": bad});
        client.post("/tasks/claim", &claim).problem_with(422, "validation_failed", "task_id");
    }
    // As if it were not there.
    let task = desk.submit_with(json!({"target_node": ""}));
    assert_eq!(task["target_node"], Value::Null);
}

#[test]
fn a_claim_can_ask_for_one_task() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let (node, other) = (desk.node(5), desk.node_with(json!({"available_skills": ["nothing"]})));
    let first = desk.submit(json!({}));
    let second = desk.submit(json!({}));
    let ask = |node: &str, task: &str| {
        client.post("/tasks/claim", &json!({"node_id": node, "task_id": task})).ok()
    };
    let refused = ask(&other, &second);
    assert_eq!(refused["tasks"], json!([]));
    assert_eq!(refused["reason"], "The node lacks a skill that the task requires.");
    let got = held(&ask(&node, &second));
    assert_eq!(got.len(), 1);
    assert_eq!(got[0].id, second);
    for gone in [second.as_str(), "no-such-task"] {
        assert_eq!(ask(&node, gone)["reason"], "No such task waits for this node.", "{gone}");
    }
    assert_eq!(desk.claim_one(&node).id, first);
}

#[test]
fn a_node_renews_whatever_it_holds_and_hears_what_it_lost() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    let path = format!("/nodes/{node}/heartbeat");
    let beat = || client.post(&path, &json!({"renew_all": true})).ok();
    assert_eq!(beat()["claims"], json!([]));
    let plain = client.post(&path, &json!({})).ok();
    assert_eq!((plain.get("claims"), plain.get("lost_claims")), (None, None));

    let claim = |lease_ms: i64| {
        desk.submit(json!({}));
        desk.claim_for(&node, lease_ms)
    };
    let (kept, called_off, late) = (claim(600_000), claim(600_000), claim(LEASE_MS));
    let renewed = beat();
    let mut claims = ids(&renewed["claims"]);
    claims.sort_unstable();
    let mut expected = [&kept.id, &called_off.id, &late.id].map(String::as_str);
    expected.sort_unstable();
    assert_eq!(claims, expected);
    assert_eq!(renewed["lost_claims"], json!([]));
    for claim in renewed["claims"].as_array().unwrap() {
        assert!(claim["lease_expires_in_ms"].as_i64().unwrap() > 0, "{claim}");
    }

    client.post_empty(&format!("/tasks/{}/cancel", called_off.id)).ok();
    let is_over = || (desk.status(&late.id) == "pending").then_some(());
    eventually("the end of a lease", PATIENCE, is_over);
    let told = beat();
    assert_eq!(ids(&told["claims"]), [kept.id.as_str()]);
    let lost = &told["lost_claims"];
    let reason = |id: &str| {
        let mut lost = lost.as_array().unwrap().iter();
        lost.find(|it| it["task_id"] == id).map(|it| it["reason"].clone())
    };
    assert_eq!(reason(&late.id), Some(json!("lease")), "{lost}");
    assert_eq!(reason(&called_off.id), Some(json!("cancelled")), "{lost}");
    // Told once.
    assert_eq!(beat()["lost_claims"], json!([]));

    client.post_empty(&format!("/nodes/{node}/shutdown")).ok();
    let back = beat();
    let released = json!([{"task_id": kept.id, "reason": "released"}]);
    assert_eq!((&back["claims"], &back["lost_claims"]), (&json!([]), &released));
}
