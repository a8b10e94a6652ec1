//! How texts of others are shown, in terminals and logs: what would move a cursor, begin a line that
//! somebody else seems to have written, or turn the direction of reading is written out instead.
//!
//! It is written as JSON does (`\\u001b`), so that JSON which is shown this way says the same.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::name::is_hidden;

/// A text that is shown in a line beside other things. Line breaks and tabs are written out as
/// well.
#[must_use]
pub fn in_line(text: &str) -> Cow<'_, str> {
    escaped(text, is_hidden)
}

/// A text that is shown for itself, with its own lines and tabs. Marks of direction that end with
/// the word they stand at may stay; what turns the direction of all that follows may not.
#[must_use]
pub fn as_text(text: &str) -> Cow<'_, str> {
    escaped(text, |c| {
        let is_turning = matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        is_turning || c.is_control() && !matches!(c, '\n' | '\t')
    })
}

fn escaped(text: &str, is_bad: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_bad) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if !is_bad(c) => shown.push(c),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a text cannot fail.
                    let _ = write!(shown, "\\u{unit:04x}");
                }
            }
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_harmless_is_shown_as_it_is() {
        for text in ["", "a b", "naïve \\ \"x\"", "می\u{200c}خواهم", "👩\u{200d}💻"] {
            assert!(matches!(in_line(text), Cow::Borrowed(_)), "{text:?}");
        }
        assert!(matches!(as_text("a\n\tb\u{200e}"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_moves_or_hides_something_is_written_out() {
        let hostile = "a\u{1b}[2J\r\n\tb\u{9b}\u{7}\u{202e}\u{e0041}";
        assert_eq!(in_line(hostile), r"a\u001b[2J\r\n\tb\u009b\u0007\u202e\udb40\udc41");
        assert_eq!(as_text("a\u{1b}[2J\r\n\tb\u{202e}"), "a\\u001b[2J\\r\n\tb\\u202e");
        // Once is enough.
        assert_eq!(in_line(&in_line(hostile)), in_line(hostile));
    }
}
