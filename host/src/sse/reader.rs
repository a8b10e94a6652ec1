//! One reader: first what it has missed, then what happens, without a hole or a duplicate.
//!
//! Nothing here runs on its own: the connection that writes to the reader asks for the next piece
//! when it can take one. So a reader that does not read costs no more than one that waits.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use reef_domain::message::Cursor;
use reef_redis::Connection;
use reef_store::{RedisError, Store, StoreError};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use super::channel::{Entrance, Found, Position};
use super::channels::Membership;
use super::ends::TaskWatch;
use super::feed::{Feed, Frames, Page, Place};
use super::frame::{self, COMMENT, Frame, OPENING, SHUT_OUT, StreamId};
use super::standing::Standing;
use crate::metrics::StreamMetrics;

/// How many readers go to Redis at the same time. After a restart of Redis all of them have to.
const FETCHES_MAX: usize = 32;
/// The size of a reader's first page, and of its largest.
const PAGE_FIRST: usize = 16;
const PAGE_MAX: usize = 256;
/// A page above this size is followed by a smaller one: it stays in memory until it is sent.
const PAGE_BYTES: usize = 512 << 10;
/// How long after a message must have expired Redis is asked whether it has: clocks differ a
/// little, and it may have been written to.
const EXPIRY_SLACK: Duration = Duration::from_millis(50);
/// The pause before Redis is asked again after it has not answered.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// What all readers share.
#[derive(Debug)]
pub(super) struct Sources {
    store: Store<Connection>,
    fetches: Semaphore,
    metrics: Arc<StreamMetrics>,
    numbers: AtomicU64,
    /// How often a reader of a quiet stream hears that it is alive (`contract.md` §7).
    comment_period: Duration,
}

impl Sources {
    pub(super) fn new(
        store: Store<Connection>,
        metrics: Arc<StreamMetrics>,
        comment_period: Duration,
    ) -> Self {
        let fetches = Semaphore::new(FETCHES_MAX);
        Self { store, fetches, metrics, numbers: AtomicU64::new(1), comment_period }
    }

    async fn page(&self, feed: &Feed, place: &Place, limit: usize) -> Result<Page, StoreError> {
        // The semaphore is never closed.
        let _turn = self.fetches.acquire().await.ok();
        feed.page(&self.store, place, limit).await
    }
}

/// One reader of one stream.
pub(super) struct Reader {
    sources: Arc<Sources>,
    feed: Feed,
    membership: Membership,
    standing: Standing,
    news: watch::Receiver<()>,
    /// The task whose log it is.
    task: Option<TaskWatch>,
    /// Where the reader is in the channel; `None`: it has to read from Redis first.
    live: Option<Position>,
    /// The last event that it has got.
    last: Place,
    /// What was read from Redis and is not sent yet.
    page: VecDeque<Frame>,
    /// The position that holds once the page is sent, if it was the last one.
    after_page: Option<Position>,
    page_limit: usize,
    next_comment: Instant,
    /// When the message will have expired, unless it is written to.
    expiry: Option<Instant>,
    /// Its first words are still to be said.
    is_new: bool,
    is_over: bool,
    /// Tells readers apart.
    number: u64,
    _counted: Counted,
}

/// What came of reading from Redis.
enum Fetched {
    /// A page, which may be empty.
    Taken,
    /// There is no such stream, or no longer.
    Gone,
    /// The reader has seen the end already.
    Ended,
}

/// How joining went.
pub(super) enum Joined {
    /// There is something to read, now or later.
    Reading(Box<Reader>),
    /// There is no such stream.
    Gone,
    /// The reader has seen the end already.
    Ended,
}

/// What a look at the stream brought.
enum Step {
    Send(Bytes),
    Again,
    Wait,
    Over,
}

impl Reader {
    /// Joins a stream at a place, within `limit`.
    ///
    /// # Errors
    /// Redis does not answer, or not in time.
    pub(super) async fn join(
        sources: Arc<Sources>,
        feed: Feed,
        membership: Membership,
        (standing, task): (Standing, Option<TaskWatch>),
        place: Place,
        limit: Duration,
    ) -> Result<Joined, StoreError> {
        let news = membership.channel().news();
        let number = sources.numbers.fetch_add(1, Ordering::Relaxed);
        let counted = Counted::new(&sources.metrics);
        let next_comment = Instant::now() + sources.comment_period;
        let mut reader = Self {
            sources,
            feed,
            membership,
            standing,
            news,
            task,
            live: None,
            last: place,
            page: VecDeque::new(),
            after_page: None,
            page_limit: PAGE_FIRST,
            next_comment,
            expiry: None,
            is_new: true,
            is_over: false,
            number,
            _counted: counted,
        };
        match tokio::time::timeout(limit, reader.first_page()).await {
            Ok(Ok(Fetched::Taken)) => Ok(Joined::Reading(Box::new(reader))),
            Ok(Ok(Fetched::Gone)) => Ok(Joined::Gone),
            Ok(Ok(Fetched::Ended)) => Ok(Joined::Ended),
            Ok(Err(error)) => Err(error),
            Err(_) => {
                Err(RedisError::Unavailable(format!("cannot listen within {limit:?}")).into())
            }
        }
    }

    async fn first_page(&mut self) -> Result<Fetched, StoreError> {
        loop {
            self.news.borrow_and_update();
            match self.membership.channel().entrance() {
                Entrance::At(position) => return self.fetch(position).await,
                Entrance::Closing => {
                    return Err(RedisError::Unavailable("the host is stopping".to_owned()).into());
                }
                // The sender lives as long as the channel that the reader holds.
                Entrance::NotYet => drop(self.news.changed().await),
            }
        }
    }

