//! The history in random programs: tasks go their ways while the clock jumps, and two monitors move what was
//! counted, one after another, die between any two scripts, or do it at once. After each step all minutes, all
//! hours and the sums say the same, and that is what the event log and the hub's other counters say.

mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use reef_store::{Keys, Store};

use self::world::World;
use crate::harness::RedisServer;
use crate::turns::{Mutant, Turns, each_is_found};

const STEPS: usize = 150;

const MUTANTS: &[Mutant] = &[
    Mutant("what is moved is counted again", "moved[#moved + 1] = found[i]", ""),
    Mutant("a sum is moved as a count", "return { what, value } end", "return { what, 1 } end"),
    Mutant(
        "an hour is left out",
        "(R .. 'history:h:' .. math.floor(minute / 60)), (R .. 'stats')",
        "(R .. 'stats')",
    ),
    Mutant(
        "usage of a minute forgets",
        "has and unpacked(has), unpacked(value)",
        "nil, unpacked(value)",
    ),
    Mutant("usage that is not moved forgets", "has and unpacked(has), sum", "nil, sum"),
    Mutant("a stale token is not counted", "count_event('n', 1)", ""),
    Mutant(
        "a claim is not counted",
        "count_span('w', now - tonumber(row[2] or task.submitted))",
        "",
    ),
    Mutant("a try that is lost is not counted", "count_span('t', now - task.started)", ""),
    Mutant(
        "what is put off counts as failed",
        "if not is_snoozed then count_span('f', now - task.started) end",
        "count_span('f', now - task.started)",
    ),
    Mutant(
        "a cancellation is not counted",
        "if to == 'cancelled' then count_event('x', 1) end",
        "",
    ),
    Mutant("a death is not counted", "count_event('d', 1)", ""),
    Mutant(
        "the last part has no bound",
        "while SPANS[part] and ms > SPANS[part] do",
        "while part < 15 do",
    ),
];

/// Runs one program; says what it did if it fails.
fn run(server: &RedisServer, seed: u64, mutant: Option<&'static Mutant>) {
    let mut redis = server.connect();
    redis::cmd("FLUSHALL").query::<()>(&mut redis).unwrap();
    redis::cmd("FUNCTION").arg("FLUSH").query::<()>(&mut redis).unwrap();
    let keys = if seed.is_multiple_of(2) { Keys::default() } else { world::cluster_keys() };
    let store = Store::new(Turns::new(server.connect(), mutant), keys);
    let mut world = World::new(&store, redis, seed);
    let done = catch_unwind(AssertUnwindSafe(|| {
        for step in 0..STEPS {
            world.step();
            if step % 10 == 9 {
                world.check();
            }
        }
        world.settle();
    }));
    if let Err(failed) = done {
        if mutant.is_none() {
            eprintln!("seed {seed}:\n{}", world.did.join("\n"));
        }
        std::panic::resume_unwind(failed);
    }
}

#[test]
fn sums_are_what_has_happened_whatever_stops_and_jumps() {
    let server = RedisServer::start();
    server.keep_nothing();
    let given = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = given("REEF_TEST_SEED") {
        return run(&server, seed, None);
    }
    // A million steps in full.
    let seeds = if given("REEF_FULL") == Some(1) { 1_000_000 / STEPS as u64 } else { 40 };
    for seed in 0..seeds {
        run(&server, seed, None);
    }
    eprintln!("{} steps, {seeds} seeds", seeds * STEPS as u64);
}

#[test]
fn each_fault_of_the_scripts_is_found() {
    let server = RedisServer::start();
    server.keep_nothing();
    each_is_found(MUTANTS, |seed, mutant| run(&server, seed, Some(mutant)));
}
