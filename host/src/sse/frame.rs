//! What goes over the wire: frames of an event stream, rendered once for all readers.

use std::fmt;

use bytes::Bytes;

/// The first words to a reader: how long it shall wait before it comes back. Like every line that
/// is no event it has no empty line behind it: a reader takes such a line at once, and some, such as
/// Python's httpx-sse, take the empty line for an event without data.
pub(super) const OPENING: Bytes = Bytes::from_static(b"retry: 1000\n");
/// Shows the reader, and whatever stands between us, that the stream is alive.
pub(super) const COMMENT: Bytes = Bytes::from_static(b":\n");
/// The event type after which a message's stream ends.
const LAST_TYPE: &str = "message_end";
/// The event types by which the cluster tells that its data may have become fewer.
const RESTORATIONS: [&str; 2] = ["restored", "store_changed"];
/// The last words to a reader whose message is not there any more. No event of the message, so
/// that it has no id; and not called `error`, which browsers take for one of their own.
pub(super) const GONE: Bytes = Bytes::from_static(
    b"event: gone\ndata: {\"code\":\"not_found\",\"detail\":\"The message was removed or has expired.\"}\n\n",
);
/// The same where it was a task's log.
pub(super) const LOG_GONE: Bytes = Bytes::from_static(
    b"event: gone\ndata: {\"code\":\"not_found\",\"detail\":\"The task was removed.\"}\n\n",
);
/// The last words to a reader whose key is not good any more, or whose cookie has run out.
pub(super) const SHUT_OUT: Bytes = Bytes::from_static(
    b"event: gone\ndata: {\"code\":\"unauthenticated\",\"detail\":\"The key of this stream was revoked, has expired or is suspended.\"}\n\n",
);
/// The type under which a script announces that it has removed a message.
const REMOVED_TYPE: &str = "gone";
/// The type under which a script announces that there is something to read, and nothing of it.
const NEWS_TYPE: &str = "lines";
/// The event type that stands for everything up to its id.
pub(super) const SNAPSHOT: &str = "snapshot";
/// Over how many milliseconds the readers of a host that stops spread their return.
const RETURN_SPREAD_MS: u64 = 2000;

/// The place of an event in its log. Later events have larger ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct StreamId {
    ms: u64,
    n: u64,
}

impl StreamId {
    /// Reads `<ms>-<n>`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (ms, n) = text.split_once('-')?;
        Some(Self { ms: ms.parse().ok()?, n: n.parse().ok()? })
    }

    /// The place right before an event. The largest number is left out: Redis finds nothing behind
    /// it, and no event has it.
    pub(super) fn before(self) -> Self {
        match (self.ms, self.n) {
            (0, 0) => self,
            (ms, 0) => Self { ms: ms - 1, n: u64::MAX - 1 },
            (ms, n) => Self { ms, n: n - 1 },
        }
    }

    /// The place right behind an event.
    pub(super) fn after(self) -> Self {
        Self { n: self.n.saturating_add(1), ..self }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.n)
    }
}

/// One event, ready to be sent. Clones share the bytes.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// Its place, which is the cursor that a reader comes back with.
    pub(super) id: StreamId,
    /// Nothing follows in this stream.
    pub(super) is_last: bool,
    /// The data may have become fewer: what a reader has got may be no more.
    pub(super) is_restoration: bool,
    /// As it is sent.
    pub(super) bytes: Bytes,
}

impl Frame {
    /// Renders an event; `data` is JSON.
    pub(super) fn new(id: StreamId, event_type: &str, data: &str) -> Self {
        let mut text = format!("id: {id}\nevent: {event_type}\ndata: ");
        push_line(&mut text, data);
        text.push_str("\n\n");
        Self {
            id,
            is_last: event_type == LAST_TYPE,
            is_restoration: RESTORATIONS.contains(&event_type),
            bytes: Bytes::from(text),
        }
    }

    /// The number that an event of a message has in its id, `evt_<message>_<number>`.
    pub(super) fn sequence(&self) -> Option<i64> {
        let text = std::str::from_utf8(&self.bytes).ok()?;
        let (_, after) = text.split_once("\"event_id\":\"")?;
        let (event_id, _) = after.split_once('"')?;
        event_id.rsplit_once('_')?.1.parse().ok()
    }
}

