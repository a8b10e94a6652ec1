//! A cluster of real servers: keys on several nodes, slots that move, primaries that end.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use common::{Process, args, bytes, call, eventually, open, text};
use reef_redis::{Announcements, Connection, Error, Timeouts};
use reef_store::{RedisError, Reply};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Three primaries, each with a third of the slots, and as many replicas as wanted.
struct Cluster {
    nodes: Vec<Process>,
}

const THIRDS: [(u16, u16); 3] = [(0, 5460), (5461, 10922), (10923, 16383)];

impl Cluster {
    async fn start() -> Self {
        Self::start_with(0, &[]).await
    }

    /// The first three nodes are the primaries, the others are replicas of them in this order.
    async fn start_with(replicas: usize, args: &[&str]) -> Self {
        let nodes: Vec<_> = (0..3 + replicas).map(|_| Process::node(args)).collect();
        let ours: Vec<_> = nodes.iter().map(Process::direct).collect();
        for (node, (first, last)) in ours.iter().zip(THIRDS) {
            let (first, last) = (first.to_string(), last.to_string());
            text(node, &["CLUSTER", "ADDSLOTSRANGE", &first, &last]).await;
        }
        for (index, other) in nodes.iter().enumerate().skip(1) {
            let (port, bus) = (other.port.to_string(), other.bus_port.to_string());
            text(&ours[index - 1], &["CLUSTER", "MEET", "127.0.0.1", &port, &bus]).await;
        }
        let cluster = Self { nodes };
        cluster.settle(&ours).await;
        for (index, replica) in ours.iter().enumerate().skip(3) {
            let primary = cluster.id(index - 3).await;
            eventually("a replica", async || {
                call(replica, &["CLUSTER", "REPLICATE", &primary]).await.ok()
            })
            .await;
        }
        for replica in ours.iter().skip(3) {
            eventually("a replica in step", async || {
                let info = text(replica, &["INFO", "replication"]).await;
                info.contains("master_link_status:up").then_some(())
            })
            .await;
        }
        cluster
    }

    /// Waits until all nodes know all others.
    async fn settle(&self, ours: &[Connection]) {
        for node in ours {
            eventually("a cluster", async || {
                let info = text(node, &["CLUSTER", "INFO"]).await;
                let size = format!("cluster_known_nodes:{}", ours.len());
                (info.contains("cluster_state:ok") && info.contains(&size)).then_some(())
            })
            .await;
        }
    }

    fn url(&self) -> String {
        let places: Vec<_> = self.nodes.iter().take(3).map(Process::place).collect();
        format!("redis+cluster://{}/", places.join(","))
    }

    fn connection(&self) -> Connection {
        open(&self.url())
    }

    async fn id(&self, index: usize) -> String {
        text(&self.nodes[index].direct(), &["CLUSTER", "MYID"]).await
    }

    /// Says what a slot is to be for a node.
    async fn set_slot(&self, index: usize, slot: &str, state: &[&str]) {
        text(&self.nodes[index].direct(), &[&["CLUSTER", "SETSLOT", slot], state].concat()).await;
    }

    /// Gives a slot without keys to another node.
    async fn move_empty_slot(&self, slot: &str, to: usize) {
        let id = self.id(to).await;
        self.set_slot(to, slot, &["NODE", &id]).await;
        // A raised epoch settles whom the others believe.
        call(&self.nodes[to].direct(), &["CLUSTER", "BUMPEPOCH"]).await.unwrap();
        for index in 0..3 {
            self.set_slot(index, slot, &["NODE", &id]).await;
        }
    }
}

/// Keys of the first, the second and the third node, with the slots that the server names.
async fn key_of_each(cluster: &Cluster) -> Vec<(String, String)> {
    let node = cluster.nodes[0].direct();
    let mut found = vec![None; 3];
    for number in 0.. {
        let key = format!("{{t{number}}}:k");
        let slot = text(&node, &["CLUSTER", "KEYSLOT", &key]).await;
        let at: u16 = slot.parse().unwrap();
        let index = THIRDS.iter().position(|(_, last)| at <= *last).unwrap();
        found[index].get_or_insert((key, slot));
        if found.iter().all(Option::is_some) {
            break;
        }
    }
    found.into_iter().flatten().collect()
}

