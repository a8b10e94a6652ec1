//! The signals that end the program: the first one asks, the second one insists.

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::logging;

/// Tells whoever holds a copy when the program was asked to end.
#[derive(Debug, Clone)]
pub(crate) struct Shutdown {
    asked: watch::Receiver<bool>,
}

impl Shutdown {
    /// Begins to listen for SIGTERM and SIGINT. On the second one the process ends at once, with
    /// code 130; what it leaves behind is safe, a private Redis keeps running and is taken over
    /// by the next start.
    pub(crate) fn listen() -> Result<Self> {
        let mut term = signal(SignalKind::terminate()).context("SIGTERM")?;
        let mut int = signal(SignalKind::interrupt()).context("SIGINT")?;
        let (ask, asked) = watch::channel(false);
        tokio::spawn(async move {
            for is_first in [true, false] {
                let name = tokio::select! {
                    _ = term.recv() => "SIGTERM",
                    _ = int.recv() => "SIGINT",
                };
                if is_first {
                    tracing::info!("{name}: stopping; a second one stops at once");
                    ask.send_replace(true);
                } else {
                    tracing::warn!("{name} again: stopping at once");
                    logging::finish();
                    std::process::exit(130);
                }
            }
        });
        Ok(Self { asked })
    }

    /// Waits until the program was asked to end.
    pub(crate) async fn asked(&self) {
        let mut asked = self.asked.clone();
        // The sender lives as long as the runtime; should it ever be gone, ending is right.
        let _ = asked.wait_for(|asked| *asked).await;
    }
}
