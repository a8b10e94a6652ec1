//! A task of which there is to be one.

use serde::{Deserialize, Serialize};

use crate::lax;
use crate::word::words;

words! {
    /// Among whose tasks there is to be one.
    UniqueScope {
        /// Those of whoever submits it.
        Owner = "owner",
        /// Everybody's.
        All = "all",
    }
    /// For how long a task is the only one.
    UniqueWhile {
        /// Until a node has it.
        Waiting = "waiting",
        /// Until it has ended.
        Active = "active",
        /// For a time, whatever becomes of it.
        Ttl = "ttl",
    }
    /// What becomes of a task that is submitted while there is one.
    UniqueThen {
        /// It is not taken; the answer is the one that there is.
        Return = "return",
        /// It is refused.
        Reject = "reject",
        /// It takes the place of the one that there is, or begins after it if that runs.
        Replace = "replace",
        /// It is not taken, and the one that there is waits for longer.
        Debounce = "debounce",
    }
}

/// What a task is to be the only one of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct UniqueBody {
    /// What all that are the same have in common.
    pub key: Option<String>,
    /// Among whose tasks: `owner` (one's own) or `all`; left out, `owner`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// For how long it is the only one: `waiting` (until a node has it), `active` (until it has ended) or `ttl`
    /// (for `ttl_ms`); left out, `active`, and with `debounce` `waiting`.
    #[serde(default, rename = "while", skip_serializing_if = "Option::is_none")]
    pub holds: Option<String>,
    /// With `ttl`: for how long, in milliseconds.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<i64>,
    /// What becomes of one that is submitted while there is one: `return` (the answer is the one that there is),
    /// `reject` (409), `replace` (it takes its place, or begins after it if it runs), `debounce` (the one that there
    /// is waits for longer); left out, `return`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<String>,
    /// With `debounce`: for how long after each submission the task is kept back, in milliseconds.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub debounce_ms: Option<i64>,
    /// With `debounce`: for how long at most after the first; left out, ten times as long.
    #[serde(default, deserialize_with = "lax::int", skip_serializing_if = "Option::is_none")]
    pub most_ms: Option<i64>,
}
