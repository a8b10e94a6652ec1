//! What a claim costs where much waits, and where limits keep some of it back.

use super::driver::Driver;
use super::given;
use super::group::Member;
use super::limits::Limit;
use super::model::{LEASES, TIMEOUTS, Wants};
use crate::harness::RedisServer;

/// Claims that are measured at once, and how often.
const CLAIMS: usize = 50;
const ROUNDS: usize = 12;
/// What one node holds at most.
const ROOM: i64 = 1000;

struct Queue {
    _server: RedisServer,
    driver: Driver,
    made: usize,
}

impl Queue {
    fn new() -> Self {
        let server = RedisServer::start();
        server.keep_nothing();
        let driver = Driver::on_empty(&server, None);
        driver.register("n0", &["rust".to_owned()], &[], ROOM);
        Self { _server: server, driver, made: 0 }
    }

    /// Submits tasks, each under the key that its number has, if it has one.
    fn fill(&mut self, count: usize, key: impl Fn(usize) -> Option<&'static str>) {
        let mut members = Vec::new();
        for n in 0..count {
            self.made += 1;
            // Ten classes of the usual kind.
            let tags = vec![format!("tag-{}", n % 10)];
            let limits = key(n).map(|key| ("one", key)).into_iter().collect();
            members.push(Member {
                id: format!("t{}", self.made),
                wants: Wants {
                    required: vec!["rust".to_owned()],
                    tags,
                    limits,
                    ..Wants::default()
                },
                priority: 2,
                retries: 0,
                timeout_ms: TIMEOUTS[1],
                after: Vec::new(),
                asks: None,
                follows_group: false,
            });
            if members.len() == 100 || n + 1 == count {
                self.driver.fill(&std::mem::take(&mut members));
            }
        }
    }

    /// Gives all that may begin to nodes made for it; how many tasks they got.
    fn hand_out(&self) -> usize {
        let mut held = 0;
        for n in 0.. {
            let node = format!("holder-{}-{n}", self.made);
            self.driver.register(&node, &["rust".to_owned()], &[], ROOM);
            let before = held;
            loop {
                self.driver.open_limits();
                let aside = self.aside();
                let got = self.driver.claim(&node, None, 100, LEASES[1]).unwrap().len();
                held += got;
                // A claim that has put some aside asks again.
                if got == 0 && self.aside() == aside {
                    break;
                }
            }
            if held == before {
                break;
            }
        }
        held
    }

    /// How many classes wait for a limit.
    fn aside(&self) -> usize {
        self.driver.ask(redis::cmd("HLEN").arg("reef:queue-parked"))
    }

    /// Claims some, one at a time: the commands and the microseconds that Redis needed.
    fn claim_some(&self) -> (u64, f64) {
        self.driver.ask::<()>(redis::cmd("CONFIG").arg("RESETSTAT"));
        for _ in 0..CLAIMS {
            let claimed = self.driver.claim("n0", None, 1, LEASES[1]).unwrap();
            assert_eq!(claimed.len(), 1);
        }
        let stats: String = self.driver.ask(redis::cmd("INFO").arg("commandstats"));
        let (mut commands, mut micros) = (0, 0.0);
        for line in stats.lines() {
            let Some((name, counts)) =
                line.strip_prefix("cmdstat_").and_then(|line| line.split_once(':'))
            else {
                continue;
            };
            let count = |of: &str| {
                let counts = counts.split(',').find_map(|it| it.strip_prefix(of));
                counts.unwrap().parse::<f64>().unwrap()
            };
            match name {
                "fcall" => micros = count("usec="),
                "info" | "config|resetstat" => {}
                _ => commands += count("calls=") as u64,
            }
        }
        (commands, micros)
    }
}

/// `REEF_CLAIM_TASKS=1000000 REEF_CLAIM_KEYS=10000` is the queue that the documents speak of.
#[test]
fn a_claim_costs_the_same_where_limits_keep_others_back() {
    let tasks = given("REEF_CLAIM_TASKS").unwrap_or(1000);
    let keys: usize = given("REEF_CLAIM_KEYS").unwrap_or(200);
    let parked = keys / 20;
    let names: Vec<&'static str> =
        (0..keys).map(|n| &*Box::leak(format!("key-{n}").into_boxed_str())).collect();
    let (mut plain, mut limited) = (Queue::new(), Queue::new());
    for queue in [&plain, &limited] {
        queue.driver.put_limit("one", &Limit { most: Some(1), is_paused: false });
    }
    for some in names.chunks(100) {
        limited.fill(some.len(), |n| Some(some[n]));
        plain.fill(some.len(), |_| None);
        for queue in [&limited, &plain] {
            assert_eq!(queue.hand_out(), some.len());
        }
    }
    limited.fill(parked, |n| Some(names[n]));
    assert_eq!(limited.hand_out(), 0);
    assert_eq!(limited.aside(), parked);
    for queue in [&mut plain, &mut limited] {
        queue.fill(tasks, |_| None);
    }
    let mut sums = [(0, 0.0), (0, 0.0)];
    for round in 0..ROUNDS {
        for (queue, sum) in [&plain, &limited].into_iter().zip(&mut sums) {
            let (commands, micros) = queue.claim_some();
            // What is cold at first is not measured.
            if round > 0 {
                *sum = (sum.0 + commands, sum.1 + micros);
            }
        }
    }
    let [(plain, plain_us), (limited, limited_us)] = sums;
    let claims = (CLAIMS * (ROUNDS - 1)) as f64;
    eprintln!(
        "{tasks} wait, {keys} keys, {parked} classes parked: {:.1} us a claim, plain {:.1}: {:.2}",
        limited_us / claims,
        plain_us / claims,
        limited_us / plain_us
    );
    // Now and then one of them writes the time down.
    let differ = limited.abs_diff(plain) as f64;
    assert!(
        differ < claims / 10.0,
        "{claims} claims: {limited} commands, {plain} where all is plain"
    );
}
