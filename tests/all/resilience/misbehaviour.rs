//! A component that traps, loops or eats memory costs its own request, and nobody else anything.
//!
//! The component is `tests/fixtures/misbehave`, which does on request whatever a component should
//! not, served beside Reef's own. It comes in two flavours, because the host calls a component
//! in two ways: by the direct interface, and by wasi:http where a component has nothing else.

use std::fs;
use std::time::{Duration, Instant};

use super::load::{Load, assert_each};
use crate::harness::{Answer, Client, Hub, RedisServer, prepared, raw, root};

const FLAVOURS: [&str; 2] = ["misbehave-direct.wasm", "misbehave.wasm"];

/// What the component can be asked for.
const PATHS: &[&str] = &[
    "/ok",
    "/count",
    "/trap",
    "/loop",
    "/eat",
    "/sleep",
    "/status",
    "/badheader",
    "/redis",
    "/open",
];

/// How long the host lets a component compute or wait.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(1);

/// A hub with the project's own manifest and the component beside it.
struct Stage {
    hub: Hub,
    server: RedisServer,
    _folder: tempfile::TempDir,
}

fn stage(flavour: &str) -> Stage {
    let fixture = prepared(&format!("target/fixtures/{flavour}"));
    let own = fs::read_to_string(root().join("spin.toml")).unwrap();
    // The copy lies elsewhere, so what it names must not depend on where it lies.
    let mut manifest =
        own.replace("source = \"", &format!("source = \"{}/", root().to_str().unwrap()));
    for path in PATHS {
        manifest.push_str(&format!(
            "\n[[trigger.http]]\nid = \"test-{}\"\nroute = \"{path}\"\ncomponent = \"misbehave\"\n",
            &path[1..]
        ));
    }
    manifest.push_str(&format!(
        "\n[component.misbehave]\nsource = \"{}\"\n\
         allowed_outbound_hosts = [\"{{{{ redis_allow }}}}\"]\n\
         [component.misbehave.variables]\nredis_url = \"{{{{ redis_url }}}}\"\n",
        fixture.to_str().unwrap()
    ));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spin.toml");
    fs::write(&file, manifest).unwrap();
    let server = RedisServer::start();
    let timeout = REQUEST_TIMEOUT.as_secs().to_string();
    let hub = Hub::options().redis(&server).spin_file(&file);
    let hub = hub.arg("--request-timeout").arg(&timeout).start();
    Stage { hub, server, _folder: folder }
}

fn ask(client: &Client, path: &str, body: &str) -> Answer {
    client.send("POST", &format!("/{path}"), Some(body.as_bytes()))
}

/// Nobody learns more than that it went wrong; the log does.
#[track_caller]
fn assert_discreet(answer: &Answer) {
    let text = answer.text().to_lowercase();
    for secret in ["wasm", "trap", "panic", "unreachable", "backtrace", ".rs"] {
        assert!(!text.contains(secret), "{answer}");
    }
}

#[test]
fn a_trap_is_a_500_for_its_own_request_alone() {
    for flavour in FLAVOURS {
        let stage = stage(flavour);
        let client = stage.hub.admin();
        let nodes: Vec<_> = (0..3).map(|_| client.new_node("beside")).collect();
        let load = Load::heartbeats(&client, &nodes, Duration::ZERO);
        let beside = Load::of(&client, "//ok", 3);
        for path in ["/trap", "/eat", "/trap", "/eat", "/trap"] {
            let answer = ask(&client, path, "");
            answer.problem(500, "internal");
            assert_discreet(&answer);
            assert_eq!(ask(&client, "/ok", "").text(), "ok");
        }
        assert_each(&load.end(), "heartbeats go on", |seen| seen.status == Some(200));
        assert_each(&beside.end(), "the component's others go on", |it| it.status == Some(200));
    }
}

#[test]
fn a_loop_is_a_504_and_takes_nobodys_turn() {
    for flavour in FLAVOURS {
        let stage = stage(flavour);
        let client = stage.hub.admin();
        let nodes: Vec<_> = (0..2).map(|_| client.new_node("beside")).collect();
        let load = Load::heartbeats(&client, &nodes, Duration::from_millis(5));
        // More of them than the machine has processors.
        std::thread::scope(|scope| {
            for path in ["/loop", "/loop", "/loop", "/loop", "/sleep", "/sleep"] {
                let client = &client;
                scope.spawn(move || {
                    let start = Instant::now();
                    let answer = ask(client, path, "");
                    answer.problem(504, "deadline_exceeded");
                    assert_discreet(&answer);
                    let took = start.elapsed();
                    assert!(took >= REQUEST_TIMEOUT, "{flavour} {path}: {took:?}");
                    assert!(took < REQUEST_TIMEOUT * 4, "{flavour} {path}: {took:?}");
                });
            }
        });
        let seen = load.end();
        assert_each(&seen, "heartbeats go on", |seen| seen.status == Some(200));
        assert_each(&seen, "without a hang", |seen| seen.took < Duration::from_secs(2));
        assert!(seen.len() > 10, "{flavour}: only {} heartbeats", seen.len());
        assert_eq!(ask(&client, "/ok", "").text(), "ok");
    }
}

