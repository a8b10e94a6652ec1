//! The queue against a plain model: random operations on its scripts, and after each of them all
//! that is in Redis compared with what should.
//!
//! No hub is between, so that thousands of operations take seconds. Time passes by setting the
//! partition's logical clock forward, in steps so large that the time that really passes is nothing
//! against them.

mod bulk;
mod cost;
mod driver;
mod flow;
mod group;
mod limits;
mod model;
pub mod mutants;
mod nodes;
mod scenes;
mod steps;
mod truth;

use self::driver::{Driver, Told};
use self::flow::Change;
use self::limits::LIMITS;
use self::model::{ANSWERED, LEASES, Model, STEP, TIMEOUTS, Wants};
use self::mutants::Mutant;
use crate::harness::RedisServer;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

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
    /// How many waits there have been, and groups.
    waits: usize,
    /// How many changes of many tasks.
    jobs: usize,
    groups: usize,
    /// Most of it is done to flows and groups, and any node may run anything.
    is_flow: bool,
}

impl Run {
    fn new(seed: u64, server: &RedisServer, mutant: Option<&'static Mutant>) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let is_flow = seed % 2 == 1;
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
                limits: match n {
                    1 | 5 => vec![("one", "")],
                    4 => vec![("one", "k")],
                    6 => vec![("two", ""), ("paced", "k")],
                    7 => vec![("own", "")],
                    8 => vec![("paced", "")],
                    _ => Vec::new(),
                },
            })
            .collect();
        let limited = Wants { limits: vec![("two", ""), ("one", "k")], ..Wants::default() };
        let wants = if is_flow { vec![Wants::default(), Wants::default(), limited] } else { wants };
        let queue = Driver::on_empty(server, mutant);
        Self {
            random,
            queue,
            model: Model::default(),
            wants,
            tokens: Vec::new(),
            submitted: 0,
            waits: 0,
            jobs: 0,
            groups: 0,
            is_flow,
        }
    }

    /// Does this many things; after each, or each that many, all is compared. How many were done is told
    /// on the way.
    fn go(&mut self, operations: usize, compared_each: usize, done: &AtomicUsize) {
        for node in NODES {
            self.register(node);
        }
        for name in LIMITS {
            self.put(name, false);
        }
        for n in 1..=operations {
            let what = self.step();
            if given::<u64>("REEF_TEST_SEED").is_some() {
                eprintln!("{n}: {what}");
            }
            done.fetch_add(1, Ordering::Relaxed);
            if n % compared_each == 0 {
                self.queue.assert_is(&self.model, &what);
            }
        }
        self.queue.assert_history_is(&self.model);
    }

    /// Does one thing to the queue and to the model; says what.
    fn step(&mut self) -> String {
        self.model.has_released = false;
        // Now and then whoever has ended something is gone before it tells others.
        let is_cut = self.random.u8(0..if self.is_flow { 3 } else { 8 }) == 0;
        self.queue.is_cut.set(is_cut);
        self.model.is_cut = is_cut;
        let done = self.any_step();
        self.model.adopt_first_failures(|group| self.queue.first_failure(group));
        if is_cut { format!("{done}, cut") } else { done }
    }

    fn any_step(&mut self) -> String {
        if self.is_flow && self.random.u8(0..4) > 0 {
            return self.flow_step();
        }
        match self.random.u8(0..158) {
            150..158 => self.limit(),
            140..146 => self.edit(),
            146..150 => self.bulk(),
            100..110 => self.wait(),
            110..115 => self.signal(),
            115..120 => self.answer(),
            120..122 => self.settle(),
            122..134 => self.batch(),
            134..138 => self.change_group(),
            138..140 => self.remove_task(),
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

    /// Changes a task, most often one that waits.
    fn edit(&mut self) -> String {
        let waiting: Vec<String> = self
            .model
            .tasks
            .iter()
            .filter(|(_, task)| task.status != "running" && !task.is_ended())
            .map(|(id, _)| id.clone())
            .collect();
        let id = match self.random.choose_multiple(waiting, 1).pop() {
            Some(id) if self.random.u8(0..5) > 0 => id,
            _ => self.a_task(),
        };
        let change = Change {
            wants: self.some_wants(),
            priority: self.random.i64(0..4),
            retries: self.random.i64(0..3),
            timeout_ms: TIMEOUTS[self.random.usize(..TIMEOUTS.len())],
            delay_ms: [None, None, Some(0), Some(STEP / 2 + STEP)][self.random.usize(..4)],
        };
        let outcome = self.queue.edit(&id, &change);
        assert_eq!(outcome, self.model.edit(&id, &change), "edit {id}: {change:?}");
        format!("edit {id}: {change:?}: {outcome}")
    }

    fn claim(&mut self) -> String {
        let node = self.a_node();
        let limit = self.random.i64(1..4);
        let lease_ms = LEASES[self.random.usize(..LEASES.len())];
        let delayed = self.queue.delayed();
        let reported = self.queue.reported(node);
        let asked_for = (self.random.u8(0..5) == 0).then(|| self.a_task());
        let asked_for = asked_for.as_deref();
        self.queue.open_limits();
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
        let Some((id, token)) = self.a_token(8) else { return "nothing".to_owned() };
        match self.random.u8(0..8) {
            n if n < 3 || (self.is_flow && n > 5) => {
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
        let dead = self.queue.dead();
        let mut ids: Vec<String> = self.queue.redrive().into_iter().map(String::from).collect();
        ids.sort_unstable();
        assert_eq!(ids, self.model.redrive(&dead), "redrive");
        format!("redrive {ids:?}")
    }

    fn remove_task(&mut self) -> String {
        let ended = if self.random.bool() { self.a_removable() } else { None };
        let id = ended.unwrap_or_else(|| self.a_task());
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
                // Real time passes, too.
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
        let max = self.random.i64(1..5) + if self.is_flow { 5 } else { 0 };
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

/// Runs these seeds, each of so many operations; says which one failed, and after what.
fn run(seeds: impl Iterator<Item = u64>, operations: usize, compared_each: usize) -> usize {
    struct Failing(u64, usize);
    impl Drop for Failing {
        fn drop(&mut self) {
            if std::thread::panicking() {
                let Self(seed, operations) = self;
                eprintln!("REEF_TEST_SEED={seed} REEF_TEST_STEPS={operations} does it again");
            }
        }
    }
    let server = RedisServer::start();
    // A run that fails is done again from its seed; nothing need outlive the server.
    server.keep_nothing();
    let done = AtomicUsize::new(0);
    for seed in seeds {
        let _failing = Failing(seed, operations);
        Run::new(seed, &server, None).go(operations, compared_each, &done);
    }
    done.into_inner()
}

fn given<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

#[test]
fn random_operations_leave_what_a_plain_model_expects() {
    let operations = given("REEF_TEST_STEPS").unwrap_or(OPERATIONS);
    if let Some(seed) = given("REEF_TEST_SEED") {
        run(std::iter::once(seed), operations, 1);
        return;
    }
    // All of it is a million steps, on as many servers as there are processors. What is in Redis is
    // compared after each tenth there; what the scripts answer after each.
    let full = given("REEF_FULL") == Some(1);
    let seeds: u64 = given("REEF_TEST_SEEDS").unwrap_or(if full { 4000 } else { 16 });
    let (each, threads) = if full { (10, processors()) } else { (1, 1) };
    let begun = Instant::now();
    let steps: usize = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..threads)
            .map(|n| {
                let own = (0..seeds).filter(move |seed| seed % threads == n);
                scope.spawn(move || run(own, operations, each))
            })
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).sum()
    });
    eprintln!("{steps} steps, {seeds} seeds, {:.0} s", begun.elapsed().as_secs_f64());
}

fn processors() -> u64 {
    std::thread::available_parallelism().map_or(1, |count| count.get() as u64)
}
