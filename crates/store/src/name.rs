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
use crate::script::{Store, StoreError, rows};

include!(concat!(env!("OUT_DIR"), "/calls_name.rs"));

/// The node that carries a name.
#[derive(Debug)]
pub struct Node {
    owner: String,
    is_known_as_its_own: bool,
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

rows! {
    Node { owner, is_known_as_its_own }
}
