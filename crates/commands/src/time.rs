//! Times as people read them: local and short.

use chrono::{DateTime, Datelike as _, Local, Utc};
use reef_api::time::UnixMillis;

/// An instant for people.
pub(crate) fn of(at: UnixMillis) -> String {
    short(&at.to_string())
}

/// How long, in milliseconds, as it is typed: a number of ms, s, m or h.
pub(crate) fn span(text: &str) -> Option<i64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let ms = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    digits.parse::<i64>().ok()?.checked_mul(ms)
}

/// An instant to calculate with; `None` beyond the years that a calendar has.
pub(crate) fn utc(at: UnixMillis) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(at.0)
}

/// A time of the hub, such as `2026-02-04T04:58:14.123Z`, in the time of this machine: the clock's
/// of today, with the day before that. What is no time is shown as it is.
pub(crate) fn short(text: &str) -> String {
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => relative_to(time.with_timezone(&Local), Local::now()),
        Err(_) => text.to_owned(),
    }
}

fn relative_to(time: DateTime<Local>, now: DateTime<Local>) -> String {
    let format = if time.date_naive() == now.date_naive() {
        "%H:%M:%S"
    } else if time.year() == now.year() {
        "%m-%d %H:%M"
    } else {
        "%Y-%m-%d"
    };
    time.format(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_as_short_as_it_can_be() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Local);
        // Noon to noon, so that no time zone shifts the day apart.
        let now = at("2026-06-15T12:00:00Z");
        assert_eq!(relative_to(now, now).len(), "12:00:00".len());
        assert_eq!(relative_to(at("2026-03-15T12:00:00Z"), now).len(), "03-15 12:00".len());
        assert_eq!(relative_to(at("2024-06-15T12:00:00Z"), now), "2024-06-15");
        assert_eq!(short("yesterday"), "yesterday");
    }

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        assert_eq!(span("250ms"), Some(250));
        assert_eq!(span("5m"), Some(300_000));
        assert_eq!(span("24h"), Some(86_400_000));
        for text in ["", "5", "m", "5d", "5 m", "1.5h", "99999999999999999h"] {
            assert_eq!(span(text), None, "{text}");
        }
    }
}
