//! Nodes that fall silent: the check, its guard against mass expiry, and the monitor.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Client, Hub, PATIENCE, RedisServer, Role, eventually, unique};

/// Seconds since the node's last heartbeat, as the hub counts them.
fn silence(client: &Client, id: &str) -> f64 {
    client.get(&format!("/nodes/{id}/health")).ok()["time_since_heartbeat"].as_f64().unwrap()
}

/// Waits until the node has been silent for that many seconds.
fn silent_for(client: &Client, id: &str, seconds: f64) {
    eventually("silence", PATIENCE, || (silence(client, id) > seconds).then_some(()));
}

fn check(client: &Client, timeout: f64) -> Value {
    client.post("/cluster/check-heartbeat", &json!({"timeout_seconds": timeout})).ok()
}

fn listed(check: &Value) -> Vec<&str> {
    let nodes = check["timeout_nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["node_id"].as_str().unwrap()).collect()
}

fn status(client: &Client, id: &str) -> String {
    client.node(id)["status"].as_str().unwrap().to_owned()
}

#[test]
fn a_check_with_an_own_timeout_lists_who_is_silent_once() {
    let hub = Hub::start();
    let client = hub.admin();
    let silent = client.new_node("silent");
    let (busy, resting) = (client.new_node("busy"), client.new_node("resting"));
    client.beat(&busy, &json!({"status": "busy"}));
    client.patch(&format!("/nodes/{resting}"), &json!({"status": "maintenance"})).ok();
    let alive = client.new_node("alive");
    silent_for(&client, &busy, 0.6);
    client.beat(&alive, &json!({}));
    let before = client.node(&silent);

    let answer = client.post("/cluster/check-heartbeat", &json!({"timeout_seconds": 0.5}));
    let first = answer.ok();
    let mut found = listed(&first);
    found.sort_unstable();
    let mut expected = [&*silent, &*busy];
    expected.sort_unstable();
    assert_eq!(found, expected, "{answer}");
    assert_eq!(first["timeout_nodes_count"], 2);
    assert_eq!(first["all_nodes_healthy"], false);
    assert_eq!(first["expiry"], json!({"suspended": false, "reason": null}));
    let entries = first["timeout_nodes"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["node_id"] == *silent).unwrap();
    assert_eq!(entry.as_object().unwrap().len(), 4, "{entry}");
    assert_eq!(entry["hostname"], before["hostname"]);
    assert_eq!(entry["last_heartbeat"], before["last_heartbeat"]);
    assert_eq!(entry["timeout_seconds"].as_f64(), Some(0.5));

    for (id, expected) in
        [(&silent, "offline"), (&busy, "offline"), (&resting, "maintenance"), (&alive, "online")]
    {
        assert_eq!(status(&client, id), expected);
    }
    assert_eq!(client.node(&silent)["last_heartbeat"], before["last_heartbeat"]);
    client.beat(&alive, &json!({}));
    let second = check(&client, 0.5);
    assert_eq!(listed(&second), Vec::<&str>::new());
    assert_eq!(second["all_nodes_healthy"], true);
    client.beat(&silent, &json!({}));
    assert_eq!(status(&client, &silent), "online");
}

#[test]
fn a_node_that_said_it_would_be_quiet_is_not_silent() {
    let hub = Hub::start();
    let client = hub.admin();
    let (quiet, silent) = (client.new_node("quiet"), client.new_node("silent"));
    let path = format!("/nodes/{quiet}/heartbeat");
    client.post(&path, &json!({"quiet_ms": 600_000})).ok();
    silent_for(&client, &silent, 0.6);
    assert_eq!(listed(&check(&client, 0.5)), [silent]);
    assert_eq!(client.get(&format!("/nodes/{quiet}/health")).ok()["is_timeout"], json!(false));
    // The next heartbeat takes it back.
    client.post(&path, &json!({})).ok();
    silent_for(&client, &quiet, 0.6);
    assert_eq!(listed(&check(&client, 0.5)), [quiet.as_str()]);
    // Coming back may be quiet, too.
    client.post(&path, &json!({"quiet_ms": 600_000})).ok();
    silent_for(&client, &quiet, 0.6);
    assert_eq!(listed(&check(&client, 0.5)), Vec::<&str>::new());
    // So may whoever holds something for longer than it says.
    client.post("/tasks", &json!({"name": "t", "target_node": quiet})).ok();
    client.post("/tasks/claim", &json!({"node_id": quiet, "lease_ms": 200_000})).ok();
    for (renew_all, silent) in [(true, vec![]), (false, vec![quiet.as_str()])] {
        client.post(&path, &json!({"quiet_ms": 0, "renew_all": renew_all})).ok();
        silent_for(&client, &quiet, 0.6);
        assert_eq!(listed(&check(&client, 0.5)), silent);
    }
    for bad in [-1, 3_600_001] {
        let answer = client.post(&path, &json!({"quiet_ms": bad}));
        answer.problem_with(422, "validation_failed", "quiet_ms");
    }
}

#[test]
fn the_default_timeout_is_the_hubs_own() {
    let hub = Hub::start();
    let client = hub.admin();
    let id = client.new_node("patient");
    silent_for(&client, &id, 0.5);
    let check = client.post("/cluster/check-heartbeat", &json!({})).ok();
    assert_eq!(listed(&check), Vec::<&str>::new());
    let pace = client.beat(&id, &json!({}))["next_heartbeat_ms"].as_u64().unwrap();
    assert!((4_500..=10_000).contains(&pace), "90 s allow one beat in 5 s: {pace}");
}

#[test]
fn the_monitor_finds_a_silent_node_within_a_tick() {
    let hub = Hub::options().timeout(2.0).start();
    let client = hub.admin();
    let (silent, alive) = (client.new_node("silent"), client.new_node("alive"));
    let start = Instant::now();
    client.beat(&silent, &json!({}));
    let took = eventually("the silent node offline", PATIENCE, || {
        client.beat(&alive, &json!({}));
        (status(&client, &silent) == "offline").then(|| start.elapsed())
    });
    assert!(took >= Duration::from_secs(2), "too early: {took:?}");
    assert!(took <= Duration::from_millis(3600), "later than the timeout and one tick: {took:?}");
    assert_eq!(status(&client, &alive), "online");
    let health = client.get(&format!("/nodes/{silent}/health")).ok();
    assert_eq!((&health["healthy"], &health["is_timeout"]), (&json!(false), &json!(true)));
}

#[test]
fn without_a_monitor_the_cron_trigger_judges() {
    let server = RedisServer::start();
    let hub = Hub::options().role(Role::Serve).redis(&server).timeout(2.0).start();
    let client = hub.admin();
    let (silent, alive) = (client.new_node("silent"), client.new_node("alive"));
    eventually("the silent node offline", Duration::from_secs(15), || {
        client.beat(&alive, &json!({}));
        (status(&client, &silent) == "offline").then_some(())
    });
    assert_eq!(status(&client, &alive), "online");
}

#[test]
fn a_timeout_shows_in_health_before_anybody_has_checked() {
    let hub = Hub::options().timeout(1.0).arg("--tick").arg("3600000").start();
    let client = hub.admin();
    let id = client.new_node("unnoticed");
    silent_for(&client, &id, 1.05);
    let health = client.get(&format!("/nodes/{id}/health")).ok();
    if health["status"] == "online" {
        assert_eq!((&health["healthy"], &health["is_timeout"]), (&json!(false), &json!(true)));
        assert_eq!(client.get("/cluster/health").ok()["timeout_nodes_count"], 1);
    } else {
        // The cron trigger was faster.
        assert_eq!(health["status"], "offline");
    }
}

#[test]
fn a_mass_expiry_is_held_back_until_it_is_confirmed() {
    let hub = Hub::options().timeout(9.0).start();
    let client = hub.admin();
    let nodes: Vec<_> = (0..6).map(|_| client.new_node("mass")).collect();
    silent_for(&client, &nodes[5], 0.6);

    let first = check(&client, 0.5);
    assert_eq!(listed(&first), Vec::<&str>::new(), "{first}");
    assert_eq!(first["expiry"]["suspended"], true);
    assert!(first["expiry"]["reason"].as_str().is_some_and(|reason| !reason.is_empty()));
    assert_eq!(first["all_nodes_healthy"], false);
    assert!(nodes.iter().all(|id| status(&client, id) == "online"));
    // Too soon, and with another timeout, is no confirmation.
    assert_eq!(check(&client, 0.5)["expiry"]["suspended"], true);
    assert_eq!(check(&client, 0.4)["expiry"]["suspended"], true);

    // One heartbeat period is a ninth of the timeout: 1 s.
    let start = Instant::now();
    let confirmed = eventually("the confirmed expiry", Duration::from_secs(6), || {
        let check = check(&client, 0.5);
        (check["timeout_nodes_count"] == 6).then_some(check)
    });
    assert!(start.elapsed() > Duration::from_millis(700), "{:?}", start.elapsed());
    assert_eq!(confirmed["expiry"]["suspended"], false);
    assert!(nodes.iter().all(|id| status(&client, id) == "offline"));
}

#[test]
fn nodes_that_come_back_end_the_suspension() {
    let hub = Hub::options().timeout(9.0).start();
    let client = hub.admin();
    let nodes: Vec<_> = (0..6).map(|_| client.new_node("returning")).collect();
    silent_for(&client, &nodes[5], 0.6);
    assert_eq!(check(&client, 0.5)["expiry"]["suspended"], true);
    for id in &nodes[1..] {
        client.beat(id, &json!({}));
    }
    let second = check(&client, 0.5);
    assert_eq!(second["expiry"]["suspended"], false, "{second}");
    assert_eq!(listed(&second), [&*nodes[0]]);
}

#[test]
fn fewer_than_five_are_no_mass() {
    let hub = Hub::start();
    let client = hub.admin();
    let nodes: Vec<_> = (0..4).map(|_| client.new_node("few")).collect();
    silent_for(&client, &nodes[3], 0.4);
    assert_eq!(check(&client, 0.3)["timeout_nodes_count"], 4);
}

#[test]
fn the_monitor_expires_a_whole_cluster_in_the_end() {
    let hub = Hub::options().timeout(2.0).start();
    let client = hub.admin();
    let nodes: Vec<_> = (0..6).map(|_| client.new_node("lost")).collect();
    eventually("all offline", Duration::from_secs(8), || {
        nodes.iter().all(|id| status(&client, id) == "offline").then_some(())
    });
}

#[test]
fn more_silent_nodes_than_a_script_takes_are_all_found() {
    let hub = Hub::start();
    let client = hub.admin();
    let nodes: Vec<_> = (0..250).map(|_| client.new_node("crowd")).collect();
    let alive: Vec<_> = (0..260).map(|_| client.new_node("awake")).collect();
    silent_for(&client, &nodes[249], 1.0);
    let limit = silence(&client, &nodes[249]) - 0.05;
    let beats: Vec<_> = alive.iter().map(|id| json!({"node_id": id})).collect();
    client.post("/heartbeats", &Value::from(beats)).ok();
    let check = check(&client, limit);
    assert_eq!(check["timeout_nodes_count"], 250, "{}", check["expiry"]);
    let mut found = listed(&check);
    found.sort_unstable();
    let mut nodes: Vec<_> = nodes.iter().map(String::as_str).collect();
    nodes.sort_unstable();
    assert_eq!(found, nodes);
    assert_eq!(client.get("/cluster/health").ok()["offline_nodes"], 250);
}

#[test]
fn a_heartbeat_leaves_its_key_for_old_readers() {
    let hub = Hub::start();
    let client = hub.admin();
    let id = unique("keyed");
    let mut body = crate::harness::registration(&unique("keyed"));
    body["node_id"] = json!(id);
    client.post("/nodes/register", &body).ok();
    client.beat(&id, &json!({}));
    let mut redis = hub.private_redis();
    let key = format!("hb:{id}");
    let text: String = redis::cmd("GET").arg(&key).query(&mut redis).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["node"], id);
    assert_eq!(value["status"], "online");
    assert!(value["ts"].is_number() || value["ts"].is_string());
    let ttl: i64 = redis::cmd("TTL").arg(&key).query(&mut redis).unwrap();
    assert!((1..=30).contains(&ttl), "{ttl}");
    let mirror: String =
        redis::cmd("HGET").arg("openclaw:cluster:nodes").arg(&id).query(&mut redis).unwrap();
    serde_json::from_str::<Value>(&mirror).unwrap();
}
