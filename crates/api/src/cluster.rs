//! The cluster as a whole, and the service itself.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::heartbeat::Expiry;
use crate::time::UnixMillis;

/// Nodes by status; all five are always there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct NodesByStatus {
    /// Alive and taking work.
    pub online: i64,
    /// Shut down or silent.
    pub offline: i64,
    /// Alive and taking none.
    pub busy: i64,
    /// Drained.
    pub maintenance: i64,
    /// Set apart.
    pub error: i64,
}

impl NodesByStatus {
    /// The counts by their names, in order.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, i64); 5] {
        let Self { online, offline, busy, maintenance, error } = *self;
        [
            ("online", online),
            ("offline", offline),
            ("busy", busy),
            ("maintenance", maintenance),
            ("error", error),
        ]
    }
}

/// Tasks by status; all are always there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TasksByStatus {
    /// Waiting for a node, or for the end of a back-off.
    pub pending: i64,
    /// Kept back by their submitter.
    pub scheduled: i64,
    /// Waiting for something that is no node: an answer, a signal, a time.
    #[serde(default)]
    pub waiting: i64,
    /// Held by a node.
    pub running: i64,
    /// Ended well.
    pub completed: i64,
    /// Ended badly.
    pub failed: i64,
    /// Called off.
    pub cancelled: i64,
    /// Ended because time or tries ran out.
    pub timeout: i64,
}

impl TasksByStatus {
    /// The counts by their names, in order.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, i64); 8] {
        let Self { pending, scheduled, waiting, running, completed, failed, cancelled, timeout } =
            *self;
        [
            ("pending", pending),
            ("scheduled", scheduled),
            ("waiting", waiting),
            ("running", running),
            ("completed", completed),
            ("failed", failed),
            ("cancelled", cancelled),
            ("timeout", timeout),
        ]
    }
}

/// `GET /cluster/health` (`contract.md` §3).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ClusterHealth {
    pub checked_at: UnixMillis,
    pub total_nodes: i64,
    pub nodes_by_status: NodesByStatus,
    pub online_nodes: i64,
    pub offline_nodes: i64,
    pub busy_nodes: i64,
    pub timeout_nodes_count: i64,
    pub total_capacity: i64,
    pub used_capacity: i64,
    pub available_capacity: i64,
    pub capacity_utilization: f64,
    pub expiry: Expiry,
}

/// `GET /cluster/state` (`contract.md` §3).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ClusterState {
    /// Grows whenever nodes come, go or change their status.
    pub version: i64,
    pub total_nodes: i64,
    pub online_nodes: i64,
    pub total_tasks: i64,
    pub running_tasks: i64,
    pub updated_at: Option<UnixMillis>,
    pub nodes_by_status: NodesByStatus,
    pub tasks_by_status: TasksByStatus,
    /// The version of the data, which tells hubs that cannot read it.
    pub data_version: i64,
}

/// For how long the first of what the monitor does has been due, in milliseconds; 0: nothing is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct MonitorLag {
    /// Claims whose lease has run out.
    pub leases: i64,
    /// Tasks that were put off.
    pub delayed: i64,
    /// Waits that end by themselves.
    pub waits: i64,
    /// Ends of which others have yet to hear.
    pub endings: i64,
    /// Limits that open.
    pub limits: i64,
    /// Runs of schedules.
    pub schedules: i64,
    /// Ended tasks that were kept long enough.
    pub janitor: i64,
}

/// `GET /cluster/monitor`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ClusterMonitor {
    pub success: bool,
    /// The host that monitors, by a name that each of its processes has for itself; null: none does.
    pub holder: Option<String>,
    /// Grows with every change of holder.
    pub term: i64,
    /// Until when it monitors where it says nothing more.
    pub until: Option<UnixMillis>,
    /// Rounds that it has done in this term.
    pub ticks: i64,
    /// When it last told of a round.
    pub last_tick_at: Option<UnixMillis>,
    /// How long that round took, in milliseconds.
    pub tick_ms: Option<i64>,
    pub lag: MonitorLag,
}

/// Something that happened in the cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Event {
    /// Its place in the log.
    pub event_id: String,
    /// What it tells: see `CATALOGUE`.
    pub event_type: String,
    /// When.
    pub timestamp: UnixMillis,
    /// A JSON object.
    pub payload: Box<RawValue>,
}

/// `GET /cluster/events` (`contract.md` §3).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ClusterEventList<'a> {
    pub events: Cow<'a, [Event]>,
    /// The cursor that continues behind the last event.
    pub next: Cow<'a, str>,
    /// The log no longer reaches back to the cursor: what lies between is lost. Or, where `to` lies
    /// before `from`, it does not reach as far: it was restored from an older copy. The events are
    /// those after the end of that copy.
    pub gap: Option<ClusterEventGap<'a>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ClusterEventGap<'a> {
    pub from: Cow<'a, str>,
    pub to: Cow<'a, str>,
}

/// `GET /health` (`contract.md` §3).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ServiceHealth<'a> {
    pub status: Cow<'a, str>,
    pub timestamp: UnixMillis,
    pub service: Cow<'a, str>,
}

/// `GET /readyz` of a hub that can be written; other hosts than Reef's say only the status.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Readiness<'a> {
    pub status: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Cow<'a, str>>,
    /// What could lose data, as far as the host can see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}
