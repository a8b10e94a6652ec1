//! What may be written to a task's log.

use std::borrow::Cow;

use reef_api::Word as _;
use reef_api::task::{LogLevel, LogStream, TaskLogBody, TaskLogLineBody};

use crate::Invalid;
use crate::filter::{TIME_RULE, read_time};
use crate::limits::{COUNTER_MAX, LOG_BATCH_MAX, LOG_TEXT_CHARS_MAX};
use crate::time::UnixMillis;

/// A line that may be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When it was said; `None`: when it is written.
    pub at: Option<UnixMillis>,
    /// How much it matters.
    pub level: Option<LogLevel>,
    /// Where a command has written it.
    pub stream: Option<LogStream>,
    /// As it is kept.
    pub text: String,
}

/// Lines as they were sent, and the number of the first, if they are numbered.
///
/// # Errors
/// What is wrong with them.
pub fn read(body: &mut TaskLogBody) -> Result<(Vec<Line>, Option<i64>), Invalid> {
    let mut invalid = Invalid::new();
    let given = body.lines.take().unwrap_or_default();
    let fits = (1..=LOG_BATCH_MAX).contains(&given.len());
    invalid.require(fits, "lines", &format!("must be 1-{LOG_BATCH_MAX} lines"));
    invalid.within("seq", body.seq, &(0..=COUNTER_MAX));
    let lines = given.into_iter().take(LOG_BATCH_MAX).enumerate();
    let lines = lines.map(|(i, line)| read_line(i, line, &mut invalid)).collect();
    invalid.finish((lines, body.seq))
}

fn read_line(i: usize, line: TaskLogLineBody, invalid: &mut Invalid) -> Line {
    let TaskLogLineBody { at, level, stream, text } = line;
    let at = at.filter(|at| !at.is_empty()).and_then(|given| {
        let read = read_time(&given);
        if read.is_none() {
            invalid.push(format!("lines[{i}].at"), TIME_RULE);
        }
        read
    });
    let level = level.map(|given| {
        let rule = || format!("must be one of {}", LogLevel::names().join(", "));
        given.known().ok_or_else(|| invalid.push(format!("lines[{i}].level"), rule()))
    });
    let stream = stream.map(|given| {
        let rule = || format!("must be one of {}", LogStream::names().join(", "));
        given.known().ok_or_else(|| invalid.push(format!("lines[{i}].stream"), rule()))
    });
    if text.is_none() {
        invalid.push(format!("lines[{i}].text"), "is required");
    }
    let text = text.unwrap_or_default();
    if text.chars().count() > LOG_TEXT_CHARS_MAX {
        let rule = format!("must have at most {LOG_TEXT_CHARS_MAX} characters");
        invalid.push(format!("lines[{i}].text"), rule);
    }
    let (level, stream) = (level.and_then(Result::ok), stream.and_then(Result::ok));
    Line { at, level, stream, text: kept(&text).into_owned() }
}

/// A text as a log keeps it. A line is one line, and what a terminal obeys is left out of it but the tab and
/// ESC, with which text is coloured: each other control character is shown by its picture, so that one sees
/// that it was there. (C1 control characters have none.)
#[must_use]
pub fn kept(text: &str) -> Cow<'_, str> {
    let is_bad = |c: char| c.is_control() && !matches!(c, '\t' | '\u{1b}');
    if !text.contains(is_bad) {
        return Cow::Borrowed(text);
    }
    let picture = |c: char| match c {
        '\u{7f}' => '\u{2421}',
        c if !is_bad(c) => c,
        c => char::from_u32(0x2400 + u32::from(c)).filter(|_| c.is_ascii()).unwrap_or('\u{fffd}'),
    };
    Cow::Owned(text.chars().map(picture).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(lines: serde_json::Value) -> TaskLogBody {
        serde_json::from_value(serde_json::json!({ "lines": lines })).unwrap()
    }

    fn faults(lines: serde_json::Value) -> Vec<String> {
        let refused = read(&mut body(lines)).unwrap_err();
        refused.errors().iter().map(|error| error.field.clone()).collect()
    }

    #[test]
    fn a_line_keeps_colours_and_shows_what_a_terminal_would_obey() {
        for harmless in ["", "a\tb", "\u{1b}[31mred\u{1b}[0m", "日本 👩\u{200d}💻"] {
            assert!(matches!(kept(harmless), Cow::Borrowed(_)), "{harmless:?}");
        }
        assert_eq!(kept("a\0b\r\nc\u{7}\u{7f}\u{9b}2J"), "a␀b␍␊c␇␡\u{fffd}2J");
    }

    #[test]
    fn what_is_wrong_is_said_line_by_line() {
        use serde_json::json;
        assert_eq!(faults(json!([])), ["lines"]);
        assert_eq!(faults(json!(vec![json!({"text": "x"}); LOG_BATCH_MAX + 1])), ["lines"]);
        let long = "x".repeat(LOG_TEXT_CHARS_MAX + 1);
        let bad = json!([{"text": "x"}, {"level": "loud", "stream": "out"}, {"text": long}]);
        let named = ["lines[1].level", "lines[1].stream", "lines[1].text", "lines[2].text"];
        assert_eq!(faults(bad), named);
        let mut good = body(json!([{"text": "x", "level": "warn", "stream": "stderr"}]));
        good.seq = Some(7);
        let (lines, seq) = read(&mut good).unwrap();
        assert_eq!(
            (lines[0].level, lines[0].stream),
            (Some(LogLevel::Warn), Some(LogStream::Stderr))
        );
        assert_eq!((lines[0].text.as_str(), seq), ("x", Some(7)));
        good.seq = Some(-1);
        assert!(read(&mut good).is_err());
    }
}
