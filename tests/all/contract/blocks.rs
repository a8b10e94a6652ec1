//! Content blocks of messages, and the tasks whose results they become (contract.md §4).

use serde_json::{Value, json};

use super::caller;
use super::messages::{message, new_message};
use super::replay::told_since;
use crate::harness::{Answer, Client, unique};

/// A block of every type, with all that it can hold.
fn one_of_each() -> [Value; 10] {
    let image = json!({
        "url": "https://a.example/x.png", "data": "aGk=", "caption": "c", "alt": "a",
        "format": "png", "size": 12, "width": 3, "height": 4,
    });
    let sound = json!({
        "url": "https://a.example/x", "title": "t", "format": "f", "size": 12, "duration": 1.5,
    });
    let file = json!({"data": "aGk=", "name": "n", "mime_type": "text/plain", "size": 2});
    [
        json!({"content_type": "text", "text": {"text": "say \"ü\"\n\u{1F980}"}}),
        json!({"content_type": "image", "image": image}),
        json!({"content_type": "audio", "audio": sound}),
        json!({"content_type": "video", "video": sound}),
        json!({"content_type": "file", "file": file}),
        json!({"content_type": "code", "code": {"code": "fn main() {}", "language": "rust"}}),
        json!({"content_type": "markdown", "markdown": {"markdown": "# *x*"}}),
        json!({"content_type": "html", "html": {"html": "<p class=\"x\">"}}),
        json!({"content_type": "json", "json": {"json": {"deep": [1, 2.5, null, {}, []]}}}),
        json!({"content_type": "thinking", "thinking": {"thinking": "hm"}}),
    ]
}

fn add(client: &Client, id: &str, block: &Value) -> Answer {
    client.post(&format!("/messages/{id}/content"), block)
}

/// The block as the message's own list shows it.
#[track_caller]
fn shown(client: &Client, id: &str, place: usize) -> Value {
    message(client, id)["content_blocks"][place].clone()
}

#[test]
fn a_block_of_every_type_is_kept_as_it_came() {
    let (_hub, client) = caller();
    let id = new_message(&client);
    for (place, block) in one_of_each().into_iter().enumerate() {
        let answer = add(&client, &id, &block);
        let added = answer.has_fields(&["content_id", "sequence"]);
        let content = added["content_id"].as_str().unwrap();
        assert!(content.starts_with("cnt_"), "{added}");
        assert_eq!(added["sequence"], place + 2);

        let mut expected = block;
        expected["content_id"] = json!(content);
        expected["is_placeholder"] = json!(false);
        assert_eq!(shown(&client, &id, place), expected);
        let whole = client.get(&format!("/messages/{id}/content/{content}")).ok();
        assert_eq!(whole, expected);
        let told = told_since(&client, &id, place + 2);
        assert_eq!(told, [("content_added".to_owned(), expected)]);
    }
}

#[test]
fn a_block_may_bring_its_id_once() {
    let (_hub, client) = caller();
    let id = new_message(&client);
    let content = unique("cnt");
    let mut block = json!({"content_type": "text", "text": {"text": "a", "colour": "red"}});
    block["content_id"] = json!(content);
    assert_eq!(add(&client, &id, &block).ok()["content_id"], content);
    // What a type does not have is ignored.
    assert_eq!(shown(&client, &id, 0)["text"], json!({"text": "a"}));
    add(&client, &id, &block).problem(409, "conflict");
    assert_eq!(message(&client, &id)["content_blocks"].as_array().unwrap().len(), 1);
}

#[test]
fn bad_blocks_are_refused_by_field() {
    let (_hub, client) = caller();
    let id = new_message(&client);
    for (field, block) in [
        ("content_type", json!({})),
        ("content_type", json!({"content_type": "hologram", "hologram": {"hologram": "x"}})),
        ("content_type", json!({"content_type": 7})),
        ("text", json!({"content_type": "text"})),
        ("text", json!({"content_type": "text", "text": "bare"})),
        ("text.text", json!({"content_type": "text", "text": {}})),
        ("text.text", json!({"content_type": "text", "text": {"text": 7}})),
        ("image", json!({"content_type": "image", "image": {"alt": "neither url nor data"}})),
        ("image.width", json!({"content_type": "image", "image": {"url": "u", "width": -1}})),
        ("code.code", json!({"content_type": "code", "code": {"language": "rust"}})),
        ("content_id", json!({"content_type": "text", "text": {"text": "x"}, "content_id": "a b"})),
    ] {
        add(&client, &id, &block).problem_with(422, "validation_failed", field);
    }
    let block = json!({"content_type": "text", "text": {"text": "x"}});
    add(&client, &unique("unknown"), &block).problem(404, "not_found");
    let content = unique("unknown");
    client.get(&format!("/messages/{id}/content/{content}")).problem(404, "not_found");
    assert_eq!(message(&client, &id)["sequence"], 1);
}

/// A block of which the message shows only the rest, and where the whole one is.
fn large() -> Value {
    json!({"content_type": "image", "image": {"data": "A".repeat(10_001), "alt": "cat", "width": 3}})
}

