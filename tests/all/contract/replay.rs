//! The events of a message: their form, their replay, and that they add up to the message
//! (contract.md §4).

use serde_json::{Value, json};

use super::caller;
use super::messages::{append, complete, message, new_message};
use crate::harness::{Client, field_names, is_timestamp, new_session, unique};

/// All events of a message, in order.
#[track_caller]
pub(super) fn events(client: &Client, id: &str) -> Vec<Value> {
    let page = client.get(&format!("/messages/{id}/events?limit=1000")).ok();
    page["events"].as_array().unwrap().clone()
}

/// The types of events and their payloads, from this sequence number on.
#[track_caller]
pub(super) fn told_since(client: &Client, id: &str, first: usize) -> Vec<(String, Value)> {
    let events = events(client, id).into_iter().skip(first - 1);
    events
        .map(|event| (event["event_type"].as_str().unwrap().to_owned(), event["payload"].clone()))
        .collect()
}

/// What a reader who sees only the events takes the message to be.
#[derive(Debug, Default, PartialEq)]
struct Folded {
    role: String,
    text: String,
    blocks: Vec<Value>,
    is_complete: bool,
    errors: Vec<Value>,
}

fn fold(events: &[Value]) -> Folded {
    let mut folded = Folded::default();
    for event in events {
        assert!(!folded.is_complete, "{event} comes after the end");
        let payload = &event["payload"];
        match event["event_type"].as_str().unwrap() {
            "message_start" => folded.role = payload["role"].as_str().unwrap().to_owned(),
            "text_delta" => folded.text += payload["delta"].as_str().unwrap(),
            "content_added" => folded.blocks.push(payload.clone()),
            "content_updated" => {
                let id = &payload["content_id"];
                let place = folded.blocks.iter_mut().find(|block| block["content_id"] == *id);
                *place.unwrap() = payload.clone();
            }
            "task_failed" => folded.blocks.retain(|block| {
                block["task_id"] != payload["task_id"] || block["is_placeholder"] == false
            }),
            "task_started" | "task_progress" | "task_completed" => {}
            "error" => folded.errors.push(payload["error"].clone()),
            "message_end" => folded.is_complete = true,
            other => panic!("an event of type {other}"),
        }
    }
    folded
}

#[test]
fn an_event_says_which_message_and_which_place() {
    let (_hub, client) = caller();
    let id = new_message(&client);
    let session = message(&client, &id)["session_id"].clone();
    append(&client, &id, "say \"ü\"\n").ok();
    complete(&client, &id);
    let answer = client.get(&format!("/messages/{id}/events"));
    let page = answer.has_fields(&["events", "next", "gap"]);
    assert_eq!((&page["next"], &page["gap"]), (&json!(3), &Value::Null));
    let events = page["events"].as_array().unwrap();
    for (event, sequence) in events.iter().zip(1..) {
        assert_eq!(event["event_id"], format!("evt_{id}_{sequence}"));
        assert_eq!(event["sequence"], sequence);
        assert_eq!((&event["message_id"], &event["session_id"]), (&json!(id), &session));
        assert!(is_timestamp(&event["timestamp"]), "{event}");
    }
    let told = [
        ("message_start".to_owned(), json!({"role": "assistant"})),
        ("text_delta".to_owned(), json!({"delta": "say \"ü\"\n"})),
        ("message_end".to_owned(), json!({})),
    ];
    assert_eq!(told_since(&client, &id, 1), told);
    let text = answer.text();
    let first = text.split_once("[").unwrap().1.split_once("},{").unwrap().0.to_owned() + "}";
    let order =
        ["event_id", "event_type", "message_id", "session_id", "sequence", "payload", "timestamp"];
    assert_eq!(field_names(&first), order);
}

#[test]
fn an_error_is_told_before_the_end() {
    let (_hub, client) = caller();
    let id = new_message(&client);
    let body = json!({"error": "the model \"broke\""});
    client.post(&format!("/messages/{id}/complete"), &body).ok();
    let told = [
        ("error".to_owned(), json!({"error": "the model \"broke\""})),
        ("message_end".to_owned(), json!({})),
    ];
    assert_eq!(told_since(&client, &id, 2), told);
    assert_eq!(message(&client, &id)["is_complete"], true);
}

#[test]
fn a_sent_message_has_events_as_well() {
    let (_hub, client) = caller();
    let session = new_session(&client);
    let body = json!({"content": "hello"});
    let sent = client.post(&format!("/sessions/{session}/messages"), &body).ok();
    let user = sent["user_message_id"].as_str().unwrap();
    let folded = fold(&events(&client, user));
    assert_eq!((folded.text.as_str(), folded.is_complete), ("hello", true));
    assert_eq!(folded.role, "user");
}

