//! The queue against a plain model: random operations on its scripts, and after each of them all
//! that is in Redis compared with what should.
//!
//! No hub is between, so that thousands of operations take seconds. Time passes by setting the
//! partition's logical clock forward, in steps so large that the time that really passes is nothing
//! against them.

mod driver;
mod model;
mod truth;

use self::driver::{Driver, Told};
use self::model::{ANSWERED, LEASES, Model, STEP, TIMEOUTS, Wants};
use crate::harness::RedisServer;

const SKILLS: [&str; 4] = ["gpu", "python", "rust", "音"];
const TAGS: [&str; 3] = ["eu", "fast", "us"];
const AGENTS: [&str; 2] = ["o", "p"];
const NODES: [&str; 4] = ["n0", "n1", "n2", "n3"];
const OPERATIONS: usize = 250;

/// One run: the same seed does the same things.
struct Run {
    random: fastrand::Rng,
    queue: Driver,
    model: Model,
    /// What tasks may want; few, so that more than one wants the same.
    wants: Vec<Wants>,
    /// Every token that was ever given out, with its task.
    tokens: Vec<(String, String)>,
    submitted: usize,
}

impl Run {
    fn new(seed: u64, server: &RedisServer) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let wants = (0..10)
            .map(|n| Wants {
                // One kind of task that any node can run.
                required: some(&mut random, &SKILLS, if n == 0 { 0 } else { 3 }),
                optional: some(&mut random, &SKILLS, 2),
                tags: some(&mut random, &TAGS, 2),
                // A third of them for some agents' nodes only.
                audience: (n % 3 == 2).then(|| {
                    let mut agents = some(&mut random, &AGENTS, 2);
                    if agents.is_empty() {
                        agents.push(AGENTS[0].to_owned());
                    }
                    agents
                }),
                // And some for one node.
                target: (n % 4 == 3).then(|| NODES[random.usize(..NODES.len())]),
            })
            .collect();
        let queue = Driver::on_empty(server);
        Self { random, queue, model: Model::default(), wants, tokens: Vec::new(), submitted: 0 }
    }

    fn go(&mut self) {
        for node in NODES {
            self.register(node);
        }
        for _ in 0..OPERATIONS {
            let done = self.step();
            self.queue.assert_is(&self.model, &done);
        }
    }

    /// Does one thing to the queue and to the model; says what.
    fn step(&mut self) -> String {
        match self.random.u8(0..100) {
            0..22 => self.submit(),
            22..42 => self.claim(),
            42..62 => self.end_or_renew(),
            62..66 => self.cancel(),
            66..69 => self.retry(),
            69..71 => self.redrive(),
            71..73 => self.remove_task(),
            73..82 => self.beat(),
            82..84 => self.shut_down(),
            84..85 => self.remove_node(),
            85..88 => {
                let node = self.a_node();
                self.register(node)
            }
            88..91 => self.change_node(),
            91..95 => self.pass_time(),
            95..98 => self.settle(),
            _ => self.check(),
        }
    }

    fn a_node(&mut self) -> &'static str {
        NODES[self.random.usize(..NODES.len())]
    }

    /// A task of any status; now and then one that never was.
    fn a_task(&mut self) -> String {
        format!("t{}", self.random.usize(..self.submitted + 2))
    }

    fn submit(&mut self) -> String {
        let id = format!("t{}", self.submitted);
        self.submitted += 1;
        let wants = self.wants[self.random.usize(..self.wants.len())].clone();
        let priority = self.random.i64(0..4);
        let retries = self.random.i64(0..3);
        let timeout_ms = TIMEOUTS[self.random.usize(..TIMEOUTS.len())];
        let delay_ms = if self.random.u8(0..6) == 0 { STEP / 2 + STEP } else { 0 };
        let (routable, rank) =
            self.queue.submit(&id, &wants, priority, retries, timeout_ms, delay_ms);
        assert_eq!(routable, self.model.is_routable(&wants), "{id} {wants:?}");
        self.model.submit(&id, wants, rank, retries, timeout_ms, delay_ms);
        format!("submit {id}")
    }

    fn claim(&mut self) -> String {
        let node = self.a_node();
        let limit = self.random.i64(1..4);
        let lease_ms = LEASES[self.random.usize(..LEASES.len())];
        let delayed = self.queue.delayed();
        let reported = self.queue.reported(node);
        let asked_for = (self.random.u8(0..5) == 0).then(|| self.a_task());
        let asked_for = asked_for.as_deref();
        let expected = self.model.claim(node, asked_for, limit, reported, &delayed);
        let claimed = self.queue.claim(node, asked_for, limit, lease_ms);
        let ids = claimed.as_ref().map(|all| all.iter().map(|(id, _)| id.clone()).collect());
        assert_eq!(ids, expected, "claim of {asked_for:?} by {node}, at most {limit}");
        for (id, token) in claimed.into_iter().flatten() {
            self.model.hold(&id, node, &token, lease_ms);
            self.tokens.push((id, token));
        }
        format!("claim by {node}: {ids:?}")
    }

    /// Uses a token, often a stale one.
    fn end_or_renew(&mut self) -> String {
        let Some(at) = self.tokens.len().checked_sub(1) else { return "nothing".to_owned() };
        let back = self.random.usize(..=at.min(8));
        let (id, token) = self.tokens[at - back].clone();
        match self.random.u8(0..8) {
            0..3 => {
                let outcome = self.queue.complete(&id, &token);
                assert_eq!(outcome, self.model.complete(&id, &token), "complete {id} {token}");
                format!("complete {id}: {outcome}")
            }
            3..5 => {
                let retryable = self.random.bool();
                let outcome = self.queue.fail(&id, &token, retryable);
                let expected = self.model.fail(&id, &token, retryable);
                assert_eq!(outcome, expected, "fail {id} {token}");
                if let Some(due) = self.model.due(&id).filter(|_| outcome == ANSWERED) {
                    // Back-offs of seconds would end by themselves within a run.
                    self.queue.delay_until(&id, due);
                }
                format!("fail {id}: {outcome}")
            }
            5..7 => {
                let outcome = self.queue.progress(&id, &token);
                assert_eq!(outcome, self.model.progress(&id, &token), "progress {id} {token}");
                format!("progress {id}: {outcome}")
            }
            _ => {
                let outcome = self.queue.complete(&id, "1-forged");
                assert_eq!(outcome, self.model.complete(&id, "1-forged"), "forged {id}");
                format!("forged {id}: {outcome}")
            }
        }
    }

    fn cancel(&mut self) -> String {
        let id = self.a_task();
        assert_eq!(self.queue.cancel(&id), self.model.cancel(&id), "cancel {id}");
        format!("cancel {id}")
    }

    fn retry(&mut self) -> String {
        let id = self.a_task();
        assert_eq!(self.queue.retry(&id), self.model.retry(&id), "retry {id}");
        format!("retry {id}")
    }

    fn redrive(&mut self) -> String {
        let mut ids: Vec<String> = self.queue.redrive().into_iter().map(String::from).collect();
        ids.sort_unstable();
        assert_eq!(ids, self.model.redrive(), "redrive");
        format!("redrive {ids:?}")
    }

    fn remove_task(&mut self) -> String {
        let id = self.a_task();
        assert_eq!(self.queue.remove_task(&id), self.model.remove_task(&id), "remove {id}");
        format!("remove {id}")
    }

    fn beat(&mut self) -> String {
        let node = self.a_node();
        let running = self.random.i64(0..4);
        let count = self.random.usize(..4).min(self.tokens.len());
        let listed = self.tokens[self.tokens.len() - count..].to_vec();
        let renew_all = self.random.u8(0..3) == 0;
        let told = self.queue.beat(node, running, &listed, renew_all);
        let expected = self.model.beat(node, &listed);
        if let Some(Told { held, lost, .. }) = told.as_ref().filter(|_| renew_all) {
            let (renewed, expected) = self.model.renew_all(node);
            assert_eq!(*lost, expected, "lost by {node}");
            let ids =
                |all: &[(String, i64)]| all.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>();
            assert_eq!(ids(held), ids(&renewed), "held by {node}");
            for ((id, lease_ms), (_, expected)) in held.iter().zip(&renewed) {
                // A task's own timeout is longer than the model's, by a grace; real time passes, too.
                assert!((lease_ms - expected).abs() < STEP / 4, "{id}: {lease_ms} ms, {expected}");
            }
        }
        let states = told.map(|told| told.states);
        assert_eq!(states, expected, "beat of {node} with {listed:?}");
        format!("beat of {node}, {running} running")
    }

    fn shut_down(&mut self) -> String {
        let node = self.a_node();
        assert_eq!(self.queue.shut_down(node), self.model.leave(node, "offline"), "{node}");
        format!("shut {node} down")
    }

    fn remove_node(&mut self) -> String {
        let node = self.a_node();
        assert_eq!(self.queue.remove_node(node), self.model.remove_node(node), "{node}");
        format!("remove {node}")
    }

    fn register(&mut self, node: &'static str) -> String {
        let mut skills = some(&mut self.random, &SKILLS, 4);
        if skills.is_empty() {
            skills.push("rust".to_owned());
        }
        let tags = some(&mut self.random, &TAGS, 2);
        let max = self.random.i64(1..5);
        self.queue.register(node, &skills, &tags, max);
        self.model.register(node, skills, tags, max);
        format!("register {node}")
    }

    fn change_node(&mut self) -> String {
        let node = self.a_node();
        let to = ["maintenance", "online", "error", "offline"][self.random.usize(..4)];
        assert_eq!(self.queue.change_node(node, to), self.model.leave(node, to), "{node} {to}");
        format!("{node} to {to}")
    }

    fn pass_time(&mut self) -> String {
        let steps = self.random.i64(1..3);
        self.queue.pass_time(steps * STEP);
        self.model.clock += steps * STEP;
        format!("{steps} steps of time")
    }

    fn settle(&mut self) -> String {
        let (leases, delayed) = self.queue.settle();
        assert_eq!((leases, delayed), self.model.settle(), "leases and delays that were due");
        format!("settle: {leases} leases, {delayed} delays")
    }

    fn check(&mut self) -> String {
        let mut silent = self.queue.check();
        silent.sort_unstable();
        assert_eq!(silent, self.model.check(), "silent nodes");
        format!("check: {silent:?}")
    }
}

