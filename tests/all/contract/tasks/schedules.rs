//! Schedules (contract.md §5). Which runs come due by the calendar is tested in `reef_domain::schedule`.

use serde_json::{Value, json};

use super::super::agents::new_agent;
use super::{Desk, Held};
use crate::contract::{caller, hub};
use crate::harness::{Answer, Client, PATIENCE, eventually, unique};

/// A schedule of the test's own, whose tasks are of its own desk.
struct Scheduled {
    desk: Desk,
    id: String,
}

impl Scheduled {
    fn new(client: &Client) -> Self {
        Self { desk: Desk::new(client), id: unique("sched") }
    }

    /// Its fields but for some.
    fn body(&self, fields: Value) -> Value {
        let mut body = json!({
            "spec": {"every_ms": 1000},
            "task": {"name": "tick", "required_skills": [self.desk.skill], "max_retries": 0},
        });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        body
    }

    fn put(&self, fields: Value) -> Answer {
        self.desk.client.put(&format!("/schedules/{}", self.id), &self.body(fields))
    }

    fn post(&self, verb: &str, body: Value) -> Answer {
        self.desk.client.post(&format!("/schedules/{}/{verb}", self.id), &body)
    }

    #[track_caller]
    fn show(&self) -> Value {
        self.desk.client.get(&format!("/schedules/{}", self.id)).ok()
    }

    #[track_caller]
    fn count(&self, what: &str) -> i64 {
        self.show()[what].as_i64().unwrap()
    }

    #[track_caller]
    fn wait_for(&self, what: &str, least: i64) -> Value {
        eventually(&format!("{least} {what}"), PATIENCE, || {
            let shown = self.show();
            (shown[what].as_i64() >= Some(least)).then_some(shown)
        })
    }

    /// Its tasks, newest first.
    #[track_caller]
    fn tasks(&self) -> Vec<Value> {
        self.desk.client.get(&format!("/tasks?label=schedule:{}", self.id)).list()
    }

    fn remove(&self) -> Answer {
        self.desk.client.delete(&format!("/schedules/{}", self.id))
    }
}

fn due_ms(task: &Value) -> i64 {
    let id = task["task_id"].as_str().unwrap();
    id.rsplit_once('_').unwrap().1.parse().unwrap()
}

fn complete(desk: &Desk, held: &Held) {
    desk.post(held, "complete", json!({"result": null})).ok();
}

#[test]
fn each_run_is_a_task_of_its_own_and_says_when_it_came_due() {
    let (_hub, client) = caller();
    let schedule = Scheduled::new(&client);
    let made = schedule.put(json!({"overlap": "allow", "note": "each second"})).ok();
    assert_eq!((&made["schedule_id"], &made["revision"]), (&json!(schedule.id), &json!(1)));
    assert_eq!(made["spec"], json!({"every_ms": 1000, "timezone": "UTC", "jitter_ms": 0}));
    assert_eq!(made["task"]["name"], "tick");
    assert_eq!(made["catch_up"], json!({"mode": "latest", "window_ms": 3_600_000, "most": 10}));
    let shown = schedule.wait_for("started", 3);
    assert_eq!(shown["upcoming"].as_array().unwrap().len(), 5);
    assert!(
        schedule
            .desk
            .client
            .get("/schedules")
            .list()
            .iter()
            .any(|it| it["schedule_id"] == schedule.id)
    );
    schedule.remove().ok();
    assert_eq!(schedule.desk.client.get(&format!("/schedules/{}", schedule.id)).status, 404);

    let tasks = schedule.tasks();
    let dues: Vec<i64> = tasks.iter().rev().map(due_ms).collect();
    assert!(dues.len() >= 3 && dues.iter().all(|due| due % 1000 == 0), "{dues:?}");
    assert!(dues.windows(2).all(|pair| pair[1] - pair[0] == 1000), "none left out: {dues:?}");
    for task in &tasks {
        assert_eq!(task["task_id"], format!("sch_{}_{}", schedule.id, due_ms(task)));
        assert_eq!(task["metadata"]["schedule"]["id"], schedule.id);
        assert!(
            task["metadata"]["schedule"]["due_at"].as_str().unwrap().ends_with(".000Z"),
            "{task}"
        );
        assert_eq!(task["labels"], json!({"schedule": schedule.id}));
    }
    let runs = shown["runs"].as_array().unwrap();
    assert!(
        runs.iter().all(|run| run["outcome"] == "started" && run["cause"] == "time"),
        "{shown}"
    );
    assert!(runs.iter().all(|run| run["status"] == "pending"), "{shown}");
}

