//! Tasks of one session that are submitted while others are unfinished, in random interleavings of all steps
//! that requests, workers and the monitor take, against a plain model. `REEF_FULL=1` plays 10 000 for each
//! policy.

use reef_api::session::IfBusy;
use reef_api::{MessageId, SessionId, TaskId, Token, Word as _};
use reef_domain::json::Json;
use reef_domain::task::{Submission, Wants};
use reef_store::Store;
use reef_store::node::{Register, Registered, Writer};
use reef_store::task::{
    Cancel, Claim, Complete, Discard, Draft as DraftCall, Drafted, GivenTask, Queue, Release,
    Written,
};

use crate::harness::{Blocking, RedisServer, node_with, now, store};

const STEPS: usize = 40;
const SESSION: &str = "s";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    Draft,
    Pending,
    Waiting,
    Running,
    Completed,
    Cancelled,
    /// A draft whose message could not be made.
    Gone,
}
use Stands::{Cancelled, Completed, Draft, Gone, Pending, Running, Waiting};

impl Stands {
    fn is_end(self) -> bool {
        matches!(self, Completed | Cancelled | Gone)
    }

    fn word(self) -> Option<&'static str> {
        match self {
            Draft => Some("draft"),
            Pending => Some("pending"),
            Waiting => Some("waiting"),
            Running => Some("running"),
            Completed => Some("completed"),
            Cancelled => Some("cancelled"),
            Gone => None,
        }
    }
}

/// What the model knows of a task.
struct Known {
    stands: Stands,
    /// Those that it follows.
    before: Vec<usize>,
    /// Those that follow it have heard of its end.
    is_told: bool,
    is_interrupted: bool,
    token: Option<Token>,
}

struct World<'a> {
    store: &'a Store<Blocking>,
    random: fastrand::Rng,
    tasks: Vec<Known>,
    did: Vec<String>,
}

fn id(n: usize) -> TaskId {
    TaskId::from(format!("t{n}"))
}

