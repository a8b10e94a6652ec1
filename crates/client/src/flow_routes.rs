//! A method for each route of waits, batches and groups.

use reef_api::flow::{BatchAnswer, BatchBody, Group, GroupChanged};
use reef_api::task::Task;
use reef_api::wait::{SignalAnswer, SignalBody, Wait, WaitAnswerBody, WaitBody, WaitStarted};
use reef_api::{GroupId, TaskId, WaitId};
use serde::Serialize;

use crate::{Hub, Request};

/// Waits, batches and groups.
impl Hub {
    /// Queues several tasks at once.
    pub fn submit_batch<J: Serialize>(&self, body: &BatchBody<J>) -> Request<BatchAnswer> {
        self.post(["tasks", "batch"]).json(body).answering()
    }

    /// Lets a task that is held wait.
    pub fn begin_wait<J: Serialize>(
        &self,
        task_id: &TaskId,
        body: &WaitBody<J>,
    ) -> Request<WaitStarted> {
        self.post(["tasks", task_id.as_str(), "wait"]).json(body).answering()
    }

    /// Sends a signal to a task.
    pub fn signal_task<J: Serialize>(
        &self,
        task_id: &TaskId,
        body: &SignalBody<J>,
    ) -> Request<SignalAnswer> {
        self.post(["tasks", task_id.as_str(), "signal"]).json(body).answering()
    }

    /// Lists what tasks wait for. What is asked for is in the query.
    pub fn waits(&self) -> Request<Vec<Wait>> {
        self.get(["waits"]).answering()
    }

    /// Shows what a task waits for.
    pub fn wait(&self, wait_id: &WaitId) -> Request<Wait> {
        self.get(["waits", wait_id.as_str()]).answering()
    }

    /// Decides what a task waits for.
    pub fn answer_wait<J: Serialize>(
        &self,
        wait_id: &WaitId,
        body: &WaitAnswerBody<J>,
    ) -> Request<Wait> {
        self.post(["waits", wait_id.as_str(), "answer"]).json(body).answering()
    }

    /// Shows a group of tasks.
    pub fn group(&self, group_id: &GroupId) -> Request<Group> {
        self.get(["groups", group_id.as_str()]).answering()
    }

    /// Lists the tasks of a group.
    pub fn group_tasks(&self, group_id: &GroupId) -> Request<Vec<Task>> {
        self.get(["groups", group_id.as_str(), "tasks"]).answering()
    }

    /// Cancels what has not ended of a group.
    pub fn cancel_group(&self, group_id: &GroupId) -> Request<GroupChanged> {
        self.post(["groups", group_id.as_str(), "cancel"]).answering()
    }

    /// Tries again what did not complete of a group.
    pub fn retry_group(&self, group_id: &GroupId) -> Request<GroupChanged> {
        self.post(["groups", group_id.as_str(), "retry"]).answering()
    }
}
