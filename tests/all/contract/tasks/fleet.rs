//! What nodes have to do with the tasks that they hold: heartbeats, leaving, counters.

use serde_json::{Value, json};

use super::super::caller;
use super::{Desk, Held, ids_of};
use crate::harness::{PATIENCE, eventually};

fn claims(held: &[&Held]) -> Value {
    held.iter().map(|held| json!({"task_id": held.id, "token": held.token})).collect()
}

#[test]
fn a_heartbeat_renews_the_claims_that_it_lists_and_no_others() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let (node, other) = (desk.node(5), desk.node(5));
    for _ in 0..3 {
        desk.submit(json!({}));
    }
    let short = desk.claim_with(&node, json!({"limit": 2, "lease_ms": 3000}));
    let foreign = desk.claim_with(&other, json!({"limit": 1, "lease_ms": 600_000})).remove(0);
    let forged = Held { token: "1-forged".to_owned(), ..short[0].clone() };
    let never = Held { id: "never".to_owned(), ..short[0].clone() };
    let listed = claims(&[&short[0], &forged, &foreign, &never]);
    let beat = || client.beat(&node, &json!({"running_tasks": 2, "claims": listed}));
    let answer = beat();
    assert_eq!(answer["renewed"], json!([short[0].id]));
    // A forged token, another node's task and none at all are not this node's.
    assert_eq!(answer["revoked"], json!([short[0].id, foreign.id, "never"]));
    assert_eq!(answer["cancelled"], json!([]));
    eventually("the end of the lease that was not listed", PATIENCE, || {
        assert_eq!(beat()["renewed"], json!([short[0].id]));
        (desk.status(&short[1].id) == "pending").then_some(())
    });
    let late = client.beat(&node, &json!({"claims": claims(&[&short[0], &short[1]])}));
    assert_eq!(
        (&late["renewed"], &late["revoked"]),
        (&json!([short[0].id]), &json!([short[1].id]))
    );
    assert_eq!(desk.status(&foreign.id), "running");
}

#[test]
fn a_gateway_renews_for_many() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let nodes = [desk.node(1), desk.node(1)];
    let held: Vec<_> = nodes
        .iter()
        .map(|node| {
            desk.submit(json!({}));
            desk.claim_one(node)
        })
        .collect();
    let beats: Vec<_> = nodes
        .iter()
        // Both list both.
        .map(|node| json!({"node_id": node, "claims": claims(&[&held[0], &held[1]])}))
        .collect();
    let answers = client.post("/heartbeats", &Value::from(beats)).list();
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(answer["renewed"], json!([held[n].id]), "{answer}");
        assert_eq!(answer["revoked"], json!([held[1 - n].id]), "{answer}");
    }
}

/// A way for a node to leave.
type Leave = (&'static str, fn(&Desk, &str));

#[test]
fn a_node_that_leaves_gives_its_tasks_back_without_counting_a_retry() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let leave: [Leave; 3] = [
        ("shut down", |desk, node| {
            desk.client.post_empty(&format!("/nodes/{node}/shutdown")).ok();
        }),
        ("removed", |desk, node| {
            desk.client.delete(&format!("/nodes/{node}")).ok();
        }),
        ("marked", |desk, node| {
            desk.client.patch(&format!("/nodes/{node}"), &json!({"status": "offline"})).ok();
        }),
    ];
    for (how, leave) in leave {
        let (node, next) = (desk.node(5), desk.node(5));
        let submitted = [0, 1].map(|_| desk.submit(json!({"max_retries": 0})));
        let held = desk.claim(&node);
        leave(&desk, &node);
        for held in &held {
            let task = desk.task(&held.id);
            assert_eq!(task["status"], "pending", "{how}");
            assert_eq!((&task["retry_count"], &task["assigned_node"]), (&json!(0), &Value::Null));
            desk.post(held, "complete", json!({})).problem(409, "fenced");
        }
        let again = desk.claim(&next);
        assert_eq!(ids_of(&again), submitted, "{how}: at once, in the old order");
        for held in &again {
            desk.post(held, "complete", json!({})).ok();
        }
    }
}

