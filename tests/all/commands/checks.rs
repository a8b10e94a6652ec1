//! The commands that look after a cluster, on hubs that are well and on hubs that are not.

use std::fs::{self, File};
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{Ended, Shell};
use crate::harness::{Hub, PATIENCE, RedisServer, Role, eventually, root};

/// What `reef verify` or `reef doctor` has found out about something.
#[track_caller]
fn status(report: &Value, check: &str) -> String {
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|it| it["check"] == check);
    found.unwrap_or_else(|| panic!("{check}: {report}"))["status"].as_str().unwrap().to_owned()
}

/// Runs a check with `--json`; its exit code must say the same as its report.
#[track_caller]
fn checked(shell: &Shell, args: &[&str]) -> Value {
    let ended: Ended = shell.run(&[args, &["--json"]].concat());
    let report: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"));
    assert_eq!(ended.code, Some(i32::from(report["healthy"] != true)), "{ended:?}");
    report
}

#[test]
fn a_cluster_that_is_well_is_verified() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let node = hub.admin().new_node("well");
    assert_eq!(shell.run(&["leader", "show"]).code, Some(1));
    shell.ok(&["leader", "campaign", &node]);
    let report = checked(&shell, &["verify", "--strict"]);
    for check in ["redis", "leader", "nodes", "heartbeats", "inboxes", "leases", "queue", "monitor"]
    {
        assert_eq!(status(&report, check), "ok", "{report}");
    }
    let table = shell.ok(&["verify"]);
    assert!(table.contains(&format!("✓ leader      {node} leads in term 1")), "{table}");
    assert!(table.ends_with("\nhealthy\n"), "{table}");
    assert!(shell.ok(&["health"]).contains("nodes"));
    assert!(shell.ok(&["health", &node]).contains("healthy"));
}

#[test]
fn what_is_not_well_is_named() {
    let server = RedisServer::start_careless();
    let hub = Hub::options().redis(&server).timeout(2.0).start();
    let (shell, admin) = (Shell::of(&hub), hub.admin());
    let report = checked(&shell, &["verify"]);
    assert_eq!(status(&report, "leader"), "warn", "{report}");
    assert_eq!(status(&report, "nodes"), "fail", "{report}");
    assert_eq!(status(&report, "redis"), "warn", "{report}");

    let (node, full) = (admin.new_node("leads"), admin.new_node("full"));
    shell.ok(&["leader", "campaign", &node, "--ttl", "0.2"]);
    for number in 0..3 {
        let mail = json!({"from": "test", "content": number});
        admin.post(&format!("/inbox/{full}"), &mail).ok();
    }
    eventually("the leadership runs out", PATIENCE, || {
        (shell.run(&["leader", "show"]).code == Some(1)).then_some(())
    });
    let report = checked(&shell, &["verify", "--inbox-depth", "3"]);
    assert_eq!(status(&report, "leader"), "fail", "{report}");
    assert_eq!(status(&report, "inboxes"), "warn", "{report}");
    assert!(report.to_string().contains(&format!("{full} (3)")), "{report}");
    eventually("the nodes fall silent", PATIENCE, || {
        (shell.run(&["health", &node]).code == Some(1)).then_some(())
    });
    let table = shell.run(&["verify"]);
    assert_eq!(table.code, Some(1), "{table:?}");
    assert!(table.stdout.contains("✗ leader") && table.stdout.contains("→ "), "{table:?}");
    assert!(table.stdout.ends_with("\nnot healthy\n"), "{table:?}");
}

