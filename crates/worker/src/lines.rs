//! Lines of what a command writes, however long and whatever bytes.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// Reads line by line and never holds more than `limit` bytes of one.
pub(crate) struct Lines<R> {
    reader: BufReader<R>,
    limit: usize,
    line: Vec<u8>,
    is_too_long: bool,
}

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Bytes that are not UTF-8 are replaced.
    Text(String),
    /// It was longer than the limit and is lost.
    TooLong,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(crate) fn new(reader: R, limit: usize) -> Self {
        let reader = BufReader::new(reader);
        Self { reader, limit, line: Vec::new(), is_too_long: false }
    }

    /// The next line; nothing at the end. What follows the last line's end counts as a line if it
    /// is not empty.
    ///
    /// May be dropped while it waits: nothing that was read is lost.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            let arrived = self.reader.fill_buf().await?;
            if arrived.is_empty() {
                let is_over = self.line.is_empty() && !self.is_too_long;
                return Ok((!is_over).then(|| self.take()));
            }
            let end = arrived.iter().position(|byte| *byte == b'\n');
            let part = arrived.get(..end.unwrap_or(arrived.len())).unwrap_or_default();
            if self.line.len() + part.len() > self.limit {
                self.is_too_long = true;
                self.line.clear();
            }
            if !self.is_too_long {
                self.line.extend_from_slice(part);
            }
            let consumed = part.len() + usize::from(end.is_some());
            self.reader.consume(consumed);
            if end.is_some() {
                return Ok(Some(self.take()));
            }
        }
    }

    fn take(&mut self) -> Line {
        let line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.is_too_long) {
            return Line::TooLong;
        }
        let text = String::from_utf8_lossy(&line);
        Line::Text(text.strip_suffix('\r').unwrap_or(&text).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(text: &[u8], limit: usize) -> Vec<Line> {
        let mut lines = Lines::new(text, limit);
        let mut all = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            all.push(line);
        }
        all
    }

    fn text(text: &str) -> Line {
        Line::Text(text.to_owned())
    }

    #[tokio::test]
    async fn lines_end_in_any_way() {
        assert_eq!(read(b"", 9).await, []);
        assert_eq!(read(b"a\r\n\nb", 9).await, [text("a"), text(""), text("b")]);
        assert_eq!(read(b"a\xff\n", 9).await, [text("a\u{fffd}")]);
    }

    #[tokio::test]
    async fn a_line_beyond_the_limit_costs_only_itself() {
        let long = "x".repeat(50_000) + "\nshort\n" + &"y".repeat(10);
        assert_eq!(read(long.as_bytes(), 9).await, [Line::TooLong, text("short"), Line::TooLong]);
    }
}
