//! One worker, as a process that can be killed and paused: this test binary, asked for one test
//! that does the work. It believes nothing that the hub has not said, and goes on through
//! everything that it can expect.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::insist;
use super::journal::{LEASE_MS, Outcome, now_ms};

/// The full name of the test below.
pub const TEST: &str = "resilience::queue::worker::works_for_the_test_that_starts_it";
/// Environment variables: the folder of the test, and the worker's name.
pub const FOLDER: &str = "REEF_TEST_WORKER_FOLDER";
pub const NAME: &str = "REEF_TEST_WORKER_NAME";

const BEAT_PERIOD: Duration = Duration::from_millis(700);

struct Worker {
    folder: PathBuf,
    node: String,
    journal: File,
    beaten: Instant,
}

impl Worker {
    fn register(folder: &Path, name: &str) -> String {
        let mut body = crate::harness::registration(name);
        body["available_skills"] = json!(["count"]);
        let registered = insist(folder, "POST", "/nodes/register", Some(&body)).ok();
        registered["node_id"].as_str().unwrap().to_owned()
    }

    fn beat(&mut self) {
        if self.beaten.elapsed() > BEAT_PERIOD {
            let path = format!("/nodes/{}/heartbeat", self.node);
            insist(&self.folder, "POST", &path, Some(&json!({}))).ok();
            self.beaten = Instant::now();
        }
    }

    /// Claims some tasks and completes each.
    fn work(&mut self) {
        let claim = json!({
            "node_id": self.node, "limit": 3, "lease_ms": LEASE_MS, "wait_ms": 300,
        });
        let sent = now_ms();
        let claimed = insist(&self.folder, "POST", "/tasks/claim", Some(&claim)).ok();
        let begin = now_ms();
        for task in claimed["tasks"].as_array().unwrap() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let (id, token) = (text(&task["task_id"]), text(&task["token"]));
            // The work itself, during which it can be paused and killed.
            std::thread::sleep(Duration::from_millis(2));
            let body = json!({"token": token, "result": {"token": token}});
            let path = format!("/tasks/{id}/complete");
            let answer = insist(&self.folder, "POST", &path, Some(&body));
            let outcome = if answer.status == 200 {
                Outcome::Accepted
            } else {
                answer.problem(409, "fenced");
                Outcome::Fenced
            };
            let end = now_ms().min(sent + LEASE_MS);
            writeln!(self.journal, "{} {id} {token} {begin} {end}", outcome.word()).unwrap();
        }
    }
}

#[test]
#[ignore = "a worker for another test, which starts it as a process"]
fn works_for_the_test_that_starts_it() {
    let Ok(folder) = std::env::var(FOLDER).map(PathBuf::from) else { return };
    let name = std::env::var(NAME).unwrap();
    let path = folder.join(format!("{name}.journal"));
    let journal = OpenOptions::new().create(true).append(true).open(path).unwrap();
    let node = Worker::register(&folder, &name);
    println!("registered {node}");
    let beaten = Instant::now();
    let mut worker = Worker { folder, node, journal, beaten };
    while !worker.folder.join("stop").exists() {
        worker.beat();
        worker.work();
    }
}
