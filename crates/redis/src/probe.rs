//! Why a server cannot be used, found out step by step: a name, a connection, TLS, a password.
//!
//! A connection that fails says so in the words of whichever layer failed. For a person who sets a
//! hub up that is not enough, so each step is taken apart here.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::timeout;

use crate::address::{Address, Endpoint, Location};
use crate::cluster::Cluster;
use crate::{AddressError, Connections, Error, Timeouts, tls};

/// What is wrong with a server, or with its address. No text holds a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The address cannot be read.
    #[error("{0}")]
    Address(String),
    /// Nobody knows the host's name.
    #[error("the name {host} is not known: {reason}")]
    Name {
        /// The name.
        host: String,
        /// What the resolver says.
        reason: String,
    },
    /// The machine is there, and nobody listens at the port, or the socket's file is not there.
    #[error("nobody listens at {0}")]
    Refused(String),
    /// No answer came.
    #[error("{place} does not answer within {} s", limit.as_secs())]
    TimedOut {
        /// Host and port.
        place: String,
        /// How long was waited.
        limit: Duration,
    },
    /// The connection failed in another way.
    #[error("{place} cannot be reached: {reason}")]
    Unreachable {
        /// Host and port.
        place: String,
        /// What the operating system says.
        reason: String,
    },
    /// The server wants TLS, and the address says that there is none.
    #[error("{0} expects TLS")]
    TlsExpected(String),
    /// The address asks for TLS, and the server does not speak it.
    #[error("{0} does not speak TLS")]
    TlsUnexpected(String),
    /// The server's certificate is not one to trust.
    #[error("the certificate of {place} is not trusted: {reason}")]
    Certificate {
        /// Host and port.
        place: String,
        reason: String,
    },
    /// The server wants a password, and there is none.
    #[error("{0} asks for a password")]
    NoPassword(String),
    /// User or password are wrong.
    #[error("{0} does not accept the password")]
    Password(String),
    /// The server answers a greeting with an error.
    #[error("{place} says: {reason}")]
    Refusal {
        /// Host and port.
        place: String,
        /// The server's own words.
        reason: String,
    },
}

/// Connects to a server and greets it. `limit` is for each step.
///
/// # Errors
/// [`Fault`], the first that is met.
///
/// Of a cluster's nodes, and of Sentinels, it is enough that one can be reached; then the whole is
/// greeted. With TLS each server that takes writes has to have a good certificate for the name or
/// the address under which it is announced.
pub async fn probe(address: &str, limit: Duration) -> Result<(), Fault> {
    let unreadable = |error: AddressError| Fault::Address(error.to_string());
    let location = Location::parse(address).map_err(unreadable)?;
    let named = match &location {
        Location::One(one) => std::slice::from_ref(one),
        Location::Cluster(nodes) => nodes.as_slice(),
        Location::Sentinel(sentinels) => sentinels.named(),
    };
    let mut fault = Fault::Address("it names no server".to_owned());
    for node in named {
        match secure(node, limit).await {
            Ok(place) => {
                check_announced(&location, limit).await?;
                return greet_at(address, node, place, limit).await;
            }
            Err(failed) => fault = failed,
        }
    }
    Err(fault)
}

/// Connects, with TLS if the address says so; returns the place.
async fn secure(address: &Address, limit: Duration) -> Result<String, Fault> {
    match &address.endpoint {
        Endpoint::Tcp { host, port } => {
            let place = place(host, *port);
            reach(host, *port, &place, limit).await?;
            Ok(place)
        }
        Endpoint::Tls { host, port } => {
            let place = place(host, *port);
            let stream = reach(host, *port, &place, limit).await?;
            let shaken = within(&place, limit, tls::shake_hands(host, stream)).await;
            let shaken = shaken.and_then(|shaken| shaken.map_err(|it| not_secured(&place, &it)));
            match shaken {
                Ok(_) => Ok(place),
                Err(fault @ Fault::Certificate { .. }) => Err(fault),
                // A server without TLS waits for the end of what it takes for a command.
                Err(_) if timeout(limit, speaks_plainly(host, *port)).await == Ok(true) => {
                    Err(Fault::TlsUnexpected(place))
                }
                Err(fault) => Err(fault),
            }
        }
        Endpoint::Unix(path) => {
            let place = path.display().to_string();
            let connected = within(&place, limit, UnixStream::connect(path)).await?;
            connected.map_err(|error| not_reached(&place, &error))?;
            Ok(place)
        }
    }
}

