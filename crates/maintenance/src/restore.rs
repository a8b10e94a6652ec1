//! A backup into an empty hub.

use std::path::Path;

use futures_util::future::try_join_all;
use reef_redis::Connection;
use reef_store::restored::{Copy, void};
use reef_store::{Keys, Reply, Store};

use crate::backup::{open, refuse_several_servers};
use crate::file::{Reader, Record, verify};
use crate::names::{Name, Naming};
use crate::shards::now_ms;
use crate::value::Command;
use crate::{Error, Progress, value};

/// Commands that are sent together.
const BATCH: usize = 200;
/// Keys that one step of the walk returns, about.
const PAGE: &[u8] = b"1000";
/// The key that tells a hub what its data is.
const SCHEMA: &str = "reef:schema";
/// What it holds until all is there: no hub serves data of a version that it does not know.
const UNFINISHED: &[u8] = b"999999999";
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
    let target = open(asked.redis_url, asked.naming)?;
    if !target.is_cluster() {
        refuse_several_servers(&target).await?;
    }
    refuse_data(&target, asked.naming).await?;
    let guard = Name { partition: Some("cluster".to_owned()), tail: SCHEMA.to_owned() };
    let guard = asked.naming.write(&guard).unwrap_or_default();
    let guard = guard.into_bytes();
    target.execute("SET", vec![guard.clone(), UNFINISHED.to_vec()]).await?;
    let taken_at_ms = header.taken_at_ms;
    let done = RestoreDone { keys: 0, expired: 0, without_place: 0, released: 0, taken_at_ms };
    let now = now_ms(&target).await?;
    let (batch, batched) = (Vec::new(), 0);
    let mut writer = Writer { target, batch, batched, schema: None, done, now };
    let mut reader = Reader::open(asked.file)?;
    let mut key = None;
    while let Some(record) = reader.next()? {
        match record {
            Record::Key(partition, tail) => {
                key = Some(Key::new(asked.naming, Name { partition, tail }));
                writer.begin();
            }
            Record::Part(part) => {
                if let Some(key) = &key {
                    writer.put(key, part).await?;
                }
            }
            Record::End(expires_at) => {
                if let Some(key) = key.take() {
                    writer.end(&key, expires_at);
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
        Some(schema) => writer.target.execute("SET", vec![guard, schema]).await?,
        None => writer.target.execute("DEL", vec![guard]).await?,
    };
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
    target: Connection,
    /// What is to be written next, key by key.
    batch: Vec<Vec<Command>>,
    /// How many commands these are.
    batched: usize,
    /// The version of the data, written when all is there.
    schema: Option<Vec<u8>>,
    done: RestoreDone,
    /// The target's clock, in milliseconds, when it was begun.
    now: i64,
}

impl Writer {
    fn begin(&mut self) {
        self.batch.push(Vec::new());
    }

    /// Adds to what is written of the key that was begun last.
    fn add(&mut self, commands: impl IntoIterator<Item = Command>) {
        if let Some(key) = self.batch.last_mut() {
            let before = key.len();
            key.extend(commands);
            self.batched += key.len() - before;
        }
    }

    async fn put(&mut self, key: &Key, part: value::Part) -> Result<(), Error> {
        match (part, &key.name) {
            (value::Part::Text(text), _) if key.is_schema => self.schema = Some(text),
            (mut part, Some(name)) => {
                if key.is_message {
                    end_claim(&mut part);
                }
                self.add(value::write(name, part));
            }
            (_, None) => {}
        }
        if self.batched < BATCH {
            return Ok(());
        }
        self.flush().await?;
        // What is left of the key comes after that.
        self.begin();
        Ok(())
    }

    fn end(&mut self, key: &Key, expires_at: Option<i64>) {
        let Some(name) = &key.name else {
            self.done.without_place += 1;
            return;
        };
        self.done.keys += 1;
        let expiry = match expires_at {
            Some(date) if key.is_dated => {
                self.done.expired += u64::from(date <= self.now);
                ("PEXPIREAT", date)
            }
            Some(date) => ("PEXPIRE", (date - self.done.taken_at_ms).max(1)),
            None => return,
        };
        let (command, number) = expiry;
        self.add([(command, vec![name.clone().into_bytes(), number.to_string().into_bytes()])]);
    }

    /// Writes keys beside each other, and each in its order.
    async fn flush(&mut self) -> Result<(), Error> {
        let (batch, target) = (std::mem::take(&mut self.batch), &self.target);
        self.batched = 0;
        let keys = batch.into_iter().map(|commands| async move {
            for (command, args) in commands {
                target.execute(command, args).await?;
            }
            Ok::<_, Error>(())
        });
        try_join_all(keys).await.map(drop)
    }
}

/// Makes void what was given out on the data that the copy takes the place of. No hub serves it yet.
async fn make_void(target: &Connection, naming: &Naming, taken_at_ms: i64) -> Result<i64, Error> {
    let keys = Keys::new(&naming.prefix, naming.layout);
    let keys = keys.map_err(|rule| Error::Refused(format!("the key prefix {rule}")))?;
    let store = Store::new(target.clone(), keys);
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

/// Looks for a key of the hub, on each server that may have one.
async fn refuse_data(target: &Connection, naming: &Naming) -> Result<(), Error> {
    for server in target.primaries().await? {
        let mut cursor = b"0".to_vec();
        loop {
            let page = vec![cursor, b"COUNT".to_vec(), PAGE.to_vec()];
            let mut found = server.execute("SCAN", page).await?.into_iter();
            let Some(Reply::Bytes(next)) = found.next() else {
                return Err(Error::Refused("Redis does not say which keys it has".to_owned()));
            };
            for key in found {
                let Reply::Bytes(key) = key else { continue };
                if let Ok(name) = String::from_utf8(key)
                    && naming.read(&name).is_some()
                {
                    return Err(Error::NotEmpty(name));
                }
            }
            if next == b"0" {
                break;
            }
            cursor = next;
        }
    }
    Ok(())
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
