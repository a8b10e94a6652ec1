//! What a running task says before it ends, on its way to the hub.

use reef_api::task::LogStream;
use reef_api::usage::UsageBody;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use crate::log::TaskLog;

/// How much may be on its way before whoever produces it has to wait: enough to keep a fast
/// producer going while one request is under way.
const ON_THE_WAY: usize = 64;

/// One thing that a running task says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Output {
    /// How far it is, 0–1.
    Progress(f64),
    /// Text that follows what was said before.
    Delta(String),
    /// A content block.
    Block(Map<String, Value>),
    /// A provider wants to be left alone.
    Busy(Busy),
    /// What this try has used so far, all models.
    Usage(Vec<UsageBody>),
    /// What the next try begins with, should this one come to nothing.
    Checkpoint(Value),
}

/// What is told of a running task while its lease is renewed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Report {
    /// How far it is, 0–1.
    pub(crate) share: Option<f64>,
    /// What this try has used so far.
    pub(crate) usage: Vec<UsageBody>,
    /// What the next try begins with.
    pub(crate) checkpoint: Option<Value>,
}

/// What a provider that has refused (429) asks for: nothing begins under a limit for a time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Busy {
    /// A limit that the task is under.
    pub(crate) limit: String,
    pub(crate) retry_after_ms: i64,
}

/// Where a running task puts what it says. When all copies are gone, all has been said.
#[derive(Debug, Clone)]
pub(crate) struct Outlet {
    sender: mpsc::Sender<Output>,
    log: Option<TaskLog>,
}

/// The other end of an [`Outlet`].
pub(crate) type Outputs = mpsc::Receiver<Output>;

/// A new outlet and its other end; and where lines go that mean nothing but themselves, if anywhere.
pub(crate) fn channel(log: Option<TaskLog>) -> (Outlet, Outputs) {
    let (sender, receiver) = mpsc::channel(ON_THE_WAY);
    (Outlet { sender, log }, receiver)
}

impl Outlet {
    /// Says it, waiting while too much is on its way. When nobody listens any more, the task is
    /// being stopped and what it says no longer matters.
    pub(crate) async fn say(&self, output: Output) {
        let _ = self.sender.send(output).await;
    }

    /// Puts a line into the task's log, if that is wanted.
    pub(crate) fn log(&self, stream: LogStream, line: &str) {
        if let Some(log) = &self.log {
            log.say(stream, line);
        }
    }
}
