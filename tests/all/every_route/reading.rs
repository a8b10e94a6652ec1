//! Whether everybody can read what was taken: the page and its like, the commands, a worker.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reef_domain::name::is_hidden;
use serde_json::Value;

use super::document::operations;
use super::grounds::{Grounds, SKILL};
use super::whatever::Tally;
use crate::contract::Subject;
use crate::harness::{Output, Program, Signal, eventually, reef};

/// Some of what is shown is long, and the machine may be compiling.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a program on a terminal of its own.
const ON_A_TERMINAL: &str = "import os, pty, sys; \
    sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

/// What shows everything, whoever's it is.
const OF_ALL: [&str; 24] = [
    "nodes list --limit 1000",
    "tasks list --limit 1000",
    "tasks dead",
    "tasks stats",
    "agents list --limit 1000",
    "events list --limit 1000",
    "ledger entries --limit 1000",
    "ledger holds",
    "ledger intents",
    "ledger verify",
    "leader show",
    "leader history",
    "collab partners",
    "stats",
    "top --once",
    "health",
    "verify",
    "doctor",
    "cleanup --tasks 30d --dry-run",
    "agents invites",
    "keys me",
    "sessions list --limit 1000",
    "approvals list --limit 1000",
    "rtt --count 1",
];

/// What says by its exit code how it found things, and that is not what is asked here.
const JUDGES: [&str; 4] = ["health", "verify", "doctor", "leader"];

/// What shows an agent's things, by the part of the contract that something was done in.
fn of_one(grounds: &Grounds, operation: &str) -> Vec<String> {
    let estate = &grounds.estate;
    let (alice, message, session) = (&estate.alice.id, &estate.message, &estate.session);
    let (method, path) = operation.split_once(' ').unwrap();
    let part = path.trim_start_matches("/api/v1/").split('/').next().unwrap();
    match part {
        // A reason that is taken with it removes the node.
        "nodes" if method == "DELETE" => Vec::new(),
        "sessions" | "messages" => {
            vec![
                format!("messages list {session}"),
                format!("messages show {message}"),
                format!("sessions show {session}"),
            ]
        }
        "inbox" => vec![format!("inbox list {alice}"), format!("inbox dead {alice}")],
        "tasks" => vec![format!("tasks show {}", estate.held)],
        "nodes" => vec![format!("nodes show {}", estate.node)],
        "agents" | "auth" => {
            vec![format!("agents show {alice}"), format!("keys list --agent {alice}")]
        }
        "deposit" | "withdraw" | "transfer" | "holds" | "intents" | "positions" => vec![
            format!("ledger balance {alice}"),
            format!("ledger entries --agent {alice}"),
            format!("ledger holds --agent {alice}"),
            format!("ledger positions {alice}"),
        ],
        _ => Vec::new(),
    }
}

