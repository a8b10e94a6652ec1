//! Backups of a Redis Cluster: what its primaries have at one instant, in a file that can be restored
//! into other numbers of them.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::backups::{ok, refused, server, stop};
use crate::harness::{Client, Hub, Message, PATIENCE, RedisCluster, eventually, reef};

const CLUSTER: [&str; 2] = ["--key-layout", "cluster"];

#[track_caller]
fn backup(cluster: &RedisCluster, file: &str) -> Value {
    ok(&[&["backup", file, "--redis-url", &cluster.url()], &CLUSTER[..]].concat())
}

/// Writes were paused on each primary, and are no more.
fn assert_paused_once(cluster: &RedisCluster) {
    for primary in 0..3 {
        let mut redis = cluster.connect(primary);
        let stats: String = redis::cmd("INFO").arg("commandstats").query(&mut redis).unwrap();
        for command in ["client|pause", "client|unpause"] {
            let name = format!("cmdstat_{command}:calls=");
            assert!(stats.lines().any(|line| line.starts_with(&name)), "{primary}: {stats}");
        }
        let info: String = redis::cmd("INFO").arg("replication").query(&mut redis).unwrap();
        assert!(info.contains("connected_slaves:1\r"), "a follower is left: {info}");
    }
}

/// A message on each of the primaries.
fn messages(cluster: &RedisCluster, client: &Client) -> [String; 3] {
    [0, 1, 2].map(|primary| {
        loop {
            let id = Message::begin(client).id;
            if cluster.owner(&format!("{{message:{id}}}:")) == primary {
                return id;
            }
        }
    })
}

/// Appends the same word to each of the messages, one after the other, over and over.
fn write_in_turn(
    client: &Client,
    messages: &[String; 3],
    is_over: &AtomicBool,
    turns: &AtomicUsize,
) {
    while !is_over.load(Ordering::Relaxed) {
        for message in messages {
            client.post(&format!("/messages/{message}/append"), &json!({"delta": "x"})).ok();
        }
        turns.fetch_add(1, Ordering::Relaxed);
    }
}

/// A key of the hub's kind on each of the primaries; the name in both layouts.
fn keys(cluster: &RedisCluster) -> [(String, String); 3] {
    [0, 1, 2].map(|primary| {
        let ids = (0..).map(|n| format!("quick-{n}"));
        let names = ids.map(|id| {
            let tail = format!("reef:message:{id}:text");
            (format!("{{message:{id}}}:{tail}"), tail)
        });
        let mut here = names.filter(|(key, _)| cluster.owner(key) == primary);
        here.next().unwrap()
    })
}

/// The same without the hub, so fast that two instants which are a millisecond apart would differ.
fn count_in_turn(cluster: &RedisCluster, keys: &[(String, String); 3], is_over: &AtomicBool) {
    let mut primaries = [0, 1, 2].map(|primary| cluster.connect(primary));
    for number in 0_u64.. {
        for (primary, (key, _)) in primaries.iter_mut().zip(keys) {
            redis::cmd("SET").arg(key).arg(number).query::<()>(primary).unwrap();
        }
        if is_over.load(Ordering::Relaxed) {
            break;
        }
    }
}

/// Nothing is there before what it was written after.
#[track_caller]
fn assert_in_turn(counts: [u64; 3]) {
    let [first, second, third] = counts;
    assert!(first >= second && second >= third && third + 1 >= first, "{counts:?}");
    assert!(third > 0, "{counts:?}");
}

