//! Tasks that go their ways, and who else knows of it.

use std::collections::{BTreeSet, HashMap};

use redis::Connection;
use reef_api::{NodeId, TaskId, Token};
use reef_domain::json::Json;
use reef_domain::task::{Submission, Wants};
use reef_domain::usage::Report;
use reef_store::history::{Roll, Tally, read, roll};
use reef_store::keys::Layout;
use reef_store::node::{Register, Registered, Shutdown, Writer};
use reef_store::task::{
    Cancel, Claim, Complete, Count, Fail, GivenTask, Letters, Progress, Remove, Retry, SettleDue,
    Submit, Submitted, Written, redrive,
};
use reef_store::{Keys, Store};
use serde_json::{Value, json};

use crate::harness::node_with;
use crate::turns::{Turns, UnderWay, finish, poll, set_clock};

/// 2026-06-01, when no clock is set anywhere.
const BEGIN_MS: i64 = 1_780_272_000_000;
const NODES: [&str; 2] = ["n0", "n1"];
const LEASE_MS: i64 = 10_000;

/// Names of keys as they are in a Redis Cluster.
pub fn cluster_keys() -> Keys {
    Keys::new("p:", Layout::Cluster).unwrap()
}

struct Held {
    node: usize,
    id: TaskId,
    token: Token,
    /// Tokens and cost that were reported.
    used: [i64; 3],
}

/// What has happened, as somebody else than the history says it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counted {
    submitted: i64,
    claimed: i64,
    completed: i64,
    failed: i64,
    timeout: i64,
    cancelled: i64,
    dead: i64,
    fenced: i64,
    used: [i64; 3],
}

impl Counted {
    fn of(tally: &Tally) -> Self {
        Self {
            submitted: tally.submitted,
            claimed: tally.claimed.count(),
            completed: tally.completed.count(),
            failed: tally.failed.count(),
            timeout: tally.timeout.count(),
            cancelled: tally.cancelled,
            dead: tally.dead,
            fenced: tally.fenced,
            used: [tally.tokens_in, tally.tokens_out, tally.cost],
        }
    }

    /// Notes what an event of the log tells.
    fn note(&mut self, kind: &str, told: &Value) {
        let reason = told["reason"].as_str().unwrap_or_default();
        match (kind, reason) {
            ("task_pending" | "task_scheduled" | "task_waiting", "submitted") => {
                self.submitted += 1
            }
            ("task_running", _) => self.claimed += 1,
            ("task_completed", _) => self.completed += 1,
            ("task_pending", "failed") => self.failed += 1,
            ("task_failed", _) => {
                self.failed += 1;
                self.dead += 1;
            }
            ("task_pending", "lease" | "timeout") => self.timeout += 1,
            ("task_timeout", _) => {
                self.timeout += 1;
                self.dead += 1;
            }
            ("task_cancelled", _) => self.cancelled += 1,
            _ => {}
        }
    }
}

pub struct World<'a> {
    store: &'a Store<Turns>,
    redis: Connection,
    random: fastrand::Rng,
    now_ms: i64,
    tasks: usize,
    held: Vec<Held>,
    /// Tokens that were used up, or lost.
    stale: Vec<Held>,
    monitors: [Option<UnderWay<'a, ()>>; 2],
    others: Counted,
    /// The event that was read last.
    read_to: String,
    pub did: Vec<String>,
}

impl<'a> World<'a> {
    pub fn new(store: &'a Store<Turns>, redis: Connection, seed: u64) -> Self {
        let mut world = Self {
            store,
            redis,
            random: fastrand::Rng::with_seed(seed),
            now_ms: BEGIN_MS,
            tasks: 0,
            held: Vec::new(),
            stale: Vec::new(),
            monitors: [None, None],
            others: Counted::default(),
            read_to: "0-0".to_owned(),
            did: Vec::new(),
        };
        set_clock(&mut world.redis, world.now_ms);
        for node in 0..NODES.len() {
            world.register(node);
        }
        world
    }

