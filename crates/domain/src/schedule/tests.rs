use reef_api::schedule::SpecBody;

use super::*;
use crate::limits::SCHEDULE_MISSED_MAX;

fn table(cron: &str, zone: &str) -> Timetable {
    let spec =
        SpecBody { cron: Some(cron.into()), timezone: Some(zone.into()), ..SpecBody::default() };
    let mut invalid = Invalid::new();
    let table = Timetable::read(spec, &mut invalid);
    assert_eq!(invalid.errors(), [], "{cron}");
    table.unwrap()
}

fn ms(text: &str) -> i64 {
    read_instant(text).unwrap_or_else(|| panic!("{text}"))
}

fn runs(table: &Timetable, after: &str, until: &str) -> Vec<String> {
    let shown = |at: i64| reef_api::time::UnixMillis(at).to_string().replace(":00.000Z", "Z");
    table.after(ms(after)).take_while(|at| *at <= ms(until)).map(shown).collect()
}

/// What became of a wall clock's time in six zones, each at its own change of the clocks. The instants are
/// from the tz database, by hand.
#[test]
fn the_clocks_are_set_forward_and_back_in_six_zones() {
    // Zone, pattern, from, until, runs.
    let cases: [(&str, &str, &str, &str, &[&str]); 16] = [
        // Berlin: 2026-03-29 02:00 -> 03:00, which is 01:00 UTC.
        (
            "Europe/Berlin",
            "30 2 * * *",
            "2026-03-28T00:00:00Z",
            "2026-03-30T12:00:00Z",
            &["2026-03-28T01:30Z", "2026-03-29T01:00Z", "2026-03-30T00:30Z"],
        ),
        (
            "Europe/Berlin",
            "0 * * * *",
            "2026-03-28T23:30:00Z",
            "2026-03-29T02:30:00Z",
            &["2026-03-29T00:00Z", "2026-03-29T01:00Z", "2026-03-29T02:00Z"],
        ),
        (
            "Europe/Berlin",
            "*/15 2 * * *",
            "2026-03-29T00:00:00Z",
            "2026-03-29T12:00:00Z",
            &["2026-03-29T01:00Z"],
        ),
        // Back: 2026-10-25 03:00 -> 02:00, which is 01:00 UTC.
        (
            "Europe/Berlin",
            "30 2 * * *",
            "2026-10-24T12:00:00Z",
            "2026-10-26T12:00:00Z",
            &["2026-10-25T00:30Z", "2026-10-26T01:30Z"],
        ),
        (
            "Europe/Berlin",
            "30 2,14 * * *",
            "2026-10-24T23:00:00Z",
            "2026-10-25T23:00:00Z",
            &["2026-10-25T00:30Z", "2026-10-25T13:30Z"],
        ),
        (
            "Europe/Berlin",
            "0 * * * *",
            "2026-10-24T23:30:00Z",
            "2026-10-25T02:30:00Z",
            &["2026-10-25T00:00Z", "2026-10-25T01:00Z", "2026-10-25T02:00Z"],
        ),
        (
            "Europe/Berlin",
            "*/30 * * * *",
            "2026-10-25T00:15:00Z",
            "2026-10-25T02:00:00Z",
            &["2026-10-25T00:30Z", "2026-10-25T01:00Z", "2026-10-25T01:30Z", "2026-10-25T02:00Z"],
        ),
        // New York: 2026-03-08 07:00 UTC forward, 2026-11-01 06:00 UTC back.
        (
            "America/New_York",
            "15 2 * * *",
            "2026-03-08T00:00:00Z",
            "2026-03-09T12:00:00Z",
            &["2026-03-08T07:00Z", "2026-03-09T06:15Z"],
        ),
        (
            "America/New_York",
            "30 1 * * *",
            "2026-11-01T00:00:00Z",
            "2026-11-02T12:00:00Z",
            &["2026-11-01T05:30Z", "2026-11-02T06:30Z"],
        ),
        // Lord Howe sets its clocks by half an hour: 2026-10-03 15:30 UTC forward, 2026-04-04 15:00 UTC back.
        (
            "Australia/Lord_Howe",
            "15 2 * * *",
            "2026-10-03T00:00:00Z",
            "2026-10-04T20:00:00Z",
            &["2026-10-03T15:30Z", "2026-10-04T15:15Z"],
        ),
        (
            "Australia/Lord_Howe",
            "45 1 * * *",
            "2026-04-04T00:00:00Z",
            "2026-04-05T20:00:00Z",
            &["2026-04-04T14:45Z", "2026-04-05T15:15Z"],
        ),
        // Cairo has no midnight on 2026-04-24: 00:00 -> 01:00, which is 22:00 UTC on the 23rd.
        (
            "Africa/Cairo",
            "0 0 * * *",
            "2026-04-22T12:00:00Z",
            "2026-04-24T23:00:00Z",
            &["2026-04-22T22:00Z", "2026-04-23T22:00Z", "2026-04-24T21:00Z"],
        ),
        // Shanghai sets no clocks.
        (
            "Asia/Shanghai",
            "0 9 * * MON-FRI",
            "2026-03-27T12:00:00Z",
            "2026-03-31T12:00:00Z",
            &["2026-03-30T01:00Z", "2026-03-31T01:00Z"],
        ),
        // Apia had no 30 December 2011.
        (
            "Pacific/Apia",
            "0 12 * * *",
            "2011-12-29T00:00:00Z",
            "2012-01-01T00:00:00Z",
            &["2011-12-29T22:00Z", "2011-12-30T10:00Z", "2011-12-30T22:00Z", "2011-12-31T22:00Z"],
        ),
        (
            "UTC",
            "0 0 29 2 *",
            "2026-01-01T00:00:00Z",
            "2033-01-01T00:00:00Z",
            &["2028-02-29T00:00Z", "2032-02-29T00:00Z"],
        ),
        (
            "UTC",
            "0 0 13 * 5",
            "2026-03-01T00:00:00Z",
            "2026-03-14T00:00:00Z",
            &["2026-03-06T00:00Z", "2026-03-13T00:00Z"],
        ),
    ];
    for (zone, cron, from, until, expected) in cases {
        assert_eq!(runs(&table(cron, zone), from, until), expected, "{cron} in {zone}");
    }
}

