//! What the queue should be of tasks that wait for something that is no node.

use std::collections::BTreeMap;

use super::model::{ANSWERED, Model, STEP, Task, Wants};

/// How long a sleep, or a wait that ends by itself, is.
pub const WAIT: i64 = STEP + STEP / 2;

/// What others have yet to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A task has ended.
    Task(String, &'static str),
    Group(String, &'static str),
    /// A task is to end, since what it follows has ended otherwise than it asks.
    Doomed(String, String),
}

impl News {
    /// As the scripts note it.
    pub fn entry(&self) -> String {
        match self {
            Self::Task(id, status) => format!("t/{id}/{status}"),
            Self::Group(id, status) => format!("g/{id}/{status}"),
            Self::Doomed(id, what) => format!("d/{id}/{what}"),
        }
    }
}

/// What a task waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What is done where nobody answers in time.
    Approval(&'static str),
    Signal(String),
    Sleep,
    /// Which end is waited for, and how those have ended that are followed.
    Tasks(&'static str, BTreeMap<String, Option<&'static str>>),
}

#[derive(Clone, Debug)]
pub struct Wait {
    pub id: String,
    pub kind: Kind,
    pub due: Option<i64>,
}

/// How something is to have ended, and how it has.
pub type Edge = (&'static str, Option<&'static str>);

pub fn meets(status: &str, on: &str) -> bool {
    on == "ended" || (on == "completed") == (status == "completed")
}

impl Task {
    /// Of how many that it follows the end is to come.
    pub fn unmet(&self) -> usize {
        let open = self.after.values().filter(|(_, status)| status.is_none()).count();
        open + usize::from(self.is_doomed)
    }

    pub fn close_wait(&mut self, state: &'static str) {
        self.ended_waits.extend(self.wait.take().map(|wait| (wait.id, state)));
    }

    /// Asks for its approval, if it needs one.
    fn ask_first(&mut self) -> bool {
        let Some(first) = &self.asks else { return false };
        let id = match self.waits {
            0 => first.clone(),
            waits => format!("{first}.{waits}"),
        };
        self.waits += 1;
        self.status = "waiting";
        self.wait = Some(Wait { id, kind: Kind::Approval("reject"), due: None });
        true
    }

    pub fn wake(&mut self, state: &'static str) {
        self.status = "pending";
        self.close_wait(state);
        self.has_resume = true;
    }

    /// It has ended: what only an unfinished one has goes.
    fn drop_waits(&mut self) {
        self.close_wait("cancelled");
        self.signals.clear();
        (self.has_checkpoint, self.has_resume) = (false, false);
    }
}

/// What a task is changed to.
#[derive(Clone, Debug)]
pub struct Change {
    pub wants: Wants,
    pub priority: i64,
    pub retries: i64,
    pub timeout_ms: i64,
    /// For how long it is kept back; 0: no longer.
    pub delay_ms: Option<i64>,
}

impl Model {
    /// Changes a task that waits.
    pub fn edit(&mut self, id: &str, change: &Change) -> &'static str {
        let clock = self.clock;
        let Some(task) = self.tasks.get_mut(id) else { return "not_found" };
        let takes_delay = task.status != "waiting" || change.delay_ms.is_none();
        if task.status == "running" || task.is_ended() || !takes_delay {
            return task.status;
        }
        task.rank += (change.priority - task.priority) * 600_000_000;
        task.priority = change.priority;
        task.wants = change.wants.clone();
        task.retries_max = change.retries;
        task.timeout_ms = change.timeout_ms;
        match change.delay_ms {
            Some(0) => task.put_back(),
            Some(delay_ms) => {
                task.status = "scheduled";
                task.due = Some(clock + delay_ms);
            }
            None => {}
        }
        ANSWERED
    }

    /// How something stands that is followed: how it has ended, if it has; nothing if there is none.
    pub fn standing(&self, what: &str) -> Option<Option<&'static str>> {
        match what.strip_prefix("group:") {
            Some(group) => {
                self.groups.get(group).map(|group| Some(group.status).filter(|it| *it != "open"))
            }
            None => self.tasks.get(what).map(|task| task.is_ended().then_some(task.status)),
        }
    }

    /// Somebody follows something: how it has ended, if it has.
    fn attach(&mut self, what: &str) -> Option<&'static str> {
        let status = self.standing(what).unwrap();
        if let (None, Some(task)) = (status, self.tasks.get_mut(what)) {
            task.is_followed = true;
        }
        status
    }

    /// Takes note of a task that was submitted: what it follows, whether somebody is asked first, and the
    /// group that it joins. Whether what it follows has ended otherwise than it asks.
    pub fn submit_flow(
        &mut self,
        id: &str,
        after: &[(String, &'static str)],
        asks: Option<String>,
        group: Option<&str>,
    ) -> bool {
        let mut failed = None;
        for (what, on) in after {
            let status = self.attach(what);
            if status.is_some_and(|status| !meets(status, on)) {
                failed.get_or_insert_with(|| what.clone());
            }
            self.tasks.get_mut(id).unwrap().after.insert(what.clone(), (on, status));
        }
        let task = self.tasks.get_mut(id).unwrap();
        task.is_doomed = failed.is_some();
        task.asks = asks;
        if task.unmet() > 0 {
            task.status = "waiting";
        } else {
            task.ask_first();
        }
        if let Some(group) = group {
            self.join(id, group);
        }
        let is_doomed = failed.is_some();
        self.releasing.extend(failed.map(|what| News::Doomed(id.to_owned(), what)));
        is_doomed
    }

    /// Ends a task.
    pub fn end(&mut self, id: &str, to: &'static str) {
        let task = self.tasks.get_mut(id).unwrap();
        task.status = to;
        task.due = None;
        task.is_doomed = false;
        task.drop_waits();
        if task.is_in_flow() {
            self.releasing.push(News::Task(id.to_owned(), to));
            self.has_released = true;
        }
    }

    /// What a hub does after a script that may have ended something.
    pub fn tell_if_any(&mut self) {
        if self.has_released && !self.is_cut {
            self.tell_all();
        }
    }

    /// Tells all that others have yet to hear.
    pub fn tell_all(&mut self) {
        while !self.releasing.is_empty() {
            match self.releasing.remove(0) {
                News::Task(id, status) => {
                    self.leave_groups(&id, status);
                    self.tell(&id, status);
                }
                News::Group(id, status) => self.tell(&format!("group:{id}"), status),
                News::Doomed(id, what) => self.fail_doomed(&id, &what),
            }
        }
        self.has_released = false;
    }

    fn tell(&mut self, what: &str, status: &'static str) {
        let ids: Vec<String> = self.tasks.keys().cloned().collect();
        for id in ids {
            self.hear(&id, what, status);
            self.follow(&id, what, status);
        }
    }

    fn fail_doomed(&mut self, id: &str, what: &str) {
        let Some(task) = self.tasks.get(id).filter(|task| task.status == "waiting") else { return };
        let (on, ended) = task.after[what];
        if ended.is_some_and(|status| !meets(status, on)) {
            self.end(id, "failed");
        }
    }

    fn follow(&mut self, id: &str, what: &str, status: &'static str) {
        let Some(task) = self.tasks.get_mut(id) else { return };
        let Some((on, ended)) = task.after.get_mut(what).filter(|(_, ended)| ended.is_none())
        else {
            return;
        };
        *ended = Some(status);
        let meets = meets(status, on);
        if task.status != "waiting" || task.wait.is_some() {
            return;
        }
        if !meets {
            self.end(id, "failed");
        } else if task.unmet() == 0 && !task.ask_first() {
            task.status = "pending";
            task.let_go += 1;
        }
    }

    fn hear(&mut self, id: &str, what: &str, status: &'static str) {
        let Some(task) = self.tasks.get_mut(id) else { return };
        let Some(Wait { kind: Kind::Tasks(until, followed), .. }) = &mut task.wait else { return };
        let Some(ended) = followed.get_mut(what).filter(|ended| ended.is_none()) else { return };
        *ended = Some(status);
        let is_all = followed.values().all(Option::is_some);
        if is_all || *until == "any" || (*until == "completed" && status != "completed") {
            task.wake("answered");
        }
    }

    /// Lets a running task wait.
    pub fn wait(&mut self, id: &str, token: &str, wait: Wait, checkpoint: bool) -> &'static str {
        let outcome = self.use_token(id, token);
        if outcome != ANSWERED {
            return outcome;
        }
        if self.is_unknown_to(id, &wait) {
            return "unknown";
        }
        let mut wait = wait;
        let mut is_failing = false;
        if let Kind::Tasks(until, followed) = &mut wait.kind {
            self.seal_children(id, followed);
            for (what, ended) in followed.iter_mut() {
                *ended = self.attach(what);
            }
            is_failing = *until != "ended" && self.is_failing(followed.keys());
        }
        let task = self.tasks.get_mut(id).unwrap();
        task.has_checkpoint |= checkpoint;
        let is_there = match &wait.kind {
            Kind::Signal(name) => {
                let place = task.signals.iter().position(|signal| signal == name);
                place.map(|place| task.signals.remove(place)).is_some()
            }
            Kind::Tasks(until, followed) => {
                let ended: Vec<_> = followed.values().flatten().collect();
                ended.len() == followed.len()
                    || is_failing
                    || (*until == "any" && !ended.is_empty())
                    || (*until == "completed" && ended.iter().any(|status| **status != "completed"))
            }
            _ => false,
        };
        task.has_resume = is_there;
        task.waits += 1;
        if is_there {
            return "ready";
        }
        task.status = "waiting";
        task.node.clear();
        task.wait = Some(wait);
        ANSWERED
    }

    pub fn signal(&mut self, id: &str, name: &str) -> &'static str {
        let Some(task) = self.tasks.get_mut(id) else { return "not_found" };
        if task.is_ended() {
            return task.status;
        }
        match &task.wait {
            Some(Wait { kind: Kind::Signal(waited), .. }) if waited == name => {
                task.wake("answered")
            }
            _ => task.signals.push(name.to_owned()),
        }
        ANSWERED
    }

    /// Answers what a task waits for; by the wait's id.
    pub fn answer(&mut self, wait_id: &str) -> &'static str {
        let is_it = |task: &&mut Task| task.wait.as_ref().is_some_and(|wait| wait.id == wait_id);
        match self.tasks.values_mut().find(is_it) {
            Some(task) if matches!(task.wait, Some(Wait { kind: Kind::Approval(_), .. })) => {
                task.wake("answered");
                ANSWERED
            }
            _ => "refused",
        }
    }

    /// Ends those of these waits whose time is over; how many.
    pub fn expire<'a>(&mut self, waits: impl Iterator<Item = &'a String>) -> i64 {
        let mut expired = 0;
        for id in waits {
            let is_due = |(_, task): &(&String, &Task)| {
                let wait = task.wait.as_ref().filter(|wait| wait.id == *id);
                wait.and_then(|wait| wait.due).is_some_and(|due| due <= self.clock)
            };
            let Some(task_id) = self.tasks.iter().find(is_due).map(|(id, _)| id.clone()) else {
                continue;
            };
            expired += 1;
            let task = self.tasks.get_mut(&task_id).unwrap();
            match task.wait.as_ref().map(|wait| &wait.kind) {
                Some(Kind::Approval("fail")) => {
                    task.close_wait("expired");
                    self.end(&task_id, "failed");
                }
                Some(Kind::Sleep) => task.wake("over"),
                _ => task.wake("expired"),
            }
        }
        expired
    }

    /// The waits that end by themselves, the first due first.
    pub fn due_waits(&self) -> Vec<String> {
        let waits = self.tasks.values().filter_map(|task| task.wait.as_ref());
        let mut due: Vec<_> = waits.filter_map(|wait| Some((wait.due?, wait.id.clone()))).collect();
        due.sort_unstable();
        due.into_iter().map(|(_, id)| id).collect()
    }

    /// Whether what a task follows lets it be tried again.
    pub fn may_follow_again(&self, id: &str) -> bool {
        self.tasks[id].after.iter().all(|(what, (on, ended))| {
            let now = match self.standing(what) {
                Some(now) => now,
                None => ended.filter(|status| *status != "gone"),
            };
            now.is_none_or(|status| meets(status, on))
        })
    }

    /// Puts an ended task back: into the queue, or to where it waits for what it follows.
    pub fn revive(&mut self, id: &str) {
        let news = News::Task(id.to_owned(), self.tasks[id].status);
        if self.releasing.contains(&news) {
            self.releasing.retain(|other| *other != news);
        } else {
            self.rejoin(id);
        }
        let task = self.tasks.get_mut(id).unwrap();
        task.revive();
        let after = task.after.clone();
        for (what, (on, _)) in after {
            if self.standing(&what).is_none() {
                // What is no more is not waited for.
                let edge = &mut self.tasks.get_mut(id).unwrap().after;
                edge.get_mut(&what).unwrap().1.get_or_insert("gone");
                continue;
            }
            let status = self.attach(&what);
            self.tasks.get_mut(id).unwrap().after.insert(what, (on, status));
        }
        let task = self.tasks.get_mut(id).unwrap();
        if task.unmet() > 0 {
            task.status = "waiting";
        } else {
            task.ask_first();
        }
    }
}
