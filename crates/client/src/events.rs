//! Event streams: read, resumed where they were cut, and told apart from those that have ended.

use std::fmt;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sse_core::{MessageEvent, PayloadTooLargeError, SseDecoder, SseEvent};
use tokio::time::timeout;
use url::Url;

use crate::{Error, Hub, Problem};

/// How long the hub may take to answer the request for a stream.
const JOIN_TIMEOUT: Duration = Duration::from_secs(10);
/// A hub says something every 15 s. When it has missed that three times, nobody is there.
const SILENCE_MAX: Duration = Duration::from_secs(45);
/// How long is tried to resume a stream, where nothing else is said.
const GIVE_UP_AFTER: Duration = Duration::from_secs(60);
/// The pause before a stream is resumed, until the hub has said how long it shall be.
const PAUSE: Duration = Duration::from_secs(1);
/// The largest event that is read. The largest that a hub sends is the snapshot of a message, with
/// 8 MiB of text and 1000 blocks.
const EVENT_BYTES_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add((64 << 20) - 1);
/// The type of the hub's last words about what is no longer there. They are no event of the stream.
const GONE: &str = "gone";
/// The longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// An event stream to be opened.
#[derive(Debug, Clone)]
#[must_use = "a stream must be opened"]
pub struct StreamRequest {
    hub: Hub,
    url: Result<Url, Error>,
    cursor: Option<String>,
    give_up_after: Duration,
    silence_max: Duration,
}

impl StreamRequest {
    pub(crate) fn new(hub: Hub, url: Result<Url, Error>) -> Self {
        Self { hub, url, cursor: None, give_up_after: GIVE_UP_AFTER, silence_max: SILENCE_MAX }
    }

    /// Begins behind a cursor: the id of an event, or what else the stream takes for one. Else the
    /// stream begins with the first event that the hub still has.
    pub fn after(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }

    /// How long is tried to resume the stream when it was cut; 60 s where nothing is said.
    pub fn give_up_after(mut self, limit: Duration) -> Self {
        self.give_up_after = limit;
        self
    }

    /// After which silence a connection counts as dead; 45 s where nothing is said.
    pub fn silence(mut self, limit: Duration) -> Self {
        self.silence_max = limit;
        self
    }

    /// Opens the stream. The first try is not repeated: whoever cannot be reached then is
    /// [`Error::Unreachable`].
    #[must_use]
    pub fn open(self) -> EventStream {
        let reader =
            Reader { request: self, connection: None, retry: PAUSE, outage: None, is_over: false };
        EventStream(Box::pin(stream::unfold(reader, |mut reader| async move {
            let received = reader.next().await?;
            Some((received, reader))
        })))
    }
}

/// What comes out of an [`EventStream`].
#[derive(Debug, Clone)]
pub enum Received {
    /// An event: every one that lies behind the cursor, in order, once.
    Event(Event),
    /// The stream was cut, and will be resumed after a pause.
    Interrupted {
        /// How it was cut.
        reason: Error,
        /// The pause before the first try.
        pause: Duration,
    },
    /// The stream goes on.
    Resumed,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The cursor with which a stream goes on behind it.
    pub id: String,
    /// Its type, e.g. `text_delta`. `snapshot` stands for all that came before its id and is no
    /// longer in the log.
    pub event: String,
    /// What it says: JSON, on one line.
    pub data: String,
}

impl Event {
    /// What it says, as a value.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it is no JSON, or not of this type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(&self.data)
            .map_err(|error| Error::Malformed(format!("event {}: {error}", self.id)))
    }

    /// Whether nothing follows it: the end of a message or of a task's log, or the snapshot of a message that
    /// has ended.
    fn is_last(&self) -> bool {
        match self.event.as_str() {
            "message_end" | "end" => true,
            "snapshot" => self
                .json::<Value>()
                .ok()
                .and_then(|data| data.get("message")?.get("is_complete")?.as_bool())
                .unwrap_or(false),
            _ => false,
        }
    }
}

/// The events of a stream. It reconnects by itself.
///
/// It ends, with `None`, when the hub has said that this was all. When a stream cannot be
/// resumed, or may not be read (any longer), an error comes before that: [`Error::Cut`],
/// [`Error::Problem`]. So without an error all has been read.
///
/// Dropping a future that waits for the next item loses nothing.
pub struct EventStream(Pin<Box<dyn Stream<Item = Result<Received, Error>> + Send>>);

impl Stream for EventStream {
    type Item = Result<Received, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventStream")
    }
}

/// The state of a stream between two items.
struct Reader {
    request: StreamRequest,
    connection: Option<Connection>,
    /// How long the hub wants us to wait before we come back.
    retry: Duration,
    /// The stream was cut.
    outage: Option<Outage>,
    is_over: bool,
}

/// What is being done about a stream that was cut.
struct Outage {
    since: Instant,
    /// Before the next try.
    pause: Duration,
    further_pauses: ExponentialBackoff,
}

/// One connection, with what it has brought and nobody has taken yet.
struct Connection {
    response: reqwest::Response,
    silence_max: Duration,
    arrived: Bytes,
    decoder: SseDecoder,
}

/// How a connection breaks.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("nothing was heard for {} s", .0.as_secs())]
    Silence(Duration),
    #[error("the connection broke")]
    Transport,
    #[error("the hub has closed it")]
    Closed,
    #[error("{0}")]
    TooLarge(PayloadTooLargeError),
}

impl Connection {
    fn new(response: reqwest::Response, silence_max: Duration) -> Self {
        let decoder = SseDecoder::with_limit(EVENT_BYTES_MAX);
        Self { response, silence_max, arrived: Bytes::new(), decoder }
    }

