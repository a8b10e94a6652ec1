//! One receiver of alerts: signed posts, repeated until it takes them.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use backon::{ExponentialBuilder, Retryable as _};
use futures_util::FutureExt as _;
use hmac::{Hmac, KeyInit, Mac};
use reef_client::Secret;
use reqwest::redirect::Policy;
use sha2::Sha256;
use tokio::sync::mpsc;
use url::Url;

use super::Alert;

/// How long a receiver may take for one post.
const POST_TIMEOUT: Duration = Duration::from_secs(10);
/// First pause after a post that was not taken, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));
/// Posts of one alert beyond the first: with the pauses above, about eight minutes.
const RETRIES: usize = 12;
/// Bytes of an answer that `reef alerts test` shows.
const ANSWER_MAX: usize = 2000;

/// Where alerts go.
#[derive(Debug)]
pub(crate) struct Receiver {
    url: Url,
    secret: Secret,
    client: reqwest::Client,
}

/// What a receiver has answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// The beginning of the body.
    pub(crate) body: String,
}

impl Answer {
    /// Whether the alert was taken.
    pub(crate) fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Receiver {
    /// # Errors
    /// TLS cannot be used on this machine.
    pub(crate) fn new(url: Url, secret: Secret) -> Result<Self> {
        let client = reqwest::Client::builder()
            .user_agent(concat!("reef/", env!("CARGO_PKG_VERSION")))
            .timeout(POST_TIMEOUT)
            // An alert is for this receiver, not for where it may point to.
            .redirect(Policy::none())
            .tls_backend_preconfigured(reef_client::tls(url.scheme())?)
            .build()
            .context("no client for alerts")?;
        Ok(Self { url, secret, client })
    }

    /// The address without what may be secret in it.
    pub(crate) fn shown(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Posts an alert once.
    ///
    /// # Errors
    /// There was no answer.
    pub(crate) async fn post(&self, alert: &Alert) -> Result<Answer> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let request = self
            .client
            .post(self.url.clone())
            .header("content-type", "application/json")
            .header("x-reef-alert-id", &alert.id)
            .header("x-reef-signature", signature(&self.secret, now, &alert.body))
            .body(alert.body.clone());
        // The text of such an error may hold the address.
        let mut answer = request.send().await.map_err(reqwest::Error::without_url)?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = answer.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() >= ANSWER_MAX {
                body.truncate(ANSWER_MAX);
                break;
            }
        }
        Ok(Answer { status, body: String::from_utf8_lossy(&body).into_owned() })
    }

    /// Delivers what comes, in order, until nothing comes any more.
    pub(super) async fn deliver_all(self, mut waiting: mpsc::Receiver<Alert>) {
        while let Some(alert) = waiting.recv().await {
            // A fault costs this alert, and not those behind it.
            if AssertUnwindSafe(self.deliver(&alert)).catch_unwind().await.is_err() {
                tracing::error!(alert = %alert.id, "an alert was not delivered");
            }
        }
    }

    /// Posts until the receiver takes it, or it is too late.
    async fn deliver(&self, alert: &Alert) {
        let post = async || match self.post(alert).await {
            Ok(answer) if answer.is_good() => Ok(()),
            Ok(answer) => anyhow::bail!("it answered {}", answer.status),
            Err(error) => Err(error),
        };
        let pauses = ExponentialBuilder::default()
            .with_min_delay(PAUSE.0)
            .with_max_delay(PAUSE.1)
            .with_max_times(RETRIES)
            .with_jitter();
        let receiver = self.shown();
        let retried = post.retry(pauses).notify(|error, _| {
            tracing::debug!(%receiver, alert = %alert.id, "not delivered yet: {error:#}");
        });
        if let Err(error) = retried.await {
            tracing::error!(%receiver, alert = %alert.id, "an alert was not delivered: {error:#}");
        }
    }
}

/// `t=<Unix seconds>,v1=<hex of HMAC-SHA256 over "<t>.<body>">`: a receiver that checks the time too
/// cannot be fooled by an alert that was sent before.
fn signature(secret: &Secret, now: u64, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).map(|mut mac| {
        mac.update(format!("{now}.{body}").as_bytes());
        mac.finalize().into_bytes()
    });
    // HMAC takes a key of any length.
    let hex: String = mac.iter().flatten().map(|byte| format!("{byte:02x}")).collect();
    format!("t={now},v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_what_others_compute() {
        // printf '1700000000.{}' | openssl dgst -sha256 -hmac sesame
        let secret = Secret::new("sesame").unwrap();
        let expected =
            "t=1700000000,v1=d3abd3f5600670832b9e0ff7116224a4ba4b043d1ef3a02836e89810336ec0cc";
        assert_eq!(signature(&secret, 1_700_000_000, "{}"), expected);
    }
}
