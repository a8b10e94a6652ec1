//! Redis frozen, killed, emptied of its scripts: a clear and quick 503, and no wrong verdicts.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::load::{Load, assert_each, count};
use crate::harness::{Client, Hub, PATIENCE, RedisServer, eventually, registration, unique};

/// Two seconds are promised; the rest is for a machine that is busy with other tests.
const PROMPT: Duration = Duration::from_millis(2600);

/// Every kind of request must say that the store is away, and quickly.
fn assert_away(client: &Client, node: &str) {
    let calls: [(&str, String, Option<Value>); 8] = [
        ("GET", format!("/nodes/{node}"), None),
        ("GET", "/nodes".to_owned(), None),
        ("GET", "/cluster/health".to_owned(), None),
        ("POST", format!("/nodes/{node}/heartbeat"), Some(json!({}))),
        ("POST", "/heartbeats".to_owned(), Some(json!([{"node_id": node}]))),
        ("POST", "/nodes/register".to_owned(), Some(registration(&unique("away")))),
        ("POST", "/cluster/check-heartbeat".to_owned(), Some(json!({}))),
        ("POST", "/cluster/leader/campaign".to_owned(), Some(json!({"node_id": node}))),
    ];
    for (method, path, body) in calls {
        let start = Instant::now();
        let body = body.map(|body| body.to_string());
        let answer = client.send(method, &path, body.as_deref().map(str::as_bytes));
        let took = start.elapsed();
        answer.problem(503, "store_unavailable");
        assert_eq!(answer.header("retry-after"), Some("1"), "{answer}");
        assert!(took < PROMPT, "{answer}: took {took:?}");
    }
    eventually("an unready hub", PROMPT, || (client.get("//readyz").status == 503).then_some(()));
    assert_eq!(client.get("//healthz").status, 200, "the host itself is fine");
    assert_eq!(client.get("//health").status, 200, "the component itself is fine");
}

/// Waits until the hub serves again, without being touched.
fn assert_recovers(client: &Client, node: &str) {
    eventually("recovery", Duration::from_secs(8), || {
        (client.get(&format!("/nodes/{node}")).status == 200).then_some(())
    });
    client.beat(node, &json!({}));
    client.new_node("after");
    eventually("readiness", Duration::from_secs(8), || {
        (client.get("//readyz").status == 200).then_some(())
    });
}

#[test]
fn a_frozen_redis_is_a_quick_503_and_then_all_is_well() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).start();
    let client = hub.admin();
    let node = client.new_node("before");
    for _ in 0..2 {
        server.freeze();
        assert_away(&client, &node);
        server.thaw();
        assert_recovers(&client, &node);
    }
}

#[test]
fn a_killed_redis_is_a_quick_503_and_then_all_is_well() {
    let mut server = RedisServer::start();
    let hub = Hub::options().redis(&server).start();
    let client = hub.admin();
    let node = client.new_node("before");
    for _ in 0..2 {
        server.kill();
        assert_away(&client, &node);
        server.start_again();
        assert_recovers(&client, &node);
    }
}

#[test]
fn under_load_nothing_but_200_and_503_is_ever_seen() {
    let mut server = RedisServer::start();
    let hub = Hub::options().redis(&server).start();
    let client = hub.admin();
    let nodes: Vec<_> = (0..8).map(|_| client.new_node("loaded")).collect();
    let load = Load::heartbeats(&client, &nodes, Duration::ZERO);
    server.freeze();
    eventually("a 503", PATIENCE, || (client.get("/nodes").status == 503).then_some(()));
    server.thaw();
    assert_recovers(&client, &nodes[0]);
    server.kill();
    eventually("a 503", PATIENCE, || (client.get("/nodes").status == 503).then_some(()));
    server.start_again();
    assert_recovers(&client, &nodes[0]);
    let seen = load.end();

    assert_each(&seen, "200 or 503", |seen| matches!(seen.status, Some(200 | 503)));
    assert_each(&seen, "prompt", |seen| seen.took < PROMPT);
    assert!(count(&seen, 200) > 0 && count(&seen, 503) > 0);
    for id in &nodes {
        assert_eq!(client.node(id)["status"], "online");
    }
}

#[test]
fn scripts_that_redis_forgets_are_sent_again_unnoticed() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).start();
    let client = hub.admin();
    let nodes: Vec<_> = (0..6).map(|_| client.new_node("flushed")).collect();
    let load = Load::heartbeats(&client, &nodes, Duration::ZERO);
    let mut redis = server.connect();
    for _ in 0..200 {
        redis::cmd("FUNCTION").arg("FLUSH").query::<()>(&mut redis).unwrap();
        client.get("/cluster/health").ok();
    }
    let seen = load.end();
    assert_each(&seen, "always 200", |seen| seen.status == Some(200));
}

/// Agents that keep about the pace that the hub asks of them (nine heartbeats per timeout), while
/// Redis is away for twice the timeout.
fn no_verdict_while_blind(away: impl FnOnce(&mut RedisServer, Duration)) {
    const TIMEOUT: f64 = 3.0;
    let timeout = Duration::from_secs_f64(TIMEOUT);
    let mut server = RedisServer::start();
    let hub = Hub::options().redis(&server).timeout(TIMEOUT).start();
    let client = hub.admin();
    // Enough to be a mass, and one that is silent from now on and must be found in the end.
    let nodes: Vec<_> = (0..6).map(|_| client.new_node("live")).collect();
    let load = Load::heartbeats(&client, &nodes, timeout / 9);
    away(&mut server, 2 * timeout);
    assert_recovers(&client, &nodes[0]);
    let dead = client.new_node("dead");
    // The dead one's verdict shows that the hub does judge again.
    eventually("the dead node offline", Duration::from_secs(20), || {
        (client.node(&dead)["status"] == "offline").then_some(())
    });
    load.end();

    let page = client.get("/cluster/events?limit=1000").ok();
    for event in page["events"].as_array().unwrap() {
        let about = event["payload"]["node_id"].as_str().unwrap_or_default();
        let wrong = event["event_type"] == "node_offline" && nodes.iter().any(|id| id == about);
        assert!(!wrong, "a live node was marked offline: {event}");
    }
}

#[test]
fn no_live_node_is_marked_offline_when_redis_was_frozen() {
    no_verdict_while_blind(|server, time| {
        server.freeze();
        std::thread::sleep(time);
        server.thaw();
    });
}

#[test]
fn no_live_node_is_marked_offline_when_redis_was_down() {
    no_verdict_while_blind(|server, time| {
        server.kill();
        std::thread::sleep(time);
        server.start_again();
    });
}
