//! Tasks.

use serde::{Deserialize, Serialize};

use crate::cluster::TasksByStatus;

// `GET /tasks/stats`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskStats {
    pub total: i64,
    #[serde(flatten)]
    pub by_status: TasksByStatus,
    pub waiting: i64,
    pub delayed: i64,
    pub dead: i64,
    pub skill_sets: i64,
    pub fenced: i64,
}
