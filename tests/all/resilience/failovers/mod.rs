//! Work on the queue, on money, on messages and for the lead, while the primary is killed and frozen:
//! over a Redis Cluster, and under Sentinels.
//!
//! A replica that takes over may lack what was answered last, so that something acknowledged may be
//! lost. What must not happen: an effect twice, a number given out twice, half a movement of money.

mod journal;
mod work;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use self::journal::{Blow, appended_twice, now_ms};
use self::work::{Place, Work};
use crate::harness::{
    Hub, HubOptions, Message, PATIENCE, Program, Proxy, RedisCluster, RedisSentinel, RedisServer,
    Role, eventually, let_hear_again, reef, replicated,
};

/// Each blow is a kill, then a freeze.
fn blows() -> usize {
    std::env::var("REEF_BLOWS").map_or(1, |count| count.parse().unwrap())
}

enum Ground {
    Cluster(Box<RedisCluster>),
    Sentinel(Box<RedisSentinel>),
}

impl Ground {
    fn options(&self) -> HubOptions {
        match self {
            Self::Cluster(cluster) => Hub::options().redis_cluster(cluster),
            Self::Sentinel(sentinel) => Hub::options().redis_at(&sentinel.url()),
        }
    }

    /// The server that has nodes, leases and the queue, and in a cluster the one that has money in turn.
    fn primary(&self, turn: usize) -> usize {
        match self {
            Self::Cluster(cluster) => cluster.primary_of(["{cluster}:x", "{ledger}:x"][turn % 2]),
            Self::Sentinel(sentinel) => sentinel.primary(),
        }
    }

    /// The same, once its replica has all that it has taken so far. One that has just copied the data
    /// says that it is in step, and has yet to read what came meanwhile: seconds of it.
    fn primary_in_step(&self, turn: usize) -> usize {
        let mut wanted = None;
        eventually("a replica that has all", 2 * PATIENCE, || {
            let index = self.primary(turn);
            let said = match self {
                Self::Cluster(cluster) => cluster.replication(index),
                Self::Sentinel(sentinel) => sentinel.replication(index),
            };
            let (taken, acknowledged) = replicated(&said?)?;
            match wanted {
                Some((of, least)) if of == index => (acknowledged >= least).then_some(index),
                _ => {
                    wanted = Some((index, taken));
                    None
                }
            }
        })
    }

    fn cut_off_the_replica_of(&self, index: usize) -> String {
        match self {
            Self::Cluster(cluster) => cluster.cut_off_the_replica_of(index),
            Self::Sentinel(sentinel) => sentinel.cut_off_the_replica_of(index),
        }
    }

    fn kill(&mut self, index: usize) {
        match self {
            Self::Cluster(cluster) => cluster.kill(index),
            Self::Sentinel(sentinel) => sentinel.kill(index),
        }
    }

    fn start_again(&mut self, index: usize) {
        match self {
            Self::Cluster(cluster) => cluster.start_again(index),
            Self::Sentinel(sentinel) => sentinel.start_again(index),
        }
    }

    fn freeze(&self, index: usize) {
        match self {
            Self::Cluster(cluster) => cluster.freeze(index),
            Self::Sentinel(sentinel) => sentinel.freeze(index),
        }
    }

    fn thaw(&self, index: usize) {
        match self {
            Self::Cluster(cluster) => cluster.thaw(index),
            Self::Sentinel(sentinel) => sentinel.thaw(index),
        }
    }

    fn until_replica(&self, index: usize) {
        match self {
            Self::Cluster(cluster) => cluster.until_replica(index),
            Self::Sentinel(sentinel) => sentinel.until_either_is_replica(index),
        }
    }
}

/// Waits until everybody has got on since a blow, and says how long that took.
fn until_all_go_on(work: &Work, blow: Instant, what: &str) {
    let before = work.counts();
    let patience = 2 * PATIENCE;
    eventually(&format!("all kinds of work {what}: {before:?}"), patience, || {
        let now = work.counts();
        now.iter().zip(&before).all(|(now, before)| *now > before + 3).then_some(())
    });
    println!("{what}: all kinds of work go on after {:?}", blow.elapsed());
}

/// Waits for a round of the monitor that began from now on, and so has seen all that was told before.
fn until_the_monitor_has_looked(hub: &Hub) {
    let client = hub.admin();
    let rounds = || -> u64 {
        let metrics = client.get("//metrics").text();
        let mut lines = metrics.lines();
        let ended =
            lines.find_map(|it| it.strip_prefix("reef_monitor_ticks_total{outcome=\"ok\"} "));
        ended.map_or(0, |rounds| rounds.parse().unwrap())
    };
    let before = rounds();
    // The one that is under way may have looked before.
    eventually("rounds of the monitor", PATIENCE, || (rounds() >= before + 2).then_some(()));
}