#[test]
fn replay_goes_on_where_the_caller_left_off() {
    let (_hub, client) = caller();
    let id = new_message(&client);
    for turn in 0..9 {
        append(&client, &id, &turn.to_string()).ok();
    }
    let page = |query: &str| client.get(&format!("/messages/{id}/events{query}")).ok();
    let numbers = |page: &Value| -> Vec<i64> {
        let events = page["events"].as_array().unwrap().iter();
        events.map(|event| event["sequence"].as_i64().unwrap()).collect()
    };
    let mut after = 0;
    let mut seen = Vec::new();
    loop {
        let page = page(&format!("?after={after}&limit=4"));
        assert_eq!(page["gap"], Value::Null);
        let found = numbers(&page);
        after = page["next"].as_i64().unwrap();
        if found.is_empty() {
            break;
        }
        assert_eq!(Some(&after), found.last(), "the next page begins behind this one");
        seen.extend(found);
    }
    assert!(seen.iter().copied().eq(1..=10), "{seen:?}");
    assert_eq!(numbers(&page("?after=8")), [9, 10]);
    // Beyond the end there is nothing yet, and the caller asks again from the same place.
    let beyond = page("?after=10");
    assert_eq!(
        (numbers(&beyond), &beyond["next"], &beyond["gap"]),
        (vec![], &json!(10), &Value::Null)
    );
    for (field, query) in
        [("after", "after=-1"), ("after", "after=x"), ("limit", "limit=0"), ("limit", "limit=1001")]
    {
        let answer = client.get(&format!("/messages/{id}/events?{query}"));
        answer.problem_with(400, "invalid_parameter", field);
    }
    let nobody = unique("unknown");
    client.get(&format!("/messages/{nobody}/events")).problem(404, "not_found");
}

#[test]
fn a_trimmed_log_tells_its_gap() {
    let (_hub, client) = caller();
    let id = new_message(&client);
    // With the start these are 1005 events, of which the last 1000 are kept.
    for _ in 0..1004 {
        append(&client, &id, ".").ok();
    }
    let page =
        |after: i64| client.get(&format!("/messages/{id}/events?after={after}&limit=3")).ok();
    for (after, gap, first) in [
        (0, json!({"from": 1, "to": 5}), 6),
        (3, json!({"from": 4, "to": 5}), 6),
        (4, json!({"from": 5, "to": 5}), 6),
        (5, Value::Null, 6),
        (6, Value::Null, 7),
        (1002, Value::Null, 1003),
    ] {
        let page = page(after);
        assert_eq!(page["gap"], gap, "after {after}");
        assert_eq!(page["events"][0]["sequence"], first, "after {after}");
        assert_eq!(page["next"], first + 2, "after {after}");
        assert_eq!(page["events"].as_array().unwrap().len(), 3);
    }
    let shown = message(&client, &id);
    assert_eq!(shown["sequence"], 1005);
    assert_eq!(shown["text"].as_str().unwrap().len(), 1004);
}

#[test]
fn the_events_of_a_message_add_up_to_it() {
    let (_hub, client) = caller();
    let id = new_message(&client);
    let add = |block: Value| client.post(&format!("/messages/{id}/content"), &block).ok();
    let start = |task: &str, kind: &str| {
        let body = json!({"task_id": task, "task_type": kind, "prompt": "a \"cat\""});
        client.post(&format!("/messages/{id}/tasks"), &body).ok()
    };
    let change = |task: &str, body: Value| {
        client.patch(&format!("/messages/{id}/tasks/{task}"), &body).ok();
    };
    append(&client, &id, "First ").ok();
    add(json!({"content_type": "markdown", "markdown": {"markdown": "# One"}}));
    start("paint", "image_generation");
    start("film", "video_generation");
    append(&client, &id, "then \u{1F980}, ").ok();
    change("paint", json!({"status": "processing", "progress": 0.25}));
    add(json!({"content_type": "html", "html": {"html": "x".repeat(30_000)}}));
    change("film", json!({"status": "failed", "error": "no film"}));
    start("think", "research");
    let image =
        json!({"content_type": "image", "image": {"data": "A".repeat(20_000), "alt": "cat"}});
    change("paint", json!({"status": "completed", "content": image}));
    add(json!({"content_type": "json", "json": {"json": [1, {"a": null}, []]}}));
    let thought = json!({"content_type": "thinking", "thinking": {"thinking": "hm"}});
    change("think", json!({"status": "completed", "content": thought}));
    append(&client, &id, "last.").ok();
    client.post(&format!("/messages/{id}/complete"), &json!({"error": "late"})).ok();

    let events = events(&client, &id);
    let sequences = events.iter().map(|event| event["sequence"].as_i64().unwrap());
    assert!(sequences.eq(1..=events.len() as i64));
    let folded = fold(&events);
    let shown = message(&client, &id);
    let blocks = shown["content_blocks"].as_array().unwrap().clone();
    let types: Vec<_> =
        blocks.iter().map(|block| block["content_type"].as_str().unwrap()).collect();
    assert_eq!(types, ["markdown", "image", "html", "thinking", "json"]);
    let expected = Folded {
        role: "assistant".into(),
        text: "First then \u{1F980}, last.".into(),
        blocks,
        is_complete: true,
        errors: vec![json!("late")],
    };
    assert_eq!(folded, expected);
    assert_eq!(shown["text"], expected.text);
    assert_eq!(shown["sequence"], events.len());
}
