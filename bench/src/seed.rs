//! Fills a hub with nodes, and takes away those that a measurement made.

use anyhow::{Context, Result, anyhow, bail};
use futures_util::stream::{self, TryStreamExt};
use reef_api::{NodeId, node as api};
use reef_domain::heartbeat::Heartbeat;
use reef_domain::limits::HEARTBEAT_SCRIPT_MAX;
use reef_domain::node::{Registration, check_registration};
use reef_redis::Connection;
use reef_store::Store;
use reef_store::heartbeat::{Beat, BeatOutcome};
use reef_store::node::{List, Register, Registered, Remove, Writer, Written};

use crate::operation::{NODE, name_of};
use crate::redis::Redis;
use crate::template::digits;

/// How many scripts are under way at once on the one connection.
const IN_FLIGHT: usize = 128;
/// How long the seeded nodes' `hb:` keys live: as long as with [`Liveness::Endless`].
///
/// [`Liveness::Endless`]: crate::servers::hub::Liveness::Endless
const HEARTBEAT_KEY_TTL_MS: i64 = 86_400_000;
/// The most nodes of one page.
const PAGE: i64 = 1000;

/// Registers the nodes of a range of numbers, each by the script that a request would run.
pub(crate) async fn register(redis: &Redis, numbers: std::ops::Range<u64>) -> Result<()> {
    register_for(redis, numbers, "@admin").await
}

/// The same for an agent.
pub(crate) async fn register_for(
    redis: &Redis,
    numbers: std::ops::Range<u64>,
    owner: &str,
) -> Result<()> {
    register_in(&redis.store(), numbers, owner).await
}

/// The same, wherever they lie.
pub(crate) async fn register_in(
    store: &Store<Connection>,
    numbers: std::ops::Range<u64>,
    owner: &str,
) -> Result<()> {
    stream::iter(numbers.map(Ok))
        .try_for_each_concurrent(IN_FLIGHT, |number| async move {
            let name = name_of(&digits(number));
            let (registration, node_id) = (registration(&name)?, NodeId::from(name.as_str()));
            let call = Register::new(&registration, &node_id, owner, Writer::Any);
            match store.call(&call).await? {
                Registered::Ok { .. } => Ok(()),
                other => bail!("{name} was not registered: {other:?}"),
            }
        })
        .await
        .context("cannot register the nodes")
}

/// What [`NODE`] says.
fn registration(name: &str) -> Result<Registration> {
    let said = serde_json::from_str(&format!("{{{NODE}}}"))?;
    let form = api::Registration { hostname: Some(name.to_owned()), ..said };
    check_registration(form).map_err(|error| anyhow!("{name} cannot be registered: {error:?}"))
}

/// What the heartbeats of the load say, so that they find nothing to move in any index.
pub(crate) fn sample_heartbeat() -> Heartbeat {
    Heartbeat {
        cpu_usage: 42.5,
        memory_usage: 61.2,
        disk_usage: 40.0,
        running_tasks: 1,
        status: None,
        incarnation: None,
        claims: Vec::new(),
        renew_all: false,
        quiet_ms: None,
    }
}

/// Sends a heartbeat from each node of a range, so that later ones find what the one before left
/// behind, as in a cluster that has run for a while.
pub(crate) async fn beat(redis: &Redis, numbers: std::ops::Range<u64>) -> Result<()> {
    let store = &redis.store();
    let heartbeat = sample_heartbeat();
    let names: Vec<NodeId> = numbers.map(|number| name_of(&digits(number)).into()).collect();
    stream::iter(names.chunks(HEARTBEAT_SCRIPT_MAX).map(Ok))
        .try_for_each_concurrent(IN_FLIGHT, |names| async {
            let heartbeats: Vec<_> = names.iter().map(|name| (name, &heartbeat)).collect();
            let call = Beat {
                heartbeats: &heartbeats,
                writer: Writer::Any,
                key_ttl_ms: HEARTBEAT_KEY_TTL_MS,
            };
            let beats = store.call(&call).await?;
            let refused = beats.outcomes.iter().find(|o| !matches!(o, BeatOutcome::Ok { .. }));
            refused.map_or(Ok(()), |outcome| bail!("a heartbeat was not taken: {outcome:?}"))
        })
        .await
        .context("cannot send the heartbeats")
}

/// Removes the nodes that were registered after the seeded ones.
pub(crate) async fn remove_new(redis: &Redis) -> Result<()> {
    let store = &redis.store();
    loop {
        let page = List { status: "", skill: "", tag: "", limit: PAGE, below: None, filled: 0 };
        let newest = store.call(&page).await?.rows;
        let seeded = name_of("");
        let new: Vec<NodeId> = newest
            .into_iter()
            .filter(|node| !node.hostname.starts_with(&seeded))
            .map(|node| node.node_id)
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        stream::iter(new.iter().map(Ok))
            .try_for_each_concurrent(IN_FLIGHT, |node_id| async move {
                match store.call(&Remove { node_id, writer: Writer::Any }).await? {
                    Written::Ok(()) | Written::NotFound => anyhow::Ok(()),
                    Written::Forbidden => bail!("{node_id} may not be removed"),
                }
            })
            .await
            .context("cannot remove the new nodes")?;
    }
}