#[test]
fn a_hub_without_a_monitor_is_found_out() {
    let server = RedisServer::start();
    let manifest = fs::read_to_string(root().join("spin.toml")).unwrap();
    // Without the cron trigger, which would do the monitor's work.
    let (before, after) = manifest.split_once("[[trigger.cron]]").unwrap();
    let after = after.split_once("\n[component.").unwrap().1;
    let without = format!("{before}[component.{after}");
    let without = without.replace("target/", &format!("{}/target/", root().display()));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spin.toml");
    fs::write(&file, without).unwrap();
    let options = Hub::options().role(Role::Serve).redis(&server).spin_file(&file).timeout(1.0);
    let hub = options.start();
    let shell = Shell::at(hub.url()).with("REEF_API_KEY", &hub.admin_key());
    let node = hub.admin().new_node("unwatched");
    eventually("it is silent for too long", PATIENCE, || {
        let health = hub.admin().get(&format!("/nodes/{node}/health")).json();
        (health["is_timeout"] == true).then_some(())
    });
    let report = eventually("nobody marks it", PATIENCE, || {
        let report = checked(&shell, &["verify"]);
        (status(&report, "monitor") == "fail").then_some(report)
    });
    assert_eq!(report["healthy"], false);
}

#[test]
fn nodes_are_listed_drained_and_removed() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let node = &hub.admin().new_node("one");
    let list = shell.ok(&["nodes", "list", "--status", "online"]);
    assert!(list.starts_with("NODE ") && list.contains(node.as_str()), "{list}");
    assert_eq!(shell.json(&["nodes", "list"])[0]["node_id"], **node);
    assert_eq!(shell.run(&["nodes", "list", "--skill", "none"]).stderr, "no nodes\n");
    assert!(shell.ok(&["nodes", "show", node]).contains("incarnation"));
    assert_eq!(shell.ok(&["nodes", "drain", node]), format!("{node} is maintenance\n"));
    assert_eq!(shell.run(&["health", node]).code, Some(1));
    assert_eq!(shell.ok(&["nodes", "resume", node]), format!("{node} is online\n"));
    assert_eq!(shell.ok(&["nodes", "remove", node]), format!("{node} is removed\n"));
    let gone = shell.run(&["nodes", "show", node]);
    assert_eq!(gone.code, Some(1), "{gone:?}");
}

#[test]
fn the_leadership_is_taken_watched_and_handed_back() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let (one, other) = (hub.admin().new_node("one"), hub.admin().new_node("other"));
    assert_eq!(shell.run(&["leader", "history"]).stderr, "nobody has led yet\n");
    let won = shell.ok(&["leader", "campaign", &one, "--ttl", "60"]);
    assert_eq!(won, format!("{one} leads in term 1, for 60.0 s more\n"));
    let watch = shell.start(&["leader", "watch"]);
    let programs = shell.start(&["leader", "watch", "--json"]);
    let lost = shell.run(&["leader", "campaign", &other]);
    assert_eq!(lost.code, Some(1), "{lost:?}");
    assert!(lost.stdout.starts_with(&format!("{one} leads")), "{lost:?}");
    assert_eq!(shell.run(&["leader", "resign", &other]).code, Some(1));
    let stale = shell.run(&["leader", "resign", &one, "--term", "9"]);
    assert_eq!(stale.code, Some(1), "{stale:?}");
    // Only what comes after they have begun to watch is theirs to tell.
    eventually("both watch", PATIENCE, || {
        shell.ok(&["leader", "resign", &one]);
        shell.ok(&["leader", "campaign", &one]);
        let seen = watch.stdout().contains("nobody leads; ")
            && programs.stdout().contains("leader_changed");
        seen.then_some(())
    });
    let term = shell.json(&["leader", "show"])["term"].as_u64().unwrap();
    assert!(
        watch.stdout().starts_with(&format!("{one} leads in term"))
            || watch.stdout().starts_with("nobody leads")
    );
    let history = shell.ok(&["leader", "history", "--limit", "3"]);
    assert!(history.starts_with("TIME") && history.lines().count() == 4, "{history}");
    assert!(history.contains("resigned") && history.contains("elected") && term > 1, "{history}");
}

#[test]
fn top_draws_one_picture_for_a_pipe() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let node = hub.admin().new_node("seen");
    for args in [&["top"][..], &["top", "--once"]] {
        let picture = shell.ok(args);
        assert!(picture.starts_with("1 nodes: 1 online"), "{picture}");
        assert!(picture.contains(&node) && !picture.contains('\u{1b}'), "{picture}");
    }
    assert_eq!(shell.json(&["top"])["nodes"][0]["node_id"], node);
}

