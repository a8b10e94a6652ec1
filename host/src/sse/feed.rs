//! The kinds of streams: a message's events, the lines of a task's log, and the cluster's events. Each can
//! be read from any place on, and is announced on a channel; of a log only that there are further lines.

use reef_api::{MessageId, SessionId, TaskId};
use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use reef_domain::message::Cursor;
use reef_redis::Connection;
use reef_store::apart;
use reef_store::event::{self, List};
use reef_store::message::{Follow, Followed};
use reef_store::node::Writer;
use reef_store::task::LookForLog;
use reef_store::tasklog::{self, LogPage};
use reef_store::{Keys, Store, StoreError};
use reef_web::auth::Caller;
use serde_json::json;

use super::frame::{Frame, GONE, LOG_GONE, SNAPSHOT, StreamId};

/// What is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Feed {
    /// The events of one message.
    Message {
        /// The session in the path; the message must belong to it.
        session_id: SessionId,
        message_id: MessageId,
        /// Whose it must be; `None`: anybody's.
        owner: Option<String>,
    },
    /// The log of one task.
    Log {
        task_id: TaskId,
        /// Who must have submitted it, or run it; `None`: anybody.
        reader: Option<String>,
    },
    /// The events of the cluster.
    Cluster,
}

/// How often the reader of a log looks at its task, whatever it is told: a task that has never said
/// anything is removed without a word.
const LOG_LOOK: Duration = Duration::from_secs(10);

/// Where a reader begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Where it says that it left off.
    Named(Cursor),
    /// Behind an event that it has got from us.
    Behind(StreamId),
}

/// What lies behind a place.
#[derive(Debug)]
pub(super) enum Page {
    /// There is no such message, or no longer.
    Gone,
    /// The stream is over, and the reader has seen all of it.
    Ended,
    /// The next events.
    Frames(Frames),
}

/// The next events.
#[derive(Debug, Default)]
pub(super) struct Frames {
    pub(super) frames: Vec<Frame>,
    /// That was all; only live events follow.
    pub(super) is_all: bool,
    /// How long the stream is there, if nothing more happens to it; `None` for ever.
    pub(super) expires_in: Option<Duration>,
}

impl Feed {
    /// The same as a caller may see it: what belongs to others is not there for it.
    #[must_use]
    pub(super) fn seen_by(self, caller: &Caller) -> Self {
        match (self, caller.writer()) {
            (Self::Message { session_id, message_id, .. }, Writer::Owner(agent)) => {
                Self::Message { session_id, message_id, owner: Some(agent.to_owned()) }
            }
            (Self::Log { task_id, .. }, Writer::Owner(agent)) => {
                Self::Log { task_id, reader: Some(agent.to_owned()) }
            }
            (feed, _) => feed,
        }
    }

    /// The task whose log it is.
    pub(super) fn task_id(&self) -> Option<&TaskId> {
        match self {
            Self::Log { task_id, .. } => Some(task_id),
            _ => None,
        }
    }

    /// What to say where there is no such stream.
    pub(super) fn nothing(&self) -> &'static str {
        match self {
            Self::Log { .. } => "There is no such task.",
            _ => "There is no such message in this session.",
        }
    }

    /// The last words to a reader whose stream is not there any more.
    pub(super) fn last_words(&self) -> Bytes {
        match self {
            Self::Log { .. } => LOG_GONE,
            _ => GONE,
        }
    }

    /// Where the stream's events are announced.
    pub(super) fn channel(&self, keys: &Keys) -> String {
        match self {
            Self::Message { message_id, .. } => keys.live(message_id),
            Self::Log { task_id, .. } => keys.live_tasklog(task_id),
            Self::Cluster => keys.live_events(),
        }
    }

    /// Reads a cursor as a caller has given it.
    ///
    /// # Errors
    /// What a cursor must be.
    pub(super) fn place(&self, cursor: &str) -> Result<Place, &'static str> {
        match self {
            Self::Message { message_id, .. } => Cursor::parse(cursor, message_id).map(Place::Named),
            // Here an event's id is its place in the log.
            Self::Cluster | Self::Log { .. } => match (cursor, StreamId::parse(cursor)) {
                ("" | "0", _) => Ok(Place::Named(Cursor::Begin)),
                (_, Some(id)) if id == StreamId::default() => Ok(Place::Named(Cursor::Begin)),
                (_, Some(_)) if reef_store::event::Cursor::parse(cursor).is_some() => {
                    Ok(Place::Named(Cursor::Stream(cursor.to_owned())))
                }
                _ => Err("must be 0 or an event's id <ms>-<n>"),
            },
        }
    }

    /// Reads what lies behind a place, `limit` events at most.
    pub(super) async fn page(
        &self,
        store: &Store<Connection>,
        place: &Place,
        limit: usize,
    ) -> Result<Page, StoreError> {
        match self {
            Self::Message { session_id, message_id, owner } => {
                let cursor = cursor_of(place);
                let follow =
                    Follow { message_id, session_id, cursor: &cursor, limit: as_count(limit) };
                for _ in 0..apart::LOOKS_MAX {
                    if let Some(page) = message_page(store, &follow, owner.as_deref()).await? {
                        return Ok(page);
                    }
                }
                Err(apart::unsteady())
            }
            Self::Log { task_id, reader } => {
                log_page(store, task_id, reader.as_deref(), place, limit).await
            }
            Self::Cluster => cluster_page(store, place, limit).await,
        }
    }
}

