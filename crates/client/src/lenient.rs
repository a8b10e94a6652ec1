//! Answers of which a part cannot be read: what was stored by earlier versions and old clients may
//! hold texts that are not Unicode, numbers beyond all bounds, or deep nesting. Such a part costs
//! itself and nothing else.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use serde_path_to_error::{Path, Segment};

/// How deep a part that cannot be read is looked for. Below, the whole is taken for it.
const LEVELS: usize = 6;

/// A value whose unreadable parts are texts, their JSON as it came; an entry of a list that then is
/// not what it should be is left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lenient<T = Value> {
    /// The value.
    pub value: T,
    /// What cannot be read of it, part by part: where, in which entry, and why.
    pub unreadable: Vec<Unreadable>,
}

/// A part of an answer that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Where it is: `messages[3].content`.
    pub place: String,
    /// What it is a part of, such as `task_id t1`, if that says so.
    pub of: Option<String>,
    /// What is wrong with it.
    pub reason: String,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(of) = &self.of {
            write!(f, "{of}: ")?;
        }
        write!(f, "{} cannot be read: {}", self.place, self.reason)
    }
}

impl<T: DeserializeOwned> Lenient<T> {
    /// Reads a JSON text.
    ///
    /// # Errors
    /// It is no JSON at all, or what cannot be read is no entry of a list.
    pub fn read(text: &[u8]) -> Result<Self, serde_json::Error> {
        let mut unreadable = Vec::new();
        let mut json = match serde_json::from_slice(text) {
            Ok(json) => json,
            Err(_) => part(serde_json::from_slice(text)?, "", None, LEVELS, &mut unreadable),
        };
        let mut left_out = 0;
        loop {
            let error = match serde_path_to_error::deserialize(&json) {
                Ok(value) => return Ok(Self { value, unreadable }),
                Err(error) => error,
            };
            let Some((entry, mut place)) = take_entry(&mut json, error.path(), left_out) else {
                return Err(error.into_inner());
            };
            place.push_str(&rest_of(error.path()));
            left_out += 1;
            let of = serde_json::value::to_raw_value(&entry).ok().and_then(|raw| name_of(&raw));
            unreadable.push(Unreadable { place, of, reason: error.inner().to_string() });
        }
    }
}

/// Takes the entry out of a list in which an error was found, and says where it was before others were
/// left out.
fn take_entry(json: &mut Value, path: &Path, left_out: usize) -> Option<(Value, String)> {
    let (mut part, mut place) = (json, String::new());
    for segment in path {
        match segment {
            Segment::Map { key } => {
                part = part.get_mut(key)?;
                place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
            }
            Segment::Seq { index } => {
                let entries = part.as_array_mut().filter(|entries| *index < entries.len())?;
                return Some((entries.remove(*index), format!("{place}[{}]", index + left_out)));
            }
            Segment::Enum { .. } | Segment::Unknown => return None,
        }
    }
    None
}

/// A path behind the first entry of a list.
fn rest_of(path: &Path) -> String {
    let path = path.to_string();
    path.split_once(']').map(|(_, rest)| rest.to_owned()).unwrap_or_default()
}

fn part(
    raw: &RawValue,
    place: &str,
    of: Option<&str>,
    levels: usize,
    unreadable: &mut Vec<Unreadable>,
) -> Value {
    let error = match serde_json::from_str(raw.get()) {
        Ok(value) => return value,
        Err(error) => error,
    };
    if levels > 0 {
        if let Ok(entries) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) {
            let read = |(n, entry): (usize, &&RawValue)| {
                part(entry, &format!("{place}[{n}]"), of, levels - 1, unreadable)
            };
            return Value::Array(entries.iter().enumerate().map(read).collect());
        }
        if let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(raw.get()) {
            let name = name_of(raw);
            let of = name.as_deref().or(of);
            let read = |(name, member): (&String, &&RawValue)| {
                let dot = if place.is_empty() { "" } else { "." };
                let value =
                    part(member, &format!("{place}{dot}{name}"), of, levels - 1, unreadable);
                (name.clone(), value)
            };
            return Value::Object(members.iter().map(read).collect());
        }
    }
    unreadable.push(Unreadable {
        place: if place.is_empty() { "the answer".to_owned() } else { place.to_owned() },
        of: of.map(str::to_owned),
        reason: error.to_string(),
    });
    Value::String(raw.get().to_owned())
}

