//! A connection of its own for publish and subscribe: what is announced on channels reaches only
//! connections that listen, and such a connection can do nothing else.

use crate::address::{Address, Endpoint};
use crate::{AddressError, Error, Timeouts, link, tls};
use futures_util::StreamExt;
use redis::aio::{PubSub, PubSubSink, PubSubStream};
use std::fmt;
use std::future::Future;
use tokio::net::UnixStream;

/// Where to listen. Nothing is opened yet.
#[derive(Clone)]
pub struct Announcements {
    address: Address,
    timeouts: Timeouts,
}

/// Says to which channels the connection listens.
pub struct Subscriber {
    sink: PubSubSink,
    timeouts: Timeouts,
}

/// What is announced, in the order in which the server carried it out.
pub struct Messages {
    stream: PubSubStream,
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
    /// Of a server; addresses as for [`Connections::open`](crate::Connections::open).
    ///
    /// # Errors
    /// [`AddressError`] when the address cannot be read.
    pub fn new(address: &str, timeouts: Timeouts) -> Result<Self, AddressError> {
        Ok(Self { address: Address::parse(address)?, timeouts })
    }

    /// Opens a connection, within [`Timeouts::connect`].
    ///
    /// # Errors
    /// [`Error::Unavailable`], or what the server said to the introduction.
    pub async fn open(&self) -> Result<(Subscriber, Messages), Error> {
        let limit = self.timeouts.connect;
        let opened = tokio::time::timeout(limit, self.connect()).await;
        let unavailable = |_| Error::Unavailable(format!("no connection within {limit:?}"));
        let (sink, stream) = opened.map_err(unavailable)??.split();
        Ok((Subscriber { sink, timeouts: self.timeouts }, Messages { stream }))
    }

    async fn connect(&self) -> Result<PubSub, Error> {
        let handshake = &self.address.handshake;
        let opened = match &self.address.endpoint {
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
}

impl Subscriber {
    /// Listens to more channels. When this returns, nothing published from now on is missed
    /// while the connection lasts.
    ///
    /// # Errors
    /// [`Error`]; the connection should not be used any more.
    pub async fn subscribe(&mut self, channels: &[String]) -> Result<(), Error> {
        within(self.timeouts, self.sink.subscribe(channels)).await
    }

    /// Listens to some channels no longer.
    ///
    /// # Errors
    /// As [`Subscriber::subscribe`].
    pub async fn unsubscribe(&mut self, channels: &[String]) -> Result<(), Error> {
        within(self.timeouts, self.sink.unsubscribe(channels)).await
    }

    /// Asks whether the server is still there: a connection that only listens would not notice.
    ///
    /// # Errors
    /// As [`Subscriber::subscribe`].
    pub async fn ping(&mut self) -> Result<(), Error> {
        within(self.timeouts, self.sink.ping::<redis::Value>()).await.map(|_| ())
    }
}

async fn within<T>(
    timeouts: Timeouts,
    call: impl Future<Output = redis::RedisResult<T>>,
) -> Result<T, Error> {
    let limit = timeouts.call;
    match tokio::time::timeout(limit, call).await {
        Ok(result) => result.map_err(|error| Error::from_client(&error)),
        Err(_) => Err(Error::Unavailable(format!("no answer within {limit:?}"))),
    }
}

impl Messages {
    /// The next announcement; `None` when the connection has ended.
    pub async fn next(&mut self) -> Option<Message> {
        let message = self.stream.next().await?;
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