#[test]
fn a_run_is_left_out_while_the_one_before_has_not_ended() {
    let (_hub, client) = caller();
    let schedule = Scheduled::new(&client);
    schedule.put(json!({})).ok();
    let shown = schedule.wait_for("skipped", 2);
    assert_eq!((schedule.tasks().len(), &shown["started"]), (1, &json!(1)));
    let skipped = &shown["runs"][0];
    assert_eq!(skipped["outcome"], "skipped", "{shown}");
    assert!(skipped["reason"].as_str().unwrap().contains("had not ended"), "{skipped}");
    let node = schedule.desk.node(1);
    complete(&schedule.desk, &schedule.desk.claim_one(&node));
    schedule.wait_for("started", 2);
    schedule.remove().ok();
}

#[test]
fn a_run_waits_for_the_one_before_and_the_next_one_is_left_out() {
    let (_hub, client) = caller();
    let schedule = Scheduled::new(&client);
    schedule.put(json!({"overlap": "buffer"})).ok();
    schedule.wait_for("skipped", 2);
    let statuses = |n: usize| schedule.tasks()[n]["status"].as_str().unwrap().to_owned();
    assert_eq!([statuses(1), statuses(0)], ["pending", "waiting"]);
    assert_eq!(schedule.count("started"), 2);
    let node = schedule.desk.node(1);
    let first = schedule.desk.claim_one(&node);
    schedule.post("pause", json!({})).ok();
    complete(&schedule.desk, &first);
    let second = schedule.desk.claim_one(&node);
    assert!(due_ms(&second.task) > due_ms(&first.task));
    complete(&schedule.desk, &second);
    schedule.remove().ok();
}

#[test]
fn a_run_ends_the_one_before() {
    let (_hub, client) = caller();
    let schedule = Scheduled::new(&client);
    schedule.put(json!({"overlap": "cancel"})).ok();
    schedule.wait_for("started", 3);
    schedule.remove().ok();
    let statuses: Vec<Value> = schedule.tasks().iter().map(|task| task["status"].clone()).collect();
    assert_eq!(statuses[0], "pending");
    assert!(statuses[1..].iter().all(|status| status == "cancelled"), "{statuses:?}");
}

#[test]
fn what_came_due_while_it_was_paused_is_not_made_up_for() {
    let (_hub, client) = caller();
    let schedule = Scheduled::new(&client);
    let paused = schedule.put(json!({"paused": true, "overlap": "allow"})).ok();
    assert_eq!((&paused["paused"], &paused["next_at"]), (&json!(true), &Value::Null));
    // What is left out stays as it is.
    assert_eq!(schedule.put(json!({"overlap": "allow"})).ok()["paused"], true);
    // Other schedules have had their turn meanwhile.
    let other = Scheduled::new(&client);
    other.put(json!({"overlap": "allow"})).ok();
    other.wait_for("started", 3);
    other.remove().ok();
    assert_eq!(schedule.count("started"), 0);
    let resumed = schedule.post("resume", json!({"note": "go"})).ok();
    assert_eq!((&resumed["paused"], &resumed["note"]), (&json!(false), &json!("go")));
    let shown = schedule.wait_for("started", 1);
    assert_eq!(shown["missed"], 0, "{shown}");
    // Instants as they are written sort by time.
    let first = &shown["runs"].as_array().unwrap().last().unwrap()["due_at"];
    assert!(first.as_str() > resumed["updated_at"].as_str(), "{first} {resumed}");
    schedule.remove().ok();
}

