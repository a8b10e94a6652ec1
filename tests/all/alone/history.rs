//! What has happened, of a hub that nobody else uses.

use serde_json::{Value, json};

use crate::contract::Desk;
use crate::harness::{Client, Hub, PATIENCE, RedisServer, eventually};

/// The sum of a series over all points; what is not known is nothing.
fn sum(history: &Value, name: &str) -> f64 {
    let points = history["points"].as_array().unwrap();
    points.iter().filter_map(|point| point[name].as_f64()).sum()
}

fn history(client: &Client, step: i64) -> Value {
    client.get(&format!("/history?step={step}")).ok()
}

/// Some of everything that is counted.
fn busy(desk: &Desk) {
    let node = desk.node(20);
    for n in 0..6 {
        desk.submit(json!({"max_retries": i64::from(n == 2)}));
    }
    let held = desk.claim(&node);
    assert_eq!(held.len(), 6);
    let usage = json!([{"model": "m", "input": 100, "output": 50, "cost": "1.5"}]);
    desk.post(&held[0], "complete", json!({"usage": usage})).ok();
    desk.post(&held[0], "fail", json!({})).problem(409, "fenced");
    desk.post(&held[1], "fail", json!({"error": "x", "retryable": false})).ok();
    desk.post(&held[2], "fail", json!({"error": "x", "retry_in_ms": 3_600_000})).ok();
    desk.client.post_empty(&format!("/tasks/{}/cancel", held[3].id)).ok();
}

fn check(client: &Client) {
    let expected = [
        ("submitted", 6.0),
        ("claimed", 6.0),
        ("completed", 1.0),
        ("failed", 2.0),
        ("timeout", 0.0),
        ("cancelled", 1.0),
        ("dead", 1.0),
        ("fenced", 1.0),
        ("tokens_in", 100.0),
        ("tokens_out", 50.0),
        ("cost", 1.5),
    ];
    for step in [60, 3600] {
        let history = history(client, step);
        for (name, count) in expected {
            assert_eq!(sum(&history, name), count, "{name}, {step}: {history}");
        }
    }
    let ever = client.get("/tasks/stats").ok()["ever"].clone();
    for (name, count) in &expected[..8] {
        assert_eq!(ever[name].as_f64(), Some(*count), "{name}: {ever}");
    }
}

fn sampled(client: &Client) -> Value {
    let history = history(client, 60);
    let points = history["points"].as_array().unwrap();
    points
        .iter()
        .rev()
        .find(|point| point.get("nodes_online").is_some())
        .cloned()
        .unwrap_or_default()
}

fn tells_what_has_happened(hub: &Hub) {
    let client = hub.admin();
    busy(&Desk::new(&client));
    // At once, and after the monitor has moved it.
    check(&client);
    let point = eventually("the monitor has looked", PATIENCE, || {
        Some(sampled(&client)).filter(|it| it["running"] == 2)
    });
    let seen =
        ["nodes_online", "nodes_total", "capacity", "waiting"].map(|name| point[name].clone());
    assert_eq!(seen, [1, 1, 20, 0].map(Value::from));
    check(&client);
    let history = history(&client, 3600);
    let points = history["points"].as_array().unwrap();
    let last = points.iter().rev().find(|point| point["claimed"] != 0).unwrap();
    for (low, high) in [("wait_p50", "wait_p95"), ("run_p50", "run_p95")] {
        let [low, high] = [low, high].map(|name| last[name].as_f64().unwrap());
        assert!(0.0 < low && low <= high && high <= 30.0, "{last}");
    }

    // The same counts as Prometheus takes them.
    let metrics = eventually("the monitor shows them", PATIENCE, || {
        let text = client.get("//metrics").text();
        text.contains("reef_task_run_seconds_count 3\n").then_some(text)
    });
    for line in ["reef_task_wait_seconds_count 6", "reef_task_wait_seconds_bucket{le=\"+Inf\"} 6"] {
        assert!(metrics.lines().any(|it| it == line), "{line}: {metrics}");
    }
}

#[test]
fn the_history_tells_what_has_happened() {
    tells_what_has_happened(&Hub::start());
}

#[test]
fn the_history_of_a_redis_cluster_does_too() {
    tells_what_has_happened(&Hub::options().variable("key_layout", "cluster").start());
}

/// Another host goes on where one was killed, and nothing counts twice.
#[test]
fn what_was_counted_counts_once_whoever_is_the_monitor() {
    let server = RedisServer::start();
    let mut first = Hub::options().redis(&server).start();
    busy(&Desk::new(&first.admin()));
    let second = Hub::options().redis(&server).start();
    check(&second.admin());
    first.kill();
    eventually("the second has looked", PATIENCE, || {
        let mut redis = server.connect();
        let left: bool = redis::cmd("EXISTS").arg("reef:history-new").query(&mut redis).unwrap();
        (!left).then_some(())
    });
    check(&second.admin());
}
