//! `POST /sessions/{sid}/tasks`: a message shows how a task goes.

use serde_json::{Value, json};

use super::super::caller;
use super::super::idempotency::{is_replay, keyed};
use super::{Desk, Held};
use crate::harness::{Client, unique};

/// A session, and workers of its own for its tasks.
pub(super) struct Conversation {
    pub(super) desk: Desk,
    pub(super) session: String,
    node: String,
}

/// A task of a conversation.
pub(super) struct Shown {
    pub(super) id: String,
    message: String,
}

impl Conversation {
    pub(super) fn new(client: &Client) -> Self {
        Self::in_session(client, json!({}))
    }

    /// In a session with these fields.
    #[track_caller]
    pub(super) fn in_session(client: &Client, fields: Value) -> Self {
        let desk = Desk::new(client);
        let session = client.post("/sessions", &fields).ok()["session_id"].as_str().unwrap().into();
        let node = desk.node_with(json!({
            "available_skills": [desk.skill, "simple", "planner", "critic"],
            "max_concurrent_tasks": 10,
        }));
        Self { desk, session, node }
    }

    pub(super) fn node(&self) -> &str {
        &self.node
    }

    pub(super) fn path(&self) -> String {
        format!("/sessions/{}/tasks", self.session)
    }

    /// Asks for a task; the desk's skill keeps others' workers away.
    pub(super) fn body(&self) -> Value {
        json!({"task_description": "say hello", "required_skills": [self.desk.skill]})
    }

    #[track_caller]
    pub(super) fn submit(&self, fields: Value) -> Shown {
        let mut body = self.body();
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let answer = self.desk.client.post(&self.path(), &body).ok();
        let text = |field: &str| answer[field].as_str().unwrap().to_owned();
        Shown { id: text("task_id"), message: text("message_id") }
    }

    #[track_caller]
    pub(super) fn run(&self, fields: Value) -> (Shown, Held) {
        let shown = self.submit(fields);
        let held = self.desk.claim_one(&self.node);
        assert_eq!(held.id, shown.id);
        (shown, held)
    }

    #[track_caller]
    pub(super) fn message(&self, shown: &Shown) -> Value {
        self.desk.client.get(&format!("/messages/{}", shown.message)).ok()
    }

    /// What the message has told: types and payloads.
    #[track_caller]
    pub(super) fn told(&self, shown: &Shown) -> Vec<(String, Value)> {
        let path = format!("/messages/{}/events", shown.message);
        let events = self.desk.client.get(&path).ok()["events"].clone();
        let events = events.as_array().unwrap().iter();
        let told = events.map(|event| {
            (event["event_type"].as_str().unwrap().to_owned(), event["payload"].clone())
        });
        told.collect()
    }

    #[track_caller]
    pub(super) fn told_types(&self, shown: &Shown) -> Vec<String> {
        self.told(shown).into_iter().map(|(event, _)| event).collect()
    }
}

const BEGIN: [&str; 3] = ["message_start", "task_started", "content_added"];

fn begun_and(rest: &[&str]) -> Vec<String> {
    BEGIN.iter().chain(rest).map(|event| (*event).to_owned()).collect()
}

#[test]
fn a_session_task_has_a_message_with_a_placeholder() {
    let (_hub, client) = caller();
    let it = Conversation::new(&client);
    let mut body = it.body();
    body["workflow"] = json!("critic");
    body["max_iterations"] = json!(5);
    body["priority"] = json!(1);
    body["timeout"] = json!(60);
    let fields = ["task_id", "message_id", "session_id", "status", "stream_url"];
    let answer = client.post(&it.path(), &body).has_fields(&fields);
    let (id, message) =
        (answer["task_id"].as_str().unwrap(), answer["message_id"].as_str().unwrap());
    assert!(id.starts_with("task_") && message.starts_with("msg_"), "{answer}");
    assert_eq!((&answer["session_id"], &answer["status"]), (&json!(it.session), &json!("pending")));
    let stream = format!("/api/v1/sessions/{}/messages/{message}/stream", it.session);
    assert_eq!(answer["stream_url"], stream);

    let task = it.desk.task(id);
    assert_eq!(task["task_type"], "interactive");
    assert_eq!((&task["session_id"], &task["message_id"]), (&json!(it.session), &json!(message)));
    assert_eq!(task["required_skills"], json!([it.desk.skill, "critic"]));
    assert_eq!((&task["priority"], &task["timeout"]), (&json!(1), &json!(60)));
    let parameters = json!({"workflow": "critic", "task_description": "say hello",
        "max_iterations": 5});
    assert_eq!(task["parameters"], parameters);
    let of_session = client.get(&format!("/tasks?session_id={}", it.session)).list();
    assert_eq!(super::ids(&of_session), [id]);

    let shown = Shown { id: id.to_owned(), message: message.to_owned() };
    assert_eq!(it.told_types(&shown), BEGIN);
    let message = it.message(&shown);
    assert_eq!((&message["role"], &message["is_complete"]), (&json!("assistant"), &json!(false)));
    assert_eq!(message["session_id"], it.session);
    let block = &message["content_blocks"][0];
    assert_eq!((&block["is_placeholder"], &block["task_id"]), (&json!(true), &json!(id)));
    let listed = client.get(&format!("/sessions/{}/messages", it.session)).ok();
    assert_eq!(listed["messages"][0]["message_id"], message["message_id"]);
}

