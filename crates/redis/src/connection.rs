//! The shared connection: opened when first used, dropped when it breaks, opened again.

use crate::address::{Address, AddressError};
use crate::link::{self, Opened};
use crate::scripts::{self, Scripts};
use crate::{Error, refusal, reply};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use redis::aio::MultiplexedConnection;
use reef_store::{RedisError, Reply};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;
use tokio::task::AbortHandle;

/// How long callers wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For one whole call, connecting included. Below the 2 s within which the hub promises an
    /// answer when Redis fails.
    pub call: Duration,
    /// For opening a connection, DNS and authentication included.
    pub connect: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { call: Duration::from_millis(1500), connect: Duration::from_secs(1) }
    }
}

/// All Redis connections of a process: one for each address.
#[derive(Clone)]
pub struct Connections {
    timeouts: Timeouts,
    by_address: Arc<Mutex<HashMap<String, Connection>>>,
}

impl Connections {
    /// An empty set; nothing is opened yet.
    #[must_use]
    pub fn new(timeouts: Timeouts) -> Self {
        Self { timeouts, by_address: Arc::default() }
    }

    /// The connection to a server, which everyone who names the same address shares. Nothing is
    /// sent: the connection is opened by the first command.
    ///
    /// Addresses are `redis://[user:password@]host[:port][/db]`, the same with `rediss://` for TLS,
    /// and `redis+unix:///path` (or `unix:///path`, both with `?db=`, `?user=` and `?pass=`).
    ///
    /// # Errors
    /// [`AddressError`] when the address cannot be read.
    pub fn open(&self, address: &str) -> Result<Connection, AddressError> {
        let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = by_address.get(address) {
            return Ok(connection.clone());
        }
        let connection = Connection::new(Address::parse(address)?, self.timeouts);
        by_address.insert(address.to_owned(), connection.clone());
        Ok(connection)
    }
}

impl fmt::Debug for Connections {
    // Without the addresses, which may hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("timeouts", &self.timeouts).finish_non_exhaustive()
    }
}

/// The connection to one server. Clones share it.
#[derive(Clone)]
pub struct Connection {
    server: Arc<Server>,
}

impl Connection {
    fn new(address: Address, timeouts: Timeouts) -> Self {
        let server = Server {
            address,
            timeouts,
            state: RwLock::default(),
            opening: Mutex::default(),
            scripts: Scripts::default(),
        };
        Self { server: Arc::new(server) }
    }

    /// Sends one command and waits for its flat reply, for [`Timeouts::call`] at most.
    ///
    /// `EVAL` is sent as `EVALSHA` where the server knows the script. A connection that broke is
    /// opened again by the next command; no command is ever sent twice, because the server may
    /// have carried it out.
    ///
    /// # Errors
    /// [`Error`]; its text is fit for a component, and never holds the address.
    pub async fn execute(&self, command: &str, args: Vec<Vec<u8>>) -> Result<Vec<Reply>, Error> {
        if let Some(reason) = refusal(command, &args) {
            return Err(Error::Refused(reason));
        }
        let limit = self.server.timeouts.call;
        let mut used = None;
        match tokio::time::timeout(limit, self.dispatch(command, args, &mut used)).await {
            Ok(result) => result,
            Err(_) => {
                // What hangs is more likely the connection than the command: nothing that blocks
                // is ever sent.
                if let Some(number) = used {
                    self.server.discard(number);
                }
                Err(Error::Unavailable(format!("no answer within {limit:?}")))
            }
        }
    }

    async fn dispatch(
        &self,
        command: &str,
        args: Vec<Vec<u8>>,
        used: &mut Option<u64>,
    ) -> Result<Vec<Reply>, Error> {
        if let Some(library) = scripts::library(command, &args) {
            let entry = self.server.scripts.entry(&scripts::sha1(library));
            return Box::pin(self.load_library(command, args, &entry, used)).await;
        }
        match scripts::by_hash(command) {
            None => self.send(pack(command, &args), used).await,
            // Boxed because it is rare: it would make the future of every command twice as large.
            Some(by_hash) => Box::pin(self.run_script(command, by_hash, args, used)).await,
        }
    }

    /// Loads a library, unless somebody is about to: then that is waited for.
    async fn load_library(
        &self,
        command: &str,
        args: Vec<Vec<u8>>,
        entry: &scripts::Entry,
        used: &mut Option<u64>,
    ) -> Result<Vec<Reply>, Error> {
        if let Ok(mut sent) = entry.try_lock() {
            let result = self.send(pack(command, &args), used).await;
            *sent += 1;
            return result;
        }
        drop(entry.lock().await);
        // Where it failed the caller learns that from the server, which still lacks the function.
        Ok(vec![Reply::Status("OK".to_owned())])
    }

