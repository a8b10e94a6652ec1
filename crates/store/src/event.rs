//! Calls on the cluster's event log: `lua/event/`.

use reef_domain::time::UnixMillis;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::node::read_json;
use crate::script::{
    Arguments, Call, EVENT_LATEST, EVENT_LIST, Malformed, Reader, Script, unknown_status,
};

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

    /// Whether events may be missing between this cursor and the oldest event that is kept. From
    /// the beginning nothing is missing: whoever asks for it wants what there is.
    #[must_use]
    pub fn is_before(&self, oldest: &str) -> bool {
        matches!((parts(&self.0), parts(oldest)), (Some(cursor), Some(oldest)) if cursor < oldest)
    }
}

fn parts(id: &str) -> Option<(u64, u64)> {
    let (ms, n) = id.split_once('-')?;
    Some((ms.parse().ok()?, n.parse().ok()?))
}

/// Something that happened in the cluster.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Event {
    /// Its place in the log.
    pub event_id: String,
    /// `node_registered node_online leader_changed …`
    pub event_type: String,
    /// When.
    pub timestamp: UnixMillis,
    /// A JSON object.
    pub payload: Box<RawValue>,
}

/// Reads events after a cursor, oldest first.
#[derive(Debug)]
pub struct List {
    /// Where to begin.
    pub after: Cursor,
    /// Most events.
    pub limit: i64,
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
    /// The log holds more behind these.
    pub more: bool,
    /// The cursor was given out on data that are no more, since an older copy was restored: its last
    /// event. The events are those after it.
    pub restored: Option<String>,
}

impl Call for List {
    type Reply = Events;

    fn script(&self) -> &'static Script {
        &EVENT_LIST
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(&self.after.0).number(self.limit);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Events, Malformed> {
        if status != "ok" {
            return unknown_status(status);
        }
        let oldest = Some(reply.text()?).filter(|id| !id.is_empty());
        let youngest = reply.text()?;
        let more = reply.flag()?;
        let restored = Some(reply.text()?).filter(|id| !id.is_empty());
        let mut events = Vec::with_capacity(reply.left() / 4);
        while !reply.is_at_end() {
            events.push(Event {
                event_id: reply.text()?,
                event_type: reply.text()?,
                timestamp: UnixMillis(reply.int()?),
                payload: read_json(reply)?,
            });
        }
        Ok(Events { events, oldest, youngest, more, restored })
    }
}

/// Asks where the log ends.
#[derive(Debug)]
pub struct Latest;

impl Call for Latest {
    /// The id of the youngest event, `0-0` if there is none.
    type Reply = String;

    fn script(&self) -> &'static Script {
        &EVENT_LATEST
    }

    fn arguments(&self, _: &mut Arguments) {}

    fn read(&self, status: &str, reply: &mut Reader) -> Result<String, Malformed> {
        match status {
            "ok" => reply.text(),
            other => unknown_status(other),
        }
    }
}
