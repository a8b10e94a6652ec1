//! `GET /cluster/monitor`: who monitors, and how it goes.

use serde_json::Value;

use crate::harness::{Hub, PATIENCE, RedisServer, Role, eventually, is_timestamp};

#[test]
fn who_monitors_is_told_with_its_rounds() {
    let server = RedisServer::start();
    let mut hub = Hub::options().redis(&server).arg("--tick").arg("100").start();
    let serving = Hub::options().role(Role::Serve).redis(&server).start();
    let admin = serving.admin();
    let ask = || admin.get("/cluster/monitor").ok();
    let at_work = eventually("some rounds", PATIENCE, || {
        let told = ask();
        (told["ticks"].as_i64()? > 30).then_some(told)
    });
    assert_eq!(at_work["success"], true);
    assert!(at_work["holder"].is_string() && at_work["term"] == 1, "{at_work}");
    assert!(is_timestamp(&at_work["until"]) && is_timestamp(&at_work["last_tick_at"]));
    assert!(at_work["until"].as_str() > at_work["last_tick_at"].as_str(), "{at_work}");
    assert!(at_work["tick_ms"].as_i64().is_some_and(|ms| ms < 60_000), "{at_work}");
    for what in ["leases", "delayed", "waits", "endings", "limits", "schedules", "janitor"] {
        assert!(at_work["lag"][what].as_i64().is_some_and(|ms| ms >= 0), "{what} in {at_work}");
    }
    // Who ends hands the lease back; the next one begins to count anew.
    hub.terminate();
    hub.wait();
    let gone = eventually("nobody", PATIENCE, || {
        let told = ask();
        told["holder"].is_null().then_some(told)
    });
    assert_eq!((&gone["term"], &gone["until"]), (&Value::from(1), &Value::Null));
    hub.start_again();
    eventually("another term", PATIENCE, || {
        let told = ask();
        let is_next = told["term"] == 2 && told["ticks"].as_i64()? < at_work["ticks"].as_i64()?;
        is_next.then_some(())
    });
}

#[test]
fn what_is_due_while_nobody_monitors_is_told() {
    let server = RedisServer::start();
    let hub = Hub::options().role(Role::Serve).redis(&server).start();
    let admin = hub.admin();
    let body = serde_json::json!({"name": "later", "required_skills": ["x"], "delay_ms": 1});
    admin.post("/tasks", &body).ok();
    let late = eventually("the task is due", PATIENCE, || {
        let told = admin.get("/cluster/monitor").ok();
        (told["lag"]["delayed"].as_i64()? > 0).then_some(told)
    });
    assert_eq!((&late["holder"], &late["ticks"]), (&Value::Null, &Value::from(0)));
    assert_eq!(late["lag"]["leases"], 0);
}
