//! Tasks of a conversation.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::TaskStatus;
use crate::id::{MessageId, NodeId, SessionId, TaskId};
use crate::lax;
use crate::word::Open;

/// `POST /sessions/{sid}/tasks`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SessionTaskBody {
    /// What is to be done.
    pub task_description: Option<String>,
    /// How: also a skill that the worker must have.
    pub workflow: Option<String>,
    /// Most rounds of the workflow.
    #[serde(default, deserialize_with = "lax::int")]
    pub max_iterations: Option<i64>,
    /// Skills that the node must have besides.
    pub required_skills: Option<Vec<String>>,
    /// 0 (critical) to 3 (low).
    #[serde(default, deserialize_with = "lax::int")]
    pub priority: Option<i64>,
    /// Longest run, in seconds.
    #[serde(default, deserialize_with = "lax::float")]
    pub timeout: Option<f64>,
    /// Whose nodes may run it: `any`, `owner`, or a list of agents; left out, as the session says,
    /// else the variable `task_audience`.
    pub audience: Option<Value>,
    /// The one node that may run it; it waits for that node, also while there is none.
    pub target_node: Option<NodeId>,
    /// What becomes of it while other tasks of the session are unfinished: `parallel` (it runs beside them),
    /// `enqueue` (it waits for their end), `reject` (409), `interrupt` (it ends them), `rollback` (and their
    /// messages are marked as superseded); left out, as the session says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_busy: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SessionTaskAnswer {
    pub task_id: TaskId,
    pub message_id: MessageId,
    pub session_id: SessionId,
    pub status: Open<TaskStatus>,
    pub stream_url: String,
}