const LIBRARY: &str = "#!lua name=reef_test\n\
    redis.register_function('reef_test', function(keys, args)\n\
    redis.call('INCR', keys[1])\n\
    local other = string.gsub(keys[1], ':k', ':other')\n\
    return redis.call('INCR', other) end)";

#[tokio::test]
async fn each_command_goes_to_the_node_that_has_its_key() {
    let cluster = Cluster::start().await;
    let redis = cluster.connection();
    let keys = key_of_each(&cluster).await;
    for (key, _) in &keys {
        assert_eq!(call(&redis, &["SET", key, key]).await, Ok(vec![Reply::Status("OK".into())]));
        let script = "return redis.call('GET', KEYS[1])";
        assert_eq!(call(&redis, &["EVAL", script, "1", key]).await, Ok(vec![bytes(key)]));
        call(&redis, &["DEL", key]).await.unwrap();
    }
    let missing = call(&redis, &["FCALL", "reef_test", "1", &keys[0].0]).await.unwrap_err();
    assert!(matches!(RedisError::from(missing), RedisError::NoFunction));
    assert_eq!(text(&redis, &["FUNCTION", "LOAD", LIBRARY]).await, "reef_test");
    for (key, _) in &keys {
        assert_eq!(call(&redis, &["FCALL", "reef_test", "1", key]).await, Ok(vec![Reply::Int(1)]));
    }
    // One of its two keys each.
    for node in &cluster.nodes {
        assert_eq!(text(&node.direct(), &["DBSIZE"]).await, "2");
    }
    assert_eq!(text(&redis, &["PING"]).await, "PONG");
    assert!(matches!(call(&redis, &["SCAN", "0"]).await, Err(Error::Refused(_))));
    let two = call(&redis, &["EXISTS", &keys[0].0, &keys[1].0]).await.unwrap_err();
    assert!(two.to_string().starts_with("CrossSlot"), "{two}");
    assert_eq!(redis.primaries().await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_slot_that_has_moved_is_followed() {
    let cluster = Cluster::start().await;
    let redis = cluster.connection();
    let (key, slot) = &key_of_each(&cluster).await[0];
    assert_eq!(text(&redis, &["EXISTS", key]).await, "0");
    for to in [1, 2, 0] {
        cluster.move_empty_slot(slot, to).await;
        assert_eq!(text(&redis, &["INCR", key]).await, "1");
        assert_eq!(text(&cluster.nodes[to].direct(), &["GETDEL", key]).await, "1");
    }
}

#[tokio::test]
async fn a_script_is_refused_while_its_slot_moves_and_other_commands_follow_their_key() {
    let cluster = Cluster::start().await;
    let redis = cluster.connection();
    let (key, slot) = &key_of_each(&cluster).await[0];
    text(&redis, &["FUNCTION", "LOAD", LIBRARY]).await;
    text(&redis, &["SET", key, "0"]).await;
    let (source, target) = (cluster.id(0).await, cluster.id(1).await);
    cluster.set_slot(1, slot, &["IMPORTING", &source]).await;
    cluster.set_slot(0, slot, &["MIGRATING", &target]).await;

    // What it looks like without a key that is never there: the first write stays.
    let half = call(&redis, &["FCALL", "reef_test", "1", key]).await.unwrap_err();
    assert!(half.to_string().contains("non local key"), "{half}");
    assert_eq!(text(&redis, &["GET", key]).await, "1");

    let absent = key.replace(":k", ":absent");
    let guarded = ["FCALL", "reef_test", "2", key, &absent];
    let refused = async |redis: &Connection| {
        let error = RedisError::from(call(redis, &guarded).await.unwrap_err());
        assert!(matches!(error, RedisError::Resharding(_)), "{error:?}");
    };
    // With its key still here; and when it has gone already.
    refused(&redis).await;
    assert_eq!(text(&redis, &["GET", key]).await, "1");
    let port = cluster.nodes[1].port.to_string();
    text(&cluster.nodes[0].direct(), &["MIGRATE", "127.0.0.1", &port, key, "0", "1000"]).await;
    refused(&redis).await;
    // A command of one key finds it.
    assert_eq!(text(&redis, &["GET", key]).await, "1");

    for index in [1, 0, 2] {
        cluster.set_slot(index, slot, &["NODE", &target]).await;
    }
    assert_eq!(text(&redis, &["FCALL", "reef_test", "2", key, &absent]).await, "1");
    assert_eq!(text(&redis, &["GET", key]).await, "2");
}

#[tokio::test]
async fn a_primary_that_ends_is_replaced_and_nothing_is_done_twice() {
    let mut cluster = Cluster::start_with(1, &[]).await;
    let redis = cluster.connection();
    let keys = key_of_each(&cluster).await;
    let key = &keys[0].0;
    text(&redis, &["FUNCTION", "LOAD", LIBRARY]).await;
    let mut sent = 0;
    let increment = async |sent: &mut u32| {
        *sent += 1;
        let start = Instant::now();
        let result = call(&redis, &["INCR", key]).await;
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        result
    };
    for _ in 0..20 {
        increment(&mut sent).await.unwrap();
    }
    // A replica has what it was sent in time.
    let replica = cluster.nodes[3].direct();
    eventually("the functions at the replica", async || {
        let known = call(&replica, &["FUNCTION", "LIST"]).await.unwrap();
        (!known.is_empty()).then_some(())
    })
    .await;
    cluster.nodes[0].kill();
    let error = increment(&mut sent).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    // The others go on.
    assert_eq!(text(&redis, &["INCR", &keys[1].0]).await, "1");
    eventually("the replica in its place", async || increment(&mut sent).await.ok()).await;
    let value: u32 = text(&redis, &["GET", key]).await.parse().unwrap();
    assert!(value <= sent, "{value} of {sent}");
    // It has the functions too.
    call(&redis, &["FCALL", "reef_test", "1", key]).await.unwrap();
}

#[tokio::test]
async fn a_paused_primary_costs_only_those_who_need_it() {
    let cluster = Cluster::start().await;
    let redis = cluster.connection();
    let keys = key_of_each(&cluster).await;
    call(&redis, &["PING"]).await.unwrap();
    cluster.nodes[0].signal("-STOP");
    let start = Instant::now();
    let paused = call(&redis, &["INCR", &keys[0].0]).await;
    assert!(matches!(paused, Err(Error::Unavailable(_))), "{paused:?}");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    // What each node needs is loaded where it can be.
    text(&redis, &["FUNCTION", "LOAD", LIBRARY]).await;
    call(&redis, &["FCALL", "reef_test", "1", &keys[1].0]).await.unwrap();
    cluster.nodes[0].signal("-CONT");
    eventually("its return", async || call(&redis, &["INCR", &keys[0].0]).await.ok()).await;
}

#[tokio::test]
async fn the_nodes_are_found_when_most_of_those_named_are_away() {
    let mut cluster = Cluster::start().await;
    let keys = key_of_each(&cluster).await;
    cluster.nodes[0].kill();
    cluster.nodes[1].signal("-STOP");
    let redis = cluster.connection();
    assert_eq!(text(&redis, &["INCR", &keys[2].0]).await, "1");
    cluster.nodes[1].signal("-CONT");
    for node in &mut cluster.nodes[1..] {
        node.kill();
    }
    let error = call(&cluster.connection(), &["INCR", &keys[2].0]).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn a_user_with_a_password_is_one_at_each_node() {
    let acl = "--user default off --user ann on >s%t ~* &* +@all";
    let user = Process::node(&acl.split(' ').collect::<Vec<_>>());
    let info = |password: &str| format!("redis+cluster://ann:{password}@{}", user.place());
    let redis = open(&format!("redis://ann:s%25t@{}", user.place()));
    text(&redis, &["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).await;
    let redis = open(&info("s%25t"));
    eventually("a cluster", async || call(&redis, &["SET", "k", "v"]).await.ok()).await;
    let error = call(&open(&info("wrong")), &["GET", "k"]).await.unwrap_err();
    assert!(error.is_about_access(), "{error}");
}

#[tokio::test]
async fn what_is_announced_is_heard_from_each_node_until_slots_move() {
    let cluster = Cluster::start().await;
    let redis = cluster.connection();
    let keys = key_of_each(&cluster).await;
    let announcements = Announcements::new(&cluster.url(), Timeouts::default()).unwrap();
    let (mut subscriber, mut messages) = announcements.open().await.unwrap();
    let channels: Vec<String> = keys.iter().map(|(key, _)| key.replace(":k", ":live")).collect();
    subscriber.subscribe(&channels).await.unwrap();
    let publish = "return redis.call('PUBLISH', ARGV[1], ARGV[2])";
    for ((key, _), channel) in keys.iter().zip(&channels) {
        for number in ["1", "2"] {
            // Nobody listens at another node: the one that runs the script counts one listener.
            let heard = call(&redis, &["EVAL", publish, "1", key, channel, number]).await;
            assert_eq!(heard, Ok(vec![Reply::Int(1)]));
            let message = messages.next().await.unwrap();
            assert_eq!((&message.channel, &*message.payload), (channel, number.as_bytes()));
        }
    }
    subscriber.unsubscribe(&channels[..1]).await.unwrap();
    let unheard = call(&redis, &["EVAL", publish, "1", &keys[0].0, &channels[0], "3"]).await;
    assert_eq!(unheard, Ok(vec![Reply::Int(0)]));
    subscriber.ping().await.unwrap();

    cluster.move_empty_slot(&keys[1].1, 2).await;
    eventually("the end of the subscription", async || subscriber.ping().await.err()).await;
    let (mut subscriber, mut messages) = announcements.open().await.unwrap();
    subscriber.subscribe(&channels).await.unwrap();
    let heard = call(&redis, &["EVAL", publish, "1", &keys[1].0, &channels[1], "4"]).await;
    assert_eq!(heard, Ok(vec![Reply::Int(1)]));
    assert_eq!(messages.next().await.unwrap().payload, b"4");
}

#[tokio::test]
async fn a_subscription_ends_with_one_of_its_nodes() {
    let mut cluster = Cluster::start().await;
    let keys = key_of_each(&cluster).await;
    let announcements = Announcements::new(&cluster.url(), Timeouts::default()).unwrap();
    let (mut subscriber, mut messages) = announcements.open().await.unwrap();
    let channels: Vec<String> = keys.into_iter().map(|(key, _)| key).collect();
    subscriber.subscribe(&channels).await.unwrap();
    cluster.nodes[2].kill();
    assert!(messages.next().await.is_none());
}

/// A cluster of one node that takes a command and hangs up, and counts how often.
struct HangsUp {
    port: u16,
    taken: Arc<AtomicUsize>,
}

impl HangsUp {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&taken);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let counter = Arc::clone(&counter);
                std::thread::spawn(move || converse(stream, port, &counter));
            }
        });
        Self { port, taken }
    }
}

