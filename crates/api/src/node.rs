//! Nodes: registering, listing, changing.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::id::NodeId;
use crate::lax;
use crate::time::UnixMillis;
use crate::word::{Open, words};

words! {
    /// Whether a node takes work, and if not, why.
    NodeStatus {
        /// Alive and taking work.
        Online = "online",
        /// Shut down, or silent for longer than the timeout.
        Offline = "offline",
        /// Alive and, by its own word, taking none.
        Busy = "busy",
        /// Drained by an operator: no new tasks, heartbeats do not change it.
        Maintenance = "maintenance",
        /// Set apart by an operator or itself; heartbeats do not change it.
        Error = "error",
    }
    /// Operating systems, as the older clients write them.
    Platform {
        Macos = "macos",
        Windows = "windows",
        Linux = "linux",
    }
    /// Processor architectures, as the older clients write them.
    Arch {
        X64 = "x64",
        Arm64 = "arm64",
        X86 = "x86",
        Arm = "arm",
    }
}

/// A node as it is stored and shown: fields and order of `contract.md` §2.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Node {
    /// Its id.
    pub node_id: NodeId,
    /// Its identity.
    pub hostname: String,
    /// `None` for a bot that announced itself through Redis.
    pub platform: Option<String>,
    /// `None` for a bot that announced itself through Redis.
    pub arch: Option<String>,
    /// `online offline busy maintenance error`.
    pub status: Open<NodeStatus>,
    /// A JSON array of texts, kept as it was stored.
    pub available_skills: Box<RawValue>,
    /// How many tasks it runs at once.
    pub max_concurrent_tasks: i64,
    /// How many it runs by its last heartbeat.
    pub running_tasks: i64,
    /// May be empty.
    pub ip_address: String,
    /// May be empty.
    pub tailscale_ip: String,
    /// TCP port.
    pub port: i64,
    /// Percent.
    pub cpu_usage: f64,
    /// Percent.
    pub memory_usage: f64,
    /// Percent.
    pub disk_usage: f64,
    /// Tasks ended, ever.
    pub total_tasks_processed: i64,
    /// Of these, the good ones.
    pub successful_tasks: i64,
    /// Of these, the failed ones.
    pub failed_tasks: i64,
    /// Seconds.
    pub average_execution_time: f64,
    /// First registration.
    pub registered_at: UnixMillis,
    /// Last sign of life.
    pub last_heartbeat: UnixMillis,
    /// A JSON array of texts, kept as it was stored.
    pub tags: Box<RawValue>,
    /// Grows with every registration; the node's fencing token.
    pub incarnation: i64,
}

impl Node {
    /// What it can do, as far as what was stored is texts.
    #[must_use]
    pub fn skills(&self) -> Vec<String> {
        texts(&self.available_skills)
    }

    /// Its tags, as far as what was stored is texts.
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        texts(&self.tags)
    }
}

fn texts(json: &RawValue) -> Vec<String> {
    let parts = serde_json::from_str::<Vec<&RawValue>>(json.get()).unwrap_or_default();
    parts.iter().filter_map(|part| serde_json::from_str(part.get()).ok()).collect()
}

/// `POST /nodes/register` (`contract.md` §2).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Registration {
    /// Identity of the node: the exact text.
    pub hostname: Option<String>,
    /// Its operating system.
    pub platform: Option<String>,
    /// Its processor.
    pub arch: Option<String>,
    /// What it can do: at least one.
    pub available_skills: Option<Vec<String>>,
    /// Where it can be reached.
    pub ip_address: Option<String>,
    /// Where it can be reached within a tailnet.
    pub tailscale_ip: Option<String>,
    /// Its TCP port.
    #[serde(default, deserialize_with = "lax::int")]
    pub port: Option<i64>,
    /// How many tasks it runs at once.
    #[serde(default, deserialize_with = "lax::int")]
    pub max_concurrent_tasks: Option<i64>,
    /// Free labels; left out, a known node keeps those that it has.
    pub tags: Option<Vec<String>>,
    /// The id that it would like to have; a known hostname keeps its own.
    pub node_id: Option<NodeId>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Registered<'a> {
    pub success: bool,
    pub node_id: Cow<'a, NodeId>,
    pub message: Cow<'a, str>,
    pub registered: bool,
    pub node_info: Cow<'a, Node>,
}

/// `PATCH /nodes/{id}`; what is left out stays as it is (`contract.md` §2).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct NodeChange {
    /// `maintenance` and `error` stay until somebody changes them.
    pub status: Option<Open<NodeStatus>>,
    /// What it can do: at least one.
    pub available_skills: Option<Vec<String>>,
    /// Free labels.
    pub tags: Option<Vec<String>>,
    /// How many tasks it runs at once.
    #[serde(default, deserialize_with = "lax::int")]
    pub max_concurrent_tasks: Option<i64>,
    /// Tasks that it has ended, ever.
    #[serde(default, deserialize_with = "lax::int")]
    pub total_tasks_processed: Option<i64>,
    /// Of these, the good ones.
    #[serde(default, deserialize_with = "lax::int")]
    pub successful_tasks: Option<i64>,
    /// Of these, the failed ones.
    #[serde(default, deserialize_with = "lax::int")]
    pub failed_tasks: Option<i64>,
    /// Mean run time of a task, in seconds.
    #[serde(default, deserialize_with = "lax::float")]
    pub average_execution_time: Option<f64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct NodeDone {
    pub success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    pub node_id: NodeId,
}

/// `GET /nodes/{id}/health` (`contract.md` §3).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct NodeHealth {
    pub node_id: NodeId,
    pub hostname: String,
    pub healthy: bool,
    pub status: Open<NodeStatus>,
    pub last_heartbeat: UnixMillis,
    pub time_since_heartbeat: f64,
    pub is_timeout: bool,
    pub cpu_usage: f64,
    pub memory_usage: f64,
    pub disk_usage: f64,
    pub running_tasks: i64,
    pub max_concurrent_tasks: i64,
    pub available_capacity: i64,
}
