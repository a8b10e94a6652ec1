//! Tasks that are changed while they wait, and when failed ones are tried again (contract.md §5).

use reef_domain::time::UnixMillis;
use serde_json::{Value, json};

use super::{Desk, id_of, ids_of};
use crate::contract::agents::new_agent;
use crate::contract::events::{end, since};
use crate::contract::{caller, hub};
use crate::harness::Answer;

impl Desk {
    fn try_edit(&self, id: &str, fields: Value) -> Answer {
        self.client.patch(&format!("/tasks/{id}"), &fields)
    }

    #[track_caller]
    fn edit(&self, id: &str, fields: Value) -> Value {
        self.try_edit(id, fields).ok()
    }

    /// By how many milliseconds a task is kept back from its submission on.
    #[track_caller]
    fn kept_back_ms(&self, id: &str, since: i64) -> i64 {
        millis(&self.task(id)["scheduled_at"]) - since
    }
}

fn millis(time: &Value) -> i64 {
    UnixMillis::parse(time.as_str().unwrap()).unwrap().0
}

#[test]
fn a_task_that_waits_is_changed() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let id = desk.submit(json!({"parameters": {"a": []}, "metadata": {"b": 1}}));
    let edited = desk.edit(
        &id,
        json!({
            "name": "new name", "description": "for people", "task_type": "daemon",
            "optional_skills": ["cuda"], "affinity_tags": ["near"], "priority": 0, "timeout": 7.5,
            "max_retries": 9, "parameters": {"a": [], "n": 9_007_199_254_740_993_i64},
            "labels": {"team": "red", "run": "a:b=c"}, "retry": {"first_ms": 5},
        }),
    );
    assert_eq!(edited["routable"], json!(false));
    let task = desk.task(&id);
    for (field, value) in [
        ("name", json!("new name")),
        ("description", json!("for people")),
        ("task_type", json!("daemon")),
        ("required_skills", json!([desk.skill])),
        ("optional_skills", json!(["cuda"])),
        ("affinity_tags", json!(["near"])),
        ("priority", json!(0)),
        ("timeout", json!(7.5)),
        ("max_retries", json!(9)),
        ("parameters", json!({"a": [], "n": 9_007_199_254_740_993_i64})),
        ("metadata", json!({"b": 1})),
        ("labels", json!({"run": "a:b=c", "team": "red"})),
        ("retry", json!({"first_ms": 5, "factor": 2.0, "most_ms": 300_000, "jitter": 0.5})),
        ("status", json!("pending")),
    ] {
        assert_eq!(task[field], value, "{field}");
    }
    let held = desk.claim_one(&desk.node(1));
    assert_eq!((held.id, held.task["parameters"].clone()), (id, task["parameters"].clone()));
}

#[test]
fn priority_changes_the_place_and_nothing_else_does() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let ids: Vec<String> = (0..4).map(|_| desk.submit(json!({"priority": 2}))).collect();
    desk.edit(&ids[0], json!({"priority": 3}));
    desk.edit(&ids[3], json!({"priority": 1}));
    desk.edit(&ids[1], json!({"name": "still second"}));
    let held = desk.claim(&desk.node(4));
    assert_eq!(ids_of(&held), [&ids[3], &ids[1], &ids[2], &ids[0]]);
}

#[test]
fn a_task_asks_for_other_skills_and_wakes_who_has_them() {
    let (_hub, client) = caller();
    let (desk, other) = (Desk::new(&client), Desk::new(&client));
    let (node, others) = (desk.node(5), other.node(5));
    let id = desk.submit(json!({}));
    assert_eq!(desk.edit(&id, json!({"required_skills": [other.skill]}))["routable"], true);
    assert!(desk.claim(&node).is_empty());
    assert_eq!(ids_of(&other.claim(&others)), [&id]);

    let hidden = desk.submit(json!({"delay_ms": 3_600_000}));
    desk.edit(&hidden, json!({"required_skills": [other.skill]}));
    assert_eq!(desk.status(&hidden), "scheduled");
    desk.edit(&hidden, json!({"delay_ms": 0}));
    assert_eq!(ids_of(&other.claim(&others)), [&hidden]);
}