#[test]
fn an_answer_that_is_no_http_is_a_500() {
    // Only the direct interface lets a component say such things.
    let stage = stage("misbehave-direct.wasm");
    let client = stage.hub.admin();
    assert_eq!(ask(&client, "/status", "418").status, 418);
    ask(&client, "/status", "7").problem(500, "internal");
    ask(&client, "/badheader", "").problem(500, "internal");
    assert_eq!(ask(&client, "/ok", "").text(), "ok");
}

#[test]
fn a_caller_that_leaves_takes_nothing_along() {
    for flavour in FLAVOURS {
        let stage = stage(flavour);
        let client = stage.hub.admin();
        for _ in 0..20 {
            let mut stream = std::net::TcpStream::connect(client.address()).unwrap();
            let request = b"POST /sleep HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
            std::io::Write::write_all(&mut stream, request).unwrap();
        }
        assert_eq!(ask(&client, "/ok", "").text(), "ok");
        let request = b"GET /ok HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        assert_eq!(raw(client.address(), request).status, 200);
    }
}

#[test]
fn replies_are_flat_as_spin_gives_them() {
    let cases: &[(&str, &[&str])] = &[
        ("SET k v", &["status OK"]),
        ("GET k", &["bytes v"]),
        ("GET none", &["nil"]),
        ("INCR n", &["int 1"]),
        ("INCRBY n int:41", &["int 42"]),
        ("EVAL return~{1,{2,{3,false}},'x'} 0", &["int 1", "int 2", "int 3", "nil", "bytes x"]),
        ("EVAL return~{{'a',1},{'b',2},{}} 0", &["bytes a", "int 1", "bytes b", "int 2"]),
        ("EVAL return~{} 0", &[]),
        ("EVAL return~{{},{{}}} 0", &[]),
        ("EVAL return~redis.status_reply('fine') 0", &["status fine"]),
        ("EVAL return~true 0", &["int 1"]),
        ("EVAL return~3.9 0", &["int 3"]),
        ("XADD s 5-1 f v", &["bytes 5-1"]),
        ("XADD s 5-2 f w", &["bytes 5-2"]),
        ("XRANGE s - +", &["bytes 5-1", "bytes f", "bytes v", "bytes 5-2", "bytes f", "bytes w"]),
        ("LRANGE none 0 -1", &[]),
        ("HSET h a 1 b 2", &["int 2"]),
        ("HGETALL h", &["bytes a", "bytes 1", "bytes b", "bytes 2"]),
    ];
    for flavour in FLAVOURS {
        let stage = stage(flavour);
        let client = stage.hub.admin();
        for (command, expected) in cases {
            let answer = ask(&client, "/redis", command);
            let text = answer.text();
            let mut lines: Vec<_> = text.lines().collect();
            assert_eq!(lines.pop(), Some("end"), "{answer}");
            assert_eq!(lines, *expected, "{flavour}: {command}");
        }
        redis::cmd("FLUSHALL").query::<()>(&mut stage.server.connect()).unwrap();
    }
}

#[test]
fn errors_of_redis_arrive_as_text_that_can_be_told_apart() {
    for flavour in FLAVOURS {
        let stage = stage(flavour);
        let client = stage.hub.admin();
        let error = |command: &str| {
            let text = ask(&client, "/redis", command).text().to_lowercase();
            assert!(text.starts_with("error "), "{flavour}: {command}: {text}");
            text
        };
        let sha = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
        assert!(error(&format!("EVALSHA {sha} 0")).contains("noscript"));
        assert!(error("EVAL return~redis.error_reply('MYERR~no') 0").contains("myerr"));
        assert!(error("NOSUCHCOMMAND").contains("unknown command"));
    }
}

#[test]
fn a_guest_cannot_spoil_the_connection_that_all_share() {
    for flavour in FLAVOURS {
        let stage = stage(flavour);
        let client = stage.hub.admin();
        let node = client.new_node("sharing");
        for command in [
            "SUBSCRIBE c",
            "PSUBSCRIBE c",
            "SSUBSCRIBE c",
            "MONITOR",
            "SELECT 1",
            "AUTH x",
            "HELLO 3",
            "RESET",
            "QUIT",
            "CLIENT REPLY OFF",
            "MULTI",
            "WATCH k",
            "SHUTDOWN",
            "BLPOP k 5",
            "BRPOP k 5",
            "XREAD BLOCK 5000 STREAMS k $",
            "WAIT 1 5000",
            "subscribe c",
        ] {
            let text = ask(&client, "/redis", command).text();
            assert!(text.starts_with("error "), "{flavour}: {command}: {text}");
            assert_eq!(client.node(&node)["node_id"], *node, "after {command}");
        }
    }
}

#[test]
fn only_allowed_addresses_can_be_opened() {
    for flavour in FLAVOURS {
        let stage = stage(flavour);
        let client = stage.hub.admin();
        assert_eq!(ask(&client, "/open", &stage.server.url()).text(), "open");
        let other = RedisServer::start();
        for address in [&*other.url(), "redis://127.0.0.2:6379", "http://127.0.0.1", "nonsense"] {
            let answer = ask(&client, "/open", address);
            assert_eq!(answer.text(), "error invalid-address", "{flavour}: {address}");
        }
    }
}
