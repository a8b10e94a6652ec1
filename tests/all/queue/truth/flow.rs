//! Waits, flows and groups, compared with what the model says should be.

use std::collections::{BTreeMap, BTreeSet};

use super::super::driver::Driver;
use super::super::flow::{Kind, News, Wait};
use super::super::model::Model;
use super::Truth;

impl Truth {
    /// What tasks wait for that is no node: each open wait once, with one that ends it.
    #[track_caller]
    pub(super) fn assert_waits(&self, model: &Model, done: &str) {
        let of_tasks =
            || model.tasks.iter().filter_map(|(id, task)| Some((id, task.wait.as_ref()?)));
        let open: BTreeSet<_> = of_tasks().map(|(_, wait)| wait.id.as_str()).collect();
        assert_eq!(self.members("reef:waits"), open, "open waits after {done}");
        assert_eq!(self.members("reef:waits:of:o"), open, "the owner's waits after {done}");
        let due = of_tasks().filter(|(_, wait)| wait.due.is_some());
        let due: BTreeSet<_> = due.map(|(_, wait)| wait.id.as_str()).collect();
        assert_eq!(self.members("reef:waits:due"), due, "waits that end after {done}");
        for (id, wait) in of_tasks() {
            assert_eq!(
                self.field(&format!("reef:task:{id}"), "wait"),
                wait.id,
                "{id} after {done}"
            );
            assert_eq!(self.field(&format!("reef:wait:{}", wait.id), "state"), "open");
        }
        for (id, task) in &model.tasks {
            let key = format!("reef:task:{id}");
            // Whatever waits has something that ends it.
            let follows = task.status == "waiting" && task.wait.is_none();
            assert_eq!(follows, task.status == "waiting" && task.unmet() > 0, "{id} after {done}");
            if follows {
                let unmet = self.number(&key, "unmet");
                assert_eq!(unmet, i64::try_from(task.unmet()).unwrap(), "{id} after {done}");
            }
            let signals = self.members(&format!("reef:task-signals:{id}")).len();
            assert_eq!(signals, task.signals.len(), "signals of {id} after {done}");
            let left = self.field(&format!("reef:task-large:{id}"), "checkpoint");
            assert_eq!(!left.is_empty(), task.has_checkpoint, "checkpoint of {id} after {done}");
            let resume = self.field(&format!("reef:task-large:{id}"), "resume");
            assert_eq!(!resume.is_empty(), task.has_resume, "resume of {id} after {done}");
        }
        // Nobody hears of an end twice, and nobody is forgotten: those that are still to hear.
        let mut next: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for (id, task) in &model.tasks {
            for (what, _) in task.after.iter().filter(|(_, (_, ended))| ended.is_none()) {
                next.entry(what).or_default().insert(id.clone());
            }
            if let Some(Wait { id, kind: Kind::Tasks(_, followed), .. }) = &task.wait {
                for (what, _) in followed.iter().filter(|(_, ended)| ended.is_none()) {
                    next.entry(what).or_default().insert(format!(":{id}"));
                }
            }
        }
        for (what, expected) in &next {
            let (kind, id) = match what.strip_prefix("group:") {
                Some(group) => ("group", group),
                None => ("task", *what),
            };
            let kept = self.members(&format!("reef:{kind}-next:{id}"));
            let is_kept = expected.iter().all(|entry| kept.contains(entry.as_str()));
            assert!(is_kept, "{what}: {expected:?} in {kept:?} after {done}");
            let is_there = model.standing(what).is_some();
            let is_told = model.releasing.iter().any(|news| match news {
                News::Task(told, _) => told == what,
                News::Group(told, _) => Some(told.as_str()) == what.strip_prefix("group:"),
                News::Doomed(..) => false,
            });
            assert!(is_there || is_told, "{what} never ends for {expected:?} after {done}");
        }
        // Each wait has one end, and keeps it.
        for (id, wait) in self.below("reef:wait:") {
            let task = &model.tasks[&wait["task"]];
            let expected = task.ended_waits.iter().find(|(ended, _)| ended == id);
            let expected = expected.map_or("open", |(_, state)| state);
            assert_eq!(wait["state"], expected, "{id} after {done}");
        }
    }

