//! A few words with a server on a unix socket, beside the connection that components share: that
//! one refuses to carry `SHUTDOWN`, and hides whether a server is starting or gone.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// How long a server may take for one word.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// What a server on a socket is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Nobody listens.
    Gone,
    /// Somebody listens but does not serve yet: it loads its data, or hangs.
    Busy,
    /// It serves.
    Ready,
}

/// Asks a server how it is.
pub(super) async fn state(socket: &Path) -> State {
    match ask(socket, "PING").await {
        Ok(answer) if answer == "+PONG" => State::Ready,
        // A script that runs for long is not the server's fault, and commands will be served.
        Ok(answer) if answer.starts_with("-BUSY") => State::Ready,
        Ok(_) => State::Busy,
        Err(error) if means_gone(&error) => State::Gone,
        Err(_) => State::Busy,
    }
}

/// Sends one command without arguments that need quoting, and reads the first line of the answer.
pub(super) async fn ask(socket: &Path, command: &str) -> io::Result<String> {
    let exchange = async {
        let mut stream = UnixStream::connect(socket).await?;
        stream.write_all(format!("{command}\r\n").as_bytes()).await?;
        let mut line = String::new();
        // An error text of Redis is short; the bound is for whatever else may listen there.
        BufReader::new(stream.take(4096)).read_line(&mut line).await?;
        Ok(line.trim_end().to_owned())
    };
    timeout(ANSWER_TIMEOUT, exchange).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Waits until the server that listens now is gone, however long that takes.
pub(super) async fn until_gone(socket: &Path) {
    // An idle connection is closed by the end of the process; Redis itself never closes one,
    // because the private server runs without a client timeout.
    loop {
        match UnixStream::connect(socket).await {
            Ok(mut stream) => {
                let mut byte = [0];
                // Nothing is ever sent to us, so any outcome means that the other side is closed.
                let _ = stream.read(&mut byte).await;
            }
            Err(error) if means_gone(&error) => return,
            Err(_) => {}
        }
        // The socket file may outlive the process for a moment, or the backlog may be full.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn means_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}
