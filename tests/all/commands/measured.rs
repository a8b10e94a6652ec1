//! `reef bench`, `reef rtt`, `reef check --nagios` and `reef debug`.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::{Value, json};

use super::Shell;
use crate::harness::{Hub, PATIENCE, Signal, eventually};

/// Nothing of a load is left.
fn is_clean(hub: &Hub) {
    let admin = hub.admin();
    assert_eq!(admin.get("/nodes").json(), json!([]));
    eventually("the tasks' end", PATIENCE, || {
        (admin.get("/tasks").json() == json!([])).then_some(())
    });
    for session in admin.get("/sessions").json().as_array().unwrap() {
        assert_eq!(session["status"], "closed");
        let path = format!("/sessions/{}/messages", session["session_id"].as_str().unwrap());
        assert_eq!(admin.get(&path).json()["messages"], json!([]), "{session}");
    }
}

#[test]
fn a_load_is_measured_and_leaves_nothing_behind() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    for (what, requests) in [
        ("heartbeats", &["heartbeat"][..]),
        ("tasks", &["submit", "claim", "complete", "all three"]),
        ("append", &["append"]),
    ] {
        let load = ["bench", what, "--seconds", "0.5", "--connections", "2"];
        let report = shell.json(&load);
        let rows = report["requests"].as_array().unwrap();
        let names: Vec<_> = rows.iter().map(|row| row["request"].as_str().unwrap()).collect();
        assert_eq!(names, requests, "{report}");
        for row in rows {
            let ms = |name: &str| row[name].as_f64().unwrap();
            assert!(row["count"].as_u64() > Some(0) && ms("rate") > 0.0, "{row}");
            assert!(0.0 < ms("p50_ms") && ms("p50_ms") <= ms("max_ms"), "{row}");
        }
        assert_eq!(report["faults"], json!({}), "{report}");
        is_clean(&hub);
    }
    let table = shell.ok(&["bench", "--seconds", "0.2"]);
    assert!(table.starts_with("REQUEST ") && table.contains("/s"), "{table}");
}

#[test]
fn a_load_that_is_interrupted_leaves_nothing_behind() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let running = shell.start(&["bench", "tasks", "--seconds", "60"]);
    eventually("a task", PATIENCE, || {
        (hub.admin().get("/tasks/stats").json()["completed"] != 0).then_some(())
    });
    running.signal(Signal::Interrupt);
    let ended = running.wait();
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert!(ended.stdout.starts_with("REQUEST "), "{ended:?}");
    is_clean(&hub);
}

#[test]
fn no_load_comes_upon_others_by_accident() {
    let hub = Hub::start();
    let reader = hub.admin().new_agent();
    let elsewhere = Shell::at("http://192.0.2.1:8888");
    let ended = elsewhere.run(&["bench"]);
    assert!(ended.code == Some(2) && ended.stderr.contains("--yes"), "{ended:?}");
    for wrong in [["--seconds", "61"], ["--connections", "65"], ["--seconds", "0"]] {
        assert_eq!(Shell::of(&hub).run(&["bench", wrong[0], wrong[1]]).code, Some(2), "{wrong:?}");
    }
    // An agent's own key is enough; what only the admin could remove, it says.
    let own = Shell::at(hub.url()).with("REEF_API_KEY", &reader.key);
    let ended = own.run(&["bench", "append", "--seconds", "0.2"]);
    assert!(ended.code == Some(0) && ended.stderr.contains("only an admin"), "{ended:?}");
}

#[test]
fn ways_are_measured() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let ways = shell.json(&["rtt", "--count", "3"]);
    let to: Vec<_> = ways.as_array().unwrap().iter().map(|way| way["to"].clone()).collect();
    assert_eq!(to, ["hub", "its Redis"]);
    let ways = shell.json(&["rtt", "--count", "3", "--write"]);
    assert_eq!(ways[3]["to"], "its disk");
    // The private Redis syncs each write.
    assert_eq!(ways[3]["durability"], "disk");
    for way in ways.as_array().unwrap() {
        let ms = |name: &str| way[name].as_f64().unwrap();
        assert!(0.0 < ms("min_ms") && ms("min_ms") <= ms("median_ms"), "{way}");
        assert!(ms("median_ms") <= ms("max_ms"), "{way}");
    }
    assert!(shell.ok(&["rtt", "--count", "1"]).starts_with("TO "));
    is_clean(&hub);
}

#[test]
fn nagios_gets_a_line_and_a_code() {
    let mut hub = Hub::start();
    let shell = Shell::of(&hub);
    let node = hub.admin().new_node("well");
    let campaign = json!({"node_id": node});
    hub.admin().post("/cluster/leader/campaign", &campaign).ok();
    let check = |shell: &Shell| {
        let ended = shell.run(&["check", "--nagios"]);
        assert_eq!(ended.stdout.lines().count(), 1, "{ended:?}");
        (ended.code, ended.stdout)
    };
    let (code, line) = check(&shell);
    assert_eq!(code, Some(0), "{line}");
    assert!(line.starts_with("REEF OK - ") && line.contains(" | nodes_online=1;;;0;1 "), "{line}");
    hub.admin().post(&format!("/nodes/{}/shutdown", node), &json!({})).ok();
    let (code, line) = check(&shell);
    assert!(code == Some(2) && line.starts_with("REEF CRITICAL - "), "{line}");
    let wrong = Shell::at(hub.url()).with("REEF_API_KEY", "nobodys");
    let (code, line) = check(&wrong);
    assert!(code == Some(3) && line.starts_with("REEF UNKNOWN - "), "{line}");
    let typed = shell.run(&["check", "--nagios", "--depth", "9"]);
    assert_eq!((typed.code, typed.stdout.lines().count()), (Some(3), 1), "{typed:?}");
    assert!(typed.stdout.contains("UNKNOWN - unexpected argument '--depth'"), "{typed:?}");
    hub.kill();
    let (code, line) = check(&shell);
    assert!(code == Some(2) && line.contains("cannot be reached"), "{line}");
}

#[test]
fn a_bundle_is_a_file_for_its_owner() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let bundle = shell.folder.path().join("bundle.tgz");
    let ended = shell.run(&["debug", "--output", "bundle.tgz"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(std::fs::metadata(&bundle).unwrap().permissions().mode() & 0o777, 0o600);
    let listed = Command::new("tar").arg("-tzf").arg(&bundle).output().unwrap();
    let parts: Value = shell.json(&["debug"]);
    let count = String::from_utf8(listed.stdout).unwrap().lines().count();
    assert_eq!(count, parts.as_object().unwrap().len());
    assert_eq!(shell.run(&["debug", "--output", "bundle.tgz"]).code, Some(1), "it is there");
}