/// Looks at the certificates of the servers that others name. One that is away is no fault of the
/// address.
async fn check_announced(location: &Location, limit: Duration) -> Result<(), Fault> {
    let announced = match location {
        Location::One(_) => return Ok(()),
        Location::Cluster(nodes) => {
            let timeouts = Timeouts { call: limit * 2, connect: limit };
            let cluster = Arc::new(Cluster::new(nodes.clone(), timeouts));
            timeout(limit, cluster.announced()).await.unwrap_or_default()
        }
        Location::Sentinel(sentinels) => sentinels.announced().await.into_iter().collect(),
    };
    for server in announced.iter().filter(|server| server.is_tls()) {
        let found = secure(server, limit).await;
        if let Err(fault @ (Fault::Certificate { .. } | Fault::TlsUnexpected(_))) = found {
            return Err(fault);
        }
    }
    Ok(())
}

/// Greets all that the address names, of which this node has been reached.
async fn greet_at(
    address: &str,
    node: &Address,
    place: String,
    limit: Duration,
) -> Result<(), Fault> {
    let Err(error) = greet(address, limit).await else { return Ok(()) };
    if let Endpoint::Tcp { host, port } = &node.endpoint
        && matches!(error, Error::Unavailable(_))
        && !is_about_password(&error)
        && timeout(limit, speaks_tls(host, *port)).await.unwrap_or(false)
    {
        return Err(Fault::TlsExpected(place));
    }
    Err(not_greeted(place, &error, node.handshake.password().is_some(), limit))
}

fn place(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Looks the name up and connects.
async fn reach(host: &str, port: u16, place: &str, limit: Duration) -> Result<TcpStream, Fault> {
    let unknown = |reason: String| Fault::Name { host: host.to_owned(), reason };
    let found = within(place, limit, lookup_host((host, port))).await?;
    let addresses: Vec<_> = found.map_err(|error| unknown(error.to_string()))?.collect();
    if addresses.is_empty() {
        return Err(unknown("it has no address".to_owned()));
    }
    let connected = within(place, limit, TcpStream::connect(addresses.as_slice())).await?;
    connected.map_err(|error| not_reached(place, &error))
}

async fn within<T>(
    place: &str,
    limit: Duration,
    step: impl Future<Output = T>,
) -> Result<T, Fault> {
    let late = |_| Fault::TimedOut { place: place.to_owned(), limit };
    timeout(limit, step).await.map_err(late)
}

fn not_reached(place: &str, error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => {
            Fault::Refused(place.to_owned())
        }
        _ => Fault::Unreachable { place: place.to_owned(), reason: error.to_string() },
    }
}

/// What a failed handshake says about the server.
fn not_secured(place: &str, error: &io::Error) -> Fault {
    let within = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match within {
        Some(rustls::Error::InvalidMessage(_)) => Fault::TlsUnexpected(place.to_owned()),
        Some(rustls::Error::InvalidCertificate(_)) => {
            Fault::Certificate { place: place.to_owned(), reason: error.to_string() }
        }
        _ => Fault::Unreachable { place: place.to_owned(), reason: format!("no TLS: {error}") },
    }
}

/// Sends a command on a connection like those that a hub will use.
async fn greet(address: &str, limit: Duration) -> Result<(), Error> {
    let connections = Connections::new(Timeouts { call: limit * 2, connect: limit });
    let connection =
        connections.open(address).map_err(|error| Error::Unavailable(error.to_string()))?;
    connection.execute("PING", Vec::new()).await.map(|_| ())
}

/// Whether an error is about who we are. The client library tells it by words alone.
fn is_about_password(error: &Error) -> bool {
    let text = error.to_string().to_ascii_lowercase();
    ["authentication", "noauth", "wrongpass"].iter().any(|word| text.contains(word))
}

fn not_greeted(place: String, error: &Error, has_password: bool, limit: Duration) -> Fault {
    match error {
        error if is_about_password(error) && has_password => Fault::Password(place),
        error if is_about_password(error) => Fault::NoPassword(place),
        Error::Unavailable(reason) if reason.contains("within") => Fault::TimedOut { place, limit },
        Error::Unavailable(reason) => Fault::Unreachable { place, reason: reason.clone() },
        other => Fault::Refusal { place, reason: other.to_string() },
    }
}

/// Whether somebody answers a command that comes without TLS, if only with a refusal.
async fn speaks_plainly(host: &str, port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect((host, port)).await else { return false };
    let mut first = [0];
    stream.write_all(b"PING\r\n").await.is_ok()
        && stream.read_exact(&mut first).await.is_ok()
        && matches!(&first, b"+" | b"-")
}

/// Whether somebody who is greeted as if there was no TLS answers with TLS all the same.
async fn speaks_tls(host: &str, port: u16) -> bool {
    let Ok(stream) = TcpStream::connect((host, port)).await else { return false };
    match tls::shake_hands(host, stream).await {
        Ok(_) => true,
        // Whoever has a certificate, or complains in the words of TLS, speaks it.
        Err(error) => matches!(
            error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()),
            Some(rustls::Error::InvalidCertificate(_) | rustls::Error::AlertReceived(_))
        ),
    }
}