#[test]
fn a_result_takes_the_placeholders_place() {
    let (_hub, client) = caller();
    let it = Conversation::new(&client);
    for (fields, kind, block) in [
        (json!({"result": "hello"}), "text", json!({"text": "hello"})),
        (json!({"result": {"a": [], "n": 1}}), "json", json!({"json": {"a": [], "n": 1}})),
        (
            json!({"result": "short", "content": {"content_type": "code",
                "code": {"code": "fn main() {}", "language": "rust"}}}),
            "code",
            json!({"code": "fn main() {}", "language": "rust"}),
        ),
    ] {
        let (shown, held) = it.run(json!({}));
        let placeholder = it.message(&shown)["content_blocks"][0].clone();
        it.desk.post(&held, "progress", json!({"progress": 0.5})).ok();
        it.desk.post(&held, "complete", fields).ok();
        let expected =
            begun_and(&["task_progress", "task_completed", "content_updated", "message_end"]);
        assert_eq!(it.told_types(&shown), expected);
        let told = it.told(&shown);
        assert_eq!(told[3].1["progress"], 0.5, "{told:?}");
        assert_eq!(
            (&told[4].1["task_id"], &told[4].1["status"]),
            (&json!(shown.id), &json!("completed"))
        );
        let message = it.message(&shown);
        assert_eq!(message["is_complete"], true);
        let result = &message["content_blocks"][0];
        assert_eq!(message["content_blocks"].as_array().unwrap().len(), 1);
        assert_eq!(result["content_id"], placeholder["content_id"]);
        assert_eq!((&result["content_type"], &result[kind]), (&json!(kind), &block));
        assert_eq!(result["is_placeholder"], false);
        assert_eq!(it.desk.status(&shown.id), "completed");
    }
}

#[test]
fn a_task_without_a_result_leaves_no_placeholder() {
    let (_hub, client) = caller();
    let it = Conversation::new(&client);
    let (shown, held) = it.run(json!({}));
    // The worker has written into the message itself.
    let append = json!({"delta": "all is said"});
    client.post(&format!("/messages/{}/append", shown.message), &append).ok();
    it.desk.post(&held, "complete", json!({})).ok();
    let expected = begun_and(&["text_delta", "task_completed", "message_end"]);
    assert_eq!(it.told_types(&shown), expected);
    let message = it.message(&shown);
    assert_eq!((&message["text"], &message["content_blocks"]), (&json!("all is said"), &json!([])));
}

#[test]
fn a_failure_ends_the_message_with_its_error() {
    let (_hub, client) = caller();
    let it = Conversation::new(&client);
    let (shown, held) = it.run(json!({}));
    it.desk.post(&held, "fail", json!({"error": "no model", "retryable": false})).ok();
    assert_eq!(it.told_types(&shown), begun_and(&["task_failed", "error", "message_end"]));
    let told = it.told(&shown);
    assert_eq!(
        (&told[3].1["error"], &told[4].1["error"]),
        (&json!("no model"), &json!("no model"))
    );
    let message = it.message(&shown);
    assert_eq!((&message["is_complete"], &message["content_blocks"]), (&json!(true), &json!([])));
    // Its message is complete, so that nothing could be written to it.
    client.post_empty(&format!("/tasks/{}/retry", shown.id)).problem(409, "conflict");
    let redrive = json!({"task_ids": [shown.id]});
    assert_eq!(client.post("/tasks/dead/redrive", &redrive).ok()["redriven"], 0);
}

#[test]
fn a_try_that_failed_is_not_the_end_of_the_message() {
    let (_hub, client) = caller();
    let it = Conversation::new(&client);
    let (shown, held) = it.run(json!({}));
    it.desk.post(&held, "fail", json!({"error": "not yet"})).ok();
    assert_eq!(it.told_types(&shown), BEGIN);
    client.post_empty(&format!("/tasks/{}/retry", shown.id));
    let held = it.desk.claim_one(&it.node);
    it.desk.post(&held, "complete", json!({"result": "now"})).ok();
    let expected = begun_and(&["task_completed", "content_updated", "message_end"]);
    assert_eq!(it.told_types(&shown), expected);
}