/// Reads everything in every way.
pub fn read_all(hub: &Subject, url: &str, key_file: &Path, tally: &Tally) {
    let mut faults = ask_for_all(hub, tally);
    let folder = tempfile::tempdir().unwrap();
    let command = |terminal: bool| {
        let mut command = reef();
        if terminal {
            let reef = command.get_program().to_owned();
            command = Command::new("python3");
            command.args(["-c", ON_A_TERMINAL]).arg(reef);
        }
        command.env("REEF_HUB", url).env("REEF_KEY_FILE", key_file).env("NO_COLOR", "1");
        command.env("TERM", "xterm").env("COLUMNS", "200").current_dir(folder.path());
        command
    };
    let agents_key = folder.path().join("worker.key");
    std::fs::write(&agents_key, hub.client.new_agent().key).unwrap();
    std::fs::set_permissions(&agents_key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut worker = command(false);
    worker.env("REEF_KEY_FILE", agents_key);
    run_worker(hub, worker, tally);
    let shown = tally.grounds.iter().flat_map(|(grounds, operation)| of_one(grounds, operation));
    let mut lines: Vec<String> = OF_ALL.iter().map(|it| (*it).to_owned()).chain(shown).collect();
    lines.extend(tally.tasks.iter().map(|task| format!("tasks show {task}")));
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(line) = lines.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let args: Vec<&str> = line.split(' ').collect();
                    let as_json = Program::run(command(false).args(&args).arg("--json"), PATIENCE);
                    let as_table = Program::run(command(true).args(&args), PATIENCE);
                    let mut found = found.lock().unwrap();
                    found.extend(fault(line, &as_json, true));
                    found.extend(fault(line, &as_table, false));
                }
            });
        }
    });
    faults.extend(found.into_inner().unwrap());
    println!("{} commands as JSON and on a terminal", lines.len());
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// What is wrong with what a command has printed, if anything is.
fn fault(line: &str, ended: &Output, is_json: bool) -> Option<String> {
    let Output { status, stdout, stderr } = ended;
    let is_judge = JUDGES.iter().any(|judge| line.starts_with(judge));
    let tell = |what: &str| {
        let shown: String = format!("{stdout:.2000}{stderr:.2000}").chars().take(600).collect();
        Some(format!("{line} (as JSON: {is_json}): {what}: {status}: {shown:?}"))
    };
    if !(status.success() || is_judge && status.code() == Some(1)) {
        return tell("it failed");
    }
    // A terminal ends a line so.
    let printed =
        if is_json { stdout.clone() } else { format!("{stdout}\n").replace("\r\n", "\n") };
    let is_raw = |text: &str| text.chars().any(|c| is_hidden(c) && !matches!(c, '\n' | '\t'));
    if is_raw(&printed) || is_raw(stderr) {
        return tell("it printed what is not to be seen");
    }
    if is_json {
        let values = serde_json::Deserializer::from_str(stdout).into_iter::<Value>();
        let (good, bad): (Vec<_>, Vec<_>) = values.partition(Result::is_ok);
        if !bad.is_empty() || (good.is_empty() && stderr.is_empty()) {
            return tell("it printed no JSON");
        }
    }
    None
}

/// Asks a hub for all that it shows of each thing, as a page does.
fn ask_for_all(hub: &Subject, tally: &Tally) -> Vec<String> {
    let (mut faults, mut count) = (Vec::new(), 0);
    for operation in operations() {
        let is_asked = operation.is_read() && !operation.is_stream() && !operation.is_the_hosts;
        let is_of_one = operation.path.contains('{');
        let grounds = if is_of_one { &tally.grounds[..] } else { &tally.grounds[..1] };
        for (grounds, _) in grounds.iter().filter(|_| is_asked) {
            let path = grounds.asked(&operation, &grounds.owner).path;
            let joint = if path.contains('?') { '&' } else { '?' };
            let path = if is_of_one { path } else { format!("{path}{joint}limit=100") };
            let answer = hub.client.get(&path);
            count += 1;
            let is_good = match answer.status {
                200 => serde_json::from_slice::<Value>(&answer.body).is_ok(),
                // What was removed is not there.
                status => status == 404,
            };
            if !is_good {
                let shown: String = answer.to_string().chars().take(400).collect();
                faults.push(format!("{}: {shown}", operation.name()));
            }
        }
    }
    println!("{count} reads");
    faults
}

/// Lets a worker do all tasks that were submitted.
fn run_worker(hub: &Subject, mut command: Command, tally: &Tally) {
    command.args(["worker", "--skill", SKILL, "--slots", "4", "--hostname", "worker"]);
    command.args(["--exec", "sh", "-c", r#"cat > task.$REEF_TASK_ID; echo '{"result": 1}'"#]);
    let mut worker = Program::start(&mut command);
    let left = || {
        let tasks = tally.tasks.iter().map(|id| hub.client.get(&format!("/tasks/{id}")).ok());
        tasks.filter(|task| task["required_skills"] == serde_json::json!([SKILL])).find(|task| {
            ["pending", "scheduled", "running"].iter().any(|status| task["status"] == *status)
        })
    };
    eventually("the end of all tasks", PATIENCE, || left().is_none().then_some(()));
    worker.signal(Signal::Terminate);
    let (status, said) = (worker.wait(PATIENCE), worker.stderr());
    assert_eq!(status.code(), Some(0), "{said}");
    let mut done = 0;
    for id in &tally.tasks {
        let task = hub.client.get(&format!("/tasks/{id}")).ok();
        // One for which somebody has to be asked first is given to no worker.
        let is_its = task["required_skills"] == serde_json::json!([SKILL]);
        if is_its && task["status"] != "waiting" {
            assert_eq!(task["status"], "completed", "{task}\n{said}");
            done += 1;
        }
    }
    println!("{done} tasks of {} done by a worker", tally.tasks.len());
    assert!(done > 0, "no task was taken");
}
