//! A backup into an empty hub.

use std::path::Path;

use redis::aio::MultiplexedConnection;
use redis::{Pipeline, cmd, pipe};
use reef_store::restored::{Copy, void};
use reef_store::{Keys, Redis, RedisError, Reply, Store};

use crate::backup::{connection_info, now_ms, refuse_several_servers};
use crate::file::{Reader, Record, verify};
use crate::names::{Name, Naming};
use crate::scratch::open;
use crate::{Error, Progress, value};

/// Commands that are sent together.
const BATCH: usize = 200;
/// The key that tells a hub what its data is.
const SCHEMA: &str = "reef:schema";
/// What it holds until all is there: no hub serves data of a version that it does not know.
const UNFINISHED: &str = "999999999";
/// Keys that expire at a date, and not after a time: credentials.
const DATED: [&str; 2] = ["apikey:", "reef:key:"];

/// What is to be restored, and where.
pub struct Restore<'a> {
    /// The address of the hub's Redis.
    pub redis_url: &'a str,
    /// How the hub names its keys.
    pub naming: &'a Naming,
    /// The backup.
    pub file: &'a Path,
}

/// What was restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestoreDone {
    /// Keys.
    pub keys: u64,
    /// Keys that had reached the date at which they expire.
    pub expired: u64,
    /// Records of idempotency keys that have no place in this layout: what they would answer is sent
    /// anew.
    pub without_place: u64,
    /// Tasks that ran when the backup was taken, and wait again.
    pub released: i64,
    /// When Redis was as the backup says, in milliseconds of its clock.
    pub taken_at_ms: i64,
}

/// Restores a backup into a Redis that holds nothing of a hub. What expires after a time has as much
/// of it left as it had in the backup; credentials expire at the date at which they would have.
///
/// What was given out before is void: see [`reef_store::restored`].
///
/// A restoration that is cut leaves data that no hub serves.
///
/// # Errors
/// [`Error`]; nothing was written if the file is damaged or the target holds data.
pub async fn restore(
    asked: &Restore<'_>,
    checking: Progress<'_>,
    writing: Progress<'_>,
) -> Result<RestoreDone, Error> {
    let (header, _) = verify(asked.file, checking)?;
    let mut target = open(connection_info(asked.redis_url)?).await?;
    refuse_several_servers(&mut target).await?;
    refuse_data(&mut target, asked.naming).await?;
    let guard = Name { partition: Some("cluster".to_owned()), tail: SCHEMA.to_owned() };
    let guard = asked.naming.write(&guard).unwrap_or_default();
    cmd("SET").arg(&guard).arg(UNFINISHED).query_async::<()>(&mut target).await?;
    let taken_at_ms = header.taken_at_ms;
    let done = RestoreDone { keys: 0, expired: 0, without_place: 0, released: 0, taken_at_ms };
    let now = now_ms(&mut target).await?;
    let mut writer = Writer { target, batch: pipe(), schema: None, done, now };
    let mut reader = Reader::open(asked.file)?;
    let mut key = None;
    while let Some(record) = reader.next()? {
        match record {
            Record::Key(partition, tail) => {
                key = Some(Key::new(asked.naming, Name { partition, tail }));
            }
            Record::Part(part) => {
                if let Some(key) = &key {
                    writer.put(key, part).await?;
                }
            }
            Record::End(expires_at) => {
                if let Some(key) = key.take() {
                    writer.end(&key, expires_at).await?;
                }
            }
        }
        let (read, size) = reader.position();
        writing(read, Some(size));
    }
    writer.flush().await?;
    writer.done.released = make_void(&writer.target, asked.naming, taken_at_ms).await?;
    let schema = writer.schema.take();
    match schema {
        Some(schema) => cmd("SET").arg(&guard).arg(schema).query_async(&mut writer.target).await?,
        None => cmd("DEL").arg(&guard).query_async::<()>(&mut writer.target).await?,
    }
    Ok(writer.done)
}

/// A key that is being written.
struct Key {
    /// None where it has no place.
    name: Option<String>,
    is_schema: bool,
    is_dated: bool,
    is_message: bool,
}

impl Key {
    fn new(naming: &Naming, name: Name) -> Self {
        Self {
            is_schema: name.tail == SCHEMA,
            is_message: name.tail.starts_with("message:"),
            is_dated: DATED.iter().any(|start| name.tail.starts_with(start)),
            name: naming.write(&name),
        }
    }
}

