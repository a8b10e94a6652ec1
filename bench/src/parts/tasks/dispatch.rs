//! How fast an idle worker gets a task: workers wait by long poll, and tasks are submitted at a
//! pace that leaves most of them idle.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::task::JoinSet;

use super::cycles::WORKERS;
use crate::load::connection::Connection;
use crate::load::paced::Pace;
use crate::operation;
use crate::options::Options;
use crate::sample::{count_in, empty_histogram, shares_ms};
use crate::servers::hub::Hub;
use crate::task;
use crate::template::digits;

/// Tasks a second.
const PACE: u64 = 50;
/// Connections over which they are submitted.
const SUBMITTERS: usize = 8;
/// How long a worker waits before it asks again: the longest that the host allows.
const WAIT_MS: u64 = 30_000;
/// How long may pass after the last submission until every task is held.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether they are.
const LOOK: Duration = Duration::from_millis(10);

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Dispatch {
    /// Workers that wait.
    pub(crate) workers: u64,
    /// Tasks a second.
    pub(crate) pace: u64,
    /// Tasks that were submitted.
    pub(crate) submitted: u64,
    /// Tasks that no worker got.
    pub(crate) lost: u64,
    /// Tasks that a worker got after they had been completed.
    pub(crate) repeated: u64,
    /// Milliseconds from when a submission was due until a worker held the task, by share.
    pub(crate) latency_ms: Vec<(&'static str, f64)>,
    /// Milliseconds by which the load generator itself was late; part of the above.
    pub(crate) late_ms: Vec<(&'static str, f64)>,
    /// What went wrong, and how often.
    pub(crate) faults: BTreeMap<String, u64>,
}

/// Measures.
pub(super) async fn run(options: &Options, hub: &Hub) -> Result<Dispatch> {
    let address = hub.server().address;
    let time = options.time() * 3;
    let submitted = count_in(time, PACE as f64);
    // Each sender sends once, so that its number is that of a task.
    let pace = Pace {
        address,
        template: task::submit_named().template(address, hub.key()),
        numbers: None,
        senders: submitted,
        connections: SUBMITTERS,
        period: time,
    };
    let due = pace.schedule(time).into_iter();
    let due = due.map(|(due, number)| (task::name_of(&digits(number)), due)).collect();
    let tally = Tally { start: None, due, latencies: empty_histogram()?, repeated: 0 };
    let tally = Rc::new(RefCell::new(tally));
    let mut workers = JoinSet::new();
    for number in 0..WORKERS {
        let opened = Connection::open(address).await;
        let connection = opened.map_err(|fault| anyhow!("a worker cannot connect: {fault}"))?;
        let node_id = operation::name_of(&digits(number));
        workers.spawn_local(work(connection, hub.key().to_owned(), node_id, Rc::clone(&tally)));
    }
    let paced = pace.run(time, 0, |start| tally.borrow_mut().start = Some(start)).await?;
    let deadline = Instant::now() + PATIENCE;
    while !tally.borrow().due.is_empty() && Instant::now() < deadline {
        if let Some(ended) = workers.try_join_next() {
            ended.context("a worker's task failed")??;
        }
        tokio::time::sleep(LOOK).await;
    }
    workers.shutdown().await;
    let tally = tally.borrow();
    let dispatch = Dispatch {
        workers: WORKERS,
        pace: PACE,
        submitted: paced.sample.answers,
        lost: tally.due.len() as u64,
        repeated: tally.repeated,
        latency_ms: shares_ms(&tally.latencies),
        late_ms: shares_ms(&paced.lateness),
        faults: paced.sample.faults,
    };
    eprintln!("  dispatch: {:.2?}", dispatch.latency_ms);
    Ok(dispatch)
}

/// What workers have got.
struct Tally {
    /// From when the schedule counts.
    start: Option<Instant>,
    /// When the tasks were due that nobody has got.
    due: BTreeMap<String, Duration>,
    latencies: Histogram<u64>,
    repeated: u64,
}

/// Takes tasks and completes them, until it is stopped.
async fn work(
    mut hub: Connection,
    key: String,
    node_id: String,
    tally: Rc<RefCell<Tally>>,
) -> Result<()> {
    let claim = task::claim(&node_id, WAIT_MS);
    loop {
        let claimed = hub.ask(&claim, &key).await?;
        let now = Instant::now();
        let Some(held) = task::held(claimed)? else { continue };
        tally.borrow_mut().held(&held.task_id, now);
        hub.ask(&task::complete(&held), &key).await?;
    }
}

impl Tally {
    fn held(&mut self, task_id: &str, now: Instant) {
        match self.due.remove(task_id).zip(self.start) {
            Some((due, start)) => {
                let latency = now.saturating_duration_since(start + due).as_nanos();
                self.latencies.saturating_record(u64::try_from(latency).unwrap_or(u64::MAX));
            }
            None => self.repeated += 1,
        }
    }
}
