//! What `CLUSTER SHARDS` says: which node has which slots.

use super::routing::SLOTS;
use redis::Value;

/// A primary as its cluster names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Primary {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// First and last of each range.
    pub(crate) slots: Vec<(u16, u16)>,
}

/// Reads the reply of a node that was reached at `asked`; `None` if it is none.
///
/// A shard whose primary has failed has none here: nobody would answer. Nor has one without slots:
/// nothing lies there, and it may be about to become a replica.
pub(crate) fn read(reply: Value, asked: &str, with_tls: bool) -> Option<Vec<Primary>> {
    let Value::Array(shards) = reply else { return None };
    let primaries = shards.into_iter().filter_map(|shard| read_shard(shard, asked, with_tls));
    let primaries: Vec<Primary> = primaries.collect();
    (!primaries.is_empty()).then_some(primaries)
}

fn read_shard(shard: Value, asked: &str, with_tls: bool) -> Option<Primary> {
    let mut slots = Vec::new();
    let mut nodes = Vec::new();
    for (name, value) in fields(shard)? {
        match (name.as_str(), value) {
            ("slots", Value::Array(bounds)) => slots = ranges(&bounds),
            ("nodes", Value::Array(found)) => nodes = found,
            _ => {}
        }
    }
    if slots.is_empty() {
        return None;
    }
    let mut primaries = nodes.into_iter().filter_map(|node| place(node, asked, with_tls));
    primaries.next().map(|(host, port)| Primary { host, port, slots })
}

fn ranges(bounds: &[Value]) -> Vec<(u16, u16)> {
    let number = |value: &Value| match value {
        Value::Int(number) => u16::try_from(*number).ok().filter(|number| *number < SLOTS),
        Value::BulkString(text) => std::str::from_utf8(text).ok()?.parse().ok(),
        _ => None,
    };
    let pair = |pair: &[Value]| match pair {
        [first, last] => Some((number(first)?, number(last)?)),
        _ => None,
    };
    bounds.chunks(2).filter_map(pair).collect()
}

/// Where a node listens, if it is a primary that works.
fn place(node: Value, asked: &str, with_tls: bool) -> Option<(String, u16)> {
    let (mut host, mut plain, mut tls) = (None, None, None);
    for (name, value) in fields(node)? {
        let port = || match &value {
            Value::Int(port) => u16::try_from(*port).ok().filter(|port| *port != 0),
            _ => None,
        };
        match name.as_str() {
            "role" if text(&value)? != "master" => return None,
            "health" if text(&value)? == "fail" => return None,
            "port" => plain = port(),
            "tls-port" => tls = port(),
            // Nothing, where it is the host at which it was asked.
            "endpoint" => host = text(&value).filter(|host| !host.is_empty() && host != "?"),
            _ => {}
        }
    }
    let host = host.unwrap_or_else(|| asked.to_owned());
    Some((host, if with_tls { tls } else { plain }?))
}

/// Names and values, which come in turns, or as a map from servers that speak RESP3.
fn fields(value: Value) -> Option<Vec<(String, Value)>> {
    match value {
        Value::Array(items) => {
            let mut items = items.into_iter();
            let mut found = Vec::new();
            while let (Some(name), Some(value)) = (items.next(), items.next()) {
                found.push((text(&name)?, value));
            }
            Some(found)
        }
        Value::Map(items) => {
            items.into_iter().map(|(name, value)| Some((text(&name)?, value))).collect()
        }
        _ => None,
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes.clone()).ok(),
        Value::SimpleString(text) => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    fn node(endpoint: Value, port: i64, role: &str, health: &str) -> Value {
        Value::Array(vec![
            bulk("id"),
            bulk("f00"),
            bulk("port"),
            Value::Int(port),
            bulk("tls-port"),
            Value::Int(port + 1),
            bulk("endpoint"),
            endpoint,
            bulk("role"),
            bulk(role),
            bulk("health"),
            bulk(health),
        ])
    }

    fn shard(slots: &[i64], nodes: Vec<Value>) -> Value {
        let slots = slots.iter().map(|slot| Value::Int(*slot)).collect();
        Value::Array(vec![bulk("slots"), Value::Array(slots), bulk("nodes"), Value::Array(nodes)])
    }

    #[test]
    fn each_shard_is_its_primary() {
        let replica = node(bulk("10.0.0.2"), 7, "replica", "online");
        let first =
            shard(&[0, 99, 200, 200], vec![replica, node(bulk("a"), 1, "master", "online")]);
        let dead = shard(&[100, 199], vec![node(bulk("b"), 1, "master", "fail")]);
        let unnamed = shard(&[300, 400], vec![node(Value::Nil, 3, "master", "online")]);
        let empty = shard(&[], vec![node(bulk("c"), 5, "master", "online")]);
        let reply = Value::Array(vec![first, dead, unnamed, empty]);
        let primary = |host: &str, port, slots: &[(u16, u16)]| Primary {
            host: host.to_owned(),
            port,
            slots: slots.to_vec(),
        };
        let expected =
            vec![primary("a", 1, &[(0, 99), (200, 200)]), primary("asked", 3, &[(300, 400)])];
        assert_eq!(read(reply.clone(), "asked", false), Some(expected));
        let ports: Vec<_> = read(reply, "asked", true).unwrap().iter().map(|it| it.port).collect();
        assert_eq!(ports, [2, 4]);
    }

    #[test]
    fn what_is_no_answer_is_none() {
        assert_eq!(read(Value::Okay, "h", false), None);
        assert_eq!(read(Value::Array(vec![]), "h", false), None);
        assert_eq!(read(Value::Array(vec![bulk("slots")]), "h", false), None);
    }
}
