//! Flattens replies exactly as Spin does, so that a component sees the same list on either host.

use crate::Error;
use redis::Value;
use reef_store::Reply;

/// The largest reply that is handed on, in bytes of payload and list entries. It is Spin's limit.
pub const REPLY_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Turns a reply into a flat list: nested arrays lose their nesting, empty ones vanish.
///
/// # Errors
/// [`Error::Server`] when an error stands anywhere in the reply, [`Error::Reply`] for the kinds
/// that Spin refuses (maps, attributes, verbatim strings, pushes) and for a reply over the limit.
pub(crate) fn flatten(value: Value) -> Result<Vec<Reply>, Error> {
    Flat::within(REPLY_BYTES_MAX).finish(value)
}

/// A reply as it came, unless it is an error.
///
/// # Errors
/// [`Error::Server`].
pub(crate) fn accepted(value: Value) -> Result<Value, Error> {
    match value {
        Value::ServerError(error) => Err(Error::Server(error.to_string())),
        other => Ok(other),
    }
}

struct Flat {
    items: Vec<Reply>,
    room: usize,
}

impl Flat {
    fn within(room: usize) -> Self {
        Self { items: Vec::new(), room }
    }

    fn finish(mut self, value: Value) -> Result<Vec<Reply>, Error> {
        self.append(value)?;
        Ok(self.items)
    }

    fn append(&mut self, value: Value) -> Result<(), Error> {
        match value {
            Value::Nil => self.push(Reply::Nil, 0),
            Value::Int(number) => self.push(Reply::Int(number), 0),
            Value::BulkString(bytes) => self.push_bytes(bytes),
            Value::Okay => self.push(Reply::Status("OK".to_owned()), 2),
            Value::SimpleString(text) => {
                let size = text.len();
                self.push(Reply::Status(text), size)
            }
            Value::Array(values) | Value::Set(values) => {
                self.items.reserve(values.len());
                values.into_iter().try_for_each(|value| self.append(value))
            }
            Value::Double(number) => self.push_bytes(number.to_string().into_bytes()),
            Value::Boolean(flag) => self.push(Reply::Int(i64::from(flag)), 0),
            Value::BigNumber(digits) => self.push_bytes(digits),
            Value::ServerError(error) => Err(Error::Server(error.to_string())),
            Value::Map(_) => Err(Error::Reply("a RESP3 map has no flat form")),
            Value::Attribute { .. } => Err(Error::Reply("a RESP3 attribute has no flat form")),
            Value::VerbatimString { .. } => {
                Err(Error::Reply("a RESP3 verbatim string has no flat form"))
            }
            Value::Push { .. } => Err(Error::Reply("a RESP3 push has no flat form")),
            _ => Err(Error::Reply("a reply of an unknown kind")),
        }
    }

    fn push_bytes(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        let size = bytes.len();
        self.push(Reply::Bytes(bytes), size)
    }

    fn push(&mut self, item: Reply, payload: usize) -> Result<(), Error> {
        let size = payload.saturating_add(size_of::<Reply>());
        self.room = self
            .room
            .checked_sub(size)
            .ok_or(Error::Reply("the reply is larger than a component may receive"))?;
        self.items.push(item);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redis::{PushKind, VerbatimFormat};

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    fn bytes(text: &str) -> Reply {
        Reply::Bytes(text.into())
    }

    #[test]
    fn single_values_become_one_item() {
        let check = |value, expected| assert_eq!(flatten(value), Ok(vec![expected]));
        check(Value::Nil, Reply::Nil);
        check(Value::Int(-7), Reply::Int(-7));
        check(bulk("a\r\nb"), bytes("a\r\nb"));
        check(Value::Okay, Reply::Status("OK".into()));
        check(Value::SimpleString("PONG".into()), Reply::Status("PONG".into()));
        check(Value::Double(1.5), bytes("1.5"));
        check(Value::Double(3.0), bytes("3"));
        check(Value::Boolean(true), Reply::Int(1));
        check(Value::Boolean(false), Reply::Int(0));
        check(Value::BigNumber(b"92233720368547758089".to_vec()), bytes("92233720368547758089"));
    }

    #[test]
    fn nesting_vanishes_and_empty_lists_leave_nothing() {
        let inner =
            Value::Array(vec![Value::Int(2), Value::Array(vec![Value::Int(3), Value::Nil])]);
        let nested = Value::Array(vec![Value::Int(1), inner, bulk("x")]);
        let expected = vec![Reply::Int(1), Reply::Int(2), Reply::Int(3), Reply::Nil, bytes("x")];
        assert_eq!(flatten(nested), Ok(expected));
        assert_eq!(flatten(Value::Array(vec![])), Ok(vec![]));
        let set = Value::Set(vec![bulk("a"), Value::Array(vec![]), Value::Set(vec![bulk("b")])]);
        assert_eq!(flatten(set), Ok(vec![bytes("a"), bytes("b")]));
    }

    #[test]
    fn what_spin_refuses_is_refused() {
        let verbatim = Value::VerbatimString { format: VerbatimFormat::Text, text: "text".into() };
        let attribute = Value::Attribute { data: Box::new(Value::Nil), attributes: vec![] };
        let push = Value::Push { kind: PushKind::Message, data: vec![] };
        for value in [Value::Map(vec![]), verbatim, attribute, push] {
            let nested = Value::Array(vec![Value::Int(1), value]);
            assert!(matches!(flatten(nested), Err(Error::Reply(_))));
        }
    }

    #[test]
    fn the_limit_counts_payload_and_entries() {
        let entry = size_of::<Reply>();
        let list = |count| Value::Array(vec![bulk("12345678"); count]);
        assert!(Flat::within(2 * (entry + 8)).finish(list(2)).is_ok());
        assert!(Flat::within(2 * (entry + 8)).finish(list(3)).is_err());
        assert!(Flat::within(2 * (entry + 8)).finish(Value::Array(vec![Value::Nil; 3])).is_err());
    }
}
