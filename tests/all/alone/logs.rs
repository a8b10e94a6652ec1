//! Logs of tasks: their streams, and what is left of them in Redis.

use serde_json::{Value, json};

use crate::contract::{Desk, Held};
use crate::harness::{
    Client, End, EventStream, Frame, Hub, PATIENCE, RedisServer, eventually, unique,
};

fn path(task: &str) -> String {
    format!("/tasks/{task}/log/stream")
}

fn say(desk: &Desk, held: &Held, texts: &[String]) -> Value {
    let lines: Vec<Value> = texts.iter().map(|text| json!({ "text": text })).collect();
    desk.post(held, "log", json!({ "lines": lines })).ok()
}

fn numbers(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|n| n.to_string()).collect()
}

/// What events say: the texts of lines, and the types of others.
fn told(frames: &[Frame]) -> Vec<String> {
    let said = |frame: &Frame| match frame.told() {
        ("line", data) => data["text"].as_str().unwrap().to_owned(),
        (other, _) => other.to_owned(),
    };
    frames.iter().map(said).collect()
}

fn follow(client: &Client, task: &str, cursor: &str) -> EventStream {
    let stream = client.stream(&format!("{}?last_id={cursor}", path(task)));
    assert_eq!(stream.status, 200, "{cursor}");
    stream
}

/// A task that is held at a desk of a hub.
fn begin(hub: &Hub) -> (Desk, Held) {
    let desk = Desk::new(&hub.admin());
    let node = desk.node(5);
    desk.submit(json!({}));
    let held = desk.claim_one(&node);
    (desk, held)
}

#[track_caller]
fn assert_followed(hub: &Hub) {
    let desk = Desk::new(&hub.admin());
    let node = desk.node(5);
    let task = desk.submit(json!({}));
    // From before anybody runs it.
    let mut early = follow(&desk.client, &task, "0");
    let held = desk.claim_one(&node);
    say(&desk, &held, &["one".to_owned(), "two\u{2028}".to_owned()]);
    assert_eq!(told(&early.take_events(2)), ["one", "two\u{2028}"]);
    say(&desk, &held, &["three".to_owned()]);
    assert_eq!(told(&early.take_events(1)), ["three"]);
    let mut running = follow(&desk.client, &task, "0");
    let mut all = running.take_events(3);
    desk.post(&held, "complete", json!({})).ok();
    for stream in [&mut early, &mut running] {
        let (rest, end) = stream.rest();
        assert_eq!((told(&rest), end), (vec!["end".to_owned()], End::Said));
        assert_eq!(rest[0].told().1, json!({"status": "completed"}));
        all.truncate(3);
        all.extend(rest);
    }
    // Each place leads to what comes after it, however it is named.
    for (at, frame) in all.iter().enumerate() {
        let by_header = desk.client.with("last-event-id", frame.cursor());
        let query = format!("{}?last_id={}", path(&task), frame.cursor());
        for mut stream in [desk.client.stream(&query), by_header.stream(&path(&task))] {
            if at == 3 {
                assert_eq!((stream.status, stream.next_frame()), (204, None));
            } else {
                assert_eq!(stream.rest(), (all[at + 1..].to_vec(), End::Said));
            }
        }
    }
}

#[test]
fn a_stream_follows_a_task_to_its_end() {
    assert_followed(&Hub::start());
}

#[test]
fn the_same_in_the_cluster_layout() {
    let server = RedisServer::start_cluster();
    assert_followed(&Hub::options().redis(&server).variable("key_layout", "cluster").start());
}

