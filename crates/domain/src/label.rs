//! Labels of tasks: what their owner finds them by (`contract.md` §5).

use std::collections::BTreeMap;

use crate::invalid::Invalid;
use crate::limits::{TASK_LABEL_KEY_CHARS_MAX, TASK_LABEL_VALUE_CHARS_MAX, TASK_LABELS_MAX};
use crate::name;

/// Labels by their keys.
pub type Labels = BTreeMap<String, String>;

/// What the key of a label must be.
pub const KEY_RULE: &str = "must have keys of 1-64 of A-Z a-z 0-9 . _ / -";

/// What the value of a label must be.
pub const VALUE_RULE: &str = "must have at most 128 characters, no comma, no blank at its ends and \
                              no characters that cannot be seen";

fn is_key(key: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'/' | b'-');
    (1..=TASK_LABEL_KEY_CHARS_MAX).contains(&key.len()) && key.bytes().all(fits)
}

// A comma stands between labels in a query.
fn is_value(value: &str) -> bool {
    value.chars().count() <= TASK_LABEL_VALUE_CHARS_MAX
        && !value.contains(',')
        && name::is_valid(value)
}

/// Adds what is wrong with labels.
pub fn check(invalid: &mut Invalid, field: &str, labels: &Labels) {
    let fits = labels.len() <= TASK_LABELS_MAX;
    invalid.require(fits, field, "must not have more than 8 members");
    invalid.require(labels.keys().all(|key| is_key(key)), field, KEY_RULE);
    for (key, value) in labels.iter().filter(|(key, _)| is_key(key)).take(TASK_LABELS_MAX) {
        invalid.require(is_value(value), &format!("{field}.{key}"), VALUE_RULE);
    }
}

/// Each label as the scripts know it; a key holds no `=`.
#[must_use]
pub fn words(labels: &Labels) -> Vec<String> {
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect()
}

/// Reads labels as they stand in a query: `key:value`, with commas between.
///
/// # Errors
/// What they must be.
pub fn read(text: &str) -> Result<Labels, &'static str> {
    let mut labels = Labels::new();
    for pair in text.split(',').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once(':').ok_or("must be key:value, with commas between")?;
        if labels.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err("must not name a key twice");
        }
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(key: &str, value: &str) -> usize {
        let mut invalid = Invalid::new();
        check(&mut invalid, "labels", &Labels::from([(key.to_owned(), value.to_owned())]));
        invalid.errors().len()
    }

    #[test]
    fn keys_are_words_and_values_are_names() {
        for (key, value) in
            [("team", "red"), ("a/b.c_d-1", "x:y=z {}*?[a]"), ("k", ""), ("k", "日本")]
        {
            assert_eq!(faults(key, value), 0, "{key} {value}");
        }
        for (key, value) in [
            ("", "x"),
            ("a b", "x"),
            ("a=b", "x"),
            ("a:b", "x"),
            ("ä", "x"),
            ("k", "a,b"),
            ("k", " a"),
            ("k", "a\nb"),
            ("k", "a\u{202e}b"),
        ] {
            assert_eq!(faults(key, value), 1, "{key} {value}");
        }
        assert_eq!(faults(&"k".repeat(65), "v"), 1);
        assert_eq!(faults("k", &"v".repeat(129)), 1);
        let many: Labels = (0..9).map(|n| (n.to_string(), String::new())).collect();
        let mut invalid = Invalid::new();
        check(&mut invalid, "labels", &many);
        assert_eq!(invalid.errors().len(), 1);
    }

    #[test]
    fn a_query_names_them_by_pairs() {
        let read = |text: &str| read(text).map(|labels| words(&labels));
        assert_eq!(read("team:red,run:a:b").unwrap(), ["run=a:b", "team=red"]);
        assert_eq!(read("").unwrap(), Vec::<String>::new());
        assert!(read("team").is_err());
        assert!(read("a:1,a:2").is_err());
    }
}
