//! A reader of event streams, down to the bytes: it sees what a browser's would hide, and where
//! a stream was cut.

use std::io::{BufRead, BufReader, Read, Take, Write};
use std::net::TcpStream;

use serde_json::Value;

use super::PATIENCE;

/// One frame of a stream: the lines up to an empty one, comments left out. A `retry` alone, which a
/// reader takes at once, is one too.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    pub id: Option<String>,
    pub event: Option<String>,
    pub data: Option<String>,
    pub retry: Option<String>,
}

impl Frame {
    /// The cursor to come back with.
    #[track_caller]
    pub fn cursor(&self) -> &str {
        self.id.as_deref().unwrap_or_else(|| panic!("{self:?}: no id"))
    }

    /// The event's type and the event.
    #[track_caller]
    pub fn told(&self) -> (&str, Value) {
        let (Some(event), Some(data)) = (&self.event, &self.data) else {
            panic!("{self:?}: not an event");
        };
        let data = serde_json::from_str(data)
            .unwrap_or_else(|error| panic!("{self:?}: not JSON: {error}"));
        (event, data)
    }
}

/// An open connection to a stream. Each read is waited for with patience, and no longer.
pub struct EventStream {
    pub status: u16,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    connection: Connection,
    /// What has arrived and is not a whole frame yet.
    arrived: Vec<u8>,
    end: Option<End>,
}

/// A connection that breaks after so many bytes.
type Connection = BufReader<Take<TcpStream>>;

/// How a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The hub has said that this was all.
    Said,
    /// The connection broke.
    Cut,
}

impl EventStream {
    /// Asks for a stream. When this returns the hub has answered, so that the reader has joined.
    #[track_caller]
    pub(super) fn open(address: &str, target: &str, headers: &[(String, String)]) -> Self {
        Self::open_and_cut(address, target, headers, u64::MAX).expect("no answer")
    }

    /// Asks for a stream on a connection that breaks after so many bytes, those of the answer's
    /// head included; nothing if that is all the bytes there are.
    #[track_caller]
    pub(super) fn open_and_cut(
        address: &str,
        target: &str,
        headers: &[(String, String)],
        bytes: u64,
    ) -> Option<Self> {
        let mut connection = TcpStream::connect(address).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut request = format!("GET {target} HTTP/1.1\r\nhost: {address}\r\n");
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        request += "accept: text/event-stream\r\nconnection: close\r\n\r\n";
        connection.write_all(request.as_bytes()).unwrap();
        let mut connection = BufReader::new(connection.take(bytes));
        let first = read_line(&mut connection)?;
        let status = first.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = Vec::new();
        loop {
            let line = read_line(&mut connection)?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        let mut stream = Self { status, headers, connection, arrived: Vec::new(), end: None };
        if stream.header("transfer-encoding") != Some("chunked") {
            // A refusal, whose words are for another reader.
            stream.end = Some(End::Said);
        }
        Some(stream)
    }

    /// The value of a header, if there is one.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The next frame; nothing at the end of the stream.
    #[track_caller]
    pub fn next_frame(&mut self) -> Option<Frame> {
        loop {
            let frame = parse(&self.next_lines()?);
            if frame != Frame::default() {
                return Some(frame);
            }
        }
    }

    /// Waits for a comment, which must come before anything else.
    #[track_caller]
    pub fn await_comment(&mut self) {
        let lines = self.next_lines().expect("an end");
        assert!(lines.starts_with(':'), "{lines:?}: no comment");
    }

    /// The next lines, up to an empty one and with it; a comment or a `retry`, which no empty line
    /// follows, by itself.
    #[track_caller]
    fn next_lines(&mut self) -> Option<String> {
        loop {
            let is_alone = self.arrived.starts_with(b":") || self.arrived.starts_with(b"retry:");
            let end: &[u8] = if is_alone { b"\n" } else { b"\n\n" };
            if let Some(at) = self.arrived.windows(end.len()).position(|window| window == end) {
                let lines = self.arrived.drain(..at + end.len()).collect();
                return Some(String::from_utf8(lines).expect("not UTF-8"));
            }
            if self.end.is_some() {
                return None;
            }
            self.read_chunk();
        }
    }

    /// The next frame with an event, past those without one.
    #[track_caller]
    pub fn next_event(&mut self) -> Option<Frame> {
        loop {
            let frame = self.next_frame()?;
            if frame.event.is_some() {
                return Some(frame);
            }
        }
    }

    /// So many events.
    #[track_caller]
    pub fn take_events(&mut self, count: usize) -> Vec<Frame> {
        (0..count)
            .map(|at| self.next_event().unwrap_or_else(|| panic!("over after {at} events")))
            .collect()
    }

    /// All events up to the end of the stream, and how that came.
    #[track_caller]
    pub fn rest(&mut self) -> (Vec<Frame>, End) {
        let events = std::iter::from_fn(|| self.next_event()).collect();
        (events, self.end.expect("no end"))
    }

    #[track_caller]
    fn read_chunk(&mut self) {
        let Some(line) = read_line(&mut self.connection) else {
            self.end = Some(End::Cut);
            return;
        };
        let size = usize::from_str_radix(line.trim(), 16)
            .unwrap_or_else(|_| panic!("{line:?}: not the size of a chunk"));
        if size == 0 {
            self.end = Some(End::Said);
            return;
        }
        let mut chunk = Vec::with_capacity(size + 2);
        let whole = self.connection.by_ref().take(size as u64 + 2).read_to_end(&mut chunk);
        assert!(!whole.is_err_and(|error| is_timeout(&error)), "half a chunk");
        if chunk.len() < size + 2 {
            self.end = Some(End::Cut);
        } else {
            assert!(chunk.ends_with(b"\r\n"), "a chunk is longer than it says");
        }
        chunk.truncate(size);
        self.arrived.extend_from_slice(&chunk);
    }
}

/// A line without its end; nothing when the connection is broken.
#[track_caller]
fn read_line(connection: &mut Connection) -> Option<String> {
    let mut line = String::new();
    match connection.read_line(&mut line) {
        Ok(_) if line.ends_with('\n') => Some(line.trim_end().to_owned()),
        Ok(_) => None,
        Err(error) => {
            assert!(!is_timeout(&error), "nothing more within {PATIENCE:?}");
            None
        }
    }
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}

#[track_caller]
fn parse(text: &str) -> Frame {
    let mut frame = Frame::default();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with(':')) {
        let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("{line:?}: no field"));
        let field = match name {
            "id" => &mut frame.id,
            "event" => &mut frame.event,
            "data" => &mut frame.data,
            "retry" => &mut frame.retry,
            other => panic!("a field of the name {other:?}"),
        };
        assert!(field.replace(value.to_owned()).is_none(), "{text:?}: {name} comes twice");
    }
    frame
}
