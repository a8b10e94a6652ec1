//! Progress, and how tasks end: complete, fail, cancel; and how they come back: retry, redrive.

use serde_json::{Value, json};

use super::super::caller;
use super::{Desk, TASK_FIELDS, ids, ids_of};
use crate::harness::{PATIENCE, eventually, is_timestamp, unique};

#[test]
fn a_completed_task_has_its_result() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    for result in
        [json!({"list": [], "n": 1.0}), json!("text"), json!(false), json!([]), json!(null)]
    {
        desk.submit(json!({}));
        let held = desk.claim_one(&node);
        let answer = desk.post(&held, "complete", json!({"result": result}));
        let task = answer.has_fields(TASK_FIELDS);
        assert_eq!((&task["status"], &task["result"]), (&json!("completed"), &result));
        assert_eq!((&task["progress"], &task["assigned_node"]), (&json!(1.0), &json!(node)));
        assert!(is_timestamp(&task["completed_at"]), "{task}");
        assert_eq!(desk.task(&held.id), task);
    }
    desk.submit(json!({}));
    let held = desk.claim_one(&node);
    assert_eq!(desk.post(&held, "complete", json!({})).ok()["result"], Value::Null);
}

#[test]
fn progress_is_shown_and_renews_the_lease() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    desk.submit(json!({}));
    let held = desk.claim_with(&node, json!({"lease_ms": 60_000})).remove(0);
    let fields = ["success", "task_id", "status", "progress", "lease_ms", "cancelled"];
    let answer = desk.post(&held, "progress", json!({"progress": 0.25})).has_fields(&fields);
    let expected = json!({"success": true, "task_id": held.id, "status": "running",
        "progress": 0.25, "lease_ms": 60_000, "cancelled": false});
    assert_eq!(answer, expected);
    assert_eq!(desk.task(&held.id)["progress"], 0.25);
    // A sign of life alone keeps the progress; a new length of the lease stays.
    let answer = desk.post(&held, "progress", json!({"lease_ms": 120_000})).ok();
    assert_eq!((&answer["progress"], &answer["lease_ms"]), (&json!(0.25), &json!(120_000)));
    let answer = desk.post(&held, "progress", json!({"progress": 1})).ok();
    assert_eq!((&answer["progress"], &answer["lease_ms"]), (&json!(1.0), &json!(120_000)));
}

#[test]
fn a_lease_lasts_as_long_as_it_is_renewed() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    let [kept, lost] = [0, 1].map(|_| desk.submit(json!({})));
    // Long enough for a machine that is compiling, short enough to wait for.
    let held = desk.claim_with(&node, json!({"lease_ms": 3000}));
    assert_eq!(ids_of(&held), [kept.as_str(), lost.as_str()]);
    eventually("the end of the other's lease", PATIENCE, || {
        desk.post(&held[0], "progress", json!({})).ok();
        (desk.status(&lost) == "pending").then_some(())
    });
    assert_eq!(desk.task(&lost)["retry_count"], 1);
    desk.post(&held[0], "complete", json!({})).ok();
    desk.post(&held[1], "complete", json!({})).problem(409, "fenced");
    assert_eq!(ids_of(&desk.claim(&node)), [lost]);
}

#[test]
fn a_failed_try_waits_out_a_back_off_and_is_tried_again() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    let id = desk.submit(json!({"max_retries": 1}));
    let first = desk.claim_one(&node);
    let task = desk.post(&first, "fail", json!({"error": "no luck"})).has_fields(TASK_FIELDS);
    assert_eq!((&task["status"], &task["retry_count"]), (&json!("pending"), &json!(1)));
    assert_eq!((&task["error"], &task["assigned_node"]), (&json!("no luck"), &Value::Null));
    assert!(is_timestamp(&task["scheduled_at"]), "{task}");
    let why = client.get(&format!("/tasks/{id}/why")).ok();
    assert_eq!(why["reason"], "waiting_for_retry");
    assert_eq!(why["due_at"], task["scheduled_at"]);
    let second = eventually("the end of the back-off", PATIENCE, || desk.claim(&node).pop());
    assert!(second.task["started_at"].as_str() >= task["scheduled_at"].as_str());
    assert_eq!(second.id, id);

    let task = desk.post(&second, "fail", json!({"error": "again"})).ok();
    assert_eq!((&task["status"], &task["retry_count"]), (&json!("failed"), &json!(1)));
    assert_eq!((&task["error"], &task["assigned_node"]), (&json!("again"), &json!(node)));
    assert!(is_timestamp(&task["completed_at"]));
}

