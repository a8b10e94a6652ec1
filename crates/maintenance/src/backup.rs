//! A snapshot of one instant, as logical records, in a file.

use std::path::Path;

use redis::aio::MultiplexedConnection;
use redis::{ConnectionInfo, IntoConnectionInfo, cmd};
use reef_store::Layout;

use crate::file::{Header, Record, Writer};
use crate::names::{Name, Naming};
use crate::scratch::{Scratch, open};
use crate::{Error, Progress, snapshot, value};

/// Keys that one step of the walk returns, about.
const PAGE: usize = 1000;

/// What is to be kept, and where.
pub struct Backup<'a> {
    /// The address of the hub's Redis.
    pub redis_url: &'a str,
    /// How the hub names its keys.
    pub naming: &'a Naming,
    /// A Redis server to read the snapshot with, as new as the hub's.
    pub server_program: &'a Path,
    /// The file, which must not be there.
    pub file: &'a Path,
}

/// What was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupDone {
    /// Keys of the hub.
    pub keys: u64,
    /// Keys beside them, which are none of the hub's and were left out.
    pub foreign: u64,
    /// Length of the file, in bytes.
    pub bytes: u64,
    /// When Redis was as the backup says, in milliseconds of its clock.
    pub taken_at_ms: i64,
}

/// Takes a backup. The hub may go on working.
///
/// # Errors
/// [`Error`]; then there is no file.
pub async fn backup(
    asked: &Backup<'_>,
    fetching: Progress<'_>,
    writing: Progress<'_>,
) -> Result<BackupDone, Error> {
    let info = connection_info(asked.redis_url)?;
    let mut live = open(info.clone()).await?;
    refuse_several_servers(&mut live).await?;
    let scratch = Scratch::new()?;
    // A moment before the snapshot, so that nothing expires sooner than it would have.
    let taken_at_ms = now_ms(&mut live).await?;
    snapshot::fetch(&info, &scratch.snapshot(), fetching).await?;
    let server = scratch.serve(asked.server_program, info.redis_settings().db()).await?;
    let layout = layout_name(asked.naming.layout);
    let header = Header::new(taken_at_ms, &asked.naming.prefix, layout);
    let mut writer = Writer::create(asked.file, &header)?;
    let mut frozen = server.connection.clone();
    let foreign = write_all(&mut frozen, asked.naming, &mut writer, writing).await?;
    let (keys, bytes) = writer.finish()?;
    Ok(BackupDone { keys, foreign, bytes, taken_at_ms })
}

/// Writes every key of the hub; says how many keys are none.
async fn write_all(
    frozen: &mut MultiplexedConnection,
    naming: &Naming,
    writer: &mut Writer,
    progress: Progress<'_>,
) -> Result<u64, Error> {
    let total: u64 = cmd("DBSIZE").query_async(frozen).await?;
    let (mut cursor, mut seen, mut foreign) = (0_u64, 0, 0);
    // The walk may name a key twice while the server's table grows; this one's does not.
    loop {
        let mut scan = cmd("SCAN");
        scan.arg(cursor).arg("COUNT").arg(PAGE);
        let (next, keys): (u64, Vec<Vec<u8>>) = scan.query_async(frozen).await?;
        for key in keys {
            seen += 1;
            progress(seen, Some(total));
            let name = std::str::from_utf8(&key).ok().and_then(|name| naming.read(name));
            match name {
                Some(name) => write_key(frozen, &key, name, writer).await?,
                None => foreign += 1,
            }
        }
        if next == 0 {
            return Ok(foreign);
        }
        cursor = next;
    }
}

async fn write_key(
    frozen: &mut MultiplexedConnection,
    key: &[u8],
    mut name: Name,
    writer: &mut Writer,
) -> Result<(), Error> {
    if name.partition.is_none() && name.tail.starts_with("content:") {
        // Only the block itself says which message it is of.
        let mut ask = cmd("HGET");
        let message: Option<String> =
            ask.arg(key).arg("message_id").query_async(frozen).await.unwrap_or_default();
        name.partition = message.map(|message| format!("message:{message}"));
    }
    let expires_at: i64 = cmd("PEXPIRETIME").arg(key).query_async(frozen).await?;
    let mut begin = Some(Record::Key(name.partition, name.tail));
    // Nothing is written of a key that has expired since the snapshot.
    let mut each = |part| {
        if let Some(begin) = begin.take() {
            writer.write(&begin)?;
        }
        writer.write(&Record::Part(part))
    };
    value::read(frozen, key, &mut each).await?;
    if begin.is_none() {
        writer.write(&Record::End((expires_at >= 0).then_some(expires_at)))?;
    }
    Ok(())
}

pub(crate) fn connection_info(url: &str) -> Result<ConnectionInfo, Error> {
    if ["+cluster://", "+sentinel://"].iter().any(|kind| url.contains(kind)) {
        let words = "this works with one server at a time; give the address of the primary, with \
                     redis:// or rediss:// (of a Redis Cluster no backup can be made: its nodes have \
                     no instant in common)";
        return Err(Error::Refused(words.to_owned()));
    }
    // What the client says of a bad address may repeat it.
    url.into_connection_info()
        .map_err(|_| Error::Refused("the Redis address cannot be read".to_owned()))
}

pub(crate) fn layout_name(layout: Layout) -> &'static str {
    match layout {
        Layout::Plain => "plain",
        Layout::Cluster => "cluster",
    }
}

/// Redis' own clock, in milliseconds.
pub(crate) async fn now_ms(connection: &mut MultiplexedConnection) -> Result<i64, Error> {
    let (seconds, micros): (i64, i64) = cmd("TIME").query_async(connection).await?;
    Ok(seconds * 1000 + micros / 1000)
}

/// Each shard of a Redis Cluster has snapshots of its own, and they are not of one instant.
pub(crate) async fn refuse_several_servers(
    connection: &mut MultiplexedConnection,
) -> Result<(), Error> {
    let Ok(info) = cmd("CLUSTER").arg("INFO").query_async::<String>(connection).await else {
        return Ok(());
    };
    let size = info.lines().find_map(|line| line.strip_prefix("cluster_size:"));
    if size.and_then(|size| size.trim().parse::<u32>().ok()).unwrap_or(1) <= 1 {
        return Ok(());
    }
    Err(Error::Refused(
        "a Redis Cluster of several shards has no snapshot of one instant; use its operator's \
         backups"
            .to_owned(),
    ))
}
