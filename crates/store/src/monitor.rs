//! The monitor's tick, and the lease by which one of several hosts does it: `lua/monitor/`.

use std::time::Duration;

use crate::audit::{self, Tended};
pub use reef_api::cluster::MonitorLag;

use crate::bulk;
use crate::entry::{Sealed, SealsSeen, seal_due};
use crate::heartbeat::{Check, Checked, check_all, sweep_all};
use crate::history;
use crate::hold::{self, Settled};
use crate::leader;
use crate::limit::{Limit, List};
use crate::port::{Redis, RedisError};
use crate::proposal;
use crate::schedule::{self, Fired};
use crate::script::{FromReply, Malformed, Reader, Store, StoreError, rows};
use crate::settings::Settings;
use crate::steps::{Step, Steps};
use crate::task::{Count, Counts, Due, expire, settle_due};
use crate::usage::{self, Used};

include!(concat!(env!("OUT_DIR"), "/calls_monitor.rs"));

/// The part of a tick, one in so many, that goes on forgetting tasks while there are some to forget.
const JANITOR_SHARE: u64 = 4;

/// The part of a tick, one in so many, that goes on with changes of many tasks: somebody waits for these.
const BULK_SHARE: u64 = 2;

/// The part of a tick, one in so many, that begins what schedules say.
const SCHEDULES_SHARE: u64 = 4;

/// Longest that one tick does any of these: where ticks are far apart, they take no longer.
const TIME_MAX: Duration = Duration::from_secs(1);

/// Steps of 100 in which a tick adds up what was used lately.
const ROLL_UPS: usize = 20;

/// Steps of 200 in which a tick moves what was counted lately into minutes and hours.
const ROLLS: usize = 20;

/// Limits that a tick looks at, the newest first.
const LIMITS_SHOWN: i64 = 100;

/// Whether something that was given out has to be made void.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// The data hold all that the host has seen of them.
    Current,
    /// They are older than what the host has seen, and nobody has noticed yet.
    Older,
    /// Somebody has begun to make void what was given out, and not finished.
    Unfinished,
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
    /// The youngest event; `0-0` for none.
    pub youngest: String,
    /// Whether the data are older than what was given out.
    pub age: Age,
}

/// How monitoring goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Monitoring {
    /// The host that monitors.
    pub holder: Option<String>,
    /// Its term, or the last one.
    pub term: i64,
    /// Until when it does if it says nothing more, in milliseconds since 1970.
    pub until: Option<i64>,
    /// Rounds that it has done in this term.
    pub ticks: i64,
    /// When it was last heard of after a round, in milliseconds since 1970.
    pub ticked_at: Option<i64>,
    /// How long that round took, in milliseconds.
    pub took_ms: Option<i64>,
    /// For how long what the monitor does is due.
    pub lag: MonitorLag,
}

rows! {
    Monitoring { holder, term, until, ticks, ticked_at, took_ms, lag }
    MonitorLag { leases, delayed, waits, endings, limits, schedules, janitor }
}

impl FromReply for Lease {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            is_held: reply.flag()?,
            holder: reply.text()?,
            term: reply.int()?,
            youngest: reply.text()?,
            age: match reply.int()? {
                0 => Age::Current,
                1 => Age::Older,
                2 => Age::Unfinished,
                other => return Err(Malformed(format!("{other} says nothing of the data's age"))),
            },
        })
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
    /// What came of sealing the audit; done in each sweep.
    pub audit: Option<Tended>,
    /// Proposals whose acceptance was left half done.
    pub proposals: i64,
    /// Tasks that were forgotten, since they have been kept as long as they were to be.
    pub forgotten: i64,
    /// What came of runs whose time had come.
    pub fired: Fired,
    /// How many tasks there are; counted in each sweep.
    pub tasks: Option<Counts>,
    /// The newest limits; read in each sweep.
    pub limits: Option<Vec<Limit>>,
    /// What was used today; read in each sweep.
    pub today: Option<Used>,
}

/// What is due regularly: heartbeats, bots of the older system, the leadership, the task queue,
/// what was left half done, the ledger's holds and seals. The monitor calls it every second, the cron component as often as its
/// trigger says; `tick_ms` says how often. `seals_seen`: what the caller remembers of the ledger's seals,
/// `audit_seen` of the audit's.
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
    seals_seen: &SealsSeen,
    audit_seen: &audit::Seen,
) -> Result<Ticked, StoreError> {
    let adopted = if sweep { sweep_all(store).await? } else { 0 };
    let timeout = settings.heartbeat_timeout;
    let check = Check {
        timeout_ms: timeout.as_millis(),
        period_ms: timeout.longest_period_ms(),
        tick_ms: Some(tick_ms),
        is_asked_for: false,
    };
    let checked = check_all(store, &check, None).await?.value;
    let kept_ms = settings.task_kept_ms;
    // Before what a Redis that is full refuses, since this frees memory.
    let forgotten = expire(store, kept_ms, share_of(tick_ms, JANITOR_SHARE)).await?;
    store.call(&leader::Show).await?;
    unless_full(bulk::advance(store, None, share_of(tick_ms, BULK_SHARE)).await)?;
    let time = share_of(tick_ms, SCHEDULES_SHARE);
    let fired = unless_full(schedule::fire_due(store, settings, time).await)?;
    let due = unless_full(settle_due(store, settings).await)?;
    usage::roll_up(store, ROLL_UPS).await?;
    history::roll(store, ROLLS).await?;
    let holds = unless_full(hold::settle_due(store, tick_ms).await)?;
    let seals = match seal_due(store, seals_seen).await {
        Err(error) if is_full(&error) => Sealed { seen: seals_seen.clone(), ..Sealed::default() },
        other => other?,
    };
    let proposals = unless_full(proposal::settle_unfinished(store, settings).await)?;
    let (mut tasks, mut limits, mut today, mut tended) = (None, None, None, None);
    if sweep {
        tended = match audit::tend(store, audit_seen, audit::Kept::default()).await {
            Err(error) if is_full(&error) => None,
            other => Some(other?),
        };
        tasks = Some(store.call(&Count { kept_ms }).await?);
        let mut shown = Steps::new(LIMITS_SHOWN, None);
        while let Some(Step { limit, from: below, filled }) = shown.step() {
            shown.add(store.call(&List { limit, below, filled }).await?);
        }
        limits = Some(shown.rows);
        today = Some(usage::today(store).await?);
    }
    Ok(Ticked {
        checked,
        adopted,
        due,
        proposals,
        holds,
        seals,
        audit: tended,
        forgotten,
        fired,
        tasks,
        limits,
        today,
    })
}

fn share_of(tick_ms: i64, share: u64) -> Duration {
    Duration::from_millis(u64::try_from(tick_ms).unwrap_or_default() / share).min(TIME_MAX)
}

fn is_full(error: &StoreError) -> bool {
    matches!(error, StoreError::Redis(RedisError::Full(_)))
}

/// What a Redis that is full has refused is done by a later tick; the rest of this one goes on.
fn unless_full<T: Default>(done: Result<T, StoreError>) -> Result<T, StoreError> {
    match done {
        Err(error) if is_full(&error) => Ok(T::default()),
        other => other,
    }
}
