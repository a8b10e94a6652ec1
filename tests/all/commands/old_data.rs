//! What earlier versions and old clients left in Redis is bounded by nothing, and some of it nobody
//! can read. It costs itself and nothing else: the hub, its commands and its workers go on.

use redis::Commands as _;
use serde_json::{Value, json};

use super::Shell;
use crate::contract::Desk;
use crate::harness::{Client, Hub, PATIENCE, eventually, unique};

/// What an earlier version took, and readers of JSON do not.
const UNREADABLE: [&str; 3] = [r#"{"a":"\ud800"}"#, r#"{"a":1e400}"#, "DEEP"];

fn unreadable(n: usize) -> String {
    match UNREADABLE[n] {
        "DEEP" => format!(r#"{{"a":{}{}}}"#, "[".repeat(400_000), "]".repeat(400_000)),
        text => text.to_owned(),
    }
}

/// Puts other parameters into a stored task.
fn spoil(redis: &mut redis::Connection, task: &str, parameters: &str) {
    let spec: String = redis.hget(format!("reef:task:{task}"), "spec").unwrap();
    let spoilt = spec.replace(r#""parameters":{}"#, &format!(r#""parameters":{parameters}"#));
    assert_ne!(spec, spoilt);
    let _: i64 = redis.hset(format!("reef:task:{task}"), "spec", spoilt).unwrap();
}

#[test]
fn commands_name_the_entry_that_cannot_be_read_and_show_the_others() {
    let hub = Hub::start();
    let (client, shell, mut redis) = (hub.admin(), Shell::of(&hub), hub.private_redis());
    let desk = Desk::new(&client);
    let bad: Vec<String> = (0..UNREADABLE.len()).map(|_| desk.submit(json!({}))).collect();
    let good = desk.submit(json!({}));
    for (n, id) in bad.iter().enumerate() {
        spoil(&mut redis, id, &unreadable(n));
    }
    let listed = shell.run(&["tasks", "list"]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    for id in bad.iter().chain([&good]) {
        assert!(listed.stdout.contains(id), "{id}: {}", listed.stdout);
    }
    for id in &bad {
        let named = listed.stderr.lines().any(|line| line.contains(&format!("task {id}: ")));
        assert!(named, "{}", listed.stderr);
        let shown = shell.run(&["tasks", "show", id]);
        assert_eq!(shown.code, Some(0), "{shown:?}");
        assert!(shown.stdout.contains(id) && shown.stderr.contains("parameters"), "{shown:?}");
        client.post_empty(&format!("/tasks/{id}/cancel"));
        let watched = shell.run(&["tasks", "watch", id]);
        assert!(watched.stderr.contains("has ended: cancelled"), "{watched:?}");
    }
    assert!(!listed.stderr.contains(&good), "{}", listed.stderr);
    shell.ok(&["cleanup", "--tasks", "0d", "--dry-run"]);

    let agent = client.new_agent().id;
    let _: i64 = redis.hset(format!("agent:{agent}"), "metadata", unreadable(0)).unwrap();
    let sent = json!({"from": agent, "content": "CONTENT"});
    let path = format!("/inbox/{agent}");
    let mail = client.post(&path, &sent).ok()["msg_id"].as_str().unwrap().to_owned();
    client.post(&path, &sent).ok();
    let key = format!("reef:inbox:{agent}:mail");
    let text: String = redis.hget(&key, &mail).unwrap();
    let _: i64 = redis.hset(&key, &mail, text.replace(r#""CONTENT""#, &unreadable(1))).unwrap();
    for args in [&["agents", "list"][..], &["inbox", "list", &agent], &["inbox", "receive", &agent]]
    {
        let listed = shell.run(args);
        assert_eq!(listed.code, Some(0), "{listed:?}");
        assert!(listed.stdout.contains(&agent), "{listed:?}");
        assert!(listed.stderr.contains("cannot be read"), "{listed:?}");
    }
    shell.ok(&["ledger", "verify"]);
}

#[test]
fn a_worker_fails_the_task_that_it_cannot_read_and_runs_the_others() {
    let hub = Hub::start();
    let (client, mut redis) = (hub.admin(), hub.private_redis());
    let desk = Desk::new(&client);
    let bad: Vec<String> = (0..UNREADABLE.len()).map(|_| desk.submit(json!({}))).collect();
    let good = desk.submit(json!({}));
    for (n, id) in bad.iter().enumerate() {
        spoil(&mut redis, id, &unreadable(n));
    }
    let agent = client.new_agent();
    let shell = Shell::at(hub.url()).with("REEF_API_KEY", &agent.key);
    let hostname = unique("worker");
    let args = [
        "worker",
        "--skill",
        &desk.skill,
        "--slots",
        "8",
        "--hostname",
        &hostname,
        "--exec",
        "cat",
    ];
    let worker = shell.start(&args);
    let ended = |id: &str| -> Value {
        eventually(&format!("the end of {id}: {}", worker.stderr()), PATIENCE, || {
            let answer = client.get(&format!("/tasks/{id}"));
            let body: Value = lenient(&answer.body);
            matches!(body["status"].as_str(), Some("completed" | "failed" | "timeout"))
                .then_some(body)
        })
    };
    assert_eq!(ended(&good)["status"], "completed");
    for id in &bad {
        let task = ended(id);
        assert_eq!((&task["status"], &task["retry_count"]), (&json!("failed"), &json!(0)), "{id}");
        assert!(task["error"].as_str().unwrap().contains("parameters"), "{}", task["error"]);
    }
}

/// An answer whose parameters do not matter and may be anything.
fn lenient(body: &[u8]) -> Value {
    #[derive(serde::Deserialize)]
    struct Task {
        status: String,
        retry_count: i64,
        error: Option<String>,
    }
    let Task { status, retry_count, error } = serde_json::from_slice(body).unwrap();
    json!({"status": status, "retry_count": retry_count, "error": error})
}

/// Follows the pages of a list to its end, and counts what is on them.
fn count(client: &Client, path: &str, member: &str) -> usize {
    let (mut count, mut path) = (0, Some(path.to_owned()));
    while let Some(current) = path {
        let answer = client.get(&current);
        count += answer.ok()[member].as_array().unwrap().len();
        path = answer.header("link").map(|link| {
            let (target, _) = link.trim_start_matches('<').split_once('>').unwrap();
            target.trim_start_matches("/api/v1").to_owned()
        });
    }
    count
}

#[test]
fn what_was_stored_before_there_were_bounds_is_still_listed() {
    let hub = Hub::start();
    let (client, shell, mut redis) = (hub.admin(), Shell::of(&hub), hub.private_redis());
    let megabyte = "x".repeat(1_000_000);
    for _ in 0..17 {
        let agent = client.new_agent().id;
        let metadata = json!({"text": megabyte}).to_string();
        let _: i64 = redis.hset(format!("agent:{agent}"), "metadata", metadata).unwrap();
    }
    assert!(count(&client, "/agents?limit=1000", "agents") >= 17);
    shell.ok(&["ledger", "verify"]);
    let first = shell.run(&["agents", "list"]);
    assert!(first.stderr.contains("there are more: --cursor"), "{}", first.stderr);

    // An old client's mail may be of any size, and none of it is lost or tried in vain.
    let agent = unique("agent");
    for n in 0..20 {
        let text = if n == 7 { "y".repeat(20_000_000) } else { megabyte.clone() };
        let _: i64 = redis.lpush(format!("inbox:{agent}"), text).unwrap();
    }
    assert_eq!(count(&client, &format!("/inbox/{agent}?limit=1000"), "messages"), 20);
    let mut received = Vec::new();
    while received.len() < 20 {
        let taken = client.post(&format!("/inbox/{agent}/receive"), &json!({"limit": 20})).ok();
        let taken = taken["messages"].as_array().unwrap().clone();
        assert!(!taken.is_empty(), "{} were received", received.len());
        assert!(taken.iter().all(|mail| mail["attempts"] == 1));
        received.extend(taken.into_iter().map(|mail| mail["receipt"].clone()));
    }
    let acknowledged = client.post(&format!("/inbox/{agent}/ack"), &json!({"receipts": received}));
    assert_eq!(acknowledged.ok()["acknowledged"], 20);

    let session = client.post_empty("/sessions").ok()["session_id"].as_str().unwrap().to_owned();
    let metadata = json!({"text": megabyte}).to_string();
    let _: i64 = redis.hset(format!("reef:session:{session}"), "metadata", metadata).unwrap();
    let sessions = client.get("/sessions?limit=1000").list();
    assert_eq!(sessions[0]["session_id"], session);
}