    /// Groups: their counters are what their tasks have told.
    #[track_caller]
    pub(super) fn assert_groups(&self, model: &Model, done: &str) {
        let kept: BTreeSet<_> = self.below("reef:group:").into_keys().collect();
        assert_eq!(kept, model.groups.keys().map(String::as_str).collect(), "after {done}");
        let lists: BTreeSet<_> = self.below("reef:group-tasks:").into_keys().collect();
        assert_eq!(lists, kept, "after {done}");
        for (id, group) in &model.groups {
            let key = format!("reef:group:{id}");
            let tasks: BTreeSet<_> = group.tasks.iter().map(String::as_str).collect();
            assert_eq!(self.members(&format!("reef:group-tasks:{id}")), tasks, "{id} after {done}");
            let count = |field: &str| usize::try_from(self.number(&key, field)).unwrap();
            assert_eq!(count("total"), group.total, "{id} after {done}");
            assert_eq!(count("open"), group.open, "{id} after {done}");
            for status in ["completed", "failed", "cancelled", "timeout"] {
                let expected = group.ended.get(status).copied().unwrap_or(0);
                assert_eq!(count(status), expected, "{status} of {id} after {done}");
            }
            assert_eq!(count("sealed"), usize::from(group.is_sealed), "{id} after {done}");
            let found = ["status", "parent", "first_failure"].map(|field| self.field(&key, field));
            let first_failure = group.first_failure.as_deref().unwrap_or_default();
            assert_eq!(found, [group.status, &group.parent, first_failure], "{id} after {done}");
            // What the counters are is what the tasks are, but for those of which it has yet to hear.
            let open = group.tasks.iter().filter(|id| {
                let task = &model.tasks[*id];
                let news = News::Task((*id).clone(), task.status);
                !task.is_ended() || model.releasing.contains(&news)
            });
            assert_eq!(open.count(), group.open, "{id} after {done}");
            let has_ended = group.is_sealed && group.open == 0;
            assert_eq!(group.status != "open", has_ended, "{id} after {done}");
            let what = format!("group:{id}");
            let watchers = model.tasks.values().filter_map(|task| match &task.wait {
                Some(Wait { id, kind: Kind::Tasks(until, followed), .. })
                    if *until != "ended" && followed.contains_key(&what) =>
                {
                    Some(format!(":{id}"))
                }
                _ => None,
            });
            let kept = self.members(&format!("reef:group-watchers:{id}"));
            for watcher in watchers.filter(|_| !has_ended) {
                assert!(kept.contains(watcher.as_str()), "{watcher} of {id} after {done}");
            }
        }
    }
}

impl Driver {
    /// Checks what happened over a whole run: each group has ended as often as it should, each wait once at
    /// most, and whatever followed others was let go once for each time that all of them had ended.
    #[track_caller]
    pub fn assert_history_is(&self, model: &Model) {
        let (mut ends, mut failings) = (BTreeMap::new(), BTreeMap::new());
        let (mut let_go, mut woken) = (BTreeMap::new(), BTreeMap::new());
        let count = |of: &mut BTreeMap<String, usize>, id: &serde_json::Value| {
            *of.entry(id.as_str().unwrap().to_owned()).or_default() += 1;
        };
        for (kind, event) in self.events() {
            match kind.as_str() {
                "group_ended" => count(&mut ends, &event["group_id"]),
                "group_failing" => count(&mut failings, &event["group_id"]),
                "task_pending" if event["reason"] == "ready" => {
                    count(&mut let_go, &event["task_id"]);
                }
                _ => {}
            }
            let has_left = event["previous"] == "waiting" && event["status"] != "waiting";
            if has_left && event["wait_id"].is_string() {
                count(&mut woken, &event["wait_id"]);
            }
        }
        for (wait, count) in woken {
            assert_eq!(count, 1, "{wait} has ended more than once");
        }
        for (id, task) in &model.tasks {
            assert_eq!(let_go.get(id).copied().unwrap_or(0), task.let_go, "{id} was let go");
        }
        let groups = model.groups.iter().map(|(id, it)| (id, (it.ends, it.failings)));
        let groups: BTreeMap<_, _> =
            groups.chain(model.former_groups.iter().map(|(id, counts)| (id, *counts))).collect();
        for (id, expected) in groups {
            let counted = [&ends, &failings].map(|of| of.get(id).copied().unwrap_or(0));
            assert_eq!(counted, [expected.0, expected.1], "{id} has ended, and was failing");
        }
    }
}
