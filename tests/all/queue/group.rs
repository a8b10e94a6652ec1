//! What groups of tasks should be: counters by what their tasks have told, one end, and one first failure.

use std::collections::BTreeMap;

use super::flow::{Kind, News, Wait};
use super::model::{ANSWERED, Model, Task, Wants};

#[derive(Debug, Default)]
pub struct Group {
    /// The tasks that there are, in the order in which they came.
    pub tasks: Vec<String>,
    /// How many there have been, how many of them have not told of their end, and how the others ended.
    pub total: usize,
    pub open: usize,
    pub ended: BTreeMap<&'static str, usize>,
    pub is_sealed: bool,
    pub status: &'static str,
    pub parent: String,
    pub first_failure: Option<String>,
    /// Those that failed in the same step: which of them was first, the order tells in which they were
    /// heard of.
    pub candidates: Vec<String>,
    /// How often it has ended, and told of a first failure.
    pub ends: usize,
    pub failings: usize,
}

/// A task of a batch.
#[derive(Debug)]
pub struct Member {
    pub id: String,
    pub wants: Wants,
    pub priority: i64,
    pub retries: i64,
    pub timeout_ms: i64,
    pub after: Vec<(String, &'static str)>,
    pub asks: Option<String>,
    /// It follows the group, and is none of it.
    pub follows_group: bool,
}

/// A batch.
#[derive(Debug)]
pub struct Tasks {
    pub members: Vec<Member>,
    pub group: Option<String>,
    pub seals: bool,
    /// Task and token.
    pub parent: Option<(String, String)>,
}

impl Task {
    /// Whether others are to hear of its end.
    pub fn is_in_flow(&self) -> bool {
        self.is_followed || self.group.is_some() || self.children.is_some()
    }
}

impl Model {
    pub(super) fn join(&mut self, id: &str, group_id: &str) {
        let group = self.groups.get_mut(group_id).unwrap();
        group.tasks.push(id.to_owned());
        group.total += 1;
        group.open += 1;
        self.tasks.get_mut(id).unwrap().group = Some(group_id.to_owned());
    }

    /// Why a batch is not taken; nothing if it is.
    fn batch_refusal(&self, batch: &Tasks) -> Option<&'static str> {
        if let Some((id, token)) = &batch.parent {
            let Some(parent) = self.tasks.get(id) else { return Some("unknown") };
            let holds = parent.status == "running" && parent.token == *token;
            if !holds || parent.until <= self.clock {
                return Some("fenced");
            }
        }
        let group = batch.group.as_ref().and_then(|id| self.groups.get(id));
        group.is_some_and(|group| group.is_sealed).then_some("sealed")
    }

