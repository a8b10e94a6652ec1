//! What stops the commands of `reef agent` and `reef worker`, whatever happens to these and to the
//! guards between: real processes, killed and paused.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Running, Shell};
use crate::harness::{Hub, PATIENCE, Signal, eventually, signal, unique};

const TTL: Duration = Duration::from_secs(2);

/// A command of three processes, none of which listens to SIGTERM: itself, a child in its group, and
/// one that has left group, session and parents. It writes their numbers and its term into a file.
fn stays(file: &Path) -> String {
    let file = file.display();
    format!(
        "trap '' TERM; rm -f {file}.far; \
         setsid sh -c '(sh -c \"echo \\$\\$ > {file}.far; exec sleep 1000\" &)'; \
         while [ ! -s {file}.far ]; do sleep 0.01; done; \
         sleep 1000 & echo $$ $! $(cat {file}.far) $REEF_TERM > {file}.new; \
         mv {file}.new {file}; wait; sleep 1000"
    )
}

/// The processes of a command, and the term for which it runs.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Command {
    pids: [u32; 3],
    term: u64,
}

impl Command {
    fn read(file: &Path) -> Option<Self> {
        let text = fs::read_to_string(file).ok()?;
        let mut words = text.split_whitespace().map(|word| word.parse().ok());
        let mut next = || words.next()?;
        let pids = [next()?, next()?, next()?].map(|pid: u64| u32::try_from(pid).unwrap());
        Some(Self { pids, term: next()? })
    }

    fn appeared(file: &Path) -> Self {
        eventually("the command", PATIENCE, || Self::read(file))
    }

    /// The next one after it.
    fn followed(self, file: &Path) -> Self {
        eventually("the next command", PATIENCE, || Self::read(file).filter(|it| *it != self))
    }

    fn inner(self) -> u32 {
        parent(self.pids[0]).expect("the command has no parent")
    }

    fn outer(self) -> u32 {
        parent(self.inner()).expect("the inner guard has no parent")
    }

    fn live(self) -> Vec<u32> {
        self.pids.into_iter().filter(|pid| is_alive(*pid)).collect()
    }

    #[track_caller]
    fn ends(self) {
        eventually("the command's end", PATIENCE, || self.live().is_empty().then_some(()));
    }
}

fn stat(pid: u32) -> Option<(String, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut words = stat.rsplit_once(')')?.1.split_whitespace();
    Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
}

fn parent(pid: u32) -> Option<u32> {
    stat(pid).map(|(_, parent)| parent)
}

/// A dead one that nobody has waited for is not.
fn is_alive(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| !matches!(&*state, "Z" | "X"))
}

/// Agents that campaign on one hub, each with a command that stays.
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

    /// An agent that runs this command while it leads.
    fn agent(&self, command: &str) -> Running {
        let ttl = TTL.as_secs().to_string();
        let host = unique("h");
        let args = ["agent", "--campaign", "--leader-ttl", &ttl, "--hostname", &host];
        self.shell.start(&[&args[..], &["--on-elected", command]].concat())
    }

    /// An agent with its command at work.
    fn leader(&self, name: &str) -> (Running, Command, PathBuf) {
        let file = self.file(name);
        let agent = self.agent(&stays(&file));
        let command = Command::appeared(&file);
        assert_eq!(parent(command.outer()), Some(agent.child.id()));
        (agent, command, file)
    }
}

#[test]
fn a_guard_that_is_killed_takes_its_command_along_and_a_new_one_starts_it_again() {
    let stage = Stage::new();
    let (agent, mut command, file) = stage.leader("command");
    let guards: [fn(Command) -> Vec<u32>; 3] = [
        |command| vec![command.outer()],
        |command| vec![command.inner()],
        |command| vec![command.outer(), command.inner()],
    ];
    for guards in guards {
        // One call: the second may have gone by itself.
        let pids = guards(command).into_iter().map(|guard| guard.to_string());
        std::process::Command::new("kill").arg("-KILL").args(pids).output().unwrap();
        let next = command.followed(&file);
        assert_eq!(command.live(), [0; 0], "nothing of the first runs beside the second");
        assert_eq!(next.term, command.term, "the leadership was not lost");
        assert_eq!(parent(next.outer()), Some(agent.child.id()));
        command = next;
    }
    // Who kills them again and again has a reason: another node may do better.
    signal(command.outer(), Signal::Kill);
    agent.until_said("resigned");
    assert_eq!(command.live(), [0; 0]);
}

#[test]
fn whoever_of_agent_and_guards_is_killed_at_once_nothing_lives_on() {
    let stage = Stage::new();
    for (n, which) in ["agent", "agent outer", "agent inner"].into_iter().enumerate() {
        let (agent, command, _) = stage.leader(&format!("command{n}"));
        let (inner, outer) = (command.inner(), command.outer());
        let pid = |name: &str| match name {
            "agent" => agent.child.id().to_string(),
            "outer" => outer.to_string(),
            _ => inner.to_string(),
        };
        let pids: Vec<_> = which.split(' ').map(pid).collect();
        // One call, so that none has the time to notice the other's end.
        // Whoever is last may have gone by itself.
        std::process::Command::new("kill").arg("-KILL").args(&pids).output().unwrap();
        command.ends();
        eventually("the guards' end", PATIENCE, || {
            (!is_alive(inner) && !is_alive(outer)).then_some(())
        });
    }
}

