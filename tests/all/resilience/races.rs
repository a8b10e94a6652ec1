//! Two things at the same moment.

use serde_json::json;

use crate::harness::{Hub, race};

#[test]
fn a_heartbeat_beats_a_check_whichever_comes_first() {
    const ROUNDS: usize = 150;
    let hub = Hub::start();
    let client = hub.admin();
    let id = client.new_node("raced");
    let mut listed = 0;
    for _ in 0..ROUNDS {
        let answers = race(2, |number| match number {
            0 => {
                // So short that without the heartbeat the node is always too late.
                let body = json!({"timeout_seconds": 0.001});
                client.post("/cluster/check-heartbeat", &body).ok()
            }
            _ => client.beat(&id, &json!({})),
        });
        let check = &answers[0];
        listed += check["timeout_nodes"].as_array().unwrap().len();
        // Before the check, the heartbeat keeps the node from being listed; after it, it brings
        // the node back. Offline can only come from a verdict on what was read before, or from a
        // check that itself came more than a millisecond after the heartbeat.
        let events = client.get("/cluster/events?limit=1000").ok();
        let events = events["events"].as_array().unwrap();
        let last = events.iter().rfind(|event| event["payload"]["node_id"] == *id).unwrap();
        let node = client.node(&id);
        let expected = if last["event_type"] == "node_offline" { "offline" } else { "online" };
        assert_eq!(node["status"], expected, "{node} after {last}");
        if node["status"] == "offline" {
            assert!(
                last["timestamp"].as_str() > node["last_heartbeat"].as_str(),
                "a heartbeat that came in between lost: {node} {last}"
            );
        }
    }
    assert!(listed > 0, "the check never won, so nothing was shown");
}

#[test]
fn counters_agree_with_the_nodes_after_a_storm() {
    const NODES: usize = 8;
    let hub = Hub::start();
    let client = hub.admin();
    let nodes: Vec<_> = (0..NODES).map(|_| client.new_node("stormy")).collect();
    std::thread::scope(|scope| {
        for offset in 0..4 {
            let (client, nodes) = (&client, &nodes);
            scope.spawn(move || {
                for round in 0..60 {
                    let id = &nodes[(round * 3 + offset) % NODES];
                    match (round + offset) % 5 {
                        0 => drop(client.post_empty(&format!("/nodes/{id}/shutdown"))),
                        1 => {
                            let body = json!({"status": "maintenance"});
                            client.patch(&format!("/nodes/{id}"), &body);
                        }
                        2 => {
                            let body = json!({"status": "online"});
                            client.patch(&format!("/nodes/{id}"), &body);
                        }
                        3 => {
                            let body = json!({"status": "busy", "running_tasks": round % 7});
                            client.post(&format!("/nodes/{id}/heartbeat"), &body);
                        }
                        _ => {
                            let body = json!({"running_tasks": round % 4});
                            client.post(&format!("/nodes/{id}/heartbeat"), &body);
                        }
                    }
                }
            });
        }
    });
    let listed = client.get("/nodes").list();
    let health = client.get("/cluster/health").ok();
    for status in ["online", "offline", "busy", "maintenance", "error"] {
        let actual = listed.iter().filter(|node| node["status"] == status).count();
        assert_eq!(health["nodes_by_status"][status], actual, "{status}: {health}");
        let filtered = client.get(&format!("/nodes?status={status}")).list().len();
        assert_eq!(filtered, actual, "{status}");
    }
    // Of all nodes, offline ones too, as the older service counted.
    let sum =
        |field: &str| -> u64 { listed.iter().map(|node| node[field].as_u64().unwrap()).sum() };
    assert_eq!(health["total_capacity"], sum("max_concurrent_tasks"), "{health}");
    assert_eq!(health["used_capacity"], sum("running_tasks"), "{health}");
}