/// At most so many of these, in any order.
fn some(random: &mut fastrand::Rng, of: &[&str], most: usize) -> Vec<String> {
    let count = random.usize(..=most.min(of.len()));
    let chosen = random.choose_multiple(of.iter(), count);
    let mut chosen: Vec<String> = chosen.into_iter().map(|label| (*label).to_owned()).collect();
    random.shuffle(&mut chosen);
    chosen
}

/// Runs these seeds; says which one failed, and after what.
fn run(seeds: impl Iterator<Item = u64>) {
    struct Failing(u64);
    impl Drop for Failing {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("REEF_TEST_SEED={} does it again", self.0);
            }
        }
    }
    let server = RedisServer::start();
    // A run that fails is done again from its seed; nothing need outlive the server.
    server.keep_nothing();
    for seed in seeds {
        let _failing = Failing(seed);
        Run::new(seed, &server).go();
    }
}

#[test]
fn random_operations_leave_what_a_plain_model_expects() {
    let given = std::env::var("REEF_TEST_SEED").ok().map(|seed| seed.parse().unwrap());
    let full = std::env::var("REEF_FULL").is_ok_and(|value| value == "1");
    match given {
        Some(seed) => run(std::iter::once(seed)),
        None => run(0..if full { 2000 } else { 16 }),
    }
}