struct Writer {
    target: MultiplexedConnection,
    batch: Pipeline,
    /// The version of the data, written when all is there.
    schema: Option<Vec<u8>>,
    done: RestoreDone,
    /// The target's clock, in milliseconds, when it was begun.
    now: i64,
}

impl Writer {
    async fn put(&mut self, key: &Key, part: value::Part) -> Result<(), Error> {
        match (part, &key.name) {
            (value::Part::Text(text), _) if key.is_schema => self.schema = Some(text),
            (mut part, Some(name)) => {
                if key.is_message {
                    end_claim(&mut part);
                }
                value::write(&mut self.batch, name, &part);
            }
            (_, None) => {}
        }
        if self.batch.len() >= BATCH { self.flush().await } else { Ok(()) }
    }

    async fn end(&mut self, key: &Key, expires_at: Option<i64>) -> Result<(), Error> {
        let Some(name) = &key.name else {
            self.done.without_place += 1;
            return Ok(());
        };
        self.done.keys += 1;
        match expires_at {
            Some(date) if key.is_dated => {
                self.done.expired += u64::from(date <= self.now);
                self.batch.cmd("PEXPIREAT").arg(name).arg(date);
            }
            Some(date) => {
                let left = (date - self.done.taken_at_ms).max(1);
                self.batch.cmd("PEXPIRE").arg(name).arg(left);
            }
            None => {}
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Error> {
        if !self.batch.is_empty() {
            let batch = std::mem::replace(&mut self.batch, pipe());
            batch.query_async::<Vec<redis::Value>>(&mut self.target).await?;
        }
        Ok(())
    }
}

/// Makes void what was given out on the data that the copy takes the place of. No hub serves it yet.
async fn make_void(
    target: &MultiplexedConnection,
    naming: &Naming,
    taken_at_ms: i64,
) -> Result<i64, Error> {
    let keys = Keys::new(&naming.prefix, naming.layout);
    let keys = keys.map_err(|rule| Error::Refused(format!("the key prefix {rule}")))?;
    let store = Store::new(Port(target.clone()), keys);
    let copy = Copy { taken_at_ms: Some(taken_at_ms), seen: None };
    void(&store, &copy).await.map_err(|error| Error::Refused(error.to_string()))
}

/// A message takes nothing more under a claim of before: of its token only the number is kept.
fn end_claim(part: &mut value::Part) {
    let value::Part::Hash(fields) = part else { return };
    for (_, token) in fields.iter_mut().filter(|(field, _)| field == b"claim") {
        let digits = token.iter().take_while(|byte| byte.is_ascii_digit()).count();
        token.truncate(digits);
    }
}

/// The target as the store's calls see it.
struct Port(MultiplexedConnection);

impl Redis for Port {
    async fn execute(&self, command: &str, args: Vec<Vec<u8>>) -> Result<Vec<Reply>, RedisError> {
        let reply: redis::Value = cmd(command)
            .arg(args)
            .query_async(&mut self.0.clone())
            .await
            .map_err(|error| RedisError::from_text(&error.to_string()))?;
        Ok(match reply {
            redis::Value::Array(items) => items.into_iter().map(flat).collect(),
            one => vec![flat(one)],
        })
    }
}

/// The scripts answer flat lists.
fn flat(value: redis::Value) -> Reply {
    match value {
        redis::Value::Int(number) => Reply::Int(number),
        redis::Value::BulkString(bytes) => Reply::Bytes(bytes),
        redis::Value::SimpleString(text) => Reply::Status(text),
        redis::Value::Okay => Reply::Status("OK".to_owned()),
        _ => Reply::Nil,
    }
}

/// Looks for a key of the hub.
async fn refuse_data(target: &mut MultiplexedConnection, naming: &Naming) -> Result<(), Error> {
    let mut cursor = 0_u64;
    loop {
        let mut scan = cmd("SCAN");
        scan.arg(cursor).arg("COUNT").arg(1000);
        let (next, keys): (u64, Vec<Vec<u8>>) = scan.query_async(target).await?;
        let names = keys.iter().filter_map(|key| std::str::from_utf8(key).ok());
        if let Some(found) = names.into_iter().find(|name| naming.read(name).is_some()) {
            return Err(Error::NotEmpty(found.to_owned()));
        }
        if next == 0 {
            return Ok(());
        }
        cursor = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_of_before_leaves_its_number() {
        let pair = |name: &str, value: &str| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
        let mut part = value::Part::Hash(vec![pair("text", "7-a"), pair("claim", "7-a1b2")]);
        end_claim(&mut part);
        assert_eq!(part, value::Part::Hash(vec![pair("text", "7-a"), pair("claim", "7")]));
    }
}
