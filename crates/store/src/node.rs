//! Calls on nodes: `lua/node/`.

pub use reef_api::node::Node;
use reef_api::node::{NodeChange, NodeStatus};
use reef_api::{NodeId, Open};
use reef_domain::node::Registration;
use reef_domain::time::UnixMillis;
use serde_json::value::RawValue;

use crate::inbox::Share;
use crate::script::{Argument, Arguments, FromReply, Malformed, Reader, outcomes, rows};
use crate::steps::Page;

include!(concat!(env!("OUT_DIR"), "/calls_node.rs"));

/// JSON that was checked when it was stored, and is passed on as it is.
pub(crate) fn read_json(reply: &mut Reader) -> Result<Box<RawValue>, Malformed> {
    RawValue::from_string(reply.text()?).map_err(|e| Malformed(format!("stored JSON: {e}")))
}

/// Skills or tags: a JSON array of texts.
#[derive(Debug, Clone, Copy)]
pub struct Labels<'a>(pub &'a [String]);

impl Argument for Labels<'_> {
    fn append(&self, arguments: &mut Arguments) {
        arguments.json(&self.0);
    }
}

/// Who writes to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer<'a> {
    /// May write to every node: the admin, or anybody where keys are not asked for.
    Any,
    /// May write to the nodes that it owns.
    Owner(&'a str),
}

impl<'a> Writer<'a> {
    /// Whose things it is confined to; `None`: to nobody's.
    #[must_use]
    pub fn owner(&self) -> Option<&'a str> {
        match self {
            Self::Any => None,
            Self::Owner(id) => Some(id),
        }
    }

    /// Whose things it may touch, as scripts take it: an empty text is not checked.
    #[must_use]
    pub fn as_argument(&self) -> &'a str {
        match self {
            Self::Any => "",
            Self::Owner(id) => id,
        }
    }
}

impl Argument for Writer<'_> {
    fn append(&self, arguments: &mut Arguments) {
        arguments.text(self.as_argument());
    }
}

/// What is known of an id that somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The caller may take any.
    Any,
    /// It is the caller's own name.
    Own,
    /// No agent has it.
    Free,
    /// It looks like one that the hub makes.
    Made,
    /// Nothing: say whether it has to be known.
    Unknown,
}

impl Argument for Standing {
    fn append(&self, arguments: &mut Arguments) {
        arguments.text(match self {
            Self::Any => "any",
            Self::Own => "own",
            Self::Free => "free",
            Self::Made => "made",
            Self::Unknown => "unknown",
        });
    }
}

/// A node and how long ago it was last heard of.
#[derive(Debug)]
pub struct Sighting {
    /// The node.
    pub node: Node,
    /// When Redis was asked.
    pub now: UnixMillis,
    /// Logical milliseconds since the last heartbeat: time in which nobody could have sent one
    /// does not count.
    pub silent_ms: i64,
}

impl FromReply for Sighting {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let (now, silent_ms) = (UnixMillis(reply.int()?), reply.int()?);
        Ok(Self { node: FromReply::read(reply)?, now, silent_ms })
    }
}

/// Available nodes, the least loaded first.
pub type AvailablePage = Page<Node, AvailablePosition>;

/// Where a page of available nodes ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AvailablePosition {
    /// The last node's load.
    pub load: i64,
    /// The last node.
    pub node_id: NodeId,
}

impl FromReply for Option<AvailablePosition> {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let (load, node_id) = (reply.optional_int()?, NodeId::read(reply)?);
        Ok(load.map(|load| AvailablePosition { load, node_id }))
    }
}

outcomes! {
    /// What became of a write to one node.
    Written: "Done."
    "There is no such node." NotFound = "not_found",
    "The node belongs to somebody else." Forbidden = "forbidden",
}

impl<'a> Register<'a> {
    /// Registers what was sent, of whose id nothing is known, for an owner without a bound.
    #[must_use]
    pub fn new(
        sent: &'a Registration,
        generated_id: &'a NodeId,
        owner: &'a str,
        writer: Writer<'a>,
    ) -> Self {
        Self {
            hostname: &sent.hostname,
            platform: &sent.platform,
            arch: &sent.arch,
            available_skills: Labels(&sent.available_skills),
            max_concurrent_tasks: sent.max_concurrent_tasks,
            ip_address: &sent.ip_address,
            tailscale_ip: &sent.tailscale_ip,
            port: sent.port,
            tags: sent.tags.as_deref().map(Labels),
            node_id: sent.node_id.as_ref(),
            generated_id,
            owner,
            writer,
            standing: Standing::Unknown,
            most: None,
        }
    }
}

impl<'a> Update<'a> {
    /// Changes what a patch names.
    #[must_use]
    pub fn new(node_id: &'a NodeId, writer: Writer<'a>, patch: &'a NodeChange) -> Self {
        Self {
            node_id,
            writer,
            status: patch.status.as_ref().and_then(Open::known),
            available_skills: patch.available_skills.as_deref().map(Labels),
            tags: patch.tags.as_deref().map(Labels),
            max_concurrent_tasks: patch.max_concurrent_tasks,
            total_tasks_processed: patch.total_tasks_processed,
            successful_tasks: patch.successful_tasks,
            failed_tasks: patch.failed_tasks,
            average_execution_time: patch.average_execution_time,
        }
    }
}

rows! {
    Node {
        node_id, hostname, platform, arch, status, available_skills, max_concurrent_tasks,
        running_tasks, ip_address, tailscale_ip, port, cpu_usage, memory_usage, disk_usage,
        total_tasks_processed, successful_tasks, failed_tasks, average_execution_time,
        registered_at, last_heartbeat, tags, incarnation
    }
}
