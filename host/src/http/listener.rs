//! Accepts connections, turns away those for which there is no room, and drains them at the end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

use super::client::Client;
use super::connections::{Connection, Connections};
use super::peers::Peer;
use super::problem;
use super::sending::{Sending, Streams};
use super::service::Service;
use super::stall::Patient;
use super::tls::{self, Tls};
use crate::config::Limits;
use crate::metrics::{self, Refusal};

/// Connections that wait in the kernel until they are accepted.
const BACKLOG: u32 = 1024;
/// How long a client may take for the head of a request, which is also how long a connection may
/// rest between two requests: above the 30 s at which slow agents send heartbeats, so that they
/// can keep their connection.
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// Most bytes that wait for a client beside the kernel's buffers, and the longest head of a
/// request.
const BUFFER_BYTES: usize = 64 << 10;
/// Requests under way on one connection of HTTP/2: some more than the event streams that an agent may
/// have open on a host.
const H2_STREAMS_MAX: u32 = 128;
/// The longest head of a request there, as it counts them; the same as for HTTP/1.1.
const H2_HEAD_BYTES: u32 = 64 << 10;
/// What a client may send of one body, and of all, before somebody reads it.
const H2_STREAM_WINDOW: u32 = 64 << 10;
const H2_CONNECTION_WINDOW: u32 = 256 << 10;
/// Streams that a client opens and resets at once, or makes us reset, before its connection ends:
/// each costs us more than it.
const H2_RESETS_MAX: usize = 64;
/// How often a client of HTTP/2 is asked whether it is there.
const H2_PING_EACH: Duration = Duration::from_secs(20);
/// Connections that are being told that there is no room; further ones are closed without a word.
const TURNED_AWAY_MAX: usize = 64;
/// How long one of them is listened to, so that it hears the answer.
const TURN_AWAY_TIME: Duration = Duration::from_secs(1);
/// The pause after a failed accept. The usual reason is too many open files, and then more
/// attempts only heat the machine.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Takes the first of some addresses that can be had.
pub(crate) fn bind(addresses: &[SocketAddr]) -> Result<TcpListener> {
    let mut failure = None;
    for address in addresses {
        match bind_one(*address) {
            Ok(listener) => return Ok(listener),
            Err(error) => failure = Some((address, error)),
        }
    }
    match failure {
        Some((address, error)) if error.kind() == io::ErrorKind::AddrInUse => {
            anyhow::bail!(
                "cannot listen on {address}: something does already, perhaps another hub. \
                 `--listen 127.0.0.1:0` takes any free port, `--listen 127.0.0.1:PORT` another one"
            )
        }
        Some((address, error)) => Err(error).with_context(|| format!("cannot listen on {address}")),
        None => anyhow::bail!("there is no address to listen on"),
    }
}

