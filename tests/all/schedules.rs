//! Schedules in random programs: two hosts that look at the same time, stop between any two scripts, or die
//! there; a clock that jumps; runs that end or do not, and are forgotten. After each step what is counted is
//! what the timetable says, and no more runs are under way than may be. The clock is the test's own: the
//! scripts are loaded so that they read it in Redis.

use std::time::Duration;

use redis::Connection;
use reef_api::schedule::{CatchUpMode, Overlap};
use reef_api::{ScheduleId, TaskId, Word as _};
use reef_domain::json::Json;
use reef_domain::schedule::CatchUp;
use reef_store::node::Writer;
use reef_store::schedule::{
    Fired, Pause, Put, SchedulePaused, SchedulePut, catch_up_json, fire_due,
};
use reef_store::script::StoreError;
use reef_store::settings::Settings;
use reef_store::task::{Cancel, Remove};
use reef_store::variables::Given;
use reef_store::{Keys, Store};
use serde_json::json;

use crate::harness::RedisServer;
use crate::turns::{Mutant, Turns, UnderWay, each_is_found, finish, poll, set_clock};

/// 2026-06-01, when no clock is set anywhere.
const BEGIN_MS: i64 = 1_780_272_000_000;
const MINUTE_MS: i64 = 60_000;
const SCHEDULES: usize = 4;
const STEPS: usize = 120;

const MUTANTS: &[Mutant] = &[
    Mutant(
        "whoever is slower begins runs",
        "row[3] == '1' or row[4] ~= from then return",
        "row[3] == '1' then return",
    ),
    Mutant("a run that begins is not decided", "'from', due_ms)", "'of', due_ms)"),
    Mutant(
        "what was missed is counted by everybody",
        "row[1] ~= revision or row[2] ~= from or row[3] == '1'",
        "row[1] ~= revision or row[3] == '1'",
    ),
    Mutant("a second run waits", "or has_buffered)", ")"),
    Mutant(
        "a run does not see the one before",
        "and overlap ~= 'allow' and unfinished(row[5])",
        "and nil",
    ),
];

/// A host that looks: as far as it has come.
type Host<'a> = UnderWay<'a, Result<Fired, StoreError>>;

/// What is known of a schedule.
struct Known {
    id: ScheduleId,
    pace_ms: i64,
    overlap: Overlap,
    /// Runs that were decided before it was last resumed.
    decided: i64,
    /// From when on those after are counted.
    from_ms: i64,
    paused: bool,
}

impl Known {
    /// How many runs came due after it was resumed, until an instant.
    fn due_until(&self, until_ms: i64) -> i64 {
        until_ms.div_euclid(self.pace_ms) - self.from_ms.div_euclid(self.pace_ms)
    }
}

struct World<'a> {
    store: &'a Store<Turns>,
    settings: &'a Settings,
    redis: Connection,
    random: fastrand::Rng,
    now_ms: i64,
    schedules: Vec<Known>,
    hosts: Vec<Option<Host<'a>>>,
    did: Vec<String>,
}

impl<'a> World<'a> {
    fn new(store: &'a Store<Turns>, settings: &'a Settings, redis: Connection, seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        let hosts = vec![None, None];
        let (schedules, did) = (Vec::new(), Vec::new());
        let mut world =
            Self { store, settings, redis, random, now_ms: BEGIN_MS, schedules, hosts, did };
        world.set_clock();
        for n in 0..SCHEDULES {
            world.make(n);
        }
        world
    }

