//! `reef.toml`: what it sets, what is stronger, what is refused, and how it is written.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Ended, Shell};
use crate::harness::{Hub, HubOptions, RedisServer, root};

fn shell() -> Shell {
    Shell::at("http://127.0.0.1:1")
}

fn write(folder: &Path, text: &str) -> PathBuf {
    let file = folder.join("reef.toml");
    fs::write(&file, text).unwrap();
    file
}

/// Tries to start a hub in a shell's folder.
fn up(shell: &Shell, args: &[&str]) -> Ended {
    let manifest = root().join("spin.toml").display().to_string();
    shell.run(&[&["up", "--listen", "127.0.0.1:0", "--spin-file", &manifest], args].concat())
}

/// The values that `reef config show --json` prints, and where they come from.
fn shown(shell: &Shell) -> Vec<(String, Value, Value)> {
    let shown = shell.json(&["config", "show"]);
    let rows = shown["settings"].as_array().unwrap().iter();
    rows.map(|row| {
        let name = row["name"].as_str().unwrap().to_owned();
        (name, row["value"].clone(), row["origin"].clone())
    })
    .collect()
}

fn finding<'v>(report: &'v Value, check: &str) -> Vec<&'v Value> {
    report["checks"].as_array().unwrap().iter().filter(|it| it["check"] == check).collect()
}

fn doctor(shell: &Shell) -> Value {
    let ended = shell.run(&["doctor", "--json"]);
    serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"))
}

#[test]
fn a_hub_starts_from_the_file_and_stronger_places_win() {
    let server = RedisServer::start();
    let folder = tempfile::tempdir().unwrap();
    let url = server.url();
    let text = format!(
        "redis_url = {url:?}\ntick = 5\n\n[variables]\nkey_prefix = \"filed:\"\n\
         heartbeat_ttl_seconds = 77\n"
    );
    let file = write(folder.path(), &text);
    // Weaker than the file: a Redis where there is none, and another time to live.
    let weaker = r#"{"redis": {"host": "127.0.0.1", "port": 1}}"#;
    fs::write(folder.path().join("secrets.json"), weaker).unwrap();
    fs::write(folder.path().join("config.json"), r#"{"node": {"heartbeat_ttl": 55}}"#).unwrap();
    let options = Hub::options()
        .env("REEF_CONFIG", &file.display().to_string())
        .env("REEF_CONFIG_DIR", &folder.path().display().to_string());

    // Five milliseconds are too few, and a flag is stronger.
    let refused = options.command(folder.path()).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("not 5"), "{refused:?}");
    let options = options.arg("--tick").arg("200");
    let mut redis = server.connect();
    let mut ttl_after_a_heartbeat = |options: &HubOptions, prefix: &str| -> i64 {
        let hub = options.clone().start();
        let node = hub.admin().new_node("filed");
        hub.admin().post(&format!("/nodes/{node}/heartbeat"), &json!({})).ok();
        redis::cmd("TTL").arg(format!("{prefix}hb:{node}")).query(&mut redis).unwrap()
    };
    let ttl = ttl_after_a_heartbeat(&options, "filed:");
    assert!((60..=77).contains(&ttl), "{ttl}");
    let options = options.env("SPIN_VARIABLE_KEY_PREFIX", "environment:");
    assert!(ttl_after_a_heartbeat(&options, "environment:") > 0);
    assert!(ttl_after_a_heartbeat(&options.variable("key_prefix", "typed:"), "typed:") > 0);
}

