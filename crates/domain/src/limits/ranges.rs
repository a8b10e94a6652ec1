//! Limits that have a least and a most.

use std::ops::RangeInclusive;

use super::LEADER_TTL_MS_MAX;

/// Shortest and longest lease of an inbox message, in milliseconds.
pub const INBOX_LEASE_MS: RangeInclusive<i64> = 100..=3_600_000;

/// Shortest and longest lease of a claim, in milliseconds. Below, a hiccup of the network loses
/// tasks; above, a dead worker blocks one for longer than an hour.
pub const CLAIM_LEASE_MS: RangeInclusive<i64> = 100..=3_600_000;

/// Lease of a claim that names none, in milliseconds (`contract.md` §5).
pub const CLAIM_LEASE_MS_DEFAULT: i64 = 30_000;

/// Shortest and longest leadership lease, in milliseconds. Below, a hiccup of the network changes
/// leaders; above, a dead leader blocks the cluster for longer than ten minutes.
pub const LEADER_TTL_MS: RangeInclusive<i64> = 100..=LEADER_TTL_MS_MAX;

/// Leadership lease that a campaign asks for when it names none, in milliseconds.
pub const LEADER_TTL_MS_DEFAULT: i64 = 30_000;

/// Shortest and longest lease of a lock, in milliseconds: as for the leadership.
pub const LOCK_TTL_MS: RangeInclusive<i64> = 100..=LEADER_TTL_MS_MAX;

/// Lease of a lock where none is named, in milliseconds.
pub const LOCK_TTL_MS_DEFAULT: i64 = 30_000;

/// For how long a node may say, in a heartbeat, that it will be quiet, in milliseconds: as long as the
/// longest lease of a claim.
pub const QUIET_MS: RangeInclusive<i64> = 0..=*CLAIM_LEASE_MS.end();

/// Shortest and longest life of an invite, in seconds: 30 d. It is a secret that is handed around,
/// so none is good for ever.
pub const INVITE_SECONDS: RangeInclusive<i64> = 1..=30 * 86_400;

/// Shortest and longest life of a hold that ends by itself, in milliseconds: a second, below which
/// a round trip may eat it up, and 30 d.
pub const HOLD_MS: RangeInclusive<i64> = 1_000..=30 * 86_400_000;

/// Shortest and longest pace of a schedule, in milliseconds: the monitor looks once a second; beyond a
/// year, nobody counts in milliseconds.
pub const SCHEDULE_EVERY_MS: RangeInclusive<i64> = 1_000..=366 * 86_400_000;

/// How late a run may be that is made up for, in milliseconds: up to a year.
pub const CATCH_UP_WINDOW_MS: RangeInclusive<i64> = 0..=366 * 86_400_000;

/// The same where a schedule says nothing: an hour.
pub const CATCH_UP_WINDOW_MS_DEFAULT: i64 = 3_600_000;

/// How many runs `catch_up` may make up for.
pub const CATCH_UP_MOST: RangeInclusive<i64> = 1..=100;

/// Least and largest weight of a key of fairness: a thousand times less, or more, than others.
pub const FAIRNESS_WEIGHT: RangeInclusive<f64> = 0.001..=1000.0;
