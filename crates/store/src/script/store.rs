//! The store: calls scripts, as functions where the server takes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::try_join_all;

use super::{Answered, Arguments, Call, Once, Partition, Reader, Script, StoreError};
use crate::admission::{Admission, Verdict};
use crate::audit::Actor;
use crate::keys::{Keys, Layout};
use crate::port::{Redis, RedisError, Reply};

/// Calls scripts on one Redis under one set of key names. Clones share it.
#[derive(Debug)]
pub struct Store<R> {
    shared: Arc<Shared<R>>,
    /// What the first call has to find out on its way.
    admission: Option<Arc<Admission>>,
    /// Who asks, where the audit is to say so: what [`Store::audited`] was given.
    audit: Option<Arc<str>>,
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
        Self {
            shared: Arc::clone(&self.shared),
            admission: self.admission.clone(),
            audit: self.audit.clone(),
        }
    }
}

impl<R: Redis> Store<R> {
    /// A store over a connection.
    pub fn new(redis: R, keys: Keys) -> Self {
        let shared = Shared { redis, keys, without_functions: AtomicBool::default() };
        Self { shared: Arc::new(shared), admission: None, audit: None }
    }

    /// The same store for one request, of which the audit says who asks, wherever a script that it calls is
    /// one that writes there.
    #[must_use]
    pub fn audited(&self, by: &Actor<'_>) -> Self {
        Self { audit: Some(by.packed().into()), ..self.clone() }
    }

    /// The same store for what follows from what the audit has said already.
    #[must_use]
    pub fn unaudited(&self) -> Self {
        Self { audit: None, ..self.clone() }
    }

    /// The same store for one request, of which the first call checks a key on its way; `None` where
    /// a call cannot do that: the key may lie on another server, or the server takes no functions.
    #[must_use]
    pub fn behind(&self, admission: Admission) -> Option<Self> {
        let can = self.keys().layout() == Layout::Plain && self.may_have_functions();
        can.then(|| Self { admission: Some(Arc::new(admission)), ..self.clone() })
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

    /// Calls a script for many things, each in a partition of its own: where all lie on one server in
    /// one call, else in one each, at once.
    ///
    /// # Errors
    /// [`StoreError`] of any of them; outcomes that a caller can meet are part of the replies.
    pub async fn call_each<C: Call>(&self, calls: &[C]) -> Result<Vec<C::Reply>, StoreError> {
        if let [first, _, ..] = calls
            && self.keys().layout() == Layout::Plain
            && self.may_have_functions()
            && let Some(function) = first.script().each
        {
            // The check of a key goes with a call that is for one thing.
            if self.admission.is_some() && self.settle().await? == Verdict::Refused {
                return Err(StoreError::NotAdmitted);
            }
            if let Some(replies) = self.for_each(function, calls).await? {
                return Ok(replies);
            }
        }
        try_join_all(calls.iter().map(|call| self.call(call))).await
    }

    /// `None`: the server does not run it, or these calls cannot be made at once.
    async fn for_each<C: Call>(
        &self,
        function: &str,
        calls: &[C],
    ) -> Result<Option<Vec<C::Reply>>, StoreError> {
        let (mut keys, mut arguments) = (Vec::with_capacity(calls.len()), Vec::new());
        let mut each = 0;
        for call in calls {
            // Function, how many keys, the key, what is its own.
            let mut words = self.command(function, call, None, None)?.into_iter().skip(2);
            keys.extend(words.next());
            let own: Vec<_> = words.collect();
            each = own.len();
            arguments.extend(own);
        }
        if each * calls.len() != arguments.len() {
            return Ok(None);
        }
        let command = || {
            let head = [function.to_owned(), calls.len().to_string()].map(String::into_bytes);
            head.into_iter().chain(keys.iter().cloned()).chain(arguments.iter().cloned()).collect()
        };
        let Some(script) = calls.first().map(Call::script) else { return Ok(None) };
        let reply = self.run_function(script, command(), || Ok(command())).await?;
        let Some(reply) = reply else { return Ok(None) };
        let malformed = |detail| StoreError::Malformed { script: script.name, detail };
        let mut reply = Reader::new(reply);
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let mut own = reply.part().map_err(malformed)?;
            let status = own.text().map_err(malformed)?;
            replies.push(call.read(&status, &mut own).map_err(malformed)?);
        }
        Ok(Some(replies))
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
        let again = || self.command(function, call, once, admission);
        self.run_function(script, arguments, again).await
    }

    /// Calls a function of a script's library, which is loaded where the server does not have it; then
    /// the call is made `again`. `None`: the server does not run it as one.
    async fn run_function(
        &self,
        script: &Script,
        arguments: Vec<Vec<u8>>,
        again: impl FnOnce() -> Result<Vec<Vec<u8>>, StoreError>,
    ) -> Result<Option<Vec<Reply>>, StoreError> {
        let called = match self.redis().execute("FCALL", arguments).await {
            Err(RedisError::NoFunction) if self.load(script).await? => {
                self.redis().execute("FCALL", again()?).await
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
            Partition::Tasklog(task) => (keys.tasklog(task), Some(task)),
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
        if call.script().audited {
            arguments.text(self.audit.as_deref().unwrap_or_default());
        }
        call.arguments(&mut arguments);
        if let Some(admission) = admission {
            admission.append(&mut arguments);
        }
        arguments.unwritable.map_or(Ok(arguments.all), |error| Err(error.into()))
    }
}