    /// The next frame. Comments are left out, but they too break the silence.
    async fn next(&mut self) -> Result<SseEvent, Broken> {
        loop {
            if let Some(frame) = self.decoder.next(&mut self.arrived) {
                return frame.map_err(Broken::TooLarge);
            }
            self.arrived = match timeout(self.silence_max, self.response.chunk()).await {
                Ok(Ok(Some(piece))) => piece,
                Ok(Ok(None)) => return Err(Broken::Closed),
                Ok(Err(_)) => return Err(Broken::Transport),
                Err(_) => return Err(Broken::Silence(self.silence_max)),
            };
        }
    }
}

impl Reader {
    async fn next(&mut self) -> Option<Result<Received, Error>> {
        while !self.is_over {
            let step = match &mut self.connection {
                Some(connection) => {
                    let frame = connection.next().await;
                    self.take(frame)
                }
                None => self.connect().await,
            };
            match step {
                Ok(None) => {}
                Ok(Some(received)) => return Some(Ok(received)),
                Err(error) => {
                    self.is_over = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }

    /// Takes what the connection has brought.
    fn take(&mut self, frame: Result<SseEvent, Broken>) -> Result<Option<Received>, Error> {
        match frame {
            Ok(SseEvent::Retry(ms)) => {
                self.retry = Duration::from_millis(ms.into()).min(PAUSE_MAX);
                Ok(None)
            }
            Ok(SseEvent::Message(message)) if message.event == GONE => {
                Err(Error::Problem(Box::new(Problem::gone(message.data.as_bytes()))))
            }
            Ok(SseEvent::Message(message)) => Ok(Some(Received::Event(self.hand_out(message)))),
            // It would come again after each reconnection.
            Err(Broken::TooLarge(error)) => Err(Error::Malformed(error.to_string())),
            Err(broken) => Ok(Some(self.interrupt(broken.to_string()))),
        }
    }

    fn hand_out(&mut self, message: MessageEvent) -> Event {
        // Only with the whole event: one that was cut has to come again.
        if let Some(id) = message.last_event_id {
            self.request.cursor = Some(id.to_string());
        }
        let event = Event {
            id: self.request.cursor.clone().unwrap_or_default(),
            event: message.event.into_owned(),
            data: message.data,
        };
        self.is_over = event.is_last();
        event
    }

    /// Notes that the stream was cut.
    fn interrupt(&mut self, reason: String) -> Received {
        self.connection = None;
        // Many readers lose their streams at the same moment; the jitter spreads their return.
        let mut pauses = ExponentialBuilder::new()
            .with_min_delay(self.retry)
            .with_max_delay(PAUSE_MAX)
            .with_factor(1.5)
            .with_jitter()
            .without_max_times()
            .build();
        let pause = pauses.next().unwrap_or(self.retry).min(self.request.give_up_after);
        self.outage = Some(Outage { since: Instant::now(), pause, further_pauses: pauses });
        Received::Interrupted { reason: self.request.hub.no_answer(reason, true), pause }
    }

    /// Joins the stream, for the first time or again.
    async fn connect(&mut self) -> Result<Option<Received>, Error> {
        if let Some(outage) = &self.outage {
            tokio::time::sleep(outage.pause).await;
        }
        match (self.request.join().await, &mut self.outage) {
            (Ok(Some(response)), outage) => {
                self.connection = Some(Connection::new(response, self.request.silence_max));
                Ok(outage.take().map(|_| Received::Resumed))
            }
            (Ok(None), _) => {
                self.is_over = true;
                Ok(None)
            }
            (Err(error), Some(outage)) if error.is_transient() => {
                let left = self.request.give_up_after.saturating_sub(outage.since.elapsed());
                if left.is_zero() {
                    let (tried_for, reason) = (outage.since.elapsed(), Box::new(error));
                    return Err(Error::Cut { tried_for, reason });
                }
                // The last try is made when the time is over, not a pause before that.
                outage.pause = outage.further_pauses.next().unwrap_or(PAUSE_MAX).min(left);
                Ok(None)
            }
            (Err(error), _) => Err(error),
        }
    }
}

impl StreamRequest {
    /// Asks for the stream; nothing if all of it has been read.
    async fn join(&self) -> Result<Option<reqwest::Response>, Error> {
        let mut request =
            self.hub.client().get(self.url.clone()?).header(ACCEPT, "text/event-stream");
        if let Some(cursor) = self.cursor.as_deref().filter(|cursor| !cursor.is_empty()) {
            let cursor = HeaderValue::try_from(cursor)
                .map_err(|_| Error::Invalid(format!("{cursor:?} is not a cursor")))?;
            request = request.header("last-event-id", cursor);
        }
        // The head must come soon; the body takes as long as it takes, so that the limit cannot be
        // the request's own.
        let late = || {
            let reason = format!("no answer within {} s", JOIN_TIMEOUT.as_secs());
            self.hub.no_answer(reason, false)
        };
        let response = timeout(JOIN_TIMEOUT, request.send())
            .await
            .map_err(|_| late())?
            .map_err(|error| self.hub.unreachable(&error, JOIN_TIMEOUT))?;
        let (status, headers) = (response.status(), response.headers().clone());
        if status == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        if !status.is_success() {
            let body = timeout(JOIN_TIMEOUT, response.bytes()).await.map_err(|_| late())?;
            let body = body.map_err(|error| self.hub.unreachable(&error, JOIN_TIMEOUT))?;
            return Err(Error::Problem(Box::new(Problem::read(status, &headers, &body))));
        }
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !content_type.is_some_and(|it| it.starts_with("text/event-stream")) {
            let shown = content_type.unwrap_or("nothing");
            return Err(Error::Malformed(format!("{shown} instead of an event stream")));
        }
        Ok(Some(response))
    }
}