#[test]
fn a_large_block_is_shown_by_reference_and_read_whole() {
    let (_hub, client) = caller();
    let id = new_message(&client);
    let content = add(&client, &id, &large()).ok()["content_id"].as_str().unwrap().to_owned();
    let path = format!("/messages/{id}/content/{content}");
    let block = shown(&client, &id, 0);
    assert_eq!(block["ref"], format!("/api/v1{path}"));
    assert_eq!(block["image"], json!({"alt": "cat", "width": 3}));
    let whole = client.get(&path).ok();
    assert_eq!(whole["image"], large()["image"]);
    assert_eq!((&whole["content_id"], &whole["ref"]), (&json!(content), &Value::Null));
    // The event is as small as what the message shows.
    assert_eq!(told_since(&client, &id, 2), [("content_added".to_owned(), block)]);
    // It is this message's block and no other's.
    let other = new_message(&client);
    client.get(&format!("/messages/{other}/content/{content}")).problem(404, "not_found");
}

#[test]
fn a_block_may_have_eight_mebibytes() {
    const MIB: usize = 1 << 20;
    let (_hub, client) = caller();
    let id = new_message(&client);
    let block = |size: usize| json!({"content_type": "file", "file": {"data": "A".repeat(size)}});
    let added = add(&client, &id, &block(7 * MIB)).ok();
    let content = added["content_id"].as_str().unwrap();
    let whole = client.get(&format!("/messages/{id}/content/{content}")).ok();
    assert_eq!(whole["file"]["data"].as_str().unwrap().len(), 7 * MIB);
    add(&client, &id, &block(9 * MIB)).problem(413, "payload_too_large");
    // Text has the limit of every other route.
    let delta = json!({"delta": "x".repeat(MIB)});
    client.post(&format!("/messages/{id}/append"), &delta).problem(413, "payload_too_large");
    assert_eq!(message(&client, &id)["sequence"], 2);
}

/// Starts a task under an id of the server's and returns the answer.
#[track_caller]
fn start(client: &Client, id: &str, body: &Value) -> Value {
    let answer = client.post(&format!("/messages/{id}/tasks"), body);
    answer.has_fields(&["task_id", "content_id", "status", "sequence"])
}

fn change(client: &Client, id: &str, task: &str, body: &Value) -> Answer {
    client.patch(&format!("/messages/{id}/tasks/{task}"), body)
}

#[test]
fn a_task_begins_with_a_placeholder() {
    let (_hub, client) = caller();
    for (kind, content_type) in
        [("image_generation", "image"), ("video_generation", "video"), ("research \"x\"", "text")]
    {
        let id = new_message(&client);
        let body = json!({"task_type": kind, "prompt": "a cat", "n": 2, "deep": {"list": []}});
        let started = start(&client, &id, &body);
        assert!(started["task_id"].as_str().unwrap().starts_with("task_"), "{started}");
        assert_eq!((&started["status"], &started["sequence"]), (&json!("processing"), &json!(3)));
        let (task, content) = (&started["task_id"], &started["content_id"]);
        let placeholder = json!({
            "content_id": content, "content_type": content_type, "is_placeholder": true,
            "task_id": task,
        });
        let state = json!({
            "task_id": task, "task_type": kind, "status": "processing", "progress": 0.0,
            "prompt": "a cat", "n": 2, "deep": {"list": []},
        });
        let shown = message(&client, &id);
        assert_eq!(shown["content_blocks"], json!([placeholder]));
        assert_eq!(shown["pending_tasks"][task.as_str().unwrap()], state);
        let told = [("task_started".to_owned(), state), ("content_added".to_owned(), placeholder)];
        assert_eq!(told_since(&client, &id, 2), told);
    }
}

#[test]
fn a_result_takes_the_place_of_its_placeholder() {
    let (_hub, client) = caller();
    let id = new_message(&client);
    let text = |text: &str| json!({"content_type": "text", "text": {"text": text}});
    add(&client, &id, &text("before")).ok();
    let started = start(&client, &id, &json!({"task_type": "image_generation"}));
    let (task, content) =
        (started["task_id"].as_str().unwrap(), started["content_id"].as_str().unwrap());
    add(&client, &id, &text("after")).ok();
    let body = json!({"status": "completed", "content": large()});
    let answer = change(&client, &id, task, &body);
    let ended = answer.has_fields(&["task_id", "status", "progress", "sequence"]);
    assert_eq!((&ended["status"], &ended["progress"]), (&json!("completed"), &json!(1.0)));
    assert_eq!(ended["sequence"], 7);

    let after = message(&client, &id);
    let block = &after["content_blocks"][1];
    assert_eq!(after["content_blocks"].as_array().unwrap().len(), 3);
    assert_eq!(after["content_blocks"][2]["text"]["text"], "after");
    assert_eq!((&block["content_id"], &block["task_id"]), (&json!(content), &json!(task)));
    assert_eq!(block["is_placeholder"], false);
    assert_eq!(block["ref"], format!("/api/v1/messages/{id}/content/{content}"));
    assert_eq!(after["pending_tasks"], json!({}));
    let whole = client.get(&format!("/messages/{id}/content/{content}")).ok();
    assert_eq!(whole["image"], large()["image"]);
    assert_eq!(whole["content_id"], content);

    let told = told_since(&client, &id, 6);
    let state = json!({"task_id": task, "status": "completed", "progress": 1.0});
    assert_eq!(told[0], ("task_completed".to_owned(), state), "without a content_id");
    assert_eq!(told[1], ("content_updated".to_owned(), block.clone()));
    assert_eq!(told.len(), 2);
    for status in ["processing", "completed", "failed"] {
        change(&client, &id, task, &json!({"status": status})).problem(409, "conflict");
    }
    assert_eq!(message(&client, &id), after);
}

