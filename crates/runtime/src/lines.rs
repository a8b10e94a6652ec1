//! What components print, as events of the log: so it has the log's format, and a log that nobody
//! reads does not stop a component.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// The longest line of a component; the rest of a longer one is a line of its own.
const LINE_BYTES_MAX: usize = 8 << 10;

/// Standard output or standard error of one instance. A component prints a line in pieces, and may
/// ask for its stream anew for each, so they are put together here.
#[derive(Clone)]
pub(crate) struct Lines(Arc<Printed>);

struct Printed {
    component: String,
    /// Whether it is standard error: what an operator should see.
    is_error: bool,
    line: Mutex<Vec<u8>>,
}

impl Lines {
    pub(crate) fn new(component: &str, is_error: bool) -> Self {
        let line = Mutex::default();
        Self(Arc::new(Printed { component: component.to_owned(), is_error, line }))
    }

    fn take(&self, mut bytes: &[u8]) {
        let mut line = self.0.line.lock().unwrap_or_else(PoisonError::into_inner);
        while !bytes.is_empty() {
            let room = LINE_BYTES_MAX.saturating_sub(line.len()).min(bytes.len());
            let (near, _) = bytes.split_at(room);
            let end = near.iter().position(|byte| *byte == b'\n');
            let (part, rest) = bytes.split_at(end.unwrap_or(room));
            line.extend_from_slice(part);
            bytes = rest.get(usize::from(end.is_some())..).unwrap_or_default();
            if end.is_some() || line.len() >= LINE_BYTES_MAX {
                self.0.log(&line);
                line.clear();
            }
        }
    }
}

impl Printed {
    fn log(&self, line: &[u8]) {
        let component = self.component.as_str();
        let text = String::from_utf8_lossy(line);
        // A line of somebody else's text must not look like several of ours, nor paint.
        let text: String = text.trim_end().chars().flat_map(escaped).collect();
        if text.is_empty() {
        } else if self.is_error {
            tracing::warn!(target: "component", component, "{text}");
        } else {
            tracing::info!(target: "component", component, "{text}");
        }
    }
}

fn escaped(letter: char) -> impl Iterator<Item = char> {
    let is_odd = letter.is_control() && letter != '\t';
    let (odd, plain) =
        if is_odd { (Some(letter.escape_default()), None) } else { (None, Some(letter)) };
    odd.into_iter().flatten().chain(plain)
}

impl Drop for Printed {
    fn drop(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.log(&line.into_inner().unwrap_or_else(PoisonError::into_inner));
    }
}

impl IsTerminal for Lines {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Lines {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    // Not through a task, as it would be by itself: a component that traps right after its last
    // words is still heard.
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Lines {
    async fn ready(&mut self) {}
}

impl OutputStream for Lines {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}

impl AsyncWrite for Lines {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_lines_of_bounded_length() {
        let lines = Lines::new("test", true);
        lines.take(b"a");
        lines.take(b"b\nc");
        assert_eq!(*lines.0.line.lock().unwrap(), b"c");
        lines.take(&vec![b'x'; 3 * LINE_BYTES_MAX]);
        assert_eq!(lines.0.line.lock().unwrap().len(), 1);
        lines.take(b"\n\n");
        assert_eq!(lines.0.line.lock().unwrap().len(), 0);
    }

    #[test]
    fn odd_letters_are_escaped() {
        let text: String = "a\tä\r\u{1b}[2J".chars().flat_map(escaped).collect();
        assert_eq!(text, "a\tä\\r\\u{1b}[2J");
    }
}
