//! A snapshot of one instant, as logical records, in a file.

use std::path::Path;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::cmd;
use reef_redis::{Connection, Connections, Timeouts};
use reef_store::Layout;

use crate::file::{Header, Record, Writer};
use crate::names::{Name, Naming};
use crate::scratch::{Scratch, Server};
use crate::shards::{now_ms, text};
use crate::{Error, Progress, shards, snapshot, value};

/// Keys that one step of the walk returns, about.
const PAGE: usize = 1000;
/// How long Redis may take for one command.
const CALL_MAX: Duration = Duration::from_secs(60);

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
    /// For how long the writes of a Redis Cluster were paused.
    pub paused: Option<Duration>,
}

/// Takes a backup. The hub may go on working; over a Redis Cluster its writes wait for a moment.
///
/// # Errors
/// [`Error`]; then there is no file.
pub async fn backup(
    asked: &Backup<'_>,
    fetching: Progress<'_>,
    writing: Progress<'_>,
) -> Result<BackupDone, Error> {
    let live = open(asked.redis_url, asked.naming)?;
    // Before anything is fetched.
    if asked.file.exists() {
        return Err(Error::File(format!("{} is there already", asked.file.display())));
    }
    if live.is_cluster() {
        let frozen = shards::freeze(&live, asked.server_program, fetching).await?;
        let paused = Some(frozen.paused);
        return write(asked, &frozen.servers, frozen.taken_at_ms, paused, writing).await;
    }
    refuse_several_servers(&live).await?;
    let scratch = Scratch::new()?;
    // A moment before the snapshot, so that nothing expires sooner than it would have.
    let taken_at_ms = now_ms(&live).await?;
    snapshot::fetch(&live, &scratch.snapshot(), fetching).await?;
    let server = scratch.serve(asked.server_program, live.database()).await?;
    write(asked, &[server], taken_at_ms, None, writing).await
}

async fn write(
    asked: &Backup<'_>,
    servers: &[Server],
    taken_at_ms: i64,
    paused: Option<Duration>,
    progress: Progress<'_>,
) -> Result<BackupDone, Error> {
    let layout = layout_name(asked.naming.layout);
    let header = Header::new(taken_at_ms, &asked.naming.prefix, layout);
    let mut writer = Writer::create(asked.file, &header)?;
    let mut foreign = 0;
    for server in servers {
        let mut frozen = server.connection.clone();
        foreign += write_all(&mut frozen, asked.naming, &mut writer, progress).await?;
    }
    let (keys, bytes) = writer.finish()?;
    Ok(BackupDone { keys, foreign, bytes, taken_at_ms, paused })
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

/// A connection to the hub's Redis, whatever that is. A large value may take its time.
pub(crate) fn open(redis_url: &str, naming: &Naming) -> Result<Connection, Error> {
    let timeouts = Timeouts { call: CALL_MAX, connect: Duration::from_secs(5) };
    let opened = Connections::new(timeouts).open(redis_url);
    let connection = opened.map_err(|error| Error::Refused(error.to_string()))?;
    if connection.is_cluster() && naming.layout != Layout::Cluster {
        let words = "a Redis Cluster needs --key-layout cluster";
        return Err(Error::Refused(words.to_owned()));
    }
    Ok(connection)
}

pub(crate) fn layout_name(layout: Layout) -> &'static str {
    match layout {
        Layout::Plain => "plain",
        Layout::Cluster => "cluster",
    }
}

/// One node of several has a part of the data.
pub(crate) async fn refuse_several_servers(server: &Connection) -> Result<(), Error> {
    let Ok(info) = server.execute("CLUSTER", vec![b"INFO".to_vec()]).await else {
        return Ok(());
    };
    let info = text(info);
    let size = info.lines().find_map(|line| line.strip_prefix("cluster_size:"));
    if size.and_then(|size| size.trim().parse::<u32>().ok()).unwrap_or(1) <= 1 {
        return Ok(());
    }
    Err(Error::Refused(
        "this is one node of a Redis Cluster of several; give the address of the whole, with \
         redis+cluster:// or rediss+cluster://"
            .to_owned(),
    ))
}
