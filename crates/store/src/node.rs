//! Calls on nodes: `lua/node/`.

use reef_domain::node::{Patch, Registration};
use reef_domain::time::UnixMillis;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::quota::Quotas;
use crate::script::{
    Argument, Arguments, Call, Malformed, NODE_AVAILABLE, NODE_GET, NODE_LIST, NODE_REGISTER,
    NODE_REMOVE, NODE_SHUTDOWN, NODE_UPDATE, Reader, Script, unknown_status,
};

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

/// Elements of a node in a reply.
const NODE_ROW: usize = 22;

impl Node {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            node_id: reply.text()?,
            hostname: reply.text()?,
            platform: reply.optional_text()?,
            arch: reply.optional_text()?,
            status: reply.text()?,
            available_skills: read_json(reply)?,
            max_concurrent_tasks: reply.int()?,
            running_tasks: reply.int()?,
            ip_address: reply.text()?,
            tailscale_ip: reply.text()?,
            port: reply.int()?,
            cpu_usage: reply.float()?,
            memory_usage: reply.float()?,
            disk_usage: reply.float()?,
            total_tasks_processed: reply.int()?,
            successful_tasks: reply.int()?,
            failed_tasks: reply.int()?,
            average_execution_time: reply.float()?,
            registered_at: UnixMillis(reply.int()?),
            last_heartbeat: UnixMillis(reply.int()?),
            tags: read_json(reply)?,
            incarnation: reply.int()?,
        })
    }

    fn read_all(reply: &mut Reader) -> Result<Vec<Self>, Malformed> {
        let mut nodes = Vec::with_capacity(reply.left() / NODE_ROW);
        while !reply.is_at_end() {
            nodes.push(Self::read(reply)?);
        }
        Ok(nodes)
    }
}

/// JSON that was checked when it was stored, and is passed on as it is.
pub(crate) fn read_json(reply: &mut Reader) -> Result<Box<RawValue>, Malformed> {
    RawValue::from_string(reply.text()?).map_err(|e| Malformed(format!("stored JSON: {e}")))
}

/// Labels as a JSON array of texts. Writing texts into memory cannot fail.
fn to_json(labels: &[String]) -> String {
    serde_json::to_string(labels).unwrap_or_default()
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

/// Registers a node, or a known hostname again.
#[derive(Debug)]
pub struct Register<'a> {
    /// What the caller sent.
    pub registration: &'a Registration,
    /// The id for a new node that asks for none.
    pub generated_id: &'a str,
    /// Who will own a new node.
    pub owner: &'a str,
    /// Who asks.
    pub writer: Writer<'a>,
    /// What is known of the id that a new node asks for.
    pub standing: Standing,
    /// What the owner may have; `None`: as much as it likes.
    pub quotas: Option<&'a Quotas>,
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

impl Standing {
    fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Own => "own",
            Self::Free => "free",
            Self::Made => "made",
            Self::Unknown => "unknown",
        }
    }
}

/// What became of a registration.
#[derive(Debug)]
pub enum Registered {
    /// The node as it is now.
    Ok {
        /// The hostname was not known before.
        is_new: bool,
        /// The node.
        node: Box<Node>,
    },
    /// The id that was asked for belongs to another hostname.
    IdTaken,
    /// The generated id is in use: make another.
    IdCollision,
    /// The node belongs to somebody else.
    Forbidden,
    /// The id that was asked for looks like one that the hub makes.
    MadeId,
    /// The id that was asked for is the name of somebody else's agent, or of a node of somebody
    /// else's that was removed and has mail.
    NameTaken,
    /// Whether an agent has the id that was asked for has to be known.
    Ask,
}

impl Call for Register<'_> {
    type Reply = Registered;

    fn script(&self) -> &'static Script {
        &NODE_REGISTER
    }

    fn arguments(&self, arguments: &mut Arguments) {
        let r = self.registration;
        arguments
            .text(&r.hostname)
            .text(&r.platform)
            .text(&r.arch)
            .text(to_json(&r.available_skills))
            .number(r.max_concurrent_tasks)
            .text(&r.ip_address)
            .text(&r.tailscale_ip)
            .number(r.port)
            .optional(r.tags.as_deref().map(to_json))
            .optional(r.node_id.as_ref())
            .text(self.generated_id)
            .text(self.owner)
            .text(self.writer.as_argument())
            .text(self.standing.as_str())
            .optional(self.quotas.map(|quotas| quotas.nodes));
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Registered, Malformed> {
        match status {
            "ok" => {
                Ok(Registered::Ok { is_new: reply.flag()?, node: Box::new(Node::read(reply)?) })
            }
            "id_taken" => Ok(Registered::IdTaken),
            "id_collision" => Ok(Registered::IdCollision),
            "forbidden" => Ok(Registered::Forbidden),
            "made_id" => Ok(Registered::MadeId),
            "name_taken" => Ok(Registered::NameTaken),
            "ask" => Ok(Registered::Ask),
            other => unknown_status(other),
        }
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

/// Reads one node.
#[derive(Debug)]
pub struct Get<'a> {
    /// Which.
    pub node_id: &'a str,
}

impl Call for Get<'_> {
    type Reply = Option<Sighting>;

    fn script(&self) -> &'static Script {
        &NODE_GET
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.node_id);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => {
                let now = UnixMillis(reply.int()?);
                let silent_ms = reply.int()?;
                Ok(Some(Sighting { node: Node::read(reply)?, now, silent_ms }))
            }
            "not_found" => Ok(None),
            other => unknown_status(other),
        }
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

