//! Changes of many tasks (contract.md §5).

use std::time::Instant;

use serde_json::{Value, json};

use super::{Desk, id_of};
use crate::contract::agents::new_agent;
use crate::contract::{caller, hub};
use crate::harness::{Answer, Client, PATIENCE, eventually, unique};

/// How many tasks the test of many submits; more with the variable `REEF_BULK_TASKS`.
const MANY: usize = 2_000;

/// Tasks with a label that no others have.
struct Herd {
    desk: Desk,
    run: String,
}

impl Herd {
    fn new(client: &Client) -> Self {
        Self { desk: Desk::new(client), run: unique("run") }
    }

    #[track_caller]
    fn submit(&self, fields: Value) -> String {
        let mut fields = fields;
        fields["labels"] = json!({"run": self.run});
        self.desk.submit(fields)
    }

    fn filter(&self) -> Value {
        json!({"labels": {"run": self.run}})
    }

    fn ask(&self, action: &str, filter: Value, rest: Value) -> Answer {
        let mut body = json!({"action": action, "filter": filter, "reason": "because"});
        body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        self.desk.client.post("/bulk", &body)
    }

    #[track_caller]
    fn run(&self, action: &str, most: i64) -> Value {
        ended(&self.desk.client, self.ask(action, self.filter(), json!({"most": most})).ok())
    }

    #[track_caller]
    fn count(&self, action: &str) -> i64 {
        let counted = self.ask(action, self.filter(), json!({"dry_run": true})).ok();
        assert_eq!((&counted["status"], &counted["dry_run"]), (&json!("counted"), &json!(true)));
        counted["matched"].as_i64().unwrap()
    }
}

/// A job once it has ended.
#[track_caller]
fn ended(client: &Client, job: Value) -> Value {
    let path = format!("/bulk/{}", job["bulk_id"].as_str().unwrap());
    eventually("the end of a bulk job", 4 * PATIENCE, || {
        let job = client.get(&path).ok();
        (job["status"] != "counting" && job["status"] != "running").then_some(job)
    })
}

fn counts(job: &Value) -> [i64; 4] {
    ["matched", "done", "skipped", "failed"].map(|name| job[name].as_i64().unwrap())
}

#[test]
fn a_dry_run_says_how_many_and_changes_none() {
    let (_hub, client) = caller();
    let herd = Herd::new(&client);
    let ids: Vec<String> = (0..12).map(|_| herd.submit(json!({}))).collect();
    let counted = herd.ask("cancel", herd.filter(), json!({"dry_run": true})).ok();
    assert_eq!(counts(&counted), [12, 0, 0, 0]);
    let latest: Vec<&String> = ids.iter().rev().take(10).collect();
    assert_eq!(counted["sample"], json!(latest));
    assert_eq!((&counted["most"], &counted["filter"]), (&Value::Null, &herd.filter()));
    assert!(ids.iter().all(|id| herd.desk.status(id) == "pending"));
    assert_eq!(herd.count("retry"), 0);
    assert_eq!(herd.count("remove"), 0);
}

#[test]
fn what_matches_is_cancelled_tried_again_and_removed() {
    let (_hub, client) = caller();
    let herd = Herd::new(&client);
    let node = herd.desk.node(1);
    let running = herd.submit(json!({"priority": 0}));
    assert_eq!(herd.desk.claim_one(&node).id, running);
    let waiting = herd.submit(json!({"approval": {"question": "?"}}));
    let scheduled = herd.submit(json!({"delay_ms": 3_600_000}));
    let pending = herd.submit(json!({}));
    let outside = herd.desk.submit(json!({"labels": {"run": unique("other")}}));
    let all = [&running, &waiting, &scheduled, &pending];

    let job = herd.run("cancel", 4);
    assert_eq!((&job["status"], counts(&job)), (&json!("completed"), [4, 4, 0, 0]));
    assert_eq!(job["reason"], "because");
    assert!(all.iter().all(|id| herd.desk.status(id) == "cancelled"));
    assert_eq!(herd.desk.status(&outside), "pending");

    let job = herd.run("retry", 4);
    assert_eq!(counts(&job), [4, 4, 0, 0]);
    // What was to be approved is asked about again.
    let statuses = all.map(|id| herd.desk.status(id));
    assert_eq!(statuses, ["pending", "waiting", "pending", "pending"]);

    let sets = json!({"most": 9, "priority": 0});
    let job = ended(&client, herd.ask("set_priority", herd.filter(), sets).ok());
    assert_eq!(counts(&job), [4, 4, 0, 0]);
    assert!(all.iter().all(|id| herd.desk.task(id)["priority"] == 0));
    assert_eq!(herd.desk.task(&outside)["priority"], 2);

    let held = herd.desk.claim_one(&node);
    herd.desk.post(&held, "complete", json!({})).ok();
    let job = herd.run("cancel", 4);
    // One of them had completed by then.
    assert_eq!(counts(&job), [3, 3, 1, 0]);
    assert_eq!(counts(&herd.run("remove", 4)), [4, 4, 0, 0]);
    for id in all {
        client.get(&format!("/tasks/{id}")).problem(404, "not_found");
    }
    assert_eq!(herd.desk.status(&outside), "pending");
}

