//! `kill -9`: of the host, of its private Redis, of an agent.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use super::load::{Load, Seen, assert_each};
use crate::harness::{Client, Hub, PATIENCE, Program, Signal, eventually, root, signal, unique};

/// Every registration that was acknowledged is still known.
fn assert_nothing_lost(client: &Client, seen: &[Seen]) {
    let acknowledged: Vec<_> = seen.iter().filter_map(|seen| seen.node_id.as_deref()).collect();
    assert!(acknowledged.len() > 20, "too little happened: {}", acknowledged.len());
    for id in acknowledged {
        assert_eq!(client.node(id)["node_id"], id);
    }
}

/// Waits until that many nodes are registered, so that the blow falls in the middle of it.
fn in_full_swing(client: &Client) {
    eventually("load", PATIENCE, || {
        let health = client.get("/cluster/health").ok();
        (health["total_nodes"].as_u64() > Some(30)).then_some(())
    });
}

#[test]
fn a_killed_host_loses_nothing_that_it_acknowledged() {
    let mut hub = Hub::start();
    let load = Load::registrations(&hub.admin(), 4);
    in_full_swing(&hub.admin());
    hub.kill();
    let seen = load.end();
    hub.start_again();
    assert_nothing_lost(&hub.admin(), &seen);
    hub.admin().new_node("next");
}

#[test]
fn a_killed_private_redis_is_replaced_and_loses_nothing() {
    let hub = Hub::start();
    let client = hub.admin();
    let load = Load::registrations(&client, 4);
    in_full_swing(&client);
    let first = hub.private_redis_pid();
    signal(first, Signal::Kill);
    eventually("service again", Duration::from_secs(10), || {
        let body = crate::harness::registration(&unique("again")).to_string();
        let answer = client.send("POST", "/nodes/register", Some(body.as_bytes()));
        let replaced = hub.try_private_redis_pid().is_some_and(|pid| pid != first);
        (answer.status == 200 && replaced).then_some(())
    });
    let seen = load.end();
    assert_each(&seen, "200 or 503", |seen| matches!(seen.status, Some(200 | 503)));
    assert_nothing_lost(&client, &seen);
}

#[test]
fn both_killed_at_once_lose_nothing() {
    let mut hub = Hub::start();
    let load = Load::registrations(&hub.admin(), 4);
    in_full_swing(&hub.admin());
    let redis = hub.private_redis_pid();
    signal(redis, Signal::Kill);
    hub.kill();
    let seen = load.end();
    hub.start_again();
    assert_ne!(hub.private_redis_pid(), redis);
    assert_nothing_lost(&hub.admin(), &seen);
}

#[test]
fn a_change_that_a_kill_cut_off_stays_undone_over_any_number_of_restarts() {
    let mut hub = Hub::start();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let session = text(&hub.admin().post_empty("/sessions").ok()["session_id"]);
    let question = json!({"content": "?"});
    let sent = hub.admin().post(&format!("/sessions/{session}/messages"), &question).ok();
    let message = format!("/messages/{}", text(&sent["assistant_message_id"]));
    let append = |hub: &Hub, delta: &str| {
        hub.admin().post(&format!("{message}/append"), &json!({"delta": delta})).ok();
    };
    let kill_both = |hub: &mut Hub| {
        signal(hub.private_redis_pid(), Signal::Kill);
        hub.kill();
    };
    append(&hub, "kept ");
    append(&hub, "cut-off ");
    kill_both(&mut hub);

    // As if the kill had come in the middle of the write: behind the first change of the script.
    let folder = hub.state_dir().join("redis/appendonlydir");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let file =
        files.into_iter().find(|path| path.extension().is_some_and(|it| it == "aof")).unwrap();
    let written = std::fs::read(&file).unwrap();
    let cut = written.windows(8).position(|bytes| bytes == b"cut-off ").unwrap() + 40;
    std::fs::write(&file, &written[..cut]).unwrap();
    // What is noted to be on the disk is never cut; this is a write that was not.
    let _ = std::fs::remove_file(file.with_file_name("reef.seal"));

    hub.start_again();
    append(&hub, "and on");
    kill_both(&mut hub);
    hub.start_again();
    let shown = hub.admin().get(&message).ok();
    assert_eq!(shown["text"], "kept and on");
    assert_eq!(shown["sequence"], 3);
}

#[test]
fn a_private_redis_outlives_a_killed_host_and_is_taken_over() {
    let mut hub = Hub::start();
    let id = hub.admin().new_node("kept");
    let redis = hub.private_redis_pid();
    hub.kill();
    hub.start_again();
    assert_eq!(hub.private_redis_pid(), redis);
    assert_eq!(hub.admin().node(&id)["node_id"], id);
}

#[test]
fn a_killed_agent_is_seen_within_the_timeout_and_a_tick() {
    const TIMEOUT: Duration = Duration::from_secs(3);
    let hub = Hub::options().open().timeout(TIMEOUT.as_secs_f64()).start();
    let client = hub.anonymous();
    let mut agent = Program::start(
        Command::new("python3").arg(root().join("tests/clients/legacy_worker.py")).args([
            "--url",
            hub.url(),
            "--hostname",
            &unique("agent"),
            "--interval",
            "0.2",
        ]),
    );
    let id = agent.line(PATIENCE, |line| line.strip_prefix("registered ").map(str::to_owned));
    for _ in 0..3 {
        agent.line(PATIENCE, |line| line.starts_with("heartbeat").then_some(()));
    }
    agent.kill();
    let killed = Instant::now();
    let took = eventually("the agent's end noticed", PATIENCE, || {
        (client.node(&id)["status"] == "offline").then(|| killed.elapsed())
    });
    // The last heartbeat may have been one interval before the end.
    assert!(took > TIMEOUT - Duration::from_millis(500), "{took:?}");
    assert!(took < TIMEOUT + Duration::from_millis(1600), "{took:?}");
}
