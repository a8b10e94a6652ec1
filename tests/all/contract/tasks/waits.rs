//! Tasks that wait for an answer, a signal or a time (contract.md §5).

use serde_json::{Value, json};

use super::{Desk, Held, id_of};
use crate::contract::agents::{Agent, new_agent};
use crate::contract::{Subject, caller, hub};
use crate::harness::{Answer, Client, is_timestamp};

fn wait(desk: &Desk, held: &Held, fields: Value) -> Value {
    desk.post(held, "wait", fields).ok()
}

fn wait_id(started: &Value) -> String {
    started["wait_id"].as_str().unwrap().to_owned()
}

/// A key of an agent that may decide; only an administrator gives one out.
fn decider(hub: &Subject, agent: &Agent) -> Client {
    let body = json!({"agent_id": agent.id, "scopes": ["read", "write", "approve"]});
    let made = hub.client.post("/auth/keys", &body).ok();
    hub.anonymous.with_key(made["api_key"].as_str().unwrap())
}

fn answer(client: &Client, wait_id: &str, body: Value) -> Answer {
    client.post(&format!("/waits/{wait_id}/answer"), &body)
}

#[test]
fn an_approval_holds_no_slot_and_comes_back_with_what_was_decided() {
    let hub = hub();
    let desk = Desk::new(&hub.client);
    let node = desk.node(1);
    let id = desk.submit(json!({"max_retries": 0}));
    let held = desk.claim_one(&node);
    let started = wait(
        &desk,
        &held,
        json!({
            "kind": "approval", "question": "Pay 120 EUR to ACME?", "details": {"invoice": [7, 1e2]},
            "checkpoint": {"step": 3, "none": []},
        }),
    );
    let waited = wait_id(&started);
    let expected = json!({"success": true, "task_id": id, "status": "waiting", "wait_id": waited,
        "expires_at": null, "ready": false});
    assert_eq!(started, expected);
    let task = desk.task(&id);
    assert_eq!((&task["status"], &task["wait_id"]), (&json!("waiting"), &json!(waited)));
    assert_eq!((&task["assigned_node"], &task["retry_count"]), (&Value::Null, &json!(0)));
    // Its place is free, its token is stale, and nobody gets it.
    desk.post(&held, "progress", json!({})).problem(409, "fenced");
    let other = desk.submit(json!({}));
    assert_eq!(desk.claim_one(&node).id, other);
    assert!(desk.claim(&desk.node(5)).is_empty());

    let seen = desk.client.get(&format!("/waits/{waited}")).ok();
    assert_eq!((&seen["kind"], &seen["state"]), (&json!("approval"), &json!("open")));
    assert_eq!(seen["details"], json!({"invoice": [7, 1e2]}));
    let values: Vec<_> =
        seen["options"].as_array().unwrap().iter().map(|option| &option["value"]).collect();
    assert_eq!(values, ["approve", "reject"]);
    assert!(is_timestamp(&seen["asked_at"]));

    let decided = answer(
        &hub.client,
        &waited,
        json!({"decision": "approve", "value": {"amount": 100}, "comment": "less"}),
    );
    let decided = decided.ok();
    assert_eq!(decided["state"], "answered");
    assert_eq!(decided["answers"][0]["comment"], "less");
    let again = desk.claim_with(&desk.node(1), json!({"limit": 1})).remove(0);
    assert_eq!(again.id, id);
    assert_eq!(again.task["checkpoint"], json!({"step": 3, "none": []}));
    let resume = &again.task["resume"];
    assert_eq!((&resume["kind"], &resume["decision"]), (&json!("approval"), &json!("approve")));
    assert_eq!((&resume["value"], &resume["wait_id"]), (&json!({"amount": 100}), &json!(waited)));
    assert!(is_timestamp(&resume["at"]));
    desk.post(&again, "complete", json!({"result": "paid"})).ok();
    assert_eq!(desk.status(&id), "completed");
    // The same again is a replay; another decision comes too late.
    answer(&hub.client, &waited, json!({"decision": "approve"})).ok();
    answer(&hub.client, &waited, json!({"decision": "reject"})).problem(409, "conflict");
}

#[test]
fn a_task_that_asks_first_waits_before_any_node_has_it() {
    let hub = hub();
    let desk = Desk::new(&hub.client);
    let node = desk.node(1);
    let task = desk.submit_with(json!({"approval": {"question": "Delete it?", "options": [
        {"value": "yes", "label": "Yes, all of it"}, {"value": "no", "label": "No"}]}}));
    assert_eq!(task["status"], "waiting");
    let waited = wait_id(&task);
    assert!(desk.claim(&node).is_empty());
    let why = desk.client.get(&format!("/tasks/{}/why", id_of(&task))).ok();
    assert_eq!(why["reason"], "waiting_for_approval");
    answer(&hub.client, &waited, json!({"decision": "approve"})).problem_with(
        422,
        "validation_failed",
        "decision",
    );
    answer(&hub.client, &waited, json!({"decision": "yes"})).ok();
    let held = desk.claim_one(&node);
    assert_eq!(held.task["resume"]["decision"], "yes");
    assert_eq!(held.task.get("wait_id"), None);
}

