//! All primaries of a Redis Cluster, as of one instant.
//!
//! Each gets a follower of ours. Once all follow, writes are paused everywhere for a moment: nothing is
//! written any more, so that what the followers have when they have caught up is one state of the
//! whole. Then they are cut off, and the cluster goes on.

use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use redis::cmd;
use reef_redis::Connection;
use reef_store::Reply;
use tokio::io::BufReader;

use crate::relay::Relay;
use crate::scratch::{Scratch, Server, unreadable};
use crate::snapshot::{Reader, SILENCE_MAX, ask, silent};
use crate::{Error, Progress};

/// How long writes are paused at most; the servers end it by themselves. Below what a hub waits for
/// an answer, so that its requests only take longer.
const PAUSE_MAX: Duration = Duration::from_millis(800);
/// A follower that has not caught up by then will not within this pause.
const CATCH_UP_MAX: Duration = Duration::from_millis(600);
/// How often it is tried, with a breath between the pauses.
const TRIES: usize = 10;
const BREATH: Duration = Duration::from_secs(1);
/// Between two looks at a follower.
const LOOK_EACH: Duration = Duration::from_millis(3);
/// Between two looks at a follower that is loading.
const WAIT_EACH: Duration = Duration::from_millis(50);
/// Slots of a cluster.
const SLOTS: u32 = 16384;

/// A primary and what copies it.
struct Shard {
    primary: Connection,
    /// For commands that the shared connection refuses.
    control: Reader,
    relay: Option<Relay>,
    scratch: Scratch,
    follower: Server,
}

/// Copies of the primaries, which nobody writes to.
pub(crate) struct Frozen {
    pub(crate) servers: Vec<Server>,
    /// When it was, in milliseconds of their clocks: of the one that is last.
    pub(crate) taken_at_ms: i64,
    /// For how long writes were paused, about.
    pub(crate) paused: Duration,
    _folders: Vec<Scratch>,
}

/// Copies all primaries as they are at one instant.
pub(crate) async fn freeze(
    cluster: &Connection,
    program: &Path,
    progress: Progress<'_>,
) -> Result<Frozen, Error> {
    let primaries = cluster.primaries().await?;
    let shape = shape(&primaries).await?;
    let mut shards = Vec::with_capacity(primaries.len());
    for primary in primaries.iter().cloned() {
        shards.push(Shard::begin(primary, program).await?);
    }
    until_all_follow(&shards, program, progress).await?;
    let mut paused = None;
    for _ in 0..TRIES {
        paused = cut(&mut shards).await?;
        if paused.is_some() {
            break;
        }
        tokio::time::sleep(BREATH).await;
    }
    let Some((taken_at_ms, paused)) = paused else {
        return Err(Error::Refused(format!(
            "the copies of the cluster's primaries do not catch up within {CATCH_UP_MAX:?} of a \
             pause; try again when less is written, or nearer to the cluster"
        )));
    };
    if self::shape(&cluster.primaries().await?).await? != shape {
        return Err(Error::Refused("slots of the cluster moved meanwhile; try again".to_owned()));
    }
    let (mut servers, mut folders) = (Vec::new(), Vec::new());
    for Shard { follower, scratch, .. } in shards {
        servers.push(follower);
        folders.push(scratch);
    }
    Ok(Frozen { servers, taken_at_ms, paused, _folders: folders })
}

impl Shard {
    async fn begin(primary: Connection, program: &Path) -> Result<Self, Error> {
        let relay = Relay::start(primary.open_bytes().await?).await?;
        let control = BufReader::new(primary.open_bytes().await?);
        let scratch = Scratch::new()?;
        let follower = scratch.follow(program, relay.port, &relay.password).await?;
        Ok(Self { primary, control, relay: Some(relay), scratch, follower })
    }

    fn passed(&self) -> u64 {
        self.relay.as_ref().map_or(0, Relay::passed)
    }

    fn is_over(&self) -> bool {
        self.relay.as_ref().is_none_or(Relay::is_over)
    }

    /// How far the follower is; nothing while it is loading.
    async fn position(&self) -> Option<u64> {
        let mut connection = self.follower.connection.clone();
        let asked = cmd("INFO").arg("replication").query_async::<String>(&mut connection).await;
        let info = asked.ok()?;
        let is_up = fact(&info, "master_link_status") == Some("up");
        fact(&info, "slave_repl_offset").filter(|_| is_up)?.parse().ok()
    }

    async fn tell(&mut self, words: &[&str]) -> Result<(), Error> {
        let answer = ask(&mut self.control, words).await?;
        match answer.strip_prefix('-') {
            Some(refusal) => Err(Error::Refused(format!(
                "a node of the cluster refuses: {refusal}; its user needs the commands CLIENT \
                 PAUSE, PSYNC and REPLCONF for a backup"
            ))),
            None => Ok(()),
        }
    }
}

/// Waits until each follower has loaded its primary's data and follows.
async fn until_all_follow(
    shards: &[Shard],
    program: &Path,
    progress: Progress<'_>,
) -> Result<(), Error> {
    let mut passed = (0, Instant::now());
    loop {
        let mut following = 0;
        for shard in shards {
            following += usize::from(shard.position().await.is_some());
            if let Some(complaint) = shard.scratch.complaint() {
                return Err(unreadable(program, &complaint));
            }
            if shard.is_over() {
                let lost = "a node of the cluster has ended the copy of its data; its user needs \
                            the commands PSYNC and REPLCONF for a backup";
                return Err(Error::Unreachable(lost.to_owned()));
            }
        }
        let now = shards.iter().map(Shard::passed).sum();
        progress(now, None);
        if following == shards.len() {
            return Ok(());
        }
        if now > passed.0 {
            passed = (now, Instant::now());
        } else if passed.1.elapsed() > SILENCE_MAX {
            return Err(silent());
        }
        tokio::time::sleep(WAIT_EACH).await;
    }
}

