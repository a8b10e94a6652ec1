//! Compares what a document shows with what is printed, but for what differs each time; and learns
//! which id of a document is which id here.

use serde_json::Value;

use crate::harness::is_timestamp;

/// Fields whose values differ each time.
const VARYING: &[&str] = &[
    "request_id",
    "next_heartbeat_ms",
    "ttl_ms",
    "token",
    "link",
    "previous",
    "waited_ms",
    "time_since_heartbeat",
];
/// How an id that the hub makes begins.
const ID_PREFIXES: &[&str] = &[
    "msg_", "task_", "wait_", "group_", "bulk_", "sess_", "key_", "invite_", "hold_", "set_",
    "int_", "pos_",
];

/// The ids of a document, and what they are here.
#[derive(Debug, Default)]
pub struct Known(Vec<(String, String)>);

impl Known {
    /// A command of the document with the ids that are meant here.
    pub fn as_here(&self, command: &str) -> String {
        self.0.iter().fold(command.to_owned(), |text, (shown, here)| text.replace(shown, here))
    }

    /// Checks what was printed: JSON field by field, anything else word by word.
    #[track_caller]
    pub fn assert_same(&mut self, shown: &str, printed: &str, place: &str) {
        if let Ok(shown) = serde_json::from_str::<Value>(shown) {
            let printed = serde_json::from_str(printed)
                .unwrap_or_else(|error| panic!("{place}: {error}: {printed}"));
            self.same_json(&shown, &printed, "", place);
            return;
        }
        let words = |text: &str| -> Vec<String> {
            let words = text.split_whitespace().map(|word| word.trim_end_matches([';', ',', ':']));
            words.map(str::to_owned).collect()
        };
        let (shown, actual) = (words(shown), words(printed));
        assert_eq!(shown.len(), actual.len(), "{place}: {printed}");
        for (at, (word, actual)) in shown.iter().zip(&actual).enumerate() {
            // A measurement is another one each time.
            let is_measured = shown.get(at + 1).is_some_and(|unit| unit == "ms");
            if is_measured && word.parse::<f64>().is_ok() {
                assert!(actual.parse::<f64>().is_ok(), "{place}: {actual} for {word}");
            } else {
                self.same_word(word, actual, place);
            }
        }
    }

    fn same_word(&mut self, shown: &str, actual: &str, place: &str) {
        if is_made_by_the_hub(shown) {
            assert!(is_made_by_the_hub(actual), "{place}: {actual} for {shown}");
            self.0.push((shown.to_owned(), actual.to_owned()));
        } else if is_of_this_machine(shown) {
            assert!(is_of_this_machine(actual), "{place}: {actual} for {shown}");
        } else {
            assert_eq!(shown, actual, "{place}");
        }
    }

    fn same_json(&mut self, shown: &Value, actual: &Value, field: &str, place: &str) {
        match (shown, actual) {
            (Value::Object(shown_fields), Value::Object(fields)) => {
                let names = |fields: &serde_json::Map<String, Value>| {
                    fields.keys().cloned().collect::<Vec<_>>()
                };
                assert_eq!(names(shown_fields), names(fields), "{place}");
                for (name, value) in shown_fields {
                    self.same_json(value, &fields[name], name, place);
                }
            }
            (Value::Array(shown_items), Value::Array(items)) => {
                assert_eq!(shown_items.len(), items.len(), "{place}: {field}");
                for (shown, actual) in shown_items.iter().zip(items) {
                    self.same_json(shown, actual, field, place);
                }
            }
            _ if VARYING.contains(&field) => {
                assert_eq!(shown.is_number(), actual.is_number(), "{place}: {field}");
            }
            _ if is_timestamp(shown) => assert!(is_timestamp(actual), "{place}: {field}: {actual}"),
            (Value::String(shown), Value::String(actual)) => self.same_word(shown, actual, place),
            _ => assert_eq!(shown, actual, "{place}: {field}"),
        }
    }
}

/// Whether a word differs from machine to machine: where a socket is, a version.
fn is_of_this_machine(word: &str) -> bool {
    let has_digits = word.bytes().all(|it| it == b'.' || it.is_ascii_digit());
    let is_version = has_digits && word.matches('.').count() == 2;
    is_version || word.ends_with("/redis.sock")
}

/// Whether a word differs each time: an id, a time, a hash.
fn is_made_by_the_hub(word: &str) -> bool {
    let is_event = word.split_once('-').is_some_and(|(ms, n)| {
        [ms, n].iter().all(|part| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit()))
    });
    let is_time = word.len() == 8 && word.bytes().filter(|it| *it == b':').count() == 2;
    let is_hash = word.len() == 40 && word.bytes().all(|it| it.is_ascii_hexdigit());
    // Ids of the documents' own, such as task_1, are shorter.
    let is_id = ID_PREFIXES.iter().any(|prefix| {
        word.strip_prefix(prefix).is_some_and(|tail| tail.len() >= 8 && !tail.contains('/'))
    });
    is_id || is_event || is_time || is_hash
}
