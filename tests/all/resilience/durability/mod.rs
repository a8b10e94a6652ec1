//! How safe a write is when its answer comes: what callers ask for, what they are told, and what is
//! there after a kill.

mod kills;
mod server;

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{
    Answer, Client, Hub, NewAgent, PATIENCE, Program, RedisCluster, Signal, eventually, reef,
    unique,
};
use server::{Server, valkey};

/// What an answer says of its write.
fn reached(answer: &Answer) -> &str {
    assert_eq!(answer.status, 200, "{answer}");
    answer.header("reef-durability").unwrap_or_else(|| panic!("{answer}: not a word"))
}

fn deposit(agent: &NewAgent, prefer: &str) -> Answer {
    let client = agent.client.with("prefer", prefer);
    client.post("/deposit", &json!({"agent_id": agent.id, "amount": 1}))
}

/// Waits until the hub has taken notice of its server's replica.
fn until_it_reaches(agent: &NewAgent, level: &str) {
    eventually(level, PATIENCE, || {
        let answer = deposit(agent, &format!("durability={level}"));
        (reached(&answer) == level).then_some(())
    });
}

/// Waits until a connection is held back by the server, as by `WAIT`.
fn until_somebody_waits(server: &Server) {
    eventually("the wait", PATIENCE, || {
        let info: String = redis::cmd("INFO").arg("clients").query(&mut server.connect()).ok()?;
        info.contains("blocked_clients:1").then_some(())
    });
}

fn levels(given: &Value) -> Vec<String> {
    let levels = given.as_array().unwrap().iter();
    levels.map(|it| format!("{} {}", it["level"], it["given"]).replace('"', "")).collect()
}

/// What holds at a private Redis, which syncs each write before it answers.
fn is_told_by(hub: &Hub) {
    let admin = hub.admin();
    let agent = admin.new_agent();
    // Whatever writes, with a wish or without, says it.
    let node = admin.new_node("n");
    let beat = json!({"cpu_usage": 1});
    for answer in [
        admin.post(&format!("/nodes/{node}/heartbeat"), &beat),
        admin.patch(&format!("/nodes/{node}"), &json!({"status": "maintenance"})),
        admin.post("/sessions", &json!({})),
        admin.delete(&format!("/nodes/{node}")),
        deposit(&agent, ""),
        deposit(&agent, "respond-async, handling=strict"),
    ] {
        assert_eq!(reached(&answer), "disk", "{answer}");
        assert_eq!(answer.header("preference-applied"), None, "{answer}");
    }
    for level in ["memory", "disk"] {
        let answer = deposit(&agent, &format!("durability={level}; x=1, handling=strict"));
        assert_eq!(reached(&answer), "disk", "{answer}");
        let applied = format!("durability={level}");
        assert_eq!(answer.header("preference-applied"), Some(applied.as_str()), "{answer}");
    }
    // What cannot be is said at once, and does not undo the write.
    let answer = deposit(&agent, "durability=replica");
    assert_eq!((reached(&answer), answer.header("preference-applied")), ("disk", None));
    let before = agent.client.get(&format!("/balance/{}", agent.id)).ok()["balance"].clone();
    let answer = deposit(&agent, "durability=replica-disk;n=2, handling=strict");
    let problem = answer.problem(503, "durability_not_reached");
    assert!(problem["detail"].as_str().unwrap().contains("replica-disk;n=2"), "{problem}");
    assert_eq!(answer.header("reef-durability"), Some("disk"), "{answer}");
    assert_eq!(answer.header("retry-after"), Some("1"), "{answer}");
    let after = agent.client.get(&format!("/balance/{}", agent.id)).ok()["balance"].clone();
    assert_ne!(before, after);

    // A bad wish is refused before anything is done, and after the caller is known.
    for bad in ["durability=disc", "durability=disk;n=1", "durability=replica;n=99", "handling=odd"]
    {
        deposit(&agent, bad).problem_with(400, "invalid_parameter", "Prefer");
        let asks = admin.with("prefer", bad);
        asks.delete(&format!("/nodes/{node}")).problem_with(400, "invalid_parameter", "Prefer");
        asks.anonymous()
            .with("prefer", bad)
            .post("/tasks", &json!({}))
            .problem(401, "unauthenticated");
        // A reader may prefer what it likes.
        assert_eq!(asks.get("/nodes").status, 200);
    }
    assert_eq!(agent.client.get(&format!("/balance/{}", agent.id)).ok()["balance"], after);

    // Who reads, and what was refused, has nothing to say of it.
    for answer in [admin.get("/nodes"), admin.delete(&format!("/nodes/{node}"))] {
        assert_eq!(answer.header("reef-durability"), None, "{answer}");
    }
}

