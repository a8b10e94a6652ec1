//! Who waits, and who is woken by what.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reef_api::NodeId;
use serde::Deserialize;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Events after which there may be work for anybody: an admin keeps less back.
const REOPENING: [&str; 4] = ["queue_paused", "queue_resumed", "limit_changed", "limit_removed"];

/// Everybody who waits, the longest waiting first.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    waiting: BTreeMap<u64, Waiting>,
    next: u64,
    is_closing: bool,
}

#[derive(Debug)]
struct Waiting {
    interest: Interest,
    /// It was woken and has not said yet what came of it.
    is_awake: bool,
    /// Something has happened since, which it may have looked too early to see.
    looks_again: bool,
    wake: UnboundedSender<Woken>,
}

/// What somebody waits for.
#[derive(Debug)]
pub(super) enum Interest {
    /// Tasks that a node can run.
    Work {
        /// The node.
        node_id: NodeId,
        /// Its skills; `None`: not known, so any task may be for it.
        skills: Option<HashSet<String>>,
    },
    /// The end of a task, a wait or a group.
    End(String),
}

/// Somebody's place among those who wait. Giving it up wakes nobody.
#[derive(Debug)]
pub(super) struct Waiter {
    waiters: Arc<Waiters>,
    number: u64,
    woken: UnboundedReceiver<Woken>,
}

/// The duty to look. If it comes to nothing, or whoever has it goes away, it passes on to the next
/// one whom the same task may interest.
#[derive(Debug)]
pub(super) struct Woken(Option<Baton>);

#[derive(Debug)]
struct Baton {
    waiters: Arc<Waiters>,
    holder: u64,
    /// What the task asks for; `None`: nothing is passed on.
    wants: Option<Arc<Wants>>,
}

/// The parts of an event that matter here.
#[derive(Deserialize)]
struct Event {
    event_type: String,
    payload: Payload,
}

#[derive(Deserialize)]
struct Payload {
    task_id: Option<String>,
    wait_id: Option<String>,
    group_id: Option<String>,
    node_id: Option<NodeId>,
    required_skills: Option<HashSet<String>>,
    target_node: Option<NodeId>,
}

/// What a task that can be claimed asks for.
#[derive(Debug)]
struct Wants {
    skills: HashSet<String>,
    /// The one node that it is for.
    node_id: Option<NodeId>,
}

impl Waiters {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins those who wait, as the last.
    pub(super) fn join(self: &Arc<Self>, interest: Interest) -> Waiter {
        let (wake, woken) = unbounded_channel();
        let mut table = self.table();
        let number = table.next;
        table.next += 1;
        let waiting = Waiting { interest, is_awake: false, looks_again: false, wake };
        table.waiting.insert(number, waiting);
        Waiter { waiters: Arc::clone(self), number, woken }
    }

    /// Takes note of an event of the cluster.
    pub(super) fn tell(self: &Arc<Self>, event: &str) {
        let Ok(Event { event_type, payload }) = serde_json::from_str(event) else { return };
        if let Some(skills) = payload.required_skills {
            self.wake_one(0, &Arc::new(Wants { skills, node_id: payload.target_node }));
        }
        let mut table = self.table();
        for (number, waiting) in &mut table.waiting {
            let concerns = match &waiting.interest {
                // It has room again, or is online again.
                Interest::Work { node_id, .. } => {
                    payload.node_id.as_ref() == Some(node_id) && event_type != "task_running"
                        || REOPENING.contains(&event_type.as_str())
                }
                Interest::End(id) => {
                    let told = [&payload.task_id, &payload.wait_id, &payload.group_id];
                    told.into_iter().any(|told| told.as_ref() == Some(id))
                }
            };
            if concerns && waiting.is_awake {
                waiting.looks_again = true;
            } else if concerns {
                waiting.wake(self, *number, None);
            }
        }
    }

    /// Wakes the first, from a number on, whom a task may interest. If all of them are looking
    /// already, perhaps too early to see this task, the first looks once more.
    fn wake_one(self: &Arc<Self>, from: u64, wants: &Arc<Wants>) {
        let mut table = self.table();
        let fits = |waiting: &Waiting| match &waiting.interest {
            Interest::Work { node_id, skills } => {
                wants.node_id.as_ref().is_none_or(|target| target == node_id)
                    && skills.as_ref().is_none_or(|skills| wants.skills.is_subset(skills))
            }
            Interest::End(_) => false,
        };
        let mut able = table.waiting.range(from..).filter(|(_, waiting)| fits(waiting));
        let first = able.clone().next();
        let idle = able.find(|(_, waiting)| !waiting.is_awake);
        let Some(number) = idle.or(first.filter(|_| from == 0)).map(|(number, _)| *number) else {
            return;
        };
        if let Some(waiting) = table.waiting.get_mut(&number) {
            waiting.wake(self, number, Some(Arc::clone(wants)));
        }
    }

    /// Lets everybody look: anything may have happened.
    pub(super) fn wake_all(self: &Arc<Self>) {
        for (number, waiting) in &mut self.table().waiting {
            waiting.wake(self, *number, None);
        }
    }

    /// Sends everybody home, also those who are still to come.
    pub(super) fn close(self: &Arc<Self>) {
        self.table().is_closing = true;
        self.wake_all();
    }
}

impl Waiting {
    fn wake(&mut self, waiters: &Arc<Waiters>, holder: u64, wants: Option<Arc<Wants>>) {
        self.is_awake = true;
        let baton = Baton { waiters: Arc::clone(waiters), holder, wants };
        // The receiver lives as long as the entry of the table.
        if let Err(returned) = self.wake.send(Woken(Some(baton))) {
            // Its drop would ask for the lock that is held here.
            std::mem::forget(returned);
        }
    }
}

