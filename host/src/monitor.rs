//! The monitor: what has to happen regularly, done by one host of several.
//!
//! Each round asks for the monitor's lease and, as its holder, runs the store's tick. The loop
//! survives everything: an error is logged, and the next round comes.

use std::sync::Arc;
use std::time::Duration;

use reef_redis::Connection;
use reef_store::audit::Seen;
use reef_store::entry::SealsSeen;
use reef_store::event::RollBack;
use reef_store::monitor::{Acquire, Age, Lease, Release, Ticked, tick};
use reef_store::restored::{Copy, go_on, void};
use reef_store::{Settings, Store, StoreError};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

use crate::alerts::Alerts;
use crate::alerts::watch::Watch;
use crate::era::Era;
use crate::metrics::{self, MonitorMetrics};
use crate::redis::inspect;
use crate::shutdown::Shutdown;

/// The lease runs for so many rounds: a monitor may miss four before another takes over.
const LEASE_TICKS: u32 = 5;
/// Bots of the older system must appear within 5 s; looking for them costs more than a check, so
/// it is not done in every round.
const SWEEP_PERIOD: Duration = Duration::from_millis(2500);
/// How many expired nodes a round names in the log; the events name them all.
const NAMED_MAX: usize = 20;

/// What the monitor needs to know.
#[derive(Debug)]
pub(crate) struct Monitor {
    /// The name of this host, different for each process.
    pub(crate) host: String,
    /// Where the hub's state is.
    pub(crate) store: Store<Connection>,
    /// What the hub's variables say.
    pub(crate) settings: Settings,
    /// The time between two rounds.
    pub(crate) tick: Duration,
    /// Who is told of what an operator should hear of.
    pub(crate) alerts: Option<Alerts>,
    /// What this host has seen, and which processes of Redis have answered it.
    pub(crate) era: Arc<Era>,
}

impl Monitor {
    /// Runs as a task until the program is asked to end; then the lease is handed back, so that
    /// another host need not wait for it.
    pub(crate) fn spawn(self, shutdown: Shutdown) -> JoinHandle<()> {
        let monitor = Arc::new(self);
        tokio::spawn(async move {
            loop {
                // A task of its own, so that a fault in one round is not the end of all rounds.
                let rounds = Arc::clone(&monitor).rounds(shutdown.clone());
                match tokio::spawn(rounds).await {
                    Ok(()) => return,
                    Err(error) => tracing::error!(%error, "the monitor has failed; it goes on"),
                }
                tokio::time::sleep(monitor.tick).await;
            }
        })
    }

