//! `reef bench`: how fast a hub is that is at work, with the caller's own key: what a client there
//! would see. A small load for a short time; what it makes for that is removed at its end, also after
//! Ctrl-C.

mod lanes;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use futures_util::future::join_all;
use hdrhistogram::Histogram;
use reef_client::Error;
use serde::Serialize;
use tokio::sync::watch;

use self::lanes::Lanes;
use crate::Context;
use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::messages::seconds;
use crate::output::Output;
use crate::table::columns;

/// Shown above its `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef bench                                  heartbeats, for five seconds over four connections
  reef bench tasks --seconds 10 --connections 8
  reef bench append --json
";

/// The longest time that is counted, in microseconds.
const LONGEST_US: u64 = 60_000_000;
/// The pause after an answer that is no success, where the hub asks for none.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest such pause: the load ends soon.
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// How long a load may last.
const SECONDS: std::ops::RangeInclusive<f64> = 0.1..=60.0;

/// What is asked again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// A node for each connection says that it lives
    Heartbeats,
    /// A task is submitted, claimed and completed
    Tasks,
    /// A piece of text is appended to a message
    Append,
}

/// `reef bench`.
#[derive(Debug, Args)]
pub struct Bench {
    #[command(flatten)]
    pub(crate) hub: HubArgs,

    /// What is asked again and again
    #[arg(value_enum, default_value = "heartbeats")]
    what: What,

    /// How long, 0.1 to 60
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    seconds: Duration,

    /// Over how many connections, 1 to 64; each waits for its answer before it asks again
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    connections: u32,

    /// Also a hub that is not on this machine: others may be using it
    #[arg(long)]
    yes: bool,
}

/// What was seen of one kind of request.
#[derive(Debug)]
struct Seen {
    micros: Histogram<u64>,
}

/// What was seen, by kind of request in their order, and what went wrong.
#[derive(Debug, Default)]
struct Tally {
    kinds: Vec<(&'static str, Seen)>,
    faults: BTreeMap<String, u64>,
}

/// One kind of request, for programs.
#[derive(Debug, Serialize)]
struct Row {
    request: &'static str,
    count: u64,
    rate: f64,
    p50_ms: f64,
    p90_ms: f64,
    p99_ms: f64,
    max_ms: f64,
}

#[derive(Debug, Serialize)]
struct Report<'a> {
    hub: &'a str,
    seconds: f64,
    connections: u32,
    requests: Vec<Row>,
    /// How often each problem was answered.
    faults: &'a BTreeMap<String, u64>,
}

impl Tally {
    fn count(&mut self, kind: &'static str, took: Duration) -> Result<(), Failure> {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).clamp(1, LONGEST_US);
        if let Some((_, seen)) = self.kinds.iter_mut().find(|(known, _)| *known == kind) {
            seen.micros.saturating_record(micros);
            return Ok(());
        }
        let made = Histogram::new_with_bounds(1, LONGEST_US, 3);
        let mut histogram = made.map_err(|error| Failure::Failed(error.to_string()))?;
        histogram.saturating_record(micros);
        self.kinds.push((kind, Seen { micros: histogram }));
        Ok(())
    }

    /// A request that was not fulfilled; how long to wait before the next.
    fn fault(&mut self, error: &Error) -> Duration {
        let name = match error.problem() {
            Some(problem) if !problem.code.as_str().is_empty() => problem.code.to_string(),
            Some(problem) => problem.status.to_string(),
            None => "unreachable".to_owned(),
        };
        *self.faults.entry(name).or_default() += 1;
        let asked_for = error.problem().and_then(|problem| problem.retry_after);
        asked_for.unwrap_or(PAUSE).min(PAUSE_MAX)
    }

    fn add(&mut self, other: Self) {
        for (kind, seen) in other.kinds {
            match self.kinds.iter_mut().find(|(known, _)| *known == kind) {
                // Both have the same bounds.
                Some((_, sum)) => sum.micros.add(&seen.micros).unwrap_or_default(),
                None => self.kinds.push((kind, seen)),
            }
        }
        for (name, count) in other.faults {
            *self.faults.entry(name).or_default() += count;
        }
    }

    fn rows(&self, lasted: Duration) -> Vec<Row> {
        let row = |(request, seen): &(&'static str, Seen)| {
            let count = seen.micros.len();
            let ms = |share: f64| number(seen.micros.value_at_quantile(share)) / 1000.0;
            let rate = (number(count) * 10.0 / lasted.as_secs_f64()).round() / 10.0;
            Row {
                request,
                count,
                rate,
                p50_ms: ms(0.5),
                p90_ms: ms(0.9),
                p99_ms: ms(0.99),
                max_ms: ms(1.0),
            }
        };
        self.kinds.iter().map(row).collect()
    }
}

