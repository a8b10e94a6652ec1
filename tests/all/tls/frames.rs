//! HTTP/2 frame by frame, for what no well-behaved client does.

use std::io::{Read as _, Write as _};

use super::{Authority, Tls, connect};
use crate::harness::Hub;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;

pub(super) const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;
/// `:method` with either value, as the fixed table has it.
const GET: u8 = 0x82;
const POST: u8 = 0x83;
const INITIAL_WINDOW_SIZE: [u8; 2] = [0, 4];

#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

pub(super) struct Frames {
    tls: Tls,
    host: String,
}

impl Frames {
    /// A connection on which each stream may be sent so many bytes.
    pub(super) fn open(hub: &Hub, authority: &Authority, window: u32) -> Self {
        let tls = connect(hub, authority, &["h2"]);
        assert_eq!(tls.conn.alpn_protocol(), Some(&b"h2"[..]));
        let host = hub.url().trim_start_matches("https://").to_owned();
        let mut frames = Self { tls, host };
        frames.tls.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
        let setting = [&INITIAL_WINDOW_SIZE[..], &window.to_be_bytes()].concat();
        frames.send(SETTINGS, 0, 0, &setting).unwrap();
        frames
    }

    pub(super) fn send(
        &mut self,
        kind: u8,
        flags: u8,
        stream: u32,
        payload: &[u8],
    ) -> std::io::Result<()> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
        self.tls.write_all(&[&head, payload].concat())
    }

    pub(super) fn get(&mut self, stream: u32, path: &str, key: &str) -> std::io::Result<()> {
        self.ask(GET, END_STREAM, stream, path, key)
    }

    /// The head of a request whose body is still to come.
    pub(super) fn post(&mut self, stream: u32, path: &str, key: &str) -> std::io::Result<()> {
        self.ask(POST, 0, stream, path, key)
    }

    /// Asks for a path, with nothing of the header table but what is fixed.
    fn ask(
        &mut self,
        method: u8,
        flags: u8,
        stream: u32,
        path: &str,
        key: &str,
    ) -> std::io::Result<()> {
        let text = |text: &str| {
            let length = u8::try_from(text.len()).unwrap();
            assert!(length < 127);
            [&[length], text.as_bytes()].concat()
        };
        // The method, :scheme https, then :path, :authority and authorization by the names that
        // the fixed table has at 4, 1 and 23.
        let mut block = vec![method, 0x87, 0x04];
        block.extend(text(path));
        block.push(0x01);
        block.extend(text(&self.host));
        block.extend([0x0f, 23 - 15]);
        block.extend(text(&format!("Bearer {key}")));
        self.send(HEADERS, flags | END_HEADERS, stream, &block)
    }

    pub(super) fn ping(&mut self) {
        self.send(PING, 0, 0, b"are you?").unwrap();
    }

    /// The next frame; nothing once the connection has ended.
    pub(super) fn next(&mut self) -> Option<Frame> {
        loop {
            let mut head = [0; 9];
            self.tls.read_exact(&mut head).ok()?;
            let length =
                usize::try_from(u32::from_be_bytes([0, head[0], head[1], head[2]])).unwrap();
            let mut payload = vec![0; length];
            self.tls.read_exact(&mut payload).ok()?;
            let (kind, flags) = (head[3], head[4]);
            let stream = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
            if kind == SETTINGS && flags & ACK == 0 {
                self.send(SETTINGS, ACK, 0, &[]).ok()?;
            } else if kind == PING && flags & ACK == 0 {
                self.send(PING, ACK, 0, &payload).ok()?;
            } else {
                return Some(Frame { kind, stream, payload });
            }
        }
    }

    /// Reads on until a frame of this kind comes.
    pub(super) fn until(&mut self, kind: u8, stream: u32) -> Option<Frame> {
        loop {
            let frame = self.next()?;
            if frame.kind == kind && frame.stream == stream {
                return Some(frame);
            }
        }
    }
}
