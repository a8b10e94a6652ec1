//! How safe a write is, with real servers: replicas that stop, servers that are replaced meanwhile.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use common::{Process, call, eventually, open, text};
use reef_redis::{Connection, Reached, Touched};
use reef_store::durability::Safety;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const ALWAYS: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];
const EVERYSEC: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "everysec"];

/// Writes, and waits for it.
async fn write(redis: &Connection, wanted: &str) -> Reached {
    let touched = Touched::new(&Arc::from("reef:durable"));
    call(&redis.noting(&touched), &["SET", "k", wanted]).await.unwrap();
    settle(&touched, wanted).await
}

async fn settle(touched: &Touched, wanted: &str) -> Reached {
    let wanted = Safety::parse(wanted).unwrap();
    touched.settle(wanted, Instant::now() + Duration::from_secs(1)).await
}

fn known(safety: &str) -> Reached {
    Reached::Known(Safety::parse(safety).unwrap())
}

/// A replica of a server, once it is in step.
async fn replica_of(primary: &Process) -> Process {
    let replica = Process::start(&["--replicaof", "127.0.0.1", &primary.port.to_string()]);
    let direct = primary.direct();
    eventually("a replica in step", async || {
        let info = text(&direct, &["INFO", "replication"]).await;
        info.contains("state=online").then_some(())
    })
    .await;
    replica
}

#[tokio::test]
async fn what_is_large_is_as_safe() {
    let server = Process::start(&ALWAYS);
    let redis = server.direct();
    redis.facts(Duration::ZERO).await.unwrap();
    let touched = Touched::new(&Arc::from("reef:durable"));
    let noting = redis.noting(&touched);
    // Over one connection, and over the other.
    call(&noting, &["SET", "k", "small"]).await.unwrap();
    call(&noting, &["SET", "k", &"x".repeat(64 * 1024)]).await.unwrap();
    assert_eq!(settle(&touched, "disk").await, known("disk"));
}

#[tokio::test]
async fn what_a_server_syncs_before_it_answers_costs_nothing() {
    let server = Process::start(&ALWAYS);
    let redis = server.direct();
    redis.facts(Duration::ZERO).await.unwrap();
    let asked = async || text(&redis, &["INFO", "commandstats"]).await;
    for wanted in ["memory", "disk"] {
        assert_eq!(write(&redis, wanted).await, known("disk"), "{wanted}");
    }
    assert_eq!(write(&redis, "replica").await, known("disk"));
    assert_eq!(write(&redis, "replica-disk").await, known("disk"));
    // Only the look has asked, of nobody.
    let stats = asked().await;
    assert!(stats.contains("cmdstat_wait:calls=1,"), "{stats}");
    assert_eq!(text(&redis, &["EXISTS", "reef:durable"]).await, "0");
}

#[tokio::test]
async fn what_only_reads_is_as_safe_as_anybody_wants() {
    let server = Process::start(&[]);
    let redis = server.direct();
    let touched = Touched::new(&Arc::from("reef:durable"));
    call(&redis.noting(&touched), &["GET", "k"]).await.unwrap();
    assert_eq!(settle(&touched, "replica-disk").await, known("replica-disk"));
}

#[tokio::test]
async fn an_older_server_that_syncs_each_second_promises_no_disk() {
    let server = Process::start(&EVERYSEC);
    let redis = server.direct();
    if text(&redis, &["INFO", "server"]).await.contains("redis_version:7.0") {
        for wanted in ["disk", "replica-disk"] {
            assert_eq!(write(&redis, wanted).await, known("memory"), "{wanted}");
        }
    }
    let facts = redis.facts(Duration::ZERO).await.unwrap();
    let why = &facts[0].abilities()[1].why;
    assert!(why.contains("WAITAOF"), "{why}");
    // Without a file there is nothing to sync, whatever the setting says.
    call(&redis, &["CONFIG", "SET", "appendonly", "no", "appendfsync", "always"]).await.unwrap();
    redis.facts(Duration::ZERO).await.unwrap();
    assert_eq!(write(&redis, "disk").await, known("memory"));
}