mod against_a_reference {
    use std::sync::LazyLock;

    use jiff::Timestamp;
    use jiff::civil::{DateTime, Weekday};
    use jiff::tz::TimeZoneDatabase;
    use proptest::prelude::*;

    use super::*;

    const MINUTE: i64 = 60_000;

    /// Each minute of some days around a change of the clocks, and what the clock shows in it.
    struct Days {
        zone: &'static str,
        first_ms: i64,
        shown: Vec<DateTime>,
    }

    static DAYS: LazyLock<Vec<Days>> = LazyLock::new(|| {
        let changes = [
            ("Europe/Berlin", "2026-03-29T01:00:00Z"),
            ("Europe/Berlin", "2026-10-25T01:00:00Z"),
            ("America/New_York", "2026-03-08T07:00:00Z"),
            ("America/New_York", "2026-11-01T06:00:00Z"),
            ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
            ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
            ("Africa/Cairo", "2026-04-23T22:00:00Z"),
            ("America/Havana", "2026-11-01T05:00:00Z"),
            ("Pacific/Apia", "2011-12-30T10:00:00Z"),
            ("Asia/Kolkata", "2026-06-01T00:00:00Z"),
        ];
        changes.map(|(zone, change)| Days::around(zone, ms(change))).into()
    });

    impl Days {
        fn around(zone: &'static str, change_ms: i64) -> Self {
            let tz = TimeZoneDatabase::bundled().get(zone).unwrap();
            let first_ms = change_ms - 50 * 60 * MINUTE;
            let shown =
                |n| tz.to_datetime(Timestamp::from_millisecond(first_ms + n * MINUTE).unwrap());
            Self { zone, first_ms, shown: (0..100 * 60).map(shown).collect() }
        }
    }

    /// A pattern, and the same as sets.
    #[derive(Debug, Clone)]
    struct Pattern {
        text: String,
        minutes: Vec<i8>,
        hours: Vec<i8>,
        weekdays: Vec<i8>,
    }