impl World<'_> {
    fn unfinished(&self) -> Vec<usize> {
        (0..self.tasks.len()).filter(|n| !self.tasks[*n].stands.is_end()).collect()
    }

    fn some(&mut self, stands: Stands) -> Option<usize> {
        let all: Vec<usize> =
            (0..self.tasks.len()).filter(|n| self.tasks[*n].stands == stands).collect();
        (!all.is_empty()).then(|| all[self.random.usize(..all.len())])
    }

    fn draft(&mut self, if_busy: IfBusy) {
        let n = self.tasks.len();
        self.did.push(format!("t{n} is submitted: {}", if_busy.as_str()));
        let submission = Submission {
            name: "say hello".to_owned(),
            wants: Wants { required_skills: vec!["simple".to_owned()], ..Wants::default() },
            ..Submission::default()
        };
        let nothing = Json::empty_object();
        let (session, message) = (SessionId::from(SESSION), MessageId::from(format!("m{n}")));
        let call = DraftCall {
            task: GivenTask {
                task_id: &id(n),
                submission: &submission,
                parameters: &nothing,
                metadata: &nothing,
                owner: "a",
                approval: None,
                follows_group: false,
                charge: None,
            },
            session_id: &session,
            message_id: &message,
            if_busy,
            quotas: None,
        };
        let others = self.unfinished();
        let mut before = Vec::new();
        match now(self.store.call(&call)).unwrap() {
            Drafted::Busy(first) => {
                assert_eq!((if_busy, &first), (IfBusy::Reject, &id(others[0])));
                return;
            }
            Drafted::Ok { waits: true, interrupted } => {
                assert_eq!((if_busy, interrupted.len()), (IfBusy::Enqueue, 0));
                before = others;
            }
            Drafted::Ok { interrupted, .. } if if_busy == IfBusy::Parallel => {
                assert!(interrupted.is_empty());
            }
            Drafted::Ok { interrupted, .. } => {
                let may_end = matches!(if_busy, IfBusy::Interrupt | IfBusy::Rollback);
                assert!(may_end || others.is_empty(), "{if_busy:?} {others:?}");
                let is_draft = |n: &usize| self.tasks[*n].stands == Draft;
                let (drafts, seen): (Vec<_>, Vec<_>) = others.into_iter().partition(is_draft);
                assert_eq!(interrupted, seen.iter().map(|n| id(*n)).collect::<Vec<_>>());
                drafts.into_iter().for_each(|n| self.tasks[n].is_interrupted = true);
                seen.into_iter().for_each(|n| self.tasks[n].stands = Cancelled);
            }
            other => panic!("{other:?}"),
        }
        let (is_told, is_interrupted) = (false, false);
        self.tasks.push(Known { stands: Draft, before, is_told, is_interrupted, token: None });
    }

    fn queue(&mut self, n: usize) {
        self.did.push(format!("t{n} has its message"));
        now(self.store.call(&Queue { task_id: &id(n), hand_over: false })).unwrap().unwrap();
        let waits = self.tasks[n].before.iter().any(|other| !self.tasks[*other].is_told);
        self.tasks[n].stands = match self.tasks[n].is_interrupted {
            true => Cancelled,
            false if waits => Waiting,
            false => Pending,
        };
    }

    fn discard(&mut self, n: usize) {
        self.did.push(format!("t{n} is discarded"));
        now(self.store.call(&Discard { task_id: &id(n) })).unwrap();
        self.tasks[n].stands = Gone;
    }

    fn claim(&mut self) {
        let node_id = "n".into();
        let call = Claim {
            node_id: &node_id,
            writer: Writer::Any,
            limit: 1,
            spent_by: 0,
            lease_ms: 600_000,
            task_id: None,
            random: "x",
        };
        let Written::Ok(claims) = now(self.store.call(&call)).unwrap() else { panic!("no node") };
        let first = (0..self.tasks.len()).find(|n| self.tasks[*n].stands == Pending);
        let got = claims.tasks.into_iter().next();
        assert_eq!(got.as_ref().map(|it| it.task.task_id.clone()), first.map(id));
        if let (Some(n), Some(claimed)) = (first, got) {
            self.did.push(format!("t{n} begins"));
            self.tasks[n].stands = Running;
            self.tasks[n].token = Some(claimed.token);
        }
    }

    fn complete(&mut self, n: usize) {
        self.did.push(format!("t{n} completes"));
        let result = Json::read("1").unwrap();
        let call = Complete {
            task_id: &id(n),
            writer: Writer::Any,
            token: self.tasks[n].token.as_ref().unwrap(),
            result: Some(&result),
            content: None,
            usage: "",
            amount: None,
        };
        assert!(matches!(now(self.store.call(&call)).unwrap(), Written::Ok(_)));
        self.tasks[n].stands = Completed;
    }

    fn cancel(&mut self, n: usize) {
        self.did.push(format!("t{n} is cancelled"));
        let call = Cancel { task_id: &id(n), writer: Writer::Any };
        assert!(matches!(now(self.store.call(&call)).unwrap(), Written::Ok(_)));
        self.tasks[n].stands = Cancelled;
    }

    fn release(&mut self) {
        self.did.push("ends are told".to_owned());
        while now(self.store.call(&Release)).unwrap() {}
        for known in &mut self.tasks {
            known.is_told = known.stands.is_end();
        }
        for n in 0..self.tasks.len() {
            let waits = self.tasks[n].before.iter().any(|other| !self.tasks[*other].is_told);
            if self.tasks[n].stands == Waiting && !waits {
                self.tasks[n].stands = Pending;
            }
        }
    }

    fn step(&mut self, policies: &[IfBusy]) {
        match self.random.u8(..16) {
            0..=4 => {
                let if_busy = policies[self.random.usize(..policies.len())];
                // Beyond that interrupting would be refused.
                if self.unfinished().len() < 20 {
                    self.draft(if_busy);
                }
            }
            5..=7 => self.some(Draft).map_or((), |n| self.queue(n)),
            8 => self.some(Draft).map_or((), |n| self.discard(n)),
            9..=10 => self.claim(),
            11..=12 => self.some(Running).map_or((), |n| self.complete(n)),
            13 => {
                let stands = [Pending, Waiting, Running][self.random.usize(..3)];
                if let Some(n) = self.some(stands) {
                    self.cancel(n);
                }
            }
            _ => self.release(),
        }
        self.check(policies);
    }

    fn check(&self, policies: &[IfBusy]) {
        let mut asked = redis::pipe();
        for n in 0..self.tasks.len() {
            asked.hget(format!("reef:task:{}", id(n)), "status");
        }
        if self.tasks.is_empty() {
            return;
        }
        let found: Vec<Option<String>> = self.store.redis().ask_all(&asked);
        let expected = self.tasks.iter().map(|it| it.stands.word());
        let found = found.iter().map(Option::as_deref);
        assert!(found.eq(expected), "after {}", self.did.last().unwrap());

        let count = |of: &[Stands]| self.tasks.iter().filter(|it| of.contains(&it.stands)).count();
        let open = self.tasks.iter().filter(|it| !it.stands.is_end() && !it.is_interrupted).count();
        match policies {
            [IfBusy::Enqueue] => assert!(count(&[Pending, Running]) <= 1, "two at once"),
            [IfBusy::Parallel] => assert_eq!(count(&[Waiting]), 0, "one waits"),
            [_] => assert!(open <= 1, "{open} are unfinished"),
            _ => {}
        }
    }

    /// All that has begun comes to an end, and leaves nothing.
    fn drain(&mut self, policies: &[IfBusy]) {
        while let Some(n) = self.some(Draft) {
            self.queue(n);
        }
        while !self.unfinished().is_empty() {
            self.release();
            self.check(policies);
            self.claim();
            let n = self.some(Running).expect("nothing can begin");
            self.complete(n);
        }
        self.release();
        let redis = self.store.redis();
        let list = format!("reef:tasks:session-unfinished:{SESSION}");
        let left: i64 = redis.ask(redis::cmd("EXISTS").arg(list).arg("reef:tasks:releasing"));
        assert_eq!(left, 0, "something is left");
    }
}

