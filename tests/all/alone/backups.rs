//! Backups: what is restored is what was there, under whatever names; a backup that is taken while
//! the hub works is of one instant; nothing is restored over data, or from a damaged file.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::contract::Desk;
use crate::harness::{Client, Hub, Output, PATIENCE, Program, RedisServer, eventually, reef};

fn run(args: &[&str]) -> Output {
    let output = Program::run(reef().args(args), PATIENCE);
    assert!(!output.stderr.contains('\u{1b}'), "no bar off a terminal: {output:?}");
    output
}

#[track_caller]
pub fn ok(args: &[&str]) -> Value {
    let output = run(&[args, &["--json"]].concat());
    assert!(output.status.success(), "{output:?}");
    serde_json::from_str(&output.stdout).unwrap()
}

#[track_caller]
pub fn refused(args: &[&str], code: i32, words: &str) {
    let output = run(args);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert!(output.stderr.contains(words), "{words:?}: {output:?}");
}

/// A server that gives a snapshot at once.
pub fn server() -> RedisServer {
    let server = RedisServer::start();
    let mut delay = redis::cmd("CONFIG");
    delay.arg("SET").arg("repl-diskless-sync-delay").arg(0);
    delay.query::<()>(&mut server.connect()).unwrap();
    server
}

/// Fills a hub with something of everything, and names what can be read of it.
fn fill(client: &Client) -> Vec<String> {
    let desk = Desk::new(client);
    let node = desk.node(5);
    client.beat(&node, &json!({"cpu_usage": 12.5}));
    client.new_node("other");
    let campaign = json!({"node_id": node, "ttl_ms": 600_000});
    client.post("/cluster/leader/campaign", &campaign).ok();
    let session = client.post("/sessions", &json!({"metadata": {"a": [1]}})).ok();
    let session = session["session_id"].as_str().unwrap();
    let sent = client.post(&format!("/sessions/{session}/messages"), &json!({"content": "é?"}));
    let answer = sent.ok()["assistant_message_id"].as_str().unwrap().to_owned();
    for delta in ["one ", "two ", "drei ü"] {
        client.post(&format!("/messages/{answer}/append"), &json!({"delta": delta})).ok();
    }
    let large = json!({"content_type": "text", "text": {"text": "x".repeat(20_000)}});
    let block = client.post(&format!("/messages/{answer}/content"), &large).ok();
    let block = block["content_id"].as_str().unwrap().to_owned();
    let task = json!({"task_description": "say it", "workflow": "critic"});
    client.post(&format!("/sessions/{session}/tasks"), &task).ok();
    let done = desk.submit(json!({"priority": 0}));
    let held = desk.claim_one(&node);
    assert_eq!(held.id, done);
    let result = json!({"token": held.token, "result": {"n": 1.5}});
    client.post(&format!("/tasks/{done}/complete"), &result).ok();
    let dead = desk.submit(json!({"max_retries": 0}));
    let held = desk.claim_one(&node);
    let error = json!({"token": held.token, "error": "broken", "retryable": false});
    client.post(&format!("/tasks/{dead}/fail"), &error).ok();
    let waits = desk.submit(json!({"priority": 3}));
    desk.submit(json!({"delay_ms": 86_400_000}));
    desk.submit(json!({"optional_skills": ["o"], "affinity_tags": ["t"]}));
    for priority in ["low", "high"] {
        let mail = json!({"from": "me", "content": {"é": 1}, "priority": priority});
        client.post("/inbox/box", &mail).ok();
    }
    [
        "/nodes",
        "/nodes/available",
        "/tasks",
        "/tasks/pending",
        "/tasks/stats",
        "/tasks/dead",
        "/sessions",
        "/inbox/box",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain([
        format!("/nodes/skills/{}", desk.skill),
        format!("/tasks/{waits}"),
        format!("/sessions/{session}/messages"),
        format!("/messages/{answer}"),
        format!("/messages/{answer}/events"),
        format!("/messages/{answer}/content/{block}"),
    ])
    .collect()
}

/// What each path answers.
#[track_caller]
fn reads(client: &Client, paths: &[String]) -> BTreeMap<String, String> {
    let read = |path: &String| {
        let answer = client.get(path);
        assert_eq!(answer.status, 200, "{answer}");
        (path.clone(), without_incarnations(&answer.text()))
    };
    paths.iter().map(read).collect()
}

/// Those are new after a restoration.
fn without_incarnations(text: &str) -> String {
    let mut parts = text.split("\"incarnation\":");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| all + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

pub fn stop(hub: &mut Hub) {
    hub.terminate();
    assert!(hub.wait().success());
}

#[test]
fn what_is_restored_reads_as_it_did() {
    let redis = server();
    let mut hub = Hub::options().redis(&redis).start();
    let paths = fill(&hub.admin());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hub.backup");
    let file = file.to_str().unwrap();
    let url = redis.url();
    redis::cmd("SET").arg("else").arg(1).query::<()>(&mut redis.connect()).unwrap();
    let before = reads(&hub.admin(), &paths);
    let kept = ok(&["backup", file, "--redis-url", &url]);
    assert_eq!(kept["foreign_keys"], 1, "{kept}");
    refused(&["backup", file, "--redis-url", &url], 1, "is there already");

    stop(&mut hub);
    refused(&["restore", file, "--redis-url", &url], 1, "holds data of a hub");
    redis::cmd("FLUSHALL").query::<()>(&mut redis.connect()).unwrap();
    let restored = ok(&["restore", file, "--redis-url", &url]);
    assert_eq!(restored["keys"], kept["keys"]);
    hub.start_again();
    let client = hub.admin();
    assert_eq!(reads(&client, &paths), before);
    // And it works on: clocks, counters and the queue are where they were.
    let desk = Desk::new(&client);
    let node = desk.node(1);
    let task = desk.submit(json!({}));
    assert_eq!(desk.claim_one(&node).id, task);

    // Under other names, in a Redis Cluster of one shard.
    let cluster = RedisServer::start_cluster();
    let names = ["--key-layout", "cluster", "--key-prefix", "b:"];
    let url = cluster.url();
    let moved = ok(&[&["restore", file, "--redis-url", &url], &names[..]].concat());
    assert_eq!(moved["expired"], 0);
    let other = Hub::options().redis(&cluster).variable("key_layout", "cluster");
    let other = other.variable("key_prefix", "b:").start();
    assert_eq!(reads(&other.admin(), &paths), before);
}

#[test]
fn a_private_redis_is_kept_while_the_hub_runs_and_restored_when_it_does_not() {
    let mut hub = Hub::start();
    let paths = fill(&hub.admin());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("b").display().to_string();
    let state = hub.state_dir().display().to_string();
    let before = reads(&hub.admin(), &paths);
    ok(&["backup", &file, "--state-dir", &state]);
    refused(&["restore", &file, "--state-dir", &state], 2, "stop it");
    let sizes = ok(&["compact", "--state-dir", &state]);
    let size = |name: &str| sizes[name].as_u64().unwrap();
    assert!(size("bytes_after") > 0 && size("bytes_after") < size("bytes_before"), "{sizes}");
    assert_eq!(reads(&hub.admin(), &paths), before);

    stop(&mut hub);
    // Neither needs a hub that runs.
    let again = folder.path().join("again").display().to_string();
    ok(&["backup", &again, "--state-dir", &state]);
    ok(&["compact", "--state-dir", &state]);
    refused(&["restore", &file, "--state-dir", &state], 1, "holds data of a hub");
    std::fs::remove_dir_all(hub.state_dir().join("redis")).unwrap();
    ok(&["restore", &file, "--state-dir", &state]);
    hub.start_again();
    assert_eq!(reads(&hub.admin(), &paths), before);
}

#[test]
fn a_damaged_backup_changes_nothing_and_an_unfinished_one_is_not_served() {
    let redis = server();
    let mut hub = Hub::options().redis(&redis).start();
    hub.admin().new_node("n");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("b");
    let shown = file.display().to_string();
    let url = redis.url();
    ok(&["backup", &shown, "--redis-url", &url]);
    stop(&mut hub);
    redis::cmd("FLUSHALL").query::<()>(&mut redis.connect()).unwrap();
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() - 9]).unwrap();
    refused(&["restore", &shown, "--redis-url", &url], 1, "damaged");
    let left: i64 = redis::cmd("DBSIZE").query(&mut redis.connect()).unwrap();
    assert_eq!(left, 0);
    refused(&["restore", "/nowhere/b", "--redis-url", &url], 1, "cannot read");
    refused(&["backup", "x", "--redis-url", "redis://127.0.0.1:1"], 3, "cannot be reached");
    refused(&["backup", "x", "--state-dir", &shown], 2, "no private Redis");

    // What a restoration that was killed leaves.
    let mut guard = redis::cmd("SET");
    guard.arg("reef:schema").arg("999999999").query::<()>(&mut redis.connect()).unwrap();
    let command = &mut Hub::options().redis(&redis).command(hub.state_dir());
    let output = Program::run(command, PATIENCE);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn a_password_is_used_and_not_shown() {
    let redis = server();
    let hub = Hub::options().redis(&redis).start();
    hub.admin().new_node("n");
    let mut config = redis::cmd("CONFIG");
    config.arg("SET").arg("requirepass").arg("sesame").query::<()>(&mut redis.connect()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("b");
    let backup = |url: &str| {
        let mut command = reef();
        Program::run(command.arg("backup").arg(&file).env("REDIS_URL", url), PATIENCE)
    };
    let wrong = backup(&redis.url().replace("//", "//:open-sesame@"));
    assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
    assert!(!wrong.stderr.contains("open-sesame"), "{wrong:?}");
    let right = backup(&redis.url().replace("//", "//:sesame@"));
    assert!(right.status.success(), "{right:?}");
    assert!(right.stdout.starts_with("kept "), "{right:?}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "it holds all that the hub knows");
}

/// Writes until it is told to stop: messages and tasks.
fn work(client: &Client, stop: &AtomicBool) {
    let desk = Desk::new(client);
    let node = desk.node(50);
    let session = client.post_empty("/sessions").ok()["session_id"].as_str().unwrap().to_owned();
    let path = format!("/sessions/{session}/messages");
    while !stop.load(Ordering::Relaxed) {
        let sent = client.post(&path, &json!({"content": "?"})).ok();
        let answer = sent["assistant_message_id"].as_str().unwrap().to_owned();
        for n in 0..5 {
            let delta = json!({"delta": format!("{n} of {answer}. ")});
            client.post(&format!("/messages/{answer}/append"), &delta).ok();
        }
        desk.submit(json!({}));
        let held = desk.claim_one(&node);
        let body = json!({"token": held.token, "result": 1});
        client.post(&format!("/tasks/{}/complete", held.id), &body).ok();
        desk.submit(json!({}));
    }
}

#[test]
fn a_backup_under_load_is_of_one_instant() {
    let redis = server();
    let hub = Hub::options().redis(&redis).start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("b").display().to_string();
    let url = redis.url();
    let stop = AtomicBool::new(false);
    let client = hub.admin();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(|| work(&client, &stop))).collect();
        eventually("some work", PATIENCE, || {
            let done = client.get("/tasks/stats").ok()["completed"].as_u64().unwrap();
            (done > 20).then_some(())
        });
        let done = || client.get("/tasks/stats").ok()["completed"].as_u64().unwrap();
        let before = done();
        ok(&["backup", &file, "--redis-url", &url]);
        assert!(done() > before, "it was taken under load");
        stop.store(true, Ordering::Relaxed);
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
    let target = RedisServer::start();
    ok(&["restore", &file, "--redis-url", &target.url()]);
    assert_sound(&mut target.connect());
    let restored = Hub::options().redis(&target).start();
    let client = restored.admin();
    let sessions = client.get("/sessions").list();
    assert_eq!(sessions.len(), 4);
    for session in &sessions {
        let id = session["session_id"].as_str().unwrap();
        let messages = client.get(&format!("/sessions/{id}/messages?limit=100")).ok();
        for message in messages["messages"].as_array().unwrap() {
            assert_told_whole(&client, message["message_id"].as_str().unwrap());
        }
    }
}

/// A message's text and its number are those of its events.
fn assert_told_whole(client: &Client, id: &str) {
    let message = client.get(&format!("/messages/{id}")).ok();
    let events = client.get(&format!("/messages/{id}/events?limit=1000")).ok()["events"].clone();
    let events = events.as_array().unwrap();
    assert_eq!(message["sequence"], events.last().unwrap()["sequence"], "{message}");
    let numbers: Vec<_> = events.iter().map(|event| event["sequence"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>());
    if message["role"] == "assistant" {
        let deltas = events.iter().filter_map(|event| event["payload"]["delta"].as_str());
        assert_eq!(message["text"].as_str().unwrap_or_default(), deltas.collect::<String>());
    }
}

/// The indexes of tasks are those of the tasks themselves.
fn assert_sound(redis: &mut redis::Connection) {
    let mut range = |key: &str| -> Vec<String> {
        redis::cmd("ZRANGE").arg(key).arg(0).arg(-1).query(redis).unwrap()
    };
    let all = range("reef:tasks");
    let by_status: BTreeMap<&str, Vec<String>> = ["pending", "running", "completed"]
        .into_iter()
        .map(|status| (status, range(&format!("reef:tasks:status:{status}"))))
        .collect();
    let (waiting, leases) = (range("reef:tasks:waiting"), range("reef:tasks:leases"));
    assert!(by_status["completed"].len() > 20);
    assert_eq!(all.len(), by_status.values().map(Vec::len).sum::<usize>());
    assert_eq!(waiting.len(), by_status["pending"].len());
    assert_eq!(leases.len(), by_status["running"].len());
    for (status, tasks) in &by_status {
        for task in tasks {
            let mut ask = redis::cmd("HGET");
            let key = format!("reef:task:{task}");
            let found: String = ask.arg(&key).arg("status").query(redis).unwrap();
            assert_eq!(found, *status, "{task}");
        }
    }
}
