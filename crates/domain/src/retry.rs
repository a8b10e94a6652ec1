//! When a task is tried again that has failed (`contract.md` §5).

use reef_api::task::{RetryBody, RetryPolicy};

use crate::invalid::Invalid;
use crate::limits::{BACK_OFF_MS_MAX, BACK_OFF_MS_MIN, RETRY_FACTOR_MAX, RETRY_MS_MAX};

/// Reads a policy, with the defaults filled in, and adds every broken rule.
pub fn read(body: &RetryBody, invalid: &mut Invalid) -> RetryPolicy {
    let first_ms = body.first_ms.unwrap_or(BACK_OFF_MS_MIN);
    let retry = RetryPolicy {
        first_ms,
        factor: body.factor.unwrap_or(2.0),
        most_ms: body.most_ms.unwrap_or(first_ms.max(BACK_OFF_MS_MAX)),
        jitter: body.jitter.unwrap_or(0.5),
    };
    invalid.within("retry.first_ms", retry.first_ms, &(1..=RETRY_MS_MAX));
    invalid.within("retry.factor", retry.factor, &(1.0..=f64::from(RETRY_FACTOR_MAX)));
    invalid.within("retry.most_ms", retry.most_ms, &(1..=RETRY_MS_MAX));
    let grows = retry.first_ms <= retry.most_ms;
    invalid.require(grows, "retry.most_ms", "must not be less than first_ms");
    invalid.within("retry.jitter", retry.jitter, &(0.0..=1.0));
    retry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_as_for_every_task() {
        let mut invalid = Invalid::new();
        let retry = read(&RetryBody::default(), &mut invalid);
        assert_eq!((retry.first_ms, retry.most_ms), (BACK_OFF_MS_MIN, BACK_OFF_MS_MAX));
        let slow = RetryBody { first_ms: Some(3_600_000), ..RetryBody::default() };
        assert_eq!(read(&slow, &mut invalid).most_ms, 3_600_000);
        assert!(invalid.is_empty());
    }

    #[test]
    fn every_broken_rule_names_its_field() {
        let bad = RetryBody {
            first_ms: Some(0),
            factor: Some(f64::NAN),
            most_ms: Some(RETRY_MS_MAX + 1),
            jitter: Some(1.1),
        };
        let mut invalid = Invalid::new();
        read(&bad, &mut invalid);
        let fields: Vec<_> = invalid.errors().iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["retry.first_ms", "retry.factor", "retry.most_ms", "retry.jitter"]);
        let mut invalid = Invalid::new();
        let falls = RetryBody { first_ms: Some(9), most_ms: Some(8), ..RetryBody::default() };
        read(&falls, &mut invalid);
        assert_eq!(invalid.errors().len(), 1);
    }
}
