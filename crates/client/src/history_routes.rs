//! A method for each route of the history, of tries, and of dead letters by error.

use reef_api::TaskId;
use reef_api::history::{Attempts, DeadByError, History};

use crate::{Hub, Request};

/// What has happened.
impl Hub {
    /// Shows what has happened. From when to when, in which steps, and which series is in the query.
    pub fn history(&self) -> Request<History> {
        self.get(["history"]).answering()
    }

    /// Lists the tries of a task.
    pub fn attempts(&self, task_id: &TaskId) -> Request<Attempts> {
        self.get(["tasks", task_id.as_str(), "attempts"]).answering()
    }

    /// Lists dead letters by what went wrong.
    pub fn dead_by_error(&self) -> Request<DeadByError> {
        self.get(["tasks", "dead"]).query("group", "error").answering()
    }
}
