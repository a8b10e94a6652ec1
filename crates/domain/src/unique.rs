//! Tasks of which there is to be one (`contract.md` §5).

use reef_api::Word;
use reef_api::task::{UniqueBody, UniqueScope, UniqueThen, UniqueWhile};

use crate::invalid::Invalid;
use crate::limits::{DEBOUNCE_TIMES, TASK_DELAY_MS_MAX, UNIQUE_KEY_CHARS_MAX, UNIQUE_TTL_MS_MAX};
use crate::name;
use crate::task::Submission;

/// What a task is to be the only one of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unique {
    /// What all that are the same have in common.
    pub key: String,
    /// Among whose tasks.
    pub scope: UniqueScope,
    /// For how long.
    pub holds: UniqueWhile,
    /// What becomes of one while there is another.
    pub then: UniqueThen,
    /// For how long in milliseconds: with a time, the time; debounced, after each submission; else 0.
    pub ms: i64,
    /// Debounced, at most so long after the first; else 0.
    pub most_ms: i64,
}

fn word<T: Word>(given: Option<&str>, field: &str, default: T, invalid: &mut Invalid) -> T {
    let Some(given) = given else { return default };
    invalid.one_of(field, given, &T::names());
    T::parse(given).unwrap_or(default)
}

/// Adds that a number is missing where it is needed, out of bounds, or given where it says nothing.
fn number(
    given: Option<i64>,
    (field, why): (&str, &str),
    bounds: Option<(i64, i64)>,
    invalid: &mut Invalid,
) -> i64 {
    match (given, bounds) {
        (Some(ms), Some((least, most))) => invalid.within(field, ms, &(least..=most)),
        (None, Some(_)) => invalid.push(field, format!("is required with {why}")),
        (Some(_), None) => invalid.push(field, format!("is only for {why}")),
        (None, None) => {}
    }
    given.unwrap_or_default()
}

