//! Libraries of functions that an earlier version of the hub has left in Redis
//! (docs/adr/0006-functions.md).
//!
//! Each host notes what it calls. What nobody has noted for a day goes; if somebody calls it after all,
//! it is loaded again.

use std::collections::BTreeSet;
use std::time::Duration;

use reef_redis::{Connection, Error};
use reef_store::cluster::NoteLibraries;
use reef_store::script::ALL;
use reef_store::{Reply, Store, StoreError};
use tokio::time::MissedTickBehavior;

/// How often a host notes what it calls.
const PERIOD: Duration = Duration::from_secs(3600);
/// Under which names the hub's libraries lie.
const PATTERN: &[u8] = b"reef_*";

/// Notes and tidies; never returns.
pub(crate) async fn keep(store: &Store<Connection>) {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match tidy(store).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "dropped functions of versions that are no more"),
            // The server may refuse to list functions, or have none; what lies there costs memory only.
            Err(error) => tracing::debug!(%error, "functions of earlier versions were left alone"),
        }
    }
}

/// Notes this host's libraries, and drops what nobody has noted for long. Returns how many went.
async fn tidy(store: &Store<Connection>) -> Result<usize, StoreError> {
    let own: BTreeSet<&str> = ALL.iter().map(|script| script.function).collect();
    let primaries = store.redis().primaries().await.map_err(of_redis)?;
    let mut others = BTreeSet::new();
    for primary in &primaries {
        others.extend(listed(primary).await.map_err(of_redis)?);
    }
    others.retain(|name| !own.contains(name.as_str()) && is_ours(name));
    let names: Vec<String> = own.iter().map(|name| (*name).to_owned()).chain(others).collect();
    let note = NoteLibraries { own: i64::try_from(own.len()).unwrap_or_default(), names: &names };
    let unused = store.call(&note).await?;
    for name in &unused {
        for primary in &primaries {
            let arguments = vec![b"DELETE".to_vec(), name.clone().into_bytes()];
            // Another host may have been first, or this primary never had it.
            let _ = primary.execute("FUNCTION", arguments).await;
        }
    }
    Ok(unused.len())
}

fn of_redis(error: Error) -> StoreError {
    StoreError::Redis(error.into())
}

/// The names of the libraries that a server has.
async fn listed(server: &Connection) -> Result<Vec<String>, Error> {
    let arguments = vec![b"LIST".to_vec(), b"LIBRARYNAME".to_vec(), PATTERN.to_vec()];
    let reply = server.execute("FUNCTION", arguments).await?;
    Ok(names(&reply))
}

/// The values that stand behind `library_name` in a flat reply.
fn names(reply: &[Reply]) -> Vec<String> {
    let text = |reply: &Reply| match reply {
        Reply::Bytes(bytes) => String::from_utf8(bytes.clone()).ok(),
        Reply::Status(text) => Some(text.clone()),
        Reply::Nil | Reply::Int(_) => None,
    };
    let pairs = reply.iter().zip(reply.iter().skip(1));
    pairs
        .filter(|it| text(it.0).as_deref() == Some("library_name"))
        .filter_map(|it| text(it.1))
        .collect()
}

/// Whether a library has a name as the build gives: `reef_<noun>_<verb>_<hash>`.
fn is_ours(name: &str) -> bool {
    name.strip_prefix("reef_").and_then(|rest| rest.rsplit_once('_')).is_some_and(
        |(script, hash)| {
            script.contains('_')
                && hash.len() == 16
                && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_out_of_a_flat_list() {
        let words =
            ["library_name", "reef_a_b_0", "engine", "LUA", "functions", "name", "reef_a_b_0"];
        let mut reply: Vec<_> =
            words.iter().map(|it| Reply::Bytes(it.as_bytes().to_vec())).collect();
        reply.push(Reply::Nil);
        reply.extend(["library_name", "other"].map(|it| Reply::Status(it.to_owned())));
        assert_eq!(names(&reply), ["reef_a_b_0", "other"]);
        assert_eq!(names(&[]), Vec::<String>::new());
    }

    #[test]
    fn all_of_the_hubs_libraries_are_its_own_and_others_are_not() {
        for script in ALL {
            assert!(is_ours(script.function), "{}", script.function);
        }
        for name in ["reef_mine", "reef_tool_0123456789abcdef0", "mine_a_b_0123456789abcdef"] {
            assert!(!is_ours(name), "{name}");
        }
    }
}
