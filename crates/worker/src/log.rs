//! Brings what a command prints to its task's log.
//!
//! A command is never kept waiting for it: what comes faster than the hub takes it is dropped, and a line of
//! the log says how much. What was said last is brought before the task's end is told, if the hub takes it in
//! time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reef_api::Code;
use reef_api::task::{LogLevel, LogStream, TaskLogBody, TaskLogLineBody};
use reef_api::time::UnixMillis;
use reef_client::Hub;
use reef_domain::limits::{LOG_BATCH_MAX, LOG_TEXT_CHARS_MAX};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::task::Task;

/// How long lines are gathered: people do not see the difference, the hub sees four requests a second.
const GATHER: Duration = Duration::from_millis(250);
/// Most lines that wait: half of what a log keeps.
const LINES_MAX: usize = 1000;
/// Most bytes of them.
const BYTES_MAX: usize = 1 << 20;
/// Most bytes of one request: JSON makes at most six bytes of one, and a body may have 1 MiB.
const BATCH_BYTES_MAX: usize = 128 << 10;
/// How long one request is repeated while the hub is away.
const PATIENCE: Duration = Duration::from_secs(3600);
/// How long the task's end waits for its last lines.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// The log of a task that runs. Copies are the same.
#[derive(Debug, Clone)]
pub(crate) struct TaskLog(Arc<State>);

#[derive(Debug)]
struct State {
    waiting: Mutex<Waiting>,
    /// Says that something waits, or that nothing will come any more.
    news: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: VecDeque<TaskLogLineBody>,
    bytes: usize,
    /// Lines that there was no room for since the last one.
    dropped: u64,
    /// The number of the next line that is sent.
    seq: i64,
    /// The command has ended.
    is_closed: bool,
    /// The hub takes nothing.
    is_refused: bool,
}

impl TaskLog {
    /// One in which nothing was said.
    pub(crate) fn new() -> Self {
        let news = watch::Sender::new(());
        Self(Arc::new(State { waiting: Mutex::default(), news }))
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a line, if there is room for it. Never waits.
    pub(crate) fn say(&self, stream: LogStream, text: &str) {
        let mut waiting = self.waiting();
        if waiting.is_refused {
            return;
        }
        for piece in pieces(as_shown(text)) {
            let stream = Some(stream.into());
            waiting.take(TaskLogLineBody {
                at: now(),
                level: None,
                stream,
                text: Some(piece.to_owned()),
            });
        }
        drop(waiting);
        self.0.news.send_replace(());
    }

    /// Nothing more comes for now.
    pub(crate) fn close(&self) {
        self.waiting().is_closed = true;
        self.0.news.send_replace(());
    }

    /// The same task goes on.
    pub(crate) fn open(&self) {
        self.waiting().is_closed = false;
    }

    /// Brings what is said to the hub until the log is closed, and what waits then, as long as that may take.
    pub(crate) async fn bring(&self, hub: &Hub, task: &Task) {
        tokio::select! {
            () = self.bring_all(hub, task) => {}
            () = self.overtime() => {
                let left = self.waiting().lines.len();
                tracing::warn!(task = task.id(), left, "the last lines of the log could not be brought in time");
            }
        }
    }

    async fn bring_all(&self, hub: &Hub, task: &Task) {
        let mut news = self.0.news.subscribe();
        // What was said before counts as news.
        news.mark_changed();
        loop {
            // The sender lives as long as this.
            let _ = news.changed().await;
            while let Some(body) = self.next(task) {
                if self.waiting().is_closed {
                    self.send(hub, task, &body).await;
                } else {
                    // Beside the pause, so that there are no more than four a second.
                    tokio::join!(self.send(hub, task, &body), self.pause());
                }
            }
            if self.waiting().is_closed {
                return;
            }
            self.pause().await;
        }
    }

    /// Waits until lines were gathered, or no more come.
    async fn pause(&self) {
        tokio::select! {
            () = sleep(GATHER) => {}
            () = self.closed() => {}
        }
    }

    async fn closed(&self) {
        let mut news = self.0.news.subscribe();
        while !self.waiting().is_closed {
            let _ = news.changed().await;
        }
    }

    /// Completes when the task's end has waited long enough.
    async fn overtime(&self) {
        self.closed().await;
        sleep(LAST_WORDS).await;
    }

    /// The next lines to be sent, with their number.
    fn next(&self, task: &Task) -> Option<TaskLogBody> {
        let mut waiting = self.waiting();
        let lines = waiting.batch();
        if lines.is_empty() {
            return None;
        }
        let seq = waiting.seq;
        waiting.seq += i64::try_from(lines.len()).unwrap_or_default();
        Some(TaskLogBody { token: Some(task.token().clone()), lines: Some(lines), seq: Some(seq) })
    }

    /// Sends lines. The numbers make a repeat harmless.
    async fn send(&self, hub: &Hub, task: &Task, body: &TaskLogBody) {
        let request = hub.write_log(&task.id().into(), body);
        let Err(error) = request.repeatable().patient(PATIENCE).send().await else { return };
        // Whether the claim still holds is watched elsewhere.
        let is_fenced = error.problem().is_some_and(|problem| problem.code == Code::Fenced);
        if !is_fenced {
            tracing::warn!(task = task.id(), %error, "the log takes no more of this task's lines");
        }
        let mut waiting = self.waiting();
        waiting.is_refused = true;
        waiting.lines.clear();
        waiting.dropped = 0;
    }
}

impl Waiting {
    fn take(&mut self, line: TaskLogLineBody) {
        let bytes = line.text.as_ref().map_or(0, String::len);
        if self.lines.len() >= LINES_MAX || self.bytes + bytes > BYTES_MAX {
            self.dropped += 1;
            return;
        }
        // In the place of those that are missing.
        self.own_up();
        self.bytes += bytes;
        self.lines.push_back(line);
    }