/// A place in a log whose entries have their ids as places.
fn text_of(place: &Place) -> String {
    match place {
        Place::Named(Cursor::Stream(id)) => id.clone(),
        Place::Named(_) => "0".to_owned(),
        Place::Behind(id) => id.to_string(),
    }
}

/// What a log's stream says last.
#[derive(serde::Serialize)]
struct EndData<'a> {
    /// How the task has ended.
    status: &'a str,
}

/// The task is looked at before its log: all that it has said is there by its end.
async fn log_page(
    store: &Store<Connection>,
    task_id: &TaskId,
    reader: Option<&str>,
    place: &Place,
    limit: usize,
) -> Result<Page, StoreError> {
    let Some(of) = store.call(&LookForLog { task_id }).await? else { return Ok(Page::Gone) };
    if reader.is_some_and(|reader| reader != of.owner && reader != of.runner) {
        return Ok(Page::Gone);
    }
    let (after, version, limit) = (text_of(place), of.version.as_str(), as_count(limit));
    let call = tasklog::Read { task_id, version, after: &after, limit, is_tail: false };
    let LogPage { trimmed, last, more, lines } =
        if of.has_log { store.call(&call).await? } else { LogPage::default() };
    let id_of = |text: &str| StreamId::parse(text).unwrap_or_default();
    let mut seen = id_of(&after);
    let mut frames = Vec::with_capacity(lines.len() + 2);
    // Who comes back with the place of the gap has been told of it.
    if let Some(trimmed) = trimmed.filter(|trimmed| id_of(trimmed) > seen) {
        seen = id_of(&trimmed);
        frames.push(gap(seen, &after, &trimmed));
    }
    for line in &lines {
        seen = id_of(&line.id);
        frames.push(Frame::new(seen, LINE, &serde_json::to_string(line)?));
    }
    if of.has_ended() && !more {
        if frames.is_empty() && seen > id_of(&last) {
            return Ok(Page::Ended);
        }
        // It has a place of its own, so that who has seen it is not told again.
        let data = serde_json::to_string(&EndData { status: of.status.as_str() })?;
        frames.push(Frame { is_last: true, ..Frame::new(seen.after(), END, &data) });
    }
    Ok(Page::Frames(Frames { frames, is_all: !more, expires_in: Some(LOG_LOOK) }))
}

/// The type of a line of a log.
const LINE: &str = "line";
/// The type of the last event of a log: the task has ended.
const END: &str = "end";

fn cursor_of(place: &Place) -> Cow<'_, Cursor> {
    match place {
        Place::Named(cursor) => Cow::Borrowed(cursor),
        Place::Behind(id) => Cow::Owned(Cursor::Stream(id.to_string())),
    }
}

async fn message_page(
    store: &Store<Connection>,
    follow: &Follow<'_>,
    owner: Option<&str>,
) -> Result<Option<Page>, StoreError> {
    let followed = store.call(follow).await?;
    if owner.is_some() && followed.owner() != owner {
        return Ok(Some(Page::Gone));
    }
    Ok(Some(match followed {
        Followed::NotFound => Page::Gone,
        Followed::Ended { .. } => Page::Ended,
        Followed::Ok { events, is_all, expires_in, .. } => {
            let frame = |event: reef_store::message::StreamEvent| {
                let id = StreamId::parse(&event.id)?;
                Some(Frame::new(id, &event.event_type, &event.data))
            };
            // Redis made the ids, so that each of them can be read.
            let frames = events.into_iter().filter_map(frame).collect();
            Page::Frames(Frames { frames, is_all, expires_in })
        }
        Followed::Snapshot { id, message, expires_in, .. } => {
            let Some(message) = message.read(store).await? else { return Ok(None) };
            let data = serde_json::to_string(&SnapshotData {
                sequence: message.sequence,
                message: &message,
            })?;
            let id = StreamId::parse(&id).unwrap_or_default();
            let frame = Frame::new(id, SNAPSHOT, &data);
            // A complete message has no events behind its snapshot.
            let frame = Frame { is_last: message.is_complete, ..frame };
            Page::Frames(Frames { frames: vec![frame], is_all: true, expires_in })
        }
    }))
}

