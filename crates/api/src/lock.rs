//! Named locks: each is held by one process, under a term that fences all earlier holders.

use serde::{Deserialize, Serialize};

use crate::id::LockId;
use crate::lax;

/// A lock that somebody holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Lock {
    /// What it is called.
    pub name: LockId,
    /// Which process of the owner holds it, as that has said.
    pub holder: String,
    /// Whose it is.
    pub owner: String,
    /// Grows with every change of holder: the fencing token.
    pub term: i64,
    /// How long it is held yet, in milliseconds.
    pub ttl_ms: i64,
}

/// `POST /locks/{name}/acquire`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct LockAcquireBody {
    /// Which process asks: a name that no other of the caller has.
    pub holder: Option<String>,
    /// How long the lock is its own without a word from it, in milliseconds.
    #[serde(default, deserialize_with = "lax::int")]
    pub ttl_ms: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct LockAcquired {
    /// Whether whoever asked holds it.
    pub is_held: bool,
    /// The lock as it stands, whoever holds it.
    pub lock: Lock,
    /// For how long a holder that lost it early may not know of it; left out where there is none.
    #[serde(skip_serializing_if = "is_zero")]
    pub former_ttl_ms: i64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// `POST /locks/{name}/renew`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct LockRenewBody {
    /// Which process holds it.
    pub holder: Option<String>,
    /// Under which term.
    #[serde(default, deserialize_with = "lax::int")]
    pub term: Option<i64>,
    /// For how long from now on, in milliseconds.
    #[serde(default, deserialize_with = "lax::int")]
    pub ttl_ms: Option<i64>,
}

/// `POST /locks/{name}/release`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct LockReleaseBody {
    /// Which process holds it.
    pub holder: Option<String>,
    /// Under which term.
    #[serde(default, deserialize_with = "lax::int")]
    pub term: Option<i64>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct LockReleased {
    pub success: bool,
    pub name: LockId,
    /// The term that has ended.
    pub term: i64,
}