#[test]
fn a_failed_run_pauses_it() {
    let (_hub, client) = caller();
    let schedule = Scheduled::new(&client);
    // The task is forgotten at once: the schedule knows of its failure all the same.
    let task = json!({"name": "tick", "required_skills": [schedule.desk.skill], "max_retries": 0,
        "keep_failed_ms": 0});
    schedule.put(json!({"pause_on_failure": true, "task": task})).ok();
    schedule.wait_for("started", 1);
    let node = schedule.desk.node(1);
    let held = schedule.desk.claim_one(&node);
    // However long ago it began.
    schedule.wait_for("skipped", 2);
    schedule.desk.post(&held, "fail", json!({"error": "no", "retryable": false})).ok();
    let paused = eventually("a pause", PATIENCE, || {
        let shown = schedule.show();
        (shown["paused"] == true).then_some(shown)
    });
    assert_eq!(paused["note"], format!("The run {} failed.", held.id));
    assert_eq!(paused["started"], 1);
    schedule.post("resume", json!({})).ok();
    schedule.wait_for("started", 2);
    schedule.remove().ok();
}

#[test]
fn a_run_can_be_asked_for() {
    let (_hub, client) = caller();
    let schedule = Scheduled::new(&client);
    let yearly = json!({"spec": {"cron": "0 0 1 1 *"}, "paused": true});
    schedule.put(yearly).ok();
    let keyed = client.with("idempotency-key", &unique("key"));
    let path = format!("/schedules/{}/trigger", schedule.id);
    let begun = keyed.post(&path, &json!({})).ok();
    let run = &begun["runs"][0];
    assert_eq!((&run["cause"], &run["outcome"]), (&json!("trigger"), &json!("started")));
    assert_eq!(keyed.post(&path, &json!({})).ok(), begun, "a repeat");
    let task = schedule.desk.task(run["task_id"].as_str().unwrap());
    assert_eq!(task["metadata"]["schedule"]["id"], schedule.id);
    schedule.post("trigger", json!({})).problem(409, "conflict");
    schedule.post("trigger", json!({"overlap": "allow"})).ok();
    assert_eq!(schedule.count("started"), 2);
    let replaced = schedule.post("trigger", json!({"overlap": "cancel"})).ok();
    assert_eq!(replaced["runs"].as_array().unwrap().len(), 1);
    let unended = schedule.tasks().iter().filter(|task| task["status"] == "pending").count();
    assert_eq!(unended, 2, "the latest was cancelled");
    schedule.remove().ok();
}

#[test]
fn the_runs_of_the_past_begin_once() {
    let (_hub, client) = caller();
    let schedule = Scheduled::new(&client);
    let daily = json!({"spec": {"cron": "30 2 * * *", "timezone": "Europe/Berlin"}});
    schedule.put(daily).ok();
    let days = json!({"from": "2026-03-28T00:00:00Z", "to": "2026-03-30T12:00:00Z"});
    let begun = schedule.post("backfill", days.clone()).ok();
    let dues: Vec<&Value> =
        begun["runs"].as_array().unwrap().iter().map(|run| &run["due_at"]).collect();
    let expected =
        ["2026-03-28T01:30:00.000Z", "2026-03-29T01:00:00.000Z", "2026-03-30T00:30:00.000Z"];
    assert_eq!(dues, expected, "the clocks are set forward on the 29th");
    assert_eq!(schedule.tasks().len(), 3);
    assert_eq!(schedule.post("backfill", days).ok()["runs"], json!([]));
    assert_eq!(schedule.tasks().len(), 3);

    let refused = |body: Value, field: &str| {
        schedule.post("backfill", body).problem_with(422, "validation_failed", field);
    };
    refused(json!({}), "from");
    refused(json!({"from": "2026-03-30T00:00:00Z", "to": "2026-03-28T00:00:00Z"}), "to");
    refused(json!({"from": "2026-03-30T00:00:00Z", "to": "9998-03-28T00:00:00Z"}), "to");
    refused(json!({"from": "2025-03-30T00:00:00Z", "to": "2026-03-30T00:00:00Z"}), "most");
    refused(
        json!({"from": "2026-03-28T00:00:00Z", "to": "2026-03-28T00:00:00Z", "most": 101}),
        "most",
    );
    schedule.remove().ok();
}

