//! How long tasks are kept after their end, and how they go.

use std::time::{Duration, Instant};

use reef_api::TaskId;
use reef_domain::json::Json;
use reef_domain::task::{Submission, Wants};
use reef_store::Store;
use reef_store::node::{Register, Writer};
use reef_store::task::{Claim, Complete, GivenTask, Submit, Submitted, Written, expire};
use serde_json::{Value, json};

use crate::contract::Desk;
use crate::harness::{
    Blocking, Client, Hub, PATIENCE, RedisServer, eventually, node_with, now, store,
};

const A_YEAR: i64 = 365 * 86_400_000;

fn is_gone(client: &Client, id: &str) -> bool {
    client.get(&format!("/tasks/{id}")).status == 404
}

fn end(desk: &Desk, node: &str, id: &str, how: &str, body: Value) -> Value {
    let held = desk.claim_with(node, json!({"task_id": id})).remove(0);
    desk.post(&held, how, body).ok()
}

#[test]
fn a_task_is_kept_as_long_as_it_says() {
    let hub = Hub::start();
    let desk = Desk::new(&hub.admin());
    let node = desk.node(9);
    let kept = desk.submit_with(json!({"keep_completed_ms": A_YEAR, "keep_failed_ms": 0}));
    assert_eq!([&kept["keep_completed_ms"], &kept["keep_failed_ms"]], [A_YEAR, 0]);
    let kept = kept["task_id"].as_str().unwrap();
    let [soon, later] = [0, 300_000].map(|ms| desk.submit(json!({"keep_completed_ms": ms})));
    let failing = desk.submit(json!({"keep_completed_ms": A_YEAR, "keep_failed_ms": 0}));
    let cancelled = desk.submit(json!({"keep_failed_ms": 0}));
    let plain = desk.submit(json!({}));
    assert_eq!(desk.task(&plain).get("keep_completed_ms"), None);
    for id in [kept, &soon, &later, &plain] {
        end(&desk, &node, id, "complete", json!({"result": 1}));
    }
    end(&desk, &node, &failing, "fail", json!({"retryable": false}));
    desk.client.post_empty(&format!("/tasks/{cancelled}/cancel")).ok();
    for id in [&soon, &failing, &cancelled] {
        eventually("it is forgotten", PATIENCE, || is_gone(&desk.client, id).then_some(()));
    }
    for id in [kept, &later, &plain] {
        assert_eq!(desk.status(id), "completed");
    }
    let stats = desk.client.get("/tasks/stats").ok();
    assert_eq!([&stats["ended"], &stats["overdue"]], [3, 0]);
    assert_eq!(stats["oldest_end"], desk.task(&plain)["completed_at"]);
    assert!(stats["ended_bytes"].as_i64().unwrap() > 1000, "{stats}");

    // Who cleans up by hand means all, however long they say.
    assert_eq!(desk.client.post("/tasks/cleanup", &json!({"days": 1})).ok()["deleted"], 0);
    assert_eq!(desk.client.post("/tasks/cleanup", &json!({"days": 0})).ok()["deleted"], 3);
    assert_eq!(desk.client.get("/tasks/stats").ok()["ended_bytes"], 0);
}

#[test]
fn the_hub_says_how_long_tasks_are_kept_that_do_not() {
    // Two seconds.
    let hub = Hub::options().variable("task_kept_hours", "0.00056").start();
    let desk = Desk::new(&hub.admin());
    let node = desk.node(9);
    let [plain, own] = [json!({}), json!({"keep_completed_ms": A_YEAR})].map(|it| desk.submit(it));
    for id in [&plain, &own] {
        end(&desk, &node, id, "complete", json!({}));
    }
    eventually("it is forgotten", PATIENCE, || is_gone(&desk.client, &plain).then_some(()));
    assert_eq!(desk.status(&own), "completed");
}

#[test]
fn what_is_large_lies_apart_and_is_shown_as_ever() {
    let hub = Hub::start();
    let desk = Desk::new(&hub.admin());
    let node = desk.node(9);
    let long = |letter: &str| json!({"text": letter.repeat(40_000)});
    let small = desk.submit(json!({"parameters": {"n": 1}}));
    let large = desk.submit(json!({"parameters": long("p"), "max_retries": 0}));
    let mut redis = hub.private_redis();
    let mut apart = |id: &str| -> Vec<String> {
        let mut names: Vec<String> =
            redis::cmd("HKEYS").arg(format!("reef:task-large:{id}")).query(&mut redis).unwrap();
        names.sort_unstable();
        names
    };
    // What a node needs at each step stays small while the task runs.
    assert_eq!(apart(&large), ["spec"]);
    assert_eq!(apart(&small), [""; 0]);
    assert_eq!(desk.task(&large)["parameters"], long("p"));

    end(&desk, &node, &large, "fail", json!({"error": "e".repeat(200), "retryable": false}));
    assert_eq!(apart(&large), ["error", "spec"]);
    let failed = desk.task(&large);
    assert_eq!([&failed["error"], &failed["parameters"]], [&json!("e".repeat(200)), &long("p")]);
    // Tried again, it is as it was.
    desk.client.post_empty(&format!("/tasks/{large}/retry")).ok();
    assert_eq!(apart(&large), ["attempts", "spec"]);
    assert_eq!(desk.task(&large)["error"], Value::Null);

    let shown = end(&desk, &node, &large, "complete", json!({"result": long("r")}));
    assert_eq!([&shown["result"], &shown["parameters"]], [&long("r"), &long("p")]);
    let shown = end(&desk, &node, &small, "complete", json!({"result": 7}));
    assert_eq!([&shown["result"], &shown["parameters"]["n"]], [7, 1]);
    assert_eq!(apart(&large), ["attempts", "result", "spec"]);
    assert_eq!(apart(&small), ["spec"]);
    let listed = desk.client.get("/tasks?status=completed").list();
    assert_eq!(
        listed.iter().find(|it| it["task_id"] == large.as_str()).unwrap(),
        &desk.task(&large)
    );
    for id in [&small, &large] {
        desk.client.delete(&format!("/tasks/{id}")).ok();
    }
    assert_eq!(apart(&small).len() + apart(&large).len(), 0);
}

