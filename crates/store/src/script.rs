//! How a script is called, and how its flat reply is read.

mod values;
mod wrapped;

pub use values::FromReply;
pub(crate) use values::{Argument, outcomes, rows};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::admission::{Admission, Verdict};
use crate::keys::{Keys, Layout};
use crate::port::{Redis, RedisError, Reply};

/// A Lua script under `lua/`, with its includes.
#[derive(Debug)]
pub struct Script {
    /// `<noun>/<verb>`, as the file is named.
    pub name: &'static str,
    /// The name of its function in Redis, and of the library that has it alone. It carries a hash of the
    /// code, so that each version of the hub finds its own.
    pub function: &'static str,
    /// The same behind the check of a key ([`Admission`](crate::admission::Admission)).
    pub with_key: &'static str,
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
        wrapped::as_library(self.function, self.flags, self.code, KEY_CHECK.code)
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

/// Calls scripts on one Redis under one set of key names. Clones share it.
#[derive(Debug)]
pub struct Store<R> {
    shared: Arc<Shared<R>>,
    /// What the first call has to find out on its way.
    admission: Option<Arc<Admission>>,
}

#[derive(Debug)]
struct Shared<R> {
    redis: R,
    keys: Keys,
    /// The server has refused functions.
    without_functions: AtomicBool,
}

impl<R> Clone for Store<R> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), admission: self.admission.clone() }
    }
}

impl<R: Redis> Store<R> {
    /// A store over a connection.
    pub fn new(redis: R, keys: Keys) -> Self {
        let shared = Shared { redis, keys, without_functions: AtomicBool::default() };
        Self { shared: Arc::new(shared), admission: None }
    }

    /// The same store for one request, of which the first call checks a key on its way; `None` where
    /// a call cannot do that: the key may lie on another server, or the server takes no functions.
    #[must_use]
    pub fn behind(&self, admission: Admission) -> Option<Self> {
        let can = self.keys().layout() == Layout::Plain && self.may_have_functions();
        can.then(|| Self { shared: Arc::clone(&self.shared), admission: Some(Arc::new(admission)) })
    }

    /// What has become of the check: it is made now if no call has made it.
    ///
    /// # Errors
    /// [`StoreError`]: it cannot be made.
    pub async fn settle(&self) -> Result<Verdict, StoreError> {
        let Some(admission) = &self.admission else { return Ok(Verdict::Refused) };
        let _turn = admission.turn().await;
        match admission.verdict() {
            Some(verdict) => Ok(verdict),
            None => self.admit(admission).await,
        }
    }

