//! When runs come due.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, Zoned};
use reef_api::schedule::{Spec, SpecBody};
use reef_api::time::UnixMillis;
use sha1_smol::Sha1;

use crate::invalid::Invalid;
use crate::limits::{CRON_CHARS_MAX, SCHEDULE_EVERY_MS, SCHEDULE_MISSED_MAX, TIMEZONE_CHARS_MAX};
use crate::name;

/// The time zone where a schedule names none.
const UTC: &str = "UTC";

/// From when the shortest time between two runs is measured, for the bound of `jitter_ms`: 2026-01-01.
const MEASURED_FROM_MS: i64 = 1_767_225_600_000;

/// Runs between which it is measured: more than any hour has.
const MEASURED_RUNS: usize = 100;

/// Longest that a clock is set back by, in milliseconds: a day, where a date line was moved.
const SET_BACK_MS_MAX: i64 = 86_400_000;

/// Where a search for the latest runs begins, in milliseconds before the end; it looks four times as far
/// each time.
const FIRST_LOOK_MS: i64 = 3_600_000;

/// When runs come due: by a pattern of the calendar, or at an even pace.
///
/// A time of the calendar that does not exist, since clocks are set forward, stands for the first instant
/// after; one that comes twice, since they are set back, for the first of the two. Where the pattern names
/// every hour, the hour that comes twice has its runs twice.
#[derive(Debug, Clone)]
pub struct Timetable {
    spec: Spec,
    pace: Pace,
}

#[derive(Debug, Clone)]
enum Pace {
    Calendar { cron: Box<Cron>, zone: TimeZone, is_hourly: bool },
    Even { every_ms: i64 },
}

/// Reads an instant (RFC 3339), in milliseconds since 1970.
#[must_use]
pub fn read_instant(text: &str) -> Option<i64> {
    let ms = text.parse::<Timestamp>().ok()?.as_millisecond();
    // What RFC 3339 can say: years of four digits, from 1970 on.
    (0..253_402_300_800_000).contains(&ms).then_some(ms)
}

