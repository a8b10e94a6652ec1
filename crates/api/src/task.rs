//! Tasks.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cluster::TasksByStatus;
use crate::id::NodeId;
use crate::lax;

/// `POST /tasks`, and a sub-task of a proposal. `J` is what keeps free JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "J: Deserialize<'de>"))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "TaskBody"))]
pub struct TaskBody<J> {
    /// What it is called.
    pub name: Option<String>,
    /// For people; it changes nothing.
    pub task_type: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Skills that its node must have.
    pub required_skills: Option<Vec<String>>,
    /// Skills that are good to have.
    pub optional_skills: Option<Vec<String>>,
    /// 0 (critical) to 3 (low).
    #[serde(default, deserialize_with = "lax::int")]
    pub priority: Option<i64>,
    /// An object for whoever runs it.
    pub parameters: Option<J>,
    /// Longest run, in seconds.
    #[serde(default, deserialize_with = "lax::float")]
    pub timeout: Option<f64>,
    /// How often it is tried again.
    #[serde(default, deserialize_with = "lax::int")]
    pub max_retries: Option<i64>,
    /// For how long it is kept back, in milliseconds.
    #[serde(default, deserialize_with = "lax::int")]
    pub delay_ms: Option<i64>,
    /// Whom it is for.
    pub user_id: Option<String>,
    /// Tags of nodes that are preferred.
    pub affinity_tags: Option<Vec<String>>,
    /// Whose nodes may run it: `any`, `owner`, or a list of agents; left out, as the variable
    /// `task_audience` says.
    pub audience: Option<Value>,
    /// The one node that may run it; it waits for that node, also while there is none.
    pub target_node: Option<NodeId>,
    /// An id for it; left out, the hub makes one.
    pub task_id: Option<String>,
    /// An object that is kept as it is.
    pub metadata: Option<J>,
}

impl<J> Default for TaskBody<J> {
    fn default() -> Self {
        Self {
            name: None,
            task_type: None,
            description: None,
            required_skills: None,
            optional_skills: None,
            priority: None,
            parameters: None,
            timeout: None,
            max_retries: None,
            delay_ms: None,
            user_id: None,
            affinity_tags: None,
            audience: None,
            target_node: None,
            task_id: None,
            metadata: None,
        }
    }
}

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
