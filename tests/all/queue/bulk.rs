//! Changes of many tasks at once, in the queue and in its model.

use std::time::Duration;

use reef_domain::filter::Filter;
use reef_store::bulk::{Get, Start, Started, advance};

use super::Run;
use super::driver::Driver;
use super::model::Model;
use crate::harness::now;

/// What a job is to do to the tasks whose ids end so.
#[derive(Debug)]
struct Job {
    id: String,
    action: &'static str,
    last: String,
    priority: i64,
    most: usize,
}

/// How a job has ended: its status, then how many tasks it has matched, changed, and not been able to.
type Outcome = (String, [usize; 3]);

impl Run {
    pub(super) fn bulk(&mut self) -> String {
        self.jobs += 1;
        let job = Job {
            id: format!("b{}", self.jobs),
            action: ["cancel", "retry", "remove", "set_priority"][self.random.usize(..4)],
            last: self.random.usize(..10).to_string(),
            priority: self.random.i64(0..4),
            most: self.random.usize(1..30),
        };
        let outcome = self.queue.bulk(&job);
        assert_eq!(outcome, self.model.bulk(&job), "{job:?}");
        format!("{job:?}: {outcome:?}")
    }
}

impl Driver {
    fn bulk(&self, job: &Job) -> Outcome {
        let bulk_id = &job.id.as_str().into();
        let last = job.last.clone();
        let filter = Filter { labels: [("last".to_owned(), last)].into(), ..Filter::default() };
        let call = Start {
            bulk_id,
            owner: "o",
            action: job.action,
            priority: (job.action == "set_priority").then_some(job.priority),
            filter: &filter,
            most: Some(i64::try_from(job.most).unwrap()),
            reason: "",
        };
        assert!(matches!(now(self.store().call(&call)).unwrap(), Started::Ok(_)));
        now(advance(self.store(), Some(bulk_id), Duration::from_secs(60))).unwrap();
        self.tell_followers(true);
        let bulk = now(self.store().call(&Get { bulk_id })).unwrap().unwrap().value;
        let counts = [bulk.matched, bulk.done, bulk.failed];
        (bulk.status.to_string(), counts.map(|count| usize::try_from(count).unwrap()))
    }
}

impl Model {
    fn bulk(&mut self, job: &Job) -> Outcome {
        let changes = |status: &str| match job.action {
            "cancel" => matches!(status, "pending" | "scheduled" | "waiting" | "running"),
            "set_priority" => matches!(status, "pending" | "scheduled" | "waiting"),
            "retry" => matches!(status, "failed" | "cancelled" | "timeout"),
            _ => matches!(status, "completed" | "failed" | "cancelled" | "timeout"),
        };
        let matching = self.tasks.iter().filter(|(id, _)| id.ends_with(&job.last));
        let matching = matching.filter(|(_, task)| changes(task.status));
        let mut ids: Vec<String> = matching.map(|(id, _)| id.clone()).collect();
        ids.sort_by_key(|id| std::cmp::Reverse(id[1..].parse::<usize>().unwrap()));
        let matched = ids.len();
        let outcome = if matched > job.most {
            ("refused".to_owned(), [matched, 0, 0])
        } else {
            let done = ids.iter().filter(|id| self.change(id, job)).count();
            ("completed".to_owned(), [matched, done, matched - done])
        };
        self.has_released = !self.releasing.is_empty();
        self.tell_if_any();
        outcome
    }

    fn change(&mut self, id: &str, job: &Job) -> bool {
        match job.action {
            "cancel" => drop(self.call_off(id)),
            "retry" if !self.may_follow_again(id) => return false,
            "retry" => self.revive(id),
            "remove" if self.is_untold(id) => return false,
            "remove" => self.forget(id),
            _ => {
                let task = self.tasks.get_mut(id).unwrap();
                task.rank += (job.priority - task.priority) * 600_000_000;
                task.priority = job.priority;
            }
        }
        true
    }
}
