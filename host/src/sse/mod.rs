//! Event streams: a message while it is written, the log of a task, and the cluster's events
//! (`contract.md` §7).
//!
//! One connection to Redis listens for all readers of this host (in a Redis Cluster one for each node
//! and group of channels, so that a node that is away stops only the readers of what lies there). What
//! arrives is rendered once and shared:
//!
//! ```text
//!   Redis ──PUBLISH──▶ listener ──▶ channels ──▶ channel ──▶ reader ──▶ HTTP
//!     ▲                                                        │
//!     └───────────────── feed: what was missed ────────────────┘
//! ```
//!
//! - [`frame`]: what goes over the wire.
//! - [`channel`]: the latest events of one stream; `channels`: all of them.
//! - `listener`: a connection.
//! - [`feed`]: the kinds of streams, and how each is read from any place on.
//! - [`ends`]: the cluster's events for readers of logs, which end with their task.
//! - [`watch`]: the cluster's events, for parts of the host that wait for one.
//! - [`standing`]: who reads, and for how long.
//! - [`reader`]: joins what was missed and what happens, without a hole or a duplicate.
//!
//! A reader joins the channel first and reads from Redis then, so that nothing falls between; ids
//! tell what came on both ways. Whenever there may be a hole (the connection to Redis was lost,
//! the reader was too slow) it reads from Redis again. A reader is bounded by what it costs: a
//! position, and at most one page that it has not taken yet; one that takes nothing at all is cut
//! by [`crate::http`].

mod channel;
mod channels;
mod ends;
mod feed;
mod frame;
mod listener;
mod reader;
mod standing;
mod watch;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http_body::Frame;
use http_body_util::StreamBody;
use http_body_util::combinators::UnsyncBoxBody;
use reef_domain::id;
use reef_redis::{Announcements, Connection};
use reef_store::{Keys, Store};
use reef_web::auth::{Access, Caller, identify, recognize};
use reef_web::extract::{self, Query};
use reef_web::{Code, Config, Problem, Request};

use self::channels::Channels;
use self::ends::{TaskEvents, TaskWatch};
pub(crate) use self::feed::Feed;
use self::listener::Listener;
use self::reader::{Joined, Reader, Sources};
use self::standing::Readers;
pub(crate) use self::standing::Visitor;
pub(crate) use self::watch::{ClusterWatch, Seen};
use crate::metrics::StreamMetrics;
use crate::supervise::keep;

/// How long a reader waits for its first answer when Redis is away; below the 2 s within which
/// the hub promises one.
const JOIN_TIMEOUT: Duration = Duration::from_millis(1800);

/// The group of routes within which a key's requests to the host itself are counted.
const GROUP: &str = "host";

/// The body of a stream.
pub(crate) type StreamingBody = UnsyncBoxBody<Bytes, Infallible>;

/// What a caller gets.
pub(crate) enum Outcome {
    /// A stream, now or when there is something to read.
    Stream(StreamingBody),
    /// The caller has seen the end: browsers take this as a word not to come back.
    Ended,
}

/// All event streams of this host.
#[derive(Debug)]
pub(crate) struct EventStreams {
    config: Config,
    keys: Keys,
    store: Store<Connection>,
    announcements: Announcements,
    /// Those of the first group, which is all there is but in a Redis Cluster.
    channels: Arc<Channels>,
    /// Those of the other groups of channels that lie apart.
    elsewhere: Vec<Arc<Channels>>,
    sources: Arc<Sources>,
    readers: Arc<Readers>,
    tasks: Arc<TaskEvents>,
    /// Somebody listens for `tasks`: from the first reader of a log on.
    listening: std::sync::Once,
    comment_period: Duration,
}