    async fn rounds(self: Arc<Self>, shutdown: Shutdown) {
        let mut state = State::new();
        let mut ticks = tokio::time::interval(self.tick);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = shutdown.asked() => break,
                _ = ticks.tick() => {}
            }
            self.round(&mut state).await;
        }
        self.release(&state).await;
        self.era.seen().keep();
    }

    /// One round; whatever happens is logged and counted.
    async fn round(&self, state: &mut State) {
        let started = Instant::now();
        let result = self.try_round(state).await;
        match result {
            Ok(Some(ticked)) => {
                state.metrics.ticks_ok.increment(1);
                let took = started.elapsed();
                state.metrics.tick_duration.record(took);
                state.took_ms = i64::try_from(took.as_millis()).ok();
                state.report(&ticked);
                self.alert(state).await;
            }
            Ok(None) => {
                state.metrics.ticks_standby.increment(1);
                metrics::hide_spans();
            }
            Err(error) => {
                state.metrics.ticks_failed.increment(1);
                // One line for each failure of Redis, not one each second.
                if !state.is_failing {
                    tracing::error!(%error, "the monitor cannot work");
                    if let Some(alerts) = &self.alerts {
                        alerts.raise("monitor_failing", &json!({"error": error.to_string()}));
                    }
                }
                state.is_failing = true;
                return;
            }
        }
        if state.is_failing {
            tracing::info!("the monitor works again");
            state.is_failing = false;
        }
    }

    /// Raises alerts for what has happened. That it fails is no fault of the round.
    async fn alert(&self, state: &mut State) {
        let Some(alerts) = &self.alerts else { return };
        if let Err(error) = state.watch.look(&self.store, alerts).await {
            tracing::warn!(%error, "events could not be read for alerts; the next round does");
        }
    }

    /// `None`: another host is the monitor.
    async fn try_round(&self, state: &mut State) -> Result<Option<Ticked>, StoreError> {
        let tick_ms = i64::try_from(self.tick.as_millis()).unwrap_or(i64::MAX);
        let ttl_ms = tick_ms.saturating_mul(i64::from(LEASE_TICKS));
        let lease = self.acquire(ttl_ms, state.took_ms.take()).await?;
        state.take(lease);
        if state.term.is_none() {
            state.watch.forget();
            return Ok(None);
        }
        self.tell_of_rollback().await?;
        let changes = self.era.changes();
        if changes != state.changes {
            // Seals that were made on data that are no more.
            state.seals_seen = SealsSeen::default();
            state.audit_seen = Seen::default();
            state.changes = changes;
        }
        let sweep = state.swept.is_none_or(|swept| swept.elapsed() + self.tick >= SWEEP_PERIOD);
        let (seen, audited) = (&state.seals_seen, &state.audit_seen);
        let ticked = tick(&self.store, &self.settings, tick_ms, sweep, seen, audited).await?;
        state.seals_seen.clone_from(&ticked.seals.seen);
        // What another process said before it was looked at.
        if let Some(head) = ticked.seals.head.clone().filter(|_| self.era.changes() == changes) {
            self.era.seen().note_head(head);
        }
        self.tell_of_alterations(state, &ticked);
        self.look_at_audit(state, &ticked);
        if sweep {
            state.swept = Some(Instant::now());
            self.look_at_memory(state).await;
        }
        Ok(Some(ticked))
    }

    /// Shows how much memory Redis uses, and says once that little of it is left. A server that does not
    /// tell costs nothing else.
    #[expect(clippy::cast_precision_loss, reason = "memories are far below 2^53 bytes")]
    async fn look_at_memory(&self, state: &mut State) {
        let Ok(memory) = inspect::memory(self.store.redis()).await else { return };
        state.metrics.memory_used.set(memory.used as f64);
        state.metrics.memory_max.set(memory.max as f64);
        let is_low = memory.is_nearly_used_up();
        if is_low && !state.is_memory_low {
            tracing::warn!(used = memory.used, max = memory.max, "Redis has little memory left");
            if let Some(alerts) = &self.alerts {
                let data = json!({"used": memory.used, "max": memory.max});
                alerts.raise("store_nearly_full", &data);
            }
        }
        state.is_memory_low = is_low;
    }

    /// Asks for the lease; before it is taken, what was given out on data that are no more is made
    /// void.
    async fn acquire(&self, ttl_ms: i64, took_ms: Option<i64>) -> Result<Lease, StoreError> {
        let seen = self.era.seen().event().map(str::to_owned);
        let acquire = Acquire { host: &self.host, ttl_ms, seen: seen.as_deref(), took_ms };
        let lease = self.store.call(&acquire).await?;
        let tasks = match lease.age {
            Age::Current => {
                self.era.seen().note(&lease.youngest);
                return Ok(lease);
            }
            Age::Unfinished => go_on(&self.store).await?,
            Age::Older => {
                let copy = Copy { taken_at_ms: None, seen: seen.clone() };
                void(&self.store, &copy).await?
            }
        };
        let last_seen = seen.as_deref().unwrap_or_default();
        tracing::error!(
            last_seen,
            tasks,
            "Redis holds an older copy of the data than what was given out: leases and numbers of \
             before are void, and tasks that ran wait again; agents and workers must register anew"
        );
        if let Some(alerts) = &self.alerts {
            alerts.raise("data_restored", &json!({"last_seen": last_seen, "tasks": tasks}));
        }
        let lease = self.store.call(&Acquire { seen: None, took_ms: None, ..acquire }).await?;
        self.era.seen().note(&lease.youngest);
        Ok(lease)
    }

    /// Tells readers of events what the journal has lost.
    async fn tell_of_rollback(&self) -> Result<(), StoreError> {
        let Some(lost) = self.era.untold() else { return Ok(()) };
        self.store.call(&RollBack { first: lost.first, last: lost.last }).await?;
        self.era.note_told(lost);
        Ok(())
    }

    /// Says what was found in the ledger that the ledger has not written, each thing once.
    fn tell_of_alterations(&self, state: &mut State, ticked: &Ticked) {
        let broken = ticked.seals.broken.as_ref().filter(|_| !state.is_broken);
        state.is_broken = ticked.seals.broken.is_some();
        for what in [ticked.holds.altered.as_ref(), broken].into_iter().flatten() {
            tracing::error!("the ledger was altered, see `reef ledger verify`: {what}");
            if let Some(alerts) = &self.alerts {
                alerts.raise("ledger_altered", &json!({ "what": what }));
            }
        }
    }

    /// Says once that seals of the audit are missing.
    fn look_at_audit(&self, state: &mut State, ticked: &Ticked) {
        let Some(tended) = &ticked.audit else { return };
        state.audit_seen.clone_from(&tended.seen);
        if let Some(what) = tended.broken.as_ref().filter(|_| !state.is_audit_broken) {
            tracing::error!("the audit was altered, see `reef audit verify`: {what}");
            if let Some(alerts) = &self.alerts {
                alerts.raise("audit_altered", &json!({ "what": what }));
            }
        }
        state.is_audit_broken = tended.broken.is_some();
    }

    async fn release(&self, state: &State) {
        let Some(term) = state.term else { return };
        match self.store.call(&Release { host: &self.host, term }).await {
            Ok(_) => tracing::debug!("handed the monitor's lease back"),
            // It runs out by itself.
            Err(error) => tracing::debug!(%error, "could not hand the monitor's lease back"),
        }
    }
}

