//! Many workers and many tasks, while workers are killed and paused, Redis is restarted, and hosts
//! come and go: every task ends exactly once.
//!
//! The workers are processes of their own (`worker`). Each writes down what it was told, in a file
//! that nothing of this can take back; from the files the test concludes what happened.

mod journal;
mod worker;

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use self::journal::{Outcome, read_journals};
use crate::harness::{
    Answer, Client, Hub, PATIENCE, Program, RedisServer, Signal, eventually, unique,
};

/// Nodes are offline after so many seconds without a heartbeat: longer than a lease, so that no
/// claim ends before its lease does.
const TIMEOUT: f64 = 4.0;

/// Workers and tasks: few in a normal run, and as many as the issue asks for with `REEF_FULL=1`.
fn size() -> (usize, usize) {
    let full = std::env::var("REEF_FULL").is_ok_and(|value| value == "1");
    if full { (50, 20_000) } else { (8, 1500) }
}

/// Where the workers and the test look for a hub that is there.
fn publish(folder: &Path, hubs: &[&Hub]) {
    let urls: Vec<_> = hubs.iter().map(|hub| hub.url()).collect();
    std::fs::write(folder.join("hubs.new"), urls.join("\n")).unwrap();
    std::fs::rename(folder.join("hubs.new"), folder.join("hubs")).unwrap();
}

/// Sends a request to any of the hubs until one answers. It carries a key, so that a repeat of what
/// had an effect has none.
fn insist(folder: &Path, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let key = unique("key");
    let body = body.map(|body| serde_json::to_vec(body).unwrap());
    eventually(&format!("an answer to {method} {path}"), 3 * PATIENCE, || {
        let hubs = std::fs::read_to_string(folder.join("hubs")).unwrap();
        let hubs: Vec<_> = hubs.lines().collect();
        let hub = hubs[fastrand::usize(..hubs.len())];
        let client = Client::new(hub).with("idempotency-key", &key);
        let answer = client.try_send(method, path, body.as_deref()).ok()?;
        // Redis or the host is away.
        (!matches!(answer.status, 503 | 504)).then_some(answer)
    })
}

struct Stage {
    folder: tempfile::TempDir,
    server: RedisServer,
    hubs: [Hub; 2],
    workers: Vec<Worker>,
}

struct Worker {
    program: Program,
    node: String,
}

impl Worker {
    fn start(folder: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", worker::TEST, "--ignored", "--nocapture"]);
        command.env(worker::FOLDER, folder).env(worker::NAME, unique("worker"));
        let program = Program::start(&mut command);
        let node = program.line(3 * PATIENCE, |line| {
            line.split_once("registered ").map(|(_, node)| node.trim().to_owned())
        });
        Self { program, node }
    }
}

