//! Whose nodes may run a task: `audience` of tasks and of sessions.

use serde_json::{Value, json};

use super::super::agents::{Agent, new_agent};
use super::super::{Subject, hub};
use super::{Desk, id_of};

/// Two agents, of which each has a node with the same skill.
struct Two {
    hub: Subject,
    alice: Agent,
    desk: Desk,
    bob: Agent,
    bobs: Desk,
    nodes: [String; 2],
}

impl Two {
    /// Nothing where nobody owns anything.
    fn new() -> Option<Self> {
        let hub = hub();
        if !hub.wants_keys {
            return None;
        }
        let (alice, bob) = (new_agent(&hub), new_agent(&hub));
        let desk = Desk::new(&alice.client);
        let bobs = Desk { client: bob.client.clone(), skill: desk.skill.clone() };
        let nodes = [desk.node(5), bobs.node(5)];
        Some(Self { hub, alice, desk, bob, bobs, nodes })
    }

    /// How many tasks Bob's node gets, and then Alice's.
    #[track_caller]
    fn claims(&self) -> (usize, usize) {
        let bobs = self.bobs.claim(&self.nodes[1]).len();
        (bobs, self.desk.claim(&self.nodes[0]).len())
    }
}

#[test]
fn a_task_for_its_owner_is_no_other_agents_to_claim() {
    let Some(two) = Two::new() else { return };
    let secret = json!({"audience": "owner", "parameters": {"password": "reef"}});
    let task = two.desk.submit_with(secret);
    assert_eq!((&task["audience"], &task["routable"]), (&json!("owner"), &json!(true)));
    let id = id_of(&task);
    two.bob.client.get(&format!("/tasks/{id}")).problem(404, "not_found");
    let claim = json!({"node_id": two.nodes[1], "limit": 100});
    let answer = two.bob.client.post("/tasks/claim", &claim);
    assert_eq!(answer.ok()["tasks"], json!([]));
    assert!(!answer.text().contains("password"), "{answer}");
    // Nor does the admin get it for Bob's node.
    assert_eq!(two.hub.client.post("/tasks/claim", &claim).ok()["tasks"], json!([]));
    let held = two.desk.claim_one(&two.nodes[0]);
    assert_eq!((&held.id, &held.task["audience"]), (&id, &json!("owner")));

    // It stays its owner's when it comes back.
    two.desk.post(&held, "fail", json!({"error": "again"})).ok();
    two.desk.client.post_empty(&format!("/tasks/{id}/retry")).ok();
    assert_eq!(two.claims(), (0, 1));
}

#[test]
fn a_task_for_some_agents_is_for_their_nodes() {
    let Some(two) = Two::new() else { return };
    two.desk.submit(json!({"audience": [two.bob.id, "somebody-else"]}));
    two.desk.submit(json!({"audience": [two.alice.id]}));
    let both = json!({"audience": [two.bob.id, two.alice.id]});
    let task = two.desk.submit_with(both);
    let mut agents = vec![two.bob.id.as_str(), &two.alice.id];
    agents.sort_unstable();
    assert_eq!(task["audience"], json!(agents));
    two.desk.submit(json!({"audience": "any"}));
    assert_eq!(two.desk.task(&two.desk.submit(json!({"audience": null})))["audience"], "any");
    // Four are Bob's to have, and Alice's own is what is left.
    assert_eq!(two.claims(), (4, 1));
}

#[test]
fn age_goes_before_audience() {
    let Some(two) = Two::new() else { return };
    let first = two.desk.submit(json!({"audience": "owner", "priority": 2}));
    let second = two.desk.submit(json!({"priority": 2}));
    let urgent = two.desk.submit(json!({"audience": "owner", "priority": 0}));
    let ids: Vec<_> = two.desk.claim(&two.nodes[0]).into_iter().map(|held| held.id).collect();
    assert_eq!(ids, [urgent, first, second]);
}

#[test]
fn why_says_that_nobody_of_the_audience_can_run_it() {
    let Some(two) = Two::new() else { return };
    let task = two.desk.submit_with(json!({"audience": ["nobody-at-all"]}));
    assert_eq!(task["routable"], false);
    let why = two.desk.client.get(&format!("/tasks/{}/why", id_of(&task))).ok();
    assert_eq!((&why["reason"], &why["nodes"]["able"]), (&json!("no_node_in_audience"), &json!(0)));
    let own = two.desk.submit(json!({"audience": "owner"}));
    let why = two.desk.client.get(&format!("/tasks/{own}/why")).ok();
    assert_eq!(why["reason"], "waiting_for_claim");
    assert_eq!(why["nodes"], json!({"able": 1, "online": 1, "free": 1}), "only its owner's");
}

#[test]
fn a_sessions_tasks_have_its_audience_unless_they_say_otherwise() {
    let Some(two) = Two::new() else { return };
    let body = json!({"audience": "owner"});
    let session = two.alice.client.post("/sessions", &body).ok()["session_id"].clone();
    let session = format!("/sessions/{}", session.as_str().unwrap());
    assert_eq!(two.alice.client.get(&session).ok()["audience"], "owner");
    let simple = json!({"available_skills": [two.desk.skill, "simple"]});
    let nodes = [two.desk.node_with(simple.clone()), two.bobs.node_with(simple)];
    let ask = |fields: Value| {
        let mut body = json!({"task_description": "x", "required_skills": [two.desk.skill]});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        id_of(&two.alice.client.post(&format!("{session}/tasks"), &body).ok())
    };
    let kept = ask(json!({}));
    assert_eq!(two.desk.task(&kept)["audience"], "owner");
    let open = ask(json!({"audience": "any"}));
    let got: Vec<_> = two.bobs.claim(&nodes[1]).into_iter().map(|held| held.id).collect();
    assert_eq!(got, [open]);
    assert_eq!(two.desk.claim_one(&nodes[0]).id, kept);
    let plain = two.alice.client.post_empty("/sessions").ok()["session_id"].clone();
    let plain = two.alice.client.get(&format!("/sessions/{}", plain.as_str().unwrap())).ok();
    assert_eq!(plain["audience"], Value::Null);
}

#[test]
fn an_audience_that_is_none_is_refused() {
    let hub = hub();
    let desk = Desk::new(&hub.client);
    let many: Vec<String> = (0..21).map(|n| format!("a{n}")).collect();
    for bad in
        [json!("all"), json!(""), json!([]), json!(["@admin"]), json!([1]), json!(many), json!(7)]
    {
        let body = json!({"name": "x", "required_skills": [desk.skill], "audience": bad});
        let answer = desk.client.post("/tasks", &body);
        answer.problem_with(422, "validation_failed", "audience");
        let answer = desk.client.post("/sessions", &json!({"audience": bad}));
        answer.problem_with(422, "validation_failed", "audience");
    }
}
