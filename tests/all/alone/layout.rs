//! Where things lie in Redis: the layout for Redis Cluster, and prefixes.

use serde_json::json;

use crate::harness::{Hub, PATIENCE, RedisServer, eventually};

/// All keys of that server, which has only this test's.
fn keys(redis: &mut redis::Connection) -> Vec<String> {
    let mut keys = Vec::new();
    let mut cursor = "0".to_owned();
    loop {
        let (next, page): (String, Vec<String>) =
            redis::cmd("SCAN").arg(&cursor).arg("COUNT").arg(1000).query(redis).unwrap();
        keys.extend(page);
        if next == "0" {
            return keys;
        }
        cursor = next;
    }
}

/// Goes through every route that touches Redis, and leaves one node.
fn use_everything(hub: &Hub) -> String {
    let client = hub.admin();
    let id = client.new_node("everywhere");
    client.with("idempotency-key", "k").post(&format!("/nodes/{id}/heartbeat"), &json!({})).ok();
    client.post("/heartbeats", &json!([{"node_id": id}])).ok();
    client.patch(&format!("/nodes/{id}"), &json!({"tags": ["x"]})).ok();
    client.post_empty("/cluster/check-heartbeat").ok();
    let campaign = json!({"node_id": id});
    let term = client.post("/cluster/leader/campaign", &campaign).ok()["term"].clone();
    for path in [
        "/nodes?tag=x&status=online&skill=build",
        "/nodes/online",
        "/nodes/available",
        "/nodes/skills/build",
        "/cluster/health",
        "/cluster/state",
        "/cluster/leader",
        "/cluster/leader/history",
        "/cluster/events",
        "//readyz",
        &format!("/nodes/{id}/health"),
    ] {
        assert_eq!(client.get(path).status, 200, "{path}");
    }
    client.post("/cluster/leader/resign", &json!({"node_id": id, "term": term})).ok();
    client.post_empty(&format!("/nodes/{id}/shutdown")).ok();
    client.beat(&id, &json!({}));
    id
}

#[test]
fn the_cluster_layout_runs_on_a_redis_cluster() {
    let server = RedisServer::start_cluster();
    let hub = Hub::options().redis(&server).variable("key_layout", "cluster").timeout(2.0).start();
    let client = hub.admin();
    let id = use_everything(&hub);
    // The monitor judges here as well.
    eventually("the verdict", PATIENCE, || (client.node(&id)["status"] == "offline").then_some(()));
    client.delete(&format!("/nodes/{id}")).ok();
    let keys = keys(&mut server.connect());
    assert!(keys.len() > 3, "{keys:?}");
    for key in &keys {
        let slot = key.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
        assert!(slot.is_some_and(|(tag, _)| !tag.is_empty()), "{key} of {keys:?}");
    }
}

#[test]
fn several_hubs_share_a_redis_by_their_prefixes() {
    let server = RedisServer::start();
    let hub = |prefix: &str| Hub::options().redis(&server).variable("key_prefix", prefix).start();
    let (east, west) = (hub("east:"), hub("west:"));
    let id = use_everything(&east);
    use_everything(&west);
    assert_eq!(east.admin().get("/nodes").list().len(), 1);
    west.admin().get(&format!("/nodes/{id}")).problem(404, "not_found");
    let keys = keys(&mut server.connect());
    for key in &keys {
        assert!(key.starts_with("east:") || key.starts_with("west:"), "{key} of {keys:?}");
    }
}

#[test]
fn nothing_but_the_older_names_lies_outside_reefs_own() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).start();
    use_everything(&hub);
    let old = [
        "hb:",
        "openclaw:cluster:nodes",
        "openclaw:cluster:leader_lock",
        "openclaw:cluster:leader_history",
    ];
    for key in keys(&mut server.connect()) {
        let known = key.starts_with("reef:") || old.iter().any(|name| key.starts_with(name));
        assert!(known, "{key}");
    }
}
