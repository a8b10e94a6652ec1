//! Answers on their way out, over HTTP/1.1 or as streams of HTTP/2.
//!
//! A stream of HTTP/2 can stand still while its connection does not: its client takes the bytes of
//! others and leaves it no window. [`super::stall`] sees only the connection, so a stream that
//! takes nothing is cut here, after the same time. An answer goes out in pieces for that, so that
//! no more than one of them waits beyond our sight.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::rt::Executor;
use tokio::task::futures::TaskLocalFuture;
use tokio::time::{Sleep, sleep};

use super::AnswerBody;
use super::connections::UnderWay;

/// The largest piece of an answer that a stream of HTTP/2 is given at once.
const PIECE_BYTES: usize = 64 << 10;

tokio::task_local! {
    /// How the stream fares that this task sends; set for HTTP/2 alone.
    static TAKEN: Arc<Taken>;
}

/// What of an answer was taken.
#[derive(Debug, Default)]
struct Taken {
    /// Odd while a piece is given and no further one asked for.
    steps: AtomicU64,
}

/// The body of an answer; the request is under way until it is sent.
pub(super) struct Sending<B = AnswerBody> {
    body: B,
    /// What is left of the piece that the body gave.
    rest: Bytes,
    taken: Option<Arc<Taken>>,
    _under_way: Option<UnderWay>,
}

impl<B> Sending<B> {
    /// To be called by the task that sends the answer.
    pub(super) fn new(body: B, under_way: Option<UnderWay>) -> Self {
        let taken = TAKEN.try_with(Arc::clone).ok();
        Self { body, rest: Bytes::new(), taken, _under_way: under_way }
    }
}

impl<B> Body for Sending<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        let Some(taken) = &this.taken else { return Pin::new(&mut this.body).poll_frame(cx) };
        taken.ask();
        let mut data = std::mem::take(&mut this.rest);
        if data.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(given) => data = given,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                end => return Poll::Ready(end),
            }
        }
        this.rest = data.split_off(data.len().min(PIECE_BYTES));
        taken.give();
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let hint = self.body.size_hint();
        let mut all = SizeHint::new();
        all.set_lower(hint.lower().saturating_add(rest));
        if let Some(upper) = hint.upper() {
            all.set_upper(upper.saturating_add(rest));
        }
        all
    }
}

impl Taken {
    fn ask(&self) {
        let steps = self.steps.load(Ordering::Relaxed);
        self.steps.store(steps + steps % 2, Ordering::Relaxed);
    }

    fn give(&self) {
        self.steps.store(self.steps.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

/// Runs each stream of HTTP/2, and ends those whose client takes nothing for so long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Streams(pub(super) Duration);

impl<F> Executor<F> for Streams
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, stream: F) {
        tokio::spawn(Watched::new(stream, self.0));
    }
}

/// A stream, until it ends or stands still. Once this is dropped the client hears that it is cut.
struct Watched<F> {
    stream: Pin<Box<TaskLocalFuture<Arc<Taken>, F>>>,
    taken: Arc<Taken>,
    limit: Duration,
    seen: u64,
    patience: Option<Pin<Box<Sleep>>>,
}

impl<F: Future> Watched<F> {
    fn new(stream: F, limit: Duration) -> Self {
        let taken = Arc::<Taken>::default();
        let stream = Box::pin(TAKEN.scope(Arc::clone(&taken), stream));
        Self { stream, taken, limit, seen: 0, patience: None }
    }
}

impl<F: Future> Future for Watched<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if this.stream.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let steps = this.taken.steps.load(Ordering::Relaxed);
        if std::mem::replace(&mut this.seen, steps) != steps || steps.is_multiple_of(2) {
            this.patience = None;
        }
        if steps.is_multiple_of(2) {
            return Poll::Pending;
        }
        let limit = this.limit;
        let patience = this.patience.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(patience.as_mut().poll(cx));
        tracing::debug!("a stream of which the client takes nothing is cut");
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Full};
    use tokio::time::timeout;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(30);

    fn big() -> Full<Bytes> {
        Full::new(Bytes::from(vec![7; 3 * PIECE_BYTES + 1]))
    }

    #[tokio::test]
    async fn a_stream_that_asks_for_no_more_is_cut() {
        let stalled = async {
            let mut body = Sending::new(big(), None);
            body.frame().await.unwrap().unwrap();
            std::future::pending::<()>().await;
        };
        timeout(LIMIT * 100, Watched::new(stalled, LIMIT)).await.unwrap();
    }

    #[tokio::test]
    async fn a_stream_that_has_nothing_to_send_is_not() {
        let quiet = async {
            let body = futures_util::stream::pending::<Result<Frame<Bytes>, std::io::Error>>();
            Sending::new(http_body_util::StreamBody::new(body), None).frame().await;
        };
        timeout(LIMIT * 4, Watched::new(quiet, LIMIT)).await.unwrap_err();
    }

    #[tokio::test]
    async fn a_stream_gets_all_of_an_answer_in_pieces() {
        let (sender, sizes) = tokio::sync::oneshot::channel();
        let reading = async {
            let mut body = Sending::new(big(), None);
            assert_eq!(body.size_hint().exact(), Some(3 * PIECE_BYTES as u64 + 1));
            let mut sizes = Vec::new();
            while !body.is_end_stream() {
                sizes.push(body.frame().await.unwrap().unwrap().into_data().unwrap().len());
            }
            sender.send(sizes).unwrap();
        };
        Watched::new(reading, LIMIT).await;
        assert_eq!(sizes.await.unwrap(), [PIECE_BYTES, PIECE_BYTES, PIECE_BYTES, 1]);
    }

    #[tokio::test]
    async fn over_http_1_an_answer_goes_out_as_it_is() {
        let mut body = Sending::new(big(), None);
        let all = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(all.len(), 3 * PIECE_BYTES + 1);
    }
}
