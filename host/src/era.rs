//! Which process of Redis answers, looked at before the first script over each connection: another one
//! than before may hold less than what was given out (docs/adr/0009-eras.md).

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reef_redis::{Done, Error, Greeted, Greeting};
use reef_store::keys::Keys;
use reef_store::restored::{Arrival, Arrived};
use reef_store::{Redis, RedisError, Store, StoreError, cluster, entry};

use crate::seen::Seen;

/// Entries of the journal that this hub had written and that are no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RolledBack {
    /// The number of the first.
    pub(crate) first: i64,
    /// The number of the last that was known.
    pub(crate) last: i64,
}

/// What this host knows of the processes of Redis that have answered it.
#[derive(Debug)]
pub(crate) struct Era {
    keys: Keys,
    /// This host runs the server itself, which writes each change to its disk before it answers.
    trusts: bool,
    seen: Mutex<Seen>,
    /// Grows when another process answers than before.
    changes: AtomicU64,
    /// Its user may not ask which process it is.
    is_blind: AtomicBool,
    /// What the journal has lost, as last noticed; and whether that is still to be told as an event.
    rolled_back: Mutex<(Option<RolledBack>, bool)>,
}

impl Era {
    /// Nothing is known yet.
    pub(crate) fn new(keys: Keys, trusts: bool) -> Self {
        Self {
            keys,
            trusts,
            seen: Mutex::default(),
            changes: AtomicU64::new(0),
            is_blind: AtomicBool::new(false),
            rolled_back: Mutex::default(),
        }
    }

    /// What this host has seen.
    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Grows when another process answers than before.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// What the journal has lost since this host has run, if it is still to be told as an event.
    pub(crate) fn untold(&self) -> Option<RolledBack> {
        let rolled_back = self.rolled_back.lock().unwrap_or_else(PoisonError::into_inner);
        rolled_back.0.filter(|_| rolled_back.1)
    }

    /// It was told.
    pub(crate) fn note_told(&self, what: RolledBack) {
        let mut rolled_back = self.rolled_back.lock().unwrap_or_else(PoisonError::into_inner);
        if rolled_back.0 == Some(what) {
            rolled_back.1 = false;
        }
    }

    /// What an operator should hear of, one sentence each.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let rolled_back = self.rolled_back.lock().unwrap_or_else(PoisonError::into_inner).0;
        let lost = rolled_back.map(|RolledBack { first, last }| {
            format!(
                "ledger_rolled_back: Redis came back without the entries {first} to {last} of the \
                 journal, which were acknowledged; the journal says so itself (`reef ledger verify`)"
            )
        });
        let blind = self.is_blind.load(Ordering::Relaxed).then(|| {
            "the hub's user of Redis may not use INFO: after a failover that loses writes, numbers \
             that were given out may come again; give it the commands of deploy/redis.acl"
                .to_owned()
        });
        lost.into_iter().chain(blind).collect()
    }

    /// Looks at the server that has the cluster's keys, and at the one that has the ledger's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn look<R: Redis>(&self, store: &Store<R>) -> Result<(), StoreError> {
        self.look_at_cluster(store).await?;
        self.look_at_ledger(store).await
    }

    async fn look_at_cluster<R: Redis>(&self, store: &Store<R>) -> Result<(), StoreError> {
        let (known, seen) = {
            let seen = self.seen();
            (seen.era(), seen.event().map(str::to_owned))
        };
        let arrive = cluster::Arrive { trusts: self.trusts, era: known, seen: seen.as_deref() };
        let Arrived { arrival, era } = store.call(&arrive).await?;
        self.seen().note_era(era);
        match arrival {
            Arrival::Known if era == known => return Ok(()),
            Arrival::Known => tracing::debug!(era, "another host has seen this process of Redis"),
            Arrival::Noted => tracing::debug!(era, "this process of Redis is new"),
            Arrival::Changed => tracing::warn!(
                era,
                "another process of Redis answers, which may hold less than what was given out: \
                 numbers go on above all of it, and nobody leads any longer"
            ),
            // The monitor says the rest when it has gone through tasks and nodes.
            Arrival::Older => tracing::error!(era, "an event that was seen is no more in Redis"),
        }
        self.changes.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    async fn look_at_ledger<R: Redis>(&self, store: &Store<R>) -> Result<(), StoreError> {
        let (known, head) = {
            let seen = self.seen();
            (seen.ledger_era(), seen.head().cloned())
        };
        let (seen, link) = head.as_ref().map_or((0, ""), |it| (it.number, it.link.as_str()));
        let found = store.call(&entry::Arrive { era: known, seen, link }).await?;
        self.seen().note_ledger_era(found.era);
        // Another host may have come there first.
        if found.is_new || found.era != known {
            self.changes.fetch_add(1, Ordering::AcqRel);
        }
        if found.first > 0 {
            let (first, last) = (found.first, found.last);
            tracing::error!(first, last, "ledger_rolled_back: entries of the journal are no more");
            // What is there now is not what was seen.
            self.seen().forget_head();
            let lost = Some(RolledBack { first, last });
            let mut noted = self.rolled_back.lock().unwrap_or_else(PoisonError::into_inner);
            // Over another connection it may have been found a moment before, and is to be told yet.
            if found.is_news || !noted.1 {
                *noted = (lost, found.is_news);
            }
        }
        Ok(())
    }

    /// What an error means for the greeting.
    fn judge(&self, result: Result<(), StoreError>) -> Result<Done, Error> {
        let error = match result {
            Ok(()) => return Ok(Done::Now),
            Err(StoreError::Redis(error)) => error,
            Err(error) => return Err(Error::Unavailable(error.to_string())),
        };
        let text = error.to_string();
        let lower = text.to_ascii_lowercase();
        let says = |words: &str| lower.contains(words);
        if says("moved: ") {
            // These keys are another node's.
            return Ok(Done::Now);
        }
        // The last is said of a command within a script.
        if ["no permissions", "noperm", "can't run this command"].into_iter().any(says) {
            if !self.is_blind.swap(true, Ordering::Relaxed) {
                tracing::warn!("{}", self.warnings().last().map_or("", String::as_str));
            }
            return Ok(Done::Now);
        }
        let is_replica = says("read only replica") || says("readonly");
        match error {
            RedisError::Resharding(_) => Ok(Done::NotYet),
            other if other.is_about_writes() && !is_replica => Ok(Done::NotYet),
            // A replica may take the place of its primary at any moment.
            _ => Err(Error::Unavailable(text)),
        }
    }
}

impl Greeting for Era {
    fn greet(&self, server: Greeted) -> BoxFuture<'_, Result<Done, Error>> {
        async move {
            let store = Store::new(server, self.keys.clone());
            let cluster = self.judge(self.look_at_cluster(&store).await)?;
            let ledger = self.judge(self.look_at_ledger(&store).await)?;
            let is_done = [cluster, ledger].iter().all(|done| *done == Done::Now);
            Ok(if is_done { Done::Now } else { Done::NotYet })
        }
        .boxed()
    }
}
