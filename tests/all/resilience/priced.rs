//! Tasks that are paid for while the host that serves them is killed, again and again. A second host is the
//! monitor. What is left half done is neither paid twice, nor unpaid, nor reserved for ever.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{
    Answer, Client, Hub, HubOptions, NewAgent, PATIENCE, RedisCluster, RedisServer, Role,
    eventually, registration,
};

/// How often the host is killed, unless `REEF_BLOWS` says otherwise.
const BLOWS: usize = 5;
/// Requests that are answered between two blows.
const BETWEEN: usize = 150;

/// A market whose doors are closed by force.
struct Market {
    payer: Client,
    worker: Client,
    answered: AtomicUsize,
    is_over: AtomicBool,
}

impl Market {
    /// Asks until there is an answer: the host may be away, or go in the middle of one. Nothing once all is over.
    fn persist(&self, client: &Client, path: &str, body: &Value, key: &str) -> Option<Answer> {
        let (client, text) = (client.with("idempotency-key", key), body.to_string());
        loop {
            match client.try_send("POST", path, Some(text.as_bytes())) {
                // Another host may still be at the first request.
                Ok(answer) if answer.status < 500 && !answer.text().contains("in_progress") => {
                    self.answered.fetch_add(1, Ordering::Relaxed);
                    return Some(answer);
                }
                _ if self.is_over.load(Ordering::Relaxed) => return None,
                _ => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    fn submit(&self, of: usize) {
        for n in 0.. {
            let body = json!({"name": "work", "required_skills": ["paid"], "charge": {"max": "3"},
                "parameters": {"amount": n % 4}});
            let Some(answer) = self.persist(&self.payer, "/tasks", &body, &format!("{of}.{n}"))
            else {
                return;
            };
            answer.ok();
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
        }
    }

    /// Claims and completes; what it asks for follows from the task.
    fn work(&self, node: &str) {
        for n in 0.. {
            let body = json!({"node_id": node, "limit": 5, "lease_ms": 5000});
            let key = format!("{node}.{n}");
            let Some(answer) = self.persist(&self.worker, "/tasks/claim", &body, &key) else {
                return;
            };
            for task in answer.ok()["tasks"].as_array().unwrap() {
                let path = format!("/tasks/{}/complete", task["task_id"].as_str().unwrap());
                let amount = task["parameters"]["amount"].to_string();
                let body = json!({"token": task["token"], "amount": amount});
                let key = task["token"].as_str().unwrap();
                let Some(answer) = self.persist(&self.worker, &path, &body, key) else { return };
                // Its lease may have run out while nobody listened.
                assert!(matches!(answer.status, 200 | 409), "{answer}");
            }
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
        }
    }
}

fn amount(answer: &Value, name: &str) -> i64 {
    answer[name].as_str().unwrap().parse().unwrap_or_else(|_| panic!("{answer}"))
}

fn trade(options: impl Fn() -> HubOptions) {
    let monitor = options().start();
    let mut host = options().role(Role::Serve).start();
    let admin = monitor.admin();
    let [payer, worker] = [(); 2].map(|()| admin.new_agent());
    let deposit = json!({"agent_id": payer.id, "amount": "10000"});
    payer.client.post("/deposit", &deposit).ok();
    let at_host = |agent: &NewAgent| host.anonymous().with_key(agent.client.key().unwrap());
    let market = Market {
        payer: at_host(&payer),
        worker: at_host(&worker),
        answered: AtomicUsize::new(0),
        is_over: AtomicBool::new(false),
    };
    let nodes = ["n0", "n1"].map(|name| {
        let mut body = registration(name);
        body["available_skills"] = json!(["paid"]);
        body["max_concurrent_tasks"] = json!(100);
        let made = worker.client.post("/nodes/register", &body).ok();
        made["node_id"].as_str().unwrap().to_owned()
    });
    let blows = std::env::var("REEF_BLOWS").map_or(BLOWS, |count| count.parse().unwrap());
    std::thread::scope(|scope| {
        let market = &market;
        for of in 0..2 {
            scope.spawn(move || market.submit(of));
        }
        for node in &nodes {
            scope.spawn(|| market.work(node));
        }
        for blow in 0..=blows {
            let from = market.answered.load(Ordering::Relaxed);
            eventually("requests are answered", PATIENCE, || {
                (market.answered.load(Ordering::Relaxed) >= from + BETWEEN).then_some(())
            });
            if blow < blows {
                host.kill();
                host.start_again_there();
            }
        }
        host.kill();
        market.is_over.store(true, Ordering::Relaxed);
    });

    // The other host goes on with what was left, once it is old enough.
    let balance = |agent: &NewAgent| admin.get(&format!("/balance/{}", agent.id)).ok();
    let tasks = || {
        let mut all = Vec::new();
        for status in ["pending", "running", "completed", "failed", "timeout", "cancelled"] {
            all.extend(payer.client.get(&format!("/tasks?status={status}&limit=1000")).list());
        }
        all
    };
    let ended = eventually("nothing is left to do", PATIENCE, || {
        for task in tasks() {
            if matches!(task["status"].as_str(), Some("pending" | "running")) {
                let path = format!("/tasks/{}/cancel", task["task_id"].as_str().unwrap());
                payer.client.post(&path, &json!({}));
            }
        }
        let all = tasks();
        let is_settled = amount(&balance(&payer), "locked") == 0
            && all.iter().all(|task| task["paid"].is_string());
        is_settled.then_some(all)
    });
    let mut all = 0;
    for task in &ended {
        let due = match task["status"].as_str() {
            Some("completed") => task["parameters"]["amount"].as_i64().unwrap(),
            _ => 0,
        };
        assert_eq!(task["paid"], due.to_string(), "{task}");
        all += due;
    }
    assert!(all > 0, "nobody was paid");
    assert_eq!(amount(&balance(&worker), "balance"), all);
    assert_eq!(amount(&balance(&payer), "balance"), 10_000 - all);
    eprintln!("{} tasks, {all} paid, {blows} blows", ended.len());
}

#[test]
fn a_host_that_is_killed_pays_nobody_twice() {
    let server = RedisServer::start();
    trade(|| Hub::options().redis(&server));
}

#[test]
fn nor_does_one_over_a_cluster() {
    let cluster = RedisCluster::start();
    trade(|| Hub::options().redis_cluster(&cluster));
}