#[test]
fn back_offs_double_and_differ() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(100);
    let at = |text: &Value| {
        let time = text.as_str().unwrap();
        let minutes: f64 = time[14..16].parse().unwrap();
        minutes * 60.0 + time[17..23].parse::<f64>().unwrap()
    };
    let mut waits = Vec::new();
    for _ in 0..8 {
        desk.submit(json!({"max_retries": 100}));
        let held = desk.claim_one(&node);
        let task = desk.post(&held, "fail", json!({})).ok();
        // When it failed it does not say; it was claimed a moment before.
        let wait = (at(&task["scheduled_at"]) - at(&task["started_at"])).rem_euclid(3600.0);
        assert!(wait >= 0.5, "{wait} s is less than half of the first back-off");
        waits.push((wait * 1000.0) as i64);
    }
    waits.sort_unstable();
    waits.dedup();
    assert!(waits.len() > 1, "all wait the same: {waits:?}");
}

#[test]
fn what_cannot_be_retried_is_a_dead_letter_at_once() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    let id = desk.submit(json!({"max_retries": 5}));
    let held = desk.claim_one(&node);
    let task = desk.post(&held, "fail", json!({"error": "bad", "retryable": false})).ok();
    assert_eq!((&task["status"], &task["retry_count"]), (&json!("failed"), &json!(0)));
    let dead = client.get("/tasks/dead?limit=1000").list();
    assert_eq!(dead.iter().find(|dead| dead["task_id"] == *id), Some(&task));
}

#[test]
fn a_waiting_task_is_cancelled_and_never_claimed() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    let [id, next] = [0, 1].map(|_| desk.submit(json!({})));
    let task = client.post_empty(&format!("/tasks/{id}/cancel")).has_fields(TASK_FIELDS);
    assert_eq!((&task["status"], &task["assigned_node"]), (&json!("cancelled"), &Value::Null));
    assert!(is_timestamp(&task["completed_at"]));
    assert_eq!(ids_of(&desk.claim(&node)), [next]);
    client.post_empty(&format!("/tasks/{id}/cancel")).problem(409, "conflict");
}

#[test]
fn who_runs_a_cancelled_task_hears_of_it() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(1);
    desk.submit(json!({}));
    let held = desk.claim_one(&node);
    client.beat(&node, &json!({"running_tasks": 1}));
    desk.post(&held, "progress", json!({"progress": 0.5})).ok();
    client.post_empty(&format!("/tasks/{}/cancel", held.id)).ok();
    // It still runs there, as far as anybody knows.
    assert_eq!(client.node(&node)["running_tasks"], 1);
    let answer = desk.post(&held, "progress", json!({"progress": 0.9})).ok();
    assert_eq!((&answer["cancelled"], &answer["status"]), (&json!(true), &json!("cancelled")));
    assert_eq!(answer["progress"], 0.5);
    let claims = json!([{"task_id": held.id, "token": held.token}]);
    let beat = client.beat(&node, &json!({"running_tasks": 0, "claims": claims}));
    assert_eq!(beat["cancelled"], json!([held.id]));
    assert_eq!((&beat["renewed"], &beat["revoked"]), (&json!([]), &json!([])));
    assert_eq!(client.node(&node)["running_tasks"], 0);
    let before = desk.task(&held.id);
    desk.post(&held, "complete", json!({"result": 1})).problem(409, "fenced");
    assert_eq!(desk.task(&held.id), before);
}

#[test]
fn what_went_wrong_can_be_tried_again_with_all_tries() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    let id = desk.submit(json!({"max_retries": 0}));
    desk.bury(&node, &id);
    let retry = format!("/tasks/{id}/retry");
    let task = client.post_empty(&retry).has_fields(TASK_FIELDS);
    assert_eq!((&task["status"], &task["retry_count"]), (&json!("pending"), &json!(0)));
    for field in ["error", "result", "completed_at", "started_at", "scheduled_at", "assigned_node"]
    {
        assert_eq!(task[field], Value::Null, "{field}");
    }
    let dead = client.get("/tasks/dead?limit=1000").list();
    assert!(!ids(&dead).contains(&id), "it is no dead letter any more");
    client.post_empty(&retry).problem(409, "conflict");
    let held = desk.claim_one(&node);
    client.post_empty(&retry).problem(409, "conflict");
    client.post_empty(&format!("/tasks/{id}/cancel")).ok();
    assert_eq!(client.post_empty(&retry).ok()["status"], "pending");
    // Who ran it before it was called off holds nothing.
    desk.post(&held, "complete", json!({})).problem(409, "fenced");
    desk.post(&held, "progress", json!({})).problem(409, "fenced");
    desk.post(&desk.claim_one(&node), "complete", json!({})).ok();
    client.post_empty(&retry).problem(409, "conflict");
}

