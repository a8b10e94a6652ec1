//! The monitor's tick, and the lease by which one of several hosts does it: `lua/monitor/`.

use reef_domain::limits::TASK_KEPT_MS;

use crate::entry::{Sealed, Seen, seal_due};
use crate::heartbeat::{Check, Checked, check_all, sweep_all};
use crate::hold::{self, Settled};
use crate::leader;
use crate::port::Redis;
use crate::proposal;
use crate::script::{
    Arguments, Call, MONITOR_ACQUIRE, MONITOR_RELEASE, Malformed, Reader, Script, Store,
    StoreError, unknown_status,
};
use crate::settings::Settings;
use crate::task::{Count, Counts, Due, clean_up, settle_due};

/// Steps of 100 in which one sweep forgets old tasks: the next sweep goes on.
const CLEANUP_STEPS: usize = 5;

/// Becomes the monitor, or stays it.
#[derive(Debug)]
pub struct Acquire<'a> {
    /// The host that asks: different for each process.
    pub host: &'a str,
    /// For how long, in milliseconds: some ticks.
    pub ttl_ms: i64,
}

/// Who monitors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The host that asked does.
    pub is_held: bool,
    /// The monitor.
    pub holder: String,
    /// Grows with every change of holder.
    pub term: i64,
}

impl Call for Acquire<'_> {
    type Reply = Lease;

    fn script(&self) -> &'static Script {
        &MONITOR_ACQUIRE
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.host).number(self.ttl_ms);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Lease, Malformed> {
        match status {
            "ok" => Ok(Lease { is_held: reply.flag()?, holder: reply.text()?, term: reply.int()? }),
            other => unknown_status(other),
        }
    }
}

/// Hands the monitor's lease back.
#[derive(Debug)]
pub struct Release<'a> {
    /// The host.
    pub host: &'a str,
    /// The term that it was given.
    pub term: i64,
}

impl Call for Release<'_> {
    /// Whether it was still the monitor.
    type Reply = bool;

    fn script(&self) -> &'static Script {
        &MONITOR_RELEASE
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.host).number(self.term);
    }

    fn read(&self, status: &str, _: &mut Reader) -> Result<bool, Malformed> {
        match status {
            "ok" => Ok(true),
            "fenced" => Ok(false),
            other => unknown_status(other),
        }
    }
}

/// What a tick did.
#[derive(Debug)]
pub struct Ticked {
    /// Nodes that were marked offline, or why none was.
    pub checked: Checked,
    /// Bots of the older system that were taken in.
    pub adopted: i64,
    /// What was due in the queue.
    pub due: Due,
    /// What came of holds whose time was over.
    pub holds: Settled,
    /// What came of sealing the journal.
    pub seals: Sealed,
    /// Proposals whose acceptance was left half done.
    pub proposals: i64,
    /// How many tasks there are; counted in each sweep.
    pub tasks: Option<Counts>,
}

/// What is due regularly: heartbeats, bots of the older system, the leadership, the task queue,
/// what was left half done, the ledger's holds and seals. The monitor calls it every second, the cron component as often as its
/// trigger says; `tick_ms` says how often. `seals_seen`: what the caller remembers of the ledger's seals.
/// Safe to cut anywhere and to run twice at once.
///
/// Old bots come first: their `hb:` keys must count before anybody is judged silent.
///
/// # Errors
/// [`StoreError`].
pub async fn tick<R: Redis>(
    store: &Store<R>,
    settings: &Settings,
    tick_ms: i64,
    sweep: bool,
    seals_seen: &Seen,
) -> Result<Ticked, StoreError> {
    let adopted = if sweep { sweep_all(store).await? } else { 0 };
    let timeout = settings.heartbeat_timeout;
    let check = Check { timeout, period_ms: timeout.longest_period_ms(), tick_ms: Some(tick_ms) };
    let checked = check_all(store, &check, None).await?.value;
    store.call(&leader::Show).await?;
    let due = settle_due(store, settings).await?;
    let holds = hold::settle_due(store, tick_ms).await?;
    let seals = seal_due(store, seals_seen).await?;
    let proposals = proposal::settle_unfinished(store, settings).await?;
    let mut tasks = None;
    if sweep {
        clean_up(store, TASK_KEPT_MS, CLEANUP_STEPS, None).await?;
        tasks = Some(store.call(&Count).await?);
    }
    Ok(Ticked { checked, adopted, due, proposals, holds, seals, tasks })
}
