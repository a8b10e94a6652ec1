//! `reef lock`: a command runs only while the lock is held, whatever happens to who holds it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;

use super::{Running, Shell};
use crate::harness::{Hub, PATIENCE, Signal, eventually};

/// A command that does not listen to SIGTERM, and writes its number and its term into a file.
fn stays(file: &Path) -> String {
    let file = file.display();
    format!(
        "trap '' TERM; echo $$ $REEF_LOCK_TERM > {file}.new; mv {file}.new {file}; sleep 1000 & wait; sleep 1000"
    )
}

struct Stage {
    hub: Hub,
    shell: Shell,
}

impl Stage {
    fn new() -> Self {
        let hub = Hub::start();
        let shell = Shell::of(&hub);
        Self { hub, shell }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.shell.folder.path().join(name)
    }

    /// Runs a command under the lock.
    fn lock(&self, more: &[&str], command: &str) -> Running {
        let args =
            [&["lock", "one", "--ttl", "2"][..], more, &["--", "sh", "-c", command]].concat();
        self.shell.start(&args)
    }

    /// A holder whose command runs: its number, and the term.
    fn holder(&self, name: &str) -> (Running, u32, i64) {
        let file = self.file(name);
        let running = self.lock(&[], &stays(&file));
        let text = eventually("the command", PATIENCE, || fs::read_to_string(&file).ok());
        let mut words = text.split_whitespace();
        let mut next = || words.next().unwrap();
        (running, next().parse().unwrap(), next().parse().unwrap())
    }
}

fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().next());
    state.is_some_and(|state| !matches!(state, "Z" | "X"))
}

#[test]
fn a_command_runs_under_the_lock_and_its_code_is_the_code() {
    let stage = Stage::new();
    let ended = stage.lock(&[], "echo $REEF_LOCK $REEF_LOCK_TERM; exit 7").wait();
    assert_eq!(ended.code, Some(7), "{ended:?}");
    let term: i64 = ended.stdout.trim().strip_prefix("one ").unwrap().parse().unwrap();
    assert_eq!(stage.hub.admin().get("/locks").list(), Vec::<serde_json::Value>::new());
    let told = stage.shell.json(&["events", "list", "--type", "lock_changed"]);
    let told = |n: usize, member: &str| told["events"][n]["payload"][member].clone();
    assert_eq!([told(0, "lock"), told(0, "term")], [json!("one"), json!(term)]);
    assert_eq!([told(1, "previous"), told(1, "term")], [told(0, "holder"), json!(term)]);
    assert_eq!(told(1, "holder"), json!(null));
    let next = stage.lock(&[], "echo $REEF_LOCK_TERM; kill -KILL $$").wait();
    assert_eq!(next.code, Some(137), "{next:?}");
    assert!(next.stdout.trim().parse::<i64>().unwrap() > term);
    let none = stage.shell.run(&["lock", "one", "--", "/no/such/program"]);
    assert_eq!(none.code, Some(127), "{none:?}");
    for wrong in [&["lock", "one"][..], &["lock", "one", "--ttl", "0.1", "--", "true"]] {
        assert_eq!(stage.shell.run(wrong).code, Some(2), "{wrong:?}");
    }
    assert_eq!(stage.shell.run(&["lock", "a b", "--", "true"]).code, Some(1));
}

#[test]
fn who_comes_second_waits_or_does_not() {
    let stage = Stage::new();
    let (first, command, term) = stage.holder("first");
    let refused = stage.lock(&["--wait", "0"], "true").wait();
    assert!(refused.code == Some(1) && refused.stderr.contains("holds one"), "{refused:?}");
    let second = stage.lock(&[], "echo $REEF_LOCK_TERM");
    second.until_said("waiting");
    first.signal(Signal::Terminate);
    let first = first.wait();
    assert_eq!(first.code, Some(130), "{first:?}");
    assert!(!is_alive(command), "it did not listen, and was ended");
    let second = second.wait();
    assert_eq!(second.code, Some(0), "{second:?}");
    assert!(second.stdout.trim().parse::<i64>().unwrap() > term);
}

#[test]
fn the_command_of_a_holder_that_is_paused_is_over_before_another_runs() {
    let stage = Stage::new();
    for (n, how) in [Signal::Stop, Signal::Kill].into_iter().enumerate() {
        let (holder, command, term) = stage.holder(&format!("command{n}"));
        holder.signal(how);
        let mark = stage.file(&format!("mark{n}"));
        let look = format!(
            "kill -0 {command} 2>/dev/null && echo alive; echo $REEF_LOCK_TERM; touch {}",
            mark.display()
        );
        let next = stage.lock(&[], &look).wait();
        let (word, code) = (next.stdout.trim().to_owned(), next.code);
        assert_eq!(code, Some(0), "{next:?}");
        assert!(word.parse::<i64>().is_ok_and(|it| it > term), "the first was alive: {next:?}");
        assert!(!is_alive(command) && mark.exists());
        drop(holder);
    }
}

#[test]
fn a_command_is_ended_when_the_lock_is_lost() {
    let mut stage = Stage::new();
    let (holder, command, term) = stage.holder("taken");
    // The admin takes it away.
    let name = stage.hub.admin().get("/locks/one").ok()["holder"].clone();
    stage.hub.admin().post("/locks/one/release", &json!({"holder": name, "term": term})).ok();
    let ended = holder.wait();
    assert!(ended.code == Some(1) && ended.stderr.contains("was lost"), "{ended:?}");
    assert!(!is_alive(command));
    let (holder, command, _) = stage.holder("away");
    stage.hub.kill();
    let killed = Instant::now();
    let ended = holder.wait();
    assert!(ended.code == Some(1) && ended.stderr.contains("could not be renewed"), "{ended:?}");
    assert!(!is_alive(command) && killed.elapsed().as_secs_f64() < 2.5, "{:?}", killed.elapsed());
}
