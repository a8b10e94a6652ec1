//! How `reef` is started, refuses to start, and ends.

use std::io::Write;
use std::net::TcpStream;

use serde_json::json;

use crate::harness::{
    Hub, HubOptions, Output, PATIENCE, Program, RedisServer, Role, eventually, read_answer, reef,
};

/// Starts a hub that should refuse to, and returns what it said.
fn refused(options: &HubOptions) -> Output {
    let state = tempfile::tempdir().unwrap();
    Program::run(&mut options.command(state.path()), PATIENCE)
}

#[test]
fn unknown_flags_and_variables_are_usage_errors() {
    for options in [
        Hub::options().arg("--nonsense"),
        Hub::options().variable("no_such_variable", "1"),
        Hub::options().arg("--variable").arg("no-equals-sign"),
        Hub::options().spin_file(std::path::Path::new("/nonexistent/spin.toml")),
        Hub::options().timeout(-1.0),
    ] {
        let output = refused(&options);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(!output.stderr.is_empty());
        assert!(!output.stdout.contains("Serving"), "{output:?}");
    }
}

#[test]
fn an_open_hub_that_others_can_reach_must_be_asked_for() {
    let state = tempfile::tempdir().unwrap();
    let mut command = reef();
    command.args(["up", "--listen", "0.0.0.0:0", "--auth-mode", "open"]);
    command.arg("--state-dir").arg(state.path());
    command.arg("--spin-file").arg(crate::harness::root().join("spin.toml"));
    let output = Program::run(&mut command, PATIENCE);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stderr.contains("--insecure"), "{output:?}");
}

#[test]
fn a_redis_that_is_not_there_is_exit_code_3() {
    let mut server = RedisServer::start();
    let options = Hub::options().redis(&server);
    server.kill();
    let output = refused(&options);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
}

#[test]
fn a_port_in_use_is_told() {
    let hub = Hub::start();
    let address = hub.anonymous().address().to_owned();
    let state = tempfile::tempdir().unwrap();
    let mut command = reef();
    command.args(["up", "--listen", &address]).arg("--state-dir").arg(state.path());
    command.arg("--spin-file").arg(crate::harness::root().join("spin.toml"));
    let output = Program::run(&mut command, PATIENCE);
    assert!(matches!(output.status.code(), Some(1 | 2)), "{output:?}");
    assert!(output.stderr.contains(&address), "{output:?}");
}

#[test]
fn a_password_in_an_address_is_not_shown() {
    let mut server = RedisServer::start();
    let url = server.url().replace("redis://", "redis://user:opensesame@");
    server.kill();
    let output = refused(&Hub::options().arg("--redis-url").arg(&url));
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(!output.stderr.contains("opensesame"), "{output:?}");
    assert!(!output.stdout.contains("opensesame"), "{output:?}");
}

#[test]
fn a_terminated_hub_ends_with_0_and_takes_its_redis_along() {
    let mut hub = Hub::start();
    let id = hub.admin().new_node("kept");
    let mut redis = hub.private_redis();
    hub.terminate();
    assert_eq!(hub.wait().code(), Some(0));
    eventually("the private Redis' end", PATIENCE, || {
        redis::cmd("PING").query::<String>(&mut redis).is_err().then_some(())
    });
    hub.start_again();
    assert_eq!(hub.admin().node(&id)["status"], "online");
}

#[test]
fn a_request_under_way_is_finished_before_the_end() {
    let mut hub = Hub::start();
    let id = hub.admin().new_node("draining");
    let address = hub.anonymous().address().to_owned();
    let body = json!({"cpu_usage": 77}).to_string();
    let (first, rest) = body.split_at(5);

    // Half a request, so that the hub is in the middle of it for as long as we like.
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "POST /api/v1/nodes/{id}/heartbeat HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {}\r\n\
         Content-Length: {}\r\n\r\n{first}",
        hub.admin_key(),
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // An answer on another connection shows that the first was accepted.
    hub.admin().get("/nodes?limit=1").ok();
    hub.terminate();
    eventually("the end of listening", PATIENCE, || TcpStream::connect(&address).err());
    stream.write_all(rest.as_bytes()).unwrap();
    let answer = read_answer(&mut stream, "the request under way");
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(hub.wait().code(), Some(0));

    hub.start_again();
    assert_eq!(hub.admin().node(&id)["cpu_usage"].as_f64(), Some(77.0));
}