    fn set_clock(&mut self) {
        set_clock(&mut self.redis, self.now_ms);
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.random.usize(..of.len())]
    }

    fn make(&mut self, n: usize) {
        let pace_ms = self.one_of(&[1000, 20_000, 5 * MINUTE_MS, 60 * MINUTE_MS]);
        let overlap = self.one_of(Overlap::ALL);
        let catch_up = CatchUp {
            mode: self.one_of(CatchUpMode::ALL),
            window_ms: self.one_of(&[0, 60 * MINUTE_MS, 48 * 60 * MINUTE_MS]),
            most: self.one_of(&[1, 3, 100]),
        };
        let id = ScheduleId::from(format!("s{n}"));
        let spec = json!({"every_ms": pace_ms, "timezone": "UTC", "jitter_ms": 0}).to_string();
        let task = Json::of(&json!({"name": "tick", "required_skills": ["s"]})).unwrap();
        let put = Put {
            schedule_id: &id,
            owner: "@admin",
            writer: Writer::Any,
            spec: &spec,
            task: &task,
            overlap: overlap.as_str(),
            catch_up: &catch_up_json(catch_up),
            pause_on_failure: false,
            paused: "",
            note: "",
            most: None,
        };
        assert!(matches!(finish(self.store.call(&put)).unwrap(), SchedulePut::Ok { .. }));
        self.did.push(format!("{id}: {pace_ms} ms, {overlap:?}, {catch_up:?}"));
        let from_ms = self.now_ms;
        self.schedules.push(Known { id, pace_ms, overlap, decided: 0, from_ms, paused: false });
    }

    fn field<T: redis::FromRedisValue>(&mut self, n: usize, name: &str) -> T {
        let key = format!("reef:schedule:{}", self.schedules[n].id);
        redis::cmd("HGET").arg(key).arg(name).query(&mut self.redis).unwrap()
    }

    /// The tasks of its runs, the newest first, and their statuses.
    fn tasks(&mut self, n: usize) -> Vec<(TaskId, Option<String>)> {
        let key = format!("reef:schedule-runs:{}", self.schedules[n].id);
        let runs: Vec<String> =
            redis::cmd("LRANGE").arg(key).arg(0).arg(-1).query(&mut self.redis).unwrap();
        let started = runs.iter().filter_map(|run| run.split_once("\nstarted\n"));
        let ids: Vec<&str> = started.map(|(_, id)| id).collect();
        let mut status = |id: &str| {
            let key = format!("reef:task:{id}");
            redis::cmd("HGET").arg(key).arg("status").query(&mut self.redis).unwrap()
        };
        ids.iter().map(|id| (TaskId::from(*id), status(id))).collect()
    }

    fn step(&mut self) {
        let n = self.random.usize(..SCHEDULES);
        match self.random.u8(..20) {
            0..=8 => self.turn(),
            9 => self.kill(),
            10..=13 => self.pass_time(),
            14 => self.set_back(),
            15 => self.pause_or_resume(n),
            16..=17 => self.end_a_run(n),
            _ => self.forget_runs(n),
        }
        self.check();
    }

    /// One of the hosts goes on by one script, or begins to look.
    fn turn(&mut self) {
        let n = self.random.usize(..self.hosts.len());
        let (store, settings) = (self.store, self.settings);
        let host = self.hosts[n]
            .get_or_insert_with(|| Box::pin(fire_due(store, settings, Duration::from_secs(60))));
        if let Some(outcome) = poll(host.as_mut()) {
            self.did.push(format!("host {n} has looked: {:?}", outcome.unwrap()));
            self.hosts[n] = None;
        } else {
            self.did.push(format!("host {n} goes on"));
        }
    }

    fn kill(&mut self) {
        let n = self.random.usize(..self.hosts.len());
        self.hosts[n] = None;
        self.did.push(format!("host {n} is killed"));
    }

    fn pass_time(&mut self) {
        let ms = match self.random.u8(..10) {
            0 => 12 * 60 * MINUTE_MS,
            1..=3 => self.random.i64(1..90 * MINUTE_MS),
            _ => self.random.i64(1..3 * MINUTE_MS),
        };
        self.now_ms += ms;
        self.set_clock();
        self.did.push(format!("{ms} ms pass"));
    }

    fn set_back(&mut self) {
        let ms = self.random.i64(1..30 * MINUTE_MS);
        self.now_ms -= ms;
        self.set_clock();
        self.did.push(format!("the clock is set back by {ms} ms"));
    }

    fn pause_or_resume(&mut self, n: usize) {
        let from: i64 = self.field(n, "from");
        // Whoever resumes at a time that has been before begins anew there.
        if self.now_ms < from {
            return;
        }
        let known = &self.schedules[n];
        let (id, paused) = (known.id.clone(), !known.paused);
        let call = Pause { schedule_id: &id, writer: Writer::Any, paused, note: None };
        let outcome = finish(self.store.call(&call)).unwrap();
        assert!(matches!(outcome, SchedulePaused::Ok { .. }));
        self.did.push(format!("{id} {}", if paused { "pauses" } else { "resumes" }));
        let known = &mut self.schedules[n];
        if paused {
            known.decided += known.due_until(from);
        }
        known.from_ms = if paused { from } else { self.now_ms };
        known.paused = paused;
    }

    fn end_a_run(&mut self, n: usize) {
        let tasks = self.tasks(n);
        let open = tasks.iter().rev().find(|(_, status)| is_open(status.as_deref()));
        if let Some((task_id, _)) = open {
            finish(self.store.call(&Cancel { task_id, writer: Writer::Any })).unwrap();
            while finish(self.store.call(&reef_store::task::Release)).unwrap() {}
            self.did.push(format!("{task_id} ends"));
        }
    }

    /// So that nothing but the schedule knows of them.
    fn forget_runs(&mut self, n: usize) {
        for (task_id, status) in self.tasks(n) {
            if status.is_some() && !is_open(status.as_deref()) {
                finish(self.store.call(&Remove { task_id: &task_id, writer: Writer::Any }))
                    .unwrap();
            }
        }
        self.did.push(format!("the ended runs of {} are forgotten", self.schedules[n].id));
    }

    fn check(&mut self) {
        for n in 0..SCHEDULES {
            let from: i64 = self.field(n, "from");
            let counts =
                ["started", "skipped", "missed", "refused"].map(|it| self.field::<i64>(n, it));
            let open = self.tasks(n).iter().filter(|(_, it)| is_open(it.as_deref())).count();
            let known = &self.schedules[n];
            let due = if known.paused { 0 } else { known.due_until(from) };
            let at = format!("{}, {} steps", known.id, self.did.len());
            assert_eq!(counts.iter().sum::<i64>(), known.decided + due, "{at}: {counts:?}");
            let most = match known.overlap {
                Overlap::Skip | Overlap::Cancel => 1,
                Overlap::Buffer => 2,
                Overlap::Allow => usize::MAX,
            };
            assert!(open <= most, "{at}: {open} runs are under way");
        }
    }

    /// Lets a host look that nobody disturbs: then nothing is due any more.
    fn settle(&mut self) {
        self.hosts.iter_mut().for_each(|host| *host = None);
        finish(fire_due(self.store, self.settings, Duration::from_secs(60))).unwrap();
        self.check();
        for n in 0..SCHEDULES {
            let from: i64 = self.field(n, "from");
            let known = &self.schedules[n];
            assert!(known.paused || from >= self.now_ms.div_euclid(known.pace_ms) * known.pace_ms);
        }
    }
}

