//! Whoever runs a session's task writes to its message under the claim's token, and only while the
//! claim is not over.

use serde_json::json;

use super::super::agents::{Agent, new_agent};
use super::super::{Subject, hub};
use super::{Desk, Held, id_of};
use crate::harness::{Client, PATIENCE, eventually};

/// Alice's session, with a task that Bob's node runs.
struct Scene {
    /// It stops when this is dropped.
    _hub: Subject,
    alice: Client,
    bob: Agent,
    desk: Desk,
    node: String,
    task: String,
    message: String,
}

impl Scene {
    /// Nothing where nobody owns anything.
    fn new() -> Option<Self> {
        let hub = hub();
        if !hub.wants_keys {
            return None;
        }
        let (alice, bob) = (new_agent(&hub).client, new_agent(&hub));
        let desk = Desk::new(&bob.client);
        let node = desk.node_with(json!({"available_skills": [desk.skill, "simple"]}));
        let session = alice.post_empty("/sessions").ok()["session_id"].clone();
        let body = json!({"task_description": "say hello", "required_skills": [desk.skill]});
        let path = format!("/sessions/{}/tasks", session.as_str().unwrap());
        let asked = alice.post(&path, &body).ok();
        let message = format!("/messages/{}", asked["message_id"].as_str().unwrap());
        Some(Self { _hub: hub, alice, bob, desk, node, task: id_of(&asked), message })
    }

    fn claim(&self, lease_ms: i64) -> Held {
        let held = self.desk.claim_with(&self.node, json!({"lease_ms": lease_ms}));
        assert_eq!(held.len(), 1);
        held.into_iter().next().unwrap()
    }

    /// Bob, writing under a token.
    fn under(&self, held: &Held) -> Client {
        self.bob.client.with("x-claim-token", &held.token)
    }

    /// Every way to write to the message is closed under this token.
    #[track_caller]
    fn assert_fenced(&self, held: &Held) {
        let runner = self.under(held);
        let block = json!({"content_type": "text", "text": {"text": "late"}});
        for (path, body) in [
            ("append", json!({"delta": "late"})),
            ("content", block),
            ("tasks", json!({"task_type": "late"})),
            ("complete", json!({})),
        ] {
            runner.post(&format!("{}/{path}", self.message), &body).problem(409, "fenced");
        }
        let path = format!("{}/tasks/{}", self.message, self.task);
        runner.patch(&path, &json!({"status": "processing"})).problem(409, "fenced");
        // Nor under what the hub itself keeps of it.
        let number = held.token.split('-').next().unwrap();
        let runner = self.bob.client.with("x-claim-token", number);
        self.append(&runner, "late").problem(409, "fenced");
    }

    #[track_caller]
    fn append(&self, client: &Client, delta: &str) -> crate::harness::Answer {
        client.post(&format!("{}/append", self.message), &json!({"delta": delta}))
    }

    fn text(&self) -> String {
        self.alice.get(&self.message).ok()["text"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_runner_writes_under_its_token_and_the_owner_without() {
    let Some(scene) = Scene::new() else { return };
    let held = scene.claim(30_000);
    let refused = scene.append(&scene.bob.client, "no token").problem(403, "forbidden");
    assert!(refused["detail"].as_str().unwrap().contains("X-Claim-Token"), "{refused}");
    scene.append(&scene.bob.client.with("x-claim-token", "1-forged"), "x").problem(409, "fenced");
    for bad in ["", "a b", &"x".repeat(65)] {
        let answer = scene.append(&scene.bob.client.with("x-claim-token", bad), "x");
        answer.problem_with(400, "invalid_parameter", "X-Claim-Token");
    }
    scene.append(&scene.under(&held), "hello").ok();
    scene.append(&scene.alice, ", world").ok();
    assert_eq!(scene.text(), "hello, world");
    // A token that is known to somebody else is none of his.
    let stranger = new_agent(&hub()).client.with("x-claim-token", &held.token);
    scene.append(&stranger, "x").problem(403, "forbidden");
}

#[test]
fn after_its_end_a_claim_writes_nothing_more() {
    let Some(scene) = Scene::new() else { return };
    let held = scene.claim(30_000);
    scene.append(&scene.under(&held), "done").ok();
    scene.desk.post(&held, "complete", json!({})).ok();
    scene.assert_fenced(&held);
    assert_eq!(scene.text(), "done");
}

#[test]
fn a_failed_try_writes_nothing_more_while_the_next_does() {
    let Some(scene) = Scene::new() else { return };
    let first = scene.claim(30_000);
    scene.desk.post(&first, "fail", json!({"error": "once more"})).ok();
    scene.assert_fenced(&first);
    scene.alice.post_empty(&format!("/tasks/{}/retry", scene.task)).ok();
    let second = scene.claim(30_000);
    scene.append(&scene.under(&second), "second").ok();
    scene.assert_fenced(&first);
    assert_eq!(scene.text(), "second");
}

#[test]
fn a_cancelled_task_writes_nothing_more() {
    let Some(scene) = Scene::new() else { return };
    let held = scene.claim(30_000);
    scene.alice.post_empty(&format!("/tasks/{}/cancel", scene.task)).ok();
    scene.assert_fenced(&held);
}

#[test]
fn a_claim_whose_lease_is_over_writes_nothing_more_though_nobody_has_it_since() {
    let Some(scene) = Scene::new() else { return };
    let held = scene.claim(100);
    eventually("the message takes nothing more", PATIENCE, || {
        (scene.append(&scene.under(&held), ".").status == 409).then_some(())
    });
    scene.assert_fenced(&held);
    let again = scene.claim(30_000);
    scene.append(&scene.under(&again), "again").ok();
    scene.assert_fenced(&held);
}

#[test]
fn a_claim_that_a_node_gave_back_writes_nothing_more() {
    let Some(scene) = Scene::new() else { return };
    let held = scene.claim(30_000);
    scene.desk.client.post_empty(&format!("/nodes/{}/shutdown", scene.node)).ok();
    eventually("the message takes nothing more", PATIENCE, || {
        (scene.append(&scene.under(&held), ".").status == 409).then_some(())
    });
    scene.assert_fenced(&held);
}