#[test]
fn a_task_that_is_tried_again_after_its_end_is_asked_about_again() {
    let hub = hub();
    let desk = Desk::new(&hub.client);
    let node = desk.node(1);
    let asked =
        json!({"approval": {"question": "Pay?", "details": {"sum": 120}}, "max_retries": 1});
    let task = desk.submit_with(asked);
    let (id, first) = (id_of(&task), wait_id(&task));
    desk.client.post_empty(&format!("/tasks/{id}/cancel")).ok();
    let again = desk.client.post_empty(&format!("/tasks/{id}/retry")).ok();
    assert_eq!(again["status"], "waiting");
    let second = wait_id(&again);
    assert_ne!(first, second);
    assert!(desk.claim(&node).is_empty());
    answer(&hub.client, &first, json!({"decision": "approve"})).problem(409, "conflict");
    let shown = answer(&hub.client, &second, json!({"decision": "approve"})).ok();
    assert_eq!((&shown["question"], &shown["details"]), (&json!("Pay?"), &json!({"sum": 120})));
    // Its own retries ask nobody.
    let held = desk.claim_one(&node);
    desk.post(&held, "fail", json!({"error": "no", "retry_in_ms": 0})).ok();
    let held = desk.claim_one(&node);
    assert_eq!(held.task["resume"]["decision"], "approve");
    desk.post(&held, "fail", json!({"error": "no", "retryable": false})).ok();
    let body = json!({"task_ids": [id]});
    assert_eq!(desk.client.post("/tasks/dead/redrive", &body).ok()["redriven"], 1);
    assert_eq!(desk.status(&id), "waiting");
}

#[test]
fn a_signal_is_not_lost_whenever_it_comes() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(1);
    let id = desk.submit(json!({}));
    let signal = |name: &str, payload: Value| {
        client.post(&format!("/tasks/{id}/signal"), &json!({"name": name, "payload": payload})).ok()
    };
    // Before any node has it, and before it waits.
    assert_eq!(signal("paid", json!(1))["queued"], 1);
    assert_eq!(signal("other", Value::Null)["queued"], 2);
    assert_eq!(signal("paid", json!(2))["queued"], 3);
    let held = desk.claim_one(&node);
    assert_eq!(desk.post(&held, "progress", json!({})).ok()["signals"], 3);
    let ready = wait(&desk, &held, json!({"kind": "signal", "name": "paid"}));
    assert_eq!((&ready["ready"], &ready["status"]), (&json!(true), &json!("running")));
    assert_eq!((&ready["resume"]["name"], &ready["resume"]["value"]), (&json!("paid"), &json!(1)));
    // The claim goes on.
    let taken = desk.post(&held, "signals/take", json!({"name": "paid"})).ok();
    assert_eq!(taken["signals"][0]["payload"], 2);
    let waits = wait(&desk, &held, json!({"kind": "signal", "name": "paid"}));
    assert_eq!(waits["status"], "waiting");
    assert_eq!(signal("third", json!(3))["queued"], 2);
    assert_eq!(desk.status(&id), "waiting");
    signal("paid", json!("last"));
    let held = desk.claim_one(&node);
    assert_eq!(held.task["resume"]["value"], "last");
    let names: Vec<_> = desk.post(&held, "signals/take", json!({})).ok()["signals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|signal| signal["name"].clone())
        .collect();
    assert_eq!(names, ["other", "third"]);
    desk.post(&held, "complete", json!({})).ok();
    client.post(&format!("/tasks/{id}/signal"), &json!({"name": "paid"})).problem(409, "conflict");
}

#[test]
fn a_task_has_a_bound_of_signals() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let id = desk.submit(json!({}));
    let path = format!("/tasks/{id}/signal");
    for n in 1..=100 {
        assert_eq!(client.post(&path, &json!({"name": "s", "payload": n})).ok()["queued"], n);
    }
    client.post(&path, &json!({"name": "s"})).problem(409, "signals_full");
    let held = desk.claim_one(&desk.node(1));
    let taken = desk.post(&held, "signals/take", json!({})).ok();
    let payloads: Vec<i64> = taken["signals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|signal| signal["payload"].as_i64().unwrap())
        .collect();
    assert_eq!(payloads, (1..=100).collect::<Vec<_>>());
    client.post(&path, &json!({"name": "s"})).ok();
}