#[test]
fn top_gives_the_terminal_back() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let node = hub.admin().new_node("live");
    // Python makes the terminal. Ctrl-C is typed when two pictures were drawn.
    let file = shell.folder.path().join("drawn");
    let mut command = Command::new("python3");
    command.args(["-c", "import pty, sys; pty.spawn(sys.argv[1:])"]);
    command.arg(root().join("target/release/reef")).args(["top", "--interval", "0.2"]);
    command.envs(shell.envs.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::piped()).stdout(File::create(&file).unwrap());
    let mut child = command.spawn().unwrap();
    let drawn = || fs::read_to_string(&file).unwrap_or_default();
    eventually("two pictures", PATIENCE, || (drawn().matches(&node).count() >= 2).then_some(()));
    child.stdin.as_mut().unwrap().write_all(b"\x03").unwrap();
    eventually("its end", PATIENCE, || child.try_wait().unwrap());
    let drawn = drawn();
    let (took, gave) =
        (drawn.find("\u{1b}[?1049h").unwrap(), drawn.rfind("\u{1b}[?1049l").unwrap());
    assert!(took < gave, "{drawn:?}");
}

#[test]
fn the_doctor_looks_at_this_machine_and_its_hub() {
    let hub = Hub::start();
    let shell = Shell::of(&hub).with("REEF_LISTEN", "127.0.0.1:0");
    let manifest = root().join("spin.toml").display().to_string();
    let shell = shell.with("REEF_SPIN_FILE", &manifest);
    let report = checked(&shell, &["doctor"]);
    for check in
        ["redis program", "redis", "spin.toml", "components", "port", "key", "hub", "clock"]
    {
        assert_eq!(status(&report, check), "ok", "{report}");
    }
    let wrong = Shell::at("http://127.0.0.1:1").with("REDIS_URL", "redis://127.0.0.1:1");
    let report = checked(&wrong, &["doctor"]);
    for (check, expected) in
        [("redis", "fail"), ("components", "ok"), ("key", "warn"), ("hub", "fail")]
    {
        assert_eq!(status(&report, check), expected, "{report}");
    }
    let table = wrong.run(&["doctor"]);
    assert!(table.stdout.contains("→ start one with `reef up`"), "{table:?}");
    let stranger = Shell::at(hub.url()).with("REEF_API_KEY", "reef_wrong");
    assert_eq!(status(&checked(&stranger, &["doctor"]), "hub"), "fail");
}

#[test]
fn an_unbuilt_component_is_named_with_its_cure() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spin.toml");
    fs::copy(root().join("spin.toml"), &file).unwrap();
    let shell = Shell::at("http://127.0.0.1:1").with("REEF_SPIN_FILE", &file.display().to_string());
    let report = checked(&shell, &["doctor"]);
    assert_eq!(status(&report, "components"), "fail", "{report}");
    assert_eq!(status(&report, "wasm target"), "ok", "{report}");
    assert!(report.to_string().contains("cargo xtask build"), "{report}");
}

#[test]
fn shells_can_complete_what_there_is() {
    let shell = Shell::at("http://127.0.0.1:1");
    for name in ["bash", "zsh", "fish"] {
        let script = shell.ok(&["completions", name]);
        for word in ["verify", "on-elected", "redis-url"] {
            assert!(script.contains(word), "{name}: {word}");
        }
    }
    // Bash can read its own.
    let script = shell.ok(&["completions", "bash"]);
    let file = shell.folder.path().join("reef.bash");
    fs::write(&file, script).unwrap();
    let asked = "source $0; COMP_WORDS=(reef conf); COMP_CWORD=1; _reef reef conf reef; echo ${COMPREPLY[@]}";
    let read = Command::new("bash").args(["-c", asked]).arg(&file).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&read.stdout).trim(), "config", "{read:?}");
    assert_eq!(shell.run(&["completions", "tcsh"]).code, Some(2));
}
