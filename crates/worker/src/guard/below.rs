//! A guard as the process sees it that has started it.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::words::{News, Order, input};
use crate::moment::Moment;

/// The end of a guard's socket. Dropping it tells the guard that nobody is left above.
#[derive(Debug)]
pub(super) struct Below {
    /// What is to be said; saying it never waits for a guard that does not listen.
    words: mpsc::UnboundedSender<Vec<u8>>,
    speaker: JoinHandle<()>,
    news: Lines<BufReader<OwnedReadHalf>>,
}

impl Below {
    /// Makes `command` that of a guard, and the end for whoever starts it. The guard starts its
    /// own command only when it has got its input and a time that is not over.
    pub(super) fn of(
        command: &mut Command,
        text: Option<&[u8]>,
        until: Moment,
    ) -> io::Result<Self> {
        let (ours, theirs) = StdUnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let (from, to) = UnixStream::from_std(ours)?.into_split();
        // Signals that a terminal sends to the group above are not for the guard.
        command.stdin(Stdio::from(OwnedFd::from(theirs))).process_group(0);
        let (words, said) = mpsc::unbounded_channel();
        let below = Self {
            words,
            speaker: tokio::spawn(speak(said, to)),
            news: BufReader::new(from).lines(),
        };
        below.say(input(text));
        below.tell(Order::Until(until));
        Ok(below)
    }

    pub(super) fn tell(&self, order: Order) {
        self.say(order.line().into_bytes());
    }

    fn say(&self, words: Vec<u8>) {
        // A guard that is gone is noticed by its silence.
        let _ = self.words.send(words);
    }

    /// How the command ended; none if the guard is gone without saying so.
    pub(super) async fn news(&mut self) -> Option<News> {
        News::read(&self.news.next_line().await.ok().flatten()?)
    }
}

impl Drop for Below {
    fn drop(&mut self) {
        self.speaker.abort();
    }
}

async fn speak(mut said: mpsc::UnboundedReceiver<Vec<u8>>, mut to: OwnedWriteHalf) {
    while let Some(words) = said.recv().await {
        if to.write_all(&words).await.is_err() {
            return;
        }
    }
}

/// A guard that `program` becomes: `role` says which, and `words` what it guards.
pub(super) fn guard(program: &[OsString], role: &str, words: &[OsString]) -> io::Result<Command> {
    let (file, args) = program.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(file);
    // What it is started from may have no name that says anything.
    command.arg0("reef").args(args).arg("--").arg(role).args(words);
    Ok(command)
}
