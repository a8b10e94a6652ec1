//! Where things lie in Redis: the layout for Redis Cluster, and prefixes.

use serde_json::json;

use crate::harness::{Hub, RedisServer};

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

/// Goes through every kind of write that there is.
fn use_everything(hub: &Hub) -> String {
    let client = hub.admin();
    let id = client.new_node("everywhere");
    client.with("idempotency-key", "k").post(&format!("/nodes/{id}/heartbeat"), &json!({})).ok();
    client.post("/heartbeats", &json!([{"node_id": id}])).ok();
    client.patch(&format!("/nodes/{id}"), &json!({"tags": ["x"]})).ok();
    client.post("/cluster/leader/campaign", &json!({"node_id": id})).ok();
    client.post_empty("/cluster/check-heartbeat").ok();
    id
}

#[test]
fn the_cluster_layout_puts_its_partition_in_braces_in_every_key() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).variable("key_layout", "cluster").start();
    let id = use_everything(&hub);
    assert_eq!(hub.admin().node(&id)["node_id"], id);
    let keys = keys(&mut server.connect());
    assert!(keys.len() > 5, "{keys:?}");
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