#[test]
fn a_delay_begins_anew_or_ends() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    let id = desk.submit(json!({}));
    assert_eq!(desk.edit(&id, json!({"delay_ms": 3_600_000}))["status"], "scheduled");
    assert!(desk.claim(&node).is_empty());
    desk.edit(&id, json!({"priority": 0}));
    assert_eq!(desk.status(&id), "scheduled");
    assert_eq!(desk.edit(&id, json!({"delay_ms": 0}))["status"], "pending");
    assert_eq!(ids_of(&desk.claim(&node)), [&id]);
}

#[test]
fn what_runs_or_has_ended_is_not_changed() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let id = desk.submit(json!({}));
    desk.try_edit(&id, json!({"priority": 0, "if_status": "waiting"})).problem(409, "conflict");
    desk.edit(&id, json!({"priority": 0, "if_status": "pending"}));
    let held = desk.claim_one(&desk.node(1));
    desk.try_edit(&id, json!({"priority": 1})).problem(409, "conflict");
    desk.post(&held, "complete", json!({})).ok();
    desk.try_edit(&id, json!({"priority": 1})).problem(409, "conflict");
    assert_eq!(desk.task(&id)["priority"], 0);
    desk.try_edit("no-such-task", json!({"priority": 1})).problem(404, "not_found");

    // One that waits for an answer takes everything but a delay.
    let asks = desk.submit(json!({"approval": {"question": "?"}}));
    desk.try_edit(&asks, json!({"delay_ms": 5})).problem(409, "conflict");
    assert_eq!(desk.edit(&asks, json!({"priority": 0}))["status"], "waiting");
}

#[test]
fn an_edit_keeps_the_rules_of_a_submission() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let id = desk.submit(json!({}));
    for (fields, field) in [
        (json!({}), "body"),
        (json!({"priority": 4}), "priority"),
        (json!({"name": " "}), "name"),
        (json!({"name": "a\u{202e}b"}), "name"),
        (json!({"timeout": 0}), "timeout"),
        (json!({"delay_ms": -1}), "delay_ms"),
        (json!({"parameters": []}), "parameters"),
        (json!({"labels": {"a b": "x"}}), "labels"),
        (json!({"labels": {"a": "x,y"}}), "labels.a"),
        (json!({"labels": {"a": "x\u{0}"}}), "labels.a"),
        (json!({"retry": {"factor": 0.5}}), "retry.factor"),
        (json!({"status": "completed"}), "status"),
        (json!({"if_status": "running", "priority": 1}), "if_status"),
    ] {
        let problem = desk.try_edit(&id, fields.clone()).problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["field"], field, "{fields}: {problem}");
    }
    let many: Value =
        (0..1000).map(|n| (format!("k{n}"), json!("v"))).collect::<serde_json::Map<_, _>>().into();
    desk.try_edit(&id, json!({"labels": many})).problem(422, "validation_failed");
}

#[test]
fn the_same_edit_twice_does_no_more() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let [first, second] = [(); 2].map(|()| desk.submit(json!({})));
    let edit = || desk.edit(&second, json!({"priority": 1, "labels": {"a": "b"}}));
    assert_eq!(edit(), edit());
    let held = desk.claim(&desk.node(2));
    assert_eq!(ids_of(&held), [&second, &first]);
}

#[test]
fn two_edits_at_once_are_both_made() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let id = desk.submit(json!({}));
    std::thread::scope(|scope| {
        for fields in
            [json!({"name": "named"}), json!({"description": "told"}), json!({"priority": 0})]
        {
            let (desk, id) = (&desk, &id);
            scope.spawn(move || desk.edit(id, fields));
        }
    });
    let task = desk.task(&id);
    assert_eq!(
        [&task["name"], &task["description"], &task["priority"]],
        [&json!("named"), &json!("told"), &json!(0)]
    );
}