#[test]
fn a_sleep_and_an_unanswered_question_end_by_themselves() {
    let hub = hub();
    let after = |fields: Value| {
        let desk = Desk::new(&hub.client);
        let node = desk.node(1);
        let id = desk.submit(json!({}));
        assert!(is_timestamp(&wait(&desk, &desk.claim_one(&node), fields)["expires_at"]));
        (desk, node, id)
    };
    let asked = |on_expire: &str| {
        after(
            json!({"kind": "approval", "question": "?", "expires_in_ms": 1, "on_expire": on_expire}),
        )
    };
    let resume = |(desk, node, id): (Desk, String, String)| {
        let held = desk.claim_with(&node, json!({"wait_ms": 30_000})).remove(0);
        assert_eq!(held.id, id);
        held.task["resume"].clone()
    };
    let approved = resume(asked("approve"));
    assert_eq!((&approved["decision"], &approved["expired"]), (&json!("approve"), &json!(true)));
    assert_eq!(resume(after(json!({"kind": "sleep", "for_ms": 1})))["kind"], "sleep");
    let silent = resume(after(json!({"kind": "signal", "name": "x", "expires_in_ms": 1})));
    assert_eq!((&silent["kind"], &silent["expired"]), (&json!("signal"), &json!(true)));
    let (desk, _, id) = asked("fail");
    let task = desk.client.get(&format!("/tasks/{id}?wait_ms=30000")).ok();
    assert_eq!(task["status"], "failed");
    assert_eq!(task["error"], "Nobody answered in time.");
}

#[test]
fn whoever_is_asked_sees_it_and_nobody_else() {
    let hub = hub();
    if !hub.wants_keys {
        return;
    }
    let (alice, bob, eve) = (new_agent(&hub), new_agent(&hub), new_agent(&hub));
    let desk = Desk::new(&alice.client);
    let node = desk.node(1);
    desk.submit(json!({}));
    let held = desk.claim_one(&node);
    let fields =
        json!({"kind": "approval", "question": "?", "assignees": [bob.id], "by_other": true});
    let waited = wait_id(&wait(&desk, &held, fields));
    let path = format!("/waits/{waited}");
    let lists = |client: &Client| -> Vec<String> {
        client.get("/waits").list().iter().map(wait_id).collect()
    };
    assert_eq!(
        (lists(&alice.client), lists(&bob.client)),
        (vec![waited.clone()], vec![waited.clone()])
    );
    assert!(lists(&eve.client).is_empty());
    eve.client.get(&path).problem(404, "not_found");
    bob.client.get(&path).ok();

    // A first key may not decide; nor may whose node asks, nor a stranger.
    let yes = json!({"decision": "approve"});
    answer(&bob.client, &waited, yes.clone()).problem(403, "forbidden");
    answer(&decider(&hub, &eve), &waited, yes.clone()).problem(403, "forbidden");
    answer(&decider(&hub, &alice), &waited, yes.clone()).problem(403, "forbidden");
    assert_eq!(answer(&decider(&hub, &bob), &waited, yes).ok()["answers"][0]["by"], bob.id);
    assert!(lists(&bob.client).is_empty());
    let of_task = alice.client.get(&format!("/waits?task_id={}", held.id)).list();
    assert_eq!(of_task.iter().map(wait_id).collect::<Vec<_>>(), [waited]);
}

#[test]
fn a_rejection_decides_and_others_have_to_agree() {
    let hub = hub();
    if !hub.wants_keys {
        return;
    }
    let agents = [new_agent(&hub), new_agent(&hub), new_agent(&hub)];
    let [one, two, three] = [0, 1, 2].map(|n: usize| decider(&hub, &agents[n]));
    let desk = Desk::new(&hub.client);
    let node = desk.node(2);
    let assignees = json!([agents[0].id, agents[1].id, agents[2].id]);
    let ask = || {
        let task = desk.submit_with(json!({"approval": {
            "question": "?", "approvals": 2, "assignees": assignees}}));
        wait_id(&task)
    };
    let decide = |client: &Client, waited: &str, decision: &str| {
        answer(client, waited, json!({"decision": decision}))
    };
    let first = ask();
    assert_eq!(decide(&one, &first, "approve").ok()["state"], "open");
    assert_eq!(decide(&one, &first, "approve").ok()["answers"].as_array().unwrap().len(), 1);
    decide(&one, &first, "reject").problem(409, "conflict");
    assert!(desk.claim(&node).is_empty());
    assert_eq!(decide(&two, &first, "approve").ok()["state"], "answered");
    decide(&three, &first, "reject").problem(409, "conflict");
    assert_eq!(desk.claim_one(&node).task["resume"]["decision"], "approve");
    let second = ask();
    decide(&one, &second, "approve").ok();
    assert_eq!(decide(&two, &second, "reject").ok()["state"], "answered");
    assert_eq!(desk.claim_one(&node).task["resume"]["decision"], "reject");
}

