//! Publish and subscribe, on connections of their own: what is announced on channels reaches only
//! connections that listen, and such a connection can do nothing else.
//!
//! In a cluster a channel belongs to the node that has its hash tag, where the scripts run that
//! announce on it. Listening there, one hears them in their order, without the detour over the
//! cluster's own connections, which lose what is sent while one of them is down. When slots move
//! to whose channels is listened, the subscription ends, as with a broken connection, and the next one
//! goes to the right nodes. Whoever keeps a subscription for each group of channels
//! ([`Announcements::group_of`]) loses only what lies where something has failed.

use crate::address::{Address, Endpoint, Location};
use crate::cluster::{Cluster, Node, SLOTS, slot_of};
use crate::sentinel::Sentinels;
use crate::{AddressError, Error, Timeouts, link, tls};
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, SelectAll};
use redis::aio::{PubSub, PubSubSink, PubSubStream};
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::sync::mpsc;

/// A map of the cluster that is older is read again before it is trusted.
const MAP_AGE_MAX: Duration = Duration::from_secs(5);
/// Groups of a cluster's channels: enough that most of them lie on one node each.
const GROUPS: u16 = 16;

/// Where to listen. Nothing is opened yet.
#[derive(Clone)]
pub struct Announcements {
    place: Place,
    timeouts: Timeouts,
}

#[derive(Clone)]
enum Place {
    One(Address),
    Announced(Arc<Sentinels>),
    Cluster(Arc<Cluster>),
}

/// Says to which channels is listened.
pub struct Subscriber {
    kind: Kind,
    timeouts: Timeouts,
}

enum Kind {
    One(PubSubSink),
    Announced(PubSubSink, Address, Arc<Sentinels>),
    Cluster(Nodes),
}

/// The nodes of a cluster to which is listened; `streams` takes one for each.
struct Nodes {
    cluster: Arc<Cluster>,
    generation: u64,
    /// Where the slots lay to whose channels is, or was, listened.
    slots: HashMap<u16, Arc<Node>>,
    sinks: Vec<(Arc<Node>, PubSubSink)>,
    streams: mpsc::UnboundedSender<PubSubStream>,
}

/// What is announced, in the order in which the server carried it out.
pub struct Messages {
    source: Source,
}

enum Source {
    One(PubSubStream),
    Cluster {
        /// Those of nodes to which is listened from now on.
        arriving: mpsc::UnboundedReceiver<PubSubStream>,
        all: SelectAll<BoxStream<'static, Heard>>,
    },
}

/// A message, or nothing at the end of a stream.
type Heard = Option<redis::Msg>;

/// A connection that listens.
pub(crate) struct Listening {
    pub(crate) sink: PubSubSink,
    pub(crate) stream: PubSubStream,
}

/// One announcement.
#[derive(Debug)]
pub struct Message {
    /// The channel's name.
    pub channel: String,
    /// What was published.
    pub payload: Vec<u8>,
}

impl Announcements {
    /// Of a server or a cluster; addresses as for
    /// [`Connections::open`](crate::Connections::open).
    ///
    /// # Errors
    /// [`AddressError`] when the address cannot be read.
    pub fn new(address: &str, timeouts: Timeouts) -> Result<Self, AddressError> {
        let place = match Location::parse(address)? {
            Location::One(address) => Place::One(address),
            Location::Sentinel(sentinels) => Place::Announced(sentinels),
            Location::Cluster(seeds) => Place::Cluster(Arc::new(Cluster::new(seeds, timeouts))),
        };
        Ok(Self { place, timeouts })
    }

    /// How many groups of channels there are that lie apart.
    #[must_use]
    pub fn groups(&self) -> usize {
        match &self.place {
            Place::Cluster(_) => usize::from(GROUPS),
            Place::One(_) | Place::Announced(_) => 1,
        }
    }

    /// In which of these groups a channel is: neighbouring slots, which mostly lie on one node.
    #[must_use]
    pub fn group_of(&self, channel: &str) -> usize {
        match &self.place {
            Place::Cluster(_) => usize::from(slot_of(channel.as_bytes()) / (SLOTS / GROUPS)),
            Place::One(_) | Place::Announced(_) => 0,
        }
    }