#[test]
fn a_back_off_can_be_cut_short() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    let id = desk.submit(json!({"max_retries": 100}));
    let held = desk.claim_one(&node);
    let task = desk.post(&held, "fail", json!({})).ok();
    assert_eq!((&task["status"], &task["retry_count"]), (&json!("pending"), &json!(1)));
    let task = client.post_empty(&format!("/tasks/{id}/retry"));
    // Unless that was slower than the back-off.
    if task.status == 200 {
        assert_eq!(task.ok()["retry_count"], 0);
    } else {
        task.problem(409, "conflict");
    }
    assert_eq!(ids_of(&desk.claim(&node)), [id]);
}

#[test]
fn only_an_ended_task_can_be_removed() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    let id = desk.submit(json!({"task_id": unique("task"), "user_id": unique("user")}));
    let path = format!("/tasks/{id}");
    client.delete(&path).problem(409, "conflict");
    let held = desk.claim_one(&node);
    client.delete(&path).problem(409, "conflict");
    desk.post(&held, "complete", json!({})).ok();
    let removed = client.delete(&path).has_fields(&["success", "task_id"]);
    assert_eq!(removed, json!({"success": true, "task_id": id}));
    client.get(&path).problem(404, "not_found");
    client.delete(&path).problem(404, "not_found");
    assert_eq!(client.get(&format!("/tasks?assigned_node={node}")).list(), Vec::<Value>::new());
    // Its id is free again.
    desk.submit(json!({"task_id": id}));
}

#[test]
fn dead_letters_are_put_back_by_name() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    let dead: Vec<_> = (0..3)
        .map(|_| {
            let id = desk.submit(json!({}));
            desk.bury(&node, &id);
            id
        })
        .collect();
    let alive = desk.submit(json!({}));
    let named = json!({"task_ids": [dead[0], alive, dead[2], unique("never")], "dry_run": true});
    let answer = client.post("/tasks/dead/redrive", &named);
    let dry = answer.has_fields(&["redriven", "task_ids", "dry_run"]);
    assert_eq!(dry, json!({"redriven": 0, "task_ids": [dead[0], dead[2]], "dry_run": true}));
    assert!(dead.iter().all(|id| desk.status(id) == "failed"), "a dry run changes nothing");

    let named = json!({"task_ids": [dead[0], dead[2]]});
    let redriven = client.post("/tasks/dead/redrive", &named).ok();
    assert_eq!(redriven, json!({"redriven": 2, "task_ids": [dead[0], dead[2]], "dry_run": false}));
    let states = [&dead[0], &dead[1], &dead[2]].map(|id| desk.status(id));
    assert_eq!(states, ["pending", "failed", "pending"]);
    assert_eq!(client.post("/tasks/dead/redrive", &named).ok()["redriven"], 0);
    // They stand where they stood, before what came later.
    assert_eq!(ids_of(&desk.claim(&node)), [&dead[0], &dead[2], &alive]);
}

#[test]
fn dead_letters_are_put_back_by_filter() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    let user = unique("user");
    let dead: Vec<_> = (0..3)
        .map(|n| {
            let id = desk.submit(json!({"user_id": if n == 1 { "other" } else { &user }}));
            desk.bury(&node, &id);
            id
        })
        .collect();
    let redrive = |filter: Value| {
        let body = json!({"filter": filter});
        let mut found = client.post("/tasks/dead/redrive", &body).ok()["task_ids"].clone();
        let found = found.as_array_mut().unwrap();
        found.sort_by_key(|id| dead.iter().position(|dead| id == dead));
        found.clone()
    };
    assert_eq!(redrive(json!({"user_id": user, "status": "timeout"})), Vec::<Value>::new());
    assert_eq!(redrive(json!({"user_id": user, "status": "failed"})), [&*dead[0], &*dead[2]]);
    assert_eq!(desk.status(&dead[1]), "failed");
}
