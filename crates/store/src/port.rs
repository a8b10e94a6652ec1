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
    /// `FCALL` named a function that the server does not hold (yet, or any more).
    #[error("the function is not loaded")]
    NoFunction,
    /// Somebody else has loaded the same library.
    #[error("the function is there already")]
    FunctionExists,
    /// The server does not know functions, or does not let this user call or load them.
    #[error("functions are refused")]
    FunctionsRefused,
    /// A script failed while it ran: a fault of ours, or a key of a foreign type.
    #[error("a script failed: {0}")]
    Script(String),
    /// All the memory that the server may use is in use: it takes no writes. Nothing was done.
    #[error("redis is full: {0}")]
    Full(String),
    /// The keys are moving to another node of a Redis Cluster, one by one: a script would find a part
    /// of them. Nothing was done.
    #[error("redis moves these keys at the moment: {0}")]
    Resharding(String),
    /// The server cannot be reached, did not answer in time, or refuses to serve.
    #[error("redis is unavailable: {0}")]
    Unavailable(String),
    /// The platform does not let a component connect to this address.
    #[error("the component may not connect to this address of redis")]
    NotAllowed,
}

/// How Redis and Valkey say that their memory is used up.
const FULL: &str = "command not allowed when used memory";

/// The commands about functions, as an error quotes them that refuses one of them.
const FUNCTIONS: [&str; 6] =
    ["'fcall'", "'function'", "'function|load'", "`fcall`", "`function`", "'function load'"];

/// How they say that they take no writes at the moment for another reason. Raised within a script,
/// such an error names the script as well, so these are looked for first.
const REFUSALS: [&str; 6] = [
    "read only replica",
    "readonly replica",
    "misconf",
    "unable to persist",
    "writing to the aof",
    "not enough good replicas",
];

/// How a node of a Redis Cluster says that it has not all keys of a script at the moment.
const RESHARDING: [&str; 2] = ["tryagain", "during rehashing of slot"];

/// How a script's own fault is told.
const FAULTS: [&str; 4] = ["user_script", "running script", "typeerror", "wrongtype"];

impl RedisError {
    /// Whether the server takes no writes at the moment. It looks before the first one: nothing was done.
    #[must_use]
    pub fn is_about_writes(&self) -> bool {
        match self {
            Self::Full(_) => true,
            Self::Unavailable(text) => {
                let lower = text.to_ascii_lowercase();
                REFUSALS.iter().any(|words| lower.contains(words))
            }
            _ => false,
        }
    }

    /// Tells what an error's text means. This is the only place that reads such a text: across
    /// Spin's interface nothing else arrives, and it differs between client versions.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let lower = text.to_ascii_lowercase();
        let says = |one_of: &[&str]| one_of.iter().any(|words| lower.contains(words));
        if says(&["noscript"]) {
            Self::NoScript
        } else if says(&["function not found"]) {
            Self::NoFunction
        } else if says(&["library '"]) && says(&["already exists"]) {
            Self::FunctionExists
        } else if says(&["unknown command", "no permissions to run"]) && says(&FUNCTIONS) {
            Self::FunctionsRefused
        } else if says(&[FULL]) {
            Self::Full(text.to_owned())
        } else if (says(&RESHARDING) || lower.starts_with("ask: ")) && !says(&FAULTS) {
            Self::Resharding(text.to_owned())
        } else if !says(&REFUSALS) && says(&FAULTS) {
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
    /// [`RedisError`], never a hang: every implementation bounds the wait (ARCHITECTURE.md, "What happens when…").
    fn execute(
        &self,
        command: &str,
        args: Vec<Vec<u8>>,
    ) -> impl Future<Output = Result<Vec<Reply>, RedisError>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_known_by_its_text_whichever_client_wrote_it() {
        for text in [
            "An error was signalled by the server - NoScriptError: No matching script.",
            "NoScript: No matching script. Please use EVAL.",
        ] {
            assert!(matches!(RedisError::from_text(text), RedisError::NoScript), "{text}");
        }
        let texts = [
            "ResponseError: Function not found",
            "An error was signalled by the server - ResponseError: Function not found",
        ];
        for text in texts {
            assert!(matches!(RedisError::from_text(text), RedisError::NoFunction), "{text}");
        }
        for text in [
            "NoPerm: this user has no permissions to run the 'fcall' command",
            "NOPERM User reef has no permissions to run the 'function|load' command",
            "ERR unknown command 'FCALL', with args beginning with: 'reef_node_get' '1' 'reef:nodes'",
        ] {
            assert!(matches!(RedisError::from_text(text), RedisError::FunctionsRefused), "{text}");
        }
        for text in [
            "TryAgain: Multiple keys request during rehashing of slot",
            "An error was signalled by the server - TRYAGAIN Multiple keys request",
            "Ask: 7365 127.0.0.1:7001",
        ] {
            assert!(matches!(RedisError::from_text(text), RedisError::Resharding(_)), "{text}");
        }
        let full =
            "OOM command not allowed when used memory > 'maxmemory'. script: ab, on @user_script";
        assert!(matches!(RedisError::from_text(full), RedisError::Full(_)));
        for text in [
            "ReadOnly: You can't write against a read only replica. script: ab, on @user_script:5",
            "MISCONF Redis is configured to save RDB snapshots. script: ab, on @user_script:5",
            "Connection refused (os error 111)",
        ] {
            assert!(matches!(RedisError::from_text(text), RedisError::Unavailable(_)), "{text}");
        }
        for text in ["ERR Error running script", "user_script:3: attempt to index", "TypeError"] {
            assert!(matches!(RedisError::from_text(text), RedisError::Script(_)), "{text}");
        }
    }
}