#[test]
fn what_is_wrong_is_named() {
    let (_hub, client) = caller();
    let schedule = Scheduled::new(&client);
    let refused = |fields: Value, field: &str| {
        schedule.put(fields).problem_with(422, "validation_failed", field);
    };
    refused(json!({"spec": null}), "spec");
    refused(json!({"spec": {"cron": "every day"}}), "spec.cron");
    refused(json!({"spec": {"cron": "0 0 30 2 *"}}), "spec.cron");
    refused(json!({"spec": {"cron": "0 0 1 1 *", "timezone": "Moon"}}), "spec.timezone");
    refused(json!({"spec": {"every_ms": 10}}), "spec.every_ms");
    refused(json!({"task": null}), "task");
    refused(json!({"task": {"name": ""}}), "task.name");
    refused(json!({"task": {"name": "n", "task_id": "mine"}}), "task.task_id");
    refused(json!({"task": {"name": "n", "delay_ms": 5}}), "task.delay_ms");
    refused(json!({"task": {"name": "n", "after": [{"task": "t"}]}}), "task.after");
    refused(json!({"task": {"name": "n", "labels": {"schedule": "mine"}}}), "task.labels");
    refused(json!({"task": {"name": "n", "metadata": {"schedule": 1}}}), "task.metadata");
    refused(json!({"task": {"name": "n", "parameters": [1]}}), "task.parameters");
    refused(json!({"task": {"name": "n", "parameters": {"x": "x".repeat(66_000)}}}), "task");
    let asks = json!({"name": "n", "approval": {"question": "?"}});
    refused(json!({"spec": {"every_ms": 9000, "jitter_ms": 5}, "task": asks}), "spec.jitter_ms");
    refused(json!({"overlap": "shrug"}), "overlap");
    refused(json!({"catch_up": {"mode": "some"}}), "catch_up.mode");
    refused(json!({"catch_up": {"most": 0}}), "catch_up.most");
    let long = client.put(&format!("/schedules/{}", "x".repeat(101)), &schedule.body(json!({})));
    long.problem_with(422, "validation_failed", "schedule_id");
    let made =
        client.put(&format!("/schedules/task_{}", "0".repeat(32)), &schedule.body(json!({})));
    made.problem_with(422, "validation_failed", "schedule_id");
    let taken = json!({"name": "n", "task_id": format!("sch_{}_1764500000000", schedule.id)});
    client.post("/tasks", &taken).problem_with(422, "validation_failed", "task_id");
    for (verb, body) in [("pause", json!({})), ("resume", json!({})), ("trigger", json!({}))] {
        assert_eq!(schedule.post(verb, body).status, 404, "{verb}");
    }
    assert_eq!(schedule.remove().status, 404);
}

#[test]
fn the_queue_may_refuse_a_run() {
    let (_hub, client) = caller();
    let schedule = Scheduled::new(&client);
    let task = json!({"name": "n", "required_skills": [schedule.desk.skill], "limits": [{"name": unique("none")}]});
    schedule.put(json!({"task": task})).ok();
    let shown = schedule.wait_for("refused", 1);
    let run = &shown["runs"][0];
    assert_eq!(run["outcome"], "refused", "{shown}");
    assert!(run["reason"].as_str().unwrap().starts_with("There is no limit "), "{run}");
    assert_eq!(schedule.tasks(), Vec::<Value>::new());
    assert_eq!(schedule.post("trigger", json!({})).status, 409);
    schedule.remove().ok();
}