    /// Opens a connection, within [`Timeouts::connect`]. To a cluster's nodes it opens them as
    /// they are needed.
    ///
    /// # Errors
    /// [`Error::Unavailable`], or what the server said to the introduction.
    pub async fn open(&self) -> Result<(Subscriber, Messages), Error> {
        let timeouts = self.timeouts;
        let (kind, source) = match &self.place {
            Place::One(address) => {
                let Listening { sink, stream } = listen(address, timeouts).await?;
                (Kind::One(sink), Source::One(stream))
            }
            Place::Announced(sentinels) => {
                let address = within(timeouts.connect, sentinels.primary()).await?;
                let Listening { sink, stream } = listen(&address, timeouts).await?;
                let kind = Kind::Announced(sink, address, Arc::clone(sentinels));
                (kind, Source::One(stream))
            }
            Place::Cluster(cluster) => {
                let generation = within(timeouts.connect, cluster.generation(MAP_AGE_MAX)).await?;
                let (streams, arriving) = mpsc::unbounded_channel();
                let cluster = Arc::clone(cluster);
                let (slots, sinks) = (HashMap::new(), Vec::new());
                let nodes = Nodes { cluster, generation, slots, sinks, streams };
                (Kind::Cluster(nodes), Source::Cluster { arriving, all: SelectAll::new() })
            }
        };
        Ok((Subscriber { kind, timeouts }, Messages { source }))
    }
}

/// Opens a connection for listening, within [`Timeouts::connect`].
pub(crate) async fn listen(address: &Address, timeouts: Timeouts) -> Result<Listening, Error> {
    let limit = timeouts.connect;
    let opened = tokio::time::timeout(limit, connect(address)).await;
    let unavailable = |_| Error::Unavailable(format!("no connection within {limit:?}"));
    let (sink, stream) = opened.map_err(unavailable)??.split();
    Ok(Listening { sink, stream })
}

async fn connect(address: &Address) -> Result<PubSub, Error> {
    let handshake = &address.handshake;
    let opened = match &address.endpoint {
        Endpoint::Tcp { host, port } => {
            let stream = link::connect_tcp(host, *port).await.map_err(link::not_connected)?;
            PubSub::new(handshake, stream).await
        }
        Endpoint::Tls { host, port } => {
            PubSub::new(handshake, tls::connect(host, *port).await?).await
        }
        Endpoint::Unix(path) => {
            let stream = UnixStream::connect(path).await.map_err(link::not_connected)?;
            PubSub::new(handshake, stream).await
        }
    };
    opened.map_err(|error| Error::from_client(&error))
}

impl Subscriber {
    /// Listens to more channels. When this returns, nothing published from now on is missed
    /// while the connection lasts.
    ///
    /// # Errors
    /// [`Error`]; the connection should not be used any more.
    pub async fn subscribe(&mut self, channels: &[String]) -> Result<(), Error> {
        let limit = self.timeouts.call;
        match &mut self.kind {
            Kind::One(sink) | Kind::Announced(sink, ..) => {
                within(limit, said(sink.subscribe(channels))).await
            }
            Kind::Cluster(nodes) => {
                within(limit, nodes.check()).await?;
                for (node, channels) in within(limit, nodes.sort(channels)).await? {
                    let sink = nodes.sink(&node, self.timeouts).await?;
                    within(limit, said(sink.subscribe(&channels))).await?;
                }
                // What moved meanwhile may have been announced elsewhere.
                within(limit, nodes.check()).await
            }
        }
    }

    /// Listens to some channels no longer.
    ///
    /// # Errors
    /// As [`Subscriber::subscribe`].
    pub async fn unsubscribe(&mut self, channels: &[String]) -> Result<(), Error> {
        let limit = self.timeouts.call;
        match &mut self.kind {
            Kind::One(sink) | Kind::Announced(sink, ..) => {
                within(limit, said(sink.unsubscribe(channels))).await
            }
            Kind::Cluster(nodes) => {
                within(limit, nodes.check()).await?;
                for (node, channels) in within(limit, nodes.sort(channels)).await? {
                    let sink = nodes.sink(&node, self.timeouts).await?;
                    within(limit, said(sink.unsubscribe(&channels))).await?;
                }
                Ok(())
            }
        }
    }