/// Lists nodes, newest registration first. Empty filters do not filter.
#[derive(Debug)]
pub struct List<'a> {
    /// A status.
    pub status: &'a str,
    /// A skill, exactly.
    pub skill: &'a str,
    /// A tag, exactly.
    pub tag: &'a str,
    /// Most nodes.
    pub limit: i64,
    /// [`Page::next`] of the page before.
    pub below: Option<i64>,
    /// Most index entries to look at.
    pub scan_max: i64,
}

impl Call for List<'_> {
    type Reply = Page<i64>;

    fn script(&self) -> &'static Script {
        &NODE_LIST
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.status)
            .text(self.skill)
            .text(self.tag)
            .number(self.limit)
            .optional(self.below)
            .number(self.scan_max);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        if status != "ok" {
            return unknown_status(status);
        }
        let next = reply.text()?;
        let next = if next.is_empty() {
            None
        } else {
            Some(next.parse().map_err(|_| Malformed(format!("cursor {next:?}")))?)
        };
        Ok(Page { nodes: Node::read_all(reply)?, next })
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

/// Lists online nodes with free capacity, least loaded first.
#[derive(Debug)]
pub struct ListAvailable<'a> {
    /// Most nodes.
    pub limit: i64,
    /// [`Page::next`] of the page before.
    pub after: Option<&'a AvailablePosition>,
}

impl Call for ListAvailable<'_> {
    type Reply = Page<AvailablePosition>;

    fn script(&self) -> &'static Script {
        &NODE_AVAILABLE
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .number(self.limit)
            .optional(self.after.map(|p| p.load))
            .optional(self.after.map(|p| &p.node_id));
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        if status != "ok" {
            return unknown_status(status);
        }
        let (load, node_id) = (reply.text()?, reply.text()?);
        let next = load.parse().ok().map(|load| AvailablePosition { load, node_id });
        Ok(Page { nodes: Node::read_all(reply)?, next })
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
    fn read(
        status: &str,
        reply: &mut Reader,
        ok: impl FnOnce(&mut Reader) -> Result<T, Malformed>,
    ) -> Result<Self, Malformed> {
        match status {
            "ok" => ok(reply).map(Self::Ok),
            "not_found" => Ok(Self::NotFound),
            "forbidden" => Ok(Self::Forbidden),
            other => unknown_status(other),
        }
    }
}

/// Changes some fields of a node.
#[derive(Debug)]
pub struct Update<'a> {
    /// Which.
    pub node_id: &'a str,
    /// Who asks.
    pub writer: Writer<'a>,
    /// What changes.
    pub patch: &'a Patch,
}

impl Call for Update<'_> {
    type Reply = Written<Box<Node>>;

    fn script(&self) -> &'static Script {
        &NODE_UPDATE
    }

    fn arguments(&self, arguments: &mut Arguments) {
        let patch = self.patch;
        arguments
            .text(self.node_id)
            .text(self.writer.as_argument())
            .optional(patch.status.map(reef_domain::node::Status::as_str))
            .optional(patch.available_skills.as_deref().map(to_json))
            .optional(patch.tags.as_deref().map(to_json))
            .optional(patch.max_concurrent_tasks);
        for (field, value) in [
            ("total_tasks_processed", patch.total_tasks_processed),
            ("successful_tasks", patch.successful_tasks),
            ("failed_tasks", patch.failed_tasks),
        ] {
            if let Some(value) = value {
                arguments.text(field).number(value);
            }
        }
        if let Some(seconds) = patch.average_execution_time {
            arguments.text("average_execution_time").number(seconds);
        }
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        Written::read(status, reply, |reply| Node::read(reply).map(Box::new))
    }
}

/// Marks a node offline by its own wish.
#[derive(Debug)]
pub struct Shutdown<'a> {
    /// Which.
    pub node_id: &'a str,
    /// Who asks.
    pub writer: Writer<'a>,
}

impl Call for Shutdown<'_> {
    type Reply = Written<()>;

    fn script(&self) -> &'static Script {
        &NODE_SHUTDOWN
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.node_id).text(self.writer.as_argument());
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        Written::read(status, reply, |_| Ok(()))
    }
}

/// Forgets a node.
#[derive(Debug)]
pub struct Remove<'a> {
    /// Which.
    pub node_id: &'a str,
    /// Who asks.
    pub writer: Writer<'a>,
}

impl Call for Remove<'_> {
    type Reply = Written<()>;

    fn script(&self) -> &'static Script {
        &NODE_REMOVE
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.node_id).text(self.writer.as_argument());
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        Written::read(status, reply, |_| Ok(()))
    }
}
