//! How a script is called, and how its flat reply is read.

mod store;
mod values;
mod wrapped;

pub use store::Store;
pub use values::FromReply;
pub(crate) use values::{Argument, outcomes, rows};

use crate::port::{RedisError, Reply};

/// A Lua script under `lua/`, with its includes.
#[derive(Debug)]
pub struct Script {
    /// `<noun>/<verb>`, as the file is named.
    pub name: &'static str,
    /// It writes who asks for it into the audit.
    pub audited: bool,
    /// The name of its function in Redis, and of the library that has it alone. It carries a hash of the
    /// code, so that each version of the hub finds its own.
    pub function: &'static str,
    /// The same behind the check of a key ([`Admission`](crate::admission::Admission)).
    pub with_key: &'static str,
    /// The same for many things at once, each in a partition of its own. Where it only reads.
    pub each: Option<&'static str>,
    /// What Redis is told of it, with commas between.
    pub flags: &'static str,
    /// SHA-1 of [`text`](Self::text), by which `EVALSHA` names it.
    pub sha1: &'static str,
    /// What defines `main`, a function of keys and arguments.
    pub code: &'static str,
}

impl Script {
    /// The library, for `FUNCTION LOAD`.
    #[must_use]
    pub fn library(&self) -> String {
        let code = (self.code, KEY_CHECK.code);
        wrapped::as_library(self.function, self.flags, code, self.each.is_some())
    }

    /// The same for `EVAL`.
    #[must_use]
    pub fn text(&self) -> String {
        wrapped::as_script(self.flags, self.code)
    }
}

include!(concat!(env!("OUT_DIR"), "/scripts.rs"));

/// One typed call of a script.
pub trait Call {
    /// What the script answers.
    type Reply;

    /// The script.
    fn script(&self) -> &'static Script;

    /// What the script touches.
    fn partition(&self) -> Partition<'_> {
        Partition::Cluster
    }

    /// Appends the arguments in the order that the script's header lists, from the third on: the
    /// first two belong to idempotency.
    fn arguments(&self, arguments: &mut Arguments);

    /// Reads the reply after its status token.
    ///
    /// # Errors
    /// What is wrong with a reply that does not keep to the script's header.
    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed>;
}

/// What one script may touch together. The id of a session, a message or an agent is the
/// script's third argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partition<'a> {
    /// Nodes, leases, the queue.
    Cluster,
    /// One session.
    Session(&'a str),
    /// One message.
    Message(&'a str),
    /// One task's log.
    Tasklog(&'a str),
    /// One agent's inbox.
    Inbox(&'a str),
    /// Agents, their keys and their money.
    Ledger,
}

/// Collects a script's arguments.
#[derive(Debug, Default)]
pub struct Arguments {
    all: Vec<Vec<u8>>,
    /// Why one of them could not be written: then the script is not called.
    unwritable: Option<serde_json::Error>,
}

impl Arguments {
    /// Appends a text.
    pub fn text(&mut self, text: impl Into<String>) -> &mut Self {
        self.all.push(text.into().into_bytes());
        self
    }

    /// Appends a value as JSON.
    pub fn json(&mut self, value: &impl serde::Serialize) -> &mut Self {
        match serde_json::to_vec(value) {
            Ok(text) => self.all.push(text),
            Err(error) => self.unwritable = Some(error),
        }
        self
    }

    /// Appends a number.
    pub fn number(&mut self, number: impl std::fmt::Display) -> &mut Self {
        self.text(number.to_string())
    }

    /// Appends a value, or an empty text for none.
    pub fn optional(&mut self, value: Option<impl std::fmt::Display>) -> &mut Self {
        self.text(value.map(|v| v.to_string()).unwrap_or_default())
    }
}

/// A reply does not keep to its script's header: a fault of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

/// Reads a flat reply element by element.
#[derive(Debug)]
pub struct Reader {
    items: std::vec::IntoIter<Reply>,
}

impl Reader {
    /// Begins at the first element.
    #[must_use]
    pub fn new(reply: Vec<Reply>) -> Self {
        Self { items: reply.into_iter() }
    }

    /// Whether all has been read.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.items.as_slice().is_empty()
    }

    /// How many elements are left.
    #[must_use]
    pub fn left(&self) -> usize {
        self.items.as_slice().len()
    }

    /// A reply that stands within this one, behind the number of its elements.
    ///
    /// # Errors
    /// It is not all there.
    pub(crate) fn part(&mut self) -> Result<Self, Malformed> {
        let count = usize::try_from(self.int()?).unwrap_or(usize::MAX);
        if count > self.left() {
            return Err(Malformed("the reply ends early".to_owned()));
        }
        Ok(Self::new(self.items.by_ref().take(count).collect()))
    }

    /// The next element as text, `None` if it is nil.
    ///
    /// # Errors
    /// The reply ends here.
    pub fn optional_text(&mut self) -> Result<Option<String>, Malformed> {
        match self.items.next() {
            None => Err(Malformed("the reply ends early".to_owned())),
            Some(Reply::Nil) => Ok(None),
            Some(Reply::Status(text)) => Ok(Some(text)),
            Some(Reply::Int(number)) => Ok(Some(number.to_string())),
            // The hub writes UTF-8. Old clients may have written anything, which must cost what
            // they wrote and nothing else.
            Some(Reply::Bytes(bytes)) => {
                Ok(Some(String::from_utf8(bytes).unwrap_or_else(|error| {
                    String::from_utf8_lossy(error.as_bytes()).into_owned()
                })))
            }
        }
    }

    /// The next element as text.
    ///
    /// # Errors
    /// There is none, or it is no text.
    pub fn text(&mut self) -> Result<String, Malformed> {
        self.optional_text()?.ok_or_else(|| Malformed("a value is missing".to_owned()))
    }

    /// The next element as text, `None` if it is nil or empty.
    ///
    /// # Errors
    /// The reply ends here.
    pub fn filled(&mut self) -> Result<Option<String>, Malformed> {
        Ok(self.optional_text()?.filter(|text| !text.is_empty()))
    }

    /// The next element as an integer, `None` if it is nil or empty.
    ///
    /// # Errors
    /// There is none, or it is no integer.
    pub fn optional_int(&mut self) -> Result<Option<i64>, Malformed> {
        let parse =
            |text: String| text.parse().map_err(|_| Malformed(format!("{text:?} is no integer")));
        self.filled()?.map(parse).transpose()
    }

    /// The next element as an integer.
    ///
    /// # Errors
    /// There is none, or it is no integer.
    pub fn int(&mut self) -> Result<i64, Malformed> {
        match self.items.next() {
            Some(Reply::Int(number)) => Ok(number),
            Some(Reply::Bytes(bytes)) => {
                std::str::from_utf8(&bytes).ok().and_then(|text| text.parse().ok()).ok_or_else(
                    || Malformed(format!("{:?} is no integer", String::from_utf8_lossy(&bytes))),
                )
            }
            other => Err(Malformed(format!("{other:?} is no integer"))),
        }
    }

    /// The next element as a fraction.
    ///
    /// # Errors
    /// There is none, or it is no number.
    pub fn float(&mut self) -> Result<f64, Malformed> {
        let text = self.text()?;
        text.parse().map_err(|_| Malformed(format!("{text:?} is no number")))
    }

    /// The next element as yes (1) or no (0).
    ///
    /// # Errors
    /// There is none, or it is no number.
    pub fn flag(&mut self) -> Result<bool, Malformed> {
        Ok(self.int()? != 0)
    }
}

/// Makes a call idempotent (`contract.md` §1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// Names caller, route and idempotency key.
    pub digest: String,
    /// Tells whether a repeat is the same request.
    pub fingerprint: String,
}

impl Once {
    /// The same request's n-th part, for operations that take several scripts.
    #[must_use]
    pub fn part(&self, n: usize) -> Self {
        let digest = if n == 0 { self.digest.clone() } else { format!("{}.{n}", self.digest) };
        Self { digest, fingerprint: self.fingerprint.clone() }
    }
}

/// What a call answered, and whether it had answered the same before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered<T> {
    /// The answer.
    pub value: T,
    /// Nothing was done now: this is the first answer again.
    pub replayed: bool,
}

