//! Whether the hub can work: asked by `/readyz`, by the metrics, and by a task that says in the
//! log when it changes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reef_api::durability::LevelGiven;
use reef_redis::{Connection, Touched, is_about_access};
use reef_store::cluster::{CheckReady, Readiness as Answer};
use reef_store::durability::Safety;
use reef_store::{RedisError, Store, StoreError};
use reef_web::Code;
use tokio::time::Instant;

use super::{durability, inspect};
use crate::era::Era;
use crate::metrics;

/// An answer this young is given again, so that nobody can load Redis by asking `/readyz`.
const FRESH: Duration = Duration::from_millis(200);
/// How often the log and the metrics learn about a change.
const WATCH_PERIOD: Duration = Duration::from_secs(1);
/// How many of these periods pass between two looks at the server's settings.
const LOOK_EVERY: u32 = 10;

/// Whether the hub can work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Status {
    /// It can.
    Ready,
    /// It cannot.
    NotReady {
        /// What a caller is told.
        code: Code,
        /// Why, in words that are fit for a caller.
        reason: &'static str,
        /// Why, for the log.
        cause: String,
    },
}

/// What is known about the readiness of the hub.
#[derive(Debug)]
pub(crate) struct Readiness {
    store: Store<Connection>,
    /// The last answer. Locked while a new one is fetched, so that one question goes to Redis
    /// however many ask.
    last: tokio::sync::Mutex<Option<(Instant, Status)>>,
    warnings: Mutex<Vec<String>>,
    era: Arc<Era>,
    /// How safe writes can be.
    levels: Mutex<Vec<LevelGiven<'static>>>,
    /// In what the hosts of this hub do not agree.
    concerns: Mutex<Vec<String>>,
}

impl Readiness {
    /// Over a store, with what the first look at the server has found.
    pub(crate) fn new(store: Store<Connection>, warnings: Vec<String>, era: Arc<Era>) -> Self {
        let (last, warnings) = (tokio::sync::Mutex::default(), Mutex::new(warnings));
        let levels = Mutex::default();
        Self { store, last, warnings, era, levels, concerns: Mutex::default() }
    }

    /// Whether Redis can be written now, and holds data that this program knows.
    pub(crate) async fn status(&self) -> Status {
        let mut last = self.last.lock().await;
        if let Some((when, status)) = last.as_ref()
            && when.elapsed() < FRESH
        {
            return status.clone();
        }
        let status = match self.store.call(&CheckReady).await {
            Ok(Answer::Ok) => Status::Ready,
            Ok(Answer::NewerSchema(version)) => Status::NotReady {
                code: Code::StoreUnavailable,
                reason: "The data was written by a newer version of the hub.",
                cause: format!("the data has version {version}"),
            },
            Err(StoreError::Redis(RedisError::Full(cause))) => Status::NotReady {
                code: Code::StoreFull,
                reason: "All the memory that Redis may use is in use. Reading still works.",
                cause,
            },
            Err(StoreError::Redis(RedisError::Resharding(cause))) => Status::NotReady {
                code: Code::StoreResharding,
                reason: "The hub's keys are on their way to another node of the Redis Cluster.",
                cause,
            },
            Err(error) => {
                let cause = error.to_string();
                let reason = if is_about_access(&cause) {
                    "Redis does not let the hub in: a password, or what its user may do."
                } else {
                    "Redis cannot be written."
                };
                Status::NotReady { code: Code::StoreUnavailable, reason, cause }
            }
        };
        *last = Some((Instant::now(), status.clone()));
        status
    }

    /// What about the server could lose data, and in what hosts disagree, one sentence each.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        warnings.into_iter().chain(self.era.warnings()).chain(self.concerns()).collect()
    }

    /// How safe writes can be, as far as is known.
    pub(crate) fn levels(&self) -> Vec<LevelGiven<'static>> {
        self.levels.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks how safe writes can be.
    pub(crate) async fn look_at_levels(&self) {
        let Ok(found) = durability::given(self.store.redis(), Duration::ZERO).await else { return };
        {
            let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
            if *levels != found {
                tracing::info!("writes can be made {}", durability::line(&found));
            }
            *levels = found;
        }
        self.ask_for_disk().await;
    }

    /// Writes something, and asks for it to be on the disk: whether a server's word about that is to be
    /// believed is tried out when somebody asks.
    async fn ask_for_disk(&self) {
        let touched = Touched::new(&self.store.keys().durable().into());
        let store = Store::new(self.store.redis().noting(&touched), self.store.keys().clone());
        if store.call(&CheckReady).await.is_ok() {
            touched.settle(Safety::DISK, Instant::now()).await;
        }
    }

    /// In what the hosts of this hub do not agree.
    pub(crate) fn concerns(&self) -> Vec<String> {
        self.concerns.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes in what the hosts do not agree in now.
    pub(crate) fn note_concerns(&self, found: Vec<String>) {
        *self.concerns.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }

    /// Keeps watching; never returns.
    pub(crate) async fn watch(&self) {
        let mut was = Status::Ready;
        let up = metrics::redis_up();
        let mut ticks = tokio::time::interval(WATCH_PERIOD);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut count: u32 = 0;
        loop {
            ticks.tick().await;
            let is = self.status().await;
            up.set(f64::from(u8::from(is == Status::Ready)));
            match (&was, &is) {
                (Status::Ready, Status::NotReady { reason, cause, .. }) => {
                    tracing::error!(%cause, "not ready: {reason}");
                }
                (Status::NotReady { .. }, Status::Ready) => tracing::info!("ready again"),
                _ => {}
            }
            // Another server may stand at the same address after a failure.
            let is_back = was != Status::Ready && is == Status::Ready;
            was = is;
            count = count.wrapping_add(1);
            if is_back || count.is_multiple_of(LOOK_EVERY) {
                self.look_again().await;
            }
        }
    }

    async fn look_again(&self) {
        self.look_at_levels().await;
        let Ok(Ok(inspection)) = inspect::look(self.store.redis()).await else { return };
        let found = inspection.sentences();
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        for warning in &found {
            if !warnings.contains(warning) {
                tracing::warn!("{warning}");
            }
        }
        *warnings = found;
    }
}
