//! A way to a server: the link that is open at the moment, dropped when it breaks, opened again.
//!
//! A link carries what all callers send, one behind the other. What moves many bytes would make the others
//! wait; it goes over a link of its own.

use crate::Error;
use crate::durable::Look;
use crate::greeting::{Done, Greeted, Greeting};
use crate::link::Opened;
use crate::server::Server;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use redis::aio::MultiplexedConnection;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;
use tokio::task::AbortHandle;

/// A command of at least so many bytes is bulk. Redis reads about as much at once; below it, the time
/// on the link is little beside that in the server.
const BULK_BYTES_MIN: usize = 16 * 1024;

/// Commands that answer with a whole value, which nobody knows the size of.
const READS: [&str; 2] = ["GET", "HGET"];

/// What a command is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Traffic {
    /// It is small.
    Interactive,
    /// It is large, or its answer may be.
    Bulk,
}

impl Traffic {
    /// What a command of so many bytes is like.
    pub(crate) fn of(command: &str, bytes: usize) -> Self {
        let is_large = bytes >= BULK_BYTES_MIN || READS.contains(&command);
        if is_large { Self::Bulk } else { Self::Interactive }
    }
}

/// A link: each has another number within its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LinkId {
    pub(crate) traffic: Traffic,
    number: u64,
}

/// An open link.
#[derive(Clone)]
pub(crate) struct Live {
    pub(crate) id: LinkId,
    pub(crate) connection: MultiplexedConnection,
    /// Whether over it all was said that comes first.
    pub(crate) is_greeted: bool,
}

/// The way for one kind of traffic.
pub(crate) struct Lane {
    traffic: Traffic,
    /// How long what is under way over a broken link may take to end by itself.
    grace: Duration,
    state: RwLock<State>,
    /// The attempt under way, which all callers that find no link share.
    opening: Mutex<Option<Opening>>,
    /// Held by whoever greets, whom the others wait for.
    greets: tokio::sync::Mutex<()>,
    look: Look,
}

type Opening = Shared<BoxFuture<'static, Result<Live, Error>>>;

#[derive(Default)]
struct State {
    /// Counts the links, so that a late failure of an old one does not take the new one down.
    number: u64,
    link: Option<Link>,
    /// Changes whenever all has to be said that comes first over a link, and for which of these times
    /// it was.
    greeting_due: u64,
    greeted: u64,
}

/// An open connection, and the task that reads and writes it.
struct Link {
    connection: MultiplexedConnection,
    driver: AbortHandle,
}

impl Lane {
    pub(crate) fn new(traffic: Traffic, grace: Duration) -> Arc<Self> {
        let (state, opening, greets) = Default::default();
        Arc::new(Self { traffic, grace, state, opening, greets, look: Look::default() })
    }

    pub(crate) fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// What was found out over its link.
    pub(crate) fn look(&self) -> &Look {
        &self.look
    }

    /// The open link.
    pub(crate) fn live(&self) -> Option<Live> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let connection = state.link.as_ref()?.connection.clone();
        let id = LinkId { traffic: self.traffic, number: state.number };
        Some(Live { id, connection, is_greeted: state.greeted == state.greeting_due })
    }

    /// The open link, or a new one.
    pub(crate) async fn link(self: &Arc<Self>, server: &Arc<Server>) -> Result<Live, Error> {
        match self.live() {
            Some(live) => Ok(live),
            None => Box::pin(self.opening(server)).await,
        }
    }

    /// Has the server greeted again over the link that is open.
    pub(crate) fn greet_again(&self) {
        self.state.write().unwrap_or_else(PoisonError::into_inner).greeting_due += 1;
    }

    /// Says what comes first over a link, unless somebody else has meanwhile.
    pub(crate) async fn greet(
        &self,
        greeting: &Arc<dyn Greeting>,
        live: &Live,
    ) -> Result<(), Error> {
        let _one = self.greets.lock().await;
        let due = {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            // The link is broken already: so is what waits for it.
            if state.number != live.id.number || state.greeted == state.greeting_due {
                return Ok(());
            }
            state.greeting_due
        };
        if greeting.greet(Greeted(live.connection.clone())).await? == Done::Now {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            if state.number == live.id.number {
                state.greeted = due;
            }
        }
        Ok(())
    }

    /// Joins the attempt under way or starts one. It runs as a task of its own, so that it goes on
    /// when the callers that wait for it give up.
    fn opening(self: &Arc<Self>, server: &Arc<Server>) -> Opening {
        let mut opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        // One that has ended and is still here has ended in a fault.
        if let Some(opening) = opening.as_ref().filter(|attempt| attempt.peek().is_none()) {
            return opening.clone();
        }
        if let Some(live) = self.live() {
            return std::future::ready(Ok(live)).boxed().shared();
        }
        let attempt = tokio::spawn(Arc::clone(self).open(Arc::clone(server)));
        let ended = |_| Err(Error::Unavailable("the connection attempt was cut off".to_owned()));
        let attempt = attempt.map(move |result| result.unwrap_or_else(ended)).boxed().shared();
        *opening = Some(attempt.clone());
        attempt
    }

    async fn open(self: Arc<Self>, server: Arc<Server>) -> Result<Live, Error> {
        let result = server.open_another().await;
        // Nobody starts another attempt between the two steps: the lock is held for both.
        let mut opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        *opening = None;
        let opened = result.inspect_err(|error| tracing::debug!(%error, "redis connect failed"))?;
        let live = self.install(opened);
        drop(opening);
        server.note_opened(self.traffic);
        Ok(live)
    }

    fn install(self: &Arc<Self>, opened: Opened) -> Live {
        let Opened { connection, driver } = opened;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.number += 1;
        let id = LinkId { traffic: self.traffic, number: state.number };
        let lane: Weak<Self> = Arc::downgrade(self);
        let driver = tokio::spawn(async move {
            driver.await;
            // The server closed the connection: the next command need not find that out.
            if let Some(lane) = lane.upgrade() {
                lane.discard(id);
            }
        });
        state.link = Some(Link { connection: connection.clone(), driver: driver.abort_handle() });
        state.greeting_due += 1;
        Live { id, connection, is_greeted: false }
    }

    /// Takes the open link out of use: something else than a failure says that it is no good.
    pub(crate) fn cut(&self) {
        if let Some(live) = self.live() {
            self.discard(live.id);
        }
    }

    /// Takes a broken link out of use at once. Commands on their way keep it until they end or
    /// give up; then it is cut, whatever the server does.
    pub(crate) fn discard(&self, id: LinkId) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.number != id.number {
            return;
        }
        if let Some(link) = state.link.take() {
            drop(state);
            let grace = self.grace;
            tokio::spawn(async move {
                tokio::time::sleep(grace).await;
                link.driver.abort();
            });
        }
    }
}
