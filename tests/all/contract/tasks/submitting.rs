//! `POST /tasks`.

use serde_json::{Value, json};

use super::super::caller;
use super::{Desk, TASK_FIELDS};
use crate::harness::{PATIENCE, eventually, is_timestamp, unique};

#[test]
fn a_name_is_enough() {
    let (_hub, client) = caller();
    // Nobody's skill, so that no other test's node takes it.
    let skill = unique("nobody");
    let fields: Vec<_> = TASK_FIELDS.iter().copied().chain(["routable"]).collect();
    let body = json!({"name": "index", "required_skills": [skill]});
    let task = client.post("/tasks", &body).has_fields(&fields);
    assert!(super::id_of(&task).starts_with("task_"), "{task}");
    assert!(is_timestamp(&task["submitted_at"]));
    let defaults = json!({
        "task_id": task["task_id"], "task_type": "batch", "name": "index", "description": "",
        "required_skills": [skill], "optional_skills": [], "status": "pending", "priority": 2,
        "assigned_node": null, "submitted_at": task["submitted_at"], "scheduled_at": null,
        "started_at": null, "completed_at": null, "parameters": {}, "timeout": 300,
        "retry_count": 0, "max_retries": 3, "user_id": null, "affinity_tags": [], "result": null,
        "error": null, "metadata": {}, "session_id": null, "message_id": null, "progress": 0.0,
        "audience": "any", "target_node": null, "routable": false,
    });
    assert_eq!(task, defaults);
    let path = format!("/tasks/{}", super::id_of(&task));
    let mut shown = client.get(&path).has_fields(TASK_FIELDS);
    shown["routable"] = json!(false);
    assert_eq!(shown, task);
}

#[test]
fn everything_that_is_given_is_kept() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let id = unique("own");
    let given = json!({
        "task_id": id, "name": "名", "task_type": "daemon", "description": "with \"quotes\"",
        "required_skills": [desk.skill, "音"], "optional_skills": ["gpu"], "priority": 0,
        "parameters": {"list": [], "object": {}, "big": 12_345_678_901_234_567_u64, "float": 1.0},
        "timeout": 0.25, "max_retries": 0, "user_id": "me", "affinity_tags": ["eu"],
        "metadata": {"a": {"b": []}}, "unknown": "ignored",
    });
    let task = desk.submit_with(given.clone());
    for (field, value) in given.as_object().unwrap().iter().filter(|(name, _)| *name != "unknown") {
        assert_eq!(&task[field], value, "{field}");
        assert_eq!(&desk.task(&id)[field], value, "{field}");
    }
    assert_eq!(task.get("unknown"), None);
}

#[test]
fn numbers_may_be_texts_and_null_is_not_given() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let task = desk.submit_with(json!({
        "priority": "1", "timeout": "12.5", "max_retries": 2.0, "task_id": null, "user_id": null,
        "parameters": null, "optional_skills": null, "delay_ms": null,
    }));
    assert_eq!(
        [&task["priority"], &task["timeout"], &task["max_retries"], &task["parameters"]],
        [&json!(1), &json!(12.5), &json!(2), &json!({})]
    );
}

#[test]
fn a_task_is_routable_if_a_node_of_any_status_has_all_skills() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let other = unique("other");
    let routable =
        |skills: Value| desk.submit_with(json!({"required_skills": skills}))["routable"].clone();
    assert_eq!(routable(json!([desk.skill])), false);
    let node = desk.node(1);
    assert_eq!(routable(json!([desk.skill])), true);
    assert_eq!(routable(json!([desk.skill, other])), false);
    desk.node_with(json!({"available_skills": [other]}));
    // Each skill is there, but no node has both.
    assert_eq!(routable(json!([desk.skill, other])), false);
    client.post_empty(&format!("/nodes/{node}/shutdown")).ok();
    assert_eq!(routable(json!([desk.skill])), true);
    client.delete(&format!("/nodes/{node}")).ok();
    assert_eq!(routable(json!([desk.skill])), false);
}

#[test]
fn an_id_is_used_once() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let id = desk.submit(json!({"task_id": unique("taken"), "name": "first"}));
    let again = json!({"task_id": id, "name": "second"});
    client.post("/tasks", &again).problem(409, "conflict");
    assert_eq!(desk.task(&id)["name"], "first");
    // Also that of a task that has ended.
    client.post_empty(&format!("/tasks/{id}/cancel")).ok();
    client.post("/tasks", &again).problem(409, "conflict");
}

#[test]
fn a_delayed_task_is_scheduled_until_its_time() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    let task = desk.submit_with(json!({"delay_ms": 1500}));
    let id = super::id_of(&task);
    assert_eq!(task["status"], "scheduled");
    assert!(is_timestamp(&task["scheduled_at"]), "{task}");
    assert!(task["scheduled_at"].as_str() > task["submitted_at"].as_str());
    assert_eq!(desk.claim(&node).len(), 0);
    let why = client.get(&format!("/tasks/{id}/why")).ok();
    assert_eq!((&why["reason"], &why["due_at"]), (&json!("delayed"), &task["scheduled_at"]));
    let held = eventually("its time", PATIENCE, || desk.claim(&node).pop());
    assert_eq!(held.id, id);
    let started = held.task["started_at"].as_str().unwrap();
    assert!(started >= task["scheduled_at"].as_str().unwrap(), "{started} is too early");
}

#[test]
fn a_kept_back_task_can_be_sent_on_or_called_off() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(5);
    let [first, second] = [0, 1].map(|_| desk.submit(json!({"delay_ms": 2_592_000_000_i64})));
    assert_eq!(client.post_empty(&format!("/tasks/{first}/cancel")).ok()["status"], "cancelled");
    assert_eq!(client.post_empty(&format!("/tasks/{second}/retry")).ok()["status"], "pending");
    assert_eq!(super::ids_of(&desk.claim(&node)), [second]);
}