/// A number as it is calculated with; none here comes near the end of its range.
fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

impl Bench {
    /// Looks after Ctrl-C by itself: what was made is removed after it, too.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let cx = Context { hub: self.hub.connect()?, out: Output::new(self.hub.json) };
        if !SECONDS.contains(&self.seconds.as_secs_f64()) {
            let words = format!("--seconds must be {} to {}", SECONDS.start(), SECONDS.end());
            return Err(Failure::Usage(words));
        }
        if !cx.hub.is_local() && !self.yes {
            return Err(Failure::Usage(format!(
                "{} is not on this machine, and others may be using it: --yes puts the load on it \
                 all the same",
                cx.hub.address()
            )));
        }
        let (stop, stopped) = watch::channel(false);
        let mut lanes = Lanes::new(&cx.hub, self.connections);
        let (measured, is_interrupted) = {
            let mut measuring = std::pin::pin!(self.measure(&mut lanes, &stopped));
            tokio::select! {
                measured = &mut measuring => (measured, false),
                _ = tokio::signal::ctrl_c() => {
                    stop.send_replace(true);
                    (measuring.await, true)
                }
            }
        };
        // A second Ctrl-C leaves at once.
        let left = tokio::select! {
            left = lanes.remove() => left,
            _ = tokio::signal::ctrl_c() => return Err(Failure::Interrupted),
        };
        let (tally, lasted) = measured?;
        self.print(&cx, &tally, lasted)?;
        for words in left {
            cx.out.note(&words);
        }
        match (is_interrupted, tally.kinds.is_empty()) {
            (true, _) => Err(Failure::Interrupted),
            (false, true) => Err(Failure::Failed("not one request was fulfilled".to_owned())),
            (false, false) => Ok(()),
        }
    }

    /// Puts the load on the hub for as long as it shall last, or until it is stopped.
    async fn measure(
        &self,
        lanes: &mut Lanes,
        stopped: &watch::Receiver<bool>,
    ) -> Result<(Tally, Duration), Failure> {
        lanes.set_up(self.what).await?;
        let begun = Instant::now();
        let end = begun + self.seconds;
        let all = lanes.lanes.iter_mut().map(async |lane| {
            let mut tally = Tally::default();
            while Instant::now() < end && !*stopped.borrow() {
                if let Err(error) = lane.step(&mut tally).await? {
                    let pause = tally.fault(&error);
                    if matches!(error, Error::Unreachable { .. } | Error::Invalid(_)) {
                        return Err(error.into());
                    }
                    tokio::time::sleep(pause).await;
                }
            }
            Ok::<_, Failure>(tally)
        });
        let mut sum = Tally::default();
        for tally in join_all(all).await {
            sum.add(tally?);
        }
        Ok((sum, begun.elapsed()))
    }

    fn print(&self, cx: &Context, tally: &Tally, lasted: Duration) -> Result<(), Failure> {
        let requests = tally.rows(lasted);
        if cx.out.is_json() {
            let report = Report {
                hub: cx.hub.address(),
                seconds: (lasted.as_secs_f64() * 1000.0).round() / 1000.0,
                connections: self.connections,
                requests,
                faults: &tally.faults,
            };
            return Ok(cx.out.line(&serde_json::to_string(&report)?)?);
        }
        let ms = |ms: f64| format!("{ms:.2} ms");
        let rows = requests.iter().map(|row| {
            [
                row.request.to_owned(),
                row.count.to_string(),
                format!("{:.1}/s", row.rate),
                ms(row.p50_ms),
                ms(row.p90_ms),
                ms(row.p99_ms),
                ms(row.max_ms),
            ]
        });
        let header = ["request", "count", "rate", "p50", "p90", "p99", "max"];
        cx.out.line(&columns(header, rows))?;
        for (name, count) in &tally.faults {
            cx.out.note(&format!("{count} were answered with {name}"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_added_up() {
        let mut tally = Tally::default();
        for ms in [1, 2, 3, 4] {
            let mut other = Tally::default();
            other.count("beat", Duration::from_millis(ms)).unwrap();
            other.faults.insert("busy".to_owned(), 1);
            tally.add(other);
        }
        let rows = tally.rows(Duration::from_secs(2));
        let row = &rows[0];
        assert_eq!((row.count, row.rate, tally.faults["busy"]), (4, 2.0, 4));
        assert!((1.9..=2.1).contains(&row.p50_ms) && (3.9..=4.1).contains(&row.max_ms), "{row:?}");
    }
}