    fn register(&self, node: usize) {
        let mut registration = node_with(NODES[node], vec!["s".to_owned()]);
        registration.max_concurrent_tasks = 5;
        let node_id = NodeId::from(NODES[node]);
        let call = Register::new(&registration, &node_id, "owner", Writer::Any);
        let registered = finish(self.store.call(&call)).unwrap();
        assert!(matches!(registered, Registered::Ok { .. }), "{registered:?}");
    }

    pub fn step(&mut self) {
        match self.random.u8(..40) {
            0..=6 => self.submit(),
            7..=12 => self.claim(),
            13..=16 => self.complete(),
            17..=19 => self.fail(),
            20..=21 => self.report(),
            22 => self.cancel(),
            23 => self.retry(),
            24 => self.shut_down(),
            25..=26 => self.use_stale(),
            27..=28 => self.pass_time(),
            29 => self.jump(),
            30..=31 => self.settle_due(),
            32 => self.remove(),
            _ => self.monitor(),
        }
    }

    fn submit(&mut self) {
        let task_id = &TaskId::from(format!("t{}", self.tasks));
        self.tasks += 1;
        let wants = Wants { required_skills: vec!["s".to_owned()], ..Wants::default() };
        let delay_ms = if self.random.u8(..5) == 0 { 30_000 } else { 0 };
        let submission = Submission {
            name: "work".to_owned(),
            wants,
            max_retries: self.random.i64(0..3),
            delay_ms,
            ..Submission::default()
        };
        let nothing = Json::empty_object();
        let task = GivenTask {
            task_id,
            submission: &submission,
            parameters: &nothing,
            metadata: &nothing,
            owner: "owner",
            approval: None,
            follows_group: false,
            charge: None,
        };
        let submitted = finish(self.store.call(&Submit { task, quotas: None })).unwrap();
        assert!(matches!(submitted, Submitted::Ok { .. }), "{submitted:?}");
        self.did.push(format!("{task_id} is submitted"));
    }

    fn claim(&mut self) {
        let node = self.random.usize(..NODES.len());
        let call = Claim {
            node_id: &NODES[node].into(),
            writer: Writer::Any,
            limit: self.random.i64(1..3),
            spent_by: 0,
            lease_ms: LEASE_MS,
            task_id: None,
            random: "x",
        };
        let Written::Ok(claims) = finish(self.store.call(&call)).unwrap() else { panic!() };
        for claimed in claims.tasks {
            self.did.push(format!("{} has {}", NODES[node], claimed.task.task_id));
            let (id, token) = (claimed.task.task_id, claimed.token);
            self.held.push(Held { node, id, token, used: [0; 3] });
        }
    }

    /// Some claim, perhaps one that is over.
    fn some_held(&mut self) -> Option<Held> {
        if self.held.is_empty() {
            return None;
        }
        let n = self.random.usize(..self.held.len());
        Some(self.held.swap_remove(n))
    }

    /// What has come of a token: counts those that were refused.
    fn told<T>(&mut self, written: &Written<T>) {
        if matches!(written, Written::Fenced) {
            self.others.fenced += 1;
        }
    }

    fn complete(&mut self) {
        let Some(held) = self.some_held() else { return };
        self.complete_under(held);
    }

    fn complete_under(&mut self, held: Held) {
        let call = Complete {
            task_id: &held.id,
            writer: Writer::Any,
            token: &held.token,
            result: None,
            content: None,
            usage: "",
            amount: None,
        };
        let written = finish(self.store.call(&call)).unwrap();
        self.told(&written);
        self.did.push(format!("{} is completed under {}", held.id, held.token));
        self.stale.push(held);
    }

    fn fail(&mut self) {
        let Some(held) = self.some_held() else { return };
        let snooze = self.random.u8(..4) == 0;
        let call = Fail {
            task_id: &held.id,
            writer: Writer::Any,
            token: &held.token,
            error: "no such file: /tmp/1",
            retryable: snooze || self.random.bool(),
            retry_in_ms: Some(0),
            snooze,
            usage: "",
        };
        let written = finish(self.store.call(&call)).unwrap();
        self.told(&written);
        self.did.push(format!("{} fails, snoozed: {snooze}", held.id));
        self.stale.push(held);
    }

