//! Values of Redis, read and written in parts, so that none has to be in memory as a whole.

use redis::aio::MultiplexedConnection;
use redis::{Value as Reply, cmd};
use serde::{Deserialize, Serialize};

use crate::Error;

/// Elements in one part.
const PART: usize = 100;

type Bytes = Vec<u8>;

/// A part of a value. Those of one key follow each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Part {
    /// A string, whole.
    Text(Bytes),
    /// Fields and values.
    Hash(Vec<(Bytes, Bytes)>),
    /// Elements in order.
    List(Vec<Bytes>),
    /// Members.
    Set(Vec<Bytes>),
    /// Members with their scores, as Redis writes those.
    SortedSet(Vec<(Bytes, Bytes)>),
    /// Entries in order: id, then fields and values in turn.
    Stream(Vec<(Bytes, Vec<Bytes>)>),
    /// What a stream knows beside its entries: last id, entries ever added, highest id ever removed.
    StreamEnd(Bytes, u64, Bytes),
}

/// Reads a value part by part; nothing for a key that has just expired.
pub(crate) async fn read(
    connection: &mut MultiplexedConnection,
    key: &[u8],
    each: &mut impl FnMut(Part) -> Result<(), Error>,
) -> Result<(), Error> {
    let kind: String = cmd("TYPE").arg(key).query_async(connection).await?;
    match kind.as_str() {
        "none" => Ok(()),
        "string" => {
            let text: Option<Bytes> = cmd("GET").arg(key).query_async(connection).await?;
            text.map_or(Ok(()), |text| each(Part::Text(text)))
        }
        "hash" => scan(connection, "HSCAN", key, |found| each(Part::Hash(pairs(found)))).await,
        "set" => scan(connection, "SSCAN", key, |found| each(Part::Set(found))).await,
        "zset" => scan(connection, "ZSCAN", key, |found| each(Part::SortedSet(pairs(found)))).await,
        "list" => {
            for first in (0..).step_by(PART) {
                let last = first + PART - 1;
                let mut range = cmd("LRANGE");
                range.arg(key).arg(first).arg(last);
                let some: Vec<Bytes> = range.query_async(connection).await?;
                if some.is_empty() {
                    break;
                }
                each(Part::List(some))?;
            }
            Ok(())
        }
        "stream" => read_stream(connection, key, each).await,
        other => Err(Error::Refused(format!("values of the type {other} cannot be kept"))),
    }
}

/// Walks a value that nobody changes. An element may come twice, which does no harm.
async fn scan(
    connection: &mut MultiplexedConnection,
    command: &str,
    key: &[u8],
    mut each: impl FnMut(Vec<Bytes>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut cursor: u64 = 0;
    loop {
        let mut scan = cmd(command);
        scan.arg(key).arg(cursor).arg("COUNT").arg(PART);
        let (next, found): (u64, Vec<Bytes>) = scan.query_async(connection).await?;
        if !found.is_empty() {
            each(found)?;
        }
        if next == 0 {
            return Ok(());
        }
        cursor = next;
    }
}

fn pairs(flat: Vec<Bytes>) -> Vec<(Bytes, Bytes)> {
    let mut flat = flat.into_iter();
    std::iter::from_fn(|| Some((flat.next()?, flat.next()?))).collect()
}

async fn read_stream(
    connection: &mut MultiplexedConnection,
    key: &[u8],
    each: &mut impl FnMut(Part) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut from = b"-".to_vec();
    loop {
        let mut range = cmd("XRANGE");
        range.arg(key).arg(from.as_slice()).arg("+").arg("COUNT").arg(PART);
        let some: Vec<(Bytes, Vec<Bytes>)> = range.query_async(connection).await?;
        let Some((last, _)) = some.last() else { break };
        from = [b"(", last.as_slice()].concat();
        each(Part::Stream(some))?;
    }
    let facts: Vec<Reply> = cmd("XINFO").arg("STREAM").arg(key).query_async(connection).await?;
    let fact = |name: &str| {
        let mut pairs = facts.chunks_exact(2);
        pairs.find_map(|pair| match pair {
            [Reply::BulkString(key), value] if key == name.as_bytes() => Some(value.clone()),
            _ => None,
        })
    };
    let text = |name: &str| match fact(name) {
        Some(Reply::BulkString(text)) => text,
        _ => b"0-0".to_vec(),
    };
    let added = match fact("entries-added") {
        Some(Reply::Int(added)) => u64::try_from(added).unwrap_or_default(),
        _ => 0,
    };
    each(Part::StreamEnd(text("last-generated-id"), added, text("max-deleted-entry-id")))
}

/// A command and its arguments.
pub(crate) type Command = (&'static str, Vec<Bytes>);

/// The commands that write a part.
pub(crate) fn write(key: &str, part: Part) -> Vec<Command> {
    let of_key = |command, rest: Vec<Bytes>| {
        let mut args = Vec::with_capacity(rest.len() + 1);
        args.push(key.as_bytes().to_vec());
        args.extend(rest);
        (command, args)
    };
    let flat = |pairs: Vec<(Bytes, Bytes)>| pairs.into_iter().flat_map(|(a, b)| [a, b]).collect();
    let words = |words: &[&str]| words.iter().map(|word| word.as_bytes().to_vec()).collect();
    match part {
        Part::Text(text) => vec![of_key("SET", vec![text])],
        Part::Hash(fields) => vec![of_key("HSET", flat(fields))],
        Part::List(elements) => vec![of_key("RPUSH", elements)],
        Part::Set(members) => vec![of_key("SADD", members)],
        Part::SortedSet(members) => {
            let turned = members.into_iter().map(|(member, score)| (score, member)).collect();
            vec![of_key("ZADD", flat(turned))]
        }
        Part::Stream(entries) => {
            let add = |(id, fields)| of_key("XADD", [vec![id], fields].concat());
            entries.into_iter().map(add).collect()
        }
        Part::StreamEnd(last, added, removed) => {
            let group = |verb: &str, more: &[&str]| {
                let (_, key_and_more) = of_key("", words(more));
                ("XGROUP", [vec![verb.as_bytes().to_vec()], key_and_more].concat())
            };
            let added = added.to_string().into_bytes();
            let end =
                vec![last, b"ENTRIESADDED".to_vec(), added, b"MAXDELETEDID".to_vec(), removed];
            // Makes the stream where it has no entries.
            vec![
                group("CREATE", &["reef", "0", "MKSTREAM"]),
                group("DESTROY", &["reef"]),
                of_key("XSETID", end),
            ]
        }
    }
}