    /// Asks whether the server is still there, and still the right one: a connection that only
    /// listens would not notice.
    ///
    /// # Errors
    /// As [`Subscriber::subscribe`].
    pub async fn ping(&mut self) -> Result<(), Error> {
        let limit = self.timeouts.call;
        match &mut self.kind {
            Kind::One(sink) => within(limit, pinged(sink)).await,
            Kind::Announced(sink, address, sentinels) => {
                within(limit, pinged(sink)).await?;
                let moved = || Error::Unavailable("another server is the primary now".to_owned());
                sentinels.is_current(address).then_some(()).ok_or_else(moved)
            }
            Kind::Cluster(nodes) => {
                within(limit, nodes.check()).await?;
                for (_, sink) in &mut nodes.sinks {
                    within(limit, pinged(sink)).await?;
                }
                Ok(())
            }
        }
    }
}

impl Nodes {
    /// Fails once slots have moved to whose channels is listened.
    async fn check(&mut self) -> Result<(), Error> {
        let generation = self.cluster.generation(MAP_AGE_MAX).await?;
        if generation != self.generation {
            for (slot, node) in &self.slots {
                if !Arc::ptr_eq(&self.cluster.owner(*slot).await?, node) {
                    let words = "slots of the Redis Cluster have moved";
                    return Err(Error::Unavailable(words.to_owned()));
                }
            }
            self.generation = generation;
        }
        Ok(())
    }

    /// Channels by the nodes that have them.
    async fn sort(&mut self, channels: &[String]) -> Result<Vec<(Arc<Node>, Vec<String>)>, Error> {
        let mut sorted: Vec<(Arc<Node>, Vec<String>)> = Vec::new();
        for channel in channels {
            let slot = slot_of(channel.as_bytes());
            let owner = self.cluster.owner(slot).await?;
            self.slots.insert(slot, Arc::clone(&owner));
            match sorted.iter_mut().find(|(node, _)| Arc::ptr_eq(node, &owner)) {
                Some((_, channels)) => channels.push(channel.clone()),
                None => sorted.push((owner, vec![channel.clone()])),
            }
        }
        Ok(sorted)
    }

    async fn sink(
        &mut self,
        node: &Arc<Node>,
        timeouts: Timeouts,
    ) -> Result<&mut PubSubSink, Error> {
        let gone = || Error::Unavailable("nobody listens any more".to_owned());
        if !self.sinks.iter().any(|(known, _)| Arc::ptr_eq(known, node)) {
            let opened = listen(&node.address, timeouts).await;
            let Listening { sink, stream } = opened.inspect_err(|_| self.cluster.suspect(node))?;
            self.streams.send(stream).map_err(|_| gone())?;
            self.sinks.push((Arc::clone(node), sink));
        }
        let sink = self.sinks.iter_mut().find(|(known, _)| Arc::ptr_eq(known, node));
        sink.map(|(_, sink)| sink).ok_or_else(gone)
    }
}

async fn pinged(sink: &mut PubSubSink) -> Result<(), Error> {
    said(sink.ping::<redis::Value>()).await.map(|_| ())
}

async fn said<T>(call: impl Future<Output = redis::RedisResult<T>>) -> Result<T, Error> {
    call.await.map_err(|error| Error::from_client(&error))
}

async fn within<T>(
    limit: Duration,
    step: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let late = |_| Error::Unavailable(format!("no answer within {limit:?}"));
    tokio::time::timeout(limit, step).await.map_err(late)?
}

impl Messages {
    /// The next announcement; `None` when the connection has ended, or that to one node.
    pub async fn next(&mut self) -> Option<Message> {
        let message = match &mut self.source {
            Source::One(stream) => stream.next().await?,
            Source::Cluster { arriving, all } => loop {
                tokio::select! {
                    // `None` of no streams at all is no end.
                    Some(heard) = all.next() => break heard?,
                    stream = arriving.recv() => {
                        let end = futures_util::stream::once(async { None });
                        all.push(stream?.map(Some).chain(end).boxed());
                    }
                }
            },
        };
        let channel = message.get_channel_name().to_owned();
        Some(Message { channel, payload: message.get_payload_bytes().to_vec() })
    }
}

// Without the address, which may hold a password.
impl fmt::Debug for Announcements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Announcements").field("timeouts", &self.timeouts).finish_non_exhaustive()
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber").finish_non_exhaustive()
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").finish_non_exhaustive()
    }
}
