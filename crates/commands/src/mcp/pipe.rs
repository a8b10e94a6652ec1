//! Messages, one a line, on standard input and output. Everything else goes to standard error.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use reef_bridge::mcp::{Reef, Transport, answer};
use reef_bridge::tools::Selection;
use reef_client::Hub;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::over_http::OverHttp;
use crate::failure::Failure;
use crate::output;

/// The longest message: as much as a content block may take, and what stands around it.
const LINE_BYTES_MAX: usize = 9 << 20;
/// Messages that are answered at the same time; what comes then waits in the pipe.
const UNDER_WAY_MAX: usize = 16;
/// How long the last answers may take once there is nobody who asks for more.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Answers until standard input ends.
pub(super) async fn serve(hub: Hub, selection: Selection) -> Result<(), Failure> {
    let offer = Reef::new(OverHttp(hub), selection);
    let mut lines = Lines { input: tokio::io::stdin(), held: Vec::new(), is_over: false };
    let mut under_way = FuturesUnordered::new();
    loop {
        tokio::select! {
            line = lines.next(), if under_way.len() < UNDER_WAY_MAX => match line? {
                Some(line) => {
                    let offer = &offer;
                    under_way.push(async move {
                        answer(offer, Transport::Pipe, &line).await.body
                    });
                }
                None => break,
            },
            Some(body) = under_way.next() => say(body)?,
        }
    }
    let rest = async {
        while let Some(body) = under_way.next().await {
            say(body)?;
        }
        Ok(())
    };
    tokio::time::timeout(LAST_ANSWERS, rest).await.unwrap_or(Ok(()))
}

fn say(body: Option<serde_json::Value>) -> Result<(), Failure> {
    match body {
        Some(body) => Ok(output::message(&body)?),
        None => Ok(()),
    }
}

/// The lines of an input. A call of [`Lines::next`] that is dropped loses nothing.
struct Lines<R> {
    input: R,
    held: Vec<u8>,
    is_over: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// The next line that is not empty; `None` at the end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let mut looked_at = 0;
        loop {
            let fresh = self.held.get(looked_at..).unwrap_or_default();
            if let Some(at) = fresh.iter().position(|byte| *byte == b'\n') {
                let rest = self.held.split_off(looked_at + at + 1);
                let line = std::mem::replace(&mut self.held, rest);
                looked_at = 0;
                if !line.trim_ascii().is_empty() {
                    return Ok(Some(line));
                }
                continue;
            }
            if self.is_over {
                let last = std::mem::take(&mut self.held);
                return Ok(Some(last).filter(|line| !line.trim_ascii().is_empty()));
            }
            if self.held.len() > LINE_BYTES_MAX {
                let words = format!("a message is longer than {} MiB", LINE_BYTES_MAX >> 20);
                return Err(Failure::Failed(words));
            }
            looked_at = self.held.len();
            self.is_over = match self.input.read_buf(&mut self.held).await {
                Ok(count) => count == 0,
                Err(error) => {
                    return Err(Failure::Failed(format!("cannot read the input: {error}")));
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(input: &[u8]) -> Vec<String> {
        let mut lines = Lines { input, held: Vec::new(), is_over: false };
        let mut found = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            found.push(String::from_utf8(line).unwrap().trim().to_owned());
        }
        found
    }

    #[tokio::test]
    async fn lines_end_where_they_should_and_the_last_one_needs_no_end() {
        assert_eq!(read(b"a\n\r\n  \nb\r\nc").await, ["a", "b", "c"]);
        assert!(read(b"").await.is_empty());
        let long = "x".repeat(100_000);
        assert_eq!(read(format!("{long}\n{long}\n").as_bytes()).await, [long.clone(), long]);
    }
}