fn is_open(status: Option<&str>) -> bool {
    !matches!(status, None | Some("completed" | "failed" | "cancelled" | "timeout"))
}

/// Runs one program; says what it did if it fails.
fn run(server: &RedisServer, settings: &Settings, seed: u64, mutant: Option<&'static Mutant>) {
    let mut redis = server.connect();
    redis::cmd("FLUSHALL").query::<()>(&mut redis).unwrap();
    redis::cmd("FUNCTION").arg("FLUSH").query::<()>(&mut redis).unwrap();
    let store = Store::new(Turns::new(server.connect(), mutant), Keys::default());
    let mut world = World::new(&store, settings, redis, seed);
    struct Said<'a, 'b>(&'a mut World<'b>, u64, bool);
    impl Drop for Said<'_, '_> {
        fn drop(&mut self) {
            if std::thread::panicking() && self.2 {
                eprintln!("seed {}:\n{}", self.1, self.0.did.join("\n"));
            }
        }
    }
    let said = Said(&mut world, seed, mutant.is_none());
    for _ in 0..STEPS {
        said.0.step();
    }
    said.0.settle();
}

fn settings() -> Settings {
    Settings::read(&Given::new(|_: &str| String::new())).unwrap()
}

#[test]
fn each_run_is_decided_once_and_counted() {
    let server = RedisServer::start();
    server.keep_nothing();
    let given = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = given("REEF_TEST_SEED") {
        return run(&server, &settings(), seed, None);
    }
    // A million steps in full.
    let seeds = if given("REEF_FULL") == Some(1) { 1_000_000 / STEPS as u64 } else { 60 };
    for seed in 0..seeds {
        run(&server, &settings(), seed, None);
    }
    eprintln!("{} steps, {seeds} seeds", seeds * STEPS as u64);
}

#[test]
fn each_fault_of_the_scripts_is_found() {
    let server = RedisServer::start();
    server.keep_nothing();
    each_is_found(MUTANTS, |seed, mutant| run(&server, &settings(), seed, Some(mutant)));
}
