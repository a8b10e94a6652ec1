//! Holds.

use serde_json::json;

use super::super::agents::new_agent;
use super::{HOLD_FIELDS, agent_with, figures, hub, text};
use crate::contract::agents::Agent;
use crate::harness::{Answer, PATIENCE, eventually, field_names, unique};

#[track_caller]
fn hold(agent: &Agent, amount: &str, expires_in_ms: Option<i64>) -> String {
    let body = json!({"agent_id": agent.id, "amount": amount, "expires_in_ms": expires_in_ms});
    let hold = agent.client.post("/holds", &body).ok()["hold"].clone();
    assert_eq!((hold["status"].as_str(), hold["posted"].as_str()), (Some("pending"), Some("0")));
    assert_eq!(hold["expires_at"].is_string(), expires_in_ms.is_some(), "{hold}");
    text(&hold["hold_id"])
}

fn post(agent: &Agent, hold: &str, amount: Option<&str>, to: &str) -> Answer {
    let body = json!({"amount": amount, "to_agent": to});
    agent.client.post(&format!("/holds/{hold}/post"), &body)
}

fn void(agent: &Agent, hold: &str) -> Answer {
    agent.client.post_empty(&format!("/holds/{hold}/void"))
}

#[test]
fn a_hold_reserves_and_a_part_of_it_is_paid_and_the_rest_comes_back() {
    let hub = hub();
    let (alice, bob) = (agent_with(&hub, "10"), new_agent(&hub));
    let id = hold(&alice, "4", None);
    assert!(id.starts_with("hold_"));
    assert_eq!(figures(&alice), ["10", "4", "6"]);
    let answer = alice.client.get(&format!("/holds/{id}"));
    answer.has_fields(HOLD_FIELDS);
    let answer = post(&alice, &id, Some("1.5"), &bob.id);
    assert_eq!(field_names(&answer.text()), ["success", "hold"]);
    let done = answer.ok()["hold"].clone();
    assert_eq!((done["status"].as_str(), done["posted"].as_str()), (Some("posted"), Some("1.5")));
    assert_eq!(done["to_agent"], bob.id);
    assert_eq!(figures(&alice), ["8.5", "0", "8.5"]);
    assert_eq!(figures(&bob)[0], "1.5");
    // All of it, where nothing else is said.
    let id = hold(&alice, "8.5", None);
    assert_eq!(post(&alice, &id, None, &bob.id).ok()["hold"]["posted"], "8.5");
    assert_eq!((figures(&alice)[0].as_str(), figures(&bob)[0].as_str()), ("0", "10"));
}

#[test]
fn a_hold_that_is_voided_is_as_if_it_had_not_been() {
    let hub = hub();
    let alice = agent_with(&hub, "10");
    let id = hold(&alice, "10", None);
    assert_eq!(void(&alice, &id).ok()["hold"]["status"], "voided");
    assert_eq!(figures(&alice), ["10", "0", "10"]);
}

#[test]
fn a_hold_ends_once() {
    let hub = hub();
    let (alice, bob) = (agent_with(&hub, "10"), new_agent(&hub));
    let (posted, voided) = (hold(&alice, "1", None), hold(&alice, "1", None));
    post(&alice, &posted, None, &bob.id).ok();
    void(&alice, &voided).ok();
    for id in [posted, voided] {
        post(&alice, &id, None, &bob.id).problem(409, "conflict");
        void(&alice, &id).problem(409, "conflict");
    }
    assert_eq!(figures(&alice), ["9", "0", "9"]);
}

#[test]
fn a_hold_is_over_by_itself() {
    let hub = hub();
    let (alice, bob) = (agent_with(&hub, "10"), new_agent(&hub));
    let (id, stays) = (hold(&alice, "3", Some(1000)), hold(&alice, "2", Some(60_000)));
    eventually("the hold to be over", PATIENCE, || {
        (figures(&alice) == ["10", "2", "8"]).then_some(())
    });
    post(&alice, &id, None, &bob.id).problem(409, "conflict");
    void(&alice, &id).problem(409, "conflict");
    assert_eq!(alice.client.get(&format!("/holds/{id}")).ok()["status"], "expired");
    assert_eq!(alice.client.get(&format!("/holds/{stays}")).ok()["status"], "pending");
}

#[test]
fn a_hold_that_cannot_be_is_refused() {
    let hub = hub();
    let (alice, bob) = (agent_with(&hub, "10"), agent_with(&hub, "10"));
    for ms in [999, 0, -1, 2_592_000_001_i64] {
        let body = json!({"agent_id": alice.id, "amount": 1, "expires_in_ms": ms});
        let answer = alice.client.post("/holds", &body);
        answer.problem_with(422, "validation_failed", "expires_in_ms");
    }
    let body = json!({"agent_id": alice.id, "amount": "10.5"});
    alice.client.post("/holds", &body).problem(400, "insufficient_balance");
    let id = hold(&alice, "4", None);
    post(&alice, &id, Some("4.000001"), &bob.id).problem_with(422, "validation_failed", "amount");
    post(&alice, &id, Some("0"), &bob.id).problem_with(422, "validation_failed", "amount");
    post(&alice, &id, None, &unique("nobody")).problem(404, "not_found");
    post(&alice, &id, None, &alice.id).problem_with(400, "invalid_parameter", "to_agent");
    post(&alice, &unique("hold"), None, &bob.id).problem(404, "not_found");
    post(&bob, &id, None, &bob.id).problem(403, "forbidden");
    void(&bob, &id).problem(403, "forbidden");
    bob.client.get(&format!("/holds/{id}")).problem(403, "forbidden");
    void(&alice, &unique("hold")).problem(404, "not_found");
    assert_eq!(figures(&alice), ["10", "4", "6"]);
}

#[test]
fn holds_are_listed_by_owner_and_status() {
    let hub = hub();
    let (alice, bob) = (agent_with(&hub, "10"), agent_with(&hub, "10"));
    let ids: Vec<_> = (0..3).map(|_| hold(&alice, "1", None)).collect();
    hold(&bob, "1", None);
    void(&alice, &ids[1]).ok();
    let listed = |query: &str| {
        let body = alice.client.get(&format!("/holds{query}")).ok();
        let holds = body["holds"].as_array().unwrap().clone();
        holds.iter().map(|hold| text(&hold["hold_id"])).collect::<Vec<_>>()
    };
    assert_eq!(listed(""), [&*ids[2], &ids[1], &ids[0]]);
    assert_eq!(listed("?status=pending"), [&*ids[2], &ids[0]]);
    assert_eq!(listed(&format!("?status=voided&agent_id={}", alice.id)), [&*ids[1]]);
    let first = alice.client.get("/holds?limit=2");
    let link = first.header("link").unwrap();
    let rest = link.split(['<', '>']).nth(1).unwrap().strip_prefix("/api/v1/holds").unwrap();
    assert_eq!(listed(rest), [&*ids[0]]);
    bob.client.get(&format!("/holds?agent_id={}", alice.id)).problem(403, "forbidden");
    let answer = alice.client.get("/holds?status=gone");
    answer.problem_with(400, "invalid_parameter", "status");
}
