//! Fair shares of the queue, by its scripts alone. `REEF_FULL=1` takes as many tasks as the design asks for.

use std::time::Instant;

use reef_api::TaskId;
use reef_domain::fairness::Share;
use reef_domain::json::Json;
use reef_domain::limits::{FAIR_BEHIND_US, FAIR_QUANTUM_US, FAIR_TRACKS_MAX};
use reef_domain::task::{Submission, Wants};
use reef_store::Store;
use reef_store::fairness::Put;
use reef_store::node::{Register, Registered, Writer};
use reef_store::task::{AskWhy, Claim, Complete, GivenTask, SettleDue, Submit, Submitted, Written};

use crate::harness::{Blocking, RedisServer, node_with, now, store};

struct Queue {
    store: Store<Blocking>,
    _server: RedisServer,
}

fn is_full() -> bool {
    std::env::var("REEF_FULL").is_ok_and(|value| value == "1")
}

impl Queue {
    fn new() -> Self {
        let server = RedisServer::start();
        server.keep_nothing();
        let store = store(server.connect());
        let registration = node_with("n", vec!["s".to_owned()]);
        let node_id = "n".into();
        let call = Register::new(&registration, &node_id, "a", Writer::Any);
        assert!(matches!(now(store.call(&call)).unwrap(), Registered::Ok { .. }));
        Self { store, _server: server }
    }

    /// Submits a task of an agent.
    fn submit(&self, owner: &str, id: &str, share: Option<(&str, Option<f64>)>, priority: i64) {
        let share = share.map(|(key, weight)| Share { key: key.to_owned(), weight });
        let submission = Submission {
            name: "work".to_owned(),
            wants: Wants { required_skills: vec!["s".to_owned()], ..Wants::default() },
            share,
            priority,
            ..Submission::default()
        };
        let nothing = Json::empty_object();
        let task = GivenTask {
            task_id: &TaskId::from(id),
            submission: &submission,
            parameters: &nothing,
            metadata: &nothing,
            owner,
            approval: None,
            follows_group: false,
            charge: None,
        };
        let submitted = now(self.store.call(&Submit { task, quotas: None })).unwrap();
        assert!(matches!(submitted, Submitted::Ok { .. }), "{submitted:?}");
    }

    /// Claims the next tasks, and ends them.
    fn run(&self, count: usize) -> Vec<String> {
        let (node_id, result) = ("n".into(), Json::read("1").unwrap());
        let mut all = Vec::new();
        while all.len() < count {
            let limit = i64::try_from(count - all.len()).unwrap().min(25);
            let call = Claim {
                node_id: &node_id,
                writer: Writer::Any,
                limit,
                spent_by: 0,
                lease_ms: 600_000,
                task_id: None,
                random: "x",
            };
            let Written::Ok(claims) = now(self.store.call(&call)).unwrap() else { panic!() };
            assert!(!claims.tasks.is_empty(), "{}", claims.reason);
            for claimed in claims.tasks {
                let call = Complete {
                    task_id: &claimed.task.task_id,
                    writer: Writer::Any,
                    token: &claimed.token,
                    result: Some(&result),
                    content: None,
                    usage: "",
                    amount: None,
                };
                assert!(matches!(now(self.store.call(&call)).unwrap(), Written::Ok(_)));
                all.push(claimed.task.task_id.to_string());
            }
        }
        all
    }

    fn field(&self, id: &str, name: &str) -> Option<i64> {
        self.store.redis().ask(redis::cmd("HGET").arg(format!("reef:task:{id}")).arg(name))
    }

    fn tracks(&self) -> i64 {
        self.store.redis().ask(redis::cmd("ZCARD").arg("reef:fair-tracks"))
    }
}

/// How many of what ran are of a key.
fn count_of(ran: &[String], key: &str) -> usize {
    ran.iter().filter(|id| id.starts_with(key)).count()
}

#[test]
fn shares_are_as_their_weights_say() {
    let claims: usize = if is_full() { 10_000 } else { 600 };
    for is_set in [false, true] {
        let queue = Queue::new();
        if is_set {
            let weights = ["heavy", "3", "light", "1"].map(str::to_owned);
            now(queue.store.call(&Put { weights: &weights })).unwrap();
        }
        // What is set for all stands in the place of what the task says.
        let weight = |given: f64| Some(if is_set { 1.0 } else { given });
        for n in 0..claims {
            queue.submit("a", &format!("heavy-{n}"), Some(("heavy", weight(3.0))), 2);
            queue.submit("a", &format!("light-{n}"), Some(("light", weight(1.0))), 2);
        }
        let ran = queue.run(claims);
        let share = count_of(&ran, "heavy") as f64 / claims as f64;
        assert!((0.7125..=0.7875).contains(&share), "{share} of the claims are of weight 3 of 4");
        // Each in the order of its submission.
        for key in ["heavy", "light"] {
            let of_key = ran.iter().filter(|id| id.starts_with(key));
            let numbers: Vec<usize> =
                of_key.map(|id| id.rsplit_once('-').unwrap().1.parse().unwrap()).collect();
            assert!(numbers.is_sorted(), "{key} is out of order");
        }
    }
}

