//! Redis' own snapshot of one instant, asked for as a new replica would.

use std::path::Path;
use std::time::Duration;

use reef_redis::{ByteStream, Connection};
use tokio::fs::File;
use tokio::io::BufReader;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::{Error, Progress};

/// How long Redis may be silent: while it prepares the snapshot it sends a line break every second.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(60);
/// Length of the mark that ends a snapshot of unknown length.
const MARK_LEN: usize = 40;

pub(crate) type Reader = BufReader<Box<dyn ByteStream>>;

/// Fetches the snapshot of a server into a file.
pub(crate) async fn fetch(
    server: &Connection,
    into: &Path,
    progress: Progress<'_>,
) -> Result<(), Error> {
    let mut stream = BufReader::with_capacity(1 << 16, server.open_bytes().await?);
    // Both spare Redis work, and one that does not know them goes on as well: it need not keep what
    // comes after the snapshot, and need not write the snapshot to its own disk first.
    ask(&mut stream, &["REPLCONF", "rdb-only", "1"]).await?;
    ask(&mut stream, &["REPLCONF", "capa", "eof"]).await?;
    send(&mut stream, &["SYNC"]).await?;
    let size = loop {
        let line = line(&mut stream).await?;
        match line.as_str() {
            "" => {}
            refusal if refusal.starts_with('-') => {
                return Err(Error::Refused(format!(
                    "Redis gives no snapshot ({}); its user needs the command SYNC, and services \
                     that forbid it have backups of their own",
                    refusal.trim_start_matches('-')
                )));
            }
            size => break size.to_owned(),
        }
    };
    let mut file = File::create(into).await?;
    match size.strip_prefix("$EOF:") {
        Some(mark) if mark.len() == MARK_LEN => {
            copy_until(&mut stream, &mut file, mark.as_bytes(), progress).await?;
        }
        _ => {
            let size = size.strip_prefix('$').and_then(|size| size.parse().ok());
            let size = size.ok_or_else(|| unexpected("no snapshot"))?;
            copy_exactly(&mut stream, &mut file, size, progress).await?;
        }
    }
    file.flush().await?;
    Ok(())
}

async fn send(stream: &mut Reader, words: &[&str]) -> Result<(), Error> {
    let mut command = format!("*{}\r\n", words.len());
    for word in words {
        command.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    stream.write_all(command.as_bytes()).await.map_err(lost)?;
    stream.flush().await.map_err(lost)
}

/// Sends a command and gives the first line of its answer.
pub(crate) async fn ask(stream: &mut Reader, words: &[&str]) -> Result<String, Error> {
    send(stream, words).await?;
    line(stream).await
}

/// A line without its end.
async fn line(stream: &mut (impl AsyncBufRead + Unpin)) -> Result<String, Error> {
    let mut line = Vec::new();
    let mut bounded = stream.take(4096);
    let read = timeout(SILENCE_MAX, bounded.read_until(b'\n', &mut line)).await;
    if read.map_err(|_| silent())?.map_err(lost)? == 0 {
        return Err(unexpected("the end of the connection"));
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

async fn copy_exactly(
    stream: &mut Reader,
    file: &mut File,
    size: u64,
    progress: Progress<'_>,
) -> Result<(), Error> {
    let mut done = 0;
    while done < size {
        let most = usize::try_from(size - done).unwrap_or(usize::MAX);
        let read = copy_some(stream, file, most).await?.len();
        done += read as u64;
        progress(done, Some(size));
    }
    Ok(())
}

/// Copies until the last bytes are the mark, and leaves that out.
async fn copy_until(
    stream: &mut Reader,
    file: &mut File,
    mark: &[u8],
    progress: Progress<'_>,
) -> Result<(), Error> {
    let (mut done, mut end) = (0, Vec::with_capacity(2 * MARK_LEN));
    loop {
        let some = copy_some(stream, file, usize::MAX).await?;
        done += some.len() as u64;
        progress(done, None);
        let news = some.get(some.len().saturating_sub(MARK_LEN)..).unwrap_or_default();
        end.extend_from_slice(news);
        end.drain(..end.len().saturating_sub(MARK_LEN));
        if end == mark {
            file.flush().await?;
            return Ok(file.set_len(done - MARK_LEN as u64).await?);
        }
    }
}

/// Copies what is there, once something is.
async fn copy_some(stream: &mut Reader, file: &mut File, most: usize) -> Result<Vec<u8>, Error> {
    let filled = timeout(SILENCE_MAX, stream.fill_buf()).await.map_err(|_| silent())?;
    let filled = filled.map_err(lost)?;
    let some = filled.get(..most.min(filled.len())).unwrap_or_default().to_vec();
    if some.is_empty() {
        return Err(unexpected("the end of the connection"));
    }
    stream.consume(some.len());
    file.write_all(&some).await?;
    Ok(some)
}

fn lost(error: std::io::Error) -> Error {
    Error::Unreachable(error.to_string())
}

pub(crate) fn silent() -> Error {
    Error::Unreachable(format!("no word within {SILENCE_MAX:?}"))
}

fn unexpected(what: &str) -> Error {
    Error::Unreachable(format!("it answered {what} where its snapshot was to come"))
}