    impl Pattern {
        fn is_at(&self, at: DateTime) -> bool {
            let weekday = match at.weekday() {
                Weekday::Sunday => 0,
                other => other.to_monday_one_offset(),
            };
            self.minutes.contains(&at.minute())
                && self.hours.contains(&at.hour())
                && self.weekdays.contains(&weekday)
        }

        /// Every run within the days, by looking at each minute.
        fn runs(&self, days: &Days) -> Vec<i64> {
            let first = days.shown.iter().min().copied().unwrap();
            let last = days.shown.iter().max().copied().unwrap();
            let mut runs = Vec::new();
            let mut at = first;
            while at <= last {
                if self.is_at(at) {
                    let same = days.shown.iter().enumerate().filter(|(_, shown)| **shown == at);
                    let mut minutes: Vec<usize> = same.map(|(n, _)| n).collect();
                    if minutes.is_empty() {
                        minutes.extend(days.shown.iter().position(|shown| *shown > at));
                    }
                    let most = if self.hours.len() == 24 { 2 } else { 1 };
                    runs.extend(minutes.into_iter().take(most));
                }
                at = at.checked_add(jiff::Span::new().minutes(1)).unwrap();
            }
            runs.sort_unstable();
            runs.dedup();
            let instant = |n: usize| days.first_ms + i64::try_from(n).unwrap() * MINUTE;
            runs.into_iter().map(instant).collect()
        }
    }

    fn field(most: i8) -> impl Strategy<Value = (String, Vec<i8>)> {
        let all: Vec<i8> = (0..=most).collect();
        let steps = (2..=most / 2).prop_map(move |step| {
            let set = (0..=most).step_by(usize::try_from(step).unwrap()).collect();
            (format!("*/{step}"), set)
        });
        let list = prop::collection::btree_set(0..=most, 1..4).prop_map(|set| {
            let words: Vec<String> = set.iter().map(i8::to_string).collect();
            (words.join(","), set.into_iter().collect())
        });
        prop_oneof![2 => Just(("*".to_owned(), all)), 2 => steps, 4 => list]
    }

    fn patterns() -> impl Strategy<Value = Pattern> {
        (field(59), field(23), field(6)).prop_map(|(minutes, hours, weekdays)| Pattern {
            text: format!("{} {} * * {}", minutes.0, hours.0, weekdays.0),
            minutes: minutes.1,
            hours: hours.1,
            weekdays: weekdays.1,
        })
    }

    proptest! {
        // More with PROPTEST_CASES.
        #[test]
        fn each_run_is_where_a_look_at_every_minute_finds_it(
            pattern in patterns(), n in 0..10_usize, start in 0..3000_i64,
        ) {
            let days = &DAYS[n];
            let table = table(&pattern.text, days.zone);
            // The ends are left out: what is shown there may be shown again outside.
            let after = days.first_ms + (24 * 60 + start % 1500) * MINUTE;
            let until = days.first_ms + 76 * 60 * MINUTE;
            let expected: Vec<i64> =
                pattern.runs(days).into_iter().filter(|at| *at > after && *at <= until).collect();
            let found: Vec<i64> = table.after(after).take_while(|at| *at <= until).collect();
            prop_assert_eq!(&found, &expected, "{} in {}", pattern.text, days.zone);
            let counted = usize::try_from(table.count_within(after, until));
            prop_assert_eq!(counted, Ok(expected.len().min(SCHEDULE_MISSED_MAX)));
            let few = table.latest_within(after, until, 3);
            prop_assert_eq!(&few[..], &expected[expected.len().saturating_sub(3)..]);
        }
    }
}

fn rules(spec: SpecBody, catch_up: CatchUp) -> Rules {
    let mut body = ScheduleBody::<()> { spec: Some(spec), ..ScheduleBody::default() };
    Rules { catch_up, ..Rules::read(&mut body).unwrap() }
}

fn each_five_minutes(mode: CatchUpMode, window_ms: i64, most: i64) -> Rules {
    let spec = SpecBody { every_ms: Some(300_000), ..SpecBody::default() };
    rules(spec, CatchUp { mode, window_ms, most })
}