/// What a monitor remembers from round to round.
struct State {
    metrics: MonitorMetrics,
    /// The term, while this host is the monitor.
    term: Option<i64>,
    /// Who else is the monitor, as last logged.
    other: Option<String>,
    swept: Option<Instant>,
    /// How long the last round took, until others have been told.
    took_ms: Option<i64>,
    is_failing: bool,
    is_suspended: bool,
    /// Redis has little memory left, and it was said.
    is_memory_low: bool,
    /// The journal's seals, as they were last seen.
    seals_seen: SealsSeen,
    /// The same of the audit's.
    audit_seen: Seen,
    /// How often another process of Redis had answered then.
    changes: u64,
    /// Seals are missing, and it was said.
    is_broken: bool,
    /// The same of the audit.
    is_audit_broken: bool,
    watch: Watch,
}

impl State {
    fn new() -> Self {
        Self {
            metrics: MonitorMetrics::new(),
            term: None,
            other: None,
            swept: None,
            took_ms: None,
            is_failing: false,
            is_suspended: false,
            is_memory_low: false,
            seals_seen: SealsSeen::default(),
            audit_seen: Seen::default(),
            changes: 0,
            is_broken: false,
            is_audit_broken: false,
            watch: Watch::default(),
        }
    }

    /// Notes who is the monitor, and logs a change.
    #[expect(clippy::cast_precision_loss, reason = "terms stay far below 2^53")]
    fn take(&mut self, lease: Lease) {
        self.metrics.leading.set(f64::from(u8::from(lease.is_held)));
        self.metrics.term.set(lease.term as f64);
        if lease.is_held {
            if self.term.is_none() {
                tracing::info!(term = lease.term, "this host is the monitor");
            }
            self.term = Some(lease.term);
            self.other = None;
        } else {
            if self.other.as_deref() != Some(lease.holder.as_str()) {
                tracing::info!(monitor = %lease.holder, "another host is the monitor");
            }
            self.term = None;
            self.other = Some(lease.holder);
        }
    }

    /// Logs and counts what a round found.
    fn report(&mut self, ticked: &Ticked) {
        let expired = &ticked.checked.expired;
        for node in expired.iter().take(NAMED_MAX) {
            tracing::warn!(node = %node.node_id, hostname = %node.hostname, "a node fell silent and is offline");
        }
        if expired.len() > NAMED_MAX {
            tracing::warn!("and {} more nodes", expired.len() - NAMED_MAX);
        }
        self.metrics.expired.increment(expired.len() as u64);
        if ticked.adopted > 0 {
            tracing::info!(bots = ticked.adopted, "took in bots of the older system");
            self.metrics.adopted.increment(ticked.adopted.unsigned_abs());
        }
        if ticked.forgotten > 0 {
            tracing::debug!(tasks = ticked.forgotten, "forgot tasks that were kept long enough");
            self.metrics.tasks.forgotten.increment(ticked.forgotten.unsigned_abs());
        }
        self.metrics.tasks.count_runs(ticked.fired);
        let due = ticked.due;
        if due.leases > 0 {
            tracing::info!(tasks = due.leases, "leases of tasks ran out");
            self.metrics.leases_lost.increment(due.leases.unsigned_abs());
        }
        if let Some(counts) = &ticked.tasks {
            self.metrics.tasks.show(counts);
        }
        if let Some(today) = ticked.today {
            self.metrics.tasks.show_usage(today);
        }
        if let Some(limits) = &ticked.limits {
            self.metrics.tasks.show_limits(limits);
        }
        if due.without_lease > 0 {
            tracing::warn!(tasks = due.without_lease, "running tasks had no lease");
        }
        if due.finished > 0 {
            tracing::info!(tasks = due.finished, "finished tasks that were left half done");
        }
        if ticked.proposals > 0 {
            let proposals = ticked.proposals;
            tracing::info!(proposals, "finished accepting proposals that were left half done");
        }
        let suspended = ticked.checked.suspended;
        self.metrics.suspended.set(f64::from(u8::from(suspended.is_some())));
        match (self.is_suspended, suspended) {
            (false, Some(reason)) => tracing::error!("expiry is suspended: {reason}"),
            (true, None) => tracing::info!("expiry is no longer suspended"),
            _ => {}
        }
        self.is_suspended = suspended.is_some();
    }
}
