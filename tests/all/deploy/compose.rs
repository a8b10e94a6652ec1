//! `compose.yaml`: the commands of both services are run as they stand, with the places of a
//! container replaced by places here. What the hub's image holds, `artefacts` looks at.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{assert_knows, read, strings, yaml};
use crate::harness::{Client, PATIENCE, Program, eventually, free_port, reef, registration, root};

/// Fields of a service that Compose knows and we use.
const SERVICE: &[&str] = &[
    "image",
    "depends_on",
    "entrypoint",
    "command",
    "env_file",
    "secrets",
    "ports",
    "volumes",
    "healthcheck",
    "cap_drop",
    "security_opt",
    "stop_grace_period",
    "restart",
];

fn compose() -> Value {
    yaml("compose.yaml").remove(0)
}

#[test]
fn the_services_have_volumes_secrets_and_checks() {
    let compose = compose();
    assert_knows(&compose, "the file", &["name", "services", "volumes", "secrets"]);
    for (name, service) in compose["services"].as_object().unwrap() {
        assert_knows(service, name, SERVICE);
        let check = &service["healthcheck"];
        let fields = ["test", "interval", "timeout", "retries", "start_period"];
        assert_knows(check, name, &fields);
        assert!(matches!(strings(&check["test"])[0], "CMD" | "CMD-SHELL"), "{check}");
        for secret in strings(&service["secrets"]) {
            let file = compose["secrets"][secret]["file"].as_str().unwrap();
            assert!(file.starts_with("./secrets/"), "{secret}");
        }
        for volume in strings(&service["volumes"]) {
            let (from, to) = volume.split_once(':').unwrap();
            assert!(to.starts_with('/'), "{volume}");
            let is_known = match from.strip_prefix("./") {
                Some(path) => super::file(path).is_file(),
                None => compose["volumes"].get(from).is_some(),
            };
            assert!(is_known, "{volume}");
        }
    }
    let ports = strings(&compose["services"]["hub"]["ports"]);
    assert!(ports.iter().all(|port| port.starts_with("127.0.0.1:")), "{ports:?}");
    assert_eq!(compose["services"]["hub"]["depends_on"]["redis"]["condition"], "service_healthy");
    // What must never be committed.
    let ignored = fs::read_to_string(root().join(".gitignore")).unwrap();
    assert!(ignored.lines().any(|line| line == "/deploy/secrets"));
}

/// The shell's command of a service, as Compose hands it on, with places of this machine.
fn shell(compose: &Value, service: &str, places: &[(&str, &str)]) -> Command {
    let service = &compose["services"][service];
    let entrypoint = strings(&service["entrypoint"]);
    let mut script = strings(&service["command"])[0].replace("$$", "$");
    for (there, here) in places {
        assert!(script.contains(there), "{there} is not in {script}");
        script = script.replace(there, here);
    }
    let mut command = Command::new(entrypoint[0]);
    command.args(&entrypoint[1..]).arg(script);
    command
}