#[test]
fn serve_and_monitor_are_up_in_two_processes() {
    let server = RedisServer::start();
    let serving = Hub::options().role(Role::Serve).redis(&server).timeout(2.0).start();
    let monitor = Hub::options().role(Role::Monitor).redis(&server).timeout(2.0).start();
    let client = serving.admin();
    let id = client.new_node("split");
    assert_eq!(monitor.anonymous().get("//healthz").status, 200);
    assert_eq!(monitor.anonymous().get("//readyz").status, 200);
    monitor.anonymous().get("/nodes").problem(404, "not_found");
    eventually("the node offline", PATIENCE, || {
        (client.node(&id)["status"] == "offline").then_some(())
    });
}

#[test]
fn a_setting_comes_from_the_flag_before_the_environment() {
    // Whichever source counts shows in the pace: a ninth of the timeout at most.
    let pace = |options: HubOptions| {
        let hub = options.start();
        let client = hub.admin();
        let id = client.new_node("paced");
        client.beat(&id, &json!({}))["next_heartbeat_ms"].as_u64().unwrap()
    };
    let by_environment = Hub::options().env("SPIN_VARIABLE_HEARTBEAT_TIMEOUT_SECONDS", "9");
    assert!(pace(by_environment.clone()) <= 1_000);
    assert!(pace(by_environment.timeout(90.0)) > 4_000);

    let open = Hub::options().env("REEF_AUTH_MODE", "open");
    let hub = open.start();
    hub.anonymous().get("/nodes").problem(401, "unauthenticated");
}

#[test]
fn every_line_of_a_json_log_is_json() {
    let mut hub = Hub::options().arg("--log-format").arg("json").start();
    hub.admin().new_node("logged");
    hub.terminate();
    let log = hub.log();
    assert!(hub.wait().success());
    assert!(log.lines().count() > 1);
    for line in log.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).expect(line);
        assert!(entry["message"].is_string() && entry["level"].is_string(), "{line}");
    }
}

#[test]
fn a_state_directory_has_one_hub() {
    let hub = Hub::start();
    let mut command = Hub::options().command(hub.state_dir());
    let output = Program::run(&mut command, PATIENCE);
    assert!(matches!(output.status.code(), Some(1 | 2)), "{output:?}");
    assert!(output.stderr.contains("state directory"), "{output:?}");
    hub.admin().new_node("undisturbed");
}

#[test]
fn a_careless_redis_is_warned_about() {
    let server = RedisServer::start_careless();
    let hub = Hub::options().redis(&server).start();
    let ready = hub.anonymous().get("//readyz");
    let warnings = ready.json()["warnings"].to_string();
    for word in ["allkeys-lru", "appendonly"] {
        assert!(warnings.contains(word), "{ready}");
        assert!(hub.log().contains(word), "{}", hub.log());
    }
    let careful = RedisServer::start();
    let hub = Hub::options().redis(&careful).start();
    let warnings = hub.anonymous().get("//readyz").json()["warnings"].clone();
    assert!(warnings.as_array().is_none_or(Vec::is_empty), "{warnings}");
}

#[test]
fn data_of_a_newer_version_is_refused() {
    let server = RedisServer::start();
    redis::cmd("SET").arg("reef:schema").arg("99").query::<()>(&mut server.connect()).unwrap();
    let output = refused(&Hub::options().redis(&server));
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stderr.contains("99"), "{output:?}");
}