    /// Says how many lines are missing, if some are.
    fn own_up(&mut self) {
        let dropped = std::mem::take(&mut self.dropped);
        if dropped == 0 {
            return;
        }
        let text = format!("{dropped} lines were dropped: they came faster than the hub took them");
        self.bytes += text.len();
        let (level, text) = (Some(LogLevel::Warn.into()), Some(text));
        self.lines.push_back(TaskLogLineBody { at: now(), level, stream: None, text });
    }

    fn batch(&mut self) -> Vec<TaskLogLineBody> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        if self.lines.is_empty() {
            self.own_up();
        }
        while let Some(line) = self.lines.front() {
            bytes += line.text.as_ref().map_or(0, String::len);
            if batch.len() == LOG_BATCH_MAX || bytes > BATCH_BYTES_MAX && !batch.is_empty() {
                break;
            }
            batch.extend(self.lines.pop_front());
        }
        let taken = batch.iter().filter_map(|line| line.text.as_ref()).map(String::len);
        self.bytes -= taken.sum::<usize>();
        batch
    }
}

/// What a terminal would show of a line in the end: what stands behind a carriage return has taken the place
/// of what stood before it.
fn as_shown(text: &str) -> &str {
    text.rsplit('\r').find(|part| !part.is_empty()).unwrap_or_default()
}

/// A line in pieces that a log takes; one that is empty is one piece.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = text.char_indices().nth(LOG_TEXT_CHARS_MAX).map(|(at, _)| at);
        let (piece, left) = text.split_at(end.unwrap_or(text.len()));
        rest = end.map(|_| left);
        Some(piece)
    })
}

/// By this machine's clock; the hub's order is that of arrival.
fn now() -> Option<String> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok().map(|ms| UnixMillis(ms).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(log: &TaskLog) -> Vec<String> {
        let mut texts = Vec::new();
        loop {
            let batch = log.waiting().batch();
            if batch.is_empty() {
                return texts;
            }
            texts.extend(batch.into_iter().filter_map(|line| line.text));
        }
    }

    #[test]
    fn what_there_is_no_room_for_is_counted_in_its_place() {
        let log = TaskLog::new();
        for n in 0..LINES_MAX + 7 {
            log.say(LogStream::Stdout, &n.to_string());
        }
        let first = log.waiting().batch();
        assert_eq!(first.len(), LOG_BATCH_MAX);
        log.say(LogStream::Stderr, "later");
        let rest = texts(&log);
        let said = "7 lines were dropped: they came faster than the hub took them";
        assert_eq!(rest[rest.len() - 2..], [said, "later"]);
        assert_eq!(rest.len(), LINES_MAX - LOG_BATCH_MAX + 2);
        let waiting = log.waiting();
        assert_eq!((waiting.bytes, waiting.dropped), (0, 0));
    }

    #[test]
    fn lines_that_are_dropped_last_are_told_as_well() {
        let log = TaskLog::new();
        log.say(LogStream::Stdout, &"x".repeat(BYTES_MAX + 3 * LOG_TEXT_CHARS_MAX));
        let told = texts(&log);
        assert_eq!(told.len(), BYTES_MAX / LOG_TEXT_CHARS_MAX + 1);
        assert!(told.last().unwrap().starts_with("3 lines were dropped"), "{:?}", told.last());
    }

    #[test]
    fn a_batch_is_bounded_in_bytes_and_never_empty() {
        let log = TaskLog::new();
        for _ in 0..BATCH_BYTES_MAX / LOG_TEXT_CHARS_MAX + 1 {
            log.say(LogStream::Stdout, &"x".repeat(LOG_TEXT_CHARS_MAX));
        }
        assert_eq!(log.waiting().batch().len(), BATCH_BYTES_MAX / LOG_TEXT_CHARS_MAX);
        assert_eq!(log.waiting().batch().len(), 1);
    }

    #[test]
    fn a_line_is_what_a_terminal_shows_of_it_in_pieces() {
        assert_eq!(as_shown("10 %\r50 %\r100 %"), "100 %");
        assert_eq!(as_shown("100 %\r"), "100 %");
        assert_eq!(as_shown(""), "");
        let long = "é".repeat(LOG_TEXT_CHARS_MAX + 1);
        let counts: Vec<usize> = pieces(&long).map(|piece| piece.chars().count()).collect();
        assert_eq!(counts, [LOG_TEXT_CHARS_MAX, 1]);
        assert_eq!(pieces("").collect::<Vec<_>>(), [""]);
    }
}