    fn report(&mut self) {
        let Some(mut held) = self.some_held() else { return };
        let now = [(); 3].map(|()| self.random.i64(0..1000));
        let report = Report("/m".to_owned(), "m".to_owned(), now[0], now[1], 0, 0, 0, now[2]);
        let usage = json!([report]).to_string();
        let call = Progress {
            task_id: &held.id,
            writer: Writer::Any,
            token: &held.token,
            progress: None,
            lease_ms: None,
            usage: &usage,
            checkpoint: None,
        };
        let written = finish(self.store.call(&call)).unwrap();
        self.told(&written);
        match written {
            Written::Ok(standing) if !standing.cancelled => {
                for (n, told) in now.into_iter().enumerate() {
                    self.others.used[n] += (told - held.used[n]).max(0);
                    held.used[n] = held.used[n].max(told);
                }
                self.did.push(format!("{} reports {usage}", held.id));
                self.held.push(held);
            }
            _ => self.stale.push(held),
        }
    }

    /// A token that is used again; what it was used for is over, if it does not hold the task yet.
    fn use_stale(&mut self) {
        if self.stale.is_empty() {
            return;
        }
        let n = self.random.usize(..self.stale.len());
        let held = self.stale.swap_remove(n);
        self.complete_under(held);
    }

    fn a_task(&mut self) -> TaskId {
        TaskId::from(format!("t{}", self.random.usize(..self.tasks + 1)))
    }

    fn cancel(&mut self) {
        let id = self.a_task();
        let done = finish(self.store.call(&Cancel { task_id: &id, writer: Writer::Any })).unwrap();
        self.did.push(format!("{id} is cancelled: {}", matches!(done, Written::Ok(_))));
    }

    fn retry(&mut self) {
        if self.random.bool() {
            let id = self.a_task();
            finish(self.store.call(&Retry { task_id: &id, writer: Writer::Any })).unwrap();
            self.did.push(format!("{id} is tried again"));
        } else {
            let letters = Letters::default();
            let done = redrive(self.store, Writer::Any, &letters, false, 10, None);
            let ids = finish(done).unwrap().value;
            self.did.push(format!("{ids:?} are redriven"));
        }
    }

    fn shut_down(&mut self) {
        let node = self.random.usize(..NODES.len());
        let call = Shutdown { node_id: &NODES[node].into(), writer: Writer::Any };
        finish(self.store.call(&call)).unwrap();
        self.register(node);
        let mut kept = Vec::new();
        for held in std::mem::take(&mut self.held) {
            let list = if held.node == node { &mut self.stale } else { &mut kept };
            list.push(held);
        }
        self.held = kept;
        self.did.push(format!("{} is shut down", NODES[node]));
    }

    fn remove(&mut self) {
        let id = self.a_task();
        finish(self.store.call(&Remove { task_id: &id, writer: Writer::Any })).unwrap();
        self.did.push(format!("{id} is removed"));
    }

    fn settle_due(&mut self) {
        finish(self.store.call(&SettleDue)).unwrap();
        self.did.push("what is due is settled".to_owned());
    }

    /// One of two monitors goes on by one script, begins anew, or dies where it is.
    fn monitor(&mut self) {
        let n = self.random.usize(..2);
        if self.random.u8(..6) == 0 {
            self.monitors[n] = None;
            self.did.push(format!("monitor {n} is killed"));
            return;
        }
        let store = self.store;
        let monitor = self.monitors[n]
            .get_or_insert_with(|| Box::pin(async move { roll(store, 3).await.unwrap() }));
        if poll(monitor.as_mut()).is_some() {
            self.monitors[n] = None;
        }
        self.did.push(format!("monitor {n} goes on"));
    }

    fn pass_time(&mut self) {
        let ms = [500, 5_000, 12_000, 61_000, 3_600_000][self.random.usize(..5)];
        self.set_clock(self.now_ms + ms);
        self.did.push(format!("{ms} ms pass"));
    }