impl Waiter {
    /// Waits to be woken.
    pub(super) async fn wait(&mut self) -> Woken {
        match self.woken.recv().await {
            Some(woken) => woken,
            // The sender is in the table for as long as this waiter is there.
            None => std::future::pending().await,
        }
    }

    /// Whether the host is stopping.
    pub(super) fn is_closing(&self) -> bool {
        self.waiters.table().is_closing
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let removed = self.waiters.table().waiting.remove(&self.number);
        drop(removed);
        // What it was told and has not looked at is the next one's to look at.
        self.woken.close();
        while let Ok(woken) = self.woken.try_recv() {
            drop(woken);
        }
    }
}

impl Woken {
    /// Nobody has told it to look; nothing is passed on.
    pub(super) fn unasked() -> Self {
        Self(None)
    }

    /// It was worth it.
    pub(super) fn served(mut self) {
        if let Some(mut baton) = self.0.take() {
            baton.wants = None;
        }
    }
}

impl Drop for Baton {
    fn drop(&mut self) {
        if let Some(waiting) = self.waiters.table().waiting.get_mut(&self.holder) {
            waiting.is_awake = false;
            if std::mem::take(&mut waiting.looks_again) {
                waiting.wake(&self.waiters, self.holder, None);
            }
        }
        if let Some(wants) = self.wants.take() {
            self.waiters.wake_one(self.holder + 1, &wants);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn work(node_id: &str, skills: &[&str]) -> Interest {
        let skills = skills.iter().map(|skill| (*skill).to_owned()).collect();
        Interest::Work { node_id: node_id.into(), skills: Some(skills) }
    }

    fn pending(skills: &str) -> String {
        format!(
            r#"{{"event_type":"task_pending","payload":{{"task_id":"t","node_id":null,"required_skills":{skills}}}}}"#
        )
    }

    fn woken(waiter: &mut Waiter) -> Option<Woken> {
        waiter.wait().now_or_never()
    }

    #[test]
    fn one_is_woken_for_a_task_and_passes_it_on() {
        let waiters = Arc::new(Waiters::default());
        let mut lame = waiters.join(work("a", &[]));
        let mut first = waiters.join(work("b", &["gpu"]));
        let mut second = waiters.join(work("c", &["gpu", "python"]));
        waiters.tell(&pending(r#"["gpu"]"#));
        assert!(woken(&mut lame).is_none());
        let duty = woken(&mut first).unwrap();
        assert!(woken(&mut second).is_none());
        drop(duty);
        assert!(woken(&mut second).is_some());
    }

    #[test]
    fn who_was_served_passes_nothing_on() {
        let waiters = Arc::new(Waiters::default());
        let mut first = waiters.join(work("a", &[]));
        let mut second = waiters.join(work("b", &[]));
        waiters.tell(&pending("[]"));
        woken(&mut first).unwrap().served();
        assert!(woken(&mut second).is_none());
        waiters.tell(&pending("[]"));
        assert!(woken(&mut first).is_some());
    }

    #[test]
    fn who_is_looking_looks_once_more_for_what_came_meanwhile() {
        let waiters = Arc::new(Waiters::default());
        let mut only = waiters.join(work("a", &[]));
        waiters.tell(&pending("[]"));
        let looking = woken(&mut only).unwrap();
        waiters.tell(&pending("[]"));
        drop(looking);
        assert!(woken(&mut only).is_some());
    }

    #[test]
    fn two_tasks_wake_two() {
        let waiters = Arc::new(Waiters::default());
        let mut first = waiters.join(work("a", &[]));
        let mut second = waiters.join(work("b", &[]));
        waiters.tell(&pending("[]"));
        waiters.tell(&pending("[]"));
        let _duties = (woken(&mut first).unwrap(), woken(&mut second).unwrap());
    }

    #[test]
    fn who_goes_away_leaves_its_duty_to_the_next() {
        let waiters = Arc::new(Waiters::default());
        let first = waiters.join(work("a", &[]));
        let mut second = waiters.join(work("b", &[]));
        waiters.tell(&pending("[]"));
        drop(first);
        assert!(woken(&mut second).is_some());
    }

    #[test]
    fn the_end_of_a_task_wakes_who_waits_for_it_and_the_node_that_ran_it() {
        let waiters = Arc::new(Waiters::default());
        let mut watcher = waiters.join(Interest::End("t".to_owned()));
        let mut runner = waiters.join(work("n", &[]));
        let mut other = waiters.join(work("m", &[]));
        waiters.tell(
            r#"{"event_type":"task_completed","payload":{"task_id":"t","node_id":"n","status":"completed"}}"#,
        );
        assert!(woken(&mut watcher).is_some() && woken(&mut runner).is_some());
        assert!(woken(&mut other).is_none());
    }

    #[test]
    fn an_end_that_comes_while_one_looks_is_looked_for_once_more() {
        let event = |what: &str| {
            let payload = r#"{"task_id":"t","node_id":"n"}"#;
            format!(r#"{{"event_type":"{what}","payload":{payload}}}"#)
        };
        let waiters = Arc::new(Waiters::default());
        let mut watcher = waiters.join(Interest::End("t".to_owned()));
        waiters.tell(&event("task_running"));
        let looking = woken(&mut watcher).unwrap();
        // It has seen the task running by now.
        waiters.tell(&event("task_completed"));
        drop(looking);
        drop(woken(&mut watcher).unwrap());
        assert!(woken(&mut watcher).is_none());
    }

    #[test]
    fn a_stopping_host_sends_everybody_home() {
        let waiters = Arc::new(Waiters::default());
        let mut waiter = waiters.join(work("a", &[]));
        waiters.close();
        assert!(woken(&mut waiter).is_some() && waiter.is_closing());
    }
}
