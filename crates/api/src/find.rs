//! Which tasks are meant.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Which tasks: those of which all is so that is said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TaskFilter {
    /// Its status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Labels that it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// The node that runs it, or ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned_node: Option<String>,
    /// Whom it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The session that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Submitted then or later: `2026-02-04T04:58:14Z`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Submitted before then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// A text in what went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Dead letters that failed alike: a `key` of `GET /tasks/dead?group=error`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_key: Option<String>,
}
