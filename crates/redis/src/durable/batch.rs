//! Waiting for the writes of many requests at once.
//!
//! One task for each server asks, over a connection of its own, round after round while anybody waits.
//! A round writes a number behind all writes that are waited for, and asks how far that has come;
//! whoever joins while it is under way is part of the next one. A round is short, so that those
//! who join wait little; while replicas are slow rounds become longer, lest each new number be too
//! young for them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::Value;
use redis::aio::MultiplexedConnection;
use reef_store::durability::{Durability, Safety};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use super::facts::Facts;
use crate::link::Opened;
use crate::server::Server;
use crate::{Error, reply};

/// How long a round waits. A sync takes some milliseconds; one that is under way when a round begins
/// still counts for the round.
const ROUND_MIN: Duration = Duration::from_millis(20);
/// How long a round gets while replicas do not keep up.
const ROUND_MAX: Duration = Duration::from_millis(640);
/// How long the number stays, in milliseconds.
const MARKER_MS: u64 = 60_000;

/// Who waits at one server.
#[derive(Default)]
pub(super) struct Batches {
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiter>,
    /// The task is there. It has the connection, too.
    is_running: bool,
    side: Option<Side>,
}

/// One request that waits.
pub(super) struct Waiter {
    wanted: Safety,
    /// Of the server that was written to.
    facts: Arc<Facts>,
    marker: Vec<u8>,
    until: Instant,
    told: oneshot::Sender<Verdict>,
    heard: Arc<Mutex<Counts>>,
}

/// What a request hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Reached,
    /// The server does not let us ask.
    Refused,
    /// It is not, or no longer, the server that was written to.
    Unknown,
}

/// Where the number of a round is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// On how many replicas.
    replicas: u32,
    /// On the server's disk, if that was asked.
    local: bool,
    /// On the disks of how many replicas.
    synced: u32,
}

impl Counts {
    /// Whether the server's own disk has it.
    pub(super) fn is_on_disk(self) -> bool {
        self.local
    }

    fn meet(self, wanted: Safety) -> bool {
        match wanted.level {
            Durability::Memory => true,
            Durability::Disk => self.local,
            Durability::Replica => self.replicas >= wanted.replicas,
            Durability::ReplicaDisk => self.local && self.synced >= wanted.replicas,
        }
    }
}

impl Waiter {
    pub(super) fn new(
        wanted: Safety,
        facts: &Arc<Facts>,
        marker: Vec<u8>,
        until: Instant,
    ) -> (Self, oneshot::Receiver<Verdict>, Arc<Mutex<Counts>>) {
        let (told, hears) = oneshot::channel();
        let heard = Arc::<Mutex<Counts>>::default();
        let facts = Arc::clone(facts);
        let waiter = Self { wanted, facts, marker, until, told, heard: Arc::clone(&heard) };
        (waiter, hears, heard)
    }

    fn is_for_replicas(&self) -> bool {
        self.wanted.replicas > 0
    }

    /// What it hears after a round; `None`: it goes on waiting.
    fn judge(&self, side: &Side, round: &Round) -> Option<Verdict> {
        let is_same = self.facts.run_id == side.run_id
            && self.facts.replication_id == round.replication_id
            && round.is_primary;
        if !is_same {
            return Some(Verdict::Unknown);
        }
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = round.counts;
        round.counts.meet(self.wanted).then_some(Verdict::Reached)
    }
}