#[test]
fn a_task_tells_its_progress() {
    let (_hub, client) = caller();
    let id = new_message(&client);
    start(&client, &id, &json!({"task_type": "x", "task_id": "slow"}));
    let progress = |value: Value| json!({"status": "processing", "progress": value});
    let answer = change(&client, &id, "slow", &progress(json!(0.5))).ok();
    assert_eq!((&answer["status"], &answer["progress"]), (&json!("processing"), &json!(0.5)));
    assert_eq!(message(&client, &id)["pending_tasks"]["slow"]["progress"], 0.5);
    // Without a number it stays where it was.
    assert_eq!(change(&client, &id, "slow", &progress(Value::Null)).ok()["progress"], 0.5);
    let state = json!({"task_id": "slow", "status": "processing", "progress": 0.5});
    let told = ("task_progress".to_owned(), state);
    assert_eq!(told_since(&client, &id, 4), [told.clone(), told]);

    for (field, body) in [
        ("progress", progress(json!(1.5))),
        ("progress", progress(json!(-0.1))),
        ("status", json!({})),
        ("status", json!({"status": "done"})),
        ("content.content_type", json!({"status": "completed", "content": {}})),
        (
            "content.text.text",
            json!({"status": "completed", "content": {"content_type": "text", "text": {}}}),
        ),
    ] {
        let answer = change(&client, &id, "slow", &body);
        answer.problem_with(422, "validation_failed", field);
    }
    assert_eq!(message(&client, &id)["sequence"], 5);
}

#[test]
fn a_failed_tasks_placeholder_goes() {
    let (_hub, client) = caller();
    let id = new_message(&client);
    start(&client, &id, &json!({"task_type": "x", "task_id": "stays"}));
    start(&client, &id, &json!({"task_type": "x", "task_id": "fails"}));
    let body = json!({"status": "failed", "error": "no \"luck\""});
    assert_eq!(change(&client, &id, "fails", &body).ok()["status"], "failed");
    let shown = message(&client, &id);
    let blocks = shown["content_blocks"].as_array().unwrap();
    assert_eq!((blocks.len(), &blocks[0]["task_id"]), (1, &json!("stays")));
    assert!(
        shown["pending_tasks"]["fails"].is_null() && shown["pending_tasks"]["stays"].is_object()
    );
    let state = json!({"task_id": "fails", "status": "failed", "error": "no \"luck\""});
    assert_eq!(told_since(&client, &id, 6), [("task_failed".to_owned(), state)]);
    change(&client, &id, "fails", &json!({"status": "completed"})).problem(409, "conflict");
    let again = json!({"task_type": "x", "task_id": "fails"});
    client.post(&format!("/messages/{id}/tasks"), &again).problem(409, "conflict");
}

#[test]
fn a_block_that_speaks_of_a_task_is_not_that_task() {
    let (_hub, client) = caller();
    let id = new_message(&client);
    start(&client, &id, &json!({"task_type": "x", "task_id": "one"}));
    let json = json!({"is_placeholder": true, "task_id": "one"});
    add(&client, &id, &json!({"content_type": "json", "json": {"json": json}})).ok();
    let text = json!({"content_type": "text", "text": {"text": "x"}, "task_id": "one"});
    add(&client, &id, &text).ok();
    let shown = client.get(&format!("/messages/{id}"));
    let times = shown.text().matches("\"task_type\"").count();
    assert_eq!(times, 1, "{shown}");
}

#[test]
fn unknown_and_malformed_tasks_are_refused() {
    let (_hub, client) = caller();
    let id = new_message(&client);
    let failed = json!({"status": "failed"});
    change(&client, &id, "unknown", &failed).problem(404, "not_found");
    change(&client, &unique("unknown"), "unknown", &failed).problem(404, "not_found");
    let path = format!("/messages/{id}/tasks");
    for (field, body) in [
        ("task_type", json!({})),
        ("task_type", json!({"task_type": " "})),
        ("task_type", json!({"task_type": 7})),
        ("task_id", json!({"task_type": "x", "task_id": "a{b}"})),
    ] {
        client.post(&path, &body).problem_with(422, "validation_failed", field);
    }
    let nobody = format!("/messages/{}/tasks", unique("unknown"));
    client.post(&nobody, &json!({"task_type": "x"})).problem(404, "not_found");
    assert_eq!(message(&client, &id)["sequence"], 1);
}
