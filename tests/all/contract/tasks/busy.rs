//! A task of a session that is submitted while others are unfinished: `if_busy`.

use serde_json::{Value, json};

use super::super::caller;
use super::super::idempotency::keyed;
use super::in_sessions::Conversation;
use crate::harness::{PATIENCE, eventually, unique};

fn with(if_busy: &str) -> Value {
    json!({"if_busy": if_busy})
}

#[test]
fn tasks_of_a_session_run_side_by_side_unless_it_is_said_otherwise() {
    let (_hub, client) = caller();
    let it = Conversation::new(&client);
    let all = [it.submit(json!({})), it.submit(with("parallel")), it.submit(json!({}))];
    assert!(all.iter().all(|task| it.desk.status(&task.id) == "pending"));
}

#[test]
fn a_task_is_rejected_while_another_is_unfinished() {
    let (_hub, client) = caller();
    let it = Conversation::new(&client);
    let (first, held) = it.run(with("reject"));
    let mut body = it.body();
    body["if_busy"] = json!("reject");
    let refused = client.post(&it.path(), &body).problem(409, "conflict");
    assert!(refused["detail"].as_str().unwrap().contains(&first.id), "{refused}");
    // A repeat under the same key is decided anew: there was no room, and now there may be.
    let keyed = keyed(&client, &unique("key"));
    keyed.post(&it.path(), &body).problem(409, "conflict");
    it.desk.post(&held, "complete", json!({})).ok();
    keyed.post(&it.path(), &body).ok();
    let messages = client.get(&format!("/sessions/{}/messages", it.session)).ok();
    assert_eq!(messages["count"], 2, "what is refused leaves no message");
}

#[test]
fn a_task_waits_for_those_before_it() {
    let (_hub, client) = caller();
    let it = Conversation::new(&client);
    let (_, held) = it.run(json!({}));
    let mut body = it.body();
    body["if_busy"] = json!("enqueue");
    let second = client.post(&it.path(), &body).ok();
    assert_eq!(second["status"], "waiting");
    let second = second["task_id"].as_str().unwrap().to_owned();
    let third = it.submit(with("enqueue"));
    let why = client.get(&format!("/tasks/{second}/why")).ok();
    assert_eq!((&why["status"], &why["reason"]), (&json!("waiting"), &json!("waiting_for_tasks")));
    assert!(it.desk.claim(it.node()).is_empty());

    // Whatever the outcome.
    it.desk.post(&held, "fail", json!({"error": "broken", "retryable": false})).ok();
    let held = eventually("the second", PATIENCE, || it.desk.claim(it.node()).pop());
    assert_eq!((&held.id, it.desk.status(&third.id).as_str()), (&second, "waiting"));
    assert_eq!(held.task["inputs"][0]["status"], "failed");
    // One that is cancelled while it waits lets nobody go before its time.
    let fourth = it.submit(with("enqueue"));
    client.post_empty(&format!("/tasks/{}/cancel", third.id)).ok();
    assert_eq!(it.desk.status(&fourth.id), "waiting");
    it.desk.post(&held, "complete", json!({})).ok();
    let held = eventually("the fourth", PATIENCE, || it.desk.claim(it.node()).pop());
    assert_eq!(held.id, fourth.id);
}

#[test]
fn a_task_takes_the_place_of_those_before_it() {
    let (_hub, client) = caller();
    for (if_busy, is_superseded) in [("interrupt", false), ("rollback", true)] {
        let it = Conversation::new(&client);
        let (running, held) = it.run(json!({}));
        let waiting = it.submit(json!({}));
        let next = it.submit(with(if_busy));
        for ended in [&running, &waiting] {
            assert_eq!(it.desk.status(&ended.id), "cancelled");
            assert_eq!(it.told_types(ended).last().unwrap(), "message_end");
            let message = it.message(ended);
            assert_eq!(message["is_complete"], true);
            let mark = is_superseded.then_some(json!(true)).unwrap_or_default();
            assert_eq!(message["metadata"]["superseded"], mark, "{message}");
            assert_eq!(message["metadata"]["task_id"], json!(ended.id));
            let (_, end) = it.told(ended).pop().unwrap();
            assert_eq!(end["superseded"], mark);
        }
        // Whoever ran it hears of it, and what it does then does not count.
        let answer = it.desk.post(&held, "complete", json!({}));
        answer.problem(409, "fenced");
        assert_eq!(it.desk.claim_one(it.node()).id, next.id);
    }
}

#[test]
fn a_session_says_what_its_tasks_do() {
    let (_hub, client) = caller();
    let it = Conversation::in_session(&client, with("reject"));
    let shown = client.get(&format!("/sessions/{}", it.session)).ok();
    assert_eq!(shown["if_busy"], "reject");
    it.submit(json!({}));
    client.post(&it.path(), &it.body()).problem(409, "conflict");
    // A task may say otherwise.
    it.submit(with("parallel"));

    client.post("/sessions", &with("queue")).problem_with(422, "validation_failed", "if_busy");
    let mut body = it.body();
    body["if_busy"] = json!("later");
    client.post(&it.path(), &body).problem_with(422, "validation_failed", "if_busy");
}

#[test]
fn a_closed_session_ends_no_task() {
    let (_hub, client) = caller();
    let it = Conversation::new(&client);
    let first = it.submit(json!({}));
    client.delete(&format!("/sessions/{}", it.session)).ok();
    let mut body = it.body();
    body["if_busy"] = json!("interrupt");
    client.post(&it.path(), &body).problem(409, "conflict");
    assert_eq!(it.desk.status(&first.id), "pending");
}

#[test]
fn more_than_twenty_are_not_ended_at_once() {
    let (_hub, client) = caller();
    let it = Conversation::new(&client);
    let mut all: Vec<_> = (0..21).map(|_| it.submit(json!({}))).collect();
    let mut body = it.body();
    body["if_busy"] = json!("interrupt");
    client.post(&it.path(), &body).problem(409, "conflict");
    assert_eq!(it.desk.status(&all[0].id), "pending");
    let last = all.pop().unwrap();
    client.post_empty(&format!("/tasks/{}/cancel", last.id)).ok();
    it.submit(with("interrupt"));
    assert!(all.iter().all(|task| it.desk.status(&task.id) == "cancelled"));
}

#[test]
fn of_many_at_once_one_is_taken() {
    let (_hub, client) = caller();
    let it = &Conversation::new(&client);
    let mut body = it.body();
    body["if_busy"] = json!("reject");
    let taken = std::thread::scope(|scope| {
        let ask = || (client.post(&it.path(), &body).status == 200) as usize;
        let asked: Vec<_> = (0..16).map(|_| scope.spawn(ask)).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).sum::<usize>()
    });
    assert_eq!(taken, 1);
}
