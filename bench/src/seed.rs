//! Fills a hub with nodes, and takes away those that a measurement made.

use anyhow::{Context, Result, bail};
use futures_util::stream::{self, TryStreamExt};
use reef_domain::node::Registration;
use reef_store::node::{List, Register, Registered, Remove, Writer, Written};
use serde::Deserialize;

use crate::operation::{NODE, name_of};
use crate::redis::Redis;
use crate::template::digits;

/// How many scripts are under way at once on the one connection.
const IN_FLIGHT: usize = 128;
/// The most nodes of one page.
const PAGE: i64 = 1000;

/// Registers the nodes of a range of numbers, each by the script that a request would run.
pub(crate) async fn register(redis: &Redis, numbers: std::ops::Range<u64>) -> Result<()> {
    let store = &redis.store();
    stream::iter(numbers.map(Ok))
        .try_for_each_concurrent(IN_FLIGHT, |number| async move {
            let name = name_of(&digits(number));
            let registration = registration(&name)?;
            let call = Register {
                registration: &registration,
                generated_id: &name,
                owner: "@admin",
                writer: Writer::Any,
            };
            match store.call(&call).await? {
                Registered::Ok { .. } => Ok(()),
                other => bail!("{name} was not registered: {other:?}"),
            }
        })
        .await
        .context("cannot register the nodes")
}

/// What [`NODE`] says.
#[derive(Deserialize)]
struct Said {
    platform: String,
    arch: String,
    available_skills: Vec<String>,
    ip_address: String,
    port: i64,
    max_concurrent_tasks: i64,
    tags: Vec<String>,
}

fn registration(name: &str) -> Result<Registration> {
    let said: Said = serde_json::from_str(&format!("{{{NODE}}}"))?;
    Ok(Registration {
        hostname: name.to_owned(),
        platform: said.platform,
        arch: said.arch,
        available_skills: said.available_skills,
        max_concurrent_tasks: said.max_concurrent_tasks,
        ip_address: said.ip_address,
        tailscale_ip: String::new(),
        port: said.port,
        tags: Some(said.tags),
        node_id: None,
    })
}

/// Removes the nodes that were registered after the seeded ones.
pub(crate) async fn remove_new(redis: &Redis) -> Result<()> {
    let store = &redis.store();
    loop {
        let page =
            List { status: "", skill: "", tag: "", limit: PAGE, below: None, scan_max: PAGE };
        let newest = store.call(&page).await?.nodes;
        let seeded = name_of("");
        let new: Vec<String> = newest
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
