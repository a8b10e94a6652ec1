//! Tasks that are paid for (contract.md §5).

use serde_json::{Value, json};

use super::super::agents::{Agent, new_agent};
use super::{Desk, Held};
use crate::contract::{Subject, hub};
use crate::harness::{Answer, Client, PATIENCE, eventually};

/// Somebody who pays, and somebody who works.
struct Market {
    _hub: Subject,
    admin: Client,
    payer: Agent,
    worker: Agent,
    desk: Desk,
    node: String,
}

impl Market {
    fn new() -> Self {
        let hub = hub();
        let (payer, worker) = (new_agent(&hub), new_agent(&hub));
        payer.client.post("/deposit", &json!({"agent_id": payer.id, "amount": "10"})).ok();
        let desk = Desk::new(&payer.client);
        let of_worker = Desk { client: worker.client.clone(), skill: desk.skill.clone() };
        let node = of_worker.node(10);
        Self { admin: hub.client.clone(), _hub: hub, payer, worker, desk, node }
    }

    fn ask(&self, fields: Value) -> Answer {
        let mut body =
            json!({"name": "work", "required_skills": [self.desk.skill], "charge": {"max": "4"}});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.payer.client.post("/tasks", &body)
    }

    /// What the worker holds of a task with these fields.
    #[track_caller]
    fn begin(&self, fields: Value) -> Held {
        self.ask(fields).ok();
        self.of_worker().claim_one(&self.node)
    }

    fn of_worker(&self) -> Desk {
        Desk { client: self.worker.client.clone(), skill: self.desk.skill.clone() }
    }

    #[track_caller]
    fn balance(&self, agent: &Agent) -> (String, String) {
        let shown = self.admin.get(&format!("/balance/{}", agent.id)).ok();
        let text = |name: &str| shown[name].as_str().unwrap().to_owned();
        (text("balance"), text("locked"))
    }

    /// What the payer has and has reserved, and what the worker has.
    #[track_caller]
    fn assert_money(&self, payer: (&str, &str), worker: &str) {
        let has = (self.balance(&self.payer), self.balance(&self.worker).0);
        assert_eq!(has, ((payer.0.to_owned(), payer.1.to_owned()), worker.to_owned()));
    }
}

#[test]
fn who_completes_a_task_is_paid_and_the_rest_is_released() {
    let market = Market::new();
    let task = market.ask(json!({})).ok();
    assert_eq!((&task["status"], &task["routable"]), (&json!("pending"), &json!(true)), "{task}");
    assert_eq!(
        (&task["charge"]["max"], &task["charge"]["from"]),
        (&json!("4"), &json!(market.payer.id))
    );
    market.assert_money(("10", "4"), "0");
    let held = market.of_worker().claim_one(&market.node);
    assert_eq!(held.task["charge"]["max"], "4", "whoever works sees what it is worth");
    let hold = format!("/holds/{}", held.task["charge"]["hold_id"].as_str().unwrap());
    assert_eq!(market.payer.client.get(&hold).ok()["task_id"], held.id.as_str());
    // Nobody takes back what somebody works for, or pays it twice.
    market.payer.client.post_empty(&format!("{hold}/void")).problem(409, "conflict");
    let post = json!({"to_agent": market.worker.id});
    market.payer.client.post(&format!("{hold}/post"), &post).problem(409, "conflict");
    market.admin.post(&format!("{hold}/post"), &post).problem(409, "conflict");
    let over = market.of_worker().post(&held, "complete", json!({"amount": "4.000001"}));
    over.problem_with(422, "validation_failed", "amount");
    market.of_worker().post(&held, "complete", json!({"amount": "1.5", "result": 1})).ok();
    let task = market.desk.task(&held.id);
    assert_eq!((&task["status"], &task["paid"]), (&json!("completed"), &json!("1.5")), "{task}");
    market.assert_money(("8.5", "0"), "1.5");
    market.payer.client.delete(&format!("/tasks/{}", held.id)).ok();
    market.assert_money(("8.5", "0"), "1.5");
}

#[test]
fn whatever_ends_otherwise_is_released() {
    let market = Market::new();
    let held = market.begin(json!({"max_retries": 1}));
    // Another try is the same task, for the same money.
    market.of_worker().post(&held, "fail", json!({"error": "x", "retry_in_ms": 0})).ok();
    market.assert_money(("10", "4"), "0");
    let held = market.of_worker().claim_one(&market.node);
    market.of_worker().post(&held, "fail", json!({"error": "x"})).ok();
    market.assert_money(("10", "0"), "0");
    let task = market.desk.task(&held.id);
    assert_eq!((&task["status"], &task["paid"]), (&json!("failed"), &json!("0")), "{task}");
    // Nobody would be paid for it again.
    market.payer.client.post_empty(&format!("/tasks/{}/retry", held.id)).problem(409, "conflict");
    let redrive = json!({"task_ids": [held.id]});
    assert_eq!(
        market.payer.client.post("/tasks/dead/redrive", &redrive).ok()["task_ids"],
        json!([])
    );

    let id = market.desk.submit(json!({"charge": {"max": "1"}}));
    market.payer.client.post_empty(&format!("/tasks/{id}/cancel")).ok();
    market.assert_money(("10", "0"), "0");
    let held = market.begin(json!({"charge": {"max": "1"}, "max_retries": 0, "timeout": 1}));
    market.payer.client.post_empty(&format!("/tasks/{}/cancel", held.id)).ok();
    market.assert_money(("10", "0"), "0");
    market.of_worker().post(&held, "complete", json!({})).problem(409, "fenced");
    // A lease that runs out for good, which the monitor finds.
    let id = market.desk.submit(json!({"charge": {"max": "1"}, "max_retries": 0}));
    let held = market.of_worker().claim_for(&market.node, 5000);
    assert_eq!(held.id, id);
    eventually("the money is released", PATIENCE, || {
        (market.balance(&market.payer).1 == "0").then_some(())
    });
    assert_eq!(market.desk.status(&id), "timeout");
    market.assert_money(("10", "0"), "0");
}