#[tokio::test]
async fn a_replica_that_has_stopped_is_never_said_to_have_it() {
    let primary = Process::start(&[]);
    let redis = primary.direct();
    assert_eq!(write(&redis, "replica").await, known("memory"));
    let replica = replica_of(&primary).await;
    // It is found by whoever asks for it, within a moment.
    eventually("the replica", async || {
        (write(&redis, "replica").await == known("replica")).then_some(())
    })
    .await;
    assert_eq!(text(&replica.direct(), &["GET", "k"]).await, "replica");
    assert_eq!(write(&redis, "replica;n=2").await, known("memory"));

    replica.signal("-STOP");
    // On a connection of its own that has written nothing, the server would say 1 here.
    for _ in 0..3 {
        assert_eq!(write(&redis, "replica").await, known("memory"));
    }
    let other =
        async { tokio::time::timeout(Duration::from_secs(1), call(&redis, &["PING"])).await };
    let (reached, pinged) = tokio::join!(write(&redis, "replica"), other);
    assert_eq!(reached, known("memory"));
    pinged.expect("nobody else waits").unwrap();
    replica.signal("-CONT");
    eventually("the replica again", async || {
        (write(&redis, "replica").await == known("replica")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn whose_time_is_over_when_a_round_ends_hears_what_is_known() {
    let primary = Process::start(&[]);
    let replica = replica_of(&primary).await;
    let redis = primary.direct();
    redis.facts(Duration::ZERO).await.unwrap();
    replica.signal("-STOP");
    let wanted = Safety::parse("replica").unwrap();
    for number in 0..200 {
        let touched = Touched::new(&Arc::from("reef:durable"));
        call(&redis.noting(&touched), &["SET", "k", "v"]).await.unwrap();
        // The first round takes twenty milliseconds.
        let limit = Duration::from_millis(20) + Duration::from_micros(15 * number);
        assert_eq!(touched.settle(wanted, Instant::now() + limit).await, known("memory"));
    }
    replica.signal("-CONT");
}

#[tokio::test]
async fn many_wait_together() {
    let primary = Process::start(&[]);
    let _replica = replica_of(&primary).await;
    let redis = primary.direct();
    redis.facts(Duration::ZERO).await.unwrap();
    let writes = (0..500).map(|_| {
        let redis = redis.clone();
        tokio::spawn(async move { write(&redis, "replica").await })
    });
    for reached in futures_util::future::join_all(writes).await {
        assert_eq!(reached.unwrap(), known("replica"));
    }
    let stats = text(&redis, &["INFO", "commandstats"]).await;
    let waits = stats.lines().find_map(|line| line.strip_prefix("cmdstat_wait:calls=")).unwrap();
    let waits: u32 = waits.split(',').next().unwrap().parse().unwrap();
    assert!(waits < 250, "{waits} questions for 500 writes");
}

#[tokio::test]
async fn what_a_server_wrote_that_is_gone_is_not_known() {
    let mut primary = Process::start(&[]);
    let _replica = replica_of(&primary).await;
    let redis = primary.direct();
    redis.facts(Duration::ZERO).await.unwrap();
    let touched = Touched::new(&Arc::from("reef:durable"));
    call(&redis.noting(&touched), &["SET", "k", "v"]).await.unwrap();
    // Another process at the same address, with a replica in step and without the write.
    primary.kill();
    primary.start_again();
    let direct = primary.direct();
    eventually("the replica at the new one", async || {
        text(&direct, &["INFO", "replication"]).await.contains("state=online").then_some(())
    })
    .await;
    eventually("the new connection", async || call(&redis, &["PING"]).await.ok()).await;
    assert_eq!(write(&redis, "replica").await, known("replica"));
    assert_eq!(settle(&touched, "replica").await, Reached::Unknown);
    // The same where nobody looks whether there is another connection.
    call(&redis.noting(&touched), &["SET", "k", "v"]).await.unwrap();
    assert_eq!(settle(&touched, "memory").await, known("memory"));
}

#[tokio::test]
async fn a_server_that_ends_while_it_is_waited_for_leaves_it_unknown() {
    let mut primary = Process::start(&[]);
    let replica = replica_of(&primary).await;
    let redis = primary.direct();
    redis.facts(Duration::ZERO).await.unwrap();
    assert_eq!(write(&redis, "replica").await, known("replica"));
    replica.signal("-STOP");
    let waiting = tokio::spawn(async move { write(&redis, "replica").await });
    let direct = primary.direct();
    eventually("the wait", async || {
        text(&direct, &["INFO", "clients"]).await.contains("blocked_clients:1").then_some(())
    })
    .await;
    primary.kill();
    assert_eq!(waiting.await.unwrap(), Reached::Unknown);
}

#[tokio::test]
async fn a_server_that_was_a_replica_meanwhile_is_another_one() {
    let server = Process::start(&[]);
    let redis = server.direct();
    redis.facts(Duration::ZERO).await.unwrap();
    let touched = Touched::new(&Arc::from("reef:durable"));
    let _replica = replica_of(&server).await;
    redis.facts(Duration::ZERO).await.unwrap();
    call(&redis.noting(&touched), &["SET", "k", "v"]).await.unwrap();
    // Same process, same connections: but what it had is no longer its own word.
    let other = Process::start(&[]);
    let port = other.port.to_string();
    call(&server.direct(), &["CONFIG", "SET", "replica-read-only", "no"]).await.unwrap();
    let admin = raw(&server).await;
    demote_and_promote(&admin, &port).await;
    eventually("its replica", async || {
        text(&redis, &["INFO", "replication"]).await.contains("state=online").then_some(())
    })
    .await;
    assert_eq!(settle(&touched, "replica").await, Reached::Unknown);
}

/// A connection that may say anything.
async fn raw(server: &Process) -> redis::aio::MultiplexedConnection {
    let client = redis::Client::open(format!("redis://{}", server.place())).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

async fn demote_and_promote(admin: &redis::aio::MultiplexedConnection, port: &str) {
    let mut admin = admin.clone();
    let mut of = redis::cmd("REPLICAOF");
    of.arg("127.0.0.1").arg(port).query_async::<()>(&mut admin).await.unwrap();
    eventually("the demotion", async || {
        let mut admin = admin.clone();
        let info: String =
            redis::cmd("INFO").arg("replication").query_async(&mut admin).await.unwrap();
        info.contains("master_link_status:up").then_some(())
    })
    .await;
    let mut none = redis::cmd("REPLICAOF");
    none.arg("NO").arg("ONE").query_async::<()>(&mut admin).await.unwrap();
}

#[tokio::test]
async fn each_node_of_a_cluster_that_was_written_to_is_waited_for() {
    let (one, other) = (Process::node(&[]), Process::node(&[]));
    for (node, first, last) in [(&one, "0", "8191"), (&other, "8192", "16383")] {
        call(&node.direct(), &["CLUSTER", "ADDSLOTSRANGE", first, last]).await.unwrap();
    }
    let (port, bus) = (other.port.to_string(), other.bus_port.to_string());
    call(&one.direct(), &["CLUSTER", "MEET", "127.0.0.1", &port, &bus]).await.unwrap();
    let replica = Process::node(&[]);
    let (port, bus) = (replica.port.to_string(), replica.bus_port.to_string());
    call(&one.direct(), &["CLUSTER", "MEET", "127.0.0.1", &port, &bus]).await.unwrap();
    let id = text(&one.direct(), &["CLUSTER", "MYID"]).await;
    eventually("a replica of the first", async || {
        call(&replica.direct(), &["CLUSTER", "REPLICATE", &id]).await.ok()
    })
    .await;
    for node in [&one, &other] {
        eventually("nodes that agree", async || {
            let info = text(&node.direct(), &["CLUSTER", "INFO"]).await;
            (info.contains("cluster_state:ok") && info.contains("known_nodes:3")).then_some(())
        })
        .await;
    }
    eventually("a replica in step", async || {
        text(&one.direct(), &["INFO", "replication"]).await.contains("state=online").then_some(())
    })
    .await;

    let redis = open(&format!("redis+cluster://{},{}", one.place(), other.place()));
    // Of these tags the first lies at the node with a replica, the second at the other.
    let here = async |tag: &str| text(&one.direct(), &["CLUSTER", "KEYSLOT", tag]).await;
    assert!(here("b").await.parse::<u16>().unwrap() <= 8191);
    assert!(here("a").await.parse::<u16>().unwrap() > 8191);
    let marker: Arc<str> = Arc::from("{cluster}:reef:durable");
    let written = async |tags: &[&str]| {
        let touched = Touched::new(&marker);
        for tag in tags {
            call(&redis.noting(&touched), &["SET", &format!("{{{tag}}}:k"), "v"]).await.unwrap();
        }
        settle(&touched, "replica").await
    };
    assert_eq!(written(&["b"]).await, known("replica"));
    assert_eq!(text(&one.direct(), &["EXISTS", "{b}:reef:durable"]).await, "1");
    assert_eq!(written(&["a"]).await, known("memory"));
    assert_eq!(written(&["b", "a"]).await, known("memory"));
}
