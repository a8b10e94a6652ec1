//! Brings what a running task says to the hub: text and blocks into its message, progress to the
//! task itself.

use std::time::Duration;

use reef_api::message::AppendBody;
use reef_api::{Code, MessageId};
use reef_client::{Error, Hub};
use serde_json::{Map, Value};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::api;
use crate::output::{Busy, Output, Outputs, Report};
use crate::task::Task;

/// How long text is gathered before it is appended. People do not see the difference; the hub sees
/// one request instead of one for each word.
const GATHER: Duration = Duration::from_millis(50);
/// Most bytes of one append: JSON makes at most six bytes of one, and a body may have 1 MiB.
const DELTA_BYTES_MAX: usize = 128 << 10;
/// How long one request is repeated while the hub is away. Whether the lease still runs is watched
/// elsewhere; with it this ends too.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Why nothing more can be brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Another claim of the task writes to the message.
    Fenced,
}

/// One task's relay.
pub(crate) struct Relay<'a> {
    hub: &'a Hub,
    task: &'a Task,
    /// Where progress goes.
    progress: &'a watch::Sender<Report>,
    text: String,
    /// The number of the next append of this producer.
    seq: i64,
    blocks: u64,
    /// The message takes nothing any more.
    is_closed: bool,
}

impl<'a> Relay<'a> {
    pub(crate) fn new(hub: &'a Hub, task: &'a Task, progress: &'a watch::Sender<Report>) -> Self {
        let (text, seq, blocks) = (String::new(), 0, 0);
        // Only a session's task has a message to write to.
        let is_closed = task.message_id().is_none();
        Self { hub, task, progress, text, seq, blocks, is_closed }
    }

    /// Brings all that is said until the task has nothing more to say.
    pub(crate) async fn run(mut self, mut outputs: Outputs) -> Result<(), Refused> {
        let mut flush_at = Instant::now();
        loop {
            let output = tokio::select! {
                output = outputs.recv() => output,
                () = sleep_until(flush_at), if !self.text.is_empty() => {
                    self.flush().await?;
                    continue;
                }
            };
            match output {
                Some(Output::Progress(share)) => {
                    self.progress.send_modify(|report| report.share = Some(share));
                }
                Some(Output::Usage(usage)) => {
                    self.progress.send_modify(|report| report.usage = usage);
                }
                Some(Output::Checkpoint(checkpoint)) => {
                    self.progress.send_modify(|report| report.checkpoint = Some(checkpoint));
                }
                Some(Output::Busy(busy)) => self.shut(&busy).await?,
                Some(Output::Delta(_) | Output::Block(_)) if self.is_closed => {}
                Some(Output::Delta(delta)) => {
                    if self.text.is_empty() {
                        flush_at = Instant::now() + GATHER;
                    }
                    self.text.push_str(&delta);
                    if self.text.len() >= DELTA_BYTES_MAX {
                        self.flush().await?;
                    }
                }
                Some(Output::Block(block)) => {
                    self.flush().await?;
                    self.add(block).await?;
                }
                None => return self.flush().await,
            }
        }
    }

    /// Appends the text that was gathered.
    async fn flush(&mut self) -> Result<(), Refused> {
        let text = std::mem::take(&mut self.text);
        for delta in pieces(&text, DELTA_BYTES_MAX) {
            // The producer's numbers make a repeat harmless.
            let (id, epoch) = (self.task.id(), self.task.epoch());
            let body = AppendBody::numbered(delta, id, epoch, self.seq);
            self.seq += 1;
            let request = self.hub.append(&self.message_id(), &body);
            let request = request.claim_token(self.task.token().as_str());
            let sent = request.repeatable().patient(PATIENCE).send().await;
            self.judge(sent.err(), "text")?;
        }
        Ok(())
    }

    async fn add(&mut self, block: Map<String, Value>) -> Result<(), Refused> {
        if self.is_closed {
            return Ok(());
        }
        self.blocks += 1;
        let key = format!("{}.{}.{}", self.task.id(), self.task.token(), self.blocks);
        let request = self.hub.add_block(&self.message_id(), &block);
        let request = request.claim_token(self.task.token().as_str());
        let sent = request.idempotency_key(key).patient(PATIENCE).send().await;
        self.judge(sent.err(), "a content block")
    }

    /// Keeps back what is under a limit whose provider has refused. Where the hub does not, the task goes on.
    async fn shut(&self, busy: &Busy) -> Result<(), Refused> {
        match api::shut_limit(self.hub, self.task, busy).await {
            Ok(()) => tracing::info!(task = self.task.id(), limit = busy.limit, "shut"),
            Err(error) if api::is(&error, Code::Fenced) => return Err(Refused::Fenced),
            Err(error) => {
                let limit = &busy.limit;
                tracing::warn!(task = self.task.id(), %error, "the limit {limit} stays open");
            }
        }
        Ok(())
    }

    fn message_id(&self) -> MessageId {
        self.task.message_id().unwrap_or_default().into()
    }

    /// Decides what a refusal means. One that concerns only the message does not stop the task.
    fn judge(&mut self, error: Option<Error>, what: &str) -> Result<(), Refused> {
        let Some(error) = error else { return Ok(()) };
        let code = error.problem().and_then(|problem| problem.code.known());
        if code == Some(Code::Fenced) {
            return Err(Refused::Fenced);
        }
        tracing::warn!(task = self.task.id(), %error, "the message does not take {what}");
        // A block that breaks a rule costs only itself; a message that is complete or gone takes
        // nothing more.
        self.is_closed |= matches!(code, Some(Code::Conflict | Code::NotFound | Code::Forbidden));
        Ok(())
    }
}

/// Cuts a text into pieces of at most so many bytes, between characters.
fn pieces(mut text: &str, most: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    while !text.is_empty() {
        let (piece, rest) = text.split_at(text.floor_char_boundary(most).max(1));
        pieces.push(piece);
        text = rest;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(pieces("", 4), Vec::<&str>::new());
        assert_eq!(pieces("abcdef", 4), ["abcd", "ef"]);
        assert_eq!(pieces("aäöü", 4), ["aä", "öü"]);
    }
}
