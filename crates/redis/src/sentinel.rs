//! Which server is the primary: Sentinels say it, and the server itself confirms it.

use crate::address::Address;
use crate::link::{self, Opened};
use crate::server::Server;
use crate::subscription::{Listening, listen};
use crate::{Error, Timeouts, reply};
use futures_util::StreamExt;
use futures_util::future::join_all;
use redis::Value;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long a Sentinel is asked. One that hangs must leave time for the primary.
const ASK_LIMIT: Duration = Duration::from_millis(250);
/// Where a Sentinel announces that another server has become a primary.
const SWITCHED: &str = "+switch-master";
/// How often a Sentinel that announces nothing is asked whether it is still there.
const PING_PERIOD: Duration = Duration::from_secs(5);
/// The pause before a Sentinel is listened to again.
const PAUSE: Duration = Duration::from_millis(500);

/// Some Sentinels, and the name by which they know the primary.
pub(crate) struct Sentinels {
    service: String,
    sentinels: Vec<Address>,
    /// How to introduce oneself to the primary.
    data: Address,
    /// Host and port of the primary that was confirmed last.
    current: Mutex<Option<(String, u16)>>,
    /// The last switch that was announced.
    announcement: Mutex<String>,
    /// How many were announced.
    switches: AtomicU64,
    is_watched: AtomicBool,
}

/// Where Sentinels say that the primary is.
struct Claim {
    address: Address,
    /// Of the switch that made it the primary; 0 where that is not known.
    epoch: u64,
    /// How many Sentinels say so.
    votes: usize,
}

