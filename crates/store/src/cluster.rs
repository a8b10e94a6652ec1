//! Calls on the cluster as a whole: `lua/cluster/`.

pub use reef_api::cluster::NodesByStatus;
use reef_api::cluster::TasksByStatus;
use reef_domain::time::UnixMillis;

use crate::heartbeat::Suspension;
use crate::host::Joined;
use crate::restored::{Arrived, Voided};
use crate::script::{FromReply, Malformed, Reader, rows};

include!(concat!(env!("OUT_DIR"), "/calls_cluster.rs"));

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
