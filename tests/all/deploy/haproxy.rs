//! `haproxy/redis.cfg`: one address for whichever server is the primary, and a hub whose components
//! know no other, as under Spin.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde_json::json;

use super::read;
use crate::harness::{
    Hub, PATIENCE, Program, connect, eventually, free_port, redis_binary, registration, unique,
};

/// A Redis server, or a Sentinel.
fn start(folder: &Path, port: u16, args: &[&str]) -> Program {
    let mut command = Command::new(redis_binary());
    // A Sentinel's first argument is its file.
    let (file, args) = match args.split_first() {
        Some((file, rest)) if !file.starts_with("--") => (Some(*file), rest),
        _ => (None, args),
    };
    command.args(file).args(["--port", &port.to_string(), "--bind", "127.0.0.1"]).args(args);
    let program = Program::start(command.arg("--dir").arg(folder));
    eventually("a server", PATIENCE, || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    program
}

fn info(port: u16, section: &str) -> String {
    let mut redis = connect(&format!("redis://127.0.0.1:{port}/0"));
    redis::cmd("INFO").arg(section).query(&mut redis).unwrap()
}

#[test]
fn components_that_know_one_address_follow_the_primary() {
    let folders = [0; 6].map(|_| tempfile::tempdir().unwrap());
    let (one, two, front) = (free_port(), free_port(), free_port());
    let keeps = ["--save", "", "--appendonly", "yes", "--appendfsync", "always"];
    let mut primary = start(folders[0].path(), one, &keeps);
    let port = one.to_string();
    let replicates = [&keeps[..], &["--replicaof", "127.0.0.1", &port]].concat();
    let _replica = start(folders[1].path(), two, &replicates);
    eventually("a replica in step", PATIENCE, || {
        info(two, "replication").contains("master_link_status:up").then_some(())
    });
    let sentinels: Vec<_> = (2..5).map(|number| (folders[number].path(), free_port())).collect();
    let _sentinels: Vec<_> = sentinels
        .iter()
        .map(|(folder, port)| {
            let file = folder.join("sentinel.conf");
            let watched = format!(
                "sentinel monitor hub 127.0.0.1 {one} 2\n\
                 sentinel down-after-milliseconds hub 1000\nsentinel failover-timeout hub 3000\n"
            );
            std::fs::write(&file, watched).unwrap();
            start(folder, *port, &[file.to_str().unwrap(), "--sentinel"])
        })
        .collect();
    for (_, port) in &sentinels {
        eventually("Sentinels that know each other", PATIENCE, || {
            info(*port, "sentinel").contains("slaves=1,sentinels=3").then_some(())
        });
    }

    let config = read("haproxy/redis.cfg");
    let places = [("127.0.0.1:6380", front), ("127.0.0.1:6379", one), ("127.0.0.1:6381", two)];
    let config = places.into_iter().fold(config, |config, (place, port)| {
        assert_eq!(config.matches(&format!(" {place}\n")).count(), 1, "{place}");
        config.replace(&format!(" {place}\n"), &format!(" 127.0.0.1:{port}\n"))
    });
    let file = folders[5].path().join("redis.cfg");
    std::fs::write(&file, config).unwrap();
    let mut haproxy = Command::new("haproxy");
    let _haproxy = Program::start(haproxy.arg("-f").arg(&file));
    eventually("the proxy's primary", PATIENCE, || {
        let client = redis::Client::open(format!("redis://127.0.0.1:{front}/0")).unwrap();
        let mut redis = client.get_connection().ok()?;
        redis::cmd("PING").query::<String>(&mut redis).ok()
    });

    let hub = Hub::options().redis_at(&format!("redis://127.0.0.1:{front}/0"));
    let hub = hub.arg("--no-direct").start();
    let client = hub.admin();
    let node = client.new_node("n");
    let answer = client.post(&format!("/nodes/{node}/heartbeat"), &json!({}));
    assert_eq!(answer.header("reef-durability"), Some("disk"), "{answer}");

    primary.kill();
    let since = Instant::now();
    eventually("the other primary", PATIENCE, || {
        let answer = client.post("/nodes/register", &registration(&unique("after")));
        if answer.status != 200 {
            answer.problem(503, "store_unavailable");
        }
        (answer.status == 200).then_some(())
    });
    println!("writes again {:?} after the kill", since.elapsed());
    assert!(info(two, "replication").contains("role:master"));
    assert_eq!(client.node(&node)["node_id"], node);
}
