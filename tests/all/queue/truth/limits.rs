//! What runs under limits, and what waits for them.

use std::collections::{BTreeMap, BTreeSet};

use super::Truth;
use crate::queue::limits::{Shut, use_of};
use crate::queue::model::Model;

impl Truth {
    /// A use is held by the tasks that run under it and by nobody else; and whatever waits for one has
    /// something that lets it go on: a task that gives it back, a time, or whoever may change the limit.
    #[track_caller]
    pub(super) fn assert_limits(&self, model: &Model, done: &str) {
        let held = self.below("reef:limit-held:").into_keys();
        let held: BTreeMap<String, BTreeSet<&str>> = held
            .map(|use_| (use_.to_owned(), self.members(&format!("reef:limit-held:{use_}"))))
            .collect();
        let mut expected: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for (use_, tasks) in model.holders() {
            let limit = use_.split('/').next().unwrap();
            if use_ != format!("{limit}//") {
                expected.entry(limit.to_owned()).or_default().extend(&tasks);
            }
            expected.entry(use_).or_default().extend(tasks);
        }
        assert_eq!(held, expected, "who holds limits after {done}");
        for id in model.tasks.keys() {
            let has_uses = !self.field(&format!("reef:task:{id}"), "uses").is_empty();
            let holds = expected.values().any(|tasks| tasks.contains(id.as_str()));
            assert_eq!(has_uses, holds, "{id} after {done}");
        }
        let parked = self.0.get("reef:queue-parked").cloned().unwrap_or_default();
        let mut listed = BTreeMap::new();
        for (use_, classes) in self.below("reef:limit-parked:") {
            for (class, rank) in classes {
                let queue = &self.0[&format!("reef:queue:{class}")];
                let first = queue.values().map(|rank| rank.parse::<i64>().unwrap()).min();
                assert_eq!(first, rank.parse().ok(), "{class} after {done}");
                assert_eq!(listed.insert(class.clone(), use_.to_owned()), None, "{class} twice");
            }
        }
        assert_eq!(listed, parked, "after {done}");
        let opening = self.members("reef:limits-opening");
        for (class, use_) in &parked {
            let queue = &self.0[&format!("reef:queue:{class}")];
            let task = &model.tasks[queue.keys().next().unwrap()];
            let under = task.wants.limits.iter().find(|under| use_of(**under) == *use_);
            let under = under.unwrap_or_else(|| panic!("{class} waits for {use_}, after {done}"));
            let goes_on =
                model.shut(*under) == Some(Shut::Unforeseen) || opening.contains(use_.as_str());
            assert!(goes_on, "nothing opens {use_} for {class}, after {done}");
        }
    }
}
