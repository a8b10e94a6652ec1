//! Costs that one sets and another pays, in commands and bytes of Redis and never in time.

use serde_json::{Value, json};

use super::{commands, cost, new_tenant, task};
use crate::harness::{Client, Hub, Message, PATIENCE, eventually, unique};

/// Bytes that Redis has sent so far to scripts and clients cannot be asked for; how long its commands
/// took can: this is the longest of a kind of command so far, in entries that it had to read.
fn xrange_calls(redis: &mut redis::Connection) -> u64 {
    let text: String = redis::cmd("INFO").arg("commandstats").query(redis).unwrap();
    let lines = text.lines().filter(|line| line.starts_with("cmdstat_xr"));
    lines
        .filter_map(|line| line.split_once("calls=")?.1.split(',').next()?.parse::<u64>().ok())
        .sum()
}

#[test]
fn a_page_of_a_long_log_is_found_by_halving_and_is_the_right_one() {
    let hub = Hub::start();
    let (_, alice) = new_tenant(&hub);
    let Message { session, id: message, .. } = Message::begin(&alice);
    for n in 0..1100 {
        let delta = json!({"delta": format!("{n} ")});
        alice.post(&format!("/messages/{message}/append"), &delta).ok();
    }
    let mut redis = hub.private_redis();
    for after in [101, 102, 500, 777, 1000, 1099, 1100] {
        let before = xrange_calls(&mut redis);
        let path = format!("/messages/{message}/events?after={after}&limit=5");
        let page = alice.get(&path).ok();
        let numbers = page["events"].as_array().unwrap().iter();
        let numbers: Vec<i64> = numbers.map(|it| it["sequence"].as_i64().unwrap()).collect();
        let expected: Vec<i64> = (after + 1..=1101.min(after + 5)).collect();
        assert_eq!(numbers, expected, "after {after}");
        assert!(xrange_calls(&mut redis) - before < 40, "after {after}");

        // A stream from there: by number, then by the place that it was given.
        let path = format!("/sessions/{session}/messages/{message}/stream?last_id=");
        let mut stream = alice.stream(&format!("{path}{after}"));
        let first = stream.next_event().unwrap();
        assert_eq!(first.told().1["sequence"], after + 1);
        if after < 1100 {
            let mut stream = alice.stream(&format!("{path}{}", first.cursor()));
            assert_eq!(stream.next_event().unwrap().told().1["sequence"], after + 2);
        }
    }
}

/// How many scripts Redis has run so far.
fn scripts(redis: &mut redis::Connection) -> u64 {
    let text: String = redis::cmd("INFO").arg("commandstats").query(redis).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("cmdstat_fcall:calls="));
    line.unwrap().split(',').next().unwrap().parse().unwrap()
}

#[test]
fn a_page_of_large_rows_is_read_row_by_row() {
    let hub = Hub::start();
    let (_, alice) = new_tenant(&hub);
    let large = json!({"name": "large", "parameters": {"text": "x".repeat(200_000)}});
    let ids: Vec<Value> =
        (0..8).map(|_| alice.post("/tasks", &large).ok()["task_id"].clone()).collect();
    let mut redis = hub.private_redis();
    let before = scripts(&mut redis);
    let listed = alice.get("/tasks").list();
    let read = scripts(&mut redis) - before;
    let listed: Vec<Value> = listed.iter().rev().map(|task| task["task_id"].clone()).collect();
    assert_eq!(listed, ids);
    assert!(read >= 8, "{read}");
    // Small ones are read together.
    for _ in 0..90 {
        alice.post("/tasks", &task("dig")).ok();
    }
    // The monitor runs some, too, now and then.
    eventually("a page by one script", PATIENCE, || {
        let before = scripts(&mut redis);
        assert_eq!(alice.get("/tasks?limit=90").list().len(), 90);
        (scripts(&mut redis) - before == 1).then_some(())
    });
}