    /// What has become of the check so far.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        self.admission.as_ref().and_then(|admission| admission.verdict())
    }

    /// Makes the check in a call of its own.
    async fn admit(&self, admission: &Admission) -> Result<Verdict, StoreError> {
        let call = admission.check();
        let mut reader = Reader::new(self.run(&call, None).await?);
        let malformed = |detail| StoreError::Malformed { script: call.script().name, detail };
        let status = reader.text().map_err(malformed)?;
        Ok(admission.judge(&call.read(&status, &mut reader).map_err(malformed)?))
    }

    fn may_have_functions(&self) -> bool {
        !self.shared.without_functions.load(Ordering::Relaxed)
    }

    /// The connection.
    pub fn redis(&self) -> &R {
        &self.shared.redis
    }

    /// The key names.
    pub fn keys(&self) -> &Keys {
        &self.shared.keys
    }

    /// Calls a script.
    ///
    /// # Errors
    /// [`StoreError`]; outcomes that a caller can meet are part of the reply.
    pub async fn call<C: Call>(&self, call: &C) -> Result<C::Reply, StoreError> {
        self.call_once(call, None).await.map(|answered| answered.value)
    }

    /// Calls a script; a repeat of the same request gets the first answer.
    ///
    /// # Errors
    /// [`StoreError`]; outcomes that a caller can meet are part of the reply.
    pub async fn call_once<C: Call>(
        &self,
        call: &C,
        once: Option<&Once>,
    ) -> Result<Answered<C::Reply>, StoreError> {
        let script = call.script();
        let malformed = |detail| StoreError::Malformed { script: script.name, detail };
        let mut reader = Reader::new(self.evaluate(call, once).await?);
        let mut status = reader.text().map_err(malformed)?;
        if status == "idempotency_mismatch" {
            return Err(StoreError::IdempotencyMismatch);
        }
        if status == "altered" {
            return Err(StoreError::Altered);
        }
        if status == "quota" {
            let name = reader.text().map_err(malformed)?;
            return Err(StoreError::Quota { name, bound: reader.text().map_err(malformed)? });
        }
        let replayed = status == "replayed";
        if replayed {
            status = reader.text().map_err(malformed)?;
        }
        let value = call.read(&status, &mut reader).map_err(malformed)?;
        Ok(Answered { value, replayed })
    }

    /// Runs the script; where a key is to be checked and has not been, behind that.
    async fn evaluate<C: Call>(
        &self,
        call: &C,
        once: Option<&Once>,
    ) -> Result<Vec<Reply>, StoreError> {
        let Some(admission) = &self.admission else { return self.run(call, once).await };
        // Calls that are made at once wait for what the first one finds.
        let turn = admission.turn().await;
        let verdict = match admission.verdict() {
            Some(verdict) => verdict,
            None => {
                let called = self.function(call, once, Some(admission)).await?;
                match called.map(|reply| admission.judge_by(reply)) {
                    Some(Some(reply)) => return Ok(reply),
                    Some(None) => Verdict::Refused,
                    None => self.admit(admission).await?,
                }
            }
        };
        drop(turn);
        match verdict {
            Verdict::Admitted { .. } => self.run(call, once).await,
            Verdict::Refused => Err(StoreError::NotAdmitted),
        }
    }

    /// Calls the script as a function, which is loaded where the server does not have it; `None`: the
    /// server does not run it as one.
    async fn function<C: Call>(
        &self,
        call: &C,
        once: Option<&Once>,
        admission: Option<&Admission>,
    ) -> Result<Option<Vec<Reply>>, StoreError> {
        let script = call.script();
        let function = if admission.is_some() { script.with_key } else { script.function };
        let arguments = self.command(function, call, once, admission)?;
        let called = match self.redis().execute("FCALL", arguments).await {
            Err(RedisError::NoFunction) if self.load(script).await? => {
                let arguments = self.command(function, call, once, admission)?;
                self.redis().execute("FCALL", arguments).await
            }
            other => other,
        };
        match called {
            // Somebody drops what this loads; or the server has no room for it.
            Err(RedisError::NoFunction) => Ok(None),
            // A function that may write is refused as a whole. The script is refused by its first
            // write, which it may do without or not come to.
            Err(error) if error.is_about_writes() => Ok(None),
            Err(RedisError::FunctionsRefused) => {
                self.shared.without_functions.store(true, Ordering::Relaxed);
                Ok(None)
            }
            other => Ok(Some(other?)),
        }
    }

    /// Runs the script as a function, or as a script where the server takes no functions.
    async fn run<C: Call>(&self, call: &C, once: Option<&Once>) -> Result<Vec<Reply>, StoreError> {
        let script = call.script();
        if self.may_have_functions()
            && let Some(reply) = self.function(call, once, None).await?
        {
            return Ok(reply);
        }
        let by_hash = self.command(script.sha1, call, once, None)?;
        let reply = match self.redis().execute("EVALSHA", by_hash).await {
            Err(RedisError::NoScript) => {
                let with_text = self.command(&script.text(), call, once, None)?;
                self.redis().execute("EVAL", with_text).await
            }
            other => other,
        };
        Ok(reply?)
    }

    /// Loads a script's library. Returns whether it is there now.
    async fn load(&self, script: &Script) -> Result<bool, StoreError> {
        let arguments = vec![b"LOAD".to_vec(), script.library().into_bytes()];
        match self.redis().execute("FUNCTION", arguments).await {
            Ok(_) | Err(RedisError::FunctionExists) => Ok(true),
            Err(RedisError::FunctionsRefused) => {
                self.shared.without_functions.store(true, Ordering::Relaxed);
                Ok(false)
            }
            Err(error) if error.is_about_writes() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn command<C: Call>(
        &self,
        script: &str,
        call: &C,
        once: Option<&Once>,
        admission: Option<&Admission>,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let keys = self.keys();
        let mut arguments = Arguments { all: Vec::with_capacity(16), unwritable: None };
        let (anchor, instance) = match call.partition() {
            Partition::Cluster => (keys.cluster(), None),
            Partition::Session(sid) => (keys.session(sid), Some(sid)),
            Partition::Message(mid) => (keys.message(mid), Some(mid)),
            Partition::Inbox(agent) => (keys.inbox(agent), Some(agent)),
            Partition::Ledger => (keys.ledger(), None),
        };
        let second = match admission {
            Some(_) => Some(keys.ledger()),
            None => keys.absent(&anchor),
        };
        match second {
            None => arguments.text(script).text("1").text(anchor),
            Some(second) => arguments.text(script).text("2").text(anchor).text(second),
        };
        match once {
            Some(once) => arguments.text(&once.digest).text(&once.fingerprint),
            None => arguments.text("").text(""),
        };
        if let Some(instance) = instance {
            arguments.text(instance);
        }
        call.arguments(&mut arguments);
        if let Some(admission) = admission {
            admission.append(&mut arguments);
        }
        arguments.unwritable.map_or(Ok(arguments.all), |error| Err(error.into()))
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
            assert!(HEARTBEAT_SWEEP.code.contains(&format!("{word} = 1")), "{word}");
        }
        use reef_api::Word as _;
        let statuses = reef_api::task::TaskStatus::names();
        let statuses: Vec<_> = statuses.iter().map(|status| format!("'{status}'")).collect();
        let statuses = statuses.join(", ");
        assert!(TASK_STATS.code.contains(&statuses), "{statuses}");
    }

    #[test]
    fn scripts_are_small_enough_to_send() {
        for script in ALL {
            assert!(script.code.len() < 22_000, "{} is {}", script.name, script.code.len());
        }
    }
}