#[test]
fn whoever_of_agent_and_guards_is_paused_the_command_is_over_before_another_leads() {
    let stage = Stage::new();
    for (n, which) in ["agent", "agent outer", "agent inner", "outer", "inner", "outer inner"]
        .into_iter()
        .enumerate()
    {
        let (agent, command, _) = stage.leader(&format!("command{n}"));
        let pid = |name: &str| match name {
            "agent" => agent.child.id(),
            "outer" => command.outer(),
            _ => command.inner(),
        };
        let paused: Vec<u32> = which.split(' ').map(pid).collect();
        paused.iter().for_each(|pid| signal(*pid, Signal::Stop));
        if !which.contains("agent") {
            // The agent is asked to end, and finds that its guards do not listen.
            agent.signal(Signal::Terminate);
        }
        // Whoever leads next does so after the command's end.
        let other = stage.agent("exit 0");
        other.until_said("this node leads");
        assert_eq!(command.live(), [0; 0], "{which}");
        drop(agent);
        eventually("the guards' end", PATIENCE, || {
            paused.iter().all(|pid| !is_alive(*pid)).then_some(())
        });
    }
}

#[test]
fn an_agent_that_is_killed_as_its_command_appears_leaves_nothing_behind() {
    const AT_ONCE: usize = 4;
    let rounds = if std::env::var_os("REEF_FULL").is_some() { 50 } else { 6 };
    let stages: Vec<Stage> = (0..AT_ONCE).map(|_| Stage::new()).collect();
    std::thread::scope(|scope| {
        for stage in &stages {
            scope.spawn(move || {
                for n in 0..rounds {
                    let file = stage.file(&format!("pid{n}"));
                    let mark = file.display();
                    // The first thing it does is to leave, so that only a guard can find it.
                    let command =
                        format!("exec setsid -w sh -c 'echo $$ > {mark}; exec sleep 1000'");
                    let agent = stage.agent(&command);
                    agent.until_said("this node leads");
                    // Somewhere between the guard's start and the command's first breath.
                    std::thread::sleep(Duration::from_micros(700 * (n as u64 % 24)));
                    agent.signal(Signal::Kill);
                    let gone = || match fs::read_to_string(&file) {
                        Ok(pid) => pid.trim().parse().is_ok_and(|pid| !is_alive(pid)),
                        Err(_) => !leads_to_a_process(&command),
                    };
                    eventually("its end", PATIENCE, || gone().then_some(()));
                    resign(stage);
                }
            });
        }
    });
}

/// Whether a guard or a command with this text is still there.
fn leads_to_a_process(command: &str) -> bool {
    let wanted = command.as_bytes();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let own = |line: &[u8]| line.windows(10).any(|it| it == b"--campaign");
    lines.filter(|line| !own(line)).any(|line| line.windows(wanted.len()).any(|it| it == wanted))
}

/// Lets the next agent lead at once.
fn resign(stage: &Stage) {
    let admin = stage.hub.admin();
    let leader = admin.get("/cluster/leader").json();
    if leader["leader"].is_string() {
        let body = json!({"node_id": leader["leader"], "term": leader["term"]});
        admin.post("/cluster/leader/resign", &body);
    }
}

#[test]
fn a_task_whose_guard_is_killed_is_tried_again_and_nothing_of_the_first_try_is_left() {
    let stage = Stage::new();
    let file = stage.file("task");
    let skill = unique("skill");
    let script = format!(
        "if [ $REEF_TASK_ATTEMPT = 1 ]; then REEF_TERM=1; {}; fi; echo '{{\"result\": 2}}'",
        stays(&file)
    );
    let _worker = stage.shell.start(&[
        "worker",
        "--as-admin",
        "--skill",
        &skill,
        "--hostname",
        &unique("w"),
        "--lease",
        "5",
        "--exec",
        "sh",
        "-c",
        &script,
    ]);
    let admin = stage.hub.admin();
    let task = admin.post("/tasks", &json!({"name": "n", "required_skills": [skill]})).ok();
    let path = format!("/tasks/{}", task["task_id"].as_str().unwrap());
    let command = Command::appeared(&file);
    signal(command.outer(), Signal::Kill);
    let done = eventually("the second try", PATIENCE, || {
        let task = admin.get(&path).ok();
        (task["status"] == "completed").then_some(task)
    });
    assert_eq!((&done["result"], &done["retry_count"]), (&json!(2), &json!(1)));
    assert_eq!(command.live(), [0; 0]);
}

#[test]
fn a_command_that_hides_ends_with_the_lease_of_a_hub_that_is_gone() {
    let mut stage = Stage::new();
    let (agent, command, _) = stage.leader("command");
    stage.hub.kill();
    let killed = Instant::now();
    command.ends();
    // The last renewal was asked for before that.
    assert!(killed.elapsed() < TTL, "{:?}", killed.elapsed());
    agent.until_said("why=LeaseEnding");
}
