//! Free JSON: what is kept, everybody can read; what somebody could not read is refused by its
//! field.

use serde_json::json;

use super::caller;
use super::tasks::Desk;
use crate::harness::{Answer, Client, unique};

/// What some reader of JSON could not read.
fn unreadable() -> Vec<String> {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    vec![
        r#"{"a":"\ud800"}"#.to_owned(),
        r#"{"a":"\udc00x"}"#.to_owned(),
        r#"{"\ud800":1}"#.to_owned(),
        r#"{"a":[1e400]}"#.to_owned(),
        r#"{"a":-1e999999999999}"#.to_owned(),
        format!(r#"{{"a":{}}}"#, "9".repeat(200_000)),
        format!(r#"{{"a":{}}}"#, nested(64)),
        format!(r#"{{"a":{}}}"#, nested(126)),
        format!(r#"{{"a":{}}}"#, nested(400_000)),
    ]
}

/// What all can read, and what is odd about it.
fn readable() -> Vec<String> {
    vec![
        r#"{"a":-0}"#.to_owned(),
        r#"{"a":18446744073709551616,"b":9007199254740993}"#.to_owned(),
        r#"{"a":1e308,"b":1e-400,"c":1.50}"#.to_owned(),
        r#"{"a":"\u0000","\u0000":"\ud83e\udd80"}"#.to_owned(),
        format!(r#"{{"a":{}{}}}"#, "[".repeat(63), "]".repeat(63)),
        format!(r#"{{"a":0.{}}}"#, "1".repeat(2_000)),
    ]
}

#[track_caller]
fn send(client: &Client, method: &str, path: &str, body: &str) -> Answer {
    client.with("content-type", "application/json").send(method, path, Some(body.as_bytes()))
}

#[track_caller]
fn refused(client: &Client, method: &str, path: &str, field: &str, body: impl Fn(&str) -> String) {
    for value in unreadable() {
        let answer = send(client, method, path, &body(&value));
        answer.problem_with(422, "validation_failed", field);
    }
}

#[test]
fn what_nobody_could_read_is_refused_by_its_field() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let session = client.post_empty("/sessions").ok()["session_id"].as_str().unwrap().to_owned();
    let message = unique("msg");
    let in_session = format!("/sessions/{session}/messages/{message}");
    client.send_json("PUT", &in_session, &json!({"role": "assistant"})).ok();
    let started = json!({"task_id": unique("task"), "task_type": "draw"});
    client.post(&format!("/messages/{message}/tasks"), &started).ok();
    let id = desk.submit(json!({}));
    let node = desk.node(1);
    let held = desk.claim_one(&node);
    assert_eq!(held.id, id);
    let token = &held.token;

    for field in ["parameters", "metadata"] {
        refused(&client, "POST", "/tasks", field, |it| format!(r#"{{"name":"n","{field}":{it}}}"#));
    }
    let complete = format!("/tasks/{id}/complete");
    refused(&client, "POST", &complete, "result", |it| {
        format!(r#"{{"token":"{token}","result":{it}}}"#)
    });
    refused(&client, "POST", &complete, "content.json", |it| {
        format!(r#"{{"token":"{token}","content":{{"content_type":"json","json":{it}}}}}"#)
    });
    for path in ["/agents/register", "/sessions"] {
        refused(&client, "POST", path, "metadata", |it| format!(r#"{{"metadata":{it}}}"#));
    }
    refused(&client, "PUT", &format!("{in_session}x"), "metadata", |it| {
        format!(r#"{{"role":"user","metadata":{it}}}"#)
    });
    refused(&client, "POST", &format!("/sessions/{session}/messages"), "metadata", |it| {
        format!(r#"{{"content":"c","metadata":{it}}}"#)
    });
    let inbox = format!("/inbox/{}", unique("agent"));
    refused(&client, "POST", &inbox, "content", |it| format!(r#"{{"from":"a","content":{it}}}"#));
    refused(&client, "POST", &inbox, "metadata", |it| {
        format!(r#"{{"from":"a","content":"c","metadata":{it}}}"#)
    });
    refused(&client, "POST", &format!("/messages/{message}/content"), "json", |it| {
        format!(r#"{{"content_type":"json","json":{it}}}"#)
    });
    refused(&client, "POST", &format!("/messages/{message}/tasks"), "prompt", |it| {
        format!(r#"{{"task_type":"draw","prompt":{it}}}"#)
    });
    let update = format!("/messages/{message}/tasks/{}", started["task_id"].as_str().unwrap());
    refused(&client, "PATCH", &update, "content.json", |it| {
        format!(r#"{{"status":"completed","content":{{"content_type":"json","json":{it}}}}}"#)
    });
    // Nothing of all this was done: the claim is still there to be ended.
    desk.post(&held, "complete", json!({})).ok();
}

#[test]
fn texts_and_numbers_of_the_hubs_own_fields_are_refused_by_name_too() {
    let (_hub, client) = caller();
    for (path, field, body) in [
        ("/tasks", "name", r#"{"name":"\ud800"}"#),
        ("/tasks", "required_skills", r#"{"name":"n","required_skills":["a","\udfff"]}"#),
        ("/tasks", "timeout", r#"{"name":"n","timeout":1e400}"#),
        ("/nodes/register", "hostname", r#"{"hostname":"\ud800"}"#),
        ("/inbox/x", "topic", r#"{"from":"a","content":1,"topic":"\ud800"}"#),
    ] {
        send(&client, "POST", path, body).problem_with(422, "validation_failed", field);
    }
    for body in [r#"{"name":NaN}"#, r#"{"name":"n","parameters":{"a":01}}"#, "[[["] {
        send(&client, "POST", "/tasks", body).problem(400, "malformed_json");
    }
}

#[test]
fn what_all_can_read_is_kept_to_the_letter() {
    let (_hub, client) = caller();
    let desk = Desk::new(&client);
    let node = desk.node(1);
    for value in readable() {
        let body =
            format!(r#"{{"name":"n","required_skills":["{}"],"parameters":{value}}}"#, desk.skill);
        let submitted = send(&client, "POST", "/tasks", &body);
        let id = submitted.ok()["task_id"].as_str().unwrap().to_owned();
        assert!(submitted.text().contains(&value), "{value}");
        let held = desk.claim_one(&node);
        let complete = format!(r#"{{"token":"{}","result":{value}}}"#, held.token);
        send(&client, "POST", &format!("/tasks/{id}/complete"), &complete).ok();
        let shown = client.get(&format!("/tasks/{id}"));
        assert_eq!(shown.text().matches(&value).count(), 2, "{value}");
    }
}

#[test]
fn blanks_between_parts_are_dropped_and_those_in_texts_kept() {
    let (_hub, client) = caller();
    let parameters = "{\n  \"a b\" : [ 1,\t\" \\\" \" ]\r\n}";
    let skill = unique("nobody");
    let body =
        format!(r#"{{"name":"n","required_skills":["{skill}"],"parameters": {parameters} }}"#);
    let answer = send(&client, "POST", "/tasks", &body);
    answer.ok();
    assert!(answer.text().contains(r#""parameters":{"a b":[1," \" "]}"#), "{answer}");
    let id = answer.json()["task_id"].as_str().unwrap().to_owned();
    client.post_empty(&format!("/tasks/{id}/cancel")).ok();
    assert_eq!(client.get(&format!("/tasks/{id}")).ok()["parameters"], json!({"a b": [1, " \" "]}));
}
