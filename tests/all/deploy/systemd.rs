//! The systemd unit: what it starts, and how it stops it.

use std::collections::BTreeMap;

use super::read;
use crate::harness::{PATIENCE, Program, Signal, reef};

/// The unit's settings; a repeated one holds the last value.
fn unit() -> BTreeMap<String, String> {
    let text = read("systemd/reef.service");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn the_unit_starts_a_hub_and_leaves_its_redis_to_it() {
    let unit = unit();
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state").display().to_string();
    let line =
        unit["ExecStart"].replace("127.0.0.1:8888", "127.0.0.1:0").replace("/var/lib/reef", &state);
    assert_eq!(unit["WorkingDirectory"], "%S/reef");
    let mut words = line.split(' ');
    assert_eq!(words.next(), Some("reef"));
    // As StateDirectory= makes it.
    std::fs::create_dir(&state).unwrap();
    let mut hub = Program::start(reef().args(words).current_dir(&state));
    hub.line(std::time::Duration::from_secs(120), |line| {
        line.starts_with("Serving ").then_some(())
    });
    assert!(folder.path().join("state/admin.key").is_file());

    // The signal goes to the host alone, which must be done before systemd loses its patience.
    assert_eq!(unit["KillMode"], "mixed");
    assert_eq!(unit["KillSignal"], "SIGTERM");
    assert!(unit["TimeoutStopSec"].parse::<u32>().unwrap() > 10 + 20);
    assert_ne!(unit.get("MemoryDenyWriteExecute").map(String::as_str), Some("yes"));
    hub.signal(Signal::Terminate);
    assert_eq!(hub.wait(PATIENCE).code(), Some(0));
    // What would be started again for ever: a usage error.
    let refused = Program::run(reef().args(["up", "--listen", "nonsense"]), PATIENCE);
    assert_eq!(
        refused.status.code().map(|code| code.to_string()),
        Some(unit["RestartPreventExitStatus"].clone())
    );
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    // Not everywhere is there a systemd to ask; where there is one, it must agree.
    let Ok(verify) = std::process::Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(super::file("systemd/reef.service"))
        .output()
    else {
        return;
    };
    let said = String::from_utf8_lossy(&verify.stderr).into_owned();
    let wrong: Vec<_> = said.lines().filter(|line| !line.contains("is not executable")).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
