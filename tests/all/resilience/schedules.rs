//! Schedules whose hosts stop, die, or were away: each run begins once.

use redis::Connection;
use serde_json::{Value, json};

use crate::harness::{Client, Hub, PATIENCE, RedisServer, eventually, unique};

const HOUR_MS: i64 = 3_600_000;

fn put(client: &Client, id: &str, fields: Value) {
    let mut body = json!({"task": {"name": "tick", "required_skills": [id]}});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    client.put(&format!("/schedules/{id}"), &body).ok();
}

fn show(client: &Client, id: &str) -> Value {
    client.get(&format!("/schedules/{id}")).ok()
}

/// The ids of the tasks that it has submitted, newest first.
fn tasks(client: &Client, id: &str) -> Vec<Value> {
    client.get(&format!("/tasks?label=schedule:{id}&limit=1000")).list()
}

fn due_ms(task: &Value) -> i64 {
    task["task_id"].as_str().unwrap().rsplit_once('_').unwrap().1.parse().unwrap()
}

/// As if nobody had looked at a schedule for so long.
fn away(redis: &mut Connection, id: &str, ms: i64) {
    let key = format!("reef:schedule:{id}");
    let from: i64 = redis::cmd("HGET").arg(&key).arg("from").query(redis).unwrap();
    redis::cmd("HSET").arg(&key).arg("from").arg(from - ms).query::<()>(redis).unwrap();
    redis::cmd("ZADD").arg("reef:schedules-due").arg(0).arg(id).query::<()>(redis).unwrap();
}

/// Each way to make up for twelve hours without anybody, with each way to treat runs that overlap. No run
/// is on time: the pace is five minutes, and the last one was due two minutes ago.
#[test]
fn twelve_hours_without_anybody() {
    let hub = Hub::start();
    let client = hub.admin();
    let mut redis = hub.private_redis();
    // Whether a run at the full five minutes is on time depends on the clock: these runs are two minutes old.
    let now: Vec<i64> = redis::cmd("TIME").query(&mut redis).unwrap();
    let phase = format!("{}", reef_api::time::UnixMillis(now[0] * 1000 - 120_000 - 20 * HOUR_MS));
    let all = json!({"mode": "all", "most": 5});
    // Catch-up, overlap: tasks, skipped, missed. 144 runs were due.
    let cases = [
        (json!({"mode": "none"}), "skip", [0, 0, 144]),
        (json!({"mode": "none"}), "allow", [0, 0, 144]),
        (json!({"mode": "latest"}), "skip", [1, 0, 143]),
        (json!({"mode": "latest"}), "buffer", [1, 0, 143]),
        (json!({"mode": "latest"}), "cancel", [1, 0, 143]),
        (json!({"mode": "latest"}), "allow", [1, 0, 143]),
        (json!({"mode": "latest", "window_ms": 60_000}), "skip", [0, 0, 144]),
        (all.clone(), "skip", [1, 4, 139]),
        (all.clone(), "buffer", [2, 3, 139]),
        (all.clone(), "cancel", [5, 0, 139]),
        (all.clone(), "allow", [5, 0, 139]),
        (json!({"mode": "all", "most": 100, "window_ms": HOUR_MS}), "allow", [12, 0, 132]),
    ];
    for (catch_up, overlap, expected) in cases {
        let id = unique("late");
        let spec = json!({"every_ms": 300_000, "start_at": phase});
        put(&client, &id, json!({"spec": spec, "catch_up": catch_up, "overlap": overlap}));
        away(&mut redis, &id, 12 * HOUR_MS);
        let total = expected.iter().sum::<i64>();
        let shown = eventually("all runs decided", PATIENCE, || {
            let shown = show(&client, &id);
            let counts = ["started", "skipped", "missed"].map(|name| shown[name].as_i64().unwrap());
            (counts.iter().sum::<i64>() == total).then_some((counts, shown))
        });
        assert_eq!(shown.0, expected, "{catch_up} {overlap}: {}", shown.1);
        let tasks = tasks(&client, &id);
        assert_eq!(i64::try_from(tasks.len()).unwrap(), expected[0], "{catch_up} {overlap}");
        client.delete(&format!("/schedules/{id}")).ok();
        // Whoever makes up for several leaves a second between them.
        let scheduled = tasks.iter().filter(|task| task["status"] == "scheduled").count();
        if overlap == "allow" {
            assert_eq!(scheduled, tasks.len().saturating_sub(1), "{tasks:?}");
        }
    }
}

/// Two hosts; whichever looks is stopped in the middle, and goes on when the other has taken over.
#[test]
fn a_stopped_host_that_goes_on_begins_no_run_twice() {
    let server = RedisServer::start();
    let hosts = [0, 1].map(|_| Hub::options().redis(&server).start());
    let client = hosts[0].admin();
    let ids: Vec<String> = (0..20).map(|_| unique("twice")).collect();
    for id in &ids {
        put(&client, id, json!({"spec": {"every_ms": 1000}, "overlap": "allow"}));
    }
    for round in 0..4 {
        let (stopped, other) = (&hosts[round % 2], hosts[(round + 1) % 2].admin());
        let at = show(&other, &ids[0])["started"].as_i64().unwrap();
        stopped.freeze();
        // The other has taken over, whoever it was.
        eventually("runs without the other host", PATIENCE, || {
            (show(&other, &ids[0])["started"].as_i64().unwrap() >= at + 2).then_some(())
        });
        stopped.thaw();
    }
    for id in &ids {
        client.post(&format!("/schedules/{id}/pause"), &json!({})).ok();
        let shown = show(&client, id);
        let mut dues: Vec<i64> = tasks(&client, id).iter().map(due_ms).collect();
        dues.sort_unstable();
        assert_eq!(
            shown["started"].as_i64().unwrap(),
            i64::try_from(dues.len()).unwrap(),
            "{shown}"
        );
        assert_eq!(shown["missed"], 0, "{shown}");
        assert!(
            dues.windows(2).all(|pair| pair[1] - pair[0] == 1000),
            "none twice, none left out: {dues:?}"
        );
    }
}
