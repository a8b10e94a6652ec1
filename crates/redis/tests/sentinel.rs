//! A primary and a replica under three real Sentinels.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use common::{Process, call, eventually, free_port, open, text, texts};
use reef_redis::{Announcements, Connection, Error, Timeouts};
use std::time::{Duration, Instant};

struct Watched {
    servers: Vec<Process>,
    sentinels: Vec<Process>,
}

impl Watched {
    async fn start() -> Self {
        let primary = Process::start(&[]);
        let port = primary.port.to_string();
        let replica = Process::start(&["--replicaof", "127.0.0.1", &port]);
        let direct = replica.direct();
        eventually("a replica in step", async || {
            let info = text(&direct, &["INFO", "replication"]).await;
            info.contains("master_link_status:up").then_some(())
        })
        .await;
        let sentinels: Vec<_> = (0..3).map(|_| sentinel(&port)).collect();
        for sentinel in &sentinels {
            let direct = sentinel.direct();
            eventually("Sentinels that know each other and the replica", async || {
                let info = text(&direct, &["INFO", "sentinel"]).await;
                info.contains("slaves=1,sentinels=3").then_some(())
            })
            .await;
        }
        Self { servers: vec![primary, replica], sentinels }
    }

    fn url(&self) -> String {
        let places: Vec<_> = self.sentinels.iter().map(Process::place).collect();
        format!("redis+sentinel://{}/hub", places.join(","))
    }
}

fn sentinel(port: &str) -> Process {
    let folder = tempfile::tempdir().unwrap().keep();
    let file = folder.join("sentinel.conf");
    let settings = format!(
        "sentinel monitor hub 127.0.0.1 {port} 2\nsentinel down-after-milliseconds hub 1000\n\
         sentinel failover-timeout hub 3000\n"
    );
    std::fs::write(&file, settings).unwrap();
    Process::start(&[file.to_str().unwrap(), "--sentinel"])
}

async fn increment(redis: &Connection) -> Result<(), Error> {
    let start = Instant::now();
    let result = call(redis, &["INCR", "n"]).await.map(|_| ());
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    result
}

#[tokio::test]
async fn a_primary_that_ends_is_replaced() {
    let mut watched = Watched::start().await;
    let redis = open(&watched.url());
    let announcements = Announcements::new(&watched.url(), Timeouts::default()).unwrap();
    increment(&redis).await.unwrap();
    let (mut subscriber, mut messages) = announcements.open().await.unwrap();
    subscriber.subscribe(&["c".to_owned()]).await.unwrap();
    call(&redis, &["PUBLISH", "c", "1"]).await.unwrap();
    assert_eq!(messages.next().await.unwrap().payload, b"1");

    watched.servers[0].kill();
    assert!(messages.next().await.is_none());
    increment(&redis).await.unwrap_err();
    eventually("another primary", async || increment(&redis).await.ok()).await;
    assert!(text(&watched.servers[1].direct(), &["ROLE"]).await == "master");

    // It comes back and believes to be one for a moment, and nobody asks it.
    watched.servers[0].start_again();
    for _ in 0..20 {
        increment(&redis).await.unwrap();
    }
    assert_eq!(text(&watched.servers[0].direct(), &["EXISTS", "n"]).await, "0");
}

#[tokio::test]
async fn a_primary_that_hangs_is_left_as_soon_as_another_is_announced() {
    let watched = Watched::start().await;
    let redis = open(&watched.url());
    increment(&redis).await.unwrap();
    // Its connections stay open.
    watched.servers[0].signal("-STOP");
    eventually("another primary", async || increment(&redis).await.ok()).await;
    watched.servers[0].signal("-CONT");
    increment(&redis).await.unwrap();
}

#[tokio::test]
async fn a_switch_is_heard_of_from_any_sentinel() {
    let watched = Watched::start().await;
    let redis = open(&watched.url());
    increment(&redis).await.unwrap();
    // The first that the address names hears nothing and says nothing, and the primary hangs.
    watched.sentinels[0].signal("-STOP");
    watched.servers[0].signal("-STOP");
    let other = watched.servers[1].port.to_string();
    for sentinel in &watched.sentinels[1..] {
        let direct = sentinel.direct();
        eventually("Sentinels that name the other", async || {
            (texts(&direct, &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "hub"]).await[1] == other)
                .then_some(())
        })
        .await;
    }
    // That the link is gone shows by a call alone, which would take it away itself if it failed.
    tokio::time::sleep(Duration::from_millis(300)).await;
    increment(&redis).await.unwrap();
}