    /// Reads the next page from Redis. The position was taken before, so that between the last
    /// page and the live events there is no hole; where they overlap, ids tell.
    async fn fetch(&mut self, position: Position) -> Result<Fetched, StoreError> {
        let limit = self.page_limit;
        match self.sources.page(&self.feed, &self.last, limit).await {
            Ok(Page::Frames(Frames { frames, is_all, expires_in })) => {
                let bytes: usize = frames.iter().map(|frame| frame.bytes.len()).sum();
                self.page_limit =
                    if bytes > PAGE_BYTES { (limit / 4).max(1) } else { (limit * 4).min(PAGE_MAX) };
                self.page = frames.into();
                self.after_page = is_all.then_some(position);
                self.expiry = expires_in.map(|left| Instant::now() + left + EXPIRY_SLACK);
                Ok(Fetched::Taken)
            }
            Ok(Page::Gone) => Ok(Fetched::Gone),
            Ok(Page::Ended) => Ok(Fetched::Ended),
            Err(error) => {
                // It may be the size of the page that Redis or the connection cannot stand.
                self.page_limit = (limit / 4).max(1);
                Err(error)
            }
        }
    }

    /// The next piece of the stream; `None` at its end.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        if std::mem::take(&mut self.is_new) {
            return Some(OPENING);
        }
        loop {
            if self.is_over {
                return None;
            }
            let now = Instant::now();
            if !self.standing.holds(now).await {
                self.is_over = true;
                return Some(SHUT_OUT);
            }
            if let Some(frame) = self.page.pop_front() {
                return Some(self.send(frame));
            }
            if let Some(position) = self.after_page.take() {
                self.live = Some(position);
            }
            if now >= self.next_comment {
                return Some(self.comment());
            }
            if self.expiry.is_some_and(|expiry| now >= expiry) {
                self.live = None;
            }
            // Before the look, so that whatever comes after it wakes the reader.
            self.news.borrow_and_update();
            let step = match self.live {
                Some(position) => self.look(position),
                None => self.catch_up().await,
            };
            match step {
                Step::Send(bytes) => return Some(bytes),
                Step::Again => {}
                Step::Wait => self.wait().await,
                Step::Over => return None,
            }
        }
    }

    fn send(&mut self, frame: Frame) -> Bytes {
        self.last = Place::Behind(frame.id);
        self.is_over = frame.is_last;
        frame.bytes
    }

    fn comment(&mut self) -> Bytes {
        self.next_comment = Instant::now() + self.sources.comment_period;
        COMMENT
    }

    async fn wait(&mut self) {
        let until = self.standing.next_look().min(self.next_comment);
        let until = self.expiry.map_or(until, |expiry| expiry.min(until));
        let task = &mut self.task;
        let told = async {
            match task {
                Some(task) => task.changed().await,
                None => std::future::pending().await,
            }
        };
        // Each of them wakes the reader, which then looks again.
        tokio::select! {
            _ = self.news.changed() => {}
            () = self.standing.changed() => {}
            // What that means for its log, Redis says.
            () = told => self.live = None,
            () = tokio::time::sleep_until(until) => {}
        }
    }

    /// Looks for live events.
    fn look(&mut self, mut position: Position) -> Step {
        loop {
            let found = self.membership.channel().read(&mut position);
            self.live = Some(position);
            match found {
                Found::Frame(frame) if self.has(&frame) => {}
                // Redis says where the stream goes on for this reader.
                Found::Frame(frame) if frame.is_restoration => {
                    self.live = None;
                    return Step::Again;
                }
                Found::Frame(frame) => return Step::Send(self.send(frame)),
                Found::News => {
                    self.live = None;
                    return Step::Again;
                }
                Found::Nothing => return Step::Wait,
                Found::Hole => {
                    self.live = None;
                    self.sources.metrics.catch_ups.increment(1);
                    return Step::Again;
                }
                Found::Closing => return self.bid_farewell(),
            }
        }
    }

    /// Whether the reader has got an event already, from Redis or before it joined.
    fn has(&self, frame: &Frame) -> bool {
        match &self.last {
            Place::Behind(last) => frame.id <= *last,
            Place::Named(Cursor::Stream(last)) => StreamId::parse(last) >= Some(frame.id),
            Place::Named(Cursor::Sequence(last)) => frame.sequence() <= Some(*last),
            Place::Named(Cursor::Begin | Cursor::Unknown) => false,
        }
    }

    fn bid_farewell(&mut self) -> Step {
        self.is_over = true;
        Step::Send(frame::farewell(self.number))
    }

    /// Reads what was missed, as soon as nothing more can be.
    async fn catch_up(&mut self) -> Step {
        let position = match self.membership.channel().entrance() {
            Entrance::At(position) => position,
            Entrance::NotYet => return Step::Wait,
            Entrance::Closing => return self.bid_farewell(),
        };
        match self.fetch(position).await {
            Ok(Fetched::Taken) => Step::Again,
            Ok(Fetched::Gone) => {
                self.is_over = true;
                Step::Send(self.feed.last_words())
            }
            Ok(Fetched::Ended) => Step::Over,
            Err(StoreError::Redis(RedisError::Unavailable(_))) => {
                tokio::time::sleep(RETRY_PAUSE).await;
                Step::Again
            }
            Err(error) => {
                tracing::error!(%error, feed = ?self.feed, "a stream cannot be read");
                Step::Over
            }
        }
    }
}

/// Shows in the metrics as long as it lives.
struct Counted(Arc<StreamMetrics>);

impl Counted {
    fn new(metrics: &Arc<StreamMetrics>) -> Self {
        metrics.readers.increment(1.0);
        Self(Arc::clone(metrics))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.readers.decrement(1.0);
    }
}
