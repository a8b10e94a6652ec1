//! One open connection to the server, and the attempt to open it.

use crate::address::{Address, Endpoint};
use crate::{Error, tls};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use std::io;
use std::time::Duration;
use tokio::net::{TcpStream, UnixStream};

/// How many commands may wait for the task that writes them out. Above the number of requests a
/// host serves at once, so that none of them waits for a place.
const QUEUE_LEN: usize = 1024;

/// A connection that has just been opened.
pub(crate) struct Opened {
    /// The end into which the commands of all callers go, one behind the other.
    pub(crate) connection: MultiplexedConnection,
    /// Reads and writes; it ends when the server closes the connection.
    pub(crate) driver: BoxFuture<'static, ()>,
}

/// Connects and introduces itself to the server, within `limit`.
pub(crate) async fn open(address: &Address, limit: Duration) -> Result<Opened, Error> {
    match tokio::time::timeout(limit, connect(address)).await {
        Ok(result) => result,
        Err(_) => Err(Error::Unavailable(format!("no connection within {limit:?}"))),
    }
}

async fn connect(address: &Address) -> Result<Opened, Error> {
    match &address.endpoint {
        Endpoint::Tcp { host, port } => {
            let stream = connect_tcp(host, *port).await.map_err(not_connected)?;
            introduce(address, stream).await
        }
        Endpoint::Tls { host, port } => introduce(address, tls::connect(host, *port).await?).await,
        Endpoint::Unix(path) => {
            let stream = UnixStream::connect(path).await.map_err(not_connected)?;
            introduce(address, stream).await
        }
    }
}

/// Connects; small writes are sent at once.
pub(crate) async fn connect_tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((host, port)).await?;
    // A command is one small write whose answer is waited for.
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn introduce<S>(address: &Address, stream: S) -> Result<Opened, Error>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    // Every call has a deadline of its own that includes connecting, so the client's are off.
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None)
        .set_pipeline_buffer_size(QUEUE_LEN);
    let (connection, driver) =
        MultiplexedConnection::new_with_config(&address.handshake, stream, config)
            .await
            .map_err(|error| Error::from_client(&error))?;
    Ok(Opened { connection, driver: driver.boxed() })
}

/// The error for a connection that could not be made.
pub(crate) fn not_connected(error: io::Error) -> Error {
    Error::Unavailable(format!("cannot connect: {error}"))
}
