//! A method for each route that edits tasks and changes many.

use reef_api::bulk::{Bulk, BulkBody};
use reef_api::task::{SubmittedTask, TaskEditBody};
use reef_api::{BulkId, TaskId};
use serde::Serialize;

use crate::{Hub, Request};

/// Editing tasks, and changes of many.
impl Hub {
    /// Changes a task that waits.
    pub fn edit_task<J: Serialize>(
        &self,
        task_id: &TaskId,
        body: &TaskEditBody<J>,
    ) -> Request<SubmittedTask> {
        self.patch(["tasks", task_id.as_str()]).json(body).answering()
    }

    /// Changes many tasks, or counts what would be changed.
    pub fn start_bulk(&self, body: &BulkBody) -> Request<Bulk> {
        self.post(["bulk"]).json(body).answering()
    }

    /// Shows a change of many tasks.
    pub fn bulk(&self, bulk_id: &BulkId) -> Request<Bulk> {
        self.get(["bulk", bulk_id.as_str()]).answering()
    }

    /// Stops a change of many tasks.
    pub fn stop_bulk(&self, bulk_id: &BulkId) -> Request<Bulk> {
        self.post(["bulk", bulk_id.as_str(), "stop"]).answering()
    }
}
