//! One kept-alive HTTP/1.1 connection: sends a request's bytes, reads a whole answer.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use anyhow::{Result, anyhow};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::call::Call;

/// Room that a read finds at least. What an answer needed stays, so that the next answer of that
/// size comes in one read.
const READ_BYTES: usize = 4096;
/// More headers than this have no answer of ours.
const HEADERS_MAX: usize = 32;

/// Why an exchange was not as it should be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection could not be opened or used.
    Io(io::ErrorKind),
    /// The server closed the connection in the middle of an answer.
    Closed,
    /// Another status than 200; the connection can go on.
    Status(u16),
    /// The answer has no `content-length`.
    NoLength,
    /// The answer is no HTTP, or longer than it said.
    Malformed,
}

impl Fault {
    /// Whether the connection can still be used.
    pub(crate) fn leaves_connection(&self) -> bool {
        matches!(self, Self::Status(_))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(kind) => write!(f, "{kind}"),
            Self::Closed => f.write_str("connection closed by the server"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::NoLength => f.write_str("answer without content-length"),
            Self::Malformed => f.write_str("malformed answer"),
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error.kind())
    }
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Where the body of the last answer begins.
    body: usize,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, Fault> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::new(), body: 0 })
    }

    /// Sends a request and waits for the whole answer, which must be a 200 with a length.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<(), Fault> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let mut head = None;
        loop {
            self.buffer.reserve(READ_BYTES);
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(Fault::Closed);
            }
            if head.is_none() {
                head = read_head(&self.buffer)?;
            }
            let Some(Head { status, length, body }) = head else { continue };
            self.body = length;
            match self.buffer.len().cmp(&(length + body.ok_or(Fault::NoLength)?)) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal if status == 200 => return Ok(()),
                std::cmp::Ordering::Equal => return Err(Fault::Status(status)),
                std::cmp::Ordering::Greater => return Err(Fault::Malformed),
            }
        }
    }

    /// Sends a request that is made once, and returns the body of the answer.
    pub(crate) async fn ask(&mut self, call: &Call, admin_key: &str) -> Result<&[u8]> {
        let address = self.stream.peer_addr()?;
        let outcome = self.exchange(call.template(address, admin_key).with(0)).await;
        outcome.map_err(|fault| anyhow!("{} {}: {fault}", call.method, call.target))?;
        Ok(self.body())
    }

    /// The body of the last answer.
    pub(crate) fn body(&self) -> &[u8] {
        self.buffer.get(self.body..).unwrap_or_default()
    }
}

/// What must be known of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    /// Bytes of the head.
    pub(super) length: usize,
    /// Bytes of the body, if the head tells.
    body: Option<usize>,
}

/// Reads the head of an answer; `None` while it is not there to its end.
pub(super) fn read_head(bytes: &[u8]) -> Result<Option<Head>, Fault> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(Fault::Malformed),
    };
    let status = response.code.ok_or(Fault::Malformed)?;
    let told = response
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .map(|header| std::str::from_utf8(header.value).ok()?.parse().ok());
    // A length that cannot be read is worse than none.
    let body = told.map(|length| length.ok_or(Fault::Malformed)).transpose()?;
    Ok(Some(Head { status, length, body }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[test]
    fn a_head_tells_status_and_length() {
        let text = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        let head = Head { status: 200, length: text.len() - 2, body: Some(2) };
        assert_eq!(read_head(text), Ok(Some(head)));
        assert_eq!(read_head(b"HTTP/1.1 200 OK\r\nconte"), Ok(None));
        let head = Head { status: 200, length: 19, body: None };
        assert_eq!(read_head(b"HTTP/1.1 200 OK\r\n\r\n"), Ok(Some(head)));
        assert_eq!(read_head(b"SSH-2.0\r\n\r\n"), Err(Fault::Malformed));
    }

    #[tokio::test]
    async fn an_answer_may_come_in_pieces() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 16];
            for (pieces, pause) in [
                (["HTTP/1.1 200 OK\r\ncontent-", "length: 3\r\n\r\nab", "c"], 5),
                (["HTTP/1.1 503 No\r\n", "content-length: 1\r\n", "\r\nx"], 0),
            ] {
                let _ = stream.read(&mut request).await.unwrap();
                for piece in pieces {
                    stream.write_all(piece.as_bytes()).await.unwrap();
                    tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
                }
            }
        });
        let mut connection = Connection::open(address).await.unwrap();
        assert_eq!(connection.exchange(b"one").await, Ok(()));
        assert_eq!(connection.body(), b"abc");
        assert_eq!(connection.exchange(b"two").await, Err(Fault::Status(503)));
        assert!(matches!(connection.exchange(b"three").await, Err(Fault::Closed | Fault::Io(_))));
        server.await.unwrap();
    }
}
