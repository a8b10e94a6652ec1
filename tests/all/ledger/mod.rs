//! The ledger against a plain model: many clients do random things to it at once, and afterwards
//! each outcome, each entry of the journal and all that is in Redis is compared with what should.
//!
//! What is done at once takes effect one after the other; each request draws a number in the step
//! in which it takes effect, so that the model can do the same things in the same order. Time
//! passes by setting the ledger's logical clock forward, in steps so large that the time that
//! really passes is nothing against them.

mod arithmetic;
mod client;
mod driver;
mod model;
mod operation;
mod truth;

use std::thread;

use self::client::{Client, Shared};
use self::driver::{Driver, Record};
use self::model::Model;
use self::operation::{Operation, Request};
use self::truth::Truth;
use crate::harness::{RedisServer, load_scripts};

/// One step of time, in ms.
const STEP: i64 = 1_000_000;
const AGENTS: usize = 12;
const ASSETS: [&str; 2] = ["BTC", "eth-usd.p"];
const CLIENTS: usize = 6;
/// Operations between two comparisons.
const ROUND: usize = 20_000;
/// Operations after which a run begins anew with nothing, so that memory does not grow without end.
const RUN: usize = 400_000;

/// One run over an empty server.
fn run(seed: u64, operations: usize, server: &RedisServer) {
    let mut redis = server.connect();
    redis::cmd("FLUSHALL").query::<()>(&mut redis).unwrap();
    let agents: Vec<String> = (0..AGENTS).map(|n| format!("a{n}")).collect();
    for agent in &agents {
        let mut create = redis::cmd("HSET");
        create.arg(format!("agent:{agent}")).arg("status").arg("active");
        create.query::<()>(&mut redis).unwrap();
    }
    load_scripts(&mut redis);
    // From here on there is a clock that can be set forward.
    let settle = Request { operation: Operation::Settle, once: None };
    Driver::new(server.connect()).perform(settle);

    let mut random = fastrand::Rng::with_seed(seed);
    let shared = Shared::default();
    let mut model = Model::new(&agents);
    let mut truth = Truth::new(server.connect());
    let mut clients: Vec<_> = (0..CLIENTS)
        .map(|n| {
            let driver = Driver::new(server.connect());
            Client::new(random.u64(..), format!("c{n}"), driver, &shared)
        })
        .collect();
    let mut left = operations;
    while left > 0 {
        let round = left.min(ROUND);
        left -= round;
        let mut records: Vec<Record> = thread::scope(|scope| {
            let running: Vec<_> = clients
                .iter_mut()
                .map(|client| scope.spawn(move || client.go(round.div_ceil(CLIENTS))))
                .collect();
            running.into_iter().flat_map(|it| it.join().unwrap()).collect()
        });
        records.sort_by_key(|record| record.number);
        compare(&mut model, &mut truth, &records);
    }
    truth.assert_is(&model);
    truth.assert_seals();
}

/// Does in the model what was done, and gives it the entries that each request wrote.
fn compare(model: &mut Model, truth: &mut Truth, records: &[Record]) {
    let begin = truth.verifier.entries();
    let entries = truth.new_entries();
    let place = |number: i64| usize::try_from(number - begin).unwrap();
    let mut seen = begin;
    for record in records {
        model.follow(record, &entries[place(seen)..place(record.entries)]);
        seen = record.entries;
    }
    assert_eq!(place(seen), entries.len(), "nobody else writes");
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[test]
fn many_clients_at_once_leave_what_a_plain_model_expects() {
    struct Failing(u64);
    impl Drop for Failing {
        fn drop(&mut self) {
            if thread::panicking() {
                eprintln!("REEF_TEST_SEED={} does the same things again", self.0);
            }
        }
    }
    let full = std::env::var("REEF_FULL").is_ok_and(|value| value == "1");
    let operations = setting("REEF_LEDGER_OPS").unwrap_or(if full { 10_000_000 } else { 100_000 });
    let mut left = usize::try_from(operations).unwrap();
    let mut seed = setting("REEF_TEST_SEED").unwrap_or_else(|| fastrand::u64(..));
    let server = RedisServer::start();
    // A run that fails is done again from its seed; nothing need outlive the server.
    server.keep_nothing();
    while left > 0 {
        let some = left.min(RUN);
        let _failing = Failing(seed);
        run(seed, some, &server);
        left -= some;
        seed = seed.wrapping_add(1);
    }
}