/// Tasks that have been submitted, claimed and completed by the scripts alone, and are due to go.
fn end_many(store: &Store<Blocking>, count: usize) {
    let node = "node".into();
    let host = node_with("node", vec!["s".to_owned()]);
    let register = Register::new(&host, &node, "owner", Writer::Any);
    now(store.call(&register)).unwrap();
    let wants = Wants { required_skills: vec!["s".to_owned()], ..Wants::default() };
    let name = "work".to_owned();
    let submission =
        Submission { name, wants, keep_completed_ms: Some(0), ..Submission::default() };
    let parameters = Json::read(&json!({"path": "x".repeat(100)}).to_string()).unwrap();
    let result = Json::read(&json!({"text": "x".repeat(200)}).to_string()).unwrap();
    for n in 0..count {
        let task_id = &TaskId::from(format!("task_{n:032x}"));
        let submit = Submit {
            task: GivenTask {
                task_id,
                submission: &submission,
                parameters: &parameters,
                metadata: &Json::empty_object(),
                owner: "owner",
                approval: None,
                follows_group: false,
                charge: None,
            },
            quotas: None,
        };
        assert!(matches!(now(store.call(&submit)).unwrap(), Submitted::Ok { .. }));
        let claim = Claim {
            node_id: &node,
            writer: Writer::Any,
            limit: 1,
            spent_by: 0,
            lease_ms: 30_000,
            task_id: None,
            random: "x",
        };
        let Written::Ok(claims) = now(store.call(&claim)).unwrap() else { panic!("no claim") };
        let claimed = &claims.tasks[0];
        let complete = Complete {
            task_id: &claimed.task.task_id,
            writer: Writer::Any,
            token: &claimed.token,
            result: Some(&result),
            content: None,
            usage: "",
            amount: None,
        };
        assert!(matches!(now(store.call(&complete)).unwrap(), Written::Ok(_)));
    }
}

fn used_memory(store: &Store<Blocking>) -> u64 {
    // The log of events has a bound of its own.
    store.redis().ask::<()>(redis::cmd("DEL").arg("reef:events"));
    store.redis().ask::<()>(redis::cmd("MEMORY").arg("PURGE"));
    let info: String = store.redis().ask(redis::cmd("INFO").arg("memory"));
    let line = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
    line.unwrap().trim().parse().unwrap()
}

/// `REEF_ENDED_TASKS=100000` makes it a measurement.
#[test]
fn memory_is_as_it_was_once_tasks_are_forgotten() {
    let count = std::env::var("REEF_ENDED_TASKS").map_or(2000, |text| text.parse().unwrap());
    let server = RedisServer::start();
    server.keep_nothing();
    let store = store(server.connect());
    // What is there once and stays.
    end_many(&store, 100);
    now(expire(&store, A_YEAR, Duration::from_secs(600))).unwrap();
    let before = used_memory(&store);
    end_many(&store, count);
    let full = used_memory(&store);
    let began = Instant::now();
    let forgotten = now(expire(&store, A_YEAR, Duration::from_secs(600))).unwrap();
    let took = began.elapsed();
    assert_eq!(forgotten, i64::try_from(count).unwrap());
    let after = used_memory(&store);
    println!(
        "{count} ended tasks took {} bytes each and were forgotten in {took:?}, {:.0} a second; \
         {} bytes are left of {}",
        (full - before) / count as u64,
        count as f64 / took.as_secs_f64(),
        after.saturating_sub(before),
        full - before,
    );
    assert!(after.saturating_sub(before) < (full - before) / 5, "{before} {full} {after}");
    let left: Vec<String> = store.redis().ask(redis::cmd("KEYS").arg("reef:task*"));
    assert_eq!(left, [""; 0]);
}

/// With `REEF_ENDED_TASKS=100000` a measurement, too: of the monitor, with a Redis that writes to the disk
/// before it answers.
#[test]
fn the_monitor_forgets_them_between_its_other_work() {
    let count = std::env::var("REEF_ENDED_TASKS").map_or(1000, |text| text.parse().unwrap());
    let server = RedisServer::start();
    server.keep_nothing();
    let store = store(server.connect());
    end_many(&store, count);
    store.redis().ask::<()>(redis::cmd("CONFIG").arg("SET").arg("appendonly").arg("yes"));
    let hub = Hub::options().redis(&server).start();
    let client = hub.admin();
    let left = || client.get("/tasks/stats").ok()["ended"].as_u64().unwrap();
    let (began, first) = (Instant::now(), left());
    let mut slowest = Duration::ZERO;
    eventually("all are forgotten", PATIENCE.max(Duration::from_millis(count as u64)), || {
        let asked = Instant::now();
        let left = left();
        slowest = slowest.max(asked.elapsed());
        (left == 0).then_some(())
    });
    let took = began.elapsed();
    println!(
        "the monitor forgot {first} of {count} tasks in {took:?}, {:.0} a second; who asked meanwhile \
         waited for {slowest:?} at most",
        first as f64 / took.as_secs_f64(),
    );
}
