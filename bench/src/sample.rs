//! What one run of load yields, and how runs are added up.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;

/// What was seen under load on one server.
#[derive(Debug)]
pub(crate) struct Sample {
    /// Good answers.
    pub(crate) answers: u64,
    /// How long the load lasted.
    pub(crate) elapsed: Duration,
    /// In nanoseconds, one entry for each good answer.
    pub(crate) latencies: Histogram<u64>,
    /// What went wrong, and how often.
    pub(crate) faults: BTreeMap<String, u64>,
    /// What the server used, where the system tells.
    pub(crate) server_cpu: Option<Duration>,
    /// What Redis used, where the system tells.
    pub(crate) redis_cpu: Option<Duration>,
    /// What the load generator used.
    pub(crate) load_cpu: Option<Duration>,
    /// What processes used that have nothing to do with the measurement.
    pub(crate) foreign_cpu: Option<Duration>,
}

/// Times from a nanosecond to a minute, to a thousandth of each.
pub(crate) fn empty_histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 60_000_000_000, 3)?)
}

/// How many come in a time at a rate a second.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a positive number that fits many times over"
)]
pub(crate) fn count_in(time: Duration, rate: f64) -> u64 {
    (rate * time.as_secs_f64()).ceil() as u64
}

/// The milliseconds below which shares of some times in nanoseconds lie.
pub(crate) fn shares_ms(times: &Histogram<u64>) -> Vec<(&'static str, f64)> {
    [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)]
        .map(|(name, share)| (name, times.value_at_quantile(share) as f64 / 1e6))
        .to_vec()
}

impl Sample {
    /// Nothing yet.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            answers: 0,
            elapsed: Duration::ZERO,
            latencies: empty_histogram()?,
            faults: BTreeMap::new(),
            server_cpu: Some(Duration::ZERO),
            redis_cpu: Some(Duration::ZERO),
            load_cpu: Some(Duration::ZERO),
            foreign_cpu: Some(Duration::ZERO),
        })
    }

    /// Counts a good answer.
    pub(crate) fn answer(&mut self, latency: Duration) {
        self.answers += 1;
        self.latencies.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Counts a fault.
    pub(crate) fn fault(&mut self, what: String) {
        *self.faults.entry(what).or_default() += 1;
    }

    /// Adds another run on the same server.
    pub(crate) fn add(&mut self, other: &Self) -> Result<()> {
        self.answers += other.answers;
        self.elapsed += other.elapsed;
        self.latencies.add(&other.latencies)?;
        for (what, times) in &other.faults {
            *self.faults.entry(what.clone()).or_default() += times;
        }
        let sum = |a: Option<Duration>, b: Option<Duration>| Some(a? + b?);
        self.server_cpu = sum(self.server_cpu, other.server_cpu);
        self.redis_cpu = sum(self.redis_cpu, other.redis_cpu);
        self.load_cpu = sum(self.load_cpu, other.load_cpu);
        self.foreign_cpu = sum(self.foreign_cpu, other.foreign_cpu);
        Ok(())
    }

    /// Good answers a second.
    pub(crate) fn rate(&self) -> f64 {
        self.answers as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// The latency that a share of the answers kept, in milliseconds.
    pub(crate) fn quantile_ms(&self, share: f64) -> f64 {
        self.latencies.value_at_quantile(share) as f64 / 1e6
    }

    /// How many processors were busy on average with things that have nothing to do with the
    /// measurement.
    pub(crate) fn foreign_cores(&self) -> Option<f64> {
        Some(self.foreign_cpu?.as_secs_f64() / self.elapsed.as_secs_f64().max(1e-9))
    }

    /// Microseconds of a time for each good answer.
    pub(crate) fn per_answer_us(&self, time: Option<Duration>) -> Option<f64> {
        if self.answers == 0 {
            return None;
        }
        time.map(|time| time.as_secs_f64() * 1e6 / self.answers as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_add_up() {
        let mut sum = Sample::new().unwrap();
        for (latency, cpu) in [(1, Some(10)), (3, Some(20))] {
            let mut one = Sample::new().unwrap();
            one.answer(Duration::from_millis(latency));
            one.fault("status 503".to_owned());
            one.elapsed = Duration::from_secs(1);
            one.server_cpu = cpu.map(Duration::from_micros);
            one.redis_cpu = None;
            sum.add(&one).unwrap();
        }
        assert_eq!((sum.answers, sum.rate()), (2, 1.0));
        assert_eq!(sum.per_answer_us(sum.server_cpu), Some(15.0));
        assert_eq!(sum.per_answer_us(sum.redis_cpu), None);
        assert_eq!(sum.faults.get("status 503"), Some(&2));
        assert!((2.9..3.1).contains(&sum.quantile_ms(1.0)));
    }
}