#[test]
fn what_is_not_there_reserves_nothing_and_asks_for_nothing() {
    let market = Market::new();
    market.ask(json!({"charge": {"max": "10.000001"}})).problem(400, "insufficient_balance");
    market.assert_money(("10", "0"), "0");
    assert_eq!(market.payer.client.get("/tasks").list(), Vec::<Value>::new());
    let key = crate::harness::unique("key");
    let body = json!({"name": "x", "charge": {"max": "11"}});
    let once = || market.payer.client.with("idempotency-key", key.as_str()).post("/tasks", &body);
    once().problem(400, "insufficient_balance");
    market.payer.client.post("/deposit", &json!({"agent_id": market.payer.id, "amount": "1"})).ok();
    // It is decided.
    once().problem(400, "insufficient_balance");
    market.assert_money(("11", "0"), "0");
    for (charge, field) in [
        (json!({}), "charge.max"),
        (json!({"max": "0"}), "charge.max"),
        (json!({"max": "-1"}), "charge.max"),
        (json!({"max": "1", "to": "not an id"}), "charge.to"),
    ] {
        let answer = market.ask(json!({"charge": charge}));
        answer.problem_with(422, "validation_failed", field);
    }
    market.ask(json!({"charge": {"max": "1", "from": market.worker.id}})).problem(403, "forbidden");
    market.ask(json!({"after": [{"task": "t"}]})).problem(422, "validation_failed");
    let batch = json!({"tasks": [{"name": "x", "charge": {"max": "1"}}]});
    market.payer.client.post("/tasks/batch", &batch).problem(422, "validation_failed");
    let plain = market.desk.submit(json!({}));
    let held = market.of_worker().claim_one(&market.node);
    assert_eq!(held.id, plain);
    market
        .of_worker()
        .post(&held, "complete", json!({"amount": "1"}))
        .problem(422, "validation_failed");
    // An agent pays out of its own, the admin says whose.
    let mut body =
        json!({"name": "x", "required_skills": [market.desk.skill], "charge": {"max": "1"}});
    market.admin.post("/tasks", &body).problem(422, "validation_failed");
    body["charge"]["from"] = json!(market.payer.id);
    market.admin.post("/tasks", &body).ok();
    market.assert_money(("11", "1"), "0");
}

#[test]
fn a_repeat_asks_once_and_pays_once() {
    let market = Market::new();
    let key = crate::harness::unique("key");
    let body = json!({"name": "x", "required_skills": [market.desk.skill], "charge": {"max": "3"}});
    let first =
        market.payer.client.with("idempotency-key", key.as_str()).post("/tasks", &body).ok();
    let second =
        market.payer.client.with("idempotency-key", key.as_str()).post("/tasks", &body).ok();
    assert_eq!(first["task_id"], second["task_id"]);
    market.assert_money(("10", "3"), "0");
    let held = market.of_worker().claim_one(&market.node);
    let path = format!("/tasks/{}/complete", held.id);
    let body = json!({"token": held.token});
    for _ in 0..2 {
        market.worker.client.with("idempotency-key", "done").post(&path, &body).ok();
    }
    market.assert_money(("7", "0"), "3");
}

#[test]
fn somebody_else_may_be_paid_and_nobody_pays_itself() {
    let market = Market::new();
    let third = new_agent(&hub());
    let held = market.begin(json!({"charge": {"max": "2", "to": third.id}}));
    market.of_worker().post(&held, "complete", json!({})).ok();
    assert_eq!(market.balance(&third).0, "2");
    market.assert_money(("8", "0"), "0");
    // Its own node has done it: the money stays where it is.
    let node = market.desk.node(1);
    let id = market.desk.submit(json!({"charge": {"max": "2"}, "target_node": node}));
    let held = market.desk.claim_one(&node);
    assert_eq!(held.id, id);
    market.desk.post(&held, "complete", json!({})).ok();
    market.assert_money(("8", "0"), "0");
    assert_eq!(market.desk.task(&id)["paid"], "0");
}

#[test]
fn a_task_that_is_paid_for_may_have_to_wait_first() {
    let market = Market::new();
    let asked = market.ask(json!({"approval": {"question": "Spend it?"}})).ok();
    assert_eq!(asked["status"], "waiting", "{asked}");
    market.assert_money(("10", "4"), "0");
    let path = format!("/waits/{}/answer", asked["wait_id"].as_str().unwrap());
    market.admin.post(&path, &json!({"decision": "approve"})).ok();
    let held = market.of_worker().claim_one(&market.node);
    market.of_worker().post(&held, "complete", json!({})).ok();
    market.assert_money(("6", "0"), "4");
    let later = market.ask(json!({"delay_ms": 3_600_000, "charge": {"max": "1"}})).ok();
    assert_eq!(later["status"], "scheduled", "{later}");
    market.assert_money(("6", "1"), "4");
}