impl EventStreams {
    /// Over a store, and the place where its events are announced. Readers of a quiet stream get
    /// a comment once in each `comment_period`. The second half is to be run
    /// as long as there are readers; it never returns.
    pub(crate) fn new(
        config: Config,
        store: Store<Connection>,
        announcements: Announcements,
        comment_period: Duration,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let metrics = Arc::new(StreamMetrics::new());
        let keys = config.settings.keys.clone();
        let sources = Arc::new(Sources::new(store.clone(), Arc::clone(&metrics), comment_period));
        let readers = Readers::new(config.streams_max);
        let mut listeners = Vec::new();
        let mut group = || {
            let (channels, orders) = Channels::new();
            let (announcements, metrics) = (announcements.clone(), Arc::clone(&metrics));
            let channels_too = Arc::clone(&channels);
            listeners.push(Listener {
                announcements,
                channels: channels_too,
                orders,
                metrics,
                epoch: 0,
                is_failing: false,
            });
            channels
        };
        let channels = group();
        let elsewhere = (1..announcements.groups()).map(|_| group()).collect();
        let streams = Self {
            config,
            keys,
            store,
            announcements,
            channels,
            elsewhere,
            sources,
            readers,
            tasks: Arc::default(),
            listening: std::sync::Once::new(),
            comment_period,
        };
        let listening = async move {
            join_all(listeners.into_iter().map(Listener::run)).await;
        };
        (streams, listening)
    }

    /// Where the readers of a channel are.
    fn channels_of(&self, channel: &str) -> &Arc<Channels> {
        let group = self.announcements.group_of(channel);
        let other = group.checked_sub(1).and_then(|index| self.elsewhere.get(index));
        other.unwrap_or(&self.channels)
    }

    /// Ends all streams, now and from now on. Readers are told to come back, elsewhere.
    pub(crate) fn close(&self) {
        self.channels.close();
        self.elsewhere.iter().for_each(|channels| channels.close());
    }

    /// The stream that a path names, if it names one.
    ///
    /// # Errors
    /// The path names a stream with an id that is none.
    pub(crate) fn find(path: &str) -> Option<Result<Feed, Problem>> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let rest = path.strip_prefix("/api/v1/")?;
        if rest == "events/stream" {
            return Some(Ok(Feed::Cluster));
        }
        let mut segments = rest.split('/');
        let mut next = || segments.next();
        match (next(), next(), next(), next(), next(), next()) {
            (Some("sessions"), Some(sid), Some("messages"), Some(mid), Some("stream"), None) => {
                Some(message(sid, mid))
            }
            (Some("tasks"), Some(id), Some("log"), Some("stream"), None, None) => Some(log(id)),
            _ => None,
        }
    }

    /// Joins a stream for the caller of a request (its body is never looked at); `feed` is what
    /// [`EventStreams::find`] has found.
    ///
    /// # Errors
    /// The problem to answer with.
    pub(crate) async fn join(
        &self,
        feed: Result<Feed, Problem>,
        request: &Request,
        visitor: Visitor,
    ) -> Result<Outcome, Problem> {
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            let problem = Problem::new(Code::MethodNotAllowed, "A stream can only be read.");
            return Err(problem.with("allow", "GET, HEAD"));
        }
        let caller = self.identify(request).await?;
        caller.authorize(Access::Read, self.config.auth_mode)?;
        let feed = feed?.seen_by(&caller);
        extract::check_query(request)?;
        let query = Query::read(request);
        // A browser comes back with the address that it began with, and says in the header how
        // far it got.
        let header = request.raw_header("last-event-id").filter(|id| !id.is_empty());
        let (name, cursor) = match header {
            // What is no text is no cursor, and the rule for those says so.
            Some(id) => ("Last-Event-ID", std::str::from_utf8(id).unwrap_or("\u{fffd}")),
            None => ("last_id", query.get("last_id").unwrap_or_default()),
        };
        let place = feed.place(cursor).map_err(|rule| Problem::parameter(name, rule))?;
        let (of, period) = ((&self.store, &self.config), self.comment_period);
        let standing = self.readers.admit(&caller, visitor, request, of, period)?;
        let channel = feed.channel(&self.keys);
        let membership = self.channels_of(&channel).join(channel);
        let task = feed.task_id().map(|task_id| self.watch_task(task_id));
        let (sources, nothing) = (Arc::clone(&self.sources), feed.nothing());
        let standing = (standing, task);
        match Reader::join(sources, feed, membership, standing, place, JOIN_TIMEOUT).await? {
            Joined::Reading(reader) => Ok(Outcome::Stream(body(reader))),
            Joined::Ended => Ok(Outcome::Ended),
            Joined::Gone => Err(Problem::new(Code::NotFound, nothing)),
        }
    }

    /// Tells the reader of a task's log what happens to the task.
    fn watch_task(&self, task_id: &str) -> TaskWatch {
        self.listening.call_once(|| {
            let (channel, tasks) = (self.keys.live_events(), Arc::clone(&self.tasks));
            let channels = Arc::clone(self.channels_of(&channel));
            tokio::spawn(async move {
                let listen = || tasks.listen(ClusterWatch::new(&channels, channel.clone()));
                keep("logs of tasks", listen).await;
            });
        });
        self.tasks.watch(task_id)
    }

    /// Finds out who sends a request to the host itself.
    ///
    /// # Errors
    /// The problem to answer with: the key is not good, or has been used too often.
    pub(crate) async fn identify(&self, request: &Request) -> Result<Caller, Problem> {
        let identity = identify(request, &self.config, &self.store, GROUP).await?;
        match identity.rate.filter(|rate| rate.wait_ms > 0) {
            Some(rate) => Err(Problem::rate_limited(GROUP, rate)),
            None => Ok(identity.caller),
        }
    }

    /// Finds out who sends a request, and counts nothing.
    ///
    /// # Errors
    /// The problem to answer with: the key is not good.
    pub(crate) async fn recognize(&self, request: &Request) -> Result<Caller, Problem> {
        recognize(request, &self.config, &self.store).await
    }

    /// Has readers look at their keys, if a request that was carried out may have changed one.
    pub(crate) fn note_change(&self, method: &http::Method, path: &str) {
        self.readers.note_change(method, path);
    }

    /// The cluster's events as they happen.
    pub(crate) fn watch_cluster(&self) -> ClusterWatch {
        let channel = self.keys.live_events();
        ClusterWatch::new(self.channels_of(&channel), channel)
    }

    /// The hub's data.
    pub(crate) fn store(&self) -> &Store<Connection> {
        &self.store
    }

    /// The settings of the HTTP edge.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }
}