#[test]
fn a_wait_ends_with_its_task() {
    let hub = hub();
    let desk = Desk::new(&hub.client);
    let node = desk.node(1);
    let id = desk.submit(json!({}));
    let held = desk.claim_one(&node);
    let waited = wait_id(&wait(&desk, &held, json!({"kind": "approval", "question": "?"})));
    desk.client.post(&format!("/tasks/{id}/retry"), &json!({})).problem(409, "conflict");
    desk.client.delete(&format!("/tasks/{id}")).problem(409, "conflict");
    desk.client.post(&format!("/tasks/{id}/cancel"), &json!({})).ok();
    assert_eq!(desk.client.get(&format!("/waits/{waited}")).ok()["state"], "cancelled");
    answer(&hub.client, &waited, json!({"decision": "approve"})).problem(409, "conflict");
    // Tried again, it begins anew.
    desk.client.post(&format!("/tasks/{id}/retry"), &json!({})).ok();
    let held = desk.claim_one(&node);
    assert_eq!((held.task.get("checkpoint"), held.task.get("resume")), (None, None));
    desk.post(&held, "complete", json!({})).ok();
    desk.client.delete(&format!("/tasks/{id}")).ok();
    desk.client.get(&format!("/waits/{waited}")).problem(404, "not_found");
}

#[test]
fn what_is_left_survives_a_try_that_fails() {
    let hub = hub();
    let desk = Desk::new(&hub.client);
    let node = desk.node(1);
    let id = desk.submit(json!({"max_retries": 1}));
    let held = desk.claim_one(&node);
    let waits = json!({"kind": "approval", "question": "?", "checkpoint": "half"});
    let waited = wait_id(&wait(&desk, &held, waits));
    answer(&hub.client, &waited, json!({"decision": "approve"})).ok();
    let held = desk.claim_one(&node);
    desk.post(&held, "fail", json!({"error": "x"})).ok();
    desk.client.post(&format!("/tasks/{id}/retry"), &json!({})).ok();
    let held = desk.claim_one(&node);
    assert_eq!(held.task["checkpoint"], "half");
    assert_eq!(held.task["resume"]["decision"], "approve");
}

#[test]
fn a_wait_that_makes_no_sense_is_refused() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(1);
    let id = desk.submit(json!({}));
    let held = desk.claim_one(&node);
    for (fields, field) in [
        (json!({}), "kind"),
        (json!({"kind": "nap"}), "kind"),
        (json!({"kind": "approval"}), "question"),
        (json!({"kind": "approval", "question": "?", "options": []}), "options"),
        (json!({"kind": "approval", "question": "?", "for_ms": 5}), "for_ms"),
        (json!({"kind": "approval", "question": "?", "approvals": 6}), "approvals"),
        (json!({"kind": "signal"}), "name"),
        (json!({"kind": "sleep"}), "for_ms"),
        (json!({"kind": "sleep", "for_ms": 2_592_000_001_i64}), "for_ms"),
        (json!({"kind": "sleep", "for_ms": 1, "checkpoint": "x".repeat(300_000)}), "checkpoint"),
    ] {
        desk.post(&held, "wait", fields).problem_with(422, "validation_failed", field);
    }
    let path = format!("/tasks/{id}/wait");
    let stale = json!({"token": "1-x", "kind": "sleep", "for_ms": 5});
    client.post(&path, &stale).problem(409, "fenced");
    client.post("/tasks/none/wait", &stale).problem(404, "not_found");
    client.get("/waits/none").problem(404, "not_found");
    client.get("/waits?kind=nap").problem(400, "invalid_parameter");
    desk.post(&held, "progress", json!({})).ok();
}

#[test]
fn a_repeat_of_a_wait_gets_the_first_answer() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(1);
    desk.submit(json!({}));
    let held = desk.claim_one(&node);
    let body = json!({"token": held.token, "kind": "sleep", "for_ms": 3_600_000});
    let keyed = client.with("idempotency-key", &crate::harness::unique("wait"));
    let path = format!("/tasks/{}/wait", held.id);
    let first = keyed.post(&path, &body).ok();
    assert_eq!(keyed.post(&path, &body).ok(), first);
    client.post(&path, &body).problem(409, "fenced");
}
