//! Which server is the primary: Sentinels say it, and the server itself confirms it.

use crate::address::Address;
use crate::link::{self, Opened};
use crate::server::Server;
use crate::subscription::{Listening, listen};
use crate::{Error, Timeouts, reply};
use futures_util::StreamExt;
use redis::Value;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long one Sentinel is asked. One that hangs must leave time to ask another.
const ASK_LIMIT: Duration = Duration::from_millis(250);
/// Where a Sentinel announces that another server has become a primary.
const SWITCHED: &str = "+switch-master";
/// How often a Sentinel that announces nothing is asked whether it is still there.
const PING_PERIOD: Duration = Duration::from_secs(5);
/// The pause before another Sentinel is listened to.
const PAUSE: Duration = Duration::from_millis(500);

/// Some Sentinels, and the name by which they know the primary.
pub(crate) struct Sentinels {
    service: String,
    sentinels: Vec<Address>,
    /// How to introduce oneself to the primary.
    data: Address,
    /// Host and port of the primary that was confirmed last.
    current: Mutex<Option<(String, u16)>>,
    is_watched: AtomicBool,
}

impl Sentinels {
    /// `data` is the primary's address but for host and port.
    pub(crate) fn new(service: String, sentinels: Vec<Address>, data: Address) -> Self {
        let (current, is_watched) = (Mutex::default(), AtomicBool::default());
        Self { service, sentinels, data, current, is_watched }
    }

    /// The Sentinels that the address names.
    pub(crate) fn named(&self) -> &[Address] {
        &self.sentinels
    }

    /// The number of the database.
    pub(crate) fn database(&self) -> i64 {
        self.data.handshake.db()
    }

    /// Where another data server is.
    pub(crate) fn elsewhere(&self, host: &str, port: u16) -> Address {
        self.data.elsewhere(host, port)
    }

    /// Where the first Sentinel that answers says that the primary is.
    pub(crate) async fn announced(&self) -> Option<Address> {
        for sentinel in &self.sentinels {
            if let Ok(Ok(address)) = timeout(ASK_LIMIT, self.ask(sentinel)).await {
                return Some(address);
            }
        }
        None
    }

    /// Connects to the primary, within `limit`.
    pub(crate) async fn open(&self, limit: Duration) -> Result<Opened, Error> {
        match timeout(limit, self.connect()).await {
            Ok(result) => result.map(|(_, opened)| opened),
            Err(_) => {
                Err(Error::Unavailable(format!("no connection to a primary within {limit:?}")))
            }
        }
    }

    /// The address of the primary, which has just confirmed it.
    pub(crate) async fn primary(&self) -> Result<Address, Error> {
        self.connect().await.map(|(address, _)| address)
    }

    /// Whether this is, as far as is known, still the primary's address.
    pub(crate) fn is_current(&self, address: &Address) -> bool {
        let (host, port) = address.place();
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().is_some_and(|(theirs, at)| theirs == host && *at == port)
    }

