//! Messages: sending them, making them, writing their text, and cleaning up (contract.md §4).

use serde_json::{Value, json};

use super::caller;
use super::idempotency::{assert_replayed, is_replay, keyed};
use crate::harness::{Answer, Client, Message, is_timestamp, new_session, race, unique};

/// The fields of a message, in order.
const MESSAGE_FIELDS: &[&str] = &[
    "message_id",
    "session_id",
    "role",
    "text",
    "content_blocks",
    "pending_tasks",
    "is_complete",
    "parent_message_id",
    "metadata",
    "sequence",
    "created_at",
    "updated_at",
];

/// Makes a message to write to, in a session of its own.
#[track_caller]
pub(super) fn new_message(client: &Client) -> String {
    Message::begin(client).id
}

/// The message as it is now.
#[track_caller]
pub(super) fn message(client: &Client, id: &str) -> Value {
    client.get(&format!("/messages/{id}")).ok()
}

pub(super) fn append(client: &Client, id: &str, delta: &str) -> Answer {
    client.post(&format!("/messages/{id}/append"), &json!({"delta": delta}))
}

#[track_caller]
pub(super) fn complete(client: &Client, id: &str) -> Value {
    client.post_empty(&format!("/messages/{id}/complete")).ok()
}

/// The ids of a session's messages, as one page shows them.
#[track_caller]
fn listed(client: &Client, session: &str, query: &str) -> Vec<String> {
    let page = client.get(&format!("/sessions/{session}/messages{query}")).ok();
    let messages = page["messages"].as_array().unwrap();
    assert_eq!(page["count"], messages.len());
    messages.iter().map(|it| it["message_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn sending_makes_a_complete_message_and_an_open_answer_to_it() {
    let (_hub, client) = caller();
    let session = new_session(&client);
    let text = "Hello \"wörld\"\n\u{1F980} \\ / \u{7f}";
    let body = json!({"content": text, "metadata": {"list": [], "object": {}}, "role": null});
    let answer = client.post(&format!("/sessions/{session}/messages"), &body);
    let sent = answer.has_fields(&["user_message_id", "assistant_message_id", "session_id"]);
    assert_eq!(sent["session_id"], session);
    let (user, assistant) =
        (sent["user_message_id"].as_str().unwrap(), sent["assistant_message_id"].as_str().unwrap());
    assert!(user.starts_with("msg_") && assistant.starts_with("msg_"), "{sent}");

    let shown = client.get(&format!("/messages/{user}")).has_fields(MESSAGE_FIELDS);
    assert_eq!(shown["message_id"], user);
    assert_eq!(shown["session_id"], session);
    assert_eq!((&shown["role"], &shown["text"]), (&json!("user"), &json!(text)));
    assert_eq!(shown["is_complete"], true);
    assert_eq!(shown["parent_message_id"], Value::Null);
    assert_eq!(shown["metadata"], json!({"list": [], "object": {}}));
    assert!(is_timestamp(&shown["created_at"]) && is_timestamp(&shown["updated_at"]));

    let shown = message(&client, assistant);
    assert_eq!((&shown["role"], &shown["text"]), (&json!("assistant"), &json!("")));
    assert_eq!(shown["is_complete"], false);
    assert_eq!(shown["parent_message_id"], user);
    assert_eq!((&shown["content_blocks"], &shown["pending_tasks"]), (&json!([]), &json!({})));
    assert_eq!(shown["sequence"], 1);

    assert_eq!(listed(&client, &session, ""), [user, assistant]);
    append(&client, user, "more").problem(409, "conflict");
    append(&client, assistant, "more").ok();
}

#[test]
fn a_caller_may_bring_a_role_and_an_id() {
    let (_hub, client) = caller();
    let path = format!("/sessions/{}/messages", new_session(&client));
    let id = unique("own");
    let body = json!({"content": "", "role": "system", "message_id": id, "type": "markdown"});
    assert_eq!(client.post(&path, &body).ok()["user_message_id"], id);
    assert_eq!(message(&client, &id)["role"], "system");
    let again = keyed(&client, &unique("key"));
    for replayed in [false, true] {
        let answer = again.post(&path, &body);
        answer.problem(409, "conflict");
        assert_eq!(is_replay(&answer), replayed, "{answer}");
    }
    client.post(&path, &body).problem(409, "conflict");
    let page = client.get(&path).ok();
    assert_eq!(page["count"], 2, "the refused ones left nothing behind");
}

#[test]
fn a_message_needs_a_session_that_is_open() {
    let (_hub, client) = caller();
    let nowhere = unique("nowhere");
    let (content, role) = (json!({"content": "x"}), json!({"role": "user"}));
    client.post(&format!("/sessions/{nowhere}/messages"), &content).problem(404, "not_found");
    let path = format!("/sessions/{nowhere}/messages/{}", unique("m"));
    client.send_json("PUT", &path, &role).problem(404, "not_found");
    client.get(&format!("/sessions/{nowhere}/messages")).problem(404, "not_found");
    client.delete(&format!("/sessions/{nowhere}/messages")).problem(404, "not_found");

    let session = new_session(&client);
    let known = Message::begin_in(&client, &session).id;
    client.delete(&format!("/sessions/{session}")).ok();
    client.post(&format!("/sessions/{session}/messages"), &content).problem(409, "conflict");
    let path = format!("/sessions/{session}/messages/{}", unique("m"));
    client.send_json("PUT", &path, &role).problem(409, "conflict");
    // What was there before can still be read and finished.
    let path = format!("/sessions/{session}/messages/{known}");
    assert_eq!(client.send_json("PUT", &path, &role).ok()["message_id"], known);
    append(&client, &known, "the rest").ok();
    complete(&client, &known);
    assert_eq!(listed(&client, &session, ""), [known]);
}

#[test]
fn a_message_is_loaded_or_made() {
    let (_hub, client) = caller();
    let session = new_session(&client);
    let (id, parent) = (unique("load"), unique("parent"));
    let path = format!("/sessions/{session}/messages/{id}");
    let body = json!({"role": "tool", "parent_message_id": parent, "metadata": {"n": 1}});
    let made = client.send_json("PUT", &path, &body).has_fields(MESSAGE_FIELDS);
    assert_eq!((&made["message_id"], &made["role"]), (&json!(id), &json!("tool")));
    assert_eq!((&made["parent_message_id"], &made["metadata"]), (&json!(parent), &json!({"n": 1})));
    assert_eq!((&made["is_complete"], &made["sequence"]), (&json!(false), &json!(1)));

    append(&client, &id, "text").ok();
    let other = json!({"role": "agent", "metadata": {"n": 2}});
    let loaded = client.send_json("PUT", &path, &other).ok();
    assert_eq!(loaded, message(&client, &id));
    assert_eq!((&loaded["role"], &loaded["metadata"]), (&json!("tool"), &json!({"n": 1})));
    assert_eq!(loaded["text"], "text");
    assert_eq!(listed(&client, &session, ""), [id]);
}

#[test]
fn a_message_belongs_to_one_session() {
    let (_hub, client) = caller();
    let (home, other) = (new_session(&client), new_session(&client));
    let id = Message::begin_in(&client, &home).id;
    let answer = client.send_json(
        "PUT",
        &format!("/sessions/{other}/messages/{id}"),
        &json!({"role": "user"}),
    );
    answer.problem(404, "not_found");
    let body = json!({"content": "x", "message_id": id});
    client.post(&format!("/sessions/{other}/messages"), &body).problem(409, "conflict");
    assert_eq!(message(&client, &id)["session_id"], home);
    assert_eq!(listed(&client, &other, ""), Vec::<String>::new());
    // Cleaning up the other session does not touch it either.
    client.delete(&format!("/sessions/{other}/messages?keep_days=0")).ok();
    assert_eq!(listed(&client, &home, ""), [id]);
}

#[test]
fn bad_messages_are_refused_by_field() {
    let (_hub, client) = caller();
    let session = new_session(&client);
    let path = format!("/sessions/{session}/messages");
    for (field, body) in [
        ("content", json!({})),
        ("content", json!({"content": null})),
        ("content", json!({"content": 7})),
        ("type", json!({"content": "x", "type": "hologram"})),
        ("role", json!({"content": "x", "role": "boss"})),
        ("metadata", json!({"content": "x", "metadata": [1]})),
        ("message_id", json!({"content": "x", "message_id": "a{b}"})),
        ("message_id", json!({"content": "x", "message_id": "@external"})),
        ("message_id", json!({"content": "x", "message_id": "stats"})),
    ] {
        client.post(&path, &body).problem_with(422, "validation_failed", field);
    }
    let own = format!("{path}/{}", unique("bad"));
    for (field, body) in [
        ("role", json!({})),
        ("role", json!({"role": "boss"})),
        ("parent_message_id", json!({"role": "user", "parent_message_id": "a b"})),
        ("metadata", json!({"role": "user", "metadata": "x"})),
    ] {
        client.send_json("PUT", &own, &body).problem_with(422, "validation_failed", field);
    }
    client.get("/messages/%40external").problem(422, "validation_failed");
    client.get(&format!("/messages/{}", unique("unknown"))).problem(404, "not_found");
    assert_eq!(listed(&client, &session, ""), Vec::<String>::new());
}

#[test]
fn a_sessions_messages_are_listed_oldest_first_and_in_pages() {
    let (_hub, client) = caller();
    let session = new_session(&client);
    let ids: Vec<String> = (0..7).map(|_| Message::begin_in(&client, &session).id).collect();
    let path = format!("/sessions/{session}/messages");
    client.get(&path).has_fields(&["session_id", "messages", "count"]);
    assert_eq!(listed(&client, &session, ""), ids);
    assert_eq!(listed(&client, &session, "?limit=2&offset=3"), ids[3..5]);
    assert_eq!(listed(&client, &session, "?offset=9"), Vec::<String>::new());

    let mut seen = Vec::new();
    let mut next = Some(format!("/api/v1{path}?limit=3"));
    while let Some(target) = next {
        let answer = client.get(target.strip_prefix("/api/v1").unwrap());
        let page = answer.ok();
        for it in page["messages"].as_array().unwrap() {
            seen.push(it["message_id"].as_str().unwrap().to_owned());
        }
        next = answer.header("link").map(|link| {
            let (target, rel) = link.trim_start_matches('<').split_once('>').unwrap();
            assert!(rel.contains("next"), "{link}");
            target.to_owned()
        });
    }
    assert_eq!(seen, ids);

    for limit in ["0", "101", "-1", "x", "1.5"] {
        let answer = client.get(&format!("{path}?limit={limit}"));
        answer.problem_with(422, "validation_failed", "limit");
    }
    client.get(&format!("{path}?offset=-1")).problem_with(422, "validation_failed", "offset");
    client.get(&format!("{path}?cursor=x")).problem_with(400, "invalid_parameter", "cursor");
    assert_eq!(listed(&client, &session, "?limit=1").len(), 1);
    assert_eq!(listed(&client, &session, "?limit=100").len(), 7);
}

#[test]
fn text_grows_and_each_part_is_numbered() {
    let (_hub, client) = caller();
    let id = new_message(&client);
    let first = client.post(&format!("/messages/{id}/append"), &json!({"delta": "Hi "}));
    assert_eq!(first.has_fields(&["sequence", "length"]), json!({"sequence": 2, "length": 3}));
    assert_eq!(append(&client, &id, "there").ok(), json!({"sequence": 3, "length": 8}));
    // The length counts bytes.
    assert_eq!(append(&client, &id, "ü\u{1F980}").ok(), json!({"sequence": 4, "length": 14}));
    assert_eq!(append(&client, &id, "").ok(), json!({"sequence": 5, "length": 14}));
    let shown = message(&client, &id);
    assert_eq!((&shown["text"], &shown["sequence"]), (&json!("Hi thereü\u{1F980}"), &json!(5)));
    assert!(shown["updated_at"].as_str() >= shown["created_at"].as_str());

    let path = format!("/messages/{id}/append");
    for delta in [json!(7), json!(true), json!(["x"]), json!({}), Value::Null] {
        let answer = client.post(&path, &json!({"delta": delta}));
        answer.problem_with(422, "validation_failed", "delta");
    }
    append(&client, &unique("unknown"), "x").problem(404, "not_found");
    assert_eq!(message(&client, &id), shown);
}

fn produce(client: &Client, id: &str, delta: &str, epoch: i64, seq: i64) -> Answer {
    let producer = json!({"id": "writer", "epoch": epoch, "seq": seq});
    client.post(&format!("/messages/{id}/append"), &json!({"delta": delta, "producer": producer}))
}

#[test]
fn a_producers_repeats_gaps_and_old_epochs_change_nothing() {
    let (_hub, client) = caller();
    let id = new_message(&client);
    let gap = produce(&client, &id, "x", 3, 1).problem(409, "conflict");
    assert_eq!(gap["expected"], 0);
    let first = produce(&client, &id, "a", 3, 0).ok();
    let second = produce(&client, &id, "b", 3, 1).ok();
    assert_eq!(second, json!({"sequence": 3, "length": 2}));
    assert_eq!(produce(&client, &id, "b", 3, 1).ok(), second);
    produce(&client, &id, "a", 3, 0).ok();
    assert_eq!(first, json!({"sequence": 2, "length": 1}));
    let gap = produce(&client, &id, "x", 3, 4).problem(409, "conflict");
    assert_eq!(gap["expected"], 2);

    // A new epoch begins at 0 and shuts the old one out.
    let gap = produce(&client, &id, "x", 4, 2).problem(409, "conflict");
    assert_eq!(gap["expected"], 0);
    produce(&client, &id, "c", 4, 0).ok();
    produce(&client, &id, "x", 3, 2).problem(409, "fenced");
    produce(&client, &id, "x", 3, 1).problem(409, "fenced");
    produce(&client, &id, "d", 4, 1).ok();
    // Another producer counts for itself.
    let other = json!({"delta": "e", "producer": {"id": "other", "epoch": "0", "seq": 0.0}});
    client.post(&format!("/messages/{id}/append"), &other).ok();
    let shown = message(&client, &id);
    assert_eq!((&shown["text"], &shown["sequence"]), (&json!("abcde"), &json!(6)));

    for (field, producer) in [
        ("producer.id", json!({"epoch": 0, "seq": 0})),
        ("producer.epoch", json!({"id": "p", "seq": 0})),
        ("producer.seq", json!({"id": "p", "epoch": 0, "seq": -1})),
    ] {
        let body = json!({"delta": "x", "producer": producer});
        let answer = client.post(&format!("/messages/{id}/append"), &body);
        answer.problem_with(422, "validation_failed", field);
    }
}

#[test]
fn writers_at_the_same_moment_lose_nothing() {
    const WRITERS: usize = 8;
    const EACH: usize = 25;
    let (_hub, client) = caller();
    let id = new_message(&client);
    let each = race(WRITERS, |writer| {
        let each = (0..EACH).map(|turn| {
            let answer = append(&client, &id, &format!("<{writer}:{turn:02}>")).ok();
            (answer["sequence"].as_i64().unwrap(), answer["length"].as_i64().unwrap())
        });
        each.collect::<Vec<_>>()
    });
    let mut answers: Vec<(i64, i64)> = each.concat();
    answers.sort_unstable();
    let expected = (0..(WRITERS * EACH) as i64).map(|n| (n + 2, (n + 1) * 6));
    assert!(answers.iter().copied().eq(expected), "{answers:?}");
    let text = message(&client, &id)["text"].as_str().unwrap().to_owned();
    assert_eq!(text.len(), WRITERS * EACH * 6);
    for writer in 0..WRITERS {
        // Each writer's parts are all there, once and in its order.
        let places: Vec<_> =
            (0..EACH).map(|turn| text.find(&format!("<{writer}:{turn:02}>"))).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{text}");
    }
}

#[test]
fn after_its_end_nothing_is_written_to_a_message() {
    let (_hub, client) = caller();
    let id = new_message(&client);
    append(&client, &id, "all").ok();
    let task = json!({"task_type": "x", "task_id": "t"});
    client.post(&format!("/messages/{id}/tasks"), &task).ok();
    let answer = client.post(&format!("/messages/{id}/complete"), &json!({}));
    let ended = answer.has_fields(&["message_id", "is_complete", "sequence"]);
    assert_eq!(ended, json!({"message_id": id, "is_complete": true, "sequence": 5}));
    let shown = message(&client, &id);
    assert_eq!((&shown["text"], &shown["is_complete"]), (&json!("all"), &json!(true)));
    assert_eq!(shown["pending_tasks"], json!({}));

    append(&client, &id, "x").problem(409, "conflict");
    produce(&client, &id, "x", 0, 0).problem(409, "conflict");
    let block = json!({"content_type": "text", "text": {"text": "x"}});
    client.post(&format!("/messages/{id}/content"), &block).problem(409, "conflict");
    client
        .post(&format!("/messages/{id}/tasks"), &json!({"task_type": "x"}))
        .problem(409, "conflict");
    let change = json!({"status": "failed"});
    client.patch(&format!("/messages/{id}/tasks/t"), &change).problem(409, "conflict");
    client.post_empty(&format!("/messages/{id}/complete")).problem(409, "conflict");
    assert_eq!(message(&client, &id), shown);
    let nobody = unique("unknown");
    client.post_empty(&format!("/messages/{nobody}/complete")).problem(404, "not_found");
}

#[test]
fn cleaning_up_takes_away_all_that_belongs_to_a_message() {
    let (_hub, client) = caller();
    let session = new_session(&client);
    let ids: Vec<String> = (0..3).map(|_| Message::begin_in(&client, &session).id).collect();
    append(&client, &ids[0], "text").ok();
    let large = json!({"content_type": "text", "text": {"text": "x".repeat(20_000)}});
    let block = client.post(&format!("/messages/{}/content", ids[0]), &large).ok();
    let path = format!("/sessions/{session}/messages");
    // None of them is a week old.
    assert_eq!(client.delete(&path).has_fields(&["deleted"])["deleted"], 0);
    assert_eq!(listed(&client, &session, ""), ids);
    client.delete(&format!("{path}?keep_days=-1")).problem_with(
        422,
        "validation_failed",
        "keep_days",
    );

    assert_eq!(client.delete(&format!("{path}?keep_days=0")).ok()["deleted"], 3);
    assert_eq!(listed(&client, &session, ""), Vec::<String>::new());
    for id in &ids {
        client.get(&format!("/messages/{id}")).problem(404, "not_found");
        client.get(&format!("/messages/{id}/events")).problem(404, "not_found");
        append(&client, id, "x").problem(404, "not_found");
    }
    let content = block["content_id"].as_str().unwrap();
    client.get(&format!("/messages/{}/content/{content}", ids[0])).problem(404, "not_found");
    assert_eq!(client.delete(&format!("{path}?keep_days=0")).ok()["deleted"], 0);
    // The id is free again, and nothing of what it was is left.
    let again =
        client.send_json("PUT", &format!("{path}/{}", ids[0]), &json!({"role": "user"})).ok();
    assert_eq!((&again["text"], &again["content_blocks"]), (&json!(""), &json!([])));
    let events = client.get(&format!("/messages/{}/events", ids[0])).ok();
    assert_eq!(events["events"].as_array().unwrap().len(), 1);
}

#[test]
fn a_repeated_send_sends_once() {
    let (_hub, client) = caller();
    let session = new_session(&client);
    let path = format!("/sessions/{session}/messages");
    let sent = assert_replayed(&client, &path, &json!({"content": "once"}));
    let both = [&sent["user_message_id"], &sent["assistant_message_id"]];
    assert_eq!(listed(&client, &session, ""), both.map(|id| id.as_str().unwrap().to_owned()));
    let own = unique("own");
    let sent = assert_replayed(&client, &path, &json!({"content": "x", "message_id": own}));
    assert_eq!(sent["user_message_id"], own);

    let keyed = keyed(&client, &unique("key"));
    let first = keyed.post(&path, &json!({"content": "a"})).ok();
    keyed.post(&path, &json!({"content": "b"})).problem(422, "idempotency_mismatch");
    let user = first["user_message_id"].as_str().unwrap();
    assert_eq!(message(&client, user)["text"], "a");
    // In another session it is another request.
    let elsewhere = keyed
        .post(&format!("/sessions/{}/messages", new_session(&client)), &json!({"content": "a"}));
    assert!(!is_replay(&elsewhere), "{elsewhere}");
    assert_ne!(elsewhere.ok()["user_message_id"], user);
}

#[test]
fn every_post_to_a_message_can_be_repeated() {
    let (_hub, client) = caller();
    let id = new_message(&client);
    let path = |tail: &str| format!("/messages/{id}/{tail}");
    assert_replayed(&client, &path("append"), &json!({"delta": "once"}));
    let block = json!({"content_type": "code", "code": {"code": "x"}});
    assert_replayed(&client, &path("content"), &block);
    assert_replayed(&client, &path("tasks"), &json!({"task_type": "research"}));
    let keyed = keyed(&client, &unique("key"));
    keyed.post(&path("append"), &json!({"delta": "a"})).ok();
    let answer = keyed.post(&path("append"), &json!({"delta": "b"}));
    answer.problem(422, "idempotency_mismatch");
    let shown = message(&client, &id);
    assert_eq!(shown["text"], "oncea");
    assert_eq!(shown["content_blocks"].as_array().unwrap().len(), 2);
    assert_eq!(shown["pending_tasks"].as_object().unwrap().len(), 1);
    // A repeated end is the same end, and not the 409 of a second one.
    assert_replayed(&client, &path("complete"), &json!({}));
    for replayed in [false, true] {
        let late = keyed.post(&path("tasks"), &json!({"task_type": "late"}));
        late.problem(409, "conflict");
        assert_eq!(is_replay(&late), replayed, "{late}");
    }
}
