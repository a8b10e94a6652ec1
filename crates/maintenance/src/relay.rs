//! Passes on to a server of ours, which believes to be a replica, what a primary sends.
//!
//! Between the two it introduces itself to the primary, over TLS where that is needed, and lets no
//! acknowledgement through: a copy that is about to go must not count where somebody waits for replicas.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reef_redis::ByteStream;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::Error;

/// Longest command that a replica sends, in bytes: they are short.
const COMMAND_MAX: usize = 4096;
/// How long somebody may take to say the password: the replica waits behind.
const LET_IN_MAX: Duration = Duration::from_secs(2);
/// Length of a password, in bytes of chance.
const PASSWORD_LEN: usize = 32;
/// The acknowledgement of nothing.
const BEGIN: &[u8] = b"*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$1\r\n0\r\n";

/// A relay. It ends when this is dropped.
pub(crate) struct Relay {
    /// Where it listens on this machine.
    pub(crate) port: u16,
    /// What it wants to hear first.
    pub(crate) password: String,
    passed: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Relay {
    /// Listens for one replica of the server at the other end.
    pub(crate) async fn start(primary: Box<dyn ByteStream>) -> Result<Self, Error> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let mut chance = [0; PASSWORD_LEN];
        getrandom::fill(&mut chance).map_err(|error| Error::File(error.to_string()))?;
        let password: String = chance.iter().map(|byte| format!("{byte:02x}")).collect();
        let passed = Arc::<AtomicU64>::default();
        let (expected, counted) = (password.clone(), Arc::clone(&passed));
        let task = tokio::spawn(async move {
            // How it ends is seen by the replica, whose link is down then.
            let _ = run(listener, primary, &expected, &counted).await;
        });
        Ok(Self { port, password, passed, task })
    }

    /// How many bytes of the primary's it has passed on.
    pub(crate) fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }

    /// Whether the link is over.
    pub(crate) fn is_over(&self) -> bool {
        self.task.is_finished()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    listener: TcpListener,
    primary: Box<dyn ByteStream>,
    password: &str,
    passed: &AtomicU64,
) -> std::io::Result<()> {
    let mut replica = loop {
        let (stream, _) = listener.accept().await?;
        // Anybody on this machine can come; who does not know the password goes.
        if let Ok(Ok(Some(stream))) = timeout(LET_IN_MAX, let_in(stream, password)).await {
            break stream;
        }
    };
    drop(listener);
    let (mut from_primary, mut to_primary) = tokio::io::split(primary);
    let (from_replica, to_replica) = &mut replica;
    tokio::select! {
        ended = pass_down(&mut from_primary, to_replica, passed) => ended,
        ended = pass_up(from_replica, &mut to_primary) => ended,
    }
}

/// Passes on what a primary sends.
async fn pass_down(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut OwnedWriteHalf,
    passed: &AtomicU64,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        to.write_all(buffer.get(..count).unwrap_or_default()).await?;
        passed.fetch_add(count as u64, Ordering::Relaxed);
    }
}

type Halves = (BufReader<OwnedReadHalf>, OwnedWriteHalf);

/// Answers until the password has come; nothing if that is not it.
async fn let_in(stream: TcpStream, password: &str) -> std::io::Result<Option<Halves>> {
    let (from, mut to) = stream.into_split();
    let mut from = BufReader::new(from);
    loop {
        match command(&mut from).await? {
            Command::Newline => {}
            Command::Words(words, _) => {
                let is = |name: &str| {
                    words.first().is_some_and(|it| it.eq_ignore_ascii_case(name.as_bytes()))
                };
                if is("AUTH") {
                    let is_right = words.last().is_some_and(|it| it == password.as_bytes());
                    to.write_all(if is_right { b"+OK\r\n" } else { b"-WRONGPASS\r\n" }).await?;
                    return Ok(is_right.then_some((from, to)));
                }
                to.write_all(if is("PING") { b"+PONG\r\n" } else { b"-NOAUTH\r\n" }).await?;
            }
        }
    }
}

/// Passes on what a replica sends but for its acknowledgements. The first begins the stream of commands
/// behind a snapshot without a file, and acknowledges nothing.
async fn pass_up(
    from: &mut BufReader<OwnedReadHalf>,
    to: &mut (impl AsyncWrite + Unpin),
) -> std::io::Result<()> {
    let mut has_begun = false;
    loop {
        let bytes = match command(from).await? {
            Command::Newline => b"\n".to_vec(),
            Command::Words(words, raw) => {
                let is = |at: usize, name: &str| {
                    words.get(at).is_some_and(|it| it.eq_ignore_ascii_case(name.as_bytes()))
                };
                match is(0, "REPLCONF") && is(1, "ACK") {
                    true if has_begun => continue,
                    true => {
                        has_begun = true;
                        BEGIN.to_vec()
                    }
                    false => raw,
                }
            }
        };
        to.write_all(&bytes).await?;
        to.flush().await?;
    }
}

enum Command {
    /// A sign of life of a replica that is loading.
    Newline,
    /// Its words, and how it was written.
    Words(Vec<Vec<u8>>, Vec<u8>),
}

async fn command(from: &mut BufReader<OwnedReadHalf>) -> std::io::Result<Command> {
    let mut raw = Vec::new();
    let count = match line(from, &mut raw).await? {
        text if text.is_empty() => return Ok(Command::Newline),
        text => number(&text, '*')?,
    };
    let mut words = Vec::new();
    for _ in 0..count {
        let length = number(&line(from, &mut raw).await?, '$')?;
        let begin = raw.len();
        raw.resize(begin + length + 2, 0);
        let word = raw.get_mut(begin..).ok_or_else(odd)?;
        from.read_exact(word).await?;
        words.push(word.get(..length).ok_or_else(odd)?.to_vec());
    }
    Ok(Command::Words(words, raw))
}

async fn line(from: &mut BufReader<OwnedReadHalf>, raw: &mut Vec<u8>) -> std::io::Result<String> {
    let begin = raw.len();
    let limit = u64::try_from(COMMAND_MAX.saturating_sub(begin)).unwrap_or_default();
    (&mut *from).take(limit).read_until(b'\n', raw).await?;
    let line = raw.get(begin..).unwrap_or_default();
    if !line.ends_with(b"\n") {
        return Err(odd());
    }
    Ok(String::from_utf8_lossy(line).trim_end().to_owned())
}

fn number(text: &str, sign: char) -> std::io::Result<usize> {
    let number = text.strip_prefix(sign).and_then(|number| number.parse().ok());
    number.filter(|number| *number < COMMAND_MAX).ok_or_else(odd)
}

fn odd() -> std::io::Error {
    std::io::Error::other("this is no replica")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_comes_and_says_nothing_keeps_nobody_out() {
        let (primary, mut other_end) = tokio::io::duplex(64);
        let relay = Relay::start(Box::new(primary)).await.unwrap();
        let _silent = TcpStream::connect(("127.0.0.1", relay.port)).await.unwrap();
        let mut replica = TcpStream::connect(("127.0.0.1", relay.port)).await.unwrap();
        let auth = format!("*2\r\n$4\r\nAUTH\r\n$64\r\n{}\r\n", relay.password);
        replica.write_all(auth.as_bytes()).await.unwrap();
        let mut answer = [0; 5];
        replica.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"+OK\r\n");
        other_end.write_all(b"x").await.unwrap();
        replica.read_exact(&mut answer[..1]).await.unwrap();
        assert_eq!(answer[0], b'x');
    }
}