impl Batches {
    /// Waits with the others at a server.
    pub(super) fn join(&self, server: &Arc<Server>, waiter: Waiter) {
        let mut queue = self.lock();
        queue.waiting.push(waiter);
        if !queue.is_running {
            queue.is_running = true;
            let side = queue.side.take();
            tokio::spawn(run(Arc::clone(server), side));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those who wait; `None`, and the connection is put away: nobody does.
    fn take(&self, side: &mut Option<Side>) -> Option<Vec<Waiter>> {
        let now = Instant::now();
        let mut queue = self.lock();
        let mut waiting = std::mem::take(&mut queue.waiting);
        waiting.retain(|waiter| !waiter.told.is_closed() && now < waiter.until);
        if waiting.is_empty() {
            queue.is_running = false;
            queue.side = side.take();
            return None;
        }
        Some(waiting)
    }

    fn put_back(&self, waiters: Vec<Waiter>) {
        self.lock().waiting.extend(waiters);
    }
}

/// Makes one round after the other while anybody waits.
async fn run(server: Arc<Server>, mut side: Option<Side>) {
    let batches = &server.durable().batches;
    let mut length = ROUND_MIN;
    while let Some(waiters) = batches.take(&mut side) {
        if side.is_none() {
            match Side::open(&server).await {
                Ok(opened) => side = Some(opened),
                Err(error) => {
                    tracing::debug!(%error, "no connection to wait for writes by");
                    tell(waiters, Verdict::Unknown);
                    continue;
                }
            }
        }
        let Some(open) = &mut side else { continue };
        let limit = length + server.timeouts().call;
        let round = match timeout(limit, open.round(&waiters, length)).await {
            Ok(Ok(round)) => round,
            Ok(Err(error)) => {
                tracing::debug!(%error, "writes cannot be waited for");
                let verdict = if is_refusal(&error) { Verdict::Refused } else { Verdict::Unknown };
                side = None;
                tell(waiters, verdict);
                continue;
            }
            Err(_) => {
                side = None;
                tell(waiters, Verdict::Unknown);
                continue;
            }
        };
        let mut left = Vec::new();
        for waiter in waiters {
            match waiter.judge(open, &round) {
                Some(verdict) => tell(vec![waiter], verdict),
                None => left.push(waiter),
            }
        }
        let are_slow = left.iter().any(Waiter::is_for_replicas);
        length = if are_slow { (length * 2).min(ROUND_MAX) } else { ROUND_MIN };
        // The address may lead to another server than a moment ago.
        if !round.is_primary {
            side = None;
        }
        batches.put_back(left);
    }
}

fn tell(waiters: Vec<Waiter>, verdict: Verdict) {
    for waiter in waiters {
        // It may have given up.
        let _ = waiter.told.send(verdict);
    }
}

/// Whether the server is there and does not let us write the number, or ask.
fn is_refusal(error: &Error) -> bool {
    let Error::Server(text) = error else { return false };
    error.is_about_access() || text.contains("OOM") || text.contains("MISCONF")
}

/// The connection by which writes are waited for.
pub(super) struct Side {
    connection: MultiplexedConnection,
    driver: AbortHandle,
    /// Of the server that it leads to.
    pub(super) run_id: String,
    /// The number that was written last.
    number: u64,
}

impl Drop for Side {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// What a round has found.
struct Round {
    counts: Counts,
    replication_id: String,
    is_primary: bool,
}

impl Side {
    pub(super) async fn open(server: &Server) -> Result<Self, Error> {
        let Opened { connection, driver } = server.open_another().await?;
        let driver = tokio::spawn(driver).abort_handle();
        let mut side = Self { connection, driver, run_id: String::new(), number: 0 };
        let mut question = redis::pipe();
        question.add_command(super::facts::identity());
        let limit = server.timeouts().call;
        let late = |_| Error::Unavailable(format!("no answer within {limit:?}"));
        let mut said = timeout(limit, side.send(&question, 1)).await.map_err(late)??;
        let facts = Facts::of_info(said.pop().unwrap_or(Value::Nil))?;
        side.run_id = facts.run_id;
        Ok(side)
    }

    async fn send(
        &mut self,
        question: &redis::Pipeline,
        count: usize,
    ) -> Result<Vec<Value>, Error> {
        let sent = self.connection.send_packed_commands(question, 0, count).await;
        let replies = sent.map_err(|error| Error::from_client(&error))?;
        replies.into_iter().map(reply::accepted).collect()
    }

    /// Writes a number; whether the server says within `limit` that it is on its disk.
    pub(super) async fn confirm(&mut self, marker: &[u8], limit: Duration) -> Result<bool, Error> {
        self.number += 1;
        let mut question = redis::pipe();
        question.cmd("SET").arg(marker).arg(self.number).arg("PX").arg(MARKER_MS);
        Plan { replicas: None, disks: Some(0) }.ask(&mut question, limit);
        let replies = self.send(&question, 2).await?;
        let counts =
            Plan { replicas: None, disks: Some(0) }.read(&mut replies.into_iter().skip(1))?;
        Ok(counts.local)
    }

    /// Writes a number, and asks how far it has come, for `length` at most.
    async fn round(&mut self, waiters: &[Waiter], length: Duration) -> Result<Round, Error> {
        self.number += 1;
        let marker = waiters.first().map(|waiter| waiter.marker.as_slice()).unwrap_or_default();
        let mut question = redis::pipe();
        question.cmd("SET").arg(marker).arg(self.number).arg("PX").arg(MARKER_MS);
        let plan = Plan::of(waiters);
        plan.ask(&mut question, length);
        question.add_command(super::facts::identity());
        let replies = self.send(&question, 2 + plan.questions()).await?;
        let mut replies = replies.into_iter();
        let _set = replies.next();
        let counts = plan.read(&mut replies)?;
        let facts = Facts::of_info(replies.next().unwrap_or(Value::Nil))?;
        if facts.run_id != self.run_id {
            return Err(Error::Unavailable("another server answers".to_owned()));
        }
        let is_primary = facts.is_primary();
        Ok(Round { counts, replication_id: facts.replication_id, is_primary })
    }
}

/// What a round asks: what is reached first is waited for, and what takes longer is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Plan {
    /// The least number of replicas whose memory somebody waits for.
    replicas: Option<u32>,
    /// The least number of replicas whose disks somebody waits for; 0: the server's own will do.
    disks: Option<u32>,
}

impl Plan {
    fn of(waiters: &[Waiter]) -> Self {
        let least = |levels: &[Durability]| {
            let those = waiters.iter().filter(|waiter| levels.contains(&waiter.wanted.level));
            those.map(|waiter| waiter.wanted.replicas).min()
        };
        Self {
            replicas: least(&[Durability::Replica]),
            disks: least(&[Durability::Disk, Durability::ReplicaDisk]),
        }
    }

    fn ask(self, question: &mut redis::Pipeline, length: Duration) {
        let length = u64::try_from(length.as_millis()).unwrap_or(1).max(1);
        if let Some(replicas) = self.replicas {
            question.cmd("WAIT").arg(replicas).arg(length);
        }
        match (self.disks, self.replicas) {
            (None, _) => {}
            (Some(replicas), None) => {
                question.cmd("WAITAOF").arg(1).arg(replicas).arg(length);
            }
            // What is wanted of nobody is there at once.
            (Some(_), Some(_)) => {
                question.cmd("WAITAOF").arg(0).arg(0).arg(1);
            }
        }
    }

    fn questions(self) -> usize {
        usize::from(self.replicas.is_some()) + usize::from(self.disks.is_some())
    }

    fn read(self, replies: &mut impl Iterator<Item = Value>) -> Result<Counts, Error> {
        const ODD: Error = Error::Reply("the server's answer to a wait is no number");
        let mut next = || replies.next().unwrap_or(Value::Nil);
        let mut counts = Counts::default();
        if self.replicas.is_some() {
            counts.replicas = redis::from_redis_value(next()).map_err(|_| ODD)?;
        }
        if self.disks.is_some() {
            let (local, synced): (u32, u32) = redis::from_redis_value(next()).map_err(|_| ODD)?;
            (counts.local, counts.synced) = (local > 0, synced);
        }
        Ok(counts)
    }
}