#[tokio::test]
async fn the_sentinels_that_know_of_the_latest_switch_are_believed() {
    let watched = Watched::start().await;
    text(&watched.sentinels[0].direct(), &["SENTINEL", "FAILOVER", "hub"]).await;
    let other = watched.servers[1].port.to_string();
    for sentinel in &watched.sentinels {
        let direct = sentinel.direct();
        eventually("Sentinels that name the other", async || {
            (texts(&direct, &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "hub"]).await[1] == other)
                .then_some(())
        })
        .await;
    }
    // Two that heard nothing of it, and a server that takes itself for the primary.
    let former = Process::start(&[]);
    let late = [(); 2].map(|()| sentinel(&former.port.to_string()));
    let places = [late[0].place(), late[1].place(), watched.sentinels[2].place()];
    let redis = open(&format!("redis+sentinel://{}/hub", places.join(",")));
    increment(&redis).await.unwrap();
    assert_eq!(text(&watched.servers[1].direct(), &["EXISTS", "n"]).await, "1");
    assert_eq!(text(&former.direct(), &["EXISTS", "n"]).await, "0");
}

#[tokio::test]
async fn where_no_switch_is_known_most_sentinels_are_believed() {
    let servers = [(); 2].map(|()| Process::start(&[]));
    let [one, many] = servers.each_ref().map(|server| server.port.to_string());
    let sentinels = [&one, &many, &many].map(|port| sentinel(port));
    let places = sentinels.each_ref().map(Process::place);
    let redis = open(&format!("redis+sentinel://{}/hub", places.join(",")));
    increment(&redis).await.unwrap();
    assert_eq!(text(&servers[1].direct(), &["EXISTS", "n"]).await, "1");
}

#[tokio::test]
async fn a_primary_that_is_demoted_is_left() {
    let watched = Watched::start().await;
    let redis = open(&watched.url());
    increment(&redis).await.unwrap();
    let sentinel = watched.sentinels[0].direct();
    text(&sentinel, &["SENTINEL", "FAILOVER", "hub"]).await;
    let other = watched.servers[1].direct();
    eventually("writes at the other", async || {
        let _ = increment(&redis).await;
        (text(&other, &["ROLE"]).await == "master").then_some(())
    })
    .await;
    eventually("writes again", async || increment(&redis).await.ok()).await;
}

#[tokio::test]
async fn a_server_that_is_no_primary_is_not_used() {
    let watched = Watched::start().await;
    let redis = open(&watched.url());
    increment(&redis).await.unwrap();
    // Demoted by hand: the Sentinels still name it, and it refuses.
    let other = watched.servers[1].port.to_string();
    let demoted = std::process::Command::new("redis-cli")
        .args(["-p", &watched.servers[0].port.to_string(), "REPLICAOF", "127.0.0.1", &other])
        .output();
    assert!(demoted.unwrap().status.success());
    let error = increment(&redis).await.unwrap_err();
    assert!(error.to_string().starts_with("ReadOnly"), "{error}");
    // Nor is it asked again: it says itself what it is.
    let error = increment(&redis).await.unwrap_err();
    assert!(error.to_string().contains("not a primary"), "{error}");
    // Promoted again it is found at once.
    let promoted = std::process::Command::new("redis-cli")
        .args(["-p", &watched.servers[0].port.to_string(), "REPLICAOF", "NO", "ONE"])
        .output();
    assert!(promoted.unwrap().status.success());
    eventually("writes again", async || increment(&redis).await.ok()).await;
}

#[tokio::test]
async fn what_sentinels_do_not_know_is_said() {
    let watched = Watched::start().await;
    let other = watched.url().replace("/hub", "/other");
    let error = call(&open(&other), &["PING"]).await.unwrap_err();
    assert!(error.to_string().contains("no primary by the name of other"), "{error}");
    // Two of three are enough to ask.
    let (nobody, one) = (free_port(), watched.sentinels[2].place());
    let redis = open(&format!("redis+sentinel://127.0.0.1:{nobody},{one}/hub"));
    increment(&redis).await.unwrap();
}
