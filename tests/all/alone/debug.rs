//! `GET /debug`: what whoever helps from afar gets, and what it does not.

use serde_json::json;

use crate::harness::{Hub, RedisServer, Role, is_timestamp, unique};

#[test]
fn the_bundle_says_how_a_host_is_and_shows_no_secret() {
    let server = RedisServer::start();
    let folder = tempfile::tempdir().unwrap();
    let secret_file = folder.path().join("alert.secret");
    std::fs::write(&secret_file, "sesame-of-the-alerts").unwrap();
    let hub = Hub::options()
        .redis(&server)
        .variable("rate_limit_per_second", "777")
        .env("REEF_ALERT_URL", "http://127.0.0.1:9/hook/token-in-a-path")
        .env("REEF_ALERT_SECRET_FILE", secret_file.to_str().unwrap())
        .env("SOME_SERVICE_TOKEN", "token-of-another-service")
        .env("SOME_URL", "https://user:password-in-an-address@example.org/x")
        .start();
    let admin = hub.admin();
    let agent = admin.new_agent();
    agent.client.get("//debug").problem(403, "forbidden");
    hub.anonymous().get("//debug").problem(401, "unauthenticated");
    admin.post_empty("//debug").problem(405, "method_not_allowed");

    let answer = admin.get("//debug");
    let bundle = answer.ok();
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.body.len() < 4 << 20, "{}", answer.body.len());
    let text = answer.text();
    for secret in [
        &*hub.admin_key(),
        &agent.key,
        "sesame-of-the-alerts",
        "token-in-a-path",
        "token-of-another-service",
        "password-in-an-address",
    ] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert!(is_timestamp(&bundle["at"]), "{}", bundle["at"]);
    assert_eq!(bundle["host"]["role"], "up");
    assert_eq!(bundle["host"]["built"]["version"], admin.get("//healthz").ok()["version"]);
    assert_eq!(bundle["variables"]["rate_limit_per_second"], "777");
    assert_eq!(bundle["variables"]["admin_key"], "********");
    assert_eq!(bundle["readiness"]["ready"], true);
    let info = bundle["redis"]["servers"][0]["info"].as_str().unwrap();
    assert!(info.contains("redis_version:") && info.contains("used_memory:"), "{info}");
    assert!(bundle["metrics"].as_str().unwrap().contains("reef_http_requests_total{"));
    let log = bundle["log"].as_array().unwrap();
    let said = |words: &str| log.iter().any(|line| line.as_str().unwrap().contains(words));
    assert!(said("this host is the monitor") && log.len() <= 1000, "{log:?}");
    // Where a value comes from.
    let settings = bundle["configuration"]["settings"].as_array().unwrap();
    let alert_url = settings.iter().find(|row| row["name"] == "alert_url").unwrap();
    assert_eq!(alert_url["value"], "********");
    assert_eq!(alert_url["origin"], json!({"kind": "environment", "name": "REEF_ALERT_URL"}));
    // What was typed wins, and is told.
    let listen = settings.iter().find(|row| row["name"] == "listen").unwrap();
    assert_eq!(listen["origin"], json!({"kind": "flag", "name": "--listen"}), "{listen}");
}

#[test]
fn the_log_of_a_bundle_is_bounded_and_has_the_last_lines() {
    let hub = Hub::start();
    let admin = hub.admin();
    // What an admin key does is a line of the log, under the request's id.
    for n in 0..1100 {
        let admin = admin.with("x-request-id", &format!("look-{n}"));
        admin.post("/agents/register", &json!({"agent_id": format!("agent-{n}")})).ok();
    }
    let bundle = admin.get("//debug").ok();
    let log = bundle["log"].as_array().unwrap();
    assert_eq!(log.len(), 1000);
    let names = |n: usize| {
        let id = format!("look-{n}");
        let words = log.iter().flat_map(|line| line.as_str().unwrap().split([' ', '=', '"']));
        words.into_iter().any(|word| word == id)
    };
    assert!(names(1099) && !names(3), "{}", log[0]);
}

#[test]
fn also_a_monitor_has_a_bundle_and_in_every_mode_it_is_the_admins() {
    let hub = Hub::options().open().start();
    hub.anonymous().get("//debug").problem(401, "unauthenticated");
    hub.admin().get("//debug").ok();
    let server = RedisServer::start();
    let key = unique("a-key-of-the-monitor");
    let monitor = Hub::options()
        .role(Role::Monitor)
        .redis(&server)
        .env("SPIN_VARIABLE_ADMIN_KEY", &key)
        .start();
    let bundle = monitor.anonymous().with_key(&key).get("//debug");
    assert_eq!(bundle.ok()["host"]["role"], "monitor");
    assert!(!bundle.text().contains(&key));
}
