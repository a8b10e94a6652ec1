//! What Redis' clock may do: nothing is decided by it alone. A clock that was set back is a logical
//! clock that has gone on while keys have not run out; one that was set forward makes keys run out.

use redis::Connection;
use serde_json::json;

use crate::harness::{Hub, PATIENCE, RedisServer, eventually, registration, unique};

/// Longer than anything is kept that is kept for a day.
const DAY_MS: i64 = 25 * 3_600_000;

/// Lets logical time go on in a partition.
fn pass(redis: &mut Connection, partition: &str, ms: i64) {
    redis::cmd("HINCRBY").arg(partition).arg("clock").arg(ms).query::<i64>(redis).unwrap();
}

fn names(redis: &mut Connection, pattern: &str) -> Vec<String> {
    redis::cmd("KEYS").arg(pattern).query(redis).unwrap()
}

fn ttl_ms(redis: &mut Connection, key: &str) -> i64 {
    redis::cmd("PTTL").arg(key).query(redis).unwrap()
}

#[test]
fn an_old_bots_key_that_only_redis_clock_keeps_does_not_keep_it_alive() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).timeout(2.0).start();
    let client = hub.admin();
    let mut redis = server.connect();
    let bot = unique("bot");
    let key = format!("hb:{bot}");
    let mut beat = |ts: i64| {
        let value = json!({"status": "online", "ts": ts, "node": bot}).to_string();
        redis::cmd("SETEX").arg(&key).arg(3600).arg(value).query::<()>(&mut redis).unwrap();
    };
    beat(1);
    redis::cmd("HSET")
        .arg("openclaw:cluster:nodes")
        .arg(&bot)
        .arg(json!({"node": bot, "status": "online"}).to_string())
        .query::<()>(&mut server.connect())
        .unwrap();
    let wait_for = |status: &str| {
        eventually(&format!("the bot {status}"), PATIENCE, || {
            let nodes = client.get("/nodes").list();
            nodes.iter().find(|node| node["hostname"] == *bot && node["status"] == *status)?;
            Some(())
        });
    };
    wait_for("online");
    // Its time is over, but its key is not: the clock was set back.
    pass(&mut server.connect(), "reef:cluster", 3_700_000);
    wait_for("offline");
    assert!(ttl_ms(&mut server.connect(), &format!("hb:{bot}")) > 0);
    // It comes back by writing, not by a key that is still there.
    beat(2);
    wait_for("online");
}

#[test]
fn what_was_answered_under_a_key_is_kept_by_the_logical_clock() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).start();
    let admin = hub.admin();
    let agent = admin.new_agent();
    let mut redis = server.connect();
    let under = |key: &str| agent.client.with("Idempotency-Key", key);
    let deposit = json!({"agent_id": agent.id, "amount": "10"});
    under("pay").post("/deposit", &deposit).ok();
    under("work").post("/tasks", &json!({"name": "n", "required_skills": [unique("s")]})).ok();
    for (partition, pattern, due) in [
        ("reef:ledger", "reef:ledger-idempotency:*", "reef:ledger-idempotency-due"),
        ("reef:cluster", "reef:idempotency:*", "reef:idempotency-due"),
    ] {
        let records = names(&mut redis, pattern);
        assert!(!records.is_empty(), "{pattern}");
        for record in &records {
            assert_eq!(ttl_ms(&mut redis, record), -1, "{record}: Redis' clock could end it");
        }
        let noted: usize = redis::cmd("ZCARD").arg(due).query(&mut redis).unwrap();
        assert_eq!(noted, records.len());
        // A day later the monitor sweeps them away.
        pass(&mut redis, partition, DAY_MS);
        eventually("the answers are swept", PATIENCE, || {
            names(&mut redis, pattern).is_empty().then_some(())
        });
        let noted: usize = redis::cmd("ZCARD").arg(due).query(&mut redis).unwrap();
        assert_eq!(noted, 0);
    }
}

#[test]
fn a_day_forward_leaves_what_was_written_just_now() {
    let hub = Hub::start();
    let client = hub.admin();
    let session = client.post_empty("/sessions").ok()["session_id"].as_str().unwrap().to_owned();
    let path = format!("/sessions/{session}/messages");
    client.with("Idempotency-Key", "once").post(&path, &json!({"content": "x"})).ok();
    let node = client.post("/nodes/register", &registration(&unique("host"))).ok();
    let inbox = format!("/inbox/{}", node["node_id"].as_str().unwrap());
    client.post(&inbox, &json!({"from": "me", "content": "x"})).ok();
    let mut redis = hub.private_redis();
    for pattern in [
        "message:*",
        "reef:message:*",
        "session:*",
        "reef:session:*",
        "reef:inbox*",
        "reef:*-idempotency:*",
        "stream:*",
    ] {
        for key in names(&mut redis, pattern) {
            let ttl = ttl_ms(&mut redis, &key);
            assert!(ttl == -1 || ttl > DAY_MS, "{key} ends within a day: {ttl}");
        }
    }
}