#[test]
fn more_than_was_said_is_refused_and_nothing_done() {
    let (_hub, client) = caller();
    let herd = Herd::new(&client);
    let ids: Vec<String> = (0..3).map(|_| herd.submit(json!({}))).collect();
    let refused = herd.ask("cancel", herd.filter(), json!({"most": 2})).problem(409, "conflict");
    assert!(refused["detail"].as_str().unwrap().contains("3 tasks match"), "{refused}");
    assert!(ids.iter().all(|id| herd.desk.status(id) == "pending"));
    assert_eq!(counts(&herd.run("cancel", 3)), [3, 3, 0, 0]);
    assert_eq!(counts(&herd.run("cancel", 0)), [0, 0, 0, 0]);
}

#[test]
fn a_priority_moves_tasks_past_others() {
    let (_hub, client) = caller();
    let herd = Herd::new(&client);
    let first = herd.desk.submit(json!({}));
    let urgent = [herd.submit(json!({"priority": 3})), herd.submit(json!({"priority": 2}))];
    let sets = json!({"most": 2, "priority": 1});
    ended(&client, herd.ask("set_priority", herd.filter(), sets).ok());
    let held = herd.desk.claim(&herd.desk.node(5));
    let held: Vec<&String> = held.iter().map(|held| &held.id).collect();
    assert_eq!(held, [&urgent[0], &urgent[1], &first]);
}

#[test]
fn what_cannot_be_changed_is_counted_as_failed() {
    let (_hub, client) = caller();
    let herd = Herd::new(&client);
    let labels = json!({"run": herd.run});
    let tasks = json!([
        {"name": "a", "required_skills": [herd.desk.skill]},
        {"name": "b", "required_skills": [herd.desk.skill], "labels": labels, "after": [{"task": "#0"}]},
    ]);
    let batch = client.post("/tasks/batch", &json!({"tasks": tasks})).ok();
    let first = id_of(&batch["tasks"][0]);
    client.post_empty(&format!("/tasks/{first}/cancel")).ok();
    // It has failed with what it follows, and cannot be tried again before that.
    let second = id_of(&batch["tasks"][1]);
    assert_eq!(herd.desk.status(&second), "failed");
    assert_eq!(counts(&herd.run("retry", 1)), [1, 0, 0, 1]);
}

#[test]
fn a_wrong_body_names_its_fault() {
    let (_hub, client) = caller();
    let good = json!({"action": "cancel", "filter": {"name": "x"}, "most": 1, "reason": "r"});
    let many: Value =
        (0..1000).map(|n| (format!("k{n}"), json!("v"))).collect::<serde_json::Map<_, _>>().into();
    for (field, value, fault) in [
        ("action", json!("drop"), "action"),
        ("action", Value::Null, "action"),
        ("filter", Value::Null, "filter"),
        ("filter", json!({"status": "completed"}), "filter.status"),
        ("filter", json!({"status": "odd"}), "filter.status"),
        ("filter", json!({"labels": {"a b": "c"}}), "filter.labels"),
        ("filter", json!({"labels": {"a": "b\u{0}"}}), "filter.labels.a"),
        ("filter", json!({"labels": many}), "filter.labels"),
        ("filter", json!({"name": "n".repeat(100_000)}), "filter.name"),
        ("filter", json!({"since": "yesterday"}), "filter.since"),
        ("most", Value::Null, "most"),
        ("most", json!(-1), "most"),
        ("most", json!(1_000_001), "most"),
        ("reason", json!(" "), "reason"),
        ("reason", json!("r".repeat(501)), "reason"),
        ("priority", json!(1), "priority"),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let problem = client.post("/bulk", &body).problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["field"], fault, "{problem}");
    }
    client.get("/bulk/no-such-job").problem(404, "not_found");
    client.post_empty("/bulk/no-such-job/stop").problem(404, "not_found");
}