fn play(store: &Store<Blocking>, seed: u64, policies: &[IfBusy]) {
    let _: () = store.redis().ask(&redis::cmd("FLUSHALL"));
    let registration = node_with("n", vec!["simple".to_owned()]);
    let node_id = "n".into();
    let call = Register::new(&registration, &node_id, "a", Writer::Any);
    assert!(matches!(now(store.call(&call)).unwrap(), Registered::Ok { .. }));
    let random = fastrand::Rng::with_seed(seed);
    let mut world = World { store, random, tasks: Vec::new(), did: Vec::new() };
    struct Said<'a, 'b>(&'a mut World<'b>, u64);
    impl Drop for Said<'_, '_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("seed {}:\n{}", self.1, self.0.did.join("\n"));
            }
        }
    }
    let said = Said(&mut world, seed);
    for _ in 0..STEPS {
        said.0.step(policies);
    }
    said.0.drain(policies);
}

#[test]
fn unfinished_tasks_of_a_session_meet_the_next_as_it_says() {
    let server = RedisServer::start();
    server.keep_nothing();
    let store = store(server.connect());
    let full = std::env::var("REEF_FULL").is_ok_and(|value| value == "1");
    let seeds = if full { 10_000 } else { 60 };
    let alone = IfBusy::ALL.iter().map(std::slice::from_ref);
    for policies in alone.chain([IfBusy::ALL]) {
        for seed in 0..seeds {
            play(&store, seed, policies);
        }
    }
    eprintln!("{seeds} interleavings for each policy and for all together");
}