fn bind_one(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A hub that is started again must not wait until old connections are forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `stop` completes, then finishes the requests under way, as long as they may take.
pub(crate) async fn serve(
    listener: TcpListener,
    service: Arc<Service>,
    tls: Option<Arc<Tls>>,
    limits: Limits,
    stop: impl Future<Output = ()>,
) {
    // Each connection holds one receiver.
    let (stopping, hear) = watch::channel(false);
    let accepting = accept_all(&listener, Door { service, tls, limits }, hear);
    tokio::select! {
        never = accepting => match never {},
        () = stop => {}
    }
    // From here on new clients are refused by the kernel and find another host.
    drop(listener);
    tracing::info!(connections = stopping.receiver_count(), "finishing the requests under way");
    stopping.send_replace(true);
    let drain = limits.drain_timeout;
    if tokio::time::timeout(drain, stopping.closed()).await.is_err() {
        tracing::warn!("some requests took longer than {drain:?} and are cut off");
    }
}

enum Never {}

/// What each connection needs.
#[derive(Debug, Clone)]
struct Door {
    service: Arc<Service>,
    tls: Option<Arc<Tls>>,
    limits: Limits,
}

async fn accept_all(listener: &TcpListener, door: Door, stopping: watch::Receiver<bool>) -> Never {
    let limits = door.limits;
    let connections = Connections::new(limits.connections_max, limits.connections_per_address);
    let turning_away = Arc::new(Semaphore::new(TURNED_AWAY_MAX));
    let _sweep = Aborts(tokio::spawn(Arc::clone(&connections).sweep()));
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Else the second half of an answer that is written in two waits up to 40 ms for
                // the client's acknowledgement of the first.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY");
                }
                let Some(place) = connections.open(Peer::of(peer)) else {
                    metrics::refusal(Refusal::Connections).increment(1);
                    // Without a handshake nothing can be said.
                    if door.tls.is_none()
                        && let Ok(turn) = Arc::clone(&turning_away).try_acquire_owned()
                    {
                        tokio::spawn(async move {
                            turn_away(stream, problem::no_room_for_connection()).await;
                            drop(turn);
                        });
                    }
                    continue;
                };
                tokio::spawn(door.clone().open(stream, peer, place, stopping.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

impl Door {
    async fn open(
        self,
        stream: TcpStream,
        peer: SocketAddr,
        place: Connection,
        mut stopping: watch::Receiver<bool>,
    ) {
        let open = metrics::connections();
        open.increment(1.0);
        let client = Client { address: peer, is_tls: self.tls.is_some(), certificate: None };
        let patient = |stream| Patient::new(stream, self.limits.send_timeout, place.lingers());
        match &self.tls {
            None => self.connection(patient(stream), client, false, &place, &mut stopping).await,
            Some(tls) => {
                let shaken = tokio::select! {
                    shaken = timeout(tls::HANDSHAKE_TIMEOUT, greet(tls, stream, patient)) => shaken,
                    () = place.until_not_needed() => Ok(None),
                    _ = stopping.wait_for(|stops| *stops) => Ok(None),
                };
                if let Ok(Some(stream)) = shaken {
                    let (_, session) = stream.get_ref();
                    let name = session.peer_certificates().and_then(tls::name_of);
                    let certificate = name.and_then(|name| self.service.credential_of(&name));
                    let is_h2 = session.alpn_protocol() == Some(b"h2");
                    let client = Client { certificate, ..client };
                    self.connection(stream, client, is_h2, &place, &mut stopping).await;
                }
            }
        }
        open.decrement(1.0);
    }

    /// Answers what comes over a connection, until it ends.
    async fn connection<S>(
        &self,
        stream: S,
        client: Client,
        is_h2: bool,
        place: &Connection,
        stopping: &mut watch::Receiver<bool>,
    ) where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let peer = client.address;
        let client = Arc::new(client);
        let answer = service_fn(|request| {
            let (service, under_way) = (Arc::clone(&self.service), place.begin());
            let client = Arc::clone(&client);
            async move {
                let answer = service.answer(request, &client, &under_way).await;
                Ok::<_, Infallible>(answer.map(|body| Sending::new(body, Some(under_way))))
            }
        });
        let builder = protocol(is_h2, self.limits.send_timeout);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), answer));
        let mut is_leaving = false;
        let ended = loop {
            tokio::select! {
                ended = connection.as_mut() => break ended,
                () = place.until_not_needed() => break Ok(()),
                _ = stopping.wait_for(|stops| *stops), if !is_leaving => {}
                () = place.until_told_to_leave(), if !is_leaving => {}
            }
            is_leaving = true;
            connection.as_mut().graceful_shutdown();
        };
        if let Err(error) = ended {
            tracing::debug!(error, %peer, "a connection has ended early");
        }
    }
}

/// HTTP/1.1 or HTTP/2, with a bound on all that a client can make us keep or do.
fn protocol(is_h2: bool, send_timeout: Duration) -> Builder<Streams> {
    let mut builder = Builder::new(Streams(send_timeout));
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(BUFFER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(H2_STREAMS_MAX)
        .max_header_list_size(H2_HEAD_BYTES)
        .initial_stream_window_size(H2_STREAM_WINDOW)
        .initial_connection_window_size(H2_CONNECTION_WINDOW)
        .max_send_buf_size(BUFFER_BYTES)
        .max_pending_accept_reset_streams(H2_RESETS_MAX)
        .max_local_error_reset_streams(H2_RESETS_MAX)
        .keep_alive_interval(H2_PING_EACH)
        .keep_alive_timeout(send_timeout);
    if is_h2 { builder.http2_only() } else { builder.http1_only() }
}

/// Shakes hands; `None` for a client that does not, which is told so if it speaks HTTP.
async fn greet(
    tls: &Tls,
    stream: TcpStream,
    patient: impl Fn(TcpStream) -> Patient<TcpStream>,
) -> Option<TlsStream<Patient<TcpStream>>> {
    let shaken = match tls::begins_handshake(&stream).await {
        Ok(true) => tls.shake_hands(patient(stream)).await,
        Ok(false) => {
            metrics::refusal(Refusal::Tls).increment(1);
            turn_away(stream, problem::wants_tls()).await;
            return None;
        }
        Err(error) => Err(error),
    };
    let refused = |error: &io::Error| {
        metrics::refusal(Refusal::Tls).increment(1);
        tracing::debug!(%error, "no handshake");
    };
    shaken.inspect_err(refused).ok()
}

/// Says why nothing else is answered, and listens for a moment lest that is lost.
async fn turn_away(mut stream: TcpStream, answer: Vec<u8>) {
    let told = async {
        stream.write_all(&answer).await?;
        stream.shutdown().await?;
        let mut space = [0; 1024];
        while stream.read(&mut space).await? > 0 {}
        io::Result::Ok(())
    };
    // It may be gone, or not listen: either is its own affair.
    let _ = tokio::time::timeout(TURN_AWAY_TIME, told).await;
}

/// Ends a task when it is dropped.
struct Aborts(JoinHandle<()>);

impl Drop for Aborts {
    fn drop(&mut self) {
        self.0.abort();
    }
}