    /// Runs a script whose text is given, and sends the text only if the server lacks it and
    /// nobody else is about to send it.
    async fn run_script(
        &self,
        with_text: &str,
        by_hash: &str,
        mut args: Vec<Vec<u8>>,
        used: &mut Option<u64>,
    ) -> Result<Vec<Reply>, Error> {
        let Some(first) = args.first_mut() else {
            return self.send(pack(with_text, &args), used).await;
        };
        let sha = scripts::sha1(first);
        let text = std::mem::replace(first, sha.clone().into_bytes());

        let entry = self.server.scripts.entry(&sha);
        let sent_before = *entry.lock().await;
        match self.send(pack(by_hash, &args), used).await {
            Err(error) if error.is_no_script() => {}
            result => return result,
        }
        let mut sent = entry.lock().await;
        if *sent != sent_before {
            match self.send(pack(by_hash, &args), used).await {
                Err(error) if error.is_no_script() => {}
                result => return result,
            }
        }
        if let Some(first) = args.first_mut() {
            *first = text;
        }
        let result = self.send(pack(with_text, &args), used).await;
        *sent += 1;
        result
    }

    /// Sends one command as it is. Notes in `used` which link it went over.
    async fn send(&self, command: redis::Cmd, used: &mut Option<u64>) -> Result<Vec<Reply>, Error> {
        let (number, mut connection) = self.server.link().await?;
        *used = Some(number);
        match connection.send_packed_command(&command).await {
            Ok(value) => reply::flatten(value),
            Err(error) => {
                let error = Error::from_client(&error);
                if matches!(error, Error::Unavailable(_)) {
                    self.server.discard(number);
                }
                Err(error)
            }
        }
    }
}

fn pack(command: &str, args: &[Vec<u8>]) -> redis::Cmd {
    let size = args.iter().map(Vec::len).sum::<usize>() + command.len();
    let mut packed = redis::Cmd::with_capacity(args.len() + 1, size);
    packed.arg(command);
    for arg in args {
        packed.arg(arg.as_slice());
    }
    packed
}

impl reef_store::Redis for Connection {
    async fn execute(&self, command: &str, args: Vec<Vec<u8>>) -> Result<Vec<Reply>, RedisError> {
        Ok(self.execute(command, args).await?)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("timeouts", &self.server.timeouts)
            .finish_non_exhaustive()
    }
}

/// One server: its address, and the link that is open to it at the moment.
struct Server {
    address: Address,
    timeouts: Timeouts,
    state: RwLock<State>,
    /// The attempt under way, which all callers that find no link share.
    opening: Mutex<Option<Opening>>,
    scripts: Scripts,
}

type Opening = Shared<BoxFuture<'static, Result<(u64, MultiplexedConnection), Error>>>;

#[derive(Default)]
struct State {
    /// Counts the links, so that a late failure of an old one does not take the new one down.
    number: u64,
    link: Option<Link>,
}

/// An open connection, and the task that reads and writes it.
struct Link {
    connection: MultiplexedConnection,
    driver: AbortHandle,
}

impl Server {
    /// The open link, or a new one.
    async fn link(self: &Arc<Self>) -> Result<(u64, MultiplexedConnection), Error> {
        match self.live() {
            Some(live) => Ok(live),
            None => Box::pin(self.opening()).await,
        }
    }

    fn live(&self) -> Option<(u64, MultiplexedConnection)> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.link.as_ref().map(|link| (state.number, link.connection.clone()))
    }

    /// Joins the attempt under way or starts one. It runs as a task of its own, so that it goes on
    /// when the callers that wait for it give up.
    fn opening(self: &Arc<Self>) -> Opening {
        let mut opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        // One that has ended and is still here has ended in a fault.
        if let Some(opening) = opening.as_ref().filter(|attempt| attempt.peek().is_none()) {
            return opening.clone();
        }
        if let Some(live) = self.live() {
            return std::future::ready(Ok(live)).boxed().shared();
        }
        let attempt = tokio::spawn(Arc::clone(self).open());
        let ended = |_| Err(Error::Unavailable("the connection attempt was cut off".to_owned()));
        let attempt = attempt.map(move |result| result.unwrap_or_else(ended)).boxed().shared();
        *opening = Some(attempt.clone());
        attempt
    }

    async fn open(self: Arc<Self>) -> Result<(u64, MultiplexedConnection), Error> {
        let result = link::open(&self.address, self.timeouts.connect).await;
        // Nobody starts another attempt between the two steps: the lock is held for both.
        let mut opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        *opening = None;
        let opened = result.inspect_err(|error| tracing::debug!(%error, "redis connect failed"))?;
        Ok(self.install(opened))
    }

    fn install(self: &Arc<Self>, opened: Opened) -> (u64, MultiplexedConnection) {
        let Opened { connection, driver } = opened;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.number += 1;
        let number = state.number;
        let server: Weak<Self> = Arc::downgrade(self);
        let driver = tokio::spawn(async move {
            driver.await;
            // The server closed the connection: the next command need not find that out.
            if let Some(server) = server.upgrade() {
                server.discard(number);
            }
        });
        state.link = Some(Link { connection: connection.clone(), driver: driver.abort_handle() });
        (number, connection)
    }

    /// Takes a broken link out of use at once. Commands on their way keep it until they end or
    /// give up; then it is cut, whatever the server does.
    fn discard(&self, number: u64) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.number != number {
            return;
        }
        if let Some(link) = state.link.take() {
            drop(state);
            let grace = self.timeouts.call;
            tokio::spawn(async move {
                tokio::time::sleep(grace).await;
                link.driver.abort();
            });
        }
    }
}