#[test]
fn a_cancelled_task_ends_its_message() {
    let (_hub, client) = caller();
    let it = Conversation::new(&client);
    let waiting = it.submit(json!({}));
    client.post_empty(&format!("/tasks/{}/cancel", waiting.id)).ok();
    let (running, held) = it.run(json!({}));
    client.post_empty(&format!("/tasks/{}/cancel", running.id)).ok();
    for shown in [&waiting, &running] {
        assert_eq!(it.told_types(shown), begun_and(&["task_failed", "error", "message_end"]));
        assert_eq!(it.message(shown)["is_complete"], true);
    }
    // What the worker still does has no effect.
    it.desk.post(&held, "complete", json!({"result": "late"})).problem(409, "fenced");
    assert_eq!(it.told_types(&running).len(), 6);
}

#[test]
fn who_is_fenced_writes_nothing_into_the_message() {
    let (_hub, client) = caller();
    let it = Conversation::new(&client);
    let (shown, stale) = it.run(json!({}));
    client.post_empty(&format!("/nodes/{}/shutdown", it.node)).ok();
    it.desk.post(&stale, "progress", json!({"progress": 0.9})).problem(409, "fenced");
    it.desk.post(&stale, "complete", json!({"result": "late"})).problem(409, "fenced");
    assert_eq!(it.told_types(&shown), BEGIN);
    client.beat(&it.node, &json!({}));
    let held = it.desk.claim_one(&it.node);
    it.desk.post(&held, "complete", json!({"result": "in time"})).ok();
    assert_eq!(it.message(&shown)["content_blocks"][0]["text"]["text"], "in time");
}

#[test]
fn a_removed_task_has_told_its_message() {
    let (_hub, client) = caller();
    let it = Conversation::new(&client);
    let (shown, held) = it.run(json!({}));
    it.desk.post(&held, "complete", json!({"result": "x"})).ok();
    client.delete(&format!("/tasks/{}", shown.id)).ok();
    assert_eq!(it.message(&shown)["is_complete"], true);
    assert_eq!(it.told_types(&shown).len(), 6, "{:?}", it.told_types(&shown));
}

#[test]
fn a_session_that_is_closed_or_unknown_takes_no_tasks() {
    let (_hub, client) = caller();
    let it = Conversation::new(&client);
    let unknown = format!("/sessions/{}/tasks", unique("unknown"));
    client.post(&unknown, &it.body()).problem(404, "not_found");
    client.delete(&format!("/sessions/{}", it.session)).ok();
    client.post(&it.path(), &it.body()).problem(409, "conflict");
    let tasks = client.get(&format!("/tasks?session_id={}", it.session)).list();
    assert_eq!(tasks, Vec::<Value>::new(), "nothing is left behind");
    let messages = client.get(&format!("/sessions/{}/messages", it.session)).ok();
    assert_eq!(messages["count"], 0);
}

#[test]
fn bad_session_tasks_are_refused_by_field() {
    let (_hub, client) = caller();
    let it = Conversation::new(&client);
    for (field, fields) in [
        ("task_description", json!({"task_description": null})),
        ("task_description", json!({"task_description": "  "})),
        ("workflow", json!({"workflow": "guess"})),
        ("max_iterations", json!({"max_iterations": 0})),
        ("max_iterations", json!({"max_iterations": 21})),
        ("max_iterations", json!({"max_iterations": 1000})),
        ("priority", json!({"priority": 9})),
        ("timeout", json!({"timeout": -5})),
        ("required_skills[0]", json!({"required_skills": [""]})),
    ] {
        let mut body = it.body();
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        client.post(&it.path(), &body).problem_with(422, "validation_failed", field);
    }
    assert_eq!(client.get(&format!("/sessions/{}/messages", it.session)).ok()["count"], 0);
}

#[test]
fn a_repeated_session_task_is_one_task_with_one_message() {
    let (_hub, client) = caller();
    let it = Conversation::new(&client);
    let client = keyed(&client, &unique("key"));
    let first = client.post(&it.path(), &it.body());
    assert!(!is_replay(&first), "{first}");
    let again = || {
        let again = client.post(&it.path(), &it.body());
        assert!(is_replay(&again), "{again}");
        assert_eq!(again.text(), first.text());
    };
    again();
    let held = it.desk.claim_one(&it.node);
    again();
    it.desk.post(&held, "complete", json!({"result": "x"})).ok();
    it.desk.client.delete(&format!("/sessions/{}", it.session)).ok();
    // Whatever has become of task and session: the first answer.
    again();
    let messages = it.desk.client.get(&format!("/sessions/{}/messages", it.session)).ok();
    assert_eq!(messages["count"], 1);
    let tasks = it.desk.client.get(&format!("/tasks?session_id={}", it.session)).list();
    assert_eq!(tasks.len(), 1);
}
