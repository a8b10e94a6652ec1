//! The bounds of a leadership lease (`contract.md` §3).

use crate::limits::{LEADER_TTL_MS_MAX, LEADER_TTL_MS_MIN};

/// The lease that a campaign asks for when it names none, in milliseconds.
pub const TTL_MS_DEFAULT: i64 = 30_000;

/// Checks how long a lease is asked for.
///
/// # Errors
/// The rule, if it is out of bounds.
pub fn check_ttl_ms(ttl_ms: i64) -> Result<i64, &'static str> {
    if (LEADER_TTL_MS_MIN..=LEADER_TTL_MS_MAX).contains(&ttl_ms) {
        Ok(ttl_ms)
    } else {
        Err("must be between 100 and 600000 milliseconds")
    }
}