    /// Asks one Sentinel after the other, until a server that one of them names says itself that it
    /// is a primary. A Sentinel that was away names the old one.
    async fn connect(&self) -> Result<(Address, Opened), Error> {
        let mut failed = None;
        for sentinel in &self.sentinels {
            match self.connect_by(sentinel).await {
                Ok((address, opened)) => {
                    let (host, port) = address.place();
                    let place = Some((host.to_owned(), port));
                    *self.current.lock().unwrap_or_else(PoisonError::into_inner) = place;
                    return Ok((address, opened));
                }
                Err(error @ Error::Server(_)) => failed = Some(error),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        let none = || Error::Unavailable("no Sentinel answers".to_owned());
        Err(failed.unwrap_or_else(none))
    }

    async fn connect_by(&self, sentinel: &Address) -> Result<(Address, Opened), Error> {
        let late = |_| Error::Unavailable(format!("a Sentinel does not answer in {ASK_LIMIT:?}"));
        let address = timeout(ASK_LIMIT, self.ask(sentinel)).await.map_err(late)??;
        let mut opened = link::open(&address, ASK_LIMIT * 2).await?;
        let role = timeout(ASK_LIMIT, exchange(&mut opened, &["ROLE"])).await;
        let silent = |_| Error::Unavailable(format!("no answer within {ASK_LIMIT:?}"));
        let Value::Array(role) = role.map_err(silent)?? else { return Err(not_primary()) };
        match role.first() {
            Some(Value::BulkString(name)) if name == b"master" => Ok((address, opened)),
            _ => Err(not_primary()),
        }
    }

    async fn ask(&self, sentinel: &Address) -> Result<Address, Error> {
        let mut opened = link::open(sentinel, ASK_LIMIT).await?;
        let words = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", &self.service];
        let reply = exchange(&mut opened, &words).await?;
        let text = |value: &Value| match value {
            Value::BulkString(bytes) => String::from_utf8(bytes.clone()).ok(),
            _ => None,
        };
        let place = match &reply {
            Value::Array(parts) => match parts.as_slice() {
                [host, port] => text(host).zip(text(port).and_then(|port| port.parse().ok())),
                _ => None,
            },
            _ => None,
        };
        let unknown = || {
            let words = format!("the Sentinels know no primary by the name of {}", self.service);
            Error::Unavailable(words)
        };
        let (host, port) = place.ok_or_else(unknown)?;
        Ok(self.data.elsewhere(&host, port))
    }

    /// From now on takes a link away from the server as soon as a Sentinel announces another
    /// primary. What was sent over it gets its answer or gives up; what comes next is not sent to
    /// a server that is no good.
    pub(crate) fn watch(self: &Arc<Self>, server: &Arc<Server>) {
        if !self.is_watched.swap(true, Ordering::Relaxed) {
            tokio::spawn(Arc::clone(self).keep_watching(Arc::downgrade(server)));
        }
    }

    async fn keep_watching(self: Arc<Self>, server: Weak<Server>) {
        for sentinel in self.sentinels.iter().cycle() {
            let error = match self.watch_by(sentinel, &server).await {
                Ok(never) => match never {},
                Err(error) => error,
            };
            if server.strong_count() == 0 {
                return;
            }
            tracing::debug!(%error, "a Sentinel cannot be listened to");
            sleep(PAUSE).await;
        }
    }

    async fn watch_by(
        &self,
        sentinel: &Address,
        server: &Weak<Server>,
    ) -> Result<Infallible, Error> {
        let timeouts = Timeouts { call: ASK_LIMIT, connect: ASK_LIMIT };
        let Listening { mut sink, mut stream } = listen(sentinel, timeouts).await?;
        sink.subscribe(SWITCHED).await.map_err(|error| Error::from_client(&error))?;
        // What was announced while nobody listened.
        if !self.is_current(&self.ask(sentinel).await?) {
            cut(server)?;
        }
        loop {
            match timeout(PING_PERIOD, stream.next()).await {
                Ok(Some(message)) => {
                    let mut words = message.get_payload_bytes().split(|byte| *byte == b' ');
                    if words.next() == Some(self.service.as_bytes()) {
                        tracing::info!("the Sentinels announce another primary");
                        cut(server)?;
                    }
                }
                Ok(None) => return Err(Error::Unavailable("the Sentinel is gone".to_owned())),
                Err(_) => {
                    let pinged = timeout(ASK_LIMIT, sink.ping::<Value>()).await;
                    let silent = |_| Error::Unavailable("the Sentinel is silent".to_owned());
                    pinged.map_err(silent)?.map_err(|error| Error::from_client(&error))?;
                    server.upgrade().ok_or_else(nobody)?;
                }
            }
        }
    }
}

fn cut(server: &Weak<Server>) -> Result<(), Error> {
    server.upgrade().ok_or_else(nobody)?.cut();
    Ok(())
}

fn nobody() -> Error {
    Error::Unavailable("nobody uses it any more".to_owned())
}

fn not_primary() -> Error {
    Error::Unavailable("the server that a Sentinel names is not a primary".to_owned())
}

/// Asks over a connection that nobody drives yet.
async fn exchange(opened: &mut Opened, words: &[&str]) -> Result<Value, Error> {
    let mut command = redis::Cmd::new();
    command.arg(words);
    let Opened { connection, driver } = opened;
    tokio::select! {
        reply = connection.send_packed_command(&command) => {
            reply.map_err(|error| Error::from_client(&error)).and_then(reply::accepted)
        }
        () = driver => Err(Error::Unavailable("the server has closed the connection".to_owned())),
    }
}