impl Stage {
    fn new(workers: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = RedisServer::start();
        let hub = || Hub::options().redis(&server).open().timeout(TIMEOUT).start();
        let hubs = [hub(), hub()];
        publish(folder.path(), &[&hubs[0], &hubs[1]]);
        let workers = (0..workers).map(|_| Worker::start(folder.path())).collect();
        Self { folder, server, hubs, workers }
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn stats(&self) -> Value {
        insist(self.folder(), "GET", "/tasks/stats", None).ok()
    }

    /// Waits until that many tasks have completed.
    fn until_completed(&self, count: usize, patience: Duration) {
        eventually(&format!("{count} completed tasks"), patience, || {
            let stats = self.stats();
            (stats["completed"].as_u64() >= Some(count as u64)).then_some(())
        });
    }

    /// The tasks that a worker holds.
    fn held_by(&self, worker: &Worker) -> Vec<Value> {
        let path = format!("/tasks?status=running&assigned_node={}", worker.node);
        insist(self.folder(), "GET", &path, None).list()
    }

    /// Freezes a worker in the middle of a task, until its lease has run out; in vain when no task is
    /// left that it could hold.
    fn pause_past_its_lease(&self, worker: &Worker, tasks: usize) {
        while self.stats()["completed"].as_u64() < Some(tasks as u64) {
            worker.program.signal(Signal::Stop);
            let held = self.held_by(worker);
            eventually("the end of its leases", PATIENCE, || {
                self.held_by(worker).is_empty().then_some(())
            });
            // What it had sent before it was frozen may have ended a task well.
            let has_lost = held.iter().any(|task| {
                let path = format!("/tasks/{}", task["task_id"].as_str().unwrap());
                let now = insist(self.folder(), "GET", &path, None).ok();
                now["retry_count"].as_i64() > task["retry_count"].as_i64()
            });
            worker.program.signal(Signal::Continue);
            if has_lost {
                return;
            }
            // Let it come to its next task.
            std::thread::sleep(Duration::from_millis(fastrand::u64(5..50)));
        }
    }

    /// Kills a worker, most likely in the middle of a task, and starts another.
    fn replace_worker(&mut self, at: usize) {
        self.workers[at].program.signal(Signal::Kill);
        self.workers[at] = Worker::start(self.folder.path());
    }

    fn restart_redis(&mut self) {
        self.server.kill();
        self.server.start_again();
    }

    /// Takes a host away, by force or in peace, and puts another in its place.
    fn swap_host(&mut self, at: usize, by_force: bool) {
        publish(self.folder.path(), &[&self.hubs[1 - at]]);
        if by_force {
            self.hubs[at].kill();
        } else {
            self.hubs[at].terminate();
            assert!(self.hubs[at].wait().success());
        }
        self.hubs[at].start_again();
        publish(self.folder.path(), &[&self.hubs[0], &self.hubs[1]]);
    }

    /// Ends the workers, which must have met nothing that they did not expect.
    fn dismiss_workers(&mut self) {
        std::fs::write(self.folder.path().join("stop"), "").unwrap();
        for worker in &mut self.workers {
            let status = worker.program.wait(3 * PATIENCE);
            assert!(status.success(), "{}", worker.program.stderr());
        }
    }

    /// The token that each task's result names.
    fn results(&self) -> Vec<(String, String)> {
        let mut results = Vec::new();
        let mut path = Some("/tasks?status=completed&limit=1000".to_owned());
        while let Some(from) = path {
            let answer = insist(self.folder(), "GET", &from, None);
            results.extend(answer.list().iter().map(|task| {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                (text(&task["task_id"]), text(&task["result"]["token"]))
            }));
            path = answer.header("link").map(|link| {
                let (target, _) = link.trim_start_matches('<').split_once('>').unwrap();
                target[target.find("/tasks").unwrap()..].to_owned()
            });
        }
        results
    }
}

/// Submits all tasks, whatever happens meanwhile; ends early when the test has failed.
fn submit_all(folder: &Path, tasks: std::ops::Range<usize>, is_over: &AtomicBool) {
    for n in tasks {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        let body = json!({
            "name": "count", "task_id": format!("t{n}"), "priority": n % 4, "max_retries": 100,
            "required_skills": ["count"],
        });
        insist(folder, "POST", "/tasks", Some(&body)).ok();
    }
}

/// Tells the submitters that the test is over, also when it has failed.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn every_task_ends_exactly_once_whatever_dies() {
    let (workers, tasks) = size();
    let mut stage = Stage::new(workers);
    let folder = stage.folder().to_path_buf();
    let is_over = AtomicBool::new(false);
    let mut killed = 0;
    std::thread::scope(|scope| {
        let over = Over(&is_over);
        for part in 0..2 {
            let (folder, is_over) = (&folder, &is_over);
            let range = part * tasks / 2..(part + 1) * tasks / 2;
            scope.spawn(move || submit_all(folder, range, is_over));
        }
        // Each eighth of the tasks something else breaks.
        let patience = 10 * PATIENCE;
        for (n, part) in (1..8).map(|eighth| (eighth, eighth * tasks / 8)) {
            stage.until_completed(part, patience);
            match n {
                1 | 4 => {
                    for at in 0..workers / 4 {
                        stage.replace_worker(at);
                        killed += 1;
                    }
                }
                2 | 6 => {
                    for worker in stage.workers.iter().rev().take(1 + workers / 16) {
                        stage.pause_past_its_lease(worker, tasks);
                    }
                }
                3 => stage.restart_redis(),
                5 => stage.swap_host(0, false),
                _ => stage.swap_host(1, true),
            }
        }
        stage.until_completed(tasks, patience);
        drop(over);
    });
    stage.dismiss_workers();

    let stats = stage.stats();
    let counts = ["total", "completed", "running", "pending", "dead"].map(|name| &stats[name]);
    assert_eq!(counts.map(Value::as_u64), [tasks as u64, tasks as u64, 0, 0, 0].map(Some));
    let journal = read_journals(stage.folder());
    journal.assert_one_effect_each(&stage.results(), killed);
    journal.assert_never_two_at_once();
    let fenced = journal.count(Outcome::Fenced);
    println!(
        "{workers} workers, {tasks} tasks, {killed} killed, {fenced} late ones fenced: {stats}"
    );
    assert!(fenced > 0, "nobody came late, so that fencing was not tested");
    assert!(stats["fenced"].as_u64() >= Some(fenced as u64), "{stats}");
}
