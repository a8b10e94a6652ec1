//! What a heartbeat carries, and how often nodes are asked to send one.

use reef_api::Open;
use reef_api::heartbeat::{HeartbeatBody, HeldClaim};
use reef_api::node::NodeStatus;

use crate::invalid::Invalid;
use crate::limits::{
    HEARTBEAT_CLAIMS_MAX, HEARTBEAT_TIMEOUT_SECONDS_MAX, QUIET_MS, RUNNING_TASKS_MAX,
};

/// Heartbeats per second that a hub asks for when its nodes are many: two nodes a millisecond
/// short of the longest pace. Far below what one Redis takes, so that other work has room.
const NODES_PER_MS: i64 = 2;

/// A heartbeat that keeps the rules of `contract.md` §3.
#[derive(Debug, Clone, PartialEq)]
pub struct Heartbeat {
    /// Processor load in percent, 0–100.
    pub cpu_usage: f64,
    /// Memory in use in percent, 0–100.
    pub memory_usage: f64,
    /// Disk in use in percent, 0–100.
    pub disk_usage: f64,
    /// Tasks that the node runs by its own count.
    pub running_tasks: i64,
    /// `online` or `busy`, if the node says so itself.
    pub status: Option<NodeStatus>,
    /// The incarnation that the node was given when it registered; older ones are fenced.
    pub incarnation: Option<i64>,
    /// Tasks that the node holds, with their claim tokens.
    pub claims: Vec<HeldClaim>,
    /// Whatever the node holds is renewed.
    pub renew_all: bool,
    /// For how long the node will be quiet without being silent, in milliseconds.
    pub quiet_ms: Option<i64>,
}

impl Heartbeat {
    /// How much of a script's time it takes: as much for each claim as for itself.
    #[must_use]
    pub fn weight(&self) -> usize {
        1 + self.claims.len() + if self.renew_all { HEARTBEAT_CLAIMS_MAX } else { 0 }
    }
}

/// Checks ranges. Omitted metrics become 0, as in the older service.
///
/// # Errors
/// Every field that is out of range.
pub fn check(body: HeartbeatBody) -> Result<Heartbeat, Invalid> {
    let mut invalid = Invalid::new();
    let status = body.status.as_ref().and_then(Open::known);
    let is_own = matches!(status, Some(NodeStatus::Online | NodeStatus::Busy));
    invalid.require(body.status.is_none() || is_own, "status", "must be online or busy");
    let heartbeat = Heartbeat {
        cpu_usage: body.cpu_usage.unwrap_or_default(),
        memory_usage: body.memory_usage.unwrap_or_default(),
        disk_usage: body.disk_usage.unwrap_or_default(),
        running_tasks: body.running_tasks.unwrap_or_default(),
        status,
        incarnation: body.incarnation,
        claims: body.claims.unwrap_or_default(),
        renew_all: body.renew_all.unwrap_or_default(),
        quiet_ms: body.quiet_ms,
    };
    for (field, value) in [
        ("cpu_usage", heartbeat.cpu_usage),
        ("memory_usage", heartbeat.memory_usage),
        ("disk_usage", heartbeat.disk_usage),
    ] {
        invalid.within(field, value, &(0.0..=100.0));
    }
    invalid.within("running_tasks", heartbeat.running_tasks, &(0..=RUNNING_TASKS_MAX));
    let incarnation_fits = heartbeat.incarnation.is_none_or(|i| i >= 0);
    invalid.require(incarnation_fits, "incarnation", "must not be negative");
    invalid.at_most_items("claims", &heartbeat.claims, HEARTBEAT_CLAIMS_MAX);
    invalid.within("quiet_ms", heartbeat.quiet_ms, &QUIET_MS);
    invalid.finish(heartbeat)
}

/// After how long without a heartbeat a node counts as dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeout {
    ms: i64,
}

impl Timeout {
    /// 90 s (`contract.md` §3).
    pub const DEFAULT: Self = Self { ms: 90_000 };

    /// Takes seconds, whole or not.
    ///
    /// # Errors
    /// The rule, if the value is not above 0 or above a day.
    pub fn from_seconds(seconds: f64) -> Result<Self, &'static str> {
        // Rounded first, so that nothing above zero becomes a timeout of nothing.
        let ms = (seconds * 1000.0).round();
        if seconds <= HEARTBEAT_TIMEOUT_SECONDS_MAX && ms >= 1.0 {
            #[allow(clippy::cast_possible_truncation, reason = "a day in milliseconds fits an i64")]
            let ms = ms as i64;
            Ok(Self { ms })
        } else {
            Err("must be more than 0 and at most 86400 seconds")
        }
    }

    /// In milliseconds.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.ms
    }

    /// The longest time that a node is asked to let pass between two heartbeats: nine may get
    /// lost before it counts as dead, and it is 10 s for the usual 90 s (`contract.md` §3).
    #[must_use]
    pub fn longest_period_ms(self) -> i64 {
        (self.ms / 9).max(1)
    }

    /// How long a node should wait until its next heartbeat, in milliseconds.
    ///
    /// Grows with the fleet, so that a hub is asked about the same at any size. `jitter` is any
    /// number; it shortens the wait by up to a tenth, so that nodes that started together drift
    /// apart.
    #[must_use]
    pub fn next_heartbeat_ms(self, nodes: i64, jitter: i64) -> i64 {
        let longest = self.longest_period_ms();
        let period = (nodes / NODES_PER_MS).clamp(longest / 2, longest);
        period - period * jitter.rem_euclid(100) / 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pace_grows_with_the_fleet_up_to_the_longest_period() {
        let timeout = Timeout::DEFAULT;
        assert_eq!(timeout.next_heartbeat_ms(1, 0), 5_000);
        assert_eq!(timeout.next_heartbeat_ms(16_000, 0), 8_000);
        assert_eq!(timeout.next_heartbeat_ms(1_000_000, 0), 10_000);
    }

    #[test]
    fn timeouts_have_bounds() {
        assert_eq!(Timeout::from_seconds(1.5).map(Timeout::as_millis), Ok(1500));
        for bad in [0.0, -1.0, 0.0001, 86_400.5, f64::NAN, f64::INFINITY] {
            assert!(Timeout::from_seconds(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn at_least_eight_heartbeats_fit_into_a_timeout(
            seconds in 0.1f64..86_400.0, nodes in 0i64..10_000_000, jitter: i64,
        ) {
            let timeout = Timeout::from_seconds(seconds).unwrap();
            let wait = timeout.next_heartbeat_ms(nodes, jitter);
            prop_assert!(wait >= 1 && wait * 8 <= timeout.as_millis());
        }
    }
}