fn zone_named(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// An instant in a zone; far from all that the calendar ends at.
fn zoned(ms: i64, zone: &TimeZone) -> Option<Zoned> {
    Some(Timestamp::from_millisecond(ms).ok()?.to_zoned(zone.clone()))
}

/// The first match of a pattern from a time of the calendar on, which is written as if it were UTC.
fn next_match(cron: &Cron, from: &Zoned, inclusive: bool) -> Option<Zoned> {
    cron.find_next_occurrence(from, inclusive).ok()
}

impl Timetable {
    /// Takes a timetable, and adds every broken rule; `None` where no run can be computed.
    pub fn read(given: SpecBody, invalid: &mut Invalid) -> Option<Self> {
        let faults = invalid.errors().len();
        let timezone = given.timezone.filter(|it| !it.is_empty()).unwrap_or_else(|| UTC.to_owned());
        let instant = |field: &str, text: Option<String>, invalid: &mut Invalid| {
            let text = text.filter(|text| !text.is_empty())?;
            let read = read_instant(&text);
            let rule = "must be an instant such as 2026-02-04T04:58:14Z";
            invalid.require(read.is_some(), field, rule);
            read.map(UnixMillis)
        };
        let spec = Spec {
            cron: given.cron.map(|cron| cron.split_whitespace().collect::<Vec<_>>().join(" ")),
            every_ms: given.every_ms,
            timezone,
            start_at: instant("spec.start_at", given.start_at, invalid),
            end_at: instant("spec.end_at", given.end_at, invalid),
            jitter_ms: given.jitter_ms.unwrap_or_default(),
        };
        let is_in_order = spec.start_at.zip(spec.end_at).is_none_or(|(start, end)| start <= end);
        invalid.require(is_in_order, "spec.end_at", "must not be before start_at");
        let pace = Pace::read(&spec, invalid);
        if invalid.errors().len() > faults {
            return None;
        }
        let table = Self { spec, pace: pace? };
        table.check(invalid);
        Some(table)
    }

    /// One that was kept; `None` if this program cannot read it.
    #[must_use]
    pub fn of(spec: Spec) -> Option<Self> {
        let mut invalid = Invalid::new();
        let pace = Pace::read(&spec, &mut invalid)?;
        invalid.is_empty().then_some(Self { spec, pace })
    }

    /// As it is kept and shown.
    #[must_use]
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    fn check(&self, invalid: &mut Invalid) {
        let from = self.spec.start_at.map_or(MEASURED_FROM_MS, |start| start.0 - 1);
        let unbounded =
            Self { spec: Spec { end_at: None, ..self.spec.clone() }, pace: self.pace.clone() };
        let runs: Vec<i64> = unbounded.after(from).take(MEASURED_RUNS).collect();
        let field = if self.spec.cron.is_some() { "spec.cron" } else { "spec.every_ms" };
        invalid.require(!runs.is_empty(), field, "names a time that never comes");
        let gaps = runs.iter().zip(runs.iter().skip(1)).map(|(one, next)| next - one);
        let shortest = gaps.min().unwrap_or(*SCHEDULE_EVERY_MS.end());
        invalid.within("spec.jitter_ms", self.spec.jitter_ms, &(0..=shortest / 2));
    }

    /// The first run after an instant, in milliseconds since 1970; `None` where there is none.
    #[must_use]
    pub fn next(&self, after_ms: i64) -> Option<i64> {
        let from = self.spec.start_at.map_or(after_ms, |start| after_ms.max(start.0 - 1));
        let next = match &self.pace {
            Pace::Even { every_ms } => {
                let origin = self.origin();
                let steps = (from - origin).div_euclid(*every_ms) + 1;
                origin.checked_add(steps.checked_mul(*every_ms)?)?
            }
            Pace::Calendar { cron, zone, is_hourly } => next_of(cron, zone, *is_hourly, from)?,
        };
        self.spec.end_at.is_none_or(|end| next <= end.0).then_some(next)
    }

    /// The runs after an instant.
    pub fn after(&self, after_ms: i64) -> impl Iterator<Item = i64> {
        let mut at = after_ms;
        std::iter::from_fn(move || {
            at = self.next(at)?;
            Some(at)
        })
    }

    fn origin(&self) -> i64 {
        self.spec.start_at.map_or(0, |start| start.0)
    }

    /// The latest runs after an instant and until another, the earliest of them first.
    #[must_use]
    pub fn latest_within(&self, after_ms: i64, until_ms: i64, most: i64) -> Vec<i64> {
        let most = usize::try_from(most).unwrap_or_default();
        if most == 0 || after_ms >= until_ms {
            return Vec::new();
        }
        let mut look = match &self.pace {
            Pace::Even { every_ms } => every_ms.saturating_mul(i64::try_from(most).unwrap_or(1)),
            Pace::Calendar { .. } => FIRST_LOOK_MS,
        };
        loop {
            let from = after_ms.max(until_ms.saturating_sub(look));
            let mut runs: Vec<i64> = self.after(from).take_while(|at| *at <= until_ms).collect();
            if runs.len() >= most || from == after_ms {
                return runs.split_off(runs.len().saturating_sub(most));
            }
            look = look.saturating_mul(4);
        }
    }

    /// How many runs there are after an instant and until another; of a pattern more than
    /// [`SCHEDULE_MISSED_MAX`] count as so many.
    #[must_use]
    pub fn count_within(&self, after_ms: i64, until_ms: i64) -> i64 {
        match &self.pace {
            Pace::Even { every_ms } => {
                let until = self.spec.end_at.map_or(until_ms, |end| until_ms.min(end.0));
                let origin = self.origin();
                let steps = |at: i64| (at.max(origin - 1) - origin).div_euclid(*every_ms);
                let after = self.spec.start_at.map_or(after_ms, |start| after_ms.max(start.0 - 1));
                (steps(until) - steps(after)).max(0)
            }
            Pace::Calendar { .. } => {
                let runs = self.after(after_ms).take_while(|at| *at <= until_ms);
                i64::try_from(runs.take(SCHEDULE_MISSED_MAX).count()).unwrap_or(i64::MAX)
            }
        }
    }

    /// For how long a run is kept back, in milliseconds: always the same for the same run.
    #[must_use]
    pub fn jitter_of(&self, due_ms: i64) -> i64 {
        if self.spec.jitter_ms == 0 {
            return 0;
        }
        let seed = format!("{:?} {:?} {due_ms}", self.spec.cron, self.spec.every_ms);
        let digest = Sha1::from(seed).digest().bytes();
        let number = digest.iter().take(6).fold(0_i64, |sum, byte| sum << 8 | i64::from(*byte));
        number % (self.spec.jitter_ms + 1)
    }
}

impl Pace {
    fn read(spec: &Spec, invalid: &mut Invalid) -> Option<Self> {
        let zone = read_zone(&spec.timezone, invalid);
        match (&spec.cron, spec.every_ms) {
            (Some(pattern), None) => {
                let cron = read_cron(pattern, invalid);
                let (cron, zone) = (Box::new(cron?), zone?);
                let is_hourly = cron.pattern.hours.values().len() == 24;
                Some(Self::Calendar { cron, zone, is_hourly })
            }
            (None, Some(every_ms)) => {
                invalid.within("spec.every_ms", every_ms, &SCHEDULE_EVERY_MS);
                Some(Self::Even { every_ms: every_ms.max(1) })
            }
            _ => {
                invalid.push("spec", "needs either cron or every_ms");
                None
            }
        }
    }
}

fn read_zone(given: &str, invalid: &mut Invalid) -> Option<TimeZone> {
    let zone = (given.len() <= TIMEZONE_CHARS_MAX).then(|| zone_named(given)).flatten();
    let rule = "must be an IANA time zone such as Europe/Berlin";
    invalid.require(zone.is_some(), "spec.timezone", rule);
    zone
}

fn read_cron(pattern: &str, invalid: &mut Invalid) -> Option<Cron> {
    invalid.at_most_chars("spec.cron", pattern, CRON_CHARS_MAX);
    name::check(invalid, "spec.cron", pattern);
    if pattern.chars().count() > CRON_CHARS_MAX {
        return None;
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    let cron = parser.parse(pattern);
    let rule =
        "must be minute, hour, day of the month, month and day of the week, as in 0 9 * * MON-FRI";
    invalid.require(cron.is_ok(), "spec.cron", rule);
    cron.ok()
}

/// The first run of a pattern after an instant.
fn next_of(cron: &Cron, zone: &TimeZone, is_hourly: bool, after_ms: i64) -> Option<i64> {
    let here = zoned(after_ms, zone)?.datetime();
    let mut at = here.to_zoned(TimeZone::UTC).ok()?;
    let mut inclusive = true;
    let first = loop {
        at = next_match(cron, &at, inclusive)?;
        inclusive = false;
        let ms = first_instant(&at, zone)?;
        if ms > after_ms {
            break ms;
        }
    };
    let again = if is_hourly { next_second_time(cron, zone, after_ms, first) } else { None };
    Some(again.unwrap_or(first))
}

/// The instant that a time of the calendar stands for.
fn first_instant(at: &Zoned, zone: &TimeZone) -> Option<i64> {
    let ambiguous = zone.to_ambiguous_timestamp(at.datetime());
    if let AmbiguousOffset::Gap { .. } = ambiguous.offset() {
        // Some time after the clocks were set forward, by the clock of before.
        let later = ambiguous.later().ok()?;
        let set_forward =
            zone.preceding(later.checked_add(jiff::Span::new().nanoseconds(1)).ok()?).next()?;
        return Some(set_forward.timestamp().as_millisecond());
    }
    Some(ambiguous.earlier().ok()?.as_millisecond())
}

/// The first run after an instant, and before another, at a time of the calendar that comes the second time.
fn next_second_time(cron: &Cron, zone: &TimeZone, after_ms: i64, before_ms: i64) -> Option<i64> {
    let from = Timestamp::from_millisecond(after_ms.saturating_sub(SET_BACK_MS_MAX)).ok()?;
    for change in zone.following(from) {
        let set_back_ms = change.timestamp().as_millisecond();
        if set_back_ms >= before_ms {
            return None;
        }
        let from = zoned(set_back_ms.max(after_ms), zone)?.datetime();
        let mut at = from.to_zoned(TimeZone::UTC).ok()?;
        let mut inclusive = true;
        loop {
            at = next_match(cron, &at, inclusive)?;
            inclusive = false;
            let ambiguous = zone.to_ambiguous_timestamp(at.datetime());
            if !matches!(ambiguous.offset(), AmbiguousOffset::Fold { .. }) {
                break;
            }
            let ms = ambiguous.later().ok()?.as_millisecond();
            if ms > after_ms {
                return (ms < before_ms).then_some(ms);
            }
        }
    }
    None
}
