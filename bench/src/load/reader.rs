//! A reader of one event stream. It reads what the hub sends down to the numbers of the events,
//! and no further, because thousands of them run on one thread.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::connection::{self, Fault};

/// Room that a read finds at least: a few events.
const READ_BYTES: usize = 2048;
/// Readers that share a source address: fewer than the ports that a system gives away.
const READERS_PER_ADDRESS: usize = 15_000;
/// Stands before the number of an event; what comes before it in an event can not hold it.
const SEQUENCE: &[u8] = b"\"sequence\":";

/// A reader that is connected.
#[derive(Debug)]
pub(crate) struct Reader {
    stream: TcpStream,
    /// What has arrived and is no whole chunk yet.
    chunked: Vec<u8>,
    /// What has arrived and is no whole frame yet.
    text: Vec<u8>,
}

impl Reader {
    /// Connects as the reader of a number, asks, and waits for the head of the answer.
    pub(crate) async fn open(
        server: SocketAddr,
        number: usize,
        request: &[u8],
    ) -> Result<Self, Fault> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(source(number), 0))?;
        let mut stream = socket.connect(server).await?;
        stream.write_all(request).await?;
        let mut chunked = Vec::new();
        let begin = loop {
            read(&mut stream, &mut chunked).await?;
            if let Some(begin) = connection::read_head(&chunked)? {
                break begin;
            }
        };
        if begin.status != 200 {
            return Err(Fault::Status(begin.status));
        }
        chunked.drain(..begin.length);
        Ok(Self { stream, chunked, text: Vec::new() })
    }

    /// Waits for events, and calls `seen` with the number of each.
    pub(crate) async fn read(&mut self, mut seen: impl FnMut(u64)) -> Result<(), Fault> {
        let mut any = false;
        while !any {
            let ended = unchunk(&mut self.chunked, &mut self.text)?;
            for sequence in events(&mut self.text)? {
                any = true;
                seen(sequence);
            }
            if ended && !any {
                return Err(Fault::Closed);
            }
            if !any {
                read(&mut self.stream, &mut self.chunked).await?;
            }
        }
        Ok(())
    }
}

/// The loopback address of a reader. Systems without all of 127.0.0.0/8 take the first, too.
fn source(number: usize) -> IpAddr {
    let address = u8::try_from(number / READERS_PER_ADDRESS).unwrap_or(u8::MAX - 1);
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1 + address))
}

async fn read(stream: &mut TcpStream, into: &mut Vec<u8>) -> Result<(), Fault> {
    into.reserve(READ_BYTES);
    match stream.read_buf(into).await? {
        0 => Err(Fault::Closed),
        _ => Ok(()),
    }
}

/// Moves the contents of whole chunks; true after the last one.
fn unchunk(chunked: &mut Vec<u8>, text: &mut Vec<u8>) -> Result<bool, Fault> {
    let mut done = 0;
    let mut ended = false;
    while let Some(rest) = chunked.get(done..).filter(|rest| !rest.is_empty() && !ended) {
        let (head, size) = match httparse::parse_chunk_size(rest) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) => break,
            Err(_) => return Err(Fault::Malformed),
        };
        let size = usize::try_from(size).map_err(|_| Fault::Malformed)?;
        // A line break stands behind each.
        let Some(contents) = rest.get(head..head + size + 2) else { break };
        text.extend_from_slice(contents.get(..size).unwrap_or_default());
        done += head + size + 2;
        ended = size == 0;
    }
    chunked.drain(..done);
    Ok(ended)
}

/// Takes whole frames out, and tells the numbers of the events among them.
fn events(text: &mut Vec<u8>) -> Result<Vec<u64>, Fault> {
    let mut found = Vec::new();
    let mut done = 0;
    while let Some(length) = text.get(done..).and_then(|rest| position(rest, b"\n\n")) {
        let frame = text.get(done..done + length).unwrap_or_default();
        done += length + 2;
        // Comments and words about when to come back have no data.
        if position(frame, b"\ndata: ").is_some() {
            let place = position(frame, SEQUENCE).ok_or(Fault::Malformed)? + SEQUENCE.len();
            let digits = frame.get(place..).unwrap_or_default();
            let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let digits = digits.get(..length).and_then(|digits| std::str::from_utf8(digits).ok());
            found.push(digits.and_then(|digits| digits.parse().ok()).ok_or(Fault::Malformed)?);
        }
    }
    text.drain(..done);
    Ok(found)
}

fn position(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_found_wherever_the_stream_is_cut_into_pieces() {
        let frames = "retry: 1000\n\n:\n\n\
             id: 1-0\nevent: text_delta\ndata: {\"event_id\":\"e\",\"sequence\":7,\"payload\":{}}\n\n\
             id: 1-1\nevent: text_delta\ndata: {\"sequence\":12,\"payload\":{\"sequence\":1}}\n\n";
        for cut in 1..frames.len() {
            let (first, second) = frames.split_at(cut);
            let wire = format!(
                "{:x}\r\n{first}\r\n{:X}\r\n{second}\r\n0\r\n\r\n",
                first.len(),
                second.len()
            );
            let (mut chunked, mut text, mut found) = (Vec::new(), Vec::new(), Vec::new());
            let mut ended = false;
            for byte in wire.bytes() {
                chunked.push(byte);
                ended = unchunk(&mut chunked, &mut text).unwrap();
                found.extend(events(&mut text).unwrap());
            }
            assert_eq!((found, ended), (vec![7, 12], true), "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_event_stream_is_a_fault() {
        assert_eq!(unchunk(&mut b"zz\r\n".to_vec(), &mut Vec::new()), Err(Fault::Malformed));
        let snapshot = b"id: 1-0\nevent: snapshot\ndata: {\"message\":{}}\n\n";
        assert_eq!(events(&mut snapshot.to_vec()), Err(Fault::Malformed));
    }
}
