//! Accepts connections, turns away those for which there is no room, and drains them at the end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::connections::{Connection, Connections, UnderWay};
use super::peers::Peer;
use super::service::Service;
use super::stall::Patient;
use super::{AnswerBody, problem};
use crate::config::Limits;
use crate::metrics;

/// Connections that wait in the kernel until they are accepted.
const BACKLOG: u32 = 1024;
/// How long a client may take for the head of a request, which is also how long a connection may
/// rest between two requests: above the 30 s at which slow agents send heartbeats, so that they
/// can keep their connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// Most bytes that wait for a client beside the kernel's buffers, and the longest head of a
/// request.
const BUFFER_BYTES: usize = 64 << 10;
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
    limits: Limits,
    stop: impl Future<Output = ()>,
) {
    let graceful = GracefulShutdown::new();
    let accepting = accept_all(&listener, &service, limits, &graceful);
    tokio::select! {
        never = accepting => match never {},
        () = stop => {}
    }
    // From here on new clients are refused by the kernel and find another host.
    drop(listener);
    let open = graceful.count();
    tracing::info!(connections = open, "finishing the requests under way");
    let drain = limits.drain_timeout;
    if tokio::time::timeout(drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests took longer than {drain:?} and are cut off");
    }
}

enum Never {}

async fn accept_all(
    listener: &TcpListener,
    service: &Arc<Service>,
    limits: Limits,
    graceful: &GracefulShutdown,
) -> Never {
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
                    metrics::refusal("connections").increment(1);
                    if let Ok(turn) = Arc::clone(&turning_away).try_acquire_owned() {
                        tokio::spawn(async move {
                            turn_away(stream).await;
                            drop(turn);
                        });
                    }
                    continue;
                };
                let stream = Patient::new(stream, limits.send_timeout, place.lingers());
                tokio::spawn(connection(
                    stream,
                    peer,
                    Arc::clone(service),
                    graceful.watcher(),
                    place,
                ));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(
    stream: Patient<TcpStream>,
    peer: SocketAddr,
    service: Arc<Service>,
    watcher: Watcher,
    place: Connection,
) {
    let open = metrics::connections();
    open.increment(1.0);
    let answer = service_fn(|request| {
        let (service, under_way) = (Arc::clone(&service), place.begin());
        async move {
            let answer = service.answer(request, peer, &under_way).await;
            Ok::<_, Infallible>(answer.map(|body| Sending { body, _under_way: under_way }))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), answer);
    let ended = tokio::select! {
        ended = watcher.watch(connection) => ended,
        () = place.until_not_needed() => Ok(()),
    };
    if let Err(error) = ended {
        tracing::debug!(%error, %peer, "a connection has ended early");
    }
    open.decrement(1.0);
    drop(place);
}

/// The body of an answer; the request is under way until it is sent.
struct Sending {
    body: AnswerBody,
    _under_way: UnderWay,
}

impl Body for Sending {
    type Data = Bytes;
    type Error = anyhow::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, anyhow::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Says that there is no room, and listens for a moment lest the answer is lost.
async fn turn_away(mut stream: TcpStream) {
    let told = async {
        stream.write_all(&problem::no_room_for_connection()).await?;
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
