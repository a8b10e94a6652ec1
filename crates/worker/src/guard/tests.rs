//! Real guards with real commands. What becomes a guard is this test binary, by a test that does
//! nothing else.

use std::ffi::OsString;
use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::ChildStdout;

use super::{End, Guarded, Launch};
use crate::moment::Moment;

const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn this_program() -> std::io::Result<Vec<OsString>> {
    let name = "guard::tests::this_becomes_a_guard";
    // With one thread the harness would begin a line of its own.
    let args = ["--exact", name, "--ignored", "--nocapture", "--test-threads=2"];
    Ok(std::iter::once("/proc/self/exe").chain(args).map(OsString::from).collect())
}

#[tokio::test]
#[ignore = "other tests run it"]
async fn this_becomes_a_guard() {
    let mut words = std::env::args_os().skip_while(|word| word != "--");
    if words.next().is_some() {
        let words: Vec<_> = words.collect();
        super::process::watch_as(&this_program().unwrap(), &words).await.unwrap();
        // Nothing that the command has not said.
        std::process::exit(0);
    }
}

/// A shell that says numbers of processes, and its guards.
struct Running {
    command: Guarded,
    lines: Lines<BufReader<ChildStdout>>,
}

fn start(script: &str, time: Duration) -> Running {
    let words = ["sh", "-c", script].map(OsString::from).to_vec();
    let launch = Launch { words, is_read: true, ..Launch::default() };
    let mut command = launch.start(Moment::now() + time).unwrap();
    let lines = BufReader::new(command.pipes().unwrap().stdout).lines();
    Running { command, lines }
}

impl Running {
    /// The next number that is said.
    async fn pid(&mut self) -> Pid {
        loop {
            let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await.unwrap();
            if let Ok(id) = line.unwrap().expect("it says no more").parse() {
                return Pid::from_raw(id).unwrap();
            }
        }
    }

    async fn end(&mut self) -> End {
        tokio::time::timeout(PATIENCE, self.command.ended()).await.expect("no end")
    }

    fn outer(&self) -> Pid {
        Pid::from_raw(self.command.id).unwrap()
    }
}

fn parent(pid: Pid) -> Pid {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let parent = stat.rsplit(')').next().unwrap().split_whitespace().nth(1).unwrap();
    Pid::from_raw(parent.parse().unwrap()).unwrap()
}

fn is_alive(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next());
    !matches!(state, None | Some("Z" | "X"))
}

async fn gone(pid: Pid) {
    let ended = async {
        while is_alive(pid) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.expect("it lives on");
}

/// Says its own number, that of a child in its group, and that of one in a session of its own that
/// nobody is the parent of; none of them listens to SIGTERM.
const STUBBORN: &str = "trap '' TERM; echo $$; sh -c 'echo $$; exec sleep 1000' &
    setsid sh -c '(sh -c \"echo \\$\\$; exec sleep 1000\" &) ; exit 0'; wait; sleep 1000";

async fn stubborn(time: Duration) -> (Running, [Pid; 3]) {
    let mut running = start(STUBBORN, time);
    let pids = [running.pid().await, running.pid().await, running.pid().await];
    (running, pids)
}

#[tokio::test]
async fn the_guards_stand_between_and_nothing_is_left_when_its_time_is_over() {
    let (mut running, pids) = stubborn(Duration::from_millis(1500)).await;
    let inner = parent(pids[0]);
    assert_eq!(parent(inner), running.outer());
    running.command.stop();
    assert!(matches!(running.end().await, End::Exited(status) if !status.success()));
    // Not soon, but now.
    assert_eq!(pids.map(is_alive), [false; 3]);
    assert!(!is_alive(inner) && !is_alive(running.outer()));
}

#[tokio::test]
async fn whoever_of_the_guards_is_killed_nothing_is_left() {
    for which in 0..3 {
        let (mut running, pids) = stubborn(PATIENCE * 10).await;
        let (inner, outer) = (parent(pids[0]), running.outer());
        for (n, guard) in [inner, outer].into_iter().enumerate() {
            if which == n || which == 2 {
                kill_process(guard, Signal::KILL).unwrap();
            }
        }
        assert!(matches!(running.end().await, End::Unguarded), "{which}");
        assert_eq!(pids.map(is_alive), [false; 3], "{which}");
        assert!(!is_alive(inner) && !is_alive(outer));
    }
}

#[tokio::test]
async fn whoever_of_the_guards_is_paused_the_time_is_kept() {
    for which in 0..3 {
        let (mut running, pids) = stubborn(PATIENCE * 10).await;
        let (inner, outer) = (parent(pids[0]), running.outer());
        for (n, guard) in [inner, outer].into_iter().enumerate() {
            if which == n || which == 2 {
                kill_process(guard, Signal::STOP).unwrap();
            }
        }
        running.command.allow(Moment::now() + Duration::from_millis(50));
        assert!(matches!(running.end().await, End::Exited(status) if !status.success()));
        assert_eq!(pids.map(is_alive), [false; 3], "{which}");
        assert!(!is_alive(inner) && !is_alive(outer));
    }
}

#[tokio::test]
async fn nothing_is_left_when_nobody_is_left_above() {
    let (running, pids) = stubborn(PATIENCE * 10).await;
    let (inner, outer) = (parent(pids[0]), running.outer());
    drop(running);
    for pid in pids.into_iter().chain([inner, outer]) {
        gone(pid).await;
    }
}

#[tokio::test]
async fn nothing_is_left_when_the_outer_guard_is_killed_and_nobody_above_acts() {
    // As under a worker that is paused: nobody calls `ended`.
    let (running, pids) = stubborn(PATIENCE * 10).await;
    let inner = parent(pids[0]);
    kill_process(running.outer(), Signal::KILL).unwrap();
    for pid in pids.into_iter().chain([inner]) {
        gone(pid).await;
    }
}

#[tokio::test]
async fn the_time_can_be_made_longer_and_is_kept_by_the_guards_alone() {
    let (mut running, pids) = stubborn(Duration::from_secs(2)).await;
    running.command.allow(Moment::now() + PATIENCE * 10);
    let inner = parent(pids[0]);
    let early = tokio::time::timeout(Duration::from_millis(2100), running.command.ended()).await;
    assert!(early.is_err(), "{early:?}");
    running.command.allow(Moment::now() + Duration::from_millis(1));
    for pid in pids.into_iter().chain([inner]) {
        gone(pid).await;
    }
}

#[tokio::test]
async fn nothing_is_started_when_its_time_is_over() {
    let mut running = start("echo 1; sleep 1000", Duration::ZERO);
    let End::NotStarted(why) = running.end().await else { panic!("it was started") };
    assert!(why.contains("before it began"), "{why}");
}
