//! Calls on the cluster as a whole: `lua/cluster/`.

use reef_domain::time::UnixMillis;
use serde::Serialize;

use crate::heartbeat::Suspension;
use crate::host::Joined;
use crate::restored::Voided;
use crate::script::{FromReply, Malformed, Reader, rows};
use crate::task::TasksByStatus;

include!(concat!(env!("OUT_DIR"), "/calls_cluster.rs"));

/// Nodes by status; all five are always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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

/// How the cluster is.
#[derive(Debug)]
pub struct Health {
    pub now: UnixMillis,
    /// All nodes.
    pub total_nodes: i64,
    /// By status.
    pub nodes_by_status: NodesByStatus,
    /// Live nodes that have been silent for longer than the timeout.
    pub silent_nodes: i64,
    /// Tasks that all nodes could run at once.
    pub capacity: i64,
    /// Tasks that they run by their own count.
    pub running: i64,
    /// Why silent nodes are not marked offline.
    pub suspended: Option<Suspension>,
}

impl FromReply for Health {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let now = UnixMillis(reply.int()?);
        let total_nodes = reply.int()?;
        let nodes_by_status = NodesByStatus::read(reply)?;
        let silent_nodes = reply.int()?;
        let (capacity, running, live) = (reply.int()?, reply.int()?, reply.int()?);
        let mut suspended = Suspension::read(reply, silent_nodes, live)?;
        let counted = reply.int()?;
        if let Some(suspended) = &mut suspended {
            suspended.silent = counted;
        }
        Ok(Self { now, total_nodes, nodes_by_status, silent_nodes, capacity, running, suspended })
    }
}

/// The cluster's version and counts.
#[derive(Debug)]
pub struct State {
    /// Grows whenever nodes come, go or change their status.
    pub version: i64,
    /// When it last grew.
    pub updated_at: Option<UnixMillis>,
    /// All nodes.
    pub total_nodes: i64,
    /// By status.
    pub nodes_by_status: NodesByStatus,
    /// All tasks.
    pub total_tasks: i64,
    /// Tasks by status.
    pub tasks_by_status: TasksByStatus,
    /// Version of the data; 0 while there is none.
    pub data_version: i64,
}

rows! {
    NodesByStatus { online, offline, busy, maintenance, error }
    State {
        version, updated_at, total_nodes, nodes_by_status, total_tasks, tasks_by_status, data_version
    }
}