#[test]
fn a_cluster_is_kept_as_of_one_instant_and_restored_anywhere() {
    let cluster = RedisCluster::start();
    let mut hub = Hub::options().redis_cluster(&cluster).start();
    let client = hub.admin();
    let agent = client.new_agent();
    agent.client.post("/deposit", &json!({"agent_id": agent.id, "amount": 100})).ok();
    let node = client.new_node("n");
    let chains = [(); 2].map(|()| messages(&cluster, &client));
    let quick = keys(&cluster);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("b").display().to_string();
    let (is_over, turns) = (AtomicBool::new(false), AtomicUsize::new(0));
    let kept = std::thread::scope(|scope| {
        for chain in &chains {
            scope.spawn(|| write_in_turn(&client, chain, &is_over, &turns));
        }
        scope.spawn(|| count_in_turn(&cluster, &quick, &is_over));
        let some_more = |since: usize| {
            let more = || (turns.load(Ordering::Relaxed) > since + 20).then_some(());
            eventually("some turns", PATIENCE, more);
        };
        some_more(0);
        let kept = std::panic::catch_unwind(AssertUnwindSafe(|| backup(&cluster, &file)));
        let since = turns.load(Ordering::Relaxed);
        if kept.is_ok() {
            some_more(since);
        }
        is_over.store(true, Ordering::Relaxed);
        kept.unwrap()
    });
    println!("{kept}");
    assert_paused_once(&cluster);
    let keys: u64 = cluster.sizes().iter().sum();
    assert!(kept["keys"].as_u64().unwrap() <= keys, "{kept} of {keys}");
    stop(&mut hub);

    // Into fewer servers, under the other layout, and into as many.
    let (one, three) = (server(), RedisCluster::start());
    ok(&["restore", &file, "--redis-url", &one.url()]);
    let restored = ok(&[&["restore", &*file, "--redis-url", &three.url()], &CLUSTER[..]].concat());
    assert_eq!(restored["keys"], kept["keys"], "{restored}");
    assert!(three.sizes().iter().all(|keys| *keys > 0), "{:?}", three.sizes());
    let mut redis = one.connect();
    assert_in_turn(
        quick
            .each_ref()
            .map(|(_, name)| -> u64 { redis::cmd("GET").arg(name).query(&mut redis).unwrap() }),
    );
    let hubs = [Hub::options().redis(&one).start(), Hub::options().redis_cluster(&three).start()];
    for hub in &hubs {
        let client = hub.admin();
        assert_eq!(client.node(&node)["node_id"], node);
        let agent = hub.anonymous().with_key(&agent.key).get(&format!("/balance/{}", agent.id));
        assert_eq!(agent.ok()["balance"], "100");
        for chain in &chains {
            assert_in_turn(chain.each_ref().map(|id| {
                let text = client.get(&format!("/messages/{id}")).ok()["text"].clone();
                text.as_str().unwrap().len() as u64
            }));
        }
        client.new_node("later");
    }
    let url = three.url();
    let names = [&["restore", &*file, "--redis-url", &url], &CLUSTER[..]].concat();
    refused(&names, 1, "holds data of a hub");
}

#[test]
fn what_is_no_whole_cluster_is_not_kept() {
    let mut cluster = RedisCluster::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("b").display().to_string();
    let url = cluster.url();
    refused(&["backup", &file, "--redis-url", &url], 1, "--key-layout cluster");
    let one = url.split([',', '/']).nth(2).unwrap();
    let one = format!("redis://{one}/0");
    refused(&["backup", &file, "--redis-url", &one], 1, "one node of a Redis Cluster");
    refused(&["restore", "/nowhere", "--redis-url", &one], 1, "cannot read");

    let args = [&["backup", &*file, "--redis-url", &url], &CLUSTER[..]].concat();
    let slot = cluster.tell(0, &["KEYSLOT", "{cluster}:"]);
    let from = cluster.owner("{cluster}:");
    let to = (from + 1) % 3;
    let to_id = cluster.tell(to, &["MYID"]);
    cluster.tell(from, &["SETSLOT", &slot, "MIGRATING", &to_id]);
    refused(&args, 1, "slots of the cluster are moving");
    cluster.tell(from, &["SETSLOT", &slot, "STABLE"]);

    cluster.kill(2);
    cluster.kill(5);
    eventually("a cluster that knows it", PATIENCE, || {
        let output = crate::harness::Program::run(reef().args(&args), PATIENCE);
        let is_told = output.stderr.contains("has no primary at the moment");
        (output.status.code() == Some(3) && is_told).then_some(())
    });
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "something is left");
}