#[test]
fn few_do_not_wait_for_many() {
    let many = if is_full() { 100_000 } else { 2_000 };
    let queue = Queue::new();
    let begun = Instant::now();
    for n in 0..many {
        queue.submit("a", &format!("many-{n}"), Some(("many", None)), 2);
    }
    for n in 0..10 {
        queue.submit("a", &format!("few-{n}"), Some(("few", None)), 2);
    }
    // What would have begun by then, and one of the others for each of the few.
    let quantum = FAIR_QUANTUM_US as f64 / 1e6;
    let before = (begun.elapsed().as_secs_f64() / quantum).ceil() as usize;
    let ran = queue.run(before + 2 * 10 + 2);
    assert_eq!(count_of(&ran, "few"), 10, "after {before} of the many");
}

#[test]
fn nothing_starves() {
    let queue = Queue::new();
    let mut random = fastrand::Rng::with_seed(7);
    let count = if is_full() { 100_000 } else { 3_000 };
    let mut last = std::collections::BTreeMap::<(usize, i64), i64>::new();
    for n in 0..count {
        let (key, priority) = (random.usize(..6), random.i64(0..4));
        // The heavier ones keep their places nearly; the lightest is at the bound after some tasks.
        let weight = [0.001, 0.01, 0.5, 1.0, 20.0, 1000.0][random.usize(..6)];
        let share = (key > 0).then(|| (["a", "b", "c", "d", "e"][key - 1], Some(weight)));
        let id = n.to_string();
        queue.submit("a", &id, share, priority);
        let place = queue.field(&id, "rank").unwrap();
        let earliest = queue.field(&id, "submitted_at").unwrap() * 1000 + 600_000_000 * priority;
        // Redis tells milliseconds and microseconds.
        let behind = place - earliest;
        assert!((0..=FAIR_BEHIND_US + 1000).contains(&behind), "{id}: {behind}");
        assert!(share.is_some() || behind <= 1000, "{id} is of no share: {behind}");
        if share.is_some() {
            let before = last.insert((key, priority), place);
            assert!(before.is_none_or(|before| before <= place), "{id} is before one of its key");
        }
    }
}

#[test]
fn shares_are_an_owners_own_and_a_priorities() {
    let queue = Queue::new();
    for n in 0..50 {
        queue.submit("a", &format!("a-{n}"), Some(("key", Some(0.01))), 2);
    }
    // Nobody sets somebody else back, and what is urgent does not wait for what is not.
    queue.submit("b", "b-0", Some(("key", None)), 2);
    assert_eq!(queue.field("b-0", "fair_ms"), None);
    queue.submit("a", "urgent", Some(("key", None)), 0);
    assert_eq!(queue.field("urgent", "fair_ms"), None);
    let why = now(queue.store.call(&AskWhy { task_id: &"a-49".into() })).unwrap().unwrap();
    let behind = why.fair_ms.unwrap();
    assert!((400_000..=500_000).contains(&behind), "{behind}");
}

#[test]
fn what_is_kept_of_shares_is_bounded() {
    let queue = Queue::new();
    let redis = queue.store.redis();
    let mut fill = redis::cmd("ZADD");
    fill.arg("reef:fair-tracks");
    for n in 0..FAIR_TRACKS_MAX {
        fill.arg(n + 1).arg(format!("2/a/{n}"));
    }
    let _: i64 = redis.ask(&fill);
    // One that finds no room is in its place; one that is there has a share.
    queue.submit("a", "new", Some(("new", None)), 2);
    assert_eq!((queue.tracks(), queue.field("new", "fair_ms")), (FAIR_TRACKS_MAX, None));
    queue.submit("a", "known", Some(("7", None)), 2);
    assert_eq!(queue.tracks(), FAIR_TRACKS_MAX);
    // All others are past.
    for _ in 0..=FAIR_TRACKS_MAX / 100 {
        now(queue.store.call(&SettleDue)).unwrap();
    }
    assert!(queue.tracks() <= 1, "{} are left", queue.tracks());
}