fn converse(mut stream: TcpStream, port: u16, taken: &AtomicUsize) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let words = read_command(&mut reader)?;
        let port_text = port.to_string();
        let answer = match words[0].as_str() {
            "CLUSTER" => format!(
                "*1\r\n*4\r\n$5\r\nslots\r\n*2\r\n:0\r\n:16383\r\n$5\r\nnodes\r\n*1\r\n*8\r\n\
                 $4\r\nport\r\n:{port_text}\r\n$8\r\nendpoint\r\n$9\r\n127.0.0.1\r\n\
                 $4\r\nrole\r\n$6\r\nmaster\r\n$6\r\nhealth\r\n$6\r\nonline\r\n"
            ),
            "INCR" => {
                taken.fetch_add(1, Ordering::SeqCst);
                return None;
            }
            _ => "+OK\r\n".to_owned(),
        };
        stream.write_all(answer.as_bytes()).ok()?;
    }
}

fn read_command(reader: &mut impl BufRead) -> Option<Vec<String>> {
    let number = |mark: char, reader: &mut dyn BufRead| {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        line.trim_end().strip_prefix(mark)?.parse::<usize>().ok()
    };
    let count = number('*', reader)?;
    let word = |_| {
        let length = number('$', reader)?;
        let mut word = vec![0; length + 2];
        reader.read_exact(&mut word).ok()?;
        word.truncate(length);
        String::from_utf8(word).ok()
    };
    (0..count).map(word).collect()
}

#[tokio::test]
async fn a_command_whose_connection_broke_is_not_sent_again() {
    let node = HangsUp::start();
    let redis = open(&format!("redis+cluster://127.0.0.1:{}", node.port));
    for number in 1..=3 {
        let error = redis.execute("INCR", args(&["k"])).await.unwrap_err();
        assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
        assert_eq!(node.taken.load(Ordering::SeqCst), number);
    }
}
