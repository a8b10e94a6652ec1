//! Names hold only what people can read (contract.md §1): every route that takes one, every character
//! that deceives.

use serde_json::{Value, json};

use super::caller;
use crate::harness::{registration, unique};

/// What no name may hold, and what stands at no end of one.
const BAD: [&str; 14] = [
    "a\u{0}b",
    "a\nb",
    "a\r\u{1b}[2Jb",
    "a\u{7f}b",
    "a\u{9b}2Jb",
    "a\u{61c}b",
    "a\u{200f}b",
    "a\u{202e}b",
    "a\u{2069}b",
    "a\u{2028}b",
    "a\u{feff}b",
    " a",
    "a\u{a0}",
    "\u{200d}a",
];

/// What is read all over the world.
const GOOD: [&str; 6] =
    ["two words", "naïve", "日本語", "می\u{200c}خواهم", "👩\u{200d}💻", "❤\u{fe0f}"];

/// Makes a body with a bad name in it.
type BodyWith = Box<dyn Fn(&str) -> Value>;

#[test]
fn no_route_takes_a_name_that_deceives_its_reader() {
    let (_hub, client) = caller();
    let node = client.post("/nodes/register", &registration(&unique("host"))).ok();
    let node = node["node_id"].as_str().unwrap().to_owned();
    let (session, agent) = (unique("session"), unique("agent"));
    client.post("/sessions", &json!({"session_id": session})).ok();
    let sent = client.post(&format!("/sessions/{session}/messages"), &json!({"content": "x"})).ok();
    let message = sent["assistant_message_id"].as_str().unwrap().to_owned();
    let routes: Vec<(&str, String, &str, BodyWith)> = vec![
        ("POST", "/nodes/register".to_owned(), "hostname", Box::new(registration)),
        (
            "POST",
            "/nodes/register".to_owned(),
            "available_skills[1]",
            Box::new(|bad| {
                let mut body = registration("h");
                body["available_skills"] = json!(["x", bad]);
                body
            }),
        ),
        (
            "POST",
            "/nodes/register".to_owned(),
            "tags[0]",
            Box::new(|bad| {
                let mut body = registration("h");
                body["tags"] = json!([bad]);
                body
            }),
        ),
        ("PATCH", format!("/nodes/{node}"), "tags[0]", Box::new(|bad| json!({"tags": [bad]}))),
        (
            "PATCH",
            format!("/nodes/{node}"),
            "available_skills[0]",
            Box::new(|bad| json!({"available_skills": [bad]})),
        ),
        ("POST", "/tasks".to_owned(), "name", Box::new(|bad| json!({"name": bad}))),
        (
            "POST",
            "/tasks".to_owned(),
            "user_id",
            Box::new(|bad| json!({"name": "n", "user_id": bad})),
        ),
        (
            "POST",
            "/tasks".to_owned(),
            "required_skills[0]",
            Box::new(|bad| json!({"name": "n", "required_skills": [bad]})),
        ),
        (
            "POST",
            "/tasks".to_owned(),
            "affinity_tags[0]",
            Box::new(|bad| json!({"name": "n", "affinity_tags": [bad]})),
        ),
        ("POST", "/sessions".to_owned(), "user_id", Box::new(|bad| json!({"user_id": bad}))),
        (
            "POST",
            format!("/inbox/{agent}"),
            "topic",
            Box::new(move |bad| json!({"from": "someone", "topic": bad, "content": 1})),
        ),
        (
            "POST",
            format!("/messages/{message}/tasks"),
            "task_type",
            Box::new(|bad| json!({"task_type": format!("x{bad}y")})),
        ),
        (
            "POST",
            "/agents/register".to_owned(),
            "display_name",
            Box::new(|bad| json!({"display_name": bad})),
        ),
        (
            "POST",
            "/agents/register".to_owned(),
            "wallet_address",
            Box::new(|bad| json!({"wallet_address": bad})),
        ),
    ];
    for (method, path, field, body) in routes {
        for bad in BAD {
            // Around a task's type blanks are cut off, as they always were.
            if field == "task_type" && (bad.starts_with(' ') || bad.contains('\u{a0}')) {
                continue;
            }
            // A joiner may stand within.
            if field == "task_type" && bad.starts_with('\u{200d}') {
                continue;
            }
            let body = body(bad).to_string();
            let answer = client.send(method, &path, Some(body.as_bytes()));
            answer.problem_with(422, "validation_failed", field);
        }
    }
}

#[test]
fn what_people_read_is_a_name() {
    let (_hub, client) = caller();
    for good in GOOD {
        let skill = format!("{good} {}", unique("s"));
        let body = json!({"name": good, "user_id": good, "required_skills": [skill]});
        let task = client.post("/tasks", &body).ok();
        assert_eq!((&task["name"], &task["user_id"]), (&json!(good), &json!(good)));
    }
}

#[test]
fn free_text_may_hold_anything_and_its_first_words_become_a_name() {
    let (_hub, client) = caller();
    let session = unique("session");
    client.post("/sessions", &json!({"session_id": session})).ok();
    let text = "look\nat \u{1b}[31mthis\u{202e}";
    let body = json!({"task_description": text, "required_skills": [unique("nobody")]});
    let made = client.post(&format!("/sessions/{session}/tasks"), &body).ok();
    let task = client.get(&format!("/tasks/{}", made["task_id"].as_str().unwrap())).ok();
    assert_eq!((&task["description"], &task["name"]), (&json!(text), &json!("look at [31mthis")));
}
