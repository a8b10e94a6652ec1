//! One configuration: where each value comes from, what a hub makes of it, and what is said about
//! a Redis that cannot be used.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{Ended, Shell};
use crate::harness::{Hub, PATIENCE, Program, RedisServer, eventually, free_port};

fn shell() -> Shell {
    Shell::at("http://127.0.0.1:1")
}

fn write(shell: &Shell, name: &str, text: &str) {
    let folder = shell.folder.path().join("config");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), text).unwrap();
}

fn port(url: &str) -> &str {
    url.trim_end_matches("/0").rsplit(':').next().unwrap()
}

/// The row of a setting in what `reef config show --json` prints.
fn setting<'v>(shown: &'v Value, name: &str) -> &'v Value {
    let rows = shown["settings"].as_array().unwrap();
    rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name}: {shown}"))
}

#[test]
fn each_value_is_shown_with_its_origin_and_without_its_secret() {
    let shell = shell().with("REDIS_DB", "3").with("SECRET", "sesame");
    let secrets = r#"{"redis": {"host": "cache.lab", "port": 11877, "password": "${SECRET}"}}"#;
    write(&shell, "secrets.json", secrets);
    write(&shell, "config.json", r#"{"node": {"id": "gpu-1"}, "logging": {"max_bytes": 5}}"#);
    let shown = shell.json(&["config", "show"]);
    assert_eq!(setting(&shown, "redis")["value"], "redis://:********@cache.lab:11877/3");
    assert_eq!(setting(&shown, "redis.password")["value"], "********");
    for (name, kind, place) in [
        ("redis.host", "file", "config/secrets.json"),
        ("redis.db", "environment", "REDIS_DB"),
        ("node.id", "file", "config/config.json"),
    ] {
        let origin = &setting(&shown, name)["origin"];
        assert_eq!((origin["kind"].as_str(), origin["name"].as_str()), (Some(kind), Some(place)));
    }
    assert_eq!(setting(&shown, "node.retry_count")["origin"]["kind"], "default");
    assert!(shown["notes"].to_string().contains("logging.max_bytes has no effect"), "{shown}");

    let table = shell.ok(&["config", "show", "--origin", "--redis-url", "redis://:sesame@h"]);
    assert!(table.contains("redis://:********@h") && table.contains("--redis-url"), "{table}");
    assert!(!table.contains("sesame") && !shown.to_string().contains("sesame"));

    let spin = shell.ok(&["config", "spin-env"]);
    assert!(spin.contains("SPIN_VARIABLE_REDIS_URL=redis://:sesame@cache.lab:11877/3\n"), "{spin}");
    assert!(spin.contains("SPIN_VARIABLE_REDIS_ALLOW=redis://cache.lab:11877\n"), "{spin}");
}

#[test]
fn a_hub_uses_what_the_files_and_the_environment_say() {
    let server = RedisServer::start();
    let folder = tempfile::tempdir().unwrap();
    let port = port(&server.url()).to_owned();
    let secrets = r#"{"redis": {"host": "127.0.0.1", "port": "${P}", "db": 2}}"#;
    fs::write(folder.path().join("secrets.json"), secrets).unwrap();
    let config = r#"{"node": {"heartbeat_ttl": 77}, "logging": {"level": "ERROR"}}"#;
    fs::write(folder.path().join("config.json"), config).unwrap();
    let folder = folder.path().display().to_string();
    let options = Hub::options().env("REEF_CONFIG_DIR", &folder).env("P", &port);
    let mut redis = server.connect();
    let mut ttl_in = |database: u32, node: &str| -> i64 {
        redis::cmd("SELECT").arg(database).query::<()>(&mut redis).unwrap();
        redis::cmd("TTL").arg(format!("hb:{node}")).query(&mut redis).unwrap()
    };

    let hub = options.clone().start();
    let node = hub.admin().new_node("filed");
    hub.admin().post(&format!("/nodes/{node}/heartbeat"), &serde_json::json!({})).ok();
    let ttl = ttl_in(2, &node);
    assert!((60..=77).contains(&ttl), "{ttl}");
    assert!(!hub.log().contains(" INFO "), "{}", hub.log());
    drop(hub);

    // The environment's database wins over the file's, and `up` runs no Redis of its own.
    let hub = options.env("REDIS_DB", "5").env("REEF_LOG", "info").start();
    assert!(hub.log().contains(" INFO "), "{}", hub.log());
    let node = hub.admin().new_node("elsewhere");
    hub.admin().post(&format!("/nodes/{node}/heartbeat"), &serde_json::json!({})).ok();
    assert!(ttl_in(5, &node) > 0);
    assert_eq!(ttl_in(2, &node), -2);
}

#[test]
fn files_that_cannot_be_used_are_refused_with_2() {
    let shell = shell();
    write(&shell, "secrets.json", r#"{"redis": {"host": "h", "password": "${NOPE}sesame"}}"#);
    for args in [&["config", "show"][..], &["config", "check"], &["up"], &["agent"]] {
        let ended = shell.run(args);
        assert_eq!(ended.code, Some(2), "{args:?}: {ended:?}");
        assert!(ended.stderr.contains("redis.password wants ${NOPE}"), "{ended:?}");
        assert!(!ended.stderr.contains("sesame"), "{ended:?}");
    }
    let ended = shell.run(&["config", "show", "--config-dir", "nowhere"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
}

/// What `reef config check` says about an address: its exit code, and the code of what is wrong.
#[track_caller]
fn checked(shell: &Shell, url: &str) -> (Option<i32>, String) {
    let ended = shell.run(&["config", "check", "--redis-url", url, "--json"]);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"));
    assert_eq!(report["ok"], ended.code == Some(0), "{ended:?}");
    assert!(!ended.stdout.contains("sesame") && !ended.stderr.contains("sesame"), "{ended:?}");
    (ended.code, report["problems"][0]["code"].as_str().unwrap_or_default().to_owned())
}

fn found(code: i32, problem: &str) -> (Option<i32>, String) {
    (Some(code), problem.to_owned())
}

#[test]
fn what_is_wrong_with_a_redis_is_told_apart() {
    let shell = shell();
    assert_eq!(
        checked(&shell, "redis://:sesame@no-such-host.invalid"),
        found(3, "name_not_resolved")
    );
    assert_eq!(checked(&shell, "redis://:sesame@127.0.0.1:1"), found(3, "refused"));
    assert_eq!(checked(&shell, "http://sesame@h"), found(2, "address"));
    // Somebody who never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    assert_eq!(checked(&shell, &url), found(3, "timed_out"));

    let good = RedisServer::start();
    assert_eq!(checked(&shell, &good.url()), found(0, ""));
    assert_eq!(
        checked(&shell, &good.url().replace("redis:", "rediss:")),
        found(2, "tls_unexpected")
    );
    let mut config = good.connect();
    let mut set = |name: &str, value: &str| {
        redis::cmd("CONFIG").arg("SET").arg(name).arg(value).query::<()>(&mut config).unwrap();
    };
    set("appendonly", "no");
    assert_eq!(checked(&shell, &good.url()), found(1, "not_persistent"));
    set("maxmemory-policy", "allkeys-lru");
    assert_eq!(checked(&shell, &good.url()), found(1, "eviction"));
    set("requirepass", "right");
    assert_eq!(checked(&shell, &good.url()), found(2, "password_missing"));
    let wrong = good.url().replace("redis://", "redis://:sesame@");
    assert_eq!(checked(&shell, &wrong), found(2, "password_wrong"));

    // People read sentences, and what to do.
    let ended: Ended = shell.run(&["config", "check", "--redis-url", &good.url()]);
    assert!(ended.stdout.contains("asks for a password\n  set REDIS_PASSWORD"), "{ended:?}");
}

/// A Redis with TLS and a certificate that `ca.crt` in its folder has signed.
struct SecuredRedis {
    folder: tempfile::TempDir,
    port: u16,
    _program: Program,
}

impl SecuredRedis {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
        fs::write(folder.path().join("names"), names).unwrap();
        let key = "-newkey rsa:2048 -nodes";
        for line in [
            &format!("req -x509 {key} -keyout ca.key -out ca.crt -days 2 -subj /CN=reef-test-ca"),
            &format!("req {key} -keyout redis.key -out redis.csr -subj /CN=localhost"),
            "x509 -req -in redis.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out redis.crt -days 2 -extfile names",
        ] {
            let made = Command::new("openssl")
                .args(line.split(' '))
                .current_dir(folder.path())
                .output()
                .unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        let port = free_port();
        let port_text = port.to_string();
        let program = Program::start(
            Command::new("redis-server")
                .args(["--port", "0", "--bind", "127.0.0.1", "--tls-port", &port_text])
                .args(["--tls-cert-file", "redis.crt", "--tls-key-file", "redis.key"])
                .args(["--tls-ca-cert-file", "ca.crt", "--tls-auth-clients", "no"])
                .args(["--save", "", "--appendonly", "yes", "--daemonize", "no"])
                .current_dir(folder.path()),
        );
        program.line(PATIENCE, |line| {
            line.to_lowercase().contains("ready to accept connections").then_some(())
        });
        Self { folder, port, _program: program }
    }

    fn url(&self) -> String {
        format!("rediss://127.0.0.1:{}/0", self.port)
    }

    fn authority(&self) -> String {
        let file: &Path = self.folder.path();
        file.join("ca.crt").display().to_string()
    }
}

#[test]
fn a_hub_works_over_tls_and_its_certificate_counts() {
    let server = SecuredRedis::start();
    let untrusting = shell();
    assert_eq!(checked(&untrusting, &server.url()), found(2, "certificate"));
    let trusting = shell().with("SSL_CERT_FILE", &server.authority());
    assert_eq!(checked(&trusting, &server.url()), found(0, ""));
    for shell in [&untrusting, &trusting] {
        let plain = server.url().replace("rediss:", "redis:");
        assert_eq!(checked(shell, &plain), found(2, "tls_expected"));
    }

    // The components, the monitor and the event streams use it.
    let options = Hub::options().env("SSL_CERT_FILE", &server.authority());
    let hub = options.env("REDIS_URL", &server.url()).timeout(1.0).start();
    let shell = Shell::of(&hub);
    let tail = shell.start(&["events", "tail", "--from", "0"]);
    let node = hub.admin().new_node("secured");
    tail.until_printed(&node);
    eventually("the monitor marks it offline", PATIENCE, || {
        (hub.admin().get(&format!("/nodes/{node}")).json()["status"] == "offline").then_some(())
    });
}
