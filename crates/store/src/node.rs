//! Calls on nodes: `lua/node/`.

use reef_domain::NodeId;
use reef_domain::node::{Patch, Registration, Status};
use reef_domain::time::UnixMillis;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::script::{Argument, Arguments, FromReply, Malformed, Reader, rows};

include!(concat!(env!("OUT_DIR"), "/calls_node.rs"));

/// A node as it is stored and shown: fields and order of `contract.md` §2.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Node {
    /// Its id.
    pub node_id: String,
    /// Its identity.
    pub hostname: String,
    /// `None` for a bot that announced itself through Redis.
    pub platform: Option<String>,
    /// `None` for a bot that announced itself through Redis.
    pub arch: Option<String>,
    /// `online offline busy maintenance error`.
    pub status: String,
    /// A JSON array of texts.
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
    /// A JSON array of texts.
    pub tags: Box<RawValue>,
    /// Grows with every registration; the node's fencing token.
    pub incarnation: i64,
}

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

impl Argument for Status {
    fn append(&self, arguments: &mut Arguments) {
        arguments.text(self.as_str());
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

/// A page of nodes.
#[derive(Debug)]
pub struct Page<C> {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// Where the next page begins, while there is more.
    pub next: Option<C>,
}

impl<C> FromReply for Page<C>
where
    Option<C>: FromReply,
{
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let next = FromReply::read(reply)?;
        Ok(Self { nodes: FromReply::read(reply)?, next })
    }
}

/// Where a page of available nodes ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AvailablePosition {
    /// The last node's load.
    pub load: i64,
    /// The last node.
    pub node_id: String,
}

impl FromReply for Option<AvailablePosition> {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let (load, node_id) = (reply.optional_int()?, reply.text()?);
        Ok(load.map(|load| AvailablePosition { load, node_id }))
    }
}

/// What became of a write to one node.
#[derive(Debug)]
pub enum Written<T> {
    /// Done.
    Ok(T),
    /// There is no such node.
    NotFound,
    /// The node belongs to somebody else.
    Forbidden,
}

impl<T> Written<T> {
    fn within(
        status: &str,
        reply: &mut Reader,
        read: impl FnOnce(&str, &mut Reader) -> Result<T, Malformed>,
    ) -> Result<Self, Malformed> {
        match status {
            "not_found" => Ok(Self::NotFound),
            "forbidden" => Ok(Self::Forbidden),
            _ => read(status, reply).map(Self::Ok),
        }
    }
}

impl<'a> Register<'a> {
    /// Registers what was sent, of whose id nothing is known, for an owner without a bound.
    #[must_use]
    pub fn new(
        sent: &'a Registration,
        generated_id: &'a str,
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
            node_id: sent.node_id.as_ref().map(NodeId::as_str),
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
    pub fn new(node_id: &'a str, writer: Writer<'a>, patch: &'a Patch) -> Self {
        Self {
            node_id,
            writer,
            status: patch.status,
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