#[test]
fn a_stream_ends_with_tasks_that_have_never_said_anything() {
    let hub = Hub::start();
    let desk = Desk::new(&hub.admin());
    let task = desk.submit(json!({}));
    let mut stream = follow(&desk.client, &task, "0");
    desk.client.post_empty(&format!("/tasks/{task}/cancel")).ok();
    let (frames, end) = stream.rest();
    assert_eq!((told(&frames), end), (vec!["end".to_owned()], End::Said));
    assert_eq!(frames[0].told().1["status"], "cancelled");
    let path = path(&task);
    let again = desk.client.stream(&format!("{path}?last_id={}", frames[0].cursor()));
    assert_eq!(again.status, 204);
    // It is tried again, and so its stream goes on.
    let mut stream = {
        desk.client.post_empty(&format!("/tasks/{task}/retry")).ok();
        follow(&desk.client, &task, frames[0].cursor())
    };
    let held = desk.claim_one(&desk.node(1));
    say(&desk, &held, &["again".to_owned()]);
    assert_eq!(told(&stream.take_events(1)), ["again"]);
    desk.post(&held, "fail", json!({"error": "no", "retryable": false})).ok();
    assert_eq!(stream.rest().0[0].told().1["status"], "failed");

    desk.client.get("/tasks/unknown/log/stream").problem(404, "not_found");
    desk.client.get("/tasks/@x/log/stream").problem(422, "validation_failed");
    desk.client.get(&format!("{path}?last_id=x")).problem_with(400, "invalid_parameter", "last_id");
    desk.client.post_empty(&path).problem(405, "method_not_allowed");
}

#[test]
fn a_stream_is_for_those_who_may_see_the_task() {
    let hub = Hub::start();
    let (alice, bob) = (hub.admin().new_agent(), hub.admin().new_agent());
    let desk = Desk::new(&alice.client);
    let task = desk.submit(json!({}));
    bob.client.get(&path(&task)).problem(404, "not_found");
    hub.anonymous().get(&path(&task)).problem(401, "unauthenticated");
    let mut own = follow(&alice.client, &task, "0");
    let mut admins = follow(&hub.admin(), &task, "0");
    alice.client.post_empty(&format!("/tasks/{task}/cancel")).ok();
    assert_eq!(told(&own.rest().0), ["end"]);
    assert_eq!(told(&admins.rest().0), ["end"]);
}

#[test]
fn lines_that_have_given_way_are_a_gap() {
    let hub = Hub::start();
    let (desk, held) = begin(&hub);
    let first = say(&desk, &held, &numbers(0, 100))["cursor"].as_str().unwrap().to_owned();
    for batch in numbers(100, 2300).chunks(100) {
        say(&desk, &held, batch);
    }
    desk.post(&held, "complete", json!({})).ok();
    let expected: Vec<String> = std::iter::once("snapshot".to_owned())
        .chain(numbers(300, 2300))
        .chain(["end".to_owned()])
        .collect();
    for cursor in ["0", &first] {
        let (frames, _) = follow(&desk.client, &held.id, cursor).rest();
        assert_eq!(told(&frames), expected, "{cursor}");
        let gap = frames[0].told().1["gap"].clone();
        assert_eq!((&gap["from"], &gap["to"]), (&json!(cursor), &json!(frames[0].cursor())));
        // Who comes back with the place of the gap is not told of it again.
        let (again, _) = follow(&desk.client, &held.id, frames[0].cursor()).rest();
        assert_eq!(told(&again), expected[1..]);
    }
}

#[test]
fn a_reader_whose_connection_breaks_again_and_again_misses_and_repeats_nothing() {
    const LINES: usize = 1500;
    let hub = Hub::start();
    let (desk, held) = begin(&hub);
    let writer = std::thread::spawn({
        let (client, skill, held) = (desk.client.clone(), desk.skill.clone(), held.clone());
        move || {
            let desk = Desk { client, skill };
            for batch in numbers(0, LINES).chunks(7) {
                say(&desk, &held, batch);
            }
            desk.post(&held, "complete", json!({})).ok();
        }
    });
    let (mut cursor, mut seen, mut cuts) = ("0".to_owned(), Vec::new(), 0);
    let mut bytes = 700;
    loop {
        bytes = bytes * 7 % 9001 + 600;
        let at = format!("{}?last_id={cursor}", path(&held.id));
        let Some(mut stream) = desk.client.stream_and_cut(&at, bytes) else { continue };
        let (frames, end) = stream.rest();
        cursor = frames.last().map_or(cursor, |frame| frame.cursor().to_owned());
        seen.extend(told(&frames));
        if end == End::Said {
            break;
        }
        cuts += 1;
    }
    writer.join().unwrap();
    assert_eq!(seen.pop().as_deref(), Some("end"));
    assert_eq!(seen, numbers(0, LINES));
    assert!(cuts > 20, "{cuts}");
}

