//! What tasks use, and what is paid for them, in random programs: requests and the monitor stop between any two
//! scripts, or die there; reports come in any order, again, or not at all; leases run out. After each step
//! nobody works for money that is not reserved; in the end all that is reserved belongs to an open task,
//! everybody was paid once, and sums are what was reported.

mod checks;
mod world;

use reef_store::settings::Settings;
use reef_store::variables::Given;
use reef_store::{Keys, Store};

use self::world::World;
use crate::harness::RedisServer;
use crate::turns::{Mutant, Turns, each_is_found};

const STEPS: usize = 120;

const MUTANTS: &[Mutant] = &[
    Mutant("reports are added up", "more[i] = math.max(to - used[i], 0)", "more[i] = to"),
    Mutant(
        "another try begins where the last has ended",
        "if try[1] ~= claim then",
        "if not try[1] then",
    ),
    Mutant(
        "a price forgets what was cached",
        "used[1] - used[3], used[2], used[3]",
        "used[1], used[2], used[3]",
    ),
    Mutant("a day forgets", "values[name] or has and unpacked(has)", "values[name]"),
    Mutant("a day counts again what it has", "noted[#noted + 1] = found[i]", ""),
    Mutant("a budget forgets", "used[1] + sum[6]", "sum[6]"),
    Mutant(
        "what was refused may be reserved later",
        "if refused then return cmsgpack",
        "if nil then return cmsgpack",
    ),
    Mutant(
        "nobody hears of the end of a task that is paid for",
        "task.message ~= '' or task.charge",
        "task.message ~= ''",
    ),
    Mutant(
        "a task begins before its money is there",
        "is_draft == '1' and 'draft' or 'pending'",
        "'pending'",
    ),
    Mutant("whoever pays takes it back", "if hold.task ~= task then", "if nil then"),
    Mutant("what was released is tried again", "if task.charge then return 'priced' end", ""),
    Mutant(
        "all is paid, whatever was asked for",
        "if tonumber(amount) > tonumber(max) then",
        "amount = max if nil then",
    ),
];

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
    said.0.refuse();
    for _ in 0..STEPS {
        said.0.step();
    }
    said.0.settle();
}

fn settings() -> Settings {
    Settings::read(&Given::new(|_: &str| String::new())).unwrap()
}

#[test]
fn sums_are_what_was_reported_and_everybody_is_paid_once() {
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
