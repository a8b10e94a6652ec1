//! The Redis port: the one thing that the hub asks of the world outside.
//!
//! Implemented by `reef_redis::Connection` in native processes, and by the adapters to Spin's
//! interfaces inside the components. Replies are flat on every side, because Spin flattens them.

use std::future::Future;

/// One element of a flat reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A missing value.
    Nil,
    /// A simple string such as `OK`.
    Status(String),
    /// An integer. Spin turns booleans into 0 and 1.
    Int(i64),
    /// A bulk string.
    Bytes(Vec<u8>),
}

/// Why a command gave no reply.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RedisError {
    /// `EVALSHA` named a script that the server does not hold (yet, or any more).
    #[error("the script is not loaded")]
    NoScript,
    /// A script failed while it ran: a fault of ours, or a key of a foreign type.
    #[error("a script failed: {0}")]
    Script(String),
    /// The server cannot be reached, did not answer in time, or refuses to serve.
    #[error("redis is unavailable: {0}")]
    Unavailable(String),
}

impl RedisError {
    /// Tells what an error's text means. This is the only place that reads such a text: across
    /// Spin's interface nothing else arrives, and it differs between client versions.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let lower = text.to_ascii_lowercase();
        if lower.contains("noscript") {
            Self::NoScript
        } else if ["user_script", "running script", "typeerror", "wrongtype"]
            .iter()
            .any(|fault| lower.contains(fault))
        {
            Self::Script(text.to_owned())
        } else {
            Self::Unavailable(text.to_owned())
        }
    }
}

/// Executes commands on one Redis server.
///
/// Futures need not be `Send`: inside a component there is one thread. Where a caller needs it
/// (a task of the host), the compiler sees it through the concrete type.
pub trait Redis {
    /// Sends one command and waits for its flat reply.
    ///
    /// # Errors
    /// [`RedisError`], never a hang: every implementation bounds the wait (design.md §3.10).
    fn execute(
        &self,
        command: &str,
        args: Vec<Vec<u8>>,
    ) -> impl Future<Output = Result<Vec<Reply>, RedisError>>;
}