#[derive(serde::Serialize)]
struct SnapshotData<'a> {
    message: &'a reef_api::message::Message,
    sequence: i64,
}

async fn cluster_page(
    store: &Store<Connection>,
    place: &Place,
    limit: usize,
) -> Result<Page, StoreError> {
    let text = text_of(place);
    let after = event::Cursor::parse(&text).unwrap_or_default();
    let found =
        store.call(&List { after: after.clone(), limit: as_count(limit), filled: 0 }).await?;
    let mut frames = Vec::with_capacity(found.events.len() + 1);
    if let Some(oldest) = found.oldest.filter(|oldest| after.is_before(oldest)) {
        let goes_on = StreamId::parse(&oldest).unwrap_or_default().before();
        // Who comes back with the place of the gap has been told of it.
        if StreamId::parse(&text) != Some(goes_on) {
            frames.push(gap(goes_on, &text, &oldest));
        }
    }
    // What was given out on data that are no more leads to the end of the copy that was restored; the
    // events go on from there.
    if let (true, Some(end)) = (frames.is_empty(), &found.restored) {
        frames.push(gap(StreamId::parse(end).unwrap_or_default(), &text, end));
    }
    let is_all = !found.more;
    for event in &found.events {
        if let Some(id) = StreamId::parse(&event.event_id) {
            frames.push(Frame::new(id, &event.event_type, &serde_json::to_string(event)?));
        }
    }
    if let (true, Place::Named(Cursor::Stream(_))) = (frames.is_empty(), place)
        && after.is_behind(&found.youngest)
    {
        let end = StreamId::parse(&found.youngest).unwrap_or_default();
        frames.push(gap(end, &text, &found.youngest));
    }
    Ok(Page::Frames(Frames { frames, is_all, expires_in: None }))
}

/// Says that the log does not hold what lies behind the cursor `from`; the stream goes on behind
/// `goes_on`.
fn gap(goes_on: StreamId, from: &str, to: &str) -> Frame {
    Frame::new(goes_on, SNAPSHOT, &json!({ "gap": { "from": from, "to": to } }).to_string())
}

fn as_count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Feed {
        Feed::Message { session_id: "s".into(), message_id: "m".into(), owner: None }
    }

    #[test]
    fn each_feed_reads_its_cursors() {
        assert_eq!(message().place("7"), Ok(Place::Named(Cursor::Sequence(7))));
        assert_eq!(message().place("evt_m_7"), Ok(Place::Named(Cursor::Sequence(7))));
        assert_eq!(Feed::Cluster.place(""), Ok(Place::Named(Cursor::Begin)));
        assert_eq!(Feed::Cluster.place("0-0"), Ok(Place::Named(Cursor::Begin)));
        let stream = Place::Named(Cursor::Stream("5-0".to_owned()));
        assert_eq!(Feed::Cluster.place("5-0"), Ok(stream.clone()));
        assert_eq!(message().place("5-0"), Ok(stream));
        let log = Feed::Log { task_id: "t".into(), reader: None };
        assert_eq!(log.place("5-0"), Feed::Cluster.place("5-0"));
        for bad in ["7", "x", "evt_m_7", "5-", "-"] {
            assert!(Feed::Cluster.place(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_gap_names_its_ends_and_where_the_stream_goes_on() {
        let frame = gap(StreamId::parse("9-0").unwrap().before(), "5-0", "9-0");
        let text = String::from_utf8(frame.bytes.to_vec()).unwrap();
        assert!(text.starts_with("id: 8-18446744073709551614\nevent: snapshot\n"), "{text}");
        assert!(text.ends_with("data: {\"gap\":{\"from\":\"5-0\",\"to\":\"9-0\"}}\n\n"), "{text}");
    }
}