#[test]
fn an_outage_of_twelve_hours_is_made_up_for_as_the_schedule_says() {
    let hour = 3_600_000;
    let from = ms("2026-06-01T00:00:00Z");
    // Two minutes after the last time that was due.
    let now = from + 12 * hour + 120_000;
    let last = from + 12 * hour;
    let due = |mode, window_ms, most| {
        let due = each_five_minutes(mode, window_ms, most).due(from, now);
        let missed = due.missed + due.runs.iter().map(|run| run.missed).sum::<i64>();
        (due.runs.iter().map(|run| (run.due_ms, run.delay_ms)).collect::<Vec<_>>(), missed)
    };
    assert_eq!(due(CatchUpMode::None, hour, 10), (vec![], 144));
    assert_eq!(due(CatchUpMode::Latest, hour, 10), (vec![(last, 0)], 143));
    assert_eq!(due(CatchUpMode::Latest, 60_000, 10), (vec![], 144), "older than the window");
    let two = vec![(last - 300_000, 0), (last, 1000)];
    assert_eq!(due(CatchUpMode::All, hour, 2), (two, 142));
    let (all, missed) = due(CatchUpMode::All, hour, 100);
    // Those of the last hour, each a second behind the one before.
    assert_eq!((all.len(), missed), (12, 132));
    assert!(all.iter().zip(0..).all(|((_, delay), n)| *delay == n * 1000));
}

#[test]
fn whoever_looks_in_time_misses_nothing_whatever_the_schedule_says() {
    for mode in [CatchUpMode::None, CatchUpMode::Latest, CatchUpMode::All] {
        let spec = SpecBody { every_ms: Some(1000), ..SpecBody::default() };
        let rules = rules(spec, CatchUp { mode, ..CatchUp::default() });
        let (mut at, mut begun) = (ms("2026-06-01T00:00:00Z"), 0);
        let from = at;
        for step in [900, 1100, 2300, 400, 5000, 999, 1001, 300] {
            let due = rules.due(at, at + step);
            assert!(due.missed == 0 && due.runs.iter().all(|run| run.missed == 0), "{mode:?}");
            begun += due.runs.len();
            at += step;
        }
        assert_eq!(i64::try_from(begun).unwrap(), (at - from) / 1000);
    }
}

#[test]
fn runs_of_a_pace_are_counted_as_they_come() {
    let every = |spec: serde_json::Value| {
        let mut invalid = Invalid::new();
        Timetable::read(serde_json::from_value(spec).unwrap(), &mut invalid).unwrap()
    };
    let start = ms("2026-06-01T00:00:00Z");
    let end = "2026-06-01T01:00:00Z";
    for table in [
        every(serde_json::json!({"every_ms": 7000})),
        every(serde_json::json!({"every_ms": 7000, "start_at": "2026-06-01T00:10:00Z"})),
        every(
            serde_json::json!({"every_ms": 7000, "start_at": "2026-06-01T00:10:00Z", "end_at": end}),
        ),
    ] {
        for (after, until) in [
            (0, 0),
            (0, 3_600_000),
            (500_000, 700_000),
            (600_000, 600_001),
            (599_999, 600_000),
            (3_000_000, 5_000_000),
            (9, 3),
        ] {
            let (after, until) = (start + after, start + until);
            let listed = table.after(after).take_while(|at| *at <= until).count();
            assert_eq!(
                usize::try_from(table.count_within(after, until)),
                Ok(listed),
                "{after} {until}"
            );
        }
    }
}

#[test]
fn nothing_is_due_where_the_clock_went_back() {
    let rules = each_five_minutes(CatchUpMode::All, 3_600_000, 100);
    let from = ms("2026-06-01T00:02:00Z");
    assert_eq!(rules.due(from, from - 86_400_000), Due::default());
    assert_eq!(rules.timetable.next(from), Some(ms("2026-06-01T00:05:00Z")));
}

#[test]
fn a_pace_is_counted_from_its_start_and_ends() {
    let spec = SpecBody {
        every_ms: Some(7000),
        start_at: Some("2026-06-01T00:00:03Z".into()),
        end_at: Some("2026-06-01T02:00:17+02:00".into()),
        ..SpecBody::default()
    };
    let rules = rules(spec, CatchUp::default());
    let start = ms("2026-06-01T00:00:03Z");
    let runs: Vec<i64> = rules.timetable.after(0).collect();
    assert_eq!(runs, [start, start + 7000, start + 14_000]);
    assert_eq!(rules.timetable.next(start + 14_000), None);
}