/// The keys of logs.
fn keys(redis: &mut redis::Connection) -> Vec<String> {
    redis::cmd("KEYS").arg("reef:tasklog*").query(redis).unwrap()
}

#[test]
fn a_log_is_bounded_in_time_and_goes_with_its_task_whoever_removes_that() {
    const DAY_MS: i64 = 86_400_000;
    let hub = Hub::start();
    let desk = Desk::new(&hub.admin());
    let node = desk.node(20);
    let mut redis = hub.private_redis();
    let name = unique("logged");
    let logged = || {
        desk.submit(json!({ "name": name }));
        let held = desk.claim_one(&node);
        say(&desk, &held, &["x".to_owned()]);
        desk.post(&held, "complete", json!({})).ok();
        held.id
    };
    let client = &desk.client;
    let task = logged();
    let mut stream = follow(client, &task, "0");
    assert_eq!(told(&stream.rest().0), ["x", "end"]);
    let found = keys(&mut redis);
    assert_eq!(found.len(), 2, "{found:?}");
    for key in &found {
        let left: i64 = redis::cmd("PTTL").arg(key).query(&mut redis).unwrap();
        assert!((6 * DAY_MS..=7 * DAY_MS).contains(&left), "{key}: {left}");
    }
    client.delete(&format!("/tasks/{task}")).ok();
    assert_eq!(keys(&mut redis), Vec::<String>::new());

    let gone = |redis: &mut redis::Connection, what: &str| {
        eventually(what, PATIENCE, || {
            let left: i64 = redis::cmd("ZCARD").arg("reef:tasks:claims-over").query(redis).unwrap();
            (left == 0 && keys(redis).is_empty()).then_some(())
        });
    };
    let several: Vec<String> = (0..3).map(|_| logged()).collect();
    assert_eq!(keys(&mut redis).len(), 6);
    let bulk = json!({"action": "remove", "filter": {"name": name}, "reason": "test", "most": 10});
    client.post("/bulk", &bulk).ok();
    gone(&mut redis, "logs after a removal of many");
    for task in &several {
        client.get(&format!("/tasks/{task}/log")).problem(404, "not_found");
    }
    logged();
    client.post("/tasks/cleanup", &json!({"days": 0})).ok();
    gone(&mut redis, "logs after a clean-up");
}

#[test]
fn a_reader_is_told_when_the_task_is_removed() {
    let hub = Hub::start();
    let (desk, held) = begin(&hub);
    say(&desk, &held, &["x".to_owned()]);
    desk.post(&held, "complete", json!({})).ok();
    // One that waits: the task is tried again, and then taken away.
    let task = desk.submit(json!({"required_skills": [unique("nobody")]}));
    let mut waiting = follow(&desk.client, &task, "0");
    assert!(waiting.next_frame().unwrap().retry.is_some());
    desk.client.post_empty(&format!("/tasks/{task}/cancel")).ok();
    assert_eq!(told(&waiting.rest().0), ["end"]);
    desk.client.delete(&format!("/tasks/{task}")).ok();
    desk.client.get(&path(&task)).problem(404, "not_found");
}

#[test]
fn tasks_without_logs_pay_nothing_for_them() {
    let hub = Hub::start();
    let desk = Desk::new(&hub.admin());
    let node = desk.node(20);
    let mut redis = hub.private_redis();
    let task = desk.submit(json!({}));
    let held = desk.claim_one(&node);
    desk.post(&held, "progress", json!({"progress": 0.5})).ok();
    desk.post(&held, "complete", json!({})).ok();
    desk.client.get(&format!("/tasks/{task}/log")).ok();
    desk.client.delete(&format!("/tasks/{task}")).ok();
    assert_eq!(keys(&mut redis), Vec::<String>::new());
    let over: i64 = redis::cmd("ZCARD").arg("reef:tasks:claims-over").query(&mut redis).unwrap();
    assert_eq!(over, 0);
}
