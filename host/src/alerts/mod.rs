//! Alerts: what an operator should hear of is posted to webhooks.
//!
//! - [`delivery`]: one post, signed; the attempts until it is taken.
//! - [`watch`]: the cluster's events as alerts.
//!
//! The monitor never waits for a receiver: each has a queue of bounded length and a task that empties
//! it. What does not fit is counted in the log and lost; the event log still has it.

pub(crate) mod delivery;
pub(crate) mod watch;

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use reef_client::Secret;
use serde_json::{Value, json};
use tokio::sync::mpsc::{self, Sender, error::TrySendError};
use url::Url;

use self::delivery::Receiver;
use crate::cli::AlertArgs;

/// Alerts that wait for one receiver. When half of a large fleet falls silent these are the first
/// ones of it, which say enough.
const QUEUE_LEN: usize = 1000;

/// Where alerts go, and the secret that they are signed with.
#[derive(Debug)]
pub(crate) struct Settings {
    urls: Vec<Url>,
    secret: Secret,
}

impl Settings {
    /// Checks what was typed; `None` if no receiver is named.
    ///
    /// # Errors
    /// An address that is none, or no secret. No address is repeated: its path may be a secret.
    pub(crate) fn read(args: &AlertArgs) -> Result<Option<Self>> {
        let urls = args.alert_url.iter().filter(|url| !url.is_empty());
        let urls: Vec<Url> = urls.map(|url| read_url(url)).collect::<Result<_>>()?;
        if urls.is_empty() {
            return Ok(None);
        }
        let file: Option<&Path> = args.alert_secret_file.as_deref();
        let file = file.context(
            "--alert-url needs --alert-secret-file: receivers tell by the signature who has sent \
             an alert",
        )?;
        Ok(Some(Self { urls, secret: Secret::read(file)? }))
    }

    /// What must not be shown: the secret, and the addresses, whose paths may be secrets.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = String> {
        let addresses = self.urls.iter().flat_map(|url| [url.as_str(), url.path()]);
        let secrets = std::iter::once(self.secret.expose()).chain(addresses);
        secrets.map(str::to_owned)
    }

    /// A client for each receiver.
    ///
    /// # Errors
    /// TLS cannot be used on this machine.
    pub(crate) fn receivers(&self) -> Result<Vec<Receiver>> {
        self.urls.iter().map(|url| Receiver::new(url.clone(), self.secret.clone())).collect()
    }
}

fn read_url(text: &str) -> Result<Url> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.context("--alert-url wants http://… or https://…")?;
    ensure!(url.has_host(), "--alert-url names no host");
    Ok(url)
}

/// Something that an operator should hear of.
#[derive(Debug, Clone)]
pub(crate) struct Alert {
    id: String,
    body: String,
}

impl Alert {
    /// `kind`: `node_offline leader_changed expiry_suspended task_dead ledger_altered audit_altered data_restored
    /// store_changed ledger_rolled_back hosts_disagree monitor_failing store_nearly_full test`.
    pub(crate) fn new(kind: &str, host: &str, data: &Value) -> Self {
        let id = format!("alert_{}", uuid::Uuid::now_v7().simple());
        let body = json!({"alert_id": id, "type": kind, "host": host, "data": data}).to_string();
        Self { id, body }
    }
}

/// Hands alerts to the receivers' queues. Dropping it lets the deliveries end.
#[derive(Debug, Clone)]
pub(crate) struct Alerts {
    host: String,
    queues: Vec<Sender<Alert>>,
}

impl Alerts {
    /// Starts the deliveries. Must be called inside the tokio runtime.
    ///
    /// # Errors
    /// TLS cannot be used on this machine.
    pub(crate) fn start(settings: &Settings, host: &str) -> Result<Self> {
        let receivers = settings.receivers()?;
        let queues = receivers.into_iter().map(|receiver| {
            let (queue, waiting) = mpsc::channel(QUEUE_LEN);
            tokio::spawn(receiver.deliver_all(waiting));
            queue
        });
        Ok(Self { host: host.to_owned(), queues: queues.collect() })
    }

    /// Queues an alert for every receiver. Never waits.
    pub(crate) fn raise(&self, kind: &str, data: &Value) {
        let alert = Alert::new(kind, &self.host, data);
        for queue in &self.queues {
            match queue.try_send(alert.clone()) {
                Ok(()) => {}
                Err(TrySendError::Full(_)) => {
                    tracing::error!(kind, "an alert is lost: too many wait for their receiver");
                }
                Err(TrySendError::Closed(_)) => {
                    tracing::error!(kind, "an alert is lost: its delivery has ended");
                }
            }
        }
    }
}