#[test]
fn every_answer_to_a_write_says_how_safe_it_is() {
    let hub = Hub::start();
    is_told_by(&hub);
    let given =
        hub.admin().get("/cluster/durability").has_fields(&["by", "levels", "money", "default"]);
    assert_eq!(given["by"], "host");
    assert_eq!((&given["money"], &given["default"]), (&json!("disk"), &json!("memory")));
    let expected = ["memory at_once", "disk at_once", "replica no", "replica-disk no"];
    assert_eq!(levels(&given["levels"]), expected);
    hub.anonymous().get("/cluster/durability").problem(401, "unauthenticated");
    let ready = hub.anonymous().get("//readyz").ok();
    assert_eq!(ready["durability"], given["levels"]);
    let metrics = hub.admin().get("//metrics").text();
    assert!(metrics.contains("reef_durable_writes_total{outcome=\"reached\"}"), "{metrics}");
}

#[test]
fn a_component_that_is_called_as_by_spin_does_not_speak_for_the_host() {
    is_told_by(&Hub::options().arg("--no-direct").start());
}

#[test]
fn the_defaults_are_variables_and_a_bad_one_is_refused() {
    let server = Server::start(&["--appendfsync", "always"]);
    let replica = server.replica();
    let hub = Hub::options().redis_at(&server.url());
    let hub = hub.variable("durability_money", "replica").variable("durability_default", "disk");
    let hub = hub.start();
    let agent = hub.admin().new_agent();
    assert_eq!(reached(&deposit(&agent, "")), "replica");
    assert_eq!(reached(&hub.admin().post("/sessions", &json!({}))), "disk");
    drop(replica);
    let bad = Hub::options().variable("durability_money", "tape");
    let output = Program::run(&mut bad.command(tempfile::tempdir().unwrap().path()), PATIENCE);
    assert!(!output.status.success());
    assert!(output.stderr.contains("durability_money must be memory"), "{}", output.stderr);
}

#[test]
fn a_strict_write_whose_replica_has_stopped_is_made_and_told_when_it_is_repeated() {
    let server = Server::start(&["--appendfsync", "always"]);
    let replica = server.replica();
    let hub = Hub::options().redis_at(&server.url()).start();
    let agent = hub.admin().new_agent();
    until_it_reaches(&agent, "replica");
    let expected = ["memory at_once", "disk at_once", "replica awaited"];
    let given = hub.admin().get("/cluster/durability").ok();
    assert_eq!(levels(&given["levels"])[..3], expected, "{given}");
    assert_eq!(given["levels"][2]["replicas"], 1);

    let body = json!({"agent_id": agent.id, "amount": 7});
    let strict = agent.client.with("prefer", "durability=replica, handling=strict");
    let strict = strict.with("idempotency-key", &unique("once"));
    replica.signal(Signal::Stop);
    for _ in 0..2 {
        let answer = strict.post("/deposit", &body);
        answer.problem(503, "durability_not_reached");
        assert_eq!(answer.header("reef-durability"), Some("disk"), "{answer}");
    }
    // Who asks for less gets its answer meanwhile, and is not kept.
    assert_eq!(reached(&deposit(&agent, "durability=disk")), "disk");
    replica.signal(Signal::Continue);
    let answer = eventually("the replica", PATIENCE, || {
        let answer = strict.post("/deposit", &body);
        (answer.status == 200).then_some(answer)
    });
    assert_eq!(reached(&answer), "replica");
    assert_eq!(answer.header("idempotent-replayed"), Some("true"), "{answer}");
    assert_eq!(answer.header("preference-applied"), Some("durability=replica"), "{answer}");
    // It was made once.
    let balance = agent.client.get(&format!("/balance/{}", agent.id)).ok()["balance"].clone();
    let again = strict.post("/deposit", &body);
    assert_eq!(again.header("idempotent-replayed"), Some("true"), "{again}");
    assert_eq!(agent.client.get(&format!("/balance/{}", agent.id)).ok()["balance"], balance);
}

#[test]
fn what_an_older_server_cannot_say_is_not_promised() {
    let server = Server::start(&["--appendfsync", "everysec"]);
    if server.version() != "7.0" {
        return;
    }
    let hub = Hub::options().redis_at(&server.url()).start();
    let agent = hub.admin().new_agent();
    for prefer in ["", "durability=disk"] {
        let answer = deposit(&agent, prefer);
        assert_eq!((reached(&answer), answer.header("preference-applied")), ("memory", None));
    }
    deposit(&agent, "durability=disk, handling=strict").problem(503, "durability_not_reached");
    let given = hub.admin().get("/cluster/durability").ok();
    let why = given["levels"][1]["why"].as_str().unwrap();
    assert!(why.contains("everysec") && why.contains("WAITAOF"), "{why}");

    // The commands say the same as the hub.
    let said = |args: &[&str]| {
        let mut command = reef();
        command.args(args).env("REEF_REDIS_URL", server.url());
        Program::run(&mut command, PATIENCE)
    };
    let checked = said(&["config", "check", "--json"]);
    let report: Value = serde_json::from_str(&checked.stdout).unwrap();
    assert_eq!(report["durability"], given["levels"], "{}", checked.stdout);
    for args in [&["config", "check"][..], &["doctor"]] {
        let told = said(args);
        for words in ["memory at once, no disk", "WAITAOF"] {
            assert!(told.stdout.contains(words), "{args:?}: {}", told.stdout);
        }
    }
}