fn id(field: &str, raw: &str) -> Result<String, Problem> {
    let text = extract::segment(field, raw)?.into_owned();
    if id::is_valid(&text) { Ok(text) } else { Err(Problem::field(field, id::RULE)) }
}

fn log(task_id: &str) -> Result<Feed, Problem> {
    Ok(Feed::Log { task_id: id("task_id", task_id)?.into(), reader: None })
}

fn message(sid: &str, mid: &str) -> Result<Feed, Problem> {
    let (session_id, message_id) = (id("session_id", sid)?, id("message_id", mid)?);
    Ok(Feed::Message { session_id: session_id.into(), message_id: message_id.into(), owner: None })
}

fn body(reader: Box<Reader>) -> StreamingBody {
    let pieces = futures_util::stream::unfold(reader, |mut reader| async move {
        let piece = reader.next().await?;
        Some((Ok(Frame::data(piece)), reader))
    });
    UnsyncBoxBody::new(StreamBody::new(pieces))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_paths_of_streams_are_streams() {
        let found = EventStreams::find("/api/v1/sessions/s/messages/m%40x/stream/");
        let (session_id, message_id) = ("s".into(), "m@x".into());
        let feed = Feed::Message { session_id, message_id, owner: None };
        assert_eq!(found.unwrap().unwrap(), feed);
        let found = EventStreams::find("/api/v1/tasks/t%40x/log/stream");
        assert_eq!(found.unwrap().unwrap(), Feed::Log { task_id: "t@x".into(), reader: None });
        assert_eq!(EventStreams::find("/api/v1/events/stream").unwrap().unwrap(), Feed::Cluster);
        for other in [
            "/",
            "/api/v1/events",
            "/api/v1/events/stream/x",
            "/api/v1/sessions/s/messages/m",
            "/api/v1/sessions/s/messages/m/stream/x",
            "/api/v1/tasks/t/log",
            "/api/v1/tasks/t/log/stream/x",
            "/api/v2/events/stream",
        ] {
            assert!(EventStreams::find(other).is_none(), "{other}");
        }
    }

    #[test]
    fn a_stream_of_no_id_is_a_problem() {
        for path in [
            "/api/v1/sessions//messages/m/stream",
            "/api/v1/sessions/s/messages/@m/stream",
            "/api/v1/sessions/s/messages/a%20b/stream",
        ] {
            let problem = EventStreams::find(path).unwrap().unwrap_err();
            assert_eq!(problem.code, Code::ValidationFailed, "{path}");
        }
    }
}
