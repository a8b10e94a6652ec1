//! `POST /tasks/claim`: who gets what, and in which order.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::caller;
use super::{Desk, TASK_FIELDS, ids_of};
use crate::harness::{field_names, race, unique};

#[test]
fn a_claim_hands_out_tasks_with_their_tokens() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(1);
    let id = desk.submit(json!({}));
    let answer = client.post("/tasks/claim", &json!({"node_id": node}));
    answer.has_fields(&["tasks"]);
    let held = super::held(&answer.json()).remove(0);
    let raw = answer.text();
    let task = &raw[raw.find("[{").unwrap() + 1..raw.rfind("}]").unwrap() + 1];
    let fields: Vec<_> = TASK_FIELDS.iter().copied().chain(["token"]).collect();
    assert_eq!(field_names(task), fields);
    assert_eq!(held.id, id);
    assert_eq!(
        (&held.task["status"], &held.task["assigned_node"]),
        (&json!("running"), &json!(node))
    );
    assert!(held.task["started_at"].as_str() >= held.task["submitted_at"].as_str());
    let mut shown = desk.task(&id);
    shown["token"] = json!(held.token);
    assert_eq!(shown, held.task, "a task shows no token, and otherwise the same");

    let none = client.post("/tasks/claim", &json!({"node_id": node}));
    let none = none.has_fields(&["tasks", "reason"]);
    assert_eq!(none, json!({"tasks": [], "reason": "The node has no free capacity."}));
}

#[test]
fn urgent_tasks_go_first_and_then_old_ones() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let mut expected: Vec<(i64, usize, String)> = [2, 3, 0, 1, 2, 0, 3, 1]
        .into_iter()
        .enumerate()
        .map(|(n, priority)| (priority, n, desk.submit(json!({"priority": priority}))))
        .collect();
    expected.sort_unstable();
    let expected: Vec<_> = expected.into_iter().map(|(.., id)| id).collect();
    let node = desk.node(100);
    let first = desk.claim_with(&node, json!({"limit": 3}));
    assert_eq!(ids_of(&first), expected[..3]);
    // Without a limit it is one.
    let one = super::held(&client.post("/tasks/claim", &json!({"node_id": node})).ok());
    assert_eq!(ids_of(&one), expected[3..4]);
    assert_eq!(ids_of(&desk.claim(&node)), expected[4..]);
    let tokens: BTreeSet<_> = first.iter().chain(&one).map(|held| &held.token).collect();
    assert_eq!(tokens.len(), 4, "each claim has a token of its own");
}

#[test]
fn a_node_gets_only_what_it_has_all_skills_for() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let other = unique("other");
    let both = desk.submit(json!({"required_skills": [other, desk.skill], "priority": 0}));
    let twice = desk.submit(json!({"required_skills": [desk.skill, desk.skill]}));
    let one = desk.node(5);
    // What it cannot run is more urgent, and blocks nothing behind it.
    assert_eq!(ids_of(&desk.claim(&one)), [twice]);
    let able = desk.node_with(json!({"available_skills": ["more", other, desk.skill]}));
    assert_eq!(ids_of(&desk.claim(&able)), [both]);
}

#[test]
fn many_tasks_that_nobody_can_run_block_nobody() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    // More kinds than a claim looks at in one page, all more urgent, all under the same skill.
    for n in 0..40 {
        let odd = format!("{}-{n}", desk.skill);
        desk.submit(json!({"required_skills": [desk.skill, odd], "priority": 0}));
    }
    let wanted: Vec<_> = (0..3).map(|_| desk.submit(json!({"priority": 3}))).collect();
    let node = desk.node(10);
    assert_eq!(ids_of(&desk.claim(&node)), wanted);
}

