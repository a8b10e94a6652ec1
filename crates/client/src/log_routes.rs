//! A method for each route of a task's log.

use reef_api::TaskId;
use reef_api::task::{TaskLog, TaskLogBody, TaskLogWritten};

use crate::{Hub, Request, StreamRequest};

/// Logs of tasks.
impl Hub {
    /// Writes to a task's log. Numbered lines may be sent again.
    pub fn write_log(&self, task_id: &TaskId, body: &TaskLogBody) -> Request<TaskLogWritten> {
        self.post(["tasks", task_id.as_str(), "log"]).json(body).answering()
    }

    /// Reads a task's log. Behind which line, or how many of the last, is in the query.
    pub fn task_log(&self, task_id: &TaskId) -> Request<TaskLog> {
        self.get(["tasks", task_id.as_str(), "log"]).answering()
    }

    /// Follows a task's log to the end of the task.
    pub fn follow_log(&self, task_id: &TaskId) -> StreamRequest {
        self.stream(["tasks", task_id.as_str(), "log", "stream"])
    }
}