#[test]
fn the_admin_edits_what_is_an_agents_and_it_stays_the_agents() {
    let hub = hub();
    if !hub.wants_keys {
        return;
    }
    let alice = new_agent(&hub);
    let desk = Desk::new(&alice.client);
    let id = desk.submit(json!({"audience": "owner"}));
    let path = format!("/tasks/{id}");
    let edited = hub.client.patch(&path, &json!({"priority": 0})).ok();
    assert_eq!(edited["audience"], "owner");
    assert_eq!(desk.task(&id)["priority"], 0);
    assert_eq!(ids_of(&desk.claim(&desk.node(1))), [&id]);
}

#[test]
fn the_event_names_what_was_changed_and_no_value() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let id = desk.submit(json!({}));
    let after = end(&client);
    desk.edit(&id, json!({"parameters": {"secret": "s3cr3t"}, "name": "private name"}));
    let events: Vec<Value> = since(&client, &after)
        .into_iter()
        .filter(|event| event["event_type"] == "task_edited" && event["payload"]["task_id"] == id)
        .collect();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["payload"]["fields"], json!(["name", "parameters"]));
    let text = events[0].to_string();
    assert!(!text.contains("s3cr3t") && !text.contains("private"), "{text}");
}

#[test]
fn a_failed_task_is_tried_again_as_its_policy_says() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(1);
    let retry = json!({"first_ms": 600_000, "factor": 3, "most_ms": 1_000_000, "jitter": 0});
    let id = desk.submit(json!({"retry": retry}));
    for expected in [600_000, 1_000_000] {
        let held = desk.claim_one(&node);
        let failed = desk.post(&held, "fail", json!({"error": "broken"})).ok();
        let now = millis(&desk.task(&id)["started_at"]);
        let waited = desk.kept_back_ms(&id, now);
        assert!(
            (expected..expected + 60_000).contains(&waited),
            "{waited} of {expected}: {failed}"
        );
        // Not the retry's own: that gives all tries back.
        desk.edit(&id, json!({"delay_ms": 0}));
    }
    assert_eq!(desk.task(&id)["retry_count"], 2);
    for bad in [json!({"first_ms": 0}), json!({"first_ms": 9, "most_ms": 8}), json!({"jitter": 2})]
    {
        let body = json!({"name": "x", "retry": bad});
        client.post("/tasks", &body).problem(422, "validation_failed");
    }
}

#[test]
fn whoever_fails_says_when_to_try_again() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let id = desk.submit(json!({}));
    let held = desk.claim_one(&desk.node(1));
    for bad in [
        json!({"retry_in_ms": -1}),
        json!({"retry_in_ms": 86_400_001}),
        json!({"retry_in_ms": 1, "retryable": false}),
        json!({"snooze": true, "retryable": false}),
    ] {
        desk.post(&held, "fail", bad).problem(422, "validation_failed");
    }
    desk.post(&held, "fail", json!({"error": "429", "retry_in_ms": 7_200_000})).ok();
    let task = desk.task(&id);
    let waited = desk.kept_back_ms(&id, millis(&task["started_at"]));
    assert!((7_200_000..7_260_000).contains(&waited), "{waited}");
    assert_eq!((&task["status"], &task["retry_count"]), (&json!("pending"), &json!(1)));
}

#[test]
fn ten_in_a_row_are_put_off_and_count_as_no_try() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(1);
    let id = desk.submit(json!({"max_retries": 1}));
    let snooze = || {
        let held = desk.claim_one(&node);
        let body = json!({"error": "not yet", "snooze": true, "retry_in_ms": 0});
        desk.post(&held, "fail", body).ok();
        desk.task(&id)
    };
    for _ in 0..10 {
        let task = snooze();
        assert_eq!((&task["status"], &task["retry_count"]), (&json!("pending"), &json!(0)));
    }
    // The eleventh is a try, and begins a new row.
    assert_eq!(snooze()["retry_count"], 1);
    for _ in 0..10 {
        assert_eq!(snooze()["retry_count"], 1);
    }
    assert_eq!(snooze()["status"], "failed");
    assert_eq!(id_of(&client.post_empty(&format!("/tasks/{id}/retry")).ok()), id);
    assert_eq!(snooze()["retry_count"], 0);
}
