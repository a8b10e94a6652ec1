//! Repeated requests: one effect, one answer.

use serde_json::json;

use super::super::caller;
use super::super::idempotency::{assert_replayed, is_replay, keyed};
use super::{Desk, Held, held, ids, ids_of};
use crate::harness::{race, unique};

#[test]
fn every_post_of_tasks_can_be_repeated() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(10);
    let user = unique("user");
    let body = json!({"name": "n", "required_skills": [desk.skill], "user_id": user});
    for _ in 0..4 {
        assert_replayed(&client, "/tasks", &body);
    }
    let listed = ids(&client.get(&format!("/tasks?user_id={user}")).list());
    assert_eq!(listed.len(), 4);
    // The same tasks and tokens again, and not the next ones.
    let claim = json!({"node_id": node, "limit": 3});
    let held = held(&assert_replayed(&client, "/tasks/claim", &claim));
    assert_eq!(ids_of(&held).len(), 3);
    assert_eq!(client.node(&node)["running_tasks"], 3);

    let path = |held: &Held, verb: &str| format!("/tasks/{}/{verb}", held.id);
    let token = |held: &Held| json!({"token": held.token});
    assert_replayed(&client, &path(&held[0], "progress"), &token(&held[0]));
    assert_replayed(&client, &path(&held[0], "complete"), &token(&held[0]));
    assert_replayed(&client, &path(&held[1], "fail"), &token(&held[1]));
    assert_eq!(desk.task(&held[1].id)["retry_count"], 1, "one try has failed, once");
    assert_replayed(&client, &path(&held[2], "cancel"), &json!({}));
    assert_replayed(&client, &path(&held[2], "retry"), &json!({}));
    let processed = &client.node(&node)["total_tasks_processed"];
    assert_eq!(*processed, 1);
    assert_replayed(&client, "/tasks/dead/redrive", &json!({"task_ids": [held[0].id]}));
    // Refusals are answers, too.
    let client = keyed(&client, &unique("key"));
    for is_repeat in [false, true] {
        let refused = client.post(&path(&held[0], "complete"), &token(&held[0]));
        refused.problem(409, "fenced");
        assert_eq!(is_replay(&refused), is_repeat, "{refused}");
    }
}

#[test]
fn an_empty_claim_is_not_remembered() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    let client = keyed(&client, &unique("key"));
    let claim = || client.post("/tasks/claim", &json!({"node_id": node}));
    for _ in 0..2 {
        let empty = claim();
        assert!(!is_replay(&empty), "{empty}");
        assert_eq!(held(&empty.ok()).len(), 0);
    }
    let id = desk.submit(json!({}));
    let first = claim();
    assert!(!is_replay(&first), "{first}");
    assert_eq!(ids_of(&held(&first.ok())), [id]);
    let second = claim();
    assert!(is_replay(&second), "{second}");
    assert_eq!(second.text(), first.text());
}

/// A claim of many takes several scripts.
#[test]
fn a_repeat_of_a_large_claim_gets_the_same_and_nothing_that_came_since() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(100);
    let submitted: Vec<String> = (0..50).map(|_| desk.submit(json!({}))).collect();
    let client = keyed(&client, &unique("key"));
    let claim = || client.post("/tasks/claim", &json!({"node_id": node, "limit": 100}));
    let first = claim();
    assert_eq!(ids_of(&held(&first.ok())), submitted);
    desk.submit(json!({}));
    let second = claim();
    assert!(is_replay(&second), "{second}");
    assert_eq!(second.text(), first.text());
    assert_eq!(desk.claim(&node).len(), 1);
}

#[test]
fn a_task_submitted_by_many_at_once_is_one() {
    const CALLERS: usize = 8;
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let client = keyed(&client, &unique("key"));
    let body = json!({"name": "n", "required_skills": [desk.skill]});
    let answers = race(CALLERS, |_| client.post("/tasks", &body));
    assert!(answers.iter().all(|answer| answer.ok() == answers[0].ok()));
    assert_eq!(answers.iter().filter(|answer| !is_replay(answer)).count(), 1);
    assert_eq!(desk.claim(&desk.node(10)).len(), 1);
    let other = json!({"name": "other", "required_skills": [desk.skill]});
    client.post("/tasks", &other).problem(422, "idempotency_mismatch");
}
