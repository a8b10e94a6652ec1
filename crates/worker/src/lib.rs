//! The worker: claims tasks from a hub and runs a command, or a workflow, for each.
//!
//! What it promises: a task's command runs only while the claim is certainly ours, by this
//! machine's own clock; it is stopped before the lease can run out, when the hub says that the
//! claim is lost or cancelled, and when the worker itself dies. Whatever it tells the hub carries
//! the claim's token, so that what comes too late has no effect.
//!
//! The agent registers a machine without doing its tasks, and may lead; the same holds for the
//! command that it runs while it leads.
//!
//! `locked` does the same for a named lock and one command.
//!
//! # Layout
//!
//! - [`agent`]: what a machine does that is a node and no worker. It shares `beats`, `identity`,
//!   `machine`, `lease` and `guard` with the worker.
//! - `worker`: the whole: claims, runs, drains. `beats`: heartbeats. `api`: what is asked of a hub.
//! - `attempt`: one claim from start to end. `lease`, `moment`, `claims`: how long it is ours. `relay`:
//!   what it says, on its way to the hub; `log`: what it prints.
//! - `executor`: what is done for a task: `command` (with `lines`, `guard`), or
//!   `workflow` (with `llm`).

pub mod agent;
mod api;
mod args;
mod attempt;
mod beats;
mod claims;
mod command;
mod executor;
pub mod guard;
mod identity;
mod lease;
mod lines;
mod llm;
pub mod locked;
mod log;
mod machine;
mod moment;
mod outcome;
mod output;
mod relay;
mod setup;
mod task;
mod worker;
mod workflow;

pub use args::{DETAILS, EXAMPLES, WorkerArgs};
pub use machine::{arch_of_this_machine, free_space};
pub use setup::run;

/// Why a worker or an agent ends before it was told to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// What came back from the hub, or did not.
    #[error(transparent)]
    Hub(#[from] reef_client::Error),
    /// It cannot work as it was asked to.
    #[error("{0}")]
    Usage(String),
    /// Something went wrong on this machine.
    #[error("{0}")]
    Failed(String),
    /// It was told twice to stop.
    #[error("interrupted")]
    Interrupted,
}

impl WorkerError {
    /// The key that there is administers, and a worker runs other agents' tasks.
    #[must_use]
    pub fn administers() -> Self {
        let words = "a worker runs other agents' tasks, and so it does not work with a key that \
                     administers: make an agent with `reef agents register NAME --save NAME.key` and \
                     give its key with --key-file NAME.key (or say --as-admin)";
        Self::Usage(words.to_owned())
    }

    /// Somebody else has registered under this one's name.
    pub(crate) fn replaced() -> Self {
        let words = "somebody else has registered as this node: give each worker and agent its own --hostname";
        Self::Failed(words.to_owned())
    }
}
