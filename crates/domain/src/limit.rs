//! Limits: what may be set, and what a task may be under (`contract.md` §5).

use reef_api::limit::{LimitBody, QueueBody, RateUnit, TaskLimit, TaskLimitBody};
use reef_api::{LimitId, Word as _};

use crate::id;
use crate::invalid::Invalid;
use crate::limits::{
    LABEL_CHARS_MAX, LIMIT_CONCURRENCY_MAX, LIMIT_COUNT_MAX, LIMIT_KEY_CHARS_MAX,
    LIMIT_NOTE_CHARS_MAX, LIMIT_PER_MS_MAX, LIMIT_RATES_MAX, PAUSED_SKILLS_MAX, TASK_LIMITS_MAX,
};
use crate::name;
use crate::task::TASK_TYPES;

/// A limit that a task is under. The order is that in which a class names them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Under {
    /// The limit.
    pub name: LimitId,
    /// Empty: none.
    pub key: String,
    /// For rates of tasks.
    pub cost: i64,
    /// For rates of tokens.
    pub tokens: i64,
}

impl Under {
    /// Takes what a task is to be under, and adds every broken rule.
    pub fn read_all(given: Vec<TaskLimitBody>, invalid: &mut Invalid) -> Vec<Self> {
        invalid.at_most_items("limits", &given, TASK_LIMITS_MAX);
        let mut all: Vec<Self> = Vec::new();
        for (n, given) in given.into_iter().take(TASK_LIMITS_MAX).enumerate() {
            let field = |part: &str| format!("limits[{n}].{part}");
            let name = given.name.unwrap_or_default();
            invalid.require(id::is_valid(&name), &field("name"), id::RULE);
            let is_new = all.iter().all(|other| other.name != name);
            invalid.require(is_new, &field("name"), "must not be given twice");
            let key = given.key.unwrap_or_default();
            check_key(invalid, &field("key"), &key);
            let (cost, tokens) = (given.cost.unwrap_or(1), given.tokens.unwrap_or_default());
            invalid.within(&field("cost"), cost, &(1..=LIMIT_COUNT_MAX));
            invalid.within(&field("tokens"), tokens, &(0..=LIMIT_COUNT_MAX));
            all.push(Self { name, key, cost, tokens: two_digits(tokens) });
        }
        all
    }

    /// As it is shown.
    #[must_use]
    pub fn shown(self) -> TaskLimit {
        let Self { name, key, cost, tokens } = self;
        TaskLimit { name, key: Some(key).filter(|key| !key.is_empty()), cost, tokens }
    }
}

impl From<TaskLimit> for Under {
    fn from(shown: TaskLimit) -> Self {
        let TaskLimit { name, key, cost, tokens } = shown;
        Self { name, key: key.unwrap_or_default(), cost, tokens }
    }
}

/// Rounded up to two digits: tasks that differ in what they are under are different classes of the queue,
/// and each estimate of a model's tokens is another one.
fn two_digits(number: i64) -> i64 {
    let mut unit = 1_i64;
    while number / unit >= 100 {
        unit *= 10;
    }
    (number + unit - 1) / unit * unit
}

/// Adds what is wrong with a key; an empty one is none.
pub fn check_key(invalid: &mut Invalid, field: &str, key: &str) {
    invalid.at_most_chars(field, key, LIMIT_KEY_CHARS_MAX);
    name::check(invalid, field, key);
}

/// A limit as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// Most tasks that run at once.
    pub concurrency: Option<i64>,
    /// Unit, milliseconds, count.
    pub rates: Vec<(RateUnit, i64, i64)>,
    /// None begin.
    pub paused: bool,
    /// Each owner of tasks has one of its own.
    pub per_owner: bool,
    /// For people.
    pub note: String,
}

impl Limit {
    /// Reads a limit.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn read(body: LimitBody) -> Result<Self, Invalid> {
        let mut invalid = Invalid::new();
        if let Some(most) = body.concurrency {
            invalid.within("concurrency", most, &(1..=LIMIT_CONCURRENCY_MAX));
        }
        let given = body.rates.unwrap_or_default();
        invalid.at_most_items("rates", &given, LIMIT_RATES_MAX);
        let mut rates: Vec<(RateUnit, i64, i64)> = Vec::new();
        for (n, rate) in given.into_iter().take(LIMIT_RATES_MAX).enumerate() {
            let field = |part: &str| format!("rates[{n}].{part}");
            let (count, per_ms) = (rate.count.unwrap_or_default(), rate.per_ms.unwrap_or_default());
            invalid.within(&field("count"), count, &(1..=LIMIT_COUNT_MAX));
            invalid.within(&field("per_ms"), per_ms, &(1..=LIMIT_PER_MS_MAX));
            let unit = rate.unit.as_deref().unwrap_or(RateUnit::Tasks.as_str());
            invalid.one_of(&field("unit"), unit, &RateUnit::names());
            let unit = RateUnit::parse(unit).unwrap_or(RateUnit::Tasks);
            let is_new = rates.iter().all(|other| (other.0, other.1) != (unit, per_ms));
            let rule = "must not be given twice for one unit";
            invalid.require(is_new, &field("per_ms"), rule);
            rates.push((unit, per_ms, count));
        }
        let note = body.note.unwrap_or_default();
        invalid.at_most_chars("note", &note, LIMIT_NOTE_CHARS_MAX);
        name::check(&mut invalid, "note", &note);
        invalid.finish(Self {
            concurrency: body.concurrency,
            rates,
            paused: body.paused.unwrap_or_default(),
            per_owner: body.per_owner.unwrap_or_default(),
            note,
        })
    }
}

/// What is to be kept back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paused {
    /// All tasks.
    pub all: bool,
    /// Those that require one of these skills.
    pub skills: Vec<String>,
    /// Those of these types.
    pub types: Vec<String>,
}

impl Paused {
    /// Reads what is to be kept back.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn read(body: QueueBody) -> Result<Self, Invalid> {
        let mut invalid = Invalid::new();
        let mut skills = body.paused_skills.unwrap_or_default();
        invalid.at_most_items("paused_skills", &skills, PAUSED_SKILLS_MAX);
        for (n, skill) in skills.iter().take(PAUSED_SKILLS_MAX).enumerate() {
            let field = format!("paused_skills[{n}]");
            let fits = !skill.trim().is_empty() && skill.chars().count() <= LABEL_CHARS_MAX;
            let rule = "must not be blank and must have at most 128 characters";
            invalid.require(fits, &field, rule);
            name::check(&mut invalid, &field, skill);
        }
        skills.sort_unstable();
        skills.dedup();
        let mut types = body.paused_types.unwrap_or_default();
        invalid.at_most_items("paused_types", &types, TASK_TYPES.len());
        for (n, kind) in types.iter().take(TASK_TYPES.len()).enumerate() {
            invalid.one_of(&format!("paused_types[{n}]"), kind, &TASK_TYPES);
        }
        types.sort_unstable();
        types.dedup();
        let all = body.paused.unwrap_or_default();
        let rule = "must be left out where all is paused";
        invalid.require(!all || skills.is_empty(), "paused_skills", rule);
        invalid.require(!all || types.is_empty(), "paused_types", rule);
        invalid.finish(Self { all, skills, types })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_rounded_up_to_two_digits() {
        let rounded = [0, 1, 99, 100, 101, 1_234, 999_999].map(two_digits);
        assert_eq!(rounded, [0, 1, 99, 100, 110, 1_300, 1_000_000]);
        assert_eq!(two_digits(LIMIT_COUNT_MAX), LIMIT_COUNT_MAX);
    }
}