/// Appends JSON on one line, as every reader of lines sees it. A stream's lines end with `\n` or
/// `\r`; Python's readers also cut at three characters that stand only inside a text of JSON, where
/// they can be escaped.
fn push_line(line: &mut String, json: &str) {
    // The first bytes of those three in UTF-8, so that nearly all data is passed on as it is.
    if !json.bytes().any(|byte| matches!(byte, b'\n' | b'\r' | 0xc2 | 0xe2)) {
        return line.push_str(json);
    }
    for character in json.chars() {
        match character {
            // Between the tokens of JSON any white space will do, and inside them there is none.
            '\n' | '\r' => line.push(' '),
            '\u{85}' => line.push_str("\\u0085"),
            '\u{2028}' => line.push_str("\\u2028"),
            '\u{2029}' => line.push_str("\\u2029"),
            other => line.push(other),
        }
    }
}

/// What a script has announced.
#[derive(Debug, Clone)]
pub(super) enum Announcement {
    /// Something has happened.
    Event(Frame),
    /// The message was removed with all its events.
    Removed,
    /// There is something to read.
    News,
}

impl Announcement {
    /// Reads `<id> <type> <JSON>`.
    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(payload).ok()?.splitn(3, ' ');
        let (id, event_type, data) = (parts.next()?, parts.next()?, parts.next()?);
        let id = StreamId::parse(id)?;
        if event_type == REMOVED_TYPE {
            return Some(Self::Removed);
        }
        if event_type == NEWS_TYPE {
            return Some(Self::News);
        }
        Some(Self::Event(Frame::new(id, event_type, data)))
    }
}

/// The last words of a host that stops. Its readers come back to the others at different moments,
/// told apart by any number.
pub(super) fn farewell(reader: u64) -> Bytes {
    Bytes::from(format!("retry: {}\n", 1000 + reader.wrapping_mul(617) % RETURN_SPREAD_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> StreamId {
        StreamId::parse(text).unwrap()
    }

    #[test]
    fn ids_are_ordered_as_numbers() {
        assert!(id("9-10") < id("10-0") && id("9-9") < id("9-10"));
        assert_eq!(id("1795249229283-7").to_string(), "1795249229283-7");
        assert_eq!(id("5-0").before(), StreamId { ms: 4, n: u64::MAX - 1 });
        assert_eq!(id("5-3").before(), id("5-2"));
        assert_eq!(id("0-0").before(), id("0-0"));
        assert_eq!(id("5-3").after(), id("5-4"));
        for bad in ["", "1", "1-", "-1", "1-2-3", "a-b"] {
            assert!(StreamId::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn an_announcement_becomes_one_frame() {
        let event = |payload: &[u8]| match Announcement::parse(payload) {
            Some(Announcement::Event(frame)) => frame,
            other => panic!("{other:?}"),
        };
        let frame = event(br#"5-1 text_delta {"delta":"a b"}"#);
        assert_eq!(frame.bytes, "id: 5-1\nevent: text_delta\ndata: {\"delta\":\"a b\"}\n\n");
        assert!(!frame.is_last);
        assert!(event(b"5-2 message_end {}").is_last);
        assert!(matches!(Announcement::parse(b"0-0 gone {}"), Some(Announcement::Removed)));
        assert!(matches!(Announcement::parse(b"0-0 lines {}"), Some(Announcement::News)));
        for bad in [&b""[..], b"5-1", b"5-1 x", b"x y {}", b"5-1 x \xff"] {
            assert!(Announcement::parse(bad).is_none());
        }
    }

    #[test]
    fn an_event_of_a_message_says_which_one_it_is() {
        let data = r#"{"event_id":"evt_msg_a_12","event_type":"text_delta"}"#;
        assert_eq!(Frame::new(id("5-1"), "text_delta", data).sequence(), Some(12));
        assert_eq!(Frame::new(id("5-1"), "x", "{}").sequence(), None);
    }

    #[test]
    fn data_stays_on_one_line() {
        let frame = Frame::new(id("1-0"), "x", "{\n\"a\":\r\n1}");
        assert_eq!(frame.bytes, "id: 1-0\nevent: x\ndata: { \"a\":  1}\n\n");
        let data = "{\"a\":\"\u{85}é\u{2028}…\u{2029}\"}";
        let frame = Frame::new(id("1-0"), "x", data);
        let told = r#"data: {"a":"\u0085é\u2028…\u2029"}"#;
        assert_eq!(frame.bytes, format!("id: 1-0\nevent: x\n{told}\n\n"));
    }

    #[test]
    fn readers_of_a_stopping_host_come_back_one_by_one() {
        let (first, second) = (farewell(1), farewell(2));
        assert!(first.starts_with(b"retry: ") && first.ends_with(b"\n"));
        assert_ne!(first, second);
    }
}
