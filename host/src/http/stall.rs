//! Cuts clients that take nothing, and lets those finish that are still sending.
//!
//! A client that stops reading would keep what waits for it in memory for as long as it likes.
//! One that is slow but goes on is never cut. Where a body was refused, closing at once would reset
//! the connection, and its client would see that and not the answer; so what comes for a while is
//! read and thrown away.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep, timeout};

/// How long, and how much, is read of a client that was refused.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 16 << 20;

/// How long, and how much, is waited for at the end of a body that nothing has asked for.
const LAST_PIECE: Duration = Duration::from_millis(100);
const LAST_BYTES: usize = 16 << 10;

/// A stream whose other side must go on taking what is written.
#[derive(Debug)]
pub(super) struct Patient<S> {
    stream: S,
    limit: Duration,
    /// Whether the other side may still be sending when the stream is closed.
    lingers: Arc<AtomicBool>,
    farewell: Option<Farewell>,
    /// Runs while the other side takes nothing.
    patience: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    /// Gives the other side `limit` each time that it takes nothing; what it still sends when the
    /// stream is closed is read if `lingers` says so by then.
    pub(super) fn new(stream: S, limit: Duration, lingers: Arc<AtomicBool>) -> Self {
        Self { stream, limit, lingers, farewell: None, patience: None }
    }

    fn judge<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.patience = None;
            return written;
        }
        let limit = self.limit;
        let patience = self.patience.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(patience.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.judge(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, pieces);
        this.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.farewell.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            if !this.lingers.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(()));
            }
        }
        let farewell = this.farewell.get_or_insert_with(Farewell::new);
        farewell.poll(&mut this.stream, cx).map(Ok)
    }
}

/// Reads what a client still sends.
#[derive(Debug)]
struct Farewell {
    limit: Pin<Box<Sleep>>,
    bytes: usize,
}

impl Farewell {
    fn new() -> Self {
        Self { limit: Box::pin(sleep(LINGER)), bytes: 0 }
    }

    fn poll<S: AsyncRead + Unpin>(&mut self, stream: &mut S, cx: &mut Context<'_>) -> Poll<()> {
        let mut space = [0; 16 << 10];
        while self.bytes < LINGER_BYTES && self.limit.as_mut().poll(cx).is_pending() {
            let mut buffer = ReadBuf::new(&mut space);
            match ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => self.bytes += buffer.filled().len(),
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(())
    }
}

/// Reads what is left of a body over HTTP/1.1 that nothing has read, if that is next to nothing: some
/// clients send an empty body in pieces. Says whether its end was seen, so that another request may
/// come over the connection.
pub(super) async fn is_read_out(body: &mut Incoming) -> bool {
    if body.is_end_stream() {
        return true;
    }
    let end = timeout(LAST_PIECE, async {
        let mut bytes = 0;
        loop {
            match body.frame().await {
                None => return true,
                Some(Err(_)) => return false,
                Some(Ok(frame)) => bytes += frame.data_ref().map_or(0, Bytes::len),
            }
            if bytes > LAST_BYTES {
                return false;
            }
        }
    });
    end.await.unwrap_or(false)
}

/// Reads what is left of a body over HTTP/2, whose request is being answered, and throws it away.
///
/// A body that is dropped unread resets its stream as soon as the answer is complete. RFC 9113 (8.1)
/// allows that, but clients that are still sending lose the answer: curl 7.88 does. Nothing waits for
/// it but the end of the connection: one that has to give way, because others find no place, does.
pub(super) fn hear_out(mut body: Incoming) {
    if body.is_end_stream() {
        return;
    }
    tokio::spawn(timeout(LINGER, async move {
        let mut bytes = 0;
        while let Some(Ok(frame)) = body.frame().await {
            bytes += frame.data_ref().map_or(0, Bytes::len);
            if bytes >= LINGER_BYTES {
                break;
            }
        }
    }));
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const LIMIT: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_cut() {
        let (server, _client) = duplex(4);
        let mut server = Patient::new(server, LIMIT, Arc::default());
        let error = server.write_all(b"more than fits").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_client_that_is_still_sending_is_heard_to_its_end() {
        let (server, mut client) = duplex(8);
        let mut server = Patient::new(server, LIMIT, Arc::new(AtomicBool::new(true)));
        let sending = tokio::spawn(async move {
            client.write_all(&[0; 1000]).await.unwrap();
            client.shutdown().await.unwrap();
        });
        server.shutdown().await.unwrap();
        sending.await.unwrap();
    }

    #[tokio::test]
    async fn a_slow_client_is_not() {
        let (server, mut client) = duplex(1);
        let mut server = Patient::new(server, LIMIT, Arc::default());
        let reading = tokio::spawn(async move {
            let mut taken = Vec::new();
            while taken.len() < 8 {
                tokio::time::sleep(LIMIT / 4).await;
                taken.push(client.read_u8().await.unwrap());
            }
            taken
        });
        server.write_all(b"slow but").await.unwrap();
        assert_eq!(reading.await.unwrap(), b"slow but");
    }
}
