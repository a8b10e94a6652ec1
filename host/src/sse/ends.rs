//! The ends of tasks, for readers of their logs: a log is announced apart from the cluster's events, and a task
//! may end that has never said anything.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use tokio::sync::watch;

use super::watch::{ClusterWatch, Seen};

/// The tasks whose logs are read on this host.
#[derive(Debug, Default)]
pub(super) struct TaskEvents(Mutex<HashMap<String, Read>>);

#[derive(Debug)]
struct Read {
    readers: usize,
    news: watch::Sender<()>,
}

/// Tells one reader that something has happened to its task.
#[derive(Debug)]
pub(super) struct TaskWatch {
    events: Arc<TaskEvents>,
    task_id: String,
    news: watch::Receiver<()>,
}

impl TaskEvents {
    fn table(&self) -> MutexGuard<'_, HashMap<String, Read>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches a task from now on.
    pub(super) fn watch(self: &Arc<Self>, task_id: &str) -> TaskWatch {
        let mut table = self.table();
        let read = table
            .entry(task_id.to_owned())
            .or_insert_with(|| Read { readers: 0, news: watch::Sender::new(()) });
        read.readers += 1;
        let news = read.news.subscribe();
        drop(table);
        TaskWatch { events: Arc::clone(self), task_id: task_id.to_owned(), news }
    }

    /// Hands on what happens, until the host stops.
    pub(super) async fn listen(&self, mut cluster: ClusterWatch) {
        loop {
            match cluster.next().await {
                Seen::Event(event) => self.tell(&event),
                Seen::Anything => self.tell_all(),
                Seen::Closing => return,
            }
        }
    }

    fn tell(&self, event: &str) {
        #[derive(Deserialize)]
        struct Event {
            payload: Payload,
        }
        #[derive(Deserialize)]
        struct Payload {
            task_id: String,
        }
        let table = self.table();
        if table.is_empty() {
            return;
        }
        // Events of something else have no such member, or tell of the same task.
        let Ok(Event { payload }) = serde_json::from_str(event) else { return };
        if let Some(read) = table.get(&payload.task_id) {
            read.news.send_replace(());
        }
    }

    fn tell_all(&self) {
        self.table().values().for_each(|read| {
            read.news.send_replace(());
        });
    }
}

impl TaskWatch {
    /// Waits until something has happened since the last call.
    pub(super) async fn changed(&mut self) {
        // The sender lives as long as this is in the table.
        drop(self.news.changed().await);
    }
}

impl Drop for TaskWatch {
    fn drop(&mut self) {
        let mut table = self.events.table();
        let Some(read) = table.get_mut(&self.task_id) else { return };
        read.readers -= 1;
        if read.readers == 0 {
            table.remove(&self.task_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_told(watch: &mut TaskWatch) -> bool {
        let is_told = watch.news.has_changed().unwrap();
        watch.news.borrow_and_update();
        is_told
    }

    #[test]
    fn only_readers_of_a_tasks_log_hear_of_it_and_nothing_is_left_of_them() {
        let events = Arc::new(TaskEvents::default());
        let (mut one, mut two) = (events.watch("t1"), events.watch("t2"));
        let mut again = events.watch("t1");
        events.tell(
            r#"{"event_type":"task_completed","payload":{"task_id":"t1","status":"completed"}}"#,
        );
        events.tell(r#"{"event_type":"node_online","payload":{"node_id":"t2"}}"#);
        assert_eq!(
            [is_told(&mut one), is_told(&mut again), is_told(&mut two)],
            [true, true, false]
        );
        events.tell_all();
        assert!(is_told(&mut two));
        drop((one, two));
        assert_eq!(events.table().len(), 1);
        drop(again);
        assert!(events.table().is_empty());
    }
}