#[test]
fn what_cannot_be_meant_is_refused_by_its_line() {
    let shell = shell();
    for (text, said) in [
        ("lisen = 'h:1'\n", "reef.toml:1: lisen is not known; is listen meant?"),
        ("\nkey_prefix = 'a:'\n", "reef.toml:2: key_prefix belongs below [variables]"),
        ("[variables]\ntick = 5\n", "reef.toml:2: variables.tick is a flag"),
        ("[variables]\nauth_mode = 'open'\n", "reef.toml:2: variables.auth_mode is a flag"),
        ("tick = 1000\ntick = 'sesame'\n", "reef.toml:2: "),
        ("redis_url = sesame\n", "reef.toml:1: "),
        ("[redis]\npassword = 'sesame'\n", "chmod 600 reef.toml"),
        ("redis_url = 'redis://:sesame@h'\n", "chmod 600 reef.toml"),
        ("[variables]\nadmin_key = '${KEY}'\n", "wants ${KEY}, which is not set"),
    ] {
        write(shell.folder.path(), text);
        for ended in [up(&shell, &[]), shell.run(&["config", "show"])] {
            assert_eq!(ended.code, Some(2), "{text}: {ended:?}");
            assert!(ended.stderr.contains(said), "{text}: {ended:?}");
            assert!(!ended.stderr.contains("sesame"), "{text}: {ended:?}");
        }
    }
    let shell = shell.with("KEY", "sesame-sesame-sesame");
    write(shell.folder.path(), "admin_key_file = 'f'\n[variables]\nadmin_key = '${KEY}'\n");
    let ended = up(&shell, &[]);
    assert!(ended.stderr.contains("in line 1: keep one"), "{ended:?}");

    write(shell.folder.path(), "tick = 'often'\nmax_connections = 5\n");
    let ended = up(&shell, &[]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("reef.toml:1: tick cannot be \"often\": invalid"), "{ended:?}");
    let ended = up(&shell, &["--config", "nowhere.toml"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("nowhere.toml"), "{ended:?}");

    // What everybody can change decides nothing.
    let file = write(shell.folder.path(), "tick = 1000\n");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    let ended = up(&shell, &[]);
    assert!(ended.stderr.contains("chmod o-w reef.toml"), "{ended:?}");
}

#[test]
fn secrets_may_stand_where_nobody_else_can_read_them() {
    let shell = shell();
    let file = write(shell.folder.path(), "[redis]\nhost = 'h'\npassword = 'sesame'\n");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let table = shell.ok(&["config", "show", "--origin"]);
    assert!(table.contains("redis://:********@h:6379/0"), "{table}");
    assert!(table.contains("reef.toml:3") && !table.contains("sesame"), "{table}");
    // Named, and not written there.
    let shell = shell.with("SECRET", "sesame");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    write(shell.folder.path(), "[redis]\nhost = 'h'\npassword = '${SECRET}'\n");
    assert!(!shell.ok(&["config", "show"]).contains("sesame"));
    let spin = shell.ok(&["config", "spin-env"]);
    assert!(spin.contains("SPIN_VARIABLE_REDIS_URL=redis://:sesame@h:6379/0\n"), "{spin}");
}

#[test]
fn each_value_of_the_file_is_shown_with_its_line() {
    let shell = shell().with("REEF_TICK", "700");
    let text = "max_connections = 99\ntick = 1000\nauth_mode = \"open\"\n[variables]\n\
                cors_origins = [\"https://a\", \"https://b\"]\n";
    write(shell.folder.path(), text);
    let rows = shown(&shell);
    let row = |name: &str| rows.iter().find(|row| row.0 == name).unwrap();
    for (name, value, kind, place) in [
        ("max_connections", "99", "file", "reef.toml:1"),
        ("tick", "700", "environment", "REEF_TICK"),
        ("auth_mode", "open", "file", "reef.toml:3"),
        ("variables.cors_origins", "https://a,https://b", "file", "reef.toml:5"),
    ] {
        assert_eq!(row(name).1, value, "{name}");
        assert_eq!(row(name).2, json!({"kind": kind, "name": place}), "{name}");
    }
    assert_eq!(row("variables.max_deposit").2["kind"], "default");
    let report = doctor(&shell);
    let found = finding(&report, "reef.toml");
    assert_eq!(found[0]["status"], "ok", "{report}");
    assert_eq!(found[1]["status"], "warn", "{report}");
    let words = found[1].to_string();
    assert!(words.contains("reef.toml:2: tick") && words.contains("REEF_TICK"), "{report}");
}

#[test]
fn the_doctor_says_what_the_file_breaks() {
    let shell = shell();
    assert!(finding(&doctor(&shell), "reef.toml").is_empty());
    for (text, check, said) in [
        ("tick = [\n", "configuration", "reef.toml:"),
        ("ticks = 1000\n", "reef.toml", "is tick meant"),
        ("tick = 'often'\n", "reef.toml", "reef.toml:1: tick cannot be"),
        ("[variables]\nmax_deposit = 'much'\n", "reef.toml", "max_deposit"),
        ("alert_url = ['https://h/sesame']\n", "reef.toml", "chmod 600"),
    ] {
        write(shell.folder.path(), text);
        let report = doctor(&shell);
        let found = finding(&report, check);
        assert_eq!(found.len(), 1, "{text}: {report}");
        assert_eq!(found[0]["status"], "fail", "{text}: {report}");
        assert!(found[0].to_string().contains(said), "{text}: {report}");
        assert!(!report.to_string().contains("sesame"), "{report}");
    }
}

#[test]
fn a_file_that_init_has_written_changes_nothing_until_it_is_edited() {
    let shell = shell();
    let before = shown(&shell);
    let said = shell.ok(&["init"]);
    assert!(said.contains("reef.toml is written"), "{said}");
    let file = shell.folder.path().join("reef.toml");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(shown(&shell), before);

    let again = shell.run(&["init"]);
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(again.stderr.contains("--force"), "{again:?}");

    // With every key in force it still says what holds anyway.
    let text = fs::read_to_string(&file).unwrap();
    let edited: Vec<_> = text
        .lines()
        .map(|line| line.strip_prefix('#').filter(|it| !it.starts_with(' ')).unwrap_or(line))
        .collect();
    fs::write(&file, edited.join("\n")).unwrap();
    let keys = edited.iter().filter(|line| line.contains(" = ") && !line.starts_with('#')).count();
    assert!(keys > 60, "{keys}");
    let after = shown(&shell);
    let values = |rows: &[(String, Value, Value)]| -> Vec<(String, Value)> {
        rows.iter().map(|(name, value, _)| (name.clone(), value.clone())).collect()
    };
    assert_eq!(values(&after), values(&before));
    let from_file = after.iter().filter(|row| row.2["kind"] == "file").count();
    assert!(from_file > 40, "{after:?}");
    assert_eq!(finding(&doctor(&shell), "reef.toml")[0]["status"], "ok");
    let hub = Hub::options().env("REEF_CONFIG", &file.display().to_string()).start();
    hub.admin().new_node("initial");

    shell.ok(&["init", "--force"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}
