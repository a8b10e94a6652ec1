//! Calls on the cluster's event log: `lua/event/`.

pub use reef_api::cluster::Event;

use reef_domain::limits::ROWS_AT_ONCE;

use crate::port::Redis;
use crate::script::{Argument, Arguments, FromReply, Malformed, Reader, Store, StoreError, rows};
use crate::steps::has_room;

include!(concat!(env!("OUT_DIR"), "/calls_event.rs"));
include!(concat!(env!("OUT_DIR"), "/events.rs"));

/// What there is to know of an event.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub event_type: EventType,
    /// Its name on the wire.
    pub name: &'static str,
    /// What has happened.
    pub doc: &'static str,
    /// The kind of the alert that it is, if it is one.
    pub alert: Option<&'static str>,
    /// What its payload holds.
    pub fields: &'static [Field],
}

/// A field of an event's payload.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its type in JSON.
    pub json: &'static str,
    /// It may be null.
    pub or_null: bool,
    /// It may be left out.
    pub or_none: bool,
    /// What it says.
    pub doc: &'static str,
}

impl EventType {
    /// What there is to know of an event by its name; `None` for one that only a newer hub knows.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Entry> {
        CATALOGUE.iter().find(|entry| entry.name == name)
    }
}

/// A place in the event log: the id `<ms>-<n>` of an event, or the beginning.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cursor(String);

impl Cursor {
    /// Reads `0` or an event's id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // The largest number of all has nothing behind it, which Redis takes for an error.
        let is_number = |part: &str| {
            let digits = part.bytes().all(|b| b.is_ascii_digit());
            digits && part.parse().is_ok_and(|number: u64| number < u64::MAX)
        };
        let fits = match text.split_once('-') {
            Some((ms, n)) => is_number(ms) && is_number(n),
            None => text == "0",
        };
        fits.then(|| Self(text.to_owned()))
    }

    /// Whether it lies behind the youngest event that there ever was.
    #[must_use]
    pub fn is_behind(&self, youngest: &str) -> bool {
        matches!((parts(&self.0), parts(youngest)), (Some(cursor), Some(youngest)) if cursor > youngest)
    }

    /// Whether the entry of this id lies behind it, also where it is the beginning.
    #[must_use]
    pub fn lacks(&self, id: &str) -> bool {
        parts(&self.0).unwrap_or_default() < parts(id).unwrap_or_default()
    }

    /// Whether events may be missing between this cursor and the oldest event that is kept. From
    /// the beginning nothing is missing: whoever asks for it wants what there is.
    #[must_use]
    pub fn is_before(&self, oldest: &str) -> bool {
        matches!((parts(&self.0), parts(oldest)), (Some(cursor), Some(oldest)) if cursor < oldest)
    }
}

impl Argument for Cursor {
    fn append(&self, arguments: &mut Arguments) {
        arguments.text(&self.0);
    }
}

fn parts(id: &str) -> Option<(u64, u64)> {
    let (ms, n) = id.split_once('-')?;
    Some((ms.parse().ok()?, n.parse().ok()?))
}

/// Some events.
#[derive(Debug)]
pub struct Events {
    /// In order.
    pub events: Vec<Event>,
    /// The oldest event that the log still holds, if older ones were trimmed.
    pub oldest: Option<String>,
    /// The youngest event that there ever was; `0-0` if there was none.
    pub youngest: String,
    /// The cursor was given out on data that are no more, since an older copy was restored: its last
    /// event. The events are those after it.
    pub restored: Option<String>,
    /// The log holds more behind these; of a step of the tail: before them.
    pub more: bool,
    /// Bytes that this step and those before it have listed.
    pub filled: i64,
}

impl FromReply for Events {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let (oldest, youngest) = (reply.filled()?, reply.text()?);
        let (restored, more, filled) = (reply.filled()?, reply.flag()?, reply.int()?);
        Ok(Self { oldest, youngest, restored, more, filled, events: FromReply::read(reply)? })
    }
}

/// Reads at most so many events after a cursor, in steps ([`crate::steps`]).
///
/// # Errors
/// [`StoreError`].
pub async fn list<R: Redis>(
    store: &Store<R>,
    after: &Cursor,
    limit: i64,
) -> Result<Events, StoreError> {
    let mut most = limit.min(ROWS_AT_ONCE);
    let mut found = store.call(&List { after: after.clone(), limit: most, filled: 0 }).await?;
    while found.more && has_room(found.filled) && rows(&found.events) < limit {
        let Some(last) = found.events.last().and_then(|last| Cursor::parse(&last.event_id)) else {
            break;
        };
        most = (limit - rows(&found.events)).min(ROWS_AT_ONCE);
        let call = List { after: last.clone(), limit: most, filled: found.filled };
        let step = store.call(&call).await?;
        // What has been dropped meanwhile, the next page tells.
        if step.restored.is_some() || step.oldest.is_some_and(|oldest| last.is_before(&oldest)) {
            break;
        }
        (found.more, found.filled, found.youngest) = (step.more, step.filled, step.youngest);
        found.events.extend(step.events);
    }
    Ok(found)
}

/// Reads the end of the log, at most so many events, in steps ([`crate::steps`]).
///
/// # Errors
/// [`StoreError`].
pub async fn tail<R: Redis>(store: &Store<R>, limit: i64) -> Result<Events, StoreError> {
    let mut most = limit.min(ROWS_AT_ONCE);
    let mut found = store.call(&Tail { limit: most, before: "", filled: 0 }).await?;
    while found.more && has_room(found.filled) && rows(&found.events) < limit {
        most = (limit - rows(&found.events)).min(ROWS_AT_ONCE);
        let before = found.events.first().map_or("", |first| first.event_id.as_str());
        let mut step = store.call(&Tail { limit: most, before, filled: found.filled }).await?;
        (found.more, found.filled) = (step.more, step.filled);
        step.events.append(&mut found.events);
        found.events = step.events;
    }
    // Behind the end there is nothing.
    found.more = false;
    Ok(found)
}

fn rows(events: &[Event]) -> i64 {
    i64::try_from(events.len()).unwrap_or(i64::MAX)
}

rows! {
    Event { event_id, event_type, timestamp, payload }
}
