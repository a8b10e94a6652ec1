//! Callers that go on whatever happens, and remember what they saw.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Answer, Client, registration, unique};

/// One request's fate.
#[derive(Debug)]
pub struct Seen {
    /// Nothing when no answer came.
    pub status: Option<u16>,
    pub took: Duration,
    /// The node that a successful registration made.
    pub node_id: Option<String>,
    /// What came instead of a success, for messages.
    pub trouble: String,
}

/// Callers at work.
pub struct Load {
    stop: Arc<AtomicBool>,
    callers: Vec<JoinHandle<Vec<Seen>>>,
}

impl Load {
    /// One caller per node that sends its heartbeats, with this pause in between.
    pub fn heartbeats(client: &Client, nodes: &[String], pause: Duration) -> Self {
        let callers = nodes.iter().map(|id| {
            let path = format!("/nodes/{id}/heartbeat");
            let client = client.clone();
            move || {
                let body = json!({"cpu_usage": 5}).to_string();
                let sent = client.try_send("POST", &path, Some(body.as_bytes()));
                std::thread::sleep(pause);
                sent
            }
        });
        Self::start(callers.collect())
    }

    /// That many callers that register new nodes as fast as they can.
    pub fn registrations(client: &Client, callers: usize) -> Self {
        let callers = (0..callers).map(|_| {
            let client = client.clone();
            move || {
                let body = registration(&unique("loaded")).to_string();
                client.try_send("POST", "/nodes/register", Some(body.as_bytes()))
            }
        });
        Self::start(callers.collect())
    }

    /// That many callers that get this path again and again.
    pub fn of(client: &Client, path: &str, callers: usize) -> Self {
        let callers = (0..callers).map(|_| {
            let (client, path) = (client.clone(), path.to_owned());
            move || client.try_send("GET", &path, None)
        });
        Self::start(callers.collect())
    }

    fn start<F>(callers: Vec<F>) -> Self
    where
        F: Fn() -> Result<Answer, ureq::Error> + Send + 'static,
    {
        let stop = Arc::new(AtomicBool::new(false));
        let work = |call: F| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || {
                let mut seen = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let start = Instant::now();
                    let outcome = call();
                    let failed = outcome.is_err();
                    seen.push(Seen::of(outcome, start.elapsed()));
                    if failed {
                        // Nobody listens; do not ask again ten thousand times a second.
                        std::thread::sleep(Duration::from_millis(10));
                    }
                }
                seen
            })
        };
        let callers = callers.into_iter().map(work).collect();
        Self { stop, callers }
    }

    /// Lets each caller finish and returns what all of them saw.
    pub fn end(self) -> Vec<Seen> {
        self.stop.store(true, Ordering::Relaxed);
        self.callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect()
    }
}

impl Seen {
    fn of(outcome: Result<Answer, ureq::Error>, took: Duration) -> Self {
        match outcome {
            Ok(answer) if answer.status == 200 => {
                Self { status: Some(200), took, node_id: node_id(&answer), trouble: String::new() }
            }
            Ok(answer) => Self {
                status: Some(answer.status),
                took,
                node_id: None,
                trouble: answer.to_string(),
            },
            Err(error) => Self { status: None, took, node_id: None, trouble: error.to_string() },
        }
    }
}

fn node_id(answer: &Answer) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
    Some(body["node_id"].as_str()?.to_owned())
}

/// Checks that something holds for each of these requests.
#[track_caller]
pub fn assert_each(seen: &[Seen], what: &str, holds: impl Fn(&Seen) -> bool) {
    if let Some(odd) = seen.iter().find(|seen| !holds(seen)) {
        panic!("{what}, but: {:?} after {:?}: {}", odd.status, odd.took, odd.trouble);
    }
}

/// How many of these were answered with that status.
pub fn count(seen: &[Seen], status: u16) -> usize {
    seen.iter().filter(|seen| seen.status == Some(status)).count()
}
