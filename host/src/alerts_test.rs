//! `reef alerts test`: one alert to each webhook, and what that answers.

use anyhow::{Context as _, anyhow};
use reef_domain::shown::in_line;
use serde_json::json;

use crate::alerts::{Alert, Settings};
use crate::cli::AlertsVerb;
use crate::failure::Failure;
use crate::output::print;

/// Runs it to its end.
pub(crate) fn run_blocking(verb: &AlertsVerb) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start")?;
    let AlertsVerb::Test(args) = verb;
    let settings = Settings::read(args).map_err(Failure::Usage)?;
    let settings = settings.ok_or_else(|| {
        Failure::usage("no webhook is named: give --alert-url URL or REEF_ALERT_URL")
    })?;
    runtime.block_on(async {
        tokio::select! {
            result = test(&settings) => result,
            _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
        }
    })
}

async fn test(settings: &Settings) -> Result<(), Failure> {
    let alert = Alert::new("test", "reef alerts test", &json!({"message": "This is a test."}));
    let mut worst = Ok(());
    for receiver in settings.receivers()? {
        let shown = receiver.shown();
        let line = match receiver.post(&alert).await {
            Ok(answer) => {
                if !answer.is_good() && worst.is_ok() {
                    worst = Err(Failure::Runtime(anyhow!("{shown} did not take the alert")));
                }
                format!("{shown}  {}  {}", answer.status, answer.body.trim())
            }
            Err(error) => {
                worst = Err(Failure::unreachable(format!("{shown} cannot be reached: {error:#}")));
                continue;
            }
        };
        print(&in_line(line.trim_end()))?;
    }
    worst
}
