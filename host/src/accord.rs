//! Whether hosts of one hub agree: each notes how it is set, and compares itself with the others at
//! work; and whether one hub's data lie in one Redis under two layouts.
//!
//! What disagrees is a warning of `/readyz`, a line of the log and an alert.

use std::sync::Arc;
use std::time::Duration;

use reef_redis::Connection;
use reef_store::host::{Join, Joined};
use reef_store::variables::{Agreement, VARIABLES};
use reef_store::{Settings, Store, StoreError};
use serde_json::json;
use tokio::time::MissedTickBehavior;

use crate::alerts::Alerts;
use crate::manifest::variables::Variables;
use crate::redis::layouts;
use crate::redis::readiness::Readiness;

/// How often a host renews its note.
const PERIOD: Duration = Duration::from_secs(5);
/// How many of these pass between two looks for the other layout.
const LOOK_EVERY: u32 = 6;
/// How long a host that ends waits for its last word.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(1);

/// The settings in which hosts of one hub must agree: those that serve requests, and those that only
/// monitor.
pub(crate) fn shared_settings(variables: &Variables, serves: bool) -> Vec<(String, String)> {
    let names = VARIABLES.iter().filter(|variable| match variable.agreement {
        Agreement::None => false,
        Agreement::Servers => serves,
        Agreement::All => true,
    });
    let value = |name: &str| {
        let text = variables.get(name).filter(|text| !text.is_empty())?;
        // 90 and 90.0 are the same.
        Some(text.parse::<f64>().map_or_else(|_| text.to_owned(), |number| number.to_string()))
    };
    names.filter_map(|known| Some((known.name.to_owned(), value(known.name)?))).collect()
}

/// A host, as the others see it.
#[derive(Debug)]
pub(crate) struct Accord {
    /// Its name, different for each process.
    pub(crate) host: String,
    /// What people call it.
    pub(crate) who: String,
    pub(crate) store: Store<Connection>,
    pub(crate) settings: Settings,
    /// In which hosts must agree.
    pub(crate) shared: Vec<(String, String)>,
    pub(crate) readiness: Arc<Readiness>,
    pub(crate) alerts: Option<Alerts>,
}

impl Accord {
    /// Notes this host for the first time, and says how the hub is called; `None` while Redis cannot
    /// be written.
    pub(crate) async fn begin(&self) -> Option<String> {
        let mut told = Vec::new();
        match self.compare(&mut told, true).await {
            Ok(joined) => Some(joined.hub),
            Err(error) => {
                tracing::debug!(%error, "this host could not be noted");
                None
            }
        }
    }

    /// Renews the note; never returns.
    pub(crate) async fn keep(&self) {
        let mut told = self.readiness.concerns();
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        let mut count: u32 = 0;
        loop {
            ticks.tick().await;
            count = count.wrapping_add(1);
            // That Redis is away is told by others.
            let _ = self.compare(&mut told, count.is_multiple_of(LOOK_EVERY)).await;
        }
    }

    /// This host ends: it is not compared any more.
    pub(crate) async fn leave(&self) {
        let last = tokio::time::timeout(LEAVE_TIMEOUT, self.join(false));
        if !matches!(last.await, Ok(Ok(_))) {
            tracing::debug!("could not take the note of this host back; it runs out");
        }
    }

    async fn join(&self, stays: bool) -> Result<Joined, StoreError> {
        let random = uuid::Uuid::now_v7().simple().to_string();
        let timeout = self.settings.heartbeat_timeout;
        let settings: Vec<String> =
            self.shared.iter().flat_map(|(name, value)| [name.clone(), value.clone()]).collect();
        let join = Join {
            host: &self.host,
            who: &self.who,
            stays,
            timeout_ms: timeout.as_millis(),
            period_ms: timeout.longest_period_ms(),
            random: &random,
            settings: &settings,
        };
        self.store.call(&join).await
    }

    async fn compare(&self, told: &mut Vec<String>, looks: bool) -> Result<Joined, StoreError> {
        let joined = self.join(true).await?;
        let mut found: Vec<String> = joined.differences.iter().map(ToString::to_string).collect();
        if looks {
            found.extend(layouts::find(self.store.redis(), &self.settings.keys).await);
        } else {
            found.extend(told.iter().filter(|words| layouts::is_about(words)).cloned());
        }
        for words in found.iter().filter(|words| !told.contains(words)) {
            tracing::warn!("{words}");
            if let Some(alerts) = &self.alerts {
                alerts.raise("hosts_disagree", &json!({ "what": words }));
            }
        }
        if found.is_empty() && !told.is_empty() {
            tracing::info!("the hosts of this hub agree again");
        }
        self.readiness.note_concerns(found.clone());
        *told = found;
        Ok(joined)
    }
}