/// What an object calls itself: the first of its members that is an id.
fn name_of(raw: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Ids<'a> {
        #[serde(borrow)]
        task_id: Option<&'a RawValue>,
        #[serde(borrow)]
        msg_id: Option<&'a RawValue>,
        #[serde(borrow)]
        message_id: Option<&'a RawValue>,
        #[serde(borrow)]
        session_id: Option<&'a RawValue>,
        #[serde(borrow)]
        agent_id: Option<&'a RawValue>,
        #[serde(borrow)]
        node_id: Option<&'a RawValue>,
    }
    let ids: Ids<'_> = serde_json::from_str(raw.get()).ok()?;
    let known = [
        ("task", ids.task_id),
        ("message", ids.msg_id),
        ("message", ids.message_id),
        ("session", ids.session_id),
        ("agent", ids.agent_id),
        ("node", ids.node_id),
    ];
    known.into_iter().find_map(|(what, id)| {
        let id: String = serde_json::from_str(id?.get()).ok()?;
        Some(format!("{what} {id}"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_bad_part_costs_itself_alone() {
        let deep = "[".repeat(400_000) + &"]".repeat(400_000);
        let text = format!(
            r#"{{"messages":[{{"msg_id":"a","content":"\ud800"}},{{"msg_id":"b","content":{{"n":[1,1e400]}}}},
            {{"msg_id":"c","content":{deep}}},{{"msg_id":"d","content":"good"}}],"depth":4}}"#
        );
        let Lenient { value, unreadable } = Lenient::<Value>::read(text.as_bytes()).unwrap();
        let contents: Vec<&Value> =
            value["messages"].as_array().unwrap().iter().map(|mail| &mail["content"]).collect();
        assert_eq!(contents[0], r#""\ud800""#);
        assert_eq!(*contents[1], json!({"n": [1, "1e400"]}));
        assert_eq!(contents[3], "good");
        let said: Vec<String> = unreadable.iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(said[0].starts_with("message a: messages[0].content cannot be read"), "{said:?}");
        assert!(said[2].starts_with("message c: messages[2].content"), "{said:?}");
        assert!(said[1].starts_with("message b: messages[1].content.n[1] cannot be"), "{said:?}");
    }

    #[test]
    fn entries_that_are_not_what_they_should_be_are_named_and_left_out() {
        #[derive(Deserialize)]
        struct Tasks {
            tasks: Vec<Task>,
        }
        #[derive(Deserialize)]
        struct Task {
            task_id: String,
            priority: i64,
        }
        let text = br#"{"tasks":[{"task_id":"a","priority":1e400},{"task_id":"b","priority":1},
            {"task_id":"c","priority":[]},{"task_id":"d"},{"task_id":"e","priority":2}]}"#;
        let Lenient { value, unreadable } = Lenient::<Tasks>::read(text).unwrap();
        let read: Vec<_> =
            value.tasks.iter().map(|it| (it.task_id.as_str(), it.priority)).collect();
        assert_eq!(read, [("b", 1), ("e", 2)]);
        let said: Vec<String> = unreadable.iter().map(ToString::to_string).collect();
        let places = ["[0].priority", "[0].priority", "[2].priority", "[3]"];
        assert_eq!(said.len(), places.len(), "{said:?}");
        for (said, (of, place)) in said.iter().zip(["a", "a", "c", "d"].into_iter().zip(places)) {
            let start = format!("task {of}: tasks{place} cannot be read");
            assert!(said.starts_with(&start), "{said}");
        }
        assert!(Lenient::<Tasks>::read(br#"{"tasks":7}"#).is_err());
    }

    #[test]
    fn what_is_no_json_is_none() {
        assert!(Lenient::<Value>::read(b"{").is_err());
    }
}
