//! The shared connection, whatever stands behind it: one server, or the nodes of a cluster.

use crate::address::{AddressError, Location};
use crate::cluster::Cluster;
use crate::durable::{Facts, Touched};
use crate::greeting::Greeting;
use crate::lane::Traffic;
use crate::replication::ByteStream;
use crate::server::{FUNCTION_CALL, Origin, Server};
use crate::{Error, refusal};
use futures_util::future::try_join_all;
use reef_store::packed::{Packed, pack_reply};
use reef_store::{RedisError, Reply};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

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
    /// Addresses are `redis://[user:password@]host[:port][/db]`,
    /// `redis+cluster://[user:password@]host[:port],…`,
    /// `redis+sentinel://[user:password@]host[:port],…/service[/db]`, the same with `rediss` for
    /// TLS, and `redis+unix:///path` (or `unix:///path`, both with `?db=`, `?user=` and `?pass=`).
    ///
    /// # Errors
    /// [`AddressError`] when the address cannot be read.
    pub fn open(&self, address: &str) -> Result<Connection, AddressError> {
        let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = by_address.get(address) {
            return Ok(connection.clone());
        }
        let connection = Connection::to(Location::parse(address)?, self.timeouts);
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

/// The connection to a server or a cluster. Clones share it.
#[derive(Clone)]
pub struct Connection {
    way: Way,
    timeouts: Timeouts,
    /// Takes in what is written to.
    touched: Option<Touched>,
}

#[derive(Clone)]
enum Way {
    /// To one server, which is also what Sentinels name.
    Direct(Arc<Server>),
    /// To whichever node has the key.
    Routed(Arc<Cluster>),
}

impl Connection {
    fn to(location: Location, timeouts: Timeouts) -> Self {
        let way = match location {
            Location::One(address) => {
                Way::Direct(Arc::new(Server::new(Origin::Fixed(address), timeouts)))
            }
            Location::Sentinel(sentinels) => {
                Way::Direct(Arc::new(Server::new(Origin::Announced(sentinels), timeouts)))
            }
            Location::Cluster(seeds) => Way::Routed(Arc::new(Cluster::new(seeds, timeouts))),
        };
        Self { way, timeouts, touched: None }
    }

    /// The same connection, for a request of which is to be known what it writes to.
    #[must_use]
    pub fn noting(&self, touched: &Touched) -> Self {
        Self { touched: Some(touched.clone()), ..self.clone() }
    }

    fn call(&self) -> Call<'_> {
        let limit = self.timeouts.call;
        let (deadline, touched) = (Instant::now() + limit, self.touched.as_ref());
        Call { limit, deadline, asking: false, touched }
    }

    /// From now on no script is sent over a new connection before this was said. The first one that
    /// is given stays.
    pub fn greet_with(&self, greeting: Arc<dyn Greeting>) {
        match &self.way {
            Way::Direct(server) => server.greet_with(greeting),
            Way::Routed(cluster) => cluster.greet_with(&greeting),
        }
    }

    /// Sends one command and waits for its flat reply, for [`Timeouts::call`] at most.
    ///
    /// `EVAL` is sent as `EVALSHA` where the server knows the script. A connection that broke is
    /// opened again by the next command; no command is ever sent twice, because the server may
    /// have carried it out. Only a refusal with the address of another node is followed.
    ///
    /// # Errors
    /// [`Error`]; its text is fit for a component, and never holds the address.
    pub async fn execute(
        &self,
        command: &str,
        mut args: Vec<Vec<u8>>,
    ) -> Result<Vec<Reply>, Error> {
        if let Some(reason) = refusal(command, &args) {
            return Err(Error::Refused(reason));
        }
        let call = self.call();
        match &self.way {
            Way::Direct(server) => server.execute(command, &mut args, call).await,
            // Boxed because it is rare: it would make the future of every command larger.
            Way::Routed(cluster) => Box::pin(cluster.execute(command, args, call)).await,
        }
    }

    /// The same for words and reply in a buffer each. A call of a function on one server, which nearly
    /// every command of the hub is, is not taken apart on its way.
    ///
    /// # Errors
    /// [`Error`], as for [`Connection::execute`].
    pub async fn execute_packed(&self, words: &Packed) -> Result<Packed, Error> {
        let mut items = words.iter();
        let name = items.next().and_then(|name| std::str::from_utf8(name).ok());
        let name = name.ok_or(Error::Refused("a command has no name"))?;
        let reply = match &self.way {
            Way::Direct(server) if name == FUNCTION_CALL => {
                server.call_function(items, self.call()).await?
            }
            _ => Box::pin(self.execute(name, items.map(<[u8]>::to_vec).collect())).await?,
        };
        Ok(pack_reply(&reply))
    }

    /// A connection to each server that takes writes: this one, or those of the cluster's
    /// primaries. For questions about servers, which a cluster does not answer as a whole.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where no node of the cluster tells which there are.
    pub async fn primaries(&self) -> Result<Vec<Self>, Error> {
        match &self.way {
            Way::Direct(_) => Ok(vec![self.clone()]),
            Way::Routed(cluster) => {
                let servers = cluster.primaries().await?.into_iter();
                let direct = |server| Self { way: Way::Direct(server), ..self.clone() };
                Ok(servers.map(direct).collect())
            }
        }
    }

    /// Opens a connection of bytes beside the shared one, for who speaks the replication protocol.
    ///
    /// # Errors
    /// [`Error`], also for a cluster as a whole: its servers are asked one by one
    /// ([`Connection::primaries`]).
    pub async fn open_bytes(&self) -> Result<Box<dyn ByteStream>, Error> {
        match &self.way {
            Way::Direct(server) => server.open_bytes().await,
            Way::Routed(_) => Err(Error::Refused("a cluster is several servers")),
        }
    }

    /// The number of the database that the address names.
    #[must_use]
    pub fn database(&self) -> i64 {
        match &self.way {
            Way::Direct(server) => server.database(),
            Way::Routed(_) => 0,
        }
    }

    /// Whether a replica takes the place of a server that is gone, without anybody being asked.
    #[must_use]
    pub fn fails_over(&self) -> bool {
        match &self.way {
            Way::Direct(server) => server.is_announced(),
            Way::Routed(_) => true,
        }
    }

    /// What each server that takes writes says of where these go, not longer ago than `age`. From
    /// then on it is looked at whenever a connection has been opened.
    ///
    /// # Errors
    /// [`Error`] where one of them does not say it.
    pub async fn facts(&self, age: Duration) -> Result<Vec<Arc<Facts>>, Error> {
        let servers = match &self.way {
            Way::Direct(server) => vec![Arc::clone(server)],
            Way::Routed(cluster) => cluster.primaries().await?,
        };
        let facts = servers
            .iter()
            .map(|server| async { Ok(server.facts(Traffic::Interactive, age).await?.1) });
        try_join_all(facts).await
    }

    /// Whether keys lie on several servers, which hold together only what has the same hash tag.
    #[must_use]
    pub fn is_cluster(&self) -> bool {
        matches!(self.way, Way::Routed(_))
    }
}

/// One call: how long it may take, and whether the server is to be asked for a key that is about
/// to become its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) limit: Duration,
    pub(crate) deadline: Instant,
    pub(crate) asking: bool,
    /// Takes in what is written to.
    pub(crate) touched: Option<&'a Touched>,
}

impl reef_store::Redis for Connection {
    async fn execute(&self, command: &str, args: Vec<Vec<u8>>) -> Result<Vec<Reply>, RedisError> {
        Ok(self.execute(command, args).await?)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("timeouts", &self.timeouts).finish_non_exhaustive()
    }
}