#[test]
fn jitter_is_the_same_for_the_same_run_and_differs_between_runs() {
    let spec =
        SpecBody { every_ms: Some(3_600_000), jitter_ms: Some(1_800_000), ..SpecBody::default() };
    let table = rules(spec, CatchUp::default()).timetable;
    let jitters: Vec<i64> = (0..100).map(|n| table.jitter_of(n * 3_600_000)).collect();
    assert!(jitters.iter().all(|it| (0..=1_800_000).contains(it)), "{jitters:?}");
    assert_eq!(jitters[7], table.jitter_of(7 * 3_600_000));
    let distinct: std::collections::BTreeSet<_> = jitters.iter().collect();
    assert!(distinct.len() > 90, "{jitters:?}");
}

#[test]
fn every_broken_rule_names_its_field() {
    let faults = |spec: serde_json::Value| {
        let body = serde_json::json!({"spec": spec, "overlap": "skip"});
        let mut body: ScheduleBody<()> = serde_json::from_value(body).unwrap();
        let invalid =
            Rules::read(&mut body).err().map(|it| it.errors().to_vec()).unwrap_or_default();
        invalid.into_iter().map(|error| error.field).collect::<Vec<_>>()
    };
    use serde_json::json;
    assert_eq!(faults(json!({"cron": "0 9 * * MON-FRI"})), Vec::<String>::new());
    assert_eq!(faults(json!({"cron": "@daily"})), Vec::<String>::new());
    assert_eq!(faults(json!({})), ["spec"]);
    assert_eq!(faults(json!({"cron": "0 9 * * *", "every_ms": 1000})), ["spec"]);
    for cron in ["", "0 9 * *", "60 9 * * *", "0 0 9 * * *", "H 9 * * *", "0 9 * * XYZ", "\u{202e}"]
    {
        assert_eq!(faults(json!({"cron": cron}))[0], "spec.cron", "{cron}");
    }
    assert_eq!(faults(json!({"cron": "x".repeat(257)})), ["spec.cron"]);
    assert_eq!(faults(json!({"cron": "0 0 30 2 *"})), ["spec.cron"], "never comes");
    assert_eq!(faults(json!({"every_ms": 999})), ["spec.every_ms"]);
    assert_eq!(faults(json!({"every_ms": 60_000, "jitter_ms": 30_001})), ["spec.jitter_ms"]);
    assert_eq!(faults(json!({"cron": "* * * * *", "jitter_ms": -1})), ["spec.jitter_ms"]);
    assert_eq!(faults(json!({"cron": "* * * * *", "timezone": "Mars/Olympus"})), ["spec.timezone"]);
    assert_eq!(faults(json!({"every_ms": 1000, "start_at": "soon"})), ["spec.start_at"]);
    let turned = json!({"every_ms": 1000, "start_at": "2026-02-01T00:00:00Z", "end_at": "2026-01-01T00:00:00Z"});
    assert_eq!(faults(turned), ["spec.end_at"]);
    let past = json!({"cron": "0 0 29 2 *", "start_at": "2026-02-01T00:00:00Z", "end_at": "2026-03-01T00:00:00Z"});
    assert_eq!(faults(past), Vec::<String>::new());
}

#[test]
fn what_was_kept_is_read_again() {
    let table = table("0   9 * *  MON", "Asia/Tokyo");
    let kept = serde_json::to_string(&spec_of(&table)).unwrap();
    assert_eq!(kept, r#"{"cron":"0 9 * * MON","timezone":"Asia/Tokyo","jitter_ms":0}"#);
    let again = Timetable::of(serde_json::from_str(&kept).unwrap()).unwrap();
    assert_eq!(again.next(ms("2026-06-01T00:00:00Z")), table.next(ms("2026-06-01T00:00:00Z")));
    let alien = Spec { cron: Some("every so often".into()), ..Spec::default() };
    assert!(Timetable::of(alien).is_none());
}