impl Unique {
    /// Reads what a task is to be the only one of, lets a debounced task wait, and adds every broken rule.
    pub fn read(given: UniqueBody, submission: &mut Submission, invalid: &mut Invalid) -> Self {
        let key = given.key.unwrap_or_default();
        let fits = !key.trim().is_empty() && key.chars().count() <= UNIQUE_KEY_CHARS_MAX;
        invalid.require(fits, "unique.key", "is required and must have at most 128 characters");
        if fits {
            name::check(invalid, "unique.key", &key);
        }
        let scope = word(given.scope.as_deref(), "unique.scope", UniqueScope::Owner, invalid);
        let then = word(given.then.as_deref(), "unique.then", UniqueThen::Return, invalid);
        let is_debounced = then == UniqueThen::Debounce;
        let default = if is_debounced { UniqueWhile::Waiting } else { UniqueWhile::Active };
        let holds = word(given.holds.as_deref(), "unique.while", default, invalid);
        let fits = match then {
            UniqueThen::Return | UniqueThen::Reject => true,
            UniqueThen::Replace => holds != UniqueWhile::Ttl,
            UniqueThen::Debounce => holds == UniqueWhile::Waiting,
        };
        invalid.require(fits, "unique.while", "does not go with what is to become of the next one");
        let is_timed = holds == UniqueWhile::Ttl;
        let bounds = is_timed.then_some((1, UNIQUE_TTL_MS_MAX));
        let ttl_ms = number(given.ttl_ms, ("unique.ttl_ms", "while: ttl"), bounds, invalid);
        let why = "then: debounce";
        let bounds = is_debounced.then_some((1, TASK_DELAY_MS_MAX));
        let each_ms = number(given.debounce_ms, ("unique.debounce_ms", why), bounds, invalid);
        let most = match given.most_ms {
            None if is_debounced => Some(
                each_ms
                    .saturating_mul(DEBOUNCE_TIMES)
                    .clamp(each_ms, TASK_DELAY_MS_MAX.max(each_ms)),
            ),
            most => most,
        };
        let bounds = is_debounced.then_some((each_ms, TASK_DELAY_MS_MAX.max(each_ms)));
        let most_ms = number(most, ("unique.most_ms", why), bounds, invalid);
        let rule = "does not go with unique";
        invalid.require(submission.approval.is_none(), "approval", rule);
        invalid.require(submission.group_id.is_none(), "group_id", rule);
        if is_debounced {
            let rule = "is left out where tasks are debounced";
            invalid.require(submission.delay_ms == 0, "delay_ms", rule);
            invalid.require(submission.after.is_empty(), "after", rule);
            submission.delay_ms = each_ms;
        }
        let ms = if is_timed { ttl_ms } else { each_ms };
        Self { key, scope, holds, then, ms, most_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: UniqueBody) -> (Unique, Vec<String>) {
        let (mut invalid, mut submission) = (Invalid::new(), Submission::default());
        let unique = Unique::read(body, &mut submission, &mut invalid);
        if unique.then == UniqueThen::Debounce {
            assert_eq!(submission.delay_ms, unique.ms);
        }
        (unique, invalid.errors().iter().map(|error| error.field.clone()).collect())
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_key_is_enough() {
        let (unique, faults) = read(UniqueBody { key: some("k"), ..UniqueBody::default() });
        assert_eq!(faults, Vec::<String>::new());
        let Unique { scope, holds, then, ms, most_ms, .. } = unique;
        assert_eq!((scope, holds), (UniqueScope::Owner, UniqueWhile::Active));
        assert_eq!((then, ms, most_ms), (UniqueThen::Return, 0, 0));
    }

    #[test]
    fn a_debounced_task_waits_ten_times_as_long_at_most() {
        let body = UniqueBody {
            key: some("k"),
            then: some("debounce"),
            debounce_ms: Some(200),
            ..UniqueBody::default()
        };
        let (unique, faults) = read(body.clone());
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!((unique.holds, unique.ms, unique.most_ms), (UniqueWhile::Waiting, 200, 2000));
        let (unique, _) = read(UniqueBody { debounce_ms: Some(TASK_DELAY_MS_MAX), ..body });
        assert_eq!(unique.most_ms, TASK_DELAY_MS_MAX);
    }

    #[test]
    fn every_broken_rule_names_its_field() {
        for (body, fields) in [
            (UniqueBody::default(), vec!["unique.key"]),
            (
                UniqueBody { key: some(&"k".repeat(129)), ..UniqueBody::default() },
                vec!["unique.key"],
            ),
            (
                UniqueBody {
                    key: some("k"),
                    scope: some("x"),
                    holds: some("x"),
                    then: some("x"),
                    ..UniqueBody::default()
                },
                vec!["unique.scope", "unique.then", "unique.while"],
            ),
            (
                UniqueBody { key: some("k"), holds: some("ttl"), ..UniqueBody::default() },
                vec!["unique.ttl_ms"],
            ),
            (
                UniqueBody {
                    key: some("k"),
                    holds: some("ttl"),
                    ttl_ms: Some(0),
                    then: some("replace"),
                    ..UniqueBody::default()
                },
                vec!["unique.while", "unique.ttl_ms"],
            ),
            (
                UniqueBody {
                    key: some("k"),
                    ttl_ms: Some(1),
                    debounce_ms: Some(1),
                    most_ms: Some(1),
                    ..UniqueBody::default()
                },
                vec!["unique.ttl_ms", "unique.debounce_ms", "unique.most_ms"],
            ),
            (
                UniqueBody {
                    key: some("k"),
                    then: some("debounce"),
                    holds: some("active"),
                    debounce_ms: Some(10),
                    most_ms: Some(9),
                    ..UniqueBody::default()
                },
                vec!["unique.while", "unique.most_ms"],
            ),
            (
                UniqueBody { key: some("k"), then: some("debounce"), ..UniqueBody::default() },
                vec!["unique.debounce_ms"],
            ),
        ] {
            assert_eq!(read(body.clone()).1, fields, "{body:?}");
        }
    }
}
