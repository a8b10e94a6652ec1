//! What becomes of tasks with time: leases, timeouts, silent nodes, starvation, clean-up.

use serde_json::{Value, json};

use crate::contract::{Desk, Held};
use crate::harness::{Hub, PATIENCE, RedisServer, Role, eventually};

/// The reasons that the event log gives for what happened to a task.
fn reasons(desk: &Desk, id: &str) -> Vec<String> {
    let events = desk.client.get("/cluster/events?limit=1000").ok()["events"].clone();
    let events = events.as_array().unwrap().iter();
    let of_task = events.filter(|event| event["payload"]["task_id"] == *id);
    of_task.map(|event| event["payload"]["reason"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn until_status(desk: &Desk, id: &str, status: &str) -> Value {
    eventually(&format!("{id} {status}"), PATIENCE, || {
        Some(desk.task(id)).filter(|task| task["status"] == status)
    })
}

#[test]
fn a_lease_that_runs_out_is_a_lost_try_and_the_last_one_the_end() {
    let hub = Hub::start();
    let desk = Desk::new(&hub.admin());
    let node = desk.node(5);
    let id = desk.submit(json!({"max_retries": 1}));
    let first = desk.claim_with(&node, json!({"lease_ms": 200})).remove(0);
    let task = until_status(&desk, &id, "pending");
    assert_eq!((&task["retry_count"], &task["assigned_node"]), (&json!(1), &Value::Null));
    assert_eq!(desk.client.node(&node)["running_tasks"], 0);
    assert_eq!(desk.client.node(&node)["total_tasks_processed"], 0);
    let second = desk.claim_with(&node, json!({"lease_ms": 200})).remove(0);
    let task = until_status(&desk, &id, "timeout");
    assert_eq!((&task["retry_count"], &task["assigned_node"]), (&json!(1), &json!(node)));
    assert!(task["error"].as_str().is_some_and(|error| error.contains("lease")), "{task}");
    assert_eq!(desk.client.node(&node)["failed_tasks"], 1);
    assert_eq!(desk.client.get("/tasks/dead").list(), [task]);
    for held in [first, second] {
        desk.post(&held, "complete", json!({})).problem(409, "fenced");
    }
    let expected = ["submitted", "claimed", "lease", "claimed", "lease"];
    assert_eq!(reasons(&desk, &id), expected);
    // A dead letter of this kind is found by its status.
    let redrive = json!({"filter": {"status": "timeout"}});
    assert_eq!(desk.client.post("/tasks/dead/redrive", &redrive).ok()["task_ids"], json!([id]));
}

#[test]
fn no_renewal_carries_a_task_past_its_own_timeout() {
    let hub = Hub::start();
    let desk = Desk::new(&hub.admin());
    let node = desk.node(5);
    let id = desk.submit(json!({"timeout": 0.2, "max_retries": 0}));
    let held = desk.claim_with(&node, json!({"lease_ms": 600_000})).remove(0);
    eventually("the timeout", PATIENCE, || {
        let renewal = desk.post(&held, "progress", json!({"lease_ms": 600_000}));
        (renewal.status != 200).then(|| renewal.problem(409, "fenced"))
    });
    let task = desk.task(&id);
    assert_eq!(task["status"], "timeout");
    assert!(task["error"].as_str().is_some_and(|error| error.contains("timeout")), "{task}");
    assert_eq!(reasons(&desk, &id), ["submitted", "claimed", "timeout"]);
}

#[test]
fn a_silent_nodes_tasks_are_back_the_moment_it_is_offline() {
    let hub = Hub::options().timeout(1.5).start();
    let desk = Desk::new(&hub.admin());
    let node = desk.node(5);
    let submitted = [0, 1, 2].map(|_| desk.submit(json!({"max_retries": 0})));
    let held = desk.claim_with(&node, json!({"lease_ms": 600_000}));
    eventually("the node offline", PATIENCE, || {
        (desk.client.node(&node)["status"] == "offline").then_some(())
    });
    // Without waiting for anything more.
    for id in &submitted {
        let task = desk.task(id);
        assert_eq!((&task["status"], &task["retry_count"]), (&json!("pending"), &json!(0)));
    }
    let claims: Vec<_> =
        held.iter().map(|held| json!({"task_id": held.id, "token": held.token})).collect();
    let beat = desk.client.beat(&node, &json!({"claims": claims}));
    assert_eq!(beat["revoked"], json!(submitted));
    assert_eq!(desk.claim(&node).len(), 3, "it is back and may have them again");
    for Held { id, .. } in held {
        assert_eq!(reasons(&desk, &id), ["submitted", "claimed", "timeout", "claimed"]);
    }
}

#[test]
fn a_running_task_without_a_lease_is_put_back() {
    let hub = Hub::start();
    let desk = Desk::new(&hub.admin());
    let node = desk.node(5);
    let [lost, kept] = [0, 1].map(|_| desk.submit(json!({})));
    desk.claim_with(&node, json!({"lease_ms": 600_000}));
    let mut redis = hub.private_redis();
    redis::cmd("ZREM").arg("reef:tasks:leases").arg(&lost).query::<()>(&mut redis).unwrap();
    let task = until_status(&desk, &lost, "pending");
    assert_eq!(task["retry_count"], 1);
    assert_eq!(desk.status(&kept), "running");
    assert_eq!(desk.client.node(&node)["running_tasks"], 1);
}

#[test]
fn without_a_monitor_the_cron_trigger_settles_what_is_due() {
    let server = RedisServer::start();
    let hub = Hub::options().role(Role::Serve).redis(&server).start();
    let desk = Desk::new(&hub.admin());
    let node = desk.node(5);
    let id = desk.submit(json!({}));
    desk.claim_with(&node, json!({"lease_ms": 200}));
    let delayed = desk.submit(json!({"delay_ms": 200}));
    assert_eq!(until_status(&desk, &id, "pending")["retry_count"], 1);
    until_status(&desk, &delayed, "pending");
}

#[test]
fn a_task_of_the_lowest_priority_waits_at_most_half_an_hour_for_urgent_ones() {
    const HALF_AN_HOUR_MICROS: i64 = 1800 * 1_000_000;
    let hub = Hub::start();
    let desk = Desk::new(&hub.admin());
    // Of different kinds, so that they wait in different queues.
    let low = desk.submit(json!({"priority": 3, "optional_skills": ["x"]}));
    let urgent = desk.submit(json!({"priority": 0}));
    let mut redis = hub.private_redis();
    let mut rank = |id: &str| -> i64 {
        redis::cmd("ZSCORE").arg("reef:tasks:waiting").arg(id).query::<f64>(&mut redis).unwrap()
            as i64
    };
    let gap = rank(&low) - rank(&urgent);
    // Submitted later by less than what the machine may have slept.
    assert!((HALF_AN_HOUR_MICROS - 60_000_000..HALF_AN_HOUR_MICROS).contains(&gap), "{gap} µs");
    let pending = desk.client.get("/tasks/pending").list();
    assert_eq!(crate::contract::ids(&pending), [&*urgent, &*low]);
    let ahead = |id: &str| desk.client.get(&format!("/tasks/{id}/why")).ok()["ahead"].clone();
    assert_eq!((ahead(&urgent), ahead(&low)), (json!(0), json!(1)));

    // As if it had been submitted half an hour earlier: its place is where it would be.
    let earlier = |key: &str, member: &str, redis: &mut redis::Connection| {
        let back = -HALF_AN_HOUR_MICROS;
        redis::cmd("ZINCRBY").arg(key).arg(back).arg(member).query::<()>(redis).unwrap();
    };
    let task = format!("reef:task:{low}");
    let class: String = redis::cmd("HGET").arg(&task).arg("class").query(&mut redis).unwrap();
    earlier("reef:tasks:waiting", &low, &mut redis);
    earlier(&format!("reef:queue:{class}"), &low, &mut redis);
    earlier(&format!("reef:queue-heads:{}", desk.skill), &class, &mut redis);
    let mut shift = redis::cmd("HINCRBY");
    shift.arg(&task).arg("rank").arg(-HALF_AN_HOUR_MICROS).query::<()>(&mut redis).unwrap();
    let node = desk.node(5);
    assert_eq!(desk.claim_one(&node).id, low);
    assert_eq!(desk.claim_one(&node).id, urgent);
}

#[test]
fn a_clean_up_forgets_what_has_ended_long_enough_ago() {
    let hub = Hub::start();
    let desk = Desk::new(&hub.admin());
    let node = desk.node(5);
    let clean_up = |body: Value| {
        desk.client.post("/tasks/cleanup", &body).has_fields(&["deleted"])["deleted"].clone()
    };
    let [ended, dead, running, cancelled, unsettled] = [0; 5].map(|_| desk.submit(json!({})));
    let held = desk.claim_with(&node, json!({"limit": 3}));
    desk.post(&held[0], "complete", json!({})).ok();
    desk.post(&held[1], "fail", json!({"retryable": false})).ok();
    for id in [&cancelled, &unsettled] {
        desk.client.post_empty(&format!("/tasks/{id}/cancel")).ok();
    }
    let pending = desk.submit(json!({}));
    let scheduled = desk.submit(json!({"delay_ms": 600_000}));
    let mut redis = hub.private_redis();
    // As if its message had not heard of its end, and would not for a while.
    let mut owe = redis::cmd("ZADD");
    owe.arg("reef:tasks:unsettled").arg("9000000000000").arg(&unsettled);
    owe.query::<()>(&mut redis).unwrap();

    assert_eq!(clean_up(json!({})), 0);
    assert_eq!(clean_up(json!({"days": 1})), 0);
    // Ended 25 hours ago, by the hub's clock.
    let mut age = redis::cmd("ZINCRBY");
    age.arg("reef:tasks:ended").arg(-25 * 3_600_000).arg(&ended).query::<()>(&mut redis).unwrap();
    assert_eq!(clean_up(json!({"days": 1.5})), 0);
    assert_eq!(clean_up(json!({"days": 1})), 1);
    desk.client.get(&format!("/tasks/{ended}")).problem(404, "not_found");
    assert_eq!(clean_up(json!({"days": 0})), 2);
    for id in [&dead, &cancelled] {
        desk.client.get(&format!("/tasks/{id}")).problem(404, "not_found");
    }
    assert_eq!(desk.client.get("/tasks/dead").list(), Vec::<Value>::new());
    let mut left = crate::contract::ids(&desk.client.get("/tasks").list());
    left.sort_unstable();
    let mut expected = [running, pending, scheduled, unsettled];
    expected.sort_unstable();
    assert_eq!(left, expected);
    assert_eq!(desk.client.get("/tasks/stats").ok()["total"], 4);
}

#[test]
fn scripts_that_redis_forgot_are_sent_again() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).start();
    let desk = Desk::new(&hub.admin());
    let node = desk.node(5);
    let mut redis = server.connect();
    let mut forget = || redis::cmd("FUNCTION").arg("FLUSH").query::<()>(&mut redis).unwrap();
    for _ in 0..2 {
        forget();
        let id = desk.submit(json!({}));
        forget();
        let held = desk.claim_one(&node);
        assert_eq!(held.id, id);
        forget();
        desk.post(&held, "progress", json!({})).ok();
        forget();
        desk.post(&held, "complete", json!({})).ok();
    }
}

#[test]
fn old_workers_find_session_tasks_in_their_list() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).variable("legacy_task_queue", "true").start();
    let client = hub.admin();
    let session = client.post_empty("/sessions").ok()["session_id"].as_str().unwrap().to_owned();
    let path = format!("/sessions/{session}/tasks");
    let mut redis = server.connect();
    let mut pop = || -> Value {
        let mut pop = redis::cmd("BRPOP");
        let popped: Option<(String, String)> =
            pop.arg("task_queue").arg(10).query(&mut redis).unwrap();
        serde_json::from_str(&popped.expect("nothing was pushed").1).unwrap()
    };
    let first = client.post(&path, &json!({"task_description": "one"})).ok();
    let second = client.post(&path, &json!({"task_description": "two"})).ok();
    for task in [first, second] {
        let told = json!({"message_id": task["message_id"], "task_id": task["task_id"]});
        assert_eq!(pop(), told);
    }
}

#[test]
fn a_stopping_host_sends_those_who_wait_home() {
    let mut hub = Hub::start();
    let desk = Desk::new(&hub.admin());
    let node = desk.node(5);
    let id = desk.submit(json!({"required_skills": ["nobody's"]}));
    let (claim, watch) = std::thread::scope(|scope| {
        let claim = scope.spawn(|| {
            let body = json!({"node_id": node, "wait_ms": 14_000});
            desk.client.post("/tasks/claim", &body)
        });
        let watch = scope.spawn(|| desk.client.get(&format!("/tasks/{id}?wait_ms=14000")));
        // Until the hub has both, which shows in nothing that could be awaited.
        std::thread::sleep(std::time::Duration::from_millis(500));
        hub.terminate();
        (claim.join().unwrap(), watch.join().unwrap())
    });
    assert_eq!(claim.ok()["tasks"], json!([]));
    assert_eq!(watch.ok()["status"], "pending");
    assert!(hub.wait().success());
}