    /// Takes a batch; the places in the queue are those of its tasks, if it is taken.
    pub fn batch(&mut self, batch: Tasks, ranks: &[i64]) -> &'static str {
        if let Some(refused) = self.batch_refusal(&batch) {
            return refused;
        }
        let group = batch.group.as_deref();
        if let Some(group) = group {
            let parent = batch.parent.as_ref().map(|(id, _)| id.clone()).unwrap_or_default();
            self.groups.entry(group.to_owned()).or_insert_with(|| Group {
                status: "open",
                parent,
                ..Group::default()
            });
        }
        let mut is_doomed = false;
        for (member, rank) in batch.members.into_iter().zip(ranks) {
            let Member { id, wants, priority, retries, timeout_ms, after, asks, follows_group } =
                member;
            self.submit(&id, wants, *rank, retries, timeout_ms, 0);
            self.tasks.get_mut(&id).unwrap().priority = priority;
            let joins = group.filter(|_| !follows_group);
            is_doomed |= self.submit_flow(&id, &after, asks, joins);
        }
        if let Some(group) = group {
            if batch.seals {
                self.seal(group);
            } else if let Some((parent, _)) = batch.parent {
                let children = &mut self.tasks.get_mut(&parent).unwrap().children;
                let former = children.replace(group.to_owned());
                if let Some(former) = former.filter(|former| former != group) {
                    self.seal(&former);
                }
            }
        }
        self.has_released |= is_doomed;
        self.tell_if_any();
        ANSWERED
    }

    pub(super) fn seal(&mut self, id: &str) {
        let Some(group) = self.groups.get_mut(id).filter(|group| !group.is_sealed) else { return };
        group.is_sealed = true;
        if group.open == 0 {
            self.end_group(id);
        }
    }

    fn end_group(&mut self, id: &str) {
        let group = self.groups.get_mut(id).unwrap();
        let completed = group.ended.get("completed").copied().unwrap_or(0);
        group.status = if completed == group.total { "completed" } else { "failed" };
        group.ends += 1;
        self.releasing.push(News::Group(id.to_owned(), group.status));
    }

    /// The groups that hear of a task's end: its own, and the one that it has made.
    pub(super) fn leave_groups(&mut self, id: &str, status: &'static str) {
        let Some(task) = self.tasks.get(id) else { return };
        let (own, children) = (task.group.clone(), task.children.clone());
        if let Some(own) = own {
            self.leave_group(id, &own, status);
        }
        if let Some(children) = children {
            self.seal(&children);
        }
    }

    fn leave_group(&mut self, id: &str, group_id: &str, status: &'static str) {
        let group = self.groups.get_mut(group_id).unwrap();
        *group.ended.entry(status).or_default() += 1;
        group.open -= 1;
        let ends = group.open == 0 && group.is_sealed;
        if matches!(status, "failed" | "timeout") {
            if group.first_failure.is_none() {
                group.first_failure = Some(id.to_owned());
                group.failings += 1;
                group.candidates = vec![id.to_owned()];
                self.hear_of_failure(group_id);
            } else if !group.candidates.is_empty() {
                group.candidates.push(id.to_owned());
            }
        }
        if ends {
            self.end_group(group_id);
        }
    }

    /// Ends the waits that end with the first failure in a group.
    fn hear_of_failure(&mut self, group: &str) {
        let what = format!("group:{group}");
        for task in self.tasks.values_mut() {
            if let Some(Wait { kind: Kind::Tasks(until, followed), .. }) = &task.wait
                && *until != "ended"
                && followed.contains_key(&what)
            {
                task.wake("answered");
            }
        }
    }

    /// Whether there was a first failure in one of these that are groups.
    pub(super) fn is_failing<'a>(&self, mut whats: impl Iterator<Item = &'a String>) -> bool {
        whats.any(|what| {
            let group = what.strip_prefix("group:").and_then(|group| self.groups.get(group));
            group.is_some_and(|group| group.first_failure.is_some())
        })
    }

    /// Whether a task is to wait for what is not there, or for itself.
    pub(super) fn is_unknown_to(&self, id: &str, wait: &Wait) -> bool {
        let Kind::Tasks(_, followed) = &wait.kind else { return false };
        let own = self.tasks[id].group.as_ref().map(|group| format!("group:{group}"));
        followed
            .keys()
            .any(|what| what == id || Some(what) == own.as_ref() || self.standing(what).is_none())
    }

    /// Who waits for what it has made, makes nothing more.
    pub(super) fn seal_children<V>(&mut self, id: &str, followed: &BTreeMap<String, V>) {
        let children = self.tasks[id].children.clone();
        if let Some(children) =
            children.filter(|group| followed.contains_key(&format!("group:{group}")))
        {
            self.seal(&children);
        }
    }

    /// A task that is tried again is unfinished in its group, too.
    pub(super) fn rejoin(&mut self, id: &str) {
        let Task { group: Some(group), status, .. } = &self.tasks[id] else { return };
        let (group_id, status) = (group.clone(), *status);
        let group = self.groups.get_mut(&group_id).unwrap();
        *group.ended.get_mut(status).unwrap() -= 1;
        group.open += 1;
        group.status = "open";
        if group.first_failure.as_deref() == Some(id) {
            group.first_failure = None;
        }
        self.releasing.retain(|news| !matches!(news, News::Group(group, _) if *group == group_id));
    }

    /// Cancels what of a group has not ended, or tries again what has not completed.
    pub fn change_group(&mut self, id: &str, retries: bool) -> Result<i64, &'static str> {
        if !self.groups.contains_key(id) {
            return Err("not_found");
        }
        if !retries {
            self.seal(id);
        }
        let mut changed = 0;
        for task in self.groups[id].tasks.clone() {
            let status = self.tasks[&task].status;
            if retries {
                let may = self.tasks[&task].is_dead() || status == "cancelled";
                if may && self.may_follow_again(&task) {
                    self.revive(&task);
                    changed += 1;
                }
            } else if self.call_off(&task) == ANSWERED {
                changed += 1;
            }
        }
        self.has_released = !self.releasing.is_empty();
        self.tell_if_any();
        Ok(changed)
    }

    /// Whether others have yet to hear of a task's end.
    pub(super) fn is_untold(&self, id: &str) -> bool {
        let task = &self.tasks[id];
        task.is_in_flow() && self.releasing.contains(&News::Task(id.to_owned(), task.status))
    }

    /// Forgets a task; its group goes with its last. Where that took further tasks, it ends with it.
    pub(super) fn forget(&mut self, id: &str) {
        let task = self.tasks.remove(id).unwrap();
        let Some(group_id) = task.group else { return };
        let group = self.groups.get_mut(&group_id).unwrap();
        group.tasks.retain(|other| other != id);
        if !group.tasks.is_empty() {
            return;
        }
        if group.status == "open" {
            self.end_group(&group_id);
        }
        let group = self.groups.remove(&group_id).unwrap();
        self.former_groups.insert(group_id, (group.ends, group.failings));
    }

    /// Which of several that failed in one step were the first, in their groups.
    pub fn adopt_first_failures(&mut self, found: impl Fn(&str) -> Option<String>) {
        for (id, group) in &mut self.groups {
            let candidates = std::mem::take(&mut group.candidates);
            if candidates.len() > 1 {
                group.first_failure = found(id);
                let is_one = group.first_failure.as_ref().is_some_and(|it| candidates.contains(it));
                assert!(is_one, "{id}: {:?} of {candidates:?}", group.first_failure);
            }
        }
    }
}
