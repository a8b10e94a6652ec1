//! Less disk for the same data: Redis writes its append-only file anew.

use std::collections::HashMap;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::cmd;

use crate::Error;
use crate::scratch::open;

/// Pause between two looks at how far Redis is.
const PAUSE: Duration = Duration::from_millis(50);

/// What it brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    /// Length of the append-only file before, in bytes.
    pub before: u64,
    /// Length after, in bytes.
    pub after: u64,
}

/// Has the append-only file written anew, and waits for it.
///
/// # Errors
/// [`Error`].
pub async fn compact(redis_url: &str) -> Result<Compacted, Error> {
    let mut connection = open(redis_url).await?;
    let before = facts(&mut connection).await?;
    if before.get("aof_enabled").map(String::as_str) != Some("1") {
        return Err(Error::Refused("this Redis keeps no append-only file".to_owned()));
    }
    // One that is under way already will do: it began a moment ago.
    if !is_under_way(&before) {
        cmd("BGREWRITEAOF").query_async::<String>(&mut connection).await?;
    }
    let after = loop {
        let facts = facts(&mut connection).await?;
        if !is_under_way(&facts) {
            break facts;
        }
        tokio::time::sleep(PAUSE).await;
    };
    if after.get("aof_last_bgrewrite_status").map(String::as_str) != Some("ok") {
        let reason = "Redis could not write its data anew; its log says why";
        return Err(Error::Refused(reason.to_owned()));
    }
    let size = |facts: &HashMap<String, String>| {
        facts.get("aof_current_size").and_then(|size| size.parse().ok()).unwrap_or_default()
    };
    Ok(Compacted { before: size(&before), after: size(&after) })
}

fn is_under_way(facts: &HashMap<String, String>) -> bool {
    ["aof_rewrite_in_progress", "aof_rewrite_scheduled"]
        .iter()
        .any(|name| facts.get(*name).map(String::as_str) == Some("1"))
}

async fn facts(connection: &mut MultiplexedConnection) -> Result<HashMap<String, String>, Error> {
    let info: String = cmd("INFO").arg("persistence").query_async(connection).await?;
    let facts = info.lines().filter_map(|line| line.trim_end().split_once(':'));
    Ok(facts.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}
