//! Flows: what a task may follow (`contract.md` §5).

use reef_api::Word as _;
use reef_api::flow::{AfterBody, On};

use crate::id;
use crate::invalid::Invalid;
use crate::limits::FOLLOWED_MAX;

/// Something that is followed: a task, or a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The task's id, or `group:` and the group's.
    pub what: String,
    /// How it is to have ended.
    pub on: On,
}

impl Edge {
    /// A group as what is followed.
    #[must_use]
    pub fn group(group_id: &str, on: On) -> Self {
        Self { what: format!("group:{group_id}"), on }
    }

    /// Whether it is this group.
    #[must_use]
    pub fn is_group(&self, group_id: &str) -> bool {
        self.what.strip_prefix("group:") == Some(group_id)
    }

    /// Reads what a task follows, and adds every broken rule; `field` is the name of the list. `earlier`
    /// are the ids of the tasks before it in a batch.
    pub fn read_all<T: AsRef<str>>(
        given: &[AfterBody],
        earlier: &[T],
        field: &str,
        invalid: &mut Invalid,
    ) -> Vec<Self> {
        invalid.at_most_items(field, given, FOLLOWED_MAX);
        let mut edges: Vec<Self> = Vec::with_capacity(given.len());
        for (n, after) in given.iter().enumerate() {
            let at = |part: &str| format!("{field}[{n}].{part}");
            let on = after.on.as_deref().unwrap_or("completed");
            invalid.one_of(&at("on"), on, &On::names());
            let on = On::parse(on).unwrap_or(On::Completed);
            let what = match (after.task.as_deref(), after.group.as_deref()) {
                (Some(task), None) => task_of(task, earlier),
                (None, Some(group)) if id::is_valid(group) => Ok(format!("group:{group}")),
                (None, Some(_)) => {
                    invalid.push(at("group"), id::RULE);
                    continue;
                }
                _ => Err("or group is required, one of them"),
            };
            match what {
                Ok(what) if edges.iter().any(|edge| edge.what == what) => {
                    invalid.push(format!("{field}[{n}]"), "must not be given twice");
                }
                Ok(what) => edges.push(Self { what, on }),
                Err(rule) => invalid.push(at("task"), rule),
            }
        }
        edges
    }
}

/// A task by its id, or by its place among the earlier ones of a batch.
fn task_of<T: AsRef<str>>(task: &str, earlier: &[T]) -> Result<String, &'static str> {
    match task.strip_prefix('#') {
        Some(place) => {
            let place: Option<usize> = place.parse().ok();
            let task = place.and_then(|place| earlier.get(place));
            task.map(|task| task.as_ref().to_owned())
                .ok_or("must be # and the place, from 0, of a task before this one")
        }
        None if id::is_valid(task) => Ok(task.to_owned()),
        None => Err(id::RULE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[(Option<&str>, Option<&str>, Option<&str>)]) -> (Vec<String>, Vec<String>) {
        let own = |text: Option<&str>| text.map(str::to_owned);
        let given: Vec<_> = given
            .iter()
            .map(|&(task, group, on)| AfterBody { task: own(task), group: own(group), on: own(on) })
            .collect();
        let mut invalid = Invalid::new();
        let edges = Edge::read_all(&given, &["t0", "t1"], "after", &mut invalid);
        let shown = edges.iter().map(|edge| format!("{} {}", edge.what, edge.on.as_str()));
        let faults = invalid.errors().iter().map(|error| error.field.clone());
        (shown.collect(), faults.collect())
    }

    #[test]
    fn a_place_stands_for_an_earlier_task() {
        let (edges, faults) = read(&[
            (Some("#1"), None, None),
            (Some("other"), None, Some("ended")),
            (None, Some("g"), Some("failed")),
        ]);
        assert_eq!(edges, ["t1 completed", "other ended", "group:g failed"]);
        assert_eq!(faults, Vec::<String>::new());
    }

    #[test]
    fn what_cannot_be_followed_is_named() {
        let (_, faults) = read(&[
            (Some("#2"), None, None),
            (Some("a b"), None, None),
            (None, Some("a b"), None),
            (None, None, None),
            (Some("t"), Some("g"), None),
            (Some("t"), None, Some("late")),
            (Some("#0"), None, None),
            (Some("t0"), None, None),
        ]);
        assert_eq!(
            faults,
            [
                "after[0].task",
                "after[1].task",
                "after[2].group",
                "after[3].task",
                "after[4].task",
                "after[5].on",
                "after[7]",
            ]
        );
    }
}
