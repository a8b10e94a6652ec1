//! Accepts connections, bounds their number, and drains them at the end.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::service::Service;
use super::stall::Patient;
use crate::config::Limits;
use crate::metrics;

/// Connections that wait in the kernel while the limit is reached.
const BACKLOG: u32 = 1024;
/// How long a client may take for the head of a request, which is also how long a connection may
/// rest between two requests: above the 30 s at which slow agents send heartbeats, so that they
/// can keep their connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// Most bytes that wait for a client beside the kernel's buffers, and the longest head of a
/// request.
const BUFFER_BYTES: usize = 64 << 10;
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
    let places = Arc::new(Semaphore::new(limits.connections_max as usize));
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { continue };
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Else the second half of an answer that is written in two waits up to 40 ms for
                // the client's acknowledgement of the first.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY");
                }
                let stream = Patient::new(stream, limits.send_timeout);
                let connection =
                    connection(stream, peer, Arc::clone(service), graceful.watcher(), place);
                tokio::spawn(connection);
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
    place: OwnedSemaphorePermit,
) {
    let open = metrics::connections();
    open.increment(1.0);
    let answer = service_fn(move |request| {
        let service = Arc::clone(&service);
        async move { service.answer(request, peer).await }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), answer);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, %peer, "a connection has ended early");
    }
    open.decrement(1.0);
    drop(place);
}