/// A folder of programs, first on the path: the image's `docker-entrypoint.sh`, which drops root's
/// rights and runs what it is given, and `reef`.
fn programs(folder: &Path) -> std::ffi::OsString {
    let entrypoint = folder.join("docker-entrypoint.sh");
    fs::write(&entrypoint, "#!/bin/sh\nexec \"$@\"\n").unwrap();
    fs::set_permissions(&entrypoint, fs::Permissions::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink(reef().get_program(), folder.join("reef")).unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths([folder.to_path_buf()].into_iter().chain(std::env::split_paths(&path)))
        .unwrap()
}

#[test]
fn the_command_lines_start_a_hub_that_keeps_what_it_is_told() {
    let compose = compose();
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    for name in ["data", "secrets", "bin", "state"] {
        fs::create_dir(place(name)).unwrap();
    }
    fs::write(place("secrets/redis_password"), "0123456789abcdef\n").unwrap();
    fs::write(place("secrets/admin_key"), "an-admin-key-of-this-test\n").unwrap();
    let path = programs(Path::new(&place("bin")));
    let port = free_port();

    let data = format!("dir {}\nport {port}\nbind 127.0.0.1", place("data"));
    let acl = super::file("redis.acl").display().to_string();
    let secrets = place("secrets");
    let mut redis = shell(
        &compose,
        "redis",
        &[("dir /data", &data), ("/run/secrets", &secrets), ("/etc/reef/redis.acl", &acl)],
    );
    let redis = Program::start(redis.env("PATH", &path));
    redis.line(PATIENCE, |line| line.contains("eady to accept connections").then_some(()));
    check(
        &compose,
        "redis",
        &path,
        &[("/run/secrets", &secrets), ("redis-cli", &format!("redis-cli -p {port}"))],
    );
    let stranger = redis::Client::open(format!("redis://127.0.0.1:{port}")).unwrap();
    let said: Result<(), _> = redis::cmd("PING").query(&mut stranger.get_connection().unwrap());
    assert!(said.unwrap_err().to_string().contains("NOAUTH"), "Redis answers without a password");

    let state = place("state");
    let service = &compose["services"]["hub"];
    let mut hub = reef();
    for word in strings(&service["command"]) {
        let word = word.replace("/run/secrets", &secrets).replace("/var/lib/reef", &state);
        hub.arg(word.replace("0.0.0.0:8888", "127.0.0.1:0"));
    }
    for (name, value) in environment(Path::new(&secrets), strings(&service["env_file"])[0]) {
        hub.env(name, value.replace("@redis:6379", &format!("@127.0.0.1:{port}")));
    }
    let hub = Program::start(hub.current_dir(folder.path()).env("PATH", &path));
    let url = hub.line(std::time::Duration::from_secs(120), |line| {
        line.split_once("Serving ").map(|(_, url)| url.trim().to_owned())
    });
    check(
        &compose,
        "hub",
        &path,
        &[("/run/secrets", &secrets), ("--limit=1", &format!("--hub={url}"))],
    );
    let client = Client::new(&url).with_key("an-admin-key-of-this-test");
    client.post("/nodes/register", &registration("in-a-container")).ok();
    assert_eq!(client.get("/nodes").list().len(), 1);
    // Nothing could lose data: no warning about Redis.
    let log = hub.stderr();
    assert!(!log.contains("maxmemory-policy") && !log.contains("appendonly"), "{log}");
    assert!(!log.contains("0123456789abcdef"), "the password stands in the log");
}

/// The variables of the hub's `env_file`, which the command in the file's first lines writes.
fn environment(secrets: &Path, file: &str) -> Vec<(String, String)> {
    let text = read("compose.yaml");
    let writes = text.lines().find_map(|line| line.strip_prefix("#   echo ")).unwrap();
    let written = format!("deploy/{}", file.trim_start_matches("./"));
    assert!(writes.ends_with(&format!("> {written}")), "{writes}");
    let line = format!("echo {}", writes.replace("deploy/secrets", secrets.to_str().unwrap()));
    assert!(Command::new("sh").args(["-euc", &line]).status().unwrap().success());
    let name = Path::new(file).file_name().unwrap();
    let text = fs::read_to_string(secrets.join(name)).unwrap();
    let pairs = text.lines().map(|line| line.split_once('=').unwrap());
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Runs a service's health check until it says yes.
fn check(compose: &Value, service: &str, path: &std::ffi::OsStr, places: &[(&str, &str)]) {
    let test = strings(&compose["services"][service]["healthcheck"]["test"]);
    let place = |text: &str| {
        let text = text.replace("$$", "$");
        places.iter().fold(text, |text, (there, here)| text.replace(there, here))
    };
    let arguments: Vec<_> = match test[0] {
        "CMD" => test[1..].iter().map(|it| place(it)).collect(),
        _ => vec!["sh".to_owned(), "-c".to_owned(), place(test[1])],
    };
    eventually(&format!("a good check of {service}"), PATIENCE, || {
        let mut command = Command::new(&arguments[0]);
        let ran = command.args(&arguments[1..]).env("PATH", path).output().unwrap();
        ran.status.success().then_some(())
    });
}