/// Why a call gave no answer. Expected outcomes are answers.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Redis.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    IdempotencyMismatch,
    /// What was to move money is not what the journal says of it. Nothing was moved.
    #[error("what was to move money is not what the journal says of it")]
    Altered,
    /// The owner has as much of something as one agent may have: nothing was done.
    #[error("{name} allows {bound}")]
    Quota {
        /// The variable that sets it.
        name: String,
        /// How much that is.
        bound: String,
    },
    /// The key that was to be checked first is not what was remembered of it. Nothing was done.
    #[error("the key is not what was remembered of it")]
    NotAdmitted,
    /// A fault of ours: something cannot be written as JSON.
    #[error("this cannot be written as JSON: {0}")]
    Unwritable(String),
    /// A fault of ours.
    #[error("script {script} answered what its header does not promise: {detail}")]
    Malformed {
        script: &'static str,
        /// What is wrong.
        detail: Malformed,
    },
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Unwritable(error.to_string())
    }
}

/// The error for a status token that a script's header does not list.
pub(crate) fn unknown_status<T>(status: &str) -> Result<T, Malformed> {
    Err(Malformed(format!("unknown status {status:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_read_in_order() {
        let mut reader = Reader::new(vec![
            Reply::Bytes(b"ok".to_vec()),
            Reply::Int(7),
            Reply::Nil,
            Reply::Bytes(b"2.5".to_vec()),
        ]);
        assert_eq!(reader.text(), Ok("ok".to_owned()));
        assert_eq!(reader.int(), Ok(7));
        assert_eq!(reader.optional_text(), Ok(None));
        assert_eq!(reader.float(), Ok(2.5));
        assert!(reader.is_at_end() && reader.text().is_err());
    }

    #[test]
    fn what_scripts_and_rust_both_know_is_the_same() {
        use reef_domain::id::RESERVED;
        for word in RESERVED {
            assert!(HEARTBEAT_SWEEP.code.contains(&format!("{word}=1")), "{word}");
        }
        use reef_api::Word as _;
        let statuses = reef_api::task::TaskStatus::names();
        let statuses: Vec<_> = statuses.iter().map(|status| format!("'{status}'")).collect();
        let statuses = statuses.join(",");
        assert!(TASK_STATS.code.contains(&statuses), "{statuses}");
    }

    #[test]
    fn scripts_are_small_enough_to_send() {
        let long = ALL.iter().filter(|script| script.code.len() >= 32_768);
        let long: Vec<_> = long.map(|script| (script.name, script.code.len())).collect();
        assert!(long.is_empty(), "{long:?}");
    }
}
