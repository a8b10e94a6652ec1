//! Editing a task that waits.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::RetryBody;
use crate::lax;

/// `PATCH /tasks/{id}`; what is left out stays as it is.
// `J` is what keeps free JSON.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "J: Deserialize<'de>"))]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "TaskEditBody"))]
pub struct TaskEditBody<J> {
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// For people; it changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_type: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Skills that its node must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_skills: Option<Vec<String>>,
    /// Skills that are good to have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optional_skills: Option<Vec<String>>,
    /// Tags of nodes that are preferred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affinity_tags: Option<Vec<String>>,
    /// 0 (critical) to 3 (low).
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// From now on, in milliseconds: until then it is kept back; 0: no longer.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<i64>,
    /// An object for whoever runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<J>,
    /// An object that is kept as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<J>,
    /// Longest run, in seconds.
    #[serde(default, deserialize_with = "lax::float", skip_serializing_if = "Option::is_none")]
    pub timeout: Option<f64>,
    /// How often it is tried again.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<i64>,
    /// All that it is to have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// When it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryBody>,
    /// Only while it is in this status: `pending`, `scheduled` or `waiting`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_status: Option<String>,
}
