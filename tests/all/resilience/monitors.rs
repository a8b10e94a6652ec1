//! Several hosts on one Redis: one monitors, the others stand by.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Client, Hub, PATIENCE, RedisServer, Role, eventually};

const TIMEOUT: f64 = 2.0;

/// Registers a node that never sends a heartbeat, and measures until it is offline.
fn time_to_verdict(client: &Client) -> Duration {
    let id = client.new_node("silent");
    let start = Instant::now();
    eventually("the verdict", PATIENCE, || {
        (client.node(&id)["status"] == "offline").then(|| start.elapsed())
    })
}

#[test]
fn the_other_host_takes_over_from_a_killed_one() {
    let server = RedisServer::start();
    let start = || Hub::options().redis(&server).timeout(TIMEOUT).start();
    let (mut first, mut second) = (start(), start());
    let undisturbed = time_to_verdict(&second.admin());
    assert!(undisturbed < Duration::from_millis(3600), "{undisturbed:?}");

    // Whichever of the two it was, in one of these rounds the monitor dies.
    first.kill();
    let took = time_to_verdict(&second.admin());
    // The lease of the dead one lasts five ticks of a second, and time without a monitor may be
    // credited to the node.
    let limit = Duration::from_secs_f64(5.0 + TIMEOUT + 2.6);
    assert!(took < limit, "{took:?}");
    first.start_again();
    second.kill();
    let took = time_to_verdict(&first.admin());
    assert!(took < limit, "{took:?}");
}

#[test]
fn two_hosts_judge_once() {
    let server = RedisServer::start();
    let start = || Hub::options().redis(&server).timeout(TIMEOUT).start();
    let (first, second) = (start(), start());
    let client = first.admin();
    let nodes: Vec<_> = (0..4).map(|_| client.new_node("judged")).collect();
    eventually("all offline", PATIENCE, || {
        nodes.iter().all(|id| client.node(id)["status"] == "offline").then_some(())
    });
    // One more verdict, so that a second one on the first four would have come by now.
    time_to_verdict(&second.admin());
    let page = second.admin().get("/cluster/events?limit=1000").ok();
    for id in &nodes {
        let of_node = |event: &&Value| {
            event["payload"]["node_id"] == **id && event["event_type"] == "node_offline"
        };
        let verdicts = page["events"].as_array().unwrap().iter().filter(of_node).count();
        assert_eq!(verdicts, 1, "{page}");
    }
}

#[test]
fn a_host_that_ends_hands_its_lease_back() {
    let server = RedisServer::start();
    let start = || Hub::options().redis(&server).timeout(TIMEOUT).start();
    let mut first = start();
    let mut second = start();
    // Both end in turn, so the monitor is among them; the other must not wait for a lease.
    first.terminate();
    assert_eq!(first.wait().code(), Some(0));
    let took = time_to_verdict(&second.admin());
    assert!(took < Duration::from_millis(4600), "{took:?}");
    first.start_again();
    second.terminate();
    assert_eq!(second.wait().code(), Some(0));
    let took = time_to_verdict(&first.admin());
    assert!(took < Duration::from_millis(4600), "{took:?}");
}

#[test]
fn hosts_of_either_kind_serve_the_same_cluster() {
    let server = RedisServer::start();
    let first = Hub::options().redis(&server).timeout(TIMEOUT).start();
    let second = Hub::options().role(Role::Serve).redis(&server).timeout(TIMEOUT).start();
    let id = first.admin().new_node("everywhere");
    second.admin().beat(&id, &json!({"cpu_usage": 64}));
    assert_eq!(first.admin().node(&id)["cpu_usage"].as_f64(), Some(64.0));
    let other = second.admin().new_node("elsewhere");
    assert_eq!(first.admin().get("/nodes").list().len(), 2);
    // The one that monitors judges for both.
    let took = time_to_verdict(&second.admin());
    assert!(took < Duration::from_millis(3600), "{took:?}");
    assert_eq!(second.admin().node(&other)["status"], "offline");
}