#[test]
fn a_repeat_is_the_same_job() {
    let (_hub, client) = caller();
    let herd = Herd::new(&client);
    herd.submit(json!({}));
    let client = client.with("idempotency-key", &herd.run);
    let body = json!({
        "action": "cancel", "filter": herd.filter(), "most": 1, "reason": "once",
    });
    let first = ended(&client, client.post("/bulk", &body).ok());
    let answer = client.post("/bulk", &body);
    assert_eq!(answer.header("idempotent-replayed"), Some("true"), "{answer}");
    assert_eq!(answer.ok(), first);
}

#[test]
fn a_tenant_changes_its_own_and_the_admin_all() {
    let hub = hub();
    if !hub.wants_keys {
        return;
    }
    let (alice, bob) = (new_agent(&hub), new_agent(&hub));
    let herd = Herd::new(&alice.client);
    let id = herd.submit(json!({}));
    let body = json!({"action": "cancel", "filter": herd.filter(), "most": 9, "reason": "harm"});
    let job = ended(&bob.client, bob.client.post("/bulk", &body).ok());
    assert_eq!(counts(&job), [0, 0, 0, 0]);
    // `{}` is all of one's own, and Bob has nothing.
    let all = json!({"action": "cancel", "filter": {}, "most": 1_000_000, "reason": "harm"});
    assert_eq!(counts(&ended(&bob.client, bob.client.post("/bulk", &all).ok())), [0, 0, 0, 0]);
    assert_eq!(herd.desk.status(&id), "pending");

    let job = ended(&hub.client, hub.client.post("/bulk", &body).ok());
    assert_eq!(counts(&job), [1, 1, 0, 0]);
    let path = format!("/bulk/{}", job["bulk_id"].as_str().unwrap());
    alice.client.get(&path).problem(404, "not_found");
    alice.client.post_empty(&format!("{path}/stop")).problem(403, "forbidden");
    hub.client.post_empty(&format!("{path}/stop")).problem(409, "conflict");
}

#[test]
fn many_are_cancelled_and_none_beside_them() {
    let (_hub, client) = caller();
    let many = std::env::var("REEF_BULK_TASKS").map_or(MANY, |text| text.parse().unwrap());
    let herd = Herd::new(&client);
    let task = |n: usize| {
        let labels =
            if n % 10 == 9 { json!({"beside": herd.run}) } else { json!({"run": herd.run}) };
        json!({"name": "bulk", "required_skills": [herd.desk.skill], "labels": labels})
    };
    let total = many / 9 * 10;
    for from in (0..total).step_by(100) {
        let tasks: Vec<Value> = (from..total.min(from + 100)).map(task).collect();
        client.post("/tasks/batch", &json!({"tasks": tasks})).ok();
    }
    let matching = herd.count("cancel");
    let begun = Instant::now();
    let job = herd.ask("cancel", herd.filter(), json!({"most": matching})).ok();
    // Of these none is caught: they come later.
    let later: Vec<String> = (0..5).map(|_| herd.submit(json!({}))).collect();
    let job = ended(&client, job);
    println!("{matching} tasks in {:?}: {job}", begun.elapsed());
    assert_eq!(counts(&job), [matching, matching, 0, 0]);
    assert_eq!(matching, i64::try_from(total - total / 10).unwrap());
    let count = |label: &str, status: &str| {
        let body = json!({
            "action": if status == "cancelled" { "retry" } else { "cancel" },
            "filter": {"labels": {label: herd.run}, "status": status}, "dry_run": true,
        });
        client.post("/bulk", &body).ok()["matched"].as_i64().unwrap()
    };
    assert_eq!(count("run", "cancelled"), matching);
    assert_eq!(count("run", "pending"), 5);
    assert_eq!(count("beside", "pending"), i64::try_from(total / 10).unwrap());
    assert!(later.iter().all(|id| herd.desk.status(id) == "pending"));
    for label in ["run", "beside"] {
        let body = json!({"action": "cancel", "filter": {"labels": {label: herd.run}}, "most": total, "reason": "tidy"});
        ended(&client, client.post("/bulk", &body).ok());
    }
}
