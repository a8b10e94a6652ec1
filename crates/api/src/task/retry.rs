//! When a task is tried again.

use serde::{Deserialize, Serialize};

use crate::lax;

/// How long a task that has failed is kept back before it is tried again; what is left out is as it is for
/// every task.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct RetryBody {
    /// After the first failure, in milliseconds.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub first_ms: Option<i64>,
    /// By which it grows with each further one.
    #[serde(default, deserialize_with = "lax::float", skip_serializing_if = "Option::is_none")]
    pub factor: Option<f64>,
    /// At most, in milliseconds.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub most_ms: Option<i64>,
    /// The part of it, 0–1, of which a random share is left out, so that tasks that failed together do
    /// not come back together.
    #[serde(default, deserialize_with = "lax::float", skip_serializing_if = "Option::is_none")]
    pub jitter: Option<f64>,
}

/// How long a task that has failed is kept back before it is tried again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct RetryPolicy {
    /// After the first failure, in milliseconds.
    pub first_ms: i64,
    /// By which it grows with each further one.
    pub factor: f64,
    /// At most, in milliseconds.
    pub most_ms: i64,
    /// The part of it, 0–1, of which a random share is left out.
    pub jitter: f64,
}

impl From<RetryPolicy> for RetryBody {
    fn from(retry: RetryPolicy) -> Self {
        Self {
            first_ms: Some(retry.first_ms),
            factor: Some(retry.factor),
            most_ms: Some(retry.most_ms),
            jitter: Some(retry.jitter),
        }
    }
}