/// Pauses all writes, lets the followers catch up, and cuts them off. Nothing if they were not there
/// in time; then all is as it was. Else when that was, and how long it took.
async fn cut(shards: &mut [Shard]) -> Result<Option<(i64, Duration)>, Error> {
    let begun = Instant::now();
    let limit = PAUSE_MAX.as_millis().to_string();
    let pause = ["CLIENT", "PAUSE", limit.as_str(), "WRITE"];
    let paused = try_join_all(shards.iter_mut().map(|shard| shard.tell(&pause))).await;
    let result = match paused {
        Ok(_) => catch_up(shards, begun).await,
        Err(error) => Err(error),
    };
    let is_cut = matches!(result, Ok(Some(_)));
    for shard in shards.iter_mut().filter(|_| is_cut) {
        shard.relay = None;
    }
    // From here on it may end.
    let took = begun.elapsed();
    let resumed = try_join_all(shards.iter_mut().map(|shard| shard.tell(&["CLIENT", "UNPAUSE"])));
    let resumed = resumed.await;
    let taken_at_ms = result?;
    resumed?;
    // The first of the pauses may have ended by itself before the last follower was cut off.
    if is_cut && took >= PAUSE_MAX {
        return Err(Error::Refused("this machine is too busy for a backup; try again".to_owned()));
    }
    for shard in shards.iter().filter(|_| is_cut) {
        let mut connection = shard.follower.connection.clone();
        cmd("REPLICAOF").arg("NO").arg("ONE").query_async::<()>(&mut connection).await?;
    }
    Ok(taken_at_ms.map(|at| (at, took)))
}

async fn catch_up(shards: &[Shard], begun: Instant) -> Result<Option<i64>, Error> {
    let asked = shards.iter().map(|shard| async {
        let info = info(&shard.primary, "replication").await?;
        let offset =
            fact(&info, "master_repl_offset").and_then(|offset| offset.parse::<u64>().ok());
        let offset = offset.ok_or_else(|| Error::Refused("no offset of replication".to_owned()))?;
        Ok::<_, Error>((offset, now_ms(&shard.primary).await?))
    });
    let wanted = try_join_all(asked).await?;
    for (shard, (offset, _)) in shards.iter().zip(&wanted) {
        while shard.position().await.is_none_or(|position| position < *offset) {
            if begun.elapsed() > CATCH_UP_MAX {
                return Ok(None);
            }
            tokio::time::sleep(LOOK_EACH).await;
        }
    }
    Ok(wanted.iter().map(|(_, now)| *now).max())
}

/// Who has which slots, as each primary says of itself.
///
/// Refuses a cluster of which a part is away, or whose slots move.
async fn shape(primaries: &[Connection]) -> Result<Vec<String>, Error> {
    let (mut said, mut count) = (Vec::new(), 0);
    for primary in primaries {
        let nodes = text(primary.execute("CLUSTER", vec![b"NODES".to_vec()]).await?);
        let own = nodes.lines().find(|line| line.contains("myself")).unwrap_or_default();
        let mut words = own.split(' ');
        let (id, flags) = (words.next().unwrap_or_default(), words.nth(1).unwrap_or_default());
        let slots: Vec<&str> = words.skip(5).collect();
        if slots.iter().any(|slots| slots.starts_with('[')) {
            return Err(Error::Refused(
                "slots of the cluster are moving; wait for them".to_owned(),
            ));
        }
        count += slots.iter().map(|slots| size(slots)).sum::<u32>();
        said.push(format!("{id} {flags} {}", slots.join(" ")));
    }
    if count != SLOTS {
        return Err(Error::Unreachable(format!(
            "a part of the Redis Cluster has no primary at the moment: {count} of {SLOTS} slots are \
             there"
        )));
    }
    said.sort();
    Ok(said)
}

/// How many slots `5` or `0-5460` are.
fn size(slots: &str) -> u32 {
    let (first, last) = slots.split_once('-').unwrap_or((slots, slots));
    match (first.parse::<u32>(), last.parse::<u32>()) {
        (Ok(first), Ok(last)) if first <= last => last - first + 1,
        _ => 0,
    }
}

/// A server's own clock, in milliseconds.
pub(crate) async fn now_ms(server: &Connection) -> Result<i64, Error> {
    let reply = server.execute("TIME", Vec::new()).await?;
    let number = |reply: &Reply| match reply {
        Reply::Bytes(text) => std::str::from_utf8(text).ok()?.parse::<i64>().ok(),
        _ => None,
    };
    let time = reply.first().and_then(number).zip(reply.get(1).and_then(number));
    let (seconds, micros) = time.ok_or_else(|| Error::Refused("no time".to_owned()))?;
    Ok(seconds * 1000 + micros / 1000)
}

async fn info(server: &Connection, section: &str) -> Result<String, Error> {
    Ok(text(server.execute("INFO", vec![section.as_bytes().to_vec()]).await?))
}

pub(crate) fn text(reply: Vec<Reply>) -> String {
    match reply.into_iter().next() {
        Some(Reply::Bytes(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
        Some(Reply::Status(text)) => text,
        _ => String::new(),
    }
}

fn fact<'t>(info: &'t str, name: &str) -> Option<&'t str> {
    let mut lines = info.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(key, _)| *key == name).map(|(_, value)| value.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_counted() {
        assert_eq!(["7", "0-5460", "x", "5-3", "[5->-a]"].map(size), [1, 5461, 0, 0, 0]);
    }
}
