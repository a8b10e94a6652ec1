//! Cron triggers: a component is called when its schedule says so, in UTC.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};
use reef_runtime::{CallError, Component};

use crate::metrics;

/// A trigger whose component is loaded.
#[derive(Debug)]
pub(crate) struct Job {
    /// What is called.
    pub(crate) component: Component,
    pub(crate) schedule: cron::Schedule,
}

/// Calls a job's component at its times; returns only when the schedule has no further time.
///
/// A run that takes longer than the pause between two times skips those it covers: runs never
/// overlap. Errors are logged and end nothing.
pub(crate) async fn run(job: &Job) {
    let component = job.component.id();
    let (succeeded, failed) = metrics::cron_runs(component);
    while let Some(pause) = until_next(&job.schedule, Utc::now()) {
        tokio::time::sleep(pause).await;
        let timestamp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        match outcome(job.component.handle_cron(timestamp).await) {
            Ok(()) => succeeded.increment(1),
            Err(error) => {
                tracing::error!(component, %error, "a cron trigger has failed");
                failed.increment(1);
            }
        }
    }
    tracing::warn!(component, "a cron trigger has no further time to run");
}

fn outcome(result: Result<Result<(), String>, CallError>) -> Result<(), String> {
    result.map_err(|error| error.to_string())?
}

/// How long to sleep until the next time after `now`.
fn until_next(schedule: &cron::Schedule, now: DateTime<Utc>) -> Option<Duration> {
    let next = schedule.after(&now).next()?;
    // A timer may fire a little early; without the extra millisecond the same second could be
    // found again.
    Some((next - now).to_std().unwrap_or_default() + Duration::from_millis(1))
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    #[test]
    fn the_next_time_lies_ahead() {
        let schedule = cron::Schedule::from_str("0/5 * * * * *").unwrap();
        let now = DateTime::parse_from_rfc3339("2026-02-04T04:58:03.500Z").unwrap().to_utc();
        assert_eq!(until_next(&schedule, now), Some(Duration::from_millis(1501)));
        let on_time = DateTime::parse_from_rfc3339("2026-02-04T04:58:05Z").unwrap().to_utc();
        assert_eq!(until_next(&schedule, on_time), Some(Duration::from_millis(5001)));
    }
}
