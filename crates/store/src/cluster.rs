//! Calls on the cluster as a whole: `lua/cluster/`.

use reef_domain::heartbeat::Timeout;
use reef_domain::task::STATUSES;
use reef_domain::time::UnixMillis;
use serde::Serialize;

use crate::heartbeat::Suspension;
use crate::script::{
    Arguments, CLUSTER_HEALTH, CLUSTER_READY, CLUSTER_SECRET, CLUSTER_STATE, Call, Malformed,
    Reader, Script, unknown_status,
};
use crate::task::TasksByStatus;

/// Version of the data that this program knows.
pub const SCHEMA: i64 = 1;

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

impl NodesByStatus {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            online: reply.int()?,
            offline: reply.int()?,
            busy: reply.int()?,
            maintenance: reply.int()?,
            error: reply.int()?,
        })
    }
}

/// Counts the cluster.
#[derive(Debug)]
pub struct ShowHealth {
    /// After how long a node counts as silent.
    pub timeout: Timeout,
}

/// How the cluster is.
#[derive(Debug)]
pub struct Health {
    /// When.
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

impl Call for ShowHealth {
    type Reply = Health;

    fn script(&self) -> &'static Script {
        &CLUSTER_HEALTH
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.number(self.timeout.as_millis()).number(self.timeout.longest_period_ms());
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Health, Malformed> {
        if status != "ok" {
            return unknown_status(status);
        }
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
        Ok(Health { now, total_nodes, nodes_by_status, silent_nodes, capacity, running, suspended })
    }
}

/// Reads the cluster's version and counts.
#[derive(Debug)]
pub struct ShowState;

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

impl Call for ShowState {
    type Reply = State;

    fn script(&self) -> &'static Script {
        &CLUSTER_STATE
    }

    fn arguments(&self, arguments: &mut Arguments) {
        for status in STATUSES {
            arguments.text(status);
        }
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<State, Malformed> {
        if status != "ok" {
            return unknown_status(status);
        }
        Ok(State {
            version: reply.int()?,
            updated_at: reply.text()?.parse().ok().map(UnixMillis),
            total_nodes: reply.int()?,
            nodes_by_status: NodesByStatus::read(reply)?,
            total_tasks: reply.int()?,
            tasks_by_status: TasksByStatus::read(reply)?,
            data_version: reply.int()?,
        })
    }
}

/// Asks for the secret of which ids are made: nobody who does not know it can tell an id before it
/// is made. It lies with the data, so that it is the same for all hosts, at all times.
#[derive(Debug)]
pub struct AskSecret<'a> {
    /// What it is to be if there is none yet: a random text.
    pub fresh: &'a str,
}

impl Call for AskSecret<'_> {
    type Reply = String;

    fn script(&self) -> &'static Script {
        &CLUSTER_SECRET
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.fresh);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<String, Malformed> {
        if status == "ok" { reply.text() } else { unknown_status(status) }
    }
}

/// Asks whether Redis can be written and its data is of a version that this program knows.
#[derive(Debug)]
pub struct CheckReady;

/// Whether the hub can work.
#[derive(Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It can.
    Ready,
    /// The data was written by a newer program: upgrade this one.
    NewerSchema(i64),
}

impl Call for CheckReady {
    type Reply = Readiness;

    fn script(&self) -> &'static Script {
        &CLUSTER_READY
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.number(SCHEMA);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Readiness, Malformed> {
        match status {
            "ok" => Ok(Readiness::Ready),
            "newer_schema" => Ok(Readiness::NewerSchema(reply.int()?)),
            other => unknown_status(other),
        }
    }
}
