//! What may stand in a name: hostnames, skills, tags, names of tasks, topics, users, memos and
//! whatever else is shown in a line beside others.
//!
//! Names come from strangers and are read by people, in tables, logs and pages. What would move a
//! cursor there, begin a new line, turn the direction of reading, or not be seen at all makes one
//! name look like another, or like something that the reader's own program has said. So no name
//! holds such characters. Text that is free (descriptions, contents, errors) may, and is escaped
//! where it is shown.

use crate::invalid::Invalid;

/// What a caller is told about a name with characters that it must not have.
pub const RULE: &str = "must not begin or end with a blank, and must have no control characters, \
                        line breaks, marks of direction or other characters that cannot be seen";

/// The characters of [`is_hidden`] as the inside of a class of a regular expression, for
/// descriptions of the API.
pub const HIDDEN_CLASS: &str = "\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\
                                \\u180b-\\u180f\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u2800\
                                \\u3164\\ufeff\\uffa0\\ufff0-\\ufffb";

/// Whether a character must not stand in a name: control characters, separators of lines, marks
/// that turn the direction of reading, and what cannot be seen.
///
/// The two joiners are none of these: Persian, several scripts of India and many emoji are written
/// with them. Nor are the variation selectors, with which emoji and rare ideographs are chosen.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{2800}'
            | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{13430}'..='\u{1343f}'
            // Letters that nobody sees, with which texts are smuggled past readers.
            | '\u{e0000}'..='\u{e00ff}' | '\u{e01f0}'..='\u{e0fff}')
        || is_noncharacter(c)
}

/// The last two of each plane, and 32 more, are no characters.
fn is_noncharacter(c: char) -> bool {
    u32::from(c) & 0xfffe == 0xfffe || matches!(c, '\u{fdd0}'..='\u{fdef}')
}

/// What joins its neighbours, and so stands between two.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Whether a text can be a name, whatever its length; none at all counts as one.
#[must_use]
pub fn is_valid(text: &str) -> bool {
    let is_edge = |c: char| c.is_whitespace() || is_joiner(c);
    !text.starts_with(is_edge) && !text.ends_with(is_edge) && !text.contains(is_hidden)
}

/// Adds a fault if the text cannot be a name.
pub fn check(invalid: &mut Invalid, field: &str, text: &str) {
    invalid.require(is_valid(text), field, RULE);
}

/// A name made of a free text: on one line, cut to so many characters.
#[must_use]
pub fn of_text(text: &str, chars_max: usize) -> String {
    let shown = text.replace(|c: char| is_hidden(c) && !c.is_whitespace(), " ");
    let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = words.chars().take(chars_max).collect();
    cut.trim_matches(|c: char| c.is_whitespace() || is_joiner(c)).to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_what_people_read() {
        for good in [
            "",
            "gpu",
            "two words",
            "naïve",
            "日本語",
            "می\u{200c}خواهم",
            "👩\u{200d}💻",
            "❤\u{fe0f}",
            "שלום",
            "a\u{301}",
        ] {
            assert!(is_valid(good), "{good:?}");
        }
    }

    #[test]
    fn what_is_not_seen_or_moves_something_is_no_part_of_a_name() {
        let hidden = (0..=0x1f).chain(0x7f..=0x9f).chain([0xad, 0x61c, 0x200b, 0x200e, 0x200f]);
        let hidden = hidden.chain(0x2028..=0x202e).chain(0x2060..=0x206f).chain([0xfeff, 0xe0041]);
        for c in hidden.map(|code| char::from_u32(code).unwrap()) {
            assert!(is_hidden(c), "{c:?}");
            assert!(!is_valid(&format!("a{c}b")), "{c:?}");
        }
        for bad in [" a", "a ", "\u{a0}a", "a\u{3000}", "\u{200d}a", "a\u{200c}", "h\n2026 ERROR"] {
            assert!(!is_valid(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_text_becomes_a_name() {
        assert_eq!(of_text(" tidy\nup\u{1b}[2J\u{202e} now ", 255), "tidy up [2J now");
        assert_eq!(of_text("one two", 4), "one");
        assert_eq!(of_text("\u{200b}\u{200d}\n", 9), "");
    }

    proptest! {
        #[test]
        fn whatever_the_text_it_becomes_a_valid_name(text in "(?s).{0,60}", max in 0_usize..40) {
            let name = of_text(&text, max);
            prop_assert!(is_valid(&name), "{name:?}");
            prop_assert!(name.chars().count() <= max);
        }
    }
}
