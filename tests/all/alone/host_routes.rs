//! What the host itself answers, and what it says about itself.

use crate::harness::{Hub, RedisServer, Role, reef, unique};
use serde_json::json;

/// Every code that a problem may carry (contract.md §1).
const CODES: &[&str] = &[
    "malformed_json",
    "invalid_parameter",
    "invalid_registration",
    "insufficient_balance",
    "unauthenticated",
    "forbidden",
    "not_found",
    "method_not_allowed",
    "conflict",
    "fenced",
    "in_progress",
    "inbox_full",
    "payload_too_large",
    "unsupported_media_type",
    "validation_failed",
    "idempotency_mismatch",
    "rate_limited",
    "internal",
    "deadline_exceeded",
    "store_unavailable",
    "durability_not_reached",
    "act_required",
    "hub_unavailable",
    "overloaded",
];

#[test]
fn every_problem_has_a_page_for_anybody() {
    let hub = Hub::start();
    let client = hub.anonymous();
    for code in CODES {
        let page = client.get(&format!("//problems/{code}"));
        assert_eq!(page.status, 200, "{page}");
        assert!(page.text().contains(code), "{page}");
    }
    client.get("//problems/nope").problem(404, "not_found");
}

#[test]
fn the_hosts_own_health_needs_no_key() {
    let hub = Hub::start();
    let client = hub.anonymous();
    for path in ["//healthz", "//readyz", "//health", "//"] {
        let answer = client.get(path);
        assert_eq!(answer.status, 200, "{answer}");
    }
}

#[test]
fn metrics_count_what_was_served_by_route() {
    let hub = Hub::start();
    let client = hub.admin();
    let id = client.new_node("metered");
    for _ in 0..3 {
        client.beat(&id, &json!({}));
    }
    let metrics = client.get("//metrics");
    assert_eq!(metrics.status, 200, "{metrics}");
    let kind = metrics.header("content-type").unwrap();
    assert!(kind.starts_with("text/plain"), "{kind}");
    let text = metrics.text();
    let counted = text.lines().any(|line| {
        !line.starts_with('#') && line.contains("heartbeat") && line.trim_end().ends_with(" 3")
    });
    assert!(counted, "{text}");
    // A label per node would make a series per node.
    assert!(!text.contains(&id), "{text}");
}

#[test]
fn a_path_outside_is_a_problem_too() {
    let hub = Hub::start();
    let client = hub.admin();
    client.get(&format!("//{}", unique("nowhere"))).problem(404, "not_found");
    client.delete("//healthz").problem(405, "method_not_allowed");
}

#[test]
fn what_the_host_serves_is_told_at_the_start() {
    let hub = Hub::start();
    assert!(hub.url().starts_with("http://127.0.0.1:"), "{}", hub.url());
    let key = std::fs::metadata(hub.state_dir().join("admin.key")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777;
    assert_eq!(mode, 0o600, "the admin key is for its owner alone");
    assert!(!hub.log().contains(&hub.admin_key()), "the admin key stands in the log");
}

#[test]
fn a_monitor_says_that_it_is_one_where_it_is_asked_for_a_hub() {
    let server = RedisServer::start();
    let monitor = Hub::options().role(Role::Monitor).redis(&server).start();
    let problem = monitor.anonymous().get("/cluster/health").problem(404, "not_found");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("is a monitor") && detail.contains("`reef serve`"), "{detail}");
    // Which is what whoever checks it reads.
    let verify = reef().args(["verify", "--hub", monitor.url()]).output().unwrap();
    assert_eq!(verify.status.code(), Some(1));
    let said = String::from_utf8(verify.stderr).unwrap();
    assert!(said.contains("This host is a monitor"), "{said}");
}