impl Sentinels {
    /// `data` is the primary's address but for host and port.
    pub(crate) fn new(service: String, sentinels: Vec<Address>, data: Address) -> Self {
        let (current, announcement, switches, is_watched) = Default::default();
        Self { service, sentinels, data, current, announcement, switches, is_watched }
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

    /// Where the Sentinels say that the primary is.
    pub(crate) async fn announced(&self) -> Option<Address> {
        self.claims().await.ok()?.into_iter().next()
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

    /// Connects to the server that the Sentinels name and that says itself that it is a primary. Where
    /// a switch is announced meanwhile, they are asked again: what they said is out of date, and
    /// nobody else would take this connection away.
    async fn connect(&self) -> Result<(Address, Opened), Error> {
        loop {
            let switches = self.switches.load(Ordering::Acquire);
            let result = self.connect_once().await;
            if self.switches.load(Ordering::Acquire) == switches {
                let (address, opened) = result?;
                let (host, port) = address.place();
                let place = Some((host.to_owned(), port));
                *self.current.lock().unwrap_or_else(PoisonError::into_inner) = place;
                return Ok((address, opened));
            }
        }
    }

    async fn connect_once(&self) -> Result<(Address, Opened), Error> {
        let mut failed = None;
        for address in self.claims().await? {
            match confirmed(&address).await {
                Ok(opened) => return Ok((address, opened)),
                Err(error) => failed = worse(failed, error),
            }
        }
        Err(failed.unwrap_or_else(nobody_answers))
    }

    /// Where the primary is, as the Sentinels say that know of the latest switch, or, where that is
    /// not known, most of those that answer. More than one address only where as many say either.
    /// A Sentinel that was away still names the old primary, which may have come back and believe
    /// that it is one until it is told otherwise.
    ///
    /// # Errors
    /// What the Sentinels answered, if none of them names a primary.
    async fn claims(&self) -> Result<Vec<Address>, Error> {
        let late = |_| Error::Unavailable(format!("a Sentinel does not answer in {ASK_LIMIT:?}"));
        let asked = self.sentinels.iter().map(|sentinel| async move {
            timeout(ASK_LIMIT, self.ask(sentinel)).await.map_err(late).flatten()
        });
        let (mut claims, mut failed) = (Vec::<Claim>::new(), None);
        for answer in join_all(asked).await {
            match answer {
                Ok(claim) => match claims.iter_mut().find(|it| it.is_the_same(&claim)) {
                    Some(known) => known.votes += 1,
                    None => claims.push(claim),
                },
                Err(error) => failed = worse(failed, error),
            }
        }
        let standing = |claim: &Claim| (claim.epoch, claim.votes);
        let Some(best) = claims.iter().map(standing).max() else {
            return Err(failed.unwrap_or_else(nobody_answers));
        };
        claims.retain(|claim| standing(claim) == best);
        Ok(claims.into_iter().map(|claim| claim.address).collect())
    }

    /// Asks one Sentinel: for the epoch first, so that a switch between the two questions makes its
    /// answer count for less, never for more.
    async fn ask(&self, sentinel: &Address) -> Result<Claim, Error> {
        let mut opened = link::open(sentinel, ASK_LIMIT).await?;
        let epoch = match exchange(&mut opened, &["SENTINEL", "MASTER", &self.service]).await {
            Ok(reply) => config_epoch(&reply).unwrap_or_default(),
            // The user may not ask that, or the service has no such name, as the next reply says.
            Err(Error::Server(_)) => 0,
            Err(error) => return Err(error),
        };
        let words = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", &self.service];
        let reply = exchange(&mut opened, &words).await?;
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
        Ok(Claim { address: self.data.elsewhere(host, port), epoch, votes: 1 })
    }

    /// From now on takes a link away from the server as soon as a Sentinel announces another
    /// primary. What was sent over it gets its answer or gives up; what comes next is not sent to
    /// a server that is no good.
    /// Each Sentinel is listened to: one that is cut off from the others hears of a switch late.
    pub(crate) fn watch(self: &Arc<Self>, server: &Arc<Server>) {
        if !self.is_watched.swap(true, Ordering::Relaxed) {
            for sentinel in &self.sentinels {
                let sentinel = sentinel.clone();
                tokio::spawn(Arc::clone(self).keep_watching(sentinel, Arc::downgrade(server)));
            }
        }
    }

    async fn keep_watching(self: Arc<Self>, sentinel: Address, server: Weak<Server>) {
        loop {
            let error = match self.watch_by(&sentinel, &server).await {
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
        let silent = |_| Error::Unavailable("the Sentinel is silent".to_owned());
        let subscribed = timeout(ASK_LIMIT, sink.subscribe(SWITCHED)).await.map_err(silent)?;
        subscribed.map_err(|error| Error::from_client(&error))?;
        // What was announced while nobody listened.
        if !self.claims().await?.iter().any(|address| self.is_current(address)) {
            self.cut(server)?;
        }
        loop {
            match timeout(PING_PERIOD, stream.next()).await {
                Ok(Some(message)) => {
                    let announcement = String::from_utf8_lossy(message.get_payload_bytes());
                    if self.note_switch(&announcement) {
                        self.cut(server)?;
                    }
                }
                Ok(None) => return Err(Error::Unavailable("the Sentinel is gone".to_owned())),
                Err(_) => {
                    let pinged = timeout(ASK_LIMIT, sink.ping::<Value>()).await;
                    pinged.map_err(silent)?.map_err(|error| Error::from_client(&error))?;
                    server.upgrade().ok_or_else(nobody)?;
                }
            }
        }
    }

    /// Takes in an announcement (service, old host and port, new host and port), and says whether links
    /// are to be cut. Each Sentinel announces each switch: the first that does so is enough, unless what
    /// was found since is not the server that it names.
    fn note_switch(&self, announcement: &str) -> bool {
        let mut words = announcement.split(' ');
        if words.next() != Some(self.service.as_str()) {
            return false;
        }
        let place = words.nth(2).zip(words.next().and_then(|port| port.parse().ok()));
        let is_there =
            place.is_some_and(|(host, port)| self.is_current(&self.elsewhere(host, port)));
        let mut last = self.announcement.lock().unwrap_or_else(PoisonError::into_inner);
        let acts = *last != announcement || !is_there;
        if acts {
            announcement.clone_into(&mut last);
            self.switches.fetch_add(1, Ordering::AcqRel);
        }
        acts
    }

    fn cut(&self, server: &Weak<Server>) -> Result<(), Error> {
        tracing::info!("the Sentinels name another primary");
        server.upgrade().ok_or_else(nobody)?.cut();
        Ok(())
    }
}

impl Claim {
    fn is_the_same(&self, other: &Self) -> bool {
        self.epoch == other.epoch && self.address.place() == other.address.place()
    }
}

/// Opens a connection to a server, which must say that it is a primary.
async fn confirmed(address: &Address) -> Result<Opened, Error> {
    let mut opened = link::open(address, ASK_LIMIT * 2).await?;
    let role = timeout(ASK_LIMIT, exchange(&mut opened, &["ROLE"])).await;
    let silent = |_| Error::Unavailable(format!("no answer within {ASK_LIMIT:?}"));
    let Value::Array(role) = role.map_err(silent)?? else { return Err(not_primary()) };
    match role.first().and_then(text) {
        Some("master") => Ok(opened),
        _ => Err(not_primary()),
    }
}

/// By which switch a Sentinel came to know of the primary that it describes. All Sentinels agree on
/// the number of a switch, and a later one has a higher number.
fn config_epoch(described: &Value) -> Option<u64> {
    let Value::Array(fields) = described else { return None };
    let mut fields = fields.iter().skip_while(|name| text(name) != Some("config-epoch"));
    text(fields.nth(1)?)?.parse().ok()
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => str::from_utf8(bytes).ok(),
        _ => None,
    }
}

/// The error to tell of two: what a server answers says more than that it does not.
fn worse(known: Option<Error>, error: Error) -> Option<Error> {
    match (known, error) {
        (_, error @ Error::Server(_)) => Some(error),
        (known, error) => known.or(Some(error)),
    }
}

fn nobody_answers() -> Error {
    Error::Unavailable("no Sentinel answers".to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_acts_once_unless_something_else_was_found_since() {
        let data = Address::parse("redis://127.0.0.1:1/0").unwrap();
        let sentinels = Sentinels::new("hub".to_owned(), Vec::new(), data);
        let find = |port| *sentinels.current.lock().unwrap() = Some(("b".to_owned(), port));
        assert!(!sentinels.note_switch("other b 1 b 2"));
        find(1);
        assert!(sentinels.note_switch("hub b 1 b 2"));
        // Another Sentinel says it, and one that had not heard of it was believed meanwhile.
        assert!(sentinels.note_switch("hub b 1 b 2"));
        find(2);
        assert!(!sentinels.note_switch("hub b 1 b 2"));
        // It is news, though another connection was there first.
        assert!(sentinels.note_switch("hub b 3 b 2"));
    }
}
