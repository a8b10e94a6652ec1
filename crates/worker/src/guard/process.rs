//! A guard: what runs in a process of its own between a worker and a command.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::net::unix::pipe::Sender;
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};

use super::below::{Below, guard};
use super::words::{News, Order, read_input};
use super::{INNER, MARGIN, OUTER, family, this_program};
use crate::moment::{Moment, sleep_until};

/// How guards are called where processes are ended by name: whoever ends all of `reef` leaves
/// those alive that end the commands.
#[cfg(target_os = "linux")]
const NAME: &str = "task-guard";

/// The pause between two looks at what is left of a command.
const PAUSE: Duration = Duration::from_millis(20);

/// What a guard has started and answers for.
struct Ward {
    pid: Pid,
    /// The inner guard; none if this is the inner one.
    below: Option<Below>,
    /// What became of it, as far as it is known.
    status: Option<i32>,
    children: Signals,
}

type Orders = Lines<BufReader<OwnedReadHalf>>;

/// Guards the command that `words` name, for whoever has the other end of standard input.
///
/// # Errors
/// Standard input is no socket, or what should be read from it is not there.
pub async fn watch(words: Vec<OsString>) -> io::Result<()> {
    watch_as(&this_program()?, &words).await
}

/// The same, where `program` becomes a guard.
pub(super) async fn watch_as(program: &[OsString], words: &[OsString]) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    let _ = std::fs::write("/proc/self/comm", NAME);
    // The worker decides when all is over. Signals that were meant for it, too, end nothing here.
    let _ignored = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()]
        .map(|kind| signal(kind).ok());
    family::adopt_orphans()?;
    let above = StdUnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    above.set_nonblocking(true)?;
    let (from, mut to) = UnixStream::from_std(above)?.into_split();
    let mut from = BufReader::new(from);
    let text = read_input(&mut from).await?;
    let mut orders = from.lines();
    let Some(Order::Until(until)) = next(&mut orders).await else { return Ok(()) };
    let news = match Ward::start(program, words, text, until) {
        Ok(ward) => ward.watch(&mut orders, until).await,
        Err(error) => Some(News::Failed(error.to_string())),
    };
    if let Some(news) = news {
        let _ = to.write_all(news.line().as_bytes()).await;
    }
    Ok(())
}

/// The next order; none if nobody is left who could give one.
async fn next(orders: &mut Orders) -> Option<Order> {
    loop {
        let line = orders.next_line().await.ok().flatten()?;
        if let Some(order) = Order::read(&line) {
            return Some(order);
        }
    }
}

impl Ward {
    fn start(
        program: &[OsString],
        words: &[OsString],
        text: Option<Vec<u8>>,
        until: Moment,
    ) -> io::Result<Self> {
        if until.left().is_zero() {
            return Err(io::Error::other("its time was over before it began"));
        }
        let children = signal(SignalKind::child())?;
        let (role, command) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let (child, below) = if role == OUTER {
            let mut inner = guard(program, INNER, command)?;
            let below = Below::of(&mut inner, text.as_deref(), until)?;
            (inner.spawn()?, Some(below))
        } else {
            (start_command(command, text)?, None)
        };
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| io::Error::other("it has no number"))?;
        Ok(Self { pid, below, status: None, children })
    }

    /// Watches over it to its end, and says what that was; nothing if nobody is left to be told,
    /// or if it is not known.
    async fn watch(mut self, orders: &mut Orders, mut until: Moment) -> Option<News> {
        let is_outer = self.below.is_some();
        let slack = if is_outer { MARGIN } else { Duration::ZERO };
        let mut is_killed = false;
        loop {
            let order = tokio::select! {
                biased;
                order = next(orders) => order,
                news = self.news() => {
                    self.end().await;
                    return news;
                }
                () = sleep_until(until + slack) => {
                    self.end().await;
                    let status = self.status.filter(|_| !is_outer);
                    return Some(News::Ended(status.unwrap_or(Signal::KILL.as_raw())));
                }
            };
            match order {
                None => {
                    self.end().await;
                    return None;
                }
                Some(Order::Until(moment)) if !is_killed => until = moment,
                Some(Order::Kill) => (until, is_killed) = (Moment::now(), true),
                Some(Order::Stop) if !is_outer => family::ask_group(self.pid),
                Some(_) => {}
            }
            if let (Some(below), Some(order)) = (&self.below, order) {
                below.tell(order);
            }
        }
    }

    /// Waits until it has ended by itself.
    async fn news(&mut self) -> Option<News> {
        if let Some(below) = &mut self.below {
            return below.news().await;
        }
        loop {
            self.children.recv().await?;
            self.reap();
            if let Some(status) = self.status {
                return Some(News::Ended(status));
            }
        }
    }

    /// Ends what is left of it, and waits until nothing is.
    async fn end(&mut self) {
        let guard = match self.below.take() {
            // The inner guard notices that nobody is left above, and would go on if this one were
            // killed meanwhile. So it is left the time, and ended last.
            Some(below) => {
                drop(below);
                let deadline = Moment::now() + MARGIN;
                while self.reap() && !deadline.left().is_zero() {
                    let _ = tokio::time::timeout(deadline.left(), self.children.recv()).await;
                }
                Some(self.pid)
            }
            // The number of a group whose leader was waited for may soon be somebody else's: what
            // is left of it is ended now, or by its parents.
            None => {
                family::end_group(self.pid);
                None
            }
        };
        while self.reap() {
            family::end_below(&BTreeSet::new(), guard);
            let _ = tokio::time::timeout(PAUSE, self.children.recv()).await;
        }
    }

    /// Says whether any child is left.
    fn reap(&mut self) -> bool {
        let (own, status) = (self.pid, &mut self.status);
        family::reap(|pid, ended| {
            if pid == own {
                *status = Some(ended.as_raw());
            }
        })
    }
}

fn start_command(words: &[OsString], text: Option<Vec<u8>>) -> io::Result<Child> {
    let (program, args) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let stdin = if text.is_some() { Stdio::piped() } else { Stdio::null() };
    let mut child = Command::new(program).args(args).stdin(stdin).process_group(0).spawn()?;
    if let (Some(stdin), Some(text)) = (child.stdin.take(), text) {
        let mut stdin = Sender::from_owned_fd(OwnedFd::from(stdin))?;
        tokio::spawn(async move {
            // One that does not read it may have no need of it.
            let _ = stdin.write_all(&text).await;
        });
    }
    Ok(child)
}