#[test]
fn a_newer_server_that_confirms_what_it_has_not_synced_is_not_believed() {
    let server = Server::start_as(&valkey(), &["--appendfsync", "everysec"]);
    let hub = Hub::options().redis_at(&server.url()).start();
    let agent = hub.admin().new_agent();
    let why = eventually("the outcome of the trial", PATIENCE, || {
        for prefer in ["", "durability=disk", "durability=replica-disk"] {
            let answer = deposit(&agent, prefer);
            assert_eq!((reached(&answer), answer.header("preference-applied")), ("memory", None));
        }
        let given = hub.admin().get("/cluster/durability").ok();
        assert_eq!(levels(&given["levels"])[..2], ["memory at_once", "disk no"], "{given}");
        let why = given["levels"][1]["why"].as_str().unwrap().to_owned();
        (!why.contains("has not been tried")).then_some(why)
    });
    assert!(why.contains("cannot have synced yet"), "{why}");
}

#[test]
fn a_newer_server_says_when_its_replicas_have_synced() {
    let server = Server::start_as(&valkey(), &["--appendfsync", "always"]);
    let replica = server.replica_with(&["--appendfsync", "always"]);
    let hub = Hub::options().redis_at(&server.url()).start();
    let agent = hub.admin().new_agent();
    let expected = ["memory at_once", "disk at_once", "replica awaited", "replica-disk awaited"];
    eventually("the replica", PATIENCE, || {
        let given = hub.admin().get("/cluster/durability").ok();
        (levels(&given["levels"]) == expected).then_some(())
    });
    for level in ["disk", "replica", "replica-disk"] {
        until_it_reaches(&agent, level);
    }
    // Many together.
    let answers: Vec<_> = std::thread::scope(|scope| {
        let each = || scope.spawn(|| deposit(&agent, "durability=replica-disk"));
        let all: Vec<_> = (0..8).map(|_| each()).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let reached_it = answers.iter().filter(|answer| reached(answer) == "replica-disk").count();
    assert!(reached_it > 0, "none of 8 writes reached the replica's disk");
    replica.signal(Signal::Stop);
    assert_eq!(reached(&deposit(&agent, "durability=replica-disk")), "disk");
    replica.signal(Signal::Continue);
    // One that syncs once a second would say the same, and may not have synced.
    let sets = ["CONFIG", "SET", "appendfsync", "everysec"];
    redis::cmd(sets[0]).arg(&sets[1..]).query::<()>(&mut replica.connect()).unwrap();
    eventually("another look", PATIENCE, || {
        let given = hub.admin().get("/cluster/durability").ok();
        let why = given["levels"][3]["why"].as_str().unwrap().to_owned();
        why.contains("does not sync before it answers").then_some(())
    });
    assert_eq!(reached(&deposit(&agent, "durability=replica-disk")), "disk");
}

#[test]
fn a_server_that_is_killed_while_it_is_waited_for_leaves_the_write_unknown() {
    let server = Server::start(&["--appendfsync", "always"]);
    let replica = server.replica();
    let hub = Hub::options().redis_at(&server.url()).start();
    let agent = hub.admin().new_agent();
    until_it_reaches(&agent, "replica");
    replica.signal(Signal::Stop);
    let answer = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| deposit(&agent, "durability=replica"));
        until_somebody_waits(&server);
        server.signal(Signal::Kill);
        waiting.join().unwrap()
    });
    assert_eq!(reached(&answer), "unknown", "{answer}");
    assert_eq!(answer.header("preference-applied"), None, "{answer}");
}

#[test]
fn a_server_that_hangs_while_it_is_waited_for_keeps_nobody_for_two_seconds() {
    let server = Server::start(&["--appendfsync", "always"]);
    let replica = server.replica();
    let hub = Hub::options().redis_at(&server.url()).start();
    let agent = hub.admin().new_agent();
    until_it_reaches(&agent, "replica");
    replica.signal(Signal::Stop);
    let answer = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| deposit(&agent, "durability=replica, handling=strict"));
        until_somebody_waits(&server);
        server.signal(Signal::Stop);
        let since = std::time::Instant::now();
        let answer = waiting.join().unwrap();
        assert!(since.elapsed() < Duration::from_millis(2600), "{:?}", since.elapsed());
        answer
    });
    answer.problem(503, "durability_not_reached");
    server.signal(Signal::Continue);
}

#[test]
fn a_cluster_promises_what_each_node_that_was_written_to_has() {
    let cluster = RedisCluster::start();
    let hub = Hub::options().redis_cluster(&cluster).start();
    let agent = hub.admin().new_agent();
    let session = |prefer: &str| {
        let client: Client = hub.admin().with("prefer", prefer);
        client.post("/sessions", &json!({}))
    };
    let given = hub.admin().get("/cluster/durability").ok();
    assert_eq!(levels(&given["levels"])[..3], ["memory at_once", "disk no", "replica awaited"]);
    until_it_reaches(&agent, "replica");
    let answer = session("durability=replica, handling=strict");
    assert_eq!(reached(&answer), "replica");
    session("durability=replica;n=2, handling=strict").problem(503, "durability_not_reached");
}