#[test]
fn a_draining_node_keeps_what_it_holds() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    desk.submit(json!({}));
    let held = desk.claim_one(&node);
    client.patch(&format!("/nodes/{node}"), &json!({"status": "maintenance"})).ok();
    let beat = client.beat(&node, &json!({"running_tasks": 1, "claims": claims(&[&held])}));
    assert_eq!((&beat["drain"], &beat["renewed"]), (&json!(true), &json!([held.id])));
    assert_eq!(desk.post(&held, "complete", json!({})).ok()["status"], "completed");
}

#[test]
fn a_node_that_registers_again_keeps_what_it_holds() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    desk.submit(json!({}));
    let held = desk.claim_one(&node);
    let mut body = crate::harness::registration(client.node(&node)["hostname"].as_str().unwrap());
    body["available_skills"] = json!([desk.skill, "more"]);
    assert_eq!(client.post("/nodes/register", &body).ok()["node_id"], *node);
    assert_eq!(
        client.beat(&node, &json!({"claims": claims(&[&held])}))["renewed"],
        json!([held.id])
    );
    desk.post(&held, "complete", json!({})).ok();
}

#[test]
fn a_nodes_counters_follow_every_end() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(10);
    let counted = || {
        let shown = client.node(&node);
        ["total_tasks_processed", "successful_tasks", "failed_tasks", "running_tasks"]
            .map(|field| shown[field].as_i64().unwrap())
    };
    for _ in 0..5 {
        desk.submit(json!({"max_retries": 1}));
    }
    let held = desk.claim(&node);
    assert_eq!(counted(), [0, 0, 0, 5]);
    desk.post(&held[0], "complete", json!({})).ok();
    assert_eq!(counted(), [1, 1, 0, 4]);
    desk.post(&held[1], "fail", json!({"retryable": false})).ok();
    assert_eq!(counted(), [2, 1, 1, 3]);
    // A try is no end.
    desk.post(&held[2], "fail", json!({})).ok();
    assert_eq!(counted(), [2, 1, 1, 2]);
    // Nobody's merit or fault.
    client.post_empty(&format!("/tasks/{}/cancel", held[3].id)).ok();
    assert_eq!(counted(), [2, 1, 1, 1]);
    // Refused, so not counted.
    desk.post(&held[3], "complete", json!({})).problem(409, "fenced");
    desk.post(&held[4], "complete", json!({})).ok();
    assert_eq!(counted(), [3, 2, 1, 0]);
    let average = client.node(&node)["average_execution_time"].as_f64().unwrap();
    assert!((0.0..20.0).contains(&average), "{average} s");
}

#[test]
fn an_average_is_of_all_that_ended() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    let counters = json!({"total_tasks_processed": 3, "average_execution_time": 100.0});
    client.patch(&format!("/nodes/{node}"), &counters).ok();
    desk.submit(json!({}));
    let held = desk.claim_one(&node);
    desk.post(&held, "complete", json!({})).ok();
    let shown = client.node(&node);
    let average = shown["average_execution_time"].as_f64().unwrap();
    assert_eq!(shown["total_tasks_processed"], 4);
    assert!((75.0..80.0).contains(&average), "a quarter of next to nothing: {average}");
}

#[test]
fn the_cluster_counts_tasks() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    // Others work beside this test, so the sums can only be bounded.
    let before = client.get("/cluster/state").ok();
    desk.submit(json!({}));
    desk.submit(json!({}));
    let held = desk.claim_one(&node);
    let state = client.get("/cluster/state").ok();
    assert!(state["total_tasks"].as_i64() > Some(1), "{before} {state}");
    assert!(state["running_tasks"].as_i64() >= Some(1), "{state}");
    let statuses: Vec<_> = state["tasks_by_status"].as_object().unwrap().keys().collect();
    assert_eq!(statuses.len(), 8, "{state}");
    desk.post(&held, "complete", json!({})).ok();
    let answer = client.get("/tasks/stats");
    let stats = answer.has_fields(&[
        "total",
        "pending",
        "scheduled",
        "running",
        "completed",
        "failed",
        "cancelled",
        "timeout",
        "suspended",
        "waiting",
        "delayed",
        "dead",
        "skill_sets",
        "fenced",
        "ended",
        "ended_bytes",
        "oldest_end",
        "overdue",
        "ever",
    ]);
    let least = |field: &str, least: i64| {
        assert!(stats[field].as_i64() >= Some(least), "{field} in {stats}");
    };
    least("total", 2);
    least("pending", 1);
    least("completed", 1);
    least("waiting", 1);
    least("skill_sets", 1);
}