#[test]
fn a_claim_does_not_pay_for_what_others_wait_for() {
    let hub = Hub::start();
    let (_, alice) = new_tenant(&hub);
    let (_, mallory) = new_tenant(&hub);
    let node = alice.new_node_with("worker", &["dig"])["node_id"].clone();
    // Nodes with all of these skills, so that the sets are listed under the one that is rarest: dig.
    let names: Vec<String> = (0..99).map(|n| format!("skill-{n}")).collect();
    let skills: Vec<&str> = names.iter().map(String::as_str).collect();
    mallory.new_node_with("decoy", &skills);
    mallory.new_node_with("decoy", &skills);
    let mut redis = hub.private_redis();
    let round = || {
        alice.post("/tasks", &task("dig")).ok();
        let claimed = alice.post("/tasks/claim", &json!({"node_id": node})).ok();
        let task = &claimed["tasks"][0];
        let path = format!("/tasks/{}/complete", task["task_id"].as_str().unwrap());
        alice.post(&path, &json!({"token": task["token"]})).ok();
    };
    round();
    let quiet = cost(&mut redis, round);
    let mut sets = 0;
    'sets: for first in 0..99 {
        for second in first + 1..99 {
            let wants = json!(["dig", names[first], names[second]]);
            let answer =
                mallory.post("/tasks", &json!({"name": "decoy", "required_skills": wants}));
            if answer.status == 409 {
                answer.problem(409, "quota_exceeded");
                break 'sets;
            }
            answer.ok();
            sets += 1;
        }
    }
    assert_eq!(sets, 200);
    let loud = cost(&mut redis, round);
    assert!(loud <= quiet + 200 / 4, "a claim took {loud} commands, {quiet} in quiet");
}

#[test]
fn a_page_of_sessions_is_bounded() {
    let hub = Hub::start();
    let (_, alice) = new_tenant(&hub);
    let mut ids = Vec::new();
    for _ in 0..130 {
        ids.push(alice.post_empty("/sessions").ok()["session_id"].clone());
    }
    ids.reverse();
    let mut redis = hub.private_redis();
    let before = commands(&mut redis);
    let answer = alice.get("/sessions?limit=1000");
    let first = answer.list();
    let cost = commands(&mut redis) - before;
    assert!(cost < 600, "{cost} commands for one page");
    assert_eq!(first.len(), 100);
    let link = answer.header("link").expect("no next page");
    let next = link.split_once("/api/v1").unwrap().1.split_once('>').unwrap().0;
    let second = alice.get(next).list();
    let listed = first.iter().chain(&second).map(|session| session["session_id"].clone());
    assert_eq!(listed.collect::<Vec<Value>>(), ids);
}

#[test]
fn what_is_kept_for_repeats_is_small_and_the_repeat_right_whatever_became_of_the_task() {
    let hub = Hub::start();
    let (_, alice) = new_tenant(&hub);
    let node = alice.new_node_with("worker", &["dig"])["node_id"].clone();
    let mut body = task("dig");
    body["parameters"] = json!({"text": "x".repeat(50_000)});
    let keyed = |client: &Client| client.with("idempotency-key", &unique("key"));

    let (submitting, claiming, completing) = (keyed(&alice), keyed(&alice), keyed(&alice));
    body["task_id"] = json!(unique("task"));
    let path = format!("/tasks/{}", body["task_id"].as_str().unwrap());
    let submitted = submitting.post("/tasks", &body);
    let claim = json!({"node_id": node});
    let claimed = claiming.post("/tasks/claim", &claim);
    let token = claimed.ok()["tasks"][0]["token"].clone();
    let result = json!({"token": token, "result": {"text": "y".repeat(50_000)}});
    let completed = completing.post(&format!("{path}/complete"), &result);
    completed.ok();

    let mut redis = hub.private_redis();
    let largest = |redis: &mut redis::Connection| -> u64 {
        let names: Vec<String> = redis::cmd("KEYS").arg("reef:idempotency:*").query(redis).unwrap();
        let sizes =
            names.iter().map(|name| redis::cmd("STRLEN").arg(name).query::<u64>(redis).unwrap());
        sizes.max().unwrap()
    };
    assert!(largest(&mut redis) < 2000, "{}", largest(&mut redis));

    let assert_repeated = || {
        for (client, path, body, first) in [
            (&submitting, "/tasks".to_owned(), &body, &submitted),
            (&claiming, "/tasks/claim".to_owned(), &claim, &claimed),
            (&completing, format!("{path}/complete"), &result, &completed),
        ] {
            let again = client.post(&path, body);
            assert_eq!(again.header("idempotent-replayed"), Some("true"), "{again}");
            assert!(again.text() == first.text(), "{path}: another answer");
        }
    };
    assert_repeated();
    alice.delete(&path).ok();
    assert_repeated();
    // Another task of the same name is another one.
    let other = json!({"name": "other", "task_id": body["task_id"], "parameters": {"text": "z".repeat(60_000)}});
    alice.post("/tasks", &other).ok();
    assert_repeated();
}