#[test]
fn nobody_else_sees_or_changes_it() {
    let hub = hub();
    let (alice, eve) = (new_agent(&hub), new_agent(&hub));
    let schedule = Scheduled::new(&alice.client);
    schedule.put(json!({"spec": {"cron": "@yearly"}})).ok();
    let path = format!("/schedules/{}", schedule.id);
    assert_eq!(eve.client.get(&path).status, 404);
    assert_eq!(eve.client.put(&path, &schedule.body(json!({}))).status, 403);
    assert_eq!(eve.client.delete(&path).status, 403);
    for verb in ["pause", "resume", "trigger"] {
        assert_eq!(eve.client.post(&format!("{path}/{verb}"), &json!({})).status, 403, "{verb}");
    }
    assert_eq!(eve.client.get("/schedules").list(), Vec::<Value>::new());
    assert_eq!(schedule.show()["owner"], alice.id);
    let begun = schedule.post("trigger", json!({})).ok();
    let task = format!("/tasks/{}", begun["runs"][0]["task_id"].as_str().unwrap());
    // Its tasks are hers.
    assert_eq!(alice.client.delete(&task).status, 409);
    assert_eq!(eve.client.delete(&task).status, 403);
    // The admin changes it, and it stays hers.
    let changed = hub.client.put(&path, &schedule.body(json!({"spec": {"cron": "@yearly"}}))).ok();
    assert_eq!((&changed["owner"], &changed["revision"]), (&json!(alice.id), &json!(2)));
    // Nobody begins runs in the name of somebody who may do nothing.
    let agent = format!("/agents/{}", alice.id);
    hub.client.send_json("PATCH", &agent, &json!({"status": "suspended"})).ok();
    hub.client.post(&format!("{path}/trigger"), &json!({})).problem(409, "conflict");
    hub.client.send_json("PATCH", &agent, &json!({"status": "active"})).ok();
    schedule.remove().ok();
}

#[test]
fn a_run_that_is_asked_about_does_not_wait_for_the_one_before() {
    let (_hub, client) = caller();
    let schedule = Scheduled::new(&client);
    let task = json!({"name": "pay", "required_skills": [schedule.desk.skill],
        "approval": {"question": "Pay?"}});
    schedule.put(json!({"task": task, "overlap": "buffer", "paused": true})).ok();
    let trigger = || schedule.post("trigger", json!({}));
    let first = trigger().ok()["runs"][0]["task_id"].as_str().unwrap().to_owned();
    trigger().ok();
    trigger().problem(409, "conflict");
    // The second one is asked about now, and waits for nothing else: another may wait for it.
    client.post(&format!("/tasks/{first}/cancel"), &json!({})).ok();
    eventually("a second question", PATIENCE, || {
        let waits = client.get("/waits?limit=1000").list();
        let ids: Vec<Value> = schedule.tasks().iter().map(|it| it["task_id"].clone()).collect();
        waits.iter().any(|wait| ids.contains(&wait["task_id"])).then_some(())
    });
    trigger().ok();
    trigger().problem(409, "conflict");
    schedule.remove().ok();
}

#[test]
fn an_approval_is_asked_for_by_each_run() {
    let (_hub, client) = caller();
    let schedule = Scheduled::new(&client);
    let task = json!({"name": "pay", "required_skills": [schedule.desk.skill],
        "approval": {"question": "Pay?", "details": {"amount": 1e2}}});
    schedule.put(json!({"task": task, "overlap": "allow"})).ok();
    schedule.wait_for("started", 2);
    schedule.remove().ok();
    let tasks = schedule.tasks();
    assert!(tasks.iter().all(|task| task["status"] == "waiting"), "{tasks:?}");
    let waits: Vec<Value> = tasks
        .iter()
        .flat_map(|task| {
            client.get(&format!("/waits?task_id={}", task["task_id"].as_str().unwrap())).list()
        })
        .collect();
    assert_eq!(waits.len(), tasks.len());
    assert_eq!(waits[0]["details"], json!({"amount": 1e2}));
}
