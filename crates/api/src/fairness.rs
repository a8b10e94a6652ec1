//! Fair shares of the queue.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `PUT /fairness`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct FairnessBody {
    /// Weights of keys, in place of those that tasks bring; what is left out has none.
    pub weights: Option<BTreeMap<String, f64>>,
}

/// The weights that are set.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Fairness {
    /// Weights of keys, in place of those that tasks bring.
    pub weights: BTreeMap<String, f64>,
}