/// Ends the work however the test ends.
struct StopsAtTheEnd<'s>(&'s AtomicBool);

impl Drop for StopsAtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn run(mut ground: Ground) {
    let up = ground.options().start();
    let beside = ground.options().role(Role::Serve).start();
    let place = Place::new(&[&up.admin(), &beside.admin()]);
    let (stop, work) = (AtomicBool::new(false), Work::default());
    let mut blown = Vec::new();
    std::thread::scope(|scope| {
        let _stops = StopsAtTheEnd(&stop);
        work.begin(scope, &place, &stop);
        until_all_go_on(&work, Instant::now(), "at first");
        for turn in 0..blows() {
            // What is answered from here on is lost.
            let index = ground.primary_in_step(turn);
            let cut_off = now_ms();
            let replica = ground.cut_off_the_replica_of(index);
            until_all_go_on(&work, Instant::now(), "while the replica hears nothing");
            let seen = now_ms();
            until_the_monitor_has_looked(&up);
            blown.push(Blow { cut_off, seen, at: now_ms() });
            ground.kill(index);
            until_all_go_on(&work, Instant::now(), "after a kill");
            let_hear_again(&replica);
            ground.start_again(index);
            ground.until_replica(index);

            let index = ground.primary_in_step(turn);
            let at = now_ms();
            blown.push(Blow { cut_off: at, seen: at, at });
            ground.freeze(index);
            until_all_go_on(&work, Instant::now(), "after a freeze");
            ground.thaw(index);
            ground.until_replica(index);
            until_all_go_on(&work, Instant::now(), "after all are there again");
        }
    });
    let journal = work.journal(blown, matches!(ground, Ground::Sentinel(_)));
    println!("{}", journal.summary());
    verify_money(&up);
    place.assert_messages(&journal);
    place.assert_payments(&journal);
    journal.assert_sound();
}

/// The journal is whole, the sum of all accounts is 0, and each has what it says.
fn verify_money(hub: &Hub) {
    let mut verify = reef();
    verify.args(["ledger", "verify", "--json", "--hub", hub.url()]);
    verify.env("REEF_API_KEY", hub.admin_key());
    let output = eventually("a verdict on the journal", PATIENCE, || {
        let output = Program::run(&mut verify, Duration::from_secs(60));
        // A hold or a payment of a caller whose request was cut may still come.
        output.status.success().then_some(output)
    });
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    println!("{} entries, restorations {}", report["entries"], report["restorations"]);
}

#[test]
fn nothing_comes_twice_in_a_cluster_whose_primaries_fall() {
    run(Ground::Cluster(Box::new(RedisCluster::start())));
}

#[test]
fn nothing_comes_twice_under_sentinels() {
    run(Ground::Sentinel(Box::new(RedisSentinel::start())));
}

/// The checker finds an append that came twice, where what may have had its effect is sent again; and
/// none where it has a producer's number.
#[test]
fn what_is_sent_again_comes_twice_and_is_found() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.url().trim_start_matches("redis://").trim_end_matches("/0"));
    let url = proxy.url().replace("http://", "redis://");
    let hub = Hub::options().redis_at(&url).arg("--tick").arg("60000").start();
    let client = hub.admin();
    for is_numbered in [false, true] {
        let message = Message::begin(&client);
        proxy.cut();
        for seq in 0..100 {
            let mut body = json!({"delta": format!("w{seq} ")});
            if is_numbered {
                body["producer"] = json!({"id": "p", "epoch": 1, "seq": seq});
            }
            eventually("an append", PATIENCE, || {
                // The next connection breaks somewhere in an answer: to what the host asks first, or to this.
                proxy.cut_after(fastrand::u64(300..4000));
                let answer = client.post(&format!("/messages/{}/append", message.id), &body);
                (answer.status == 200).then_some(())
            });
        }
        proxy.cut_after(u64::MAX);
        proxy.cut();
        let text = eventually("the message", PATIENCE, || {
            let answer = client.get(&format!("/messages/{}", message.id));
            (answer.status == 200).then(|| answer.ok()["text"].as_str().unwrap().to_owned())
        });
        let twice = appended_twice(&text);
        println!(
            "numbered {is_numbered}: {twice:?} came twice, {} connections broke",
            proxy.cuts()
        );
        assert_eq!(twice.is_empty(), is_numbered, "{text}");
    }
}
