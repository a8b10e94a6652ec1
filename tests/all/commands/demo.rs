//! `reef demo`, from its first step to an empty folder.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::harness::{Hub, PATIENCE, Program, Signal, eventually, reef, root};

/// It waits for a node to fall silent, and starts seven processes.
const DEMO: Duration = Duration::from_secs(180);

/// A demo whose folder is in this one, with the code that was compiled for other tests.
fn demo(folder: &Path) -> Command {
    // Any hub of the tests leaves it there.
    drop(Hub::start());
    fs::create_dir(folder.join(".reef")).unwrap();
    let compiled = root().join("target/fixtures/compiled");
    std::os::unix::fs::symlink(compiled, folder.join(".reef/cache")).unwrap();
    fs::create_dir(folder.join("tmp")).unwrap();
    let mut command = reef();
    command.args(["demo", "--fast", "--spin-file"]).arg(root().join("spin.toml"));
    command.current_dir(folder).env("TMPDIR", folder.join("tmp"));
    command
}

/// Checks that neither a file nor a process of a demo is left.
fn assert_nothing_is_left(folder: &Path) {
    assert_eq!(fs::read_dir(folder.join("tmp")).unwrap().count(), 0, "its folder is left");
    let name = folder.join("tmp").display().to_string();
    eventually("the end of all processes", PATIENCE, || {
        let listed = Command::new("ps").args(["-eo", "args"]).output().unwrap().stdout;
        (!String::from_utf8_lossy(&listed).contains(&name)).then_some(())
    });
}

#[test]
fn the_demo_shows_a_death_a_stream_and_a_payment() {
    let folder = tempfile::tempdir().unwrap();
    // Of the components within the program.
    let mut command = reef();
    command.args(["demo", "--fast"]).current_dir(&folder).env("TMPDIR", folder.path().join("tmp"));
    fs::create_dir(folder.path().join("tmp")).unwrap();
    let shown = Program::run(&mut command, DEMO);
    assert_eq!(shown.status.code(), Some(0), "{}\n{}", shown.stdout, shown.stderr);
    let mut rest = shown.stdout.as_str();
    for expected in [
        "[1/5]",
        "it serves http://127.0.0.1:",
        "[2/5]",
        "node_eve_",
        "[3/5]",
        "kill -9",
        "node_offline",
        "task_completed",
        "has done it",
        "[4/5]",
        "the alarm that nobody had set",
        "[5/5]",
        "87.5",
        "2 entries are whole",
    ] {
        let at = rest.find(expected);
        let at = at.unwrap_or_else(|| panic!("{expected} is missing: {}", shown.stdout));
        rest = &rest[at..];
    }
    assert_nothing_is_left(folder.path());
}

#[test]
fn an_interrupted_demo_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Program::start(&mut demo(folder.path()));
    demo.line(DEMO, |line| line.contains("kill -9").then_some(()));
    demo.signal(Signal::Interrupt);
    assert_eq!(demo.wait(DEMO).code(), Some(130), "{}", demo.stderr());
    assert_nothing_is_left(folder.path());
}

#[test]
fn a_demo_of_a_manifest_that_is_not_there_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = reef();
    command.args(["demo", "--fast", "--spin-file", "nowhere.toml"]).current_dir(&folder);
    let refused = Program::run(&mut command, PATIENCE);
    assert_eq!(refused.status.code(), Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("--spin-file"), "{}", refused.stderr);
}