    /// Somebody sets the clock.
    fn jump(&mut self) {
        let days = [-86_400_000, -3_600_000, -61_000, 86_400_000][self.random.usize(..4)];
        self.set_clock(self.now_ms + days);
        self.did.push(format!("the clock jumps by {days} ms"));
    }

    fn set_clock(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
        set_clock(&mut self.redis, now_ms);
    }

    /// Reads what the event log tells since it was read last.
    fn read_events(&mut self) {
        type Entry = (String, Vec<String>);
        let (events, after) = (self.store.keys().events(), format!("({}", self.read_to));
        let found: Vec<Entry> =
            redis::cmd("XRANGE").arg(events).arg(after).arg("+").query(&mut self.redis).unwrap();
        for (id, fields) in found {
            let fields: HashMap<&str, &str> =
                fields.chunks(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).collect();
            let told = serde_json::from_str(fields["payload"]).unwrap();
            self.others.note(fields["type"], &told);
            self.read_to = id;
        }
    }

    /// All numbers of minutes, or hours, that may have something.
    fn numbers(&mut self, minutes: i64) -> BTreeSet<i64> {
        let keys = self.store.keys();
        let (prefix, hours) = (keys.history(""), keys.history_hour(""));
        let found: Vec<String> =
            redis::cmd("KEYS").arg("*history:*").query(&mut self.redis).unwrap();
        let own = if minutes == 1 { &prefix } else { &hours };
        let moved = found.iter().filter_map(|key| key.strip_prefix(own.as_str())?.parse().ok());
        let mut numbers: BTreeSet<i64> = moved.collect();
        let lately: Vec<String> =
            redis::cmd("HKEYS").arg(keys.history_new()).query(&mut self.redis).unwrap();
        numbers.extend(lately.iter().map(|field| {
            let digits = field.find(|c: char| !c.is_ascii_digit()).unwrap();
            field[..digits].parse::<i64>().unwrap() / minutes
        }));
        numbers
    }

    fn sum_of(&mut self, minutes: i64) -> Tally {
        let mut sum = Tally::default();
        for number in self.numbers(minutes) {
            for (at, tally) in finish(read(self.store, minutes, number..=number)).unwrap() {
                assert_eq!(at, number);
                plus(&mut sum, &tally);
            }
        }
        sum
    }

    /// Everybody says the same.
    pub fn check(&mut self) {
        self.read_events();
        let mut ever = finish(self.store.call(&Count { kept_ms: 1 })).unwrap().ever;
        ever.standing = None;
        assert_eq!(self.sum_of(1), ever, "minutes and the sums");
        assert_eq!(self.sum_of(60), ever, "hours and the sums");
        assert_eq!(Counted::of(&ever), self.others, "the history and the others");
        let cluster = self.store.keys().cluster();
        let counters: Vec<Option<i64>> = redis::cmd("HMGET")
            .arg(cluster)
            .arg(&["claims", "deaths", "fenced"])
            .query(&mut self.redis)
            .unwrap();
        let counters: Vec<i64> = counters.into_iter().map(Option::unwrap_or_default).collect();
        assert_eq!(counters, [self.others.claimed, self.others.dead, self.others.fenced]);
    }

    /// In the end nothing is left to move.
    pub fn settle(&mut self) {
        while finish(self.store.call(&Roll)).unwrap() {}
        self.check();
        let left: bool = redis::cmd("EXISTS")
            .arg(self.store.keys().history_new())
            .query(&mut self.redis)
            .unwrap();
        assert!(!left);
    }
}

fn plus(sum: &mut Tally, more: &Tally) {
    sum.submitted += more.submitted;
    sum.claimed = sum.claimed.plus(&more.claimed);
    sum.wait_ms += more.wait_ms;
    sum.completed = sum.completed.plus(&more.completed);
    sum.failed = sum.failed.plus(&more.failed);
    sum.timeout = sum.timeout.plus(&more.timeout);
    sum.run_ms += more.run_ms;
    sum.cancelled += more.cancelled;
    sum.dead += more.dead;
    sum.fenced += more.fenced;
    sum.tokens_in += more.tokens_in;
    sum.tokens_out += more.tokens_out;
    sum.cost += more.cost;
}
