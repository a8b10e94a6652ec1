//! Calls on the names that agents and nodes share (`lua/name/`): whose they are.
//!
//! An inbox goes by a name alone. The name of an agent is that agent's; any other is that of the node
//! which carries it, and so its owner's. Agents and nodes live in two partitions, so a name is kept in
//! the cluster's before an agent is made of it, and a node that asks for a name looks there in its own
//! script. Each step can be repeated, and cut anywhere: a name that is kept for nothing is free again
//! by itself.

use crate::agent;
use crate::node::Writer;
use crate::port::Redis;
use crate::script::{
    Arguments, Call, Malformed, NAME_RELEASE, NAME_RESERVE, NAME_SETTLE, NAME_SHOW, Reader, Script,
    Store, StoreError, unknown_status,
};

/// Keeps a name for an agent that is about to be made.
#[derive(Debug)]
pub struct Reserve<'a> {
    /// Which.
    pub name: &'a str,
    /// Who asks.
    pub writer: Writer<'a>,
}

impl Call for Reserve<'_> {
    /// Whether it may be made: the name is not that of somebody else's node.
    type Reply = bool;

    fn script(&self) -> &'static Script {
        &NAME_RESERVE
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.name).text(self.writer.as_argument());
    }

    fn read(&self, status: &str, _: &mut Reader) -> Result<bool, Malformed> {
        match status {
            "ok" => Ok(true),
            "taken" => Ok(false),
            other => unknown_status(other),
        }
    }
}

/// Lets go of a name that was kept for an agent which was not made after all.
#[derive(Debug)]
pub struct Release<'a> {
    /// Which.
    pub name: &'a str,
}

impl Call for Release<'_> {
    type Reply = ();

    fn script(&self) -> &'static Script {
        &NAME_RELEASE
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.name);
    }

    fn read(&self, status: &str, _: &mut Reader) -> Result<(), Malformed> {
        if status == "ok" { Ok(()) } else { unknown_status(status) }
    }
}

/// The node that carries a name.
#[derive(Debug)]
struct Node {
    owner: String,
    is_known_as_its_own: bool,
}

#[derive(Debug)]
struct Show<'a> {
    name: &'a str,
}

impl Call for Show<'_> {
    type Reply = Option<Node>;

    fn script(&self) -> &'static Script {
        &NAME_SHOW
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.name);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        match status {
            "ok" => Ok(Some(Node { owner: reply.text()?, is_known_as_its_own: reply.flag()? })),
            "none" => Ok(None),
            other => unknown_status(other),
        }
    }
}

#[derive(Debug)]
struct Settle<'a> {
    name: &'a str,
    is_own: bool,
}

impl Call for Settle<'_> {
    type Reply = ();

    fn script(&self) -> &'static Script {
        &NAME_SETTLE
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.name).number(u8::from(self.is_own));
    }

    fn read(&self, status: &str, _: &mut Reader) -> Result<(), Malformed> {
        if status == "ok" { Ok(()) } else { unknown_status(status) }
    }
}

/// Whether an agent has a name, or had it: what was sent to it then is nobody else's.
///
/// # Errors
/// [`StoreError`].
pub async fn is_agents<R: Redis>(store: &Store<R>, name: &str) -> Result<bool, StoreError> {
    store.call(&agent::IsName { name }).await
}

/// Whether a name is that of a node of this agent, and of no other agent. Of nodes that were
/// registered before names were kept apart the ledger has to say so, once.
///
/// # Errors
/// [`StoreError`].
pub async fn is_node_of<R: Redis>(
    store: &Store<R>,
    name: &str,
    agent: &str,
) -> Result<bool, StoreError> {
    match store.call(&Show { name }).await? {
        Some(node) if node.owner == agent && !node.is_known_as_its_own => {
            let is_own = !is_agents(store, name).await?;
            store.call(&Settle { name, is_own }).await?;
            Ok(is_own)
        }
        Some(node) => Ok(node.owner == agent),
        None => Ok(false),
    }
}
