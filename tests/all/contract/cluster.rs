//! The cluster as a whole: health, state, the check, the leader, and the hub's own health.

use serde_json::json;

use super::caller;
use crate::harness::{field_names, is_timestamp, unique};

const STATES: &[&str] = &["online", "offline", "busy", "maintenance", "error"];

#[test]
fn cluster_health_adds_up() {
    let (_hub, client) = caller();
    let id = client.new_node("counted");
    client.beat(&id, &json!({"running_tasks": 1}));
    let answer = client.get("/cluster/health");
    let health = answer.has_fields(&[
        "checked_at",
        "total_nodes",
        "nodes_by_status",
        "online_nodes",
        "offline_nodes",
        "busy_nodes",
        "timeout_nodes_count",
        "total_capacity",
        "used_capacity",
        "available_capacity",
        "capacity_utilization",
        "expiry",
    ]);
    assert!(is_timestamp(&health["checked_at"]));
    let by_status = &health["nodes_by_status"];
    let count = |status: &str| by_status[status].as_u64().unwrap_or_else(|| panic!("{answer}"));
    let total: u64 = STATES.iter().map(|status| count(status)).sum();
    assert_eq!(health["total_nodes"], total);
    assert_eq!(by_status.as_object().unwrap().len(), STATES.len());
    for status in ["online", "offline", "busy"] {
        assert_eq!(health[format!("{status}_nodes")], count(status), "{answer}");
    }
    assert!(count("online") >= 1);

    let number =
        |field: &str| health[field].as_f64().unwrap_or_else(|| panic!("{field}: {answer}"));
    assert!(number("total_capacity") >= 5.0);
    assert!(number("used_capacity") >= 1.0);
    let percent = 100.0 * number("used_capacity") / number("total_capacity");
    assert!((number("capacity_utilization") - percent).abs() < 0.01, "{answer}");
    assert!(health["timeout_nodes_count"].is_u64());
    assert!(health["expiry"]["suspended"].is_boolean());
    assert_eq!(field_names(&health["expiry"].to_string()).len(), 2);
}

#[test]
fn cluster_state_counts_nodes_and_tasks() {
    let (_hub, client) = caller();
    client.new_node("stated");
    let answer = client.get("/cluster/state");
    let state = answer.has_fields(&[
        "version",
        "total_nodes",
        "online_nodes",
        "total_tasks",
        "running_tasks",
        "updated_at",
        "nodes_by_status",
        "tasks_by_status",
        "data_version",
    ]);
    assert!(is_timestamp(&state["updated_at"]));
    assert!(state["online_nodes"].as_u64() <= state["total_nodes"].as_u64());
    assert!(state["online_nodes"].as_u64() >= Some(1));
    for status in STATES {
        assert!(state["nodes_by_status"][status].is_u64(), "{status}: {answer}");
    }
}

#[test]
fn the_version_of_the_cluster_grows_when_it_changes() {
    let (_hub, client) = caller();
    let version = || client.get("/cluster/state").ok()["version"].as_u64().unwrap();
    let before = version();
    client.new_node("versioned");
    assert!(version() > before);
}

#[test]
fn a_check_says_when_it_looked_and_whom_it_found() {
    let (_hub, client) = caller();
    let alive = client.new_node("checked");
    for answer in [
        client.post_empty("/cluster/check-heartbeat"),
        client.post("/cluster/check-heartbeat", &json!({})),
        client.post("/cluster/check-heartbeat", &json!({"timeout_seconds": null})),
        client.post("/cluster/check-heartbeat", &json!({"timeout_seconds": 86400})),
    ] {
        let check = answer.has_fields(&[
            "checked_at",
            "timeout_nodes_count",
            "timeout_nodes",
            "all_nodes_healthy",
            "expiry",
        ]);
        assert!(is_timestamp(&check["checked_at"]), "{answer}");
        let listed = check["timeout_nodes"].as_array().unwrap();
        assert_eq!(check["timeout_nodes_count"], listed.len(), "{answer}");
        assert!(listed.iter().all(|node| node["node_id"] != alive), "{answer}");
        assert!(check["all_nodes_healthy"].is_boolean(), "{answer}");
        assert!(check["expiry"]["suspended"].is_boolean(), "{answer}");
    }
    assert_eq!(client.node(&alive)["status"], "online");
}

#[test]
fn whoever_campaigns_learns_who_leads() {
    let (_hub, client) = caller();
    let candidate = client.new_node("candidate");
    let body = json!({"node_id": candidate, "ttl_ms": 60_000});
    let answer = client.post("/cluster/leader/campaign", &body);
    let campaign = answer.has_fields(&["is_leader", "leader", "term", "ttl_ms"]);
    assert_eq!(campaign["is_leader"], campaign["leader"] == candidate.as_str(), "{answer}");
    assert!(campaign["term"].as_u64() >= Some(1), "{answer}");
    assert!((1..=600_000).contains(&campaign["ttl_ms"].as_u64().unwrap()), "{answer}");

    let leader = client.get("/cluster/leader").has_fields(&["leader", "term", "ttl_ms"]);
    assert!(leader["term"].as_u64() >= campaign["term"].as_u64());
    let history = client.get("/cluster/leader/history?limit=1").list();
    assert_eq!(history.len(), 1);
    for field in ["timestamp", "node_id", "event", "term", "is_leader"] {
        assert!(!history[0][field].is_null(), "{field}: {history:?}");
    }
    if campaign["is_leader"] == true {
        let body = json!({"node_id": candidate, "term": campaign["term"]});
        client.post("/cluster/leader/resign", &body).ok();
    }
}

#[test]
fn nobody_resigns_for_another() {
    let (_hub, client) = caller();
    let usurper = client.new_node("usurper");
    let body = json!({"node_id": usurper, "term": 1});
    client.post("/cluster/leader/resign", &body).problem(409, "fenced");
    let nobody = json!({"node_id": unique("nobody"), "term": 1});
    client.post("/cluster/leader/resign", &nobody).problem(404, "not_found");
}

#[test]
fn the_hub_itself_is_healthy_without_a_key() {
    let (hub, _) = caller();
    let health = hub.anonymous.get("//health").has_fields(&["status", "timestamp", "service"]);
    assert_eq!(health["status"], "healthy");
    assert!(is_timestamp(&health["timestamp"]));
    assert_eq!(hub.anonymous.get("//readyz").status, 200);
}