#[test]
fn a_node_never_holds_more_than_it_has_room_for() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    for _ in 0..6 {
        desk.submit(json!({}));
    }
    let node = desk.node(3);
    client.beat(&node, &json!({"running_tasks": 1}));
    // What it reports counts.
    let two = desk.claim(&node);
    assert_eq!(two.len(), 2);
    assert_eq!(client.node(&node)["running_tasks"], 2, "the larger of one and two");
    assert_eq!(desk.claim(&node).len(), 1, "it has three places and holds two");
    assert_eq!(desk.claim(&node).len(), 0);
    assert_eq!(client.node(&node)["running_tasks"], 3);
    // Reporting less makes no room for more: they are still held.
    client.beat(&node, &json!({"running_tasks": 0}));
    assert_eq!(client.node(&node)["running_tasks"], 3);
    assert_eq!(desk.claim(&node).len(), 0);
    desk.post(&two[0], "complete", json!({})).ok();
    assert_eq!(client.node(&node)["running_tasks"], 2);
    assert_eq!(desk.claim(&node).len(), 1);
    // Reporting more takes room away.
    desk.post(&two[1], "complete", json!({})).ok();
    client.beat(&node, &json!({"running_tasks": 9}));
    assert_eq!(desk.claim(&node).len(), 0);
    let available = client.get("/nodes/available?limit=1000").list();
    assert!(available.iter().all(|it| it["node_id"] != *node), "a full node is not available");
    client.beat(&node, &json!({"running_tasks": 2}));
    assert_eq!(desk.claim(&node).len(), 1);
}

#[test]
fn only_a_node_that_is_online_gets_tasks() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let id = desk.submit(json!({}));
    let node = desk.node(5);
    let path = format!("/nodes/{node}");
    for status in ["maintenance", "error", "busy", "offline"] {
        client.patch(&path, &json!({"status": status})).ok();
        let none = client.post("/tasks/claim", &json!({"node_id": node})).ok();
        assert_eq!(none, json!({"tasks": [], "reason": format!("The node is {status}.")}));
    }
    client.patch(&path, &json!({"status": "online"})).ok();
    assert_eq!(ids_of(&desk.claim(&node)), [id]);
}

#[test]
fn a_new_skill_or_a_taken_one_counts_at_once() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let id = desk.submit(json!({}));
    let node = desk.node(5);
    let path = format!("/nodes/{node}");
    client.patch(&path, &json!({"available_skills": ["other"]})).ok();
    assert_eq!(desk.claim(&node).len(), 0);
    client.patch(&path, &json!({"available_skills": ["other", desk.skill]})).ok();
    assert_eq!(ids_of(&desk.claim(&node)), [id]);
}

/// Submits all of these, again and again until they came within one second, as the hub's clock
/// says, and returns their ids.
fn within_a_second(desk: &Desk, fields: &[Value]) -> Vec<String> {
    loop {
        let tasks: Vec<_> = fields.iter().map(|fields| desk.submit_with(fields.clone())).collect();
        let second = |task: &Value| task["submitted_at"].as_str().unwrap()[..19].to_owned();
        if tasks.iter().all(|task| second(task) == second(&tasks[0])) {
            return super::ids(&tasks);
        }
        for task in tasks {
            desk.client.post_empty(&format!("/tasks/{}/cancel", super::id_of(&task))).ok();
        }
    }
}

#[test]
fn of_tasks_of_one_second_a_node_gets_what_suits_it_best() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let fields = [
        json!({}),
        json!({"optional_skills": ["gpu", "fpga"]}),
        json!({"optional_skills": ["gpu"], "affinity_tags": ["eu", "rack-1"]}),
        json!({"affinity_tags": ["eu"]}),
        json!({"optional_skills": ["fpga"], "affinity_tags": ["us"]}),
        // However well it suits: one more urgent goes first.
        json!({"priority": 1}),
    ];
    let ids = within_a_second(&desk, &fields);
    let node = desk.node_with(json!({
        "available_skills": [desk.skill, "gpu"], "tags": ["eu", "rack-1"],
        "max_concurrent_tasks": 10,
    }));
    // Three preferences met, then one each in the order of their age, then none.
    let order = [5, 2, 1, 3, 0, 4].map(|n: usize| ids[n].as_str());
    assert_eq!(ids_of(&desk.claim(&node)), order);
}

#[test]
fn preferences_exclude_nobody() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let id = desk.submit(json!({"optional_skills": ["gpu"], "affinity_tags": ["moon"]}));
    assert_eq!(ids_of(&desk.claim(&desk.node(1))), [id]);
}

#[test]
fn no_task_is_handed_out_twice() {
    const NODES: usize = 6;
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let mut sent: Vec<_> = (0..60).map(|_| desk.submit(json!({}))).collect();
    let taken = race(NODES, |_| {
        let node = desk.node(100);
        let mut mine = Vec::new();
        loop {
            let some = desk.claim_with(&node, json!({"limit": 3}));
            if some.is_empty() {
                return mine;
            }
            mine.extend(some.into_iter().map(|held| held.id));
        }
    });
    let mut taken: Vec<String> = taken.concat();
    sent.sort_unstable();
    taken.sort_unstable();
    assert_eq!(taken, sent);
}
