//! Heartbeats, one or many, and looking for nodes that have gone silent.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::id::{NodeId, TaskId, Token};
use crate::lax;
use crate::node::NodeStatus;
use crate::problem::Code;
use crate::time::UnixMillis;
use crate::word::{Open, words};

/// `POST /nodes/{id}/heartbeat`, and one entry of `POST /heartbeats`. Omitted metrics are 0
/// (`contract.md` §3).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct HeartbeatBody {
    /// Processor load in percent.
    #[serde(default, deserialize_with = "lax::float")]
    pub cpu_usage: Option<f64>,
    /// Memory in use in percent.
    #[serde(default, deserialize_with = "lax::float")]
    pub memory_usage: Option<f64>,
    /// Disk in use in percent.
    #[serde(default, deserialize_with = "lax::float")]
    pub disk_usage: Option<f64>,
    /// Tasks that the node runs by its own count.
    #[serde(default, deserialize_with = "lax::int")]
    pub running_tasks: Option<i64>,
    /// What the node says of itself; left out, it takes work.
    pub status: Option<Open<NodeStatus>>,
    /// Tasks that it holds; their leases are renewed.
    pub claims: Option<Vec<HeldClaim>>,
    /// Renews whatever the node holds, without naming it; the answer then has `claims` and
    /// `lost_claims`.
    pub renew_all: Option<bool>,
    /// The node may be silent for so long, in milliseconds, before the hub's timeout begins to run.
    #[serde(default, deserialize_with = "lax::int")]
    pub quiet_ms: Option<i64>,
    /// As registration answered it; a node that registered again since fences this one.
    #[serde(default, deserialize_with = "lax::int")]
    pub incarnation: Option<i64>,
    /// Only in a batch.
    pub node_id: Option<NodeId>,
}

/// A task that a node believes to hold (`contract.md` §3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct HeldClaim {
    /// The task.
    pub task_id: TaskId,
    /// The token that came with the claim.
    pub token: Token,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct HeartbeatAnswer<'a> {
    pub success: bool,
    pub message: Cow<'a, str>,
    pub node_id: Cow<'a, NodeId>,
    pub timestamp: UnixMillis,
    pub next_heartbeat_ms: i64,
    pub renewed: Vec<Cow<'a, TaskId>>,
    pub revoked: Vec<Cow<'a, TaskId>>,
    pub cancelled: Vec<Cow<'a, TaskId>>,
    /// With `renew_all`: what the node holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<Vec<RenewedClaim>>,
    /// With `renew_all`: what the node has lost since the last heartbeat with it; each is told once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost_claims: Option<Vec<LostClaim>>,
    pub drain: bool,
    pub inbox: i64,
    pub leader: Option<Cow<'a, NodeId>>,
    pub term: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

/// A claim that a heartbeat with `renew_all` has renewed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct RenewedClaim {
    pub task_id: TaskId,
    /// How long the claim holds from now without another sign of life, in milliseconds.
    pub lease_expires_in_ms: i64,
}

/// A claim that has ended against the node's will.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct LostClaim {
    pub task_id: TaskId,
    pub reason: Open<LossReason>,
}

words! {
    /// Why a claim was lost.
    LossReason {
        /// Its lease ran out.
        Lease = "lease",
        /// The task took longer than its timeout.
        Timeout = "timeout",
        /// The task was cancelled.
        Cancelled = "cancelled",
        /// The node was silent, signed off, was removed or registered again.
        Released = "released",
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct HeartbeatFailure<'a> {
    pub success: bool,
    pub status: u16,
    pub code: Open<Code>,
    pub message: Cow<'a, str>,
    pub node_id: Option<Cow<'a, NodeId>>,
}

/// `POST /cluster/check-heartbeat` (`contract.md` §3).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct CheckBody {
    /// Silence that counts as death, in seconds; left out, as the hub is set.
    #[serde(default, deserialize_with = "lax::float")]
    pub timeout_seconds: Option<f64>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct CheckAnswer {
    pub checked_at: UnixMillis,
    pub timeout_nodes_count: usize,
    pub timeout_nodes: Vec<TimeoutNode>,
    pub all_nodes_healthy: bool,
    pub expiry: Expiry,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TimeoutNode {
    pub node_id: NodeId,
    pub hostname: String,
    pub last_heartbeat: UnixMillis,
    pub timeout_seconds: f64,
}

/// Whether nodes are marked offline, and if not, why.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Expiry {
    pub suspended: bool,
    pub reason: Option<String>,
}
